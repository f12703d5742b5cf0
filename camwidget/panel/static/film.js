/** The row of small pictures, one for each layer, from the input to the output; the layer slider lies under it, one stop to each. */

import { element } from "./elements.js";
import { choose } from "./model.js";
import { desaturate } from "./paint.js";
import { Slider } from "./slider.js";

/** @typedef {import("./types.js").LayerEntry} LayerEntry */
/** @typedef {import("./types.js").MapEntry} MapEntry */
/** @typedef {import("./types.js").MapTraits} MapTraits */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */
/** @typedef {{width: number, height: number, base: Float32Array}} Ground  what a map is painted on */

const THUMBNAIL_WIDTH = 112;
const TALLEST = 1.5; // of its width; a column of pixels would make the page as long as itself

export class Film {
  /** @param {Model<MapTraits>} model */
  constructor(model) {
    this.model = model;
    this.row = element("div", "camw-film");
    this.row.setAttribute("role", "group");
    this.row.setAttribute("aria-label", "All layers, from the input to the output");
    this.slider = new Slider("Layer", (i) => choose(model, "layer_index", i));
    this.box = element("div", "camw-strip");
    this.box.append(this.row, this.slider.input);
    /** @type {Ground | null} */
    this.ground = null;
  }

  /** Make a picture small. @param {ImageBitmap} picture */
  load(picture) {
    const factor = Math.min(THUMBNAIL_WIDTH / picture.width, (TALLEST * THUMBNAIL_WIDTH) / picture.height);
    const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * factor)));
    const small = document.createElement("canvas");
    small.width = width;
    small.height = height;
    const context = /** @type {CanvasRenderingContext2D} */ (small.getContext("2d", { willReadFrequently: true }));
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, width, height);
    this.ground = { width, height, base: desaturate(context.getImageData(0, 0, width, height).data) };
  }

  /** @param {LayerEntry[]} layers */
  list(layers) {
    this.box.style.setProperty("--camw-count", String(Math.max(1, layers.length)));
    this.slider.list(layers.map((each) => `${each.name}, ${each.map_height} by ${each.map_width} cells, ${each.channels} channels`));
    this.row.replaceChildren(...layers.map((each, i) => {
      const button = element("button", "camw-frame-small");
      button.tabIndex = -1; // keys have the slider
      button.title = `Layer ${each.name}: ${each.map_height} by ${each.map_width} cells, ${each.channels} channels`;
      const small = element("canvas", "");
      small.width = this.ground?.width ?? 1;
      small.height = this.ground?.height ?? 1;
      button.append(small, element("span", "", each.name), element("span", "camw-cells", ` \u00b7 ${each.map_height}\u00d7${each.map_width}`));
      button.addEventListener("click", () => choose(this.model, "layer_index", i));
      return button;
    }));
  }

  /** @param {(layer: number, ground: Ground, out: Uint8ClampedArray) => {entry: MapEntry}} paintInto */
  paint(paintInto) {
    if (!this.ground) return;
    for (const [i, button] of [...this.row.children].entries()) {
      const small = /** @type {HTMLCanvasElement} */ (button.firstChild);
      const made = new ImageData(this.ground.width, this.ground.height);
      const { entry } = paintInto(i, this.ground, made.data);
      /** @type {CanvasRenderingContext2D} */ (small.getContext("2d")).putImageData(made, 0, 0);
      button.classList.toggle("camw-refused", Boolean(entry.reason));
    }
  }

  /** Mark the layer that is shown. @param {number} layer */
  mark(layer) {
    for (const [i, button] of [...this.row.children].entries()) button.setAttribute("aria-pressed", String(i === layer));
    this.slider.stand(layer);
  }
}
