/** The picture that is open: what it is, its tags, and on a saved page, which no panel follows, the picture itself. */

import { element } from "./elements.js";
import { figuresOf, paintFigures, tileInWords } from "./figures.js";
import { Tagging } from "./tagging.js";

/** @typedef {import("./types.js").MistakesManifest} Manifest */
/** @typedef {import("./types.js").PictureRow} PictureRow */
/** @typedef {import("./tiles.js").Tiles} Tiles */

const LARGE = 320;

/** @param {string} name @param {() => void} act */
function link(name, act) {
  const button = element("button", "camw-link", name);
  button.addEventListener("click", act);
  return button;
}

export class OnePicture {
  /** @param {Tiles} tiles @param {{toggle: (tag: string) => void, step: (by: number) => void, close: () => void}} acts */
  constructor(tiles, { toggle, step, close }) {
    this.tiles = tiles;
    this.box = element("div", "camw-opened");
    this.words = element("p", "camw-what");
    this.large = element("div", "camw-pics camw-large");
    this.tagging = new Tagging(toggle);
    this.row = -1;
    this.previous = link("previous", () => step(-1));
    this.next = link("next", () => step(1));
    const steps = element("div", "camw-steps");
    steps.append(this.previous, this.next, link("close", close));
    this.box.append(this.words, this.large, this.tagging.box, steps);
  }

  /**
   * Show a picture, or nothing; return what it is in words.
   * @param {Manifest} manifest @param {{row: PictureRow, path: string, number: number, count: number} | null} opened
   */
  show(manifest, opened) {
    this.box.hidden = !opened;
    if (!opened) { this.row = -1; return ""; }
    const { row, path, number, count } = opened;
    const order = number < 0 ? "" : `, number ${(number + 1).toLocaleString("en")} of ${count.toLocaleString("en")} in this order`;
    const words = `${tileInWords(row, manifest.classes)}${order}.`;
    this.words.replaceChildren(element("b", "", path || `Picture ${row.row}`), `. ${words}`);
    this.previous.disabled = number <= 0;
    this.next.disabled = number < 0 || number + 1 >= count;
    if (row.row !== this.row) {
      this.row = row.row;
      this.large.hidden = this.tiles.kernel.live; // the panel below shows it, and more of it
      this.large.replaceChildren(...(this.large.hidden ? [] : figuresOf(["picture", "said", "true"], row, manifest.classes)));
    }
    return words;
  }

  /** @param {number} scale @param {Uint8Array} colormap */
  paint(scale, colormap) {
    const tile = this.large.hidden ? null : this.tiles.get(this.row);
    if (tile) paintFigures(this.large, tile, scale, colormap, LARGE);
  }
}
