/** A picture with colours over it: two canvases, which the browser blends and enlarges to whatever room there is. */

import { element } from "./elements.js";
import { desaturate, tint } from "./paint.js";

const OVERLAY_SIDE = 256; // a map is smooth between its cells, so that the browser can enlarge its colours

export class Sheet {
  constructor() {
    this.box = element("div", "camw-picture");
    this.box.setAttribute("role", "img");
    this.base = element("canvas", "camw-base");
    this.canvas = element("canvas", "camw-canvas");
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    /** @type {ImageData | null} */
    this.pixels = null;
    this.box.append(this.base, this.canvas);
  }

  /** Make a picture the ground, with less colour, so that strong colour belongs to the map alone. @param {ImageBitmap} picture */
  load(picture) {
    const ground = this.makeGround(picture.width, picture.height);
    ground.drawImage(picture, 0, 0);
    const pixels = ground.getImageData(0, 0, picture.width, picture.height);
    const grey = desaturate(pixels.data);
    for (let p = 0; p < picture.width * picture.height; p++) for (let k = 0; k < 3; k++) pixels.data[4 * p + k] = grey[3 * p + k];
    ground.putImageData(pixels, 0, 0);
  }

  /** The same ground as another sheet. @param {Sheet} other */
  copy(other) {
    const { width, height } = other.base;
    if (width && height) this.makeGround(width, height).drawImage(other.base, 0, 0);
  }

  /** @param {number} width @param {number} height */
  makeGround(width, height) {
    Object.assign(this.base, { width, height });
    const factor = Math.min(1, OVERLAY_SIDE / Math.max(width, height));
    this.canvas.width = Math.max(1, Math.round(width * factor));
    this.canvas.height = Math.max(1, Math.round(height * factor));
    this.pixels = new ImageData(this.canvas.width, this.canvas.height);
    this.box.parentElement?.style.setProperty("--camw-ratio", String(width / height));
    return /** @type {CanvasRenderingContext2D} */ (this.base.getContext("2d", { willReadFrequently: true }));
  }

  /** @param {Float32Array | null} values  one for each pixel of the colours; null for the bare picture @param {Uint8Array} colormap @param {{scale: number, opacity: number, signed: boolean}} look */
  paint(values, colormap, look) {
    if (!this.pixels) return;
    if (values) tint(values, colormap, look, this.pixels.data);
    else this.pixels.data.fill(0);
    this.context.putImageData(this.pixels, 0, 0);
  }
}
