/** The colour table as a strip with its ends in numbers. What is painted already is left alone: most steps change neither. */

import { element, say } from "./elements.js";

export class Legend {
  constructor() {
    this.strip = element("canvas", "camw-legend");
    this.strip.width = 257;
    this.strip.height = 1;
    this.strip.setAttribute("aria-hidden", "true");
    this.ticks = element("div", "camw-ticks");
    /** @type {{colormap: Uint8Array, signed: boolean} | null} */
    this.painted = null;
  }

  /** From end to end, or from zero on. @param {Uint8Array} colormap @param {boolean} signed @param {string[]} ticks */
  paint(colormap, signed, ticks) {
    const { children } = this.ticks;
    if (children.length === ticks.length) for (const [i, tick] of ticks.entries()) say(children[i], tick);
    else this.ticks.replaceChildren(...ticks.map((text) => element("span", "", text)));
    if (this.painted?.colormap === colormap && this.painted.signed === signed) return;
    this.painted = { colormap, signed };
    const made = new ImageData(257, 1);
    for (let x = 0; x < 257; x++) {
      const step = signed ? x : 128 + Math.round(x / 2);
      made.data.set(colormap.subarray(4 * step, 4 * step + 4), 4 * x);
    }
    /** @type {CanvasRenderingContext2D} */ (this.strip.getContext("2d")).putImageData(made, 0, 0);
  }
}
