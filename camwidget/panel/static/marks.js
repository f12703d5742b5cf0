/** Marks over a picture: lines, circles and rectangles that are seen on any ground, since each is drawn twice. */

import { element, makeSvg } from "./elements.js";

/** How far an arrow key moves a mark, of the picture. */
export const KEY_STEP = 1 / 28;

/** Where an arrow key moves a mark: down, and to the right. @param {string} key @returns {[number, number]} */
export const stepOfArrow = (key) => [
  key === "ArrowUp" ? -KEY_STEP : key === "ArrowDown" ? KEY_STEP : 0,
  key === "ArrowLeft" ? -KEY_STEP : key === "ArrowRight" ? KEY_STEP : 0,
];

const UNDER = { stroke: "#000a", "stroke-width": "4.5" };
const OVER = { stroke: "#fff", "stroke-width": "2" };

export class Marks {
  constructor() {
    this.box = element("div", "camw-marks");
    this.svg = makeSvg("");
    this.box.append(this.svg);
  }

  clear() {
    this.svg.replaceChildren();
    this.box.replaceChildren(this.svg);
  }

  /** @param {string} shape @param {Record<string, string | number>} attributes  lengths in percent of the picture @param {Record<string, string | number>} [over]  of the upper of the two */
  draw(shape, attributes, over = {}) {
    for (const style of [UNDER, { ...OVER, ...over }]) {
      const made = document.createElementNS(this.svg.namespaceURI, shape);
      for (const [name, value] of Object.entries({ fill: "none", ...style, ...attributes })) made.setAttribute(name, String(value));
      this.svg.append(made);
    }
  }

  /** @param {{top: number, left: number, height: number, width: number}} part  from 0 to 1 @param {Record<string, string | number>} [over] */
  rectangle({ top, left, height, width }, over) {
    this.draw("rect", { x: `${100 * left}%`, y: `${100 * top}%`, width: `${100 * width}%`, height: `${100 * height}%`, rx: 1 }, over);
  }

  /** What lies over a part that is hidden. @param {{top: number, left: number, height: number, width: number}} part @param {boolean} blurs */
  veil(part, blurs) {
    const { top, left, height, width } = part;
    const made = element("div", blurs ? "camw-veil camw-veil-blur" : "camw-veil");
    Object.assign(made.style, { top: `${100 * top}%`, left: `${100 * left}%`, height: `${100 * height}%`, width: `${100 * width}%` });
    this.box.prepend(made);
    this.rectangle(part);
  }

  /** @param {{row: number, column: number}} at */
  ring({ row, column }) {
    this.draw("circle", { cx: `${100 * column}%`, cy: `${100 * row}%`, r: 9 });
  }

  /** @param {{row: number, column: number}} from @param {{row: number, column: number}} to */
  line(from, to) {
    this.draw("line", { x1: `${100 * from.column}%`, y1: `${100 * from.row}%`, x2: `${100 * to.column}%`, y2: `${100 * to.row}%` });
  }
}
