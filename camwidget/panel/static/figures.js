/** What a tile is made of: pictures with their names, and words. */

import { element } from "./elements.js";
import { formatPercent } from "./format.js";
import { paintTile } from "./tiles.js";

/** @typedef {import("./types.js").PictureRow} PictureRow */

/** What a tile shows, by the choice of maps. @type {Record<string, string[]>} */
export const KINDS = { both: ["picture", "said", "true"], said: ["said"], true: ["true"], difference: ["difference"] };

/** What a map is called. @param {string} kind @param {PictureRow} row @param {string[]} classes */
export function mapName(kind, row, classes) {
  const [said, true_] = [classes[row.said], classes[row.true]];
  if (kind === "picture") return "picture";
  if (kind === "said") return `why ${said}`;
  if (kind === "true") return row.said === row.true ? `why ${true_}` : `why not ${true_}`;
  return `${said} minus ${true_}`;
}

/** A tile in words. @param {PictureRow} row @param {string[]} classes */
export function tileInWords(row, classes) {
  if (row.said === row.true) return `${classes[row.true]}, rightly so called, ${formatPercent(row.p_true)}`;
  return `Is ${classes[row.true]}, ${formatPercent(row.p_true)}; was called ${classes[row.said]}, ${formatPercent(row.p_said)}; loss ${row.loss.toFixed(2)}`;
}

/**
 * A picture and its maps, each with its name, before they are painted.
 * @param {string[]} kinds @param {PictureRow} row @param {string[]} classes
 */
export function figuresOf(kinds, row, classes) {
  return kinds.map((kind) => {
    const figure = element("div", "camw-pic");
    const canvas = element("canvas", "");
    canvas.dataset.kind = kind;
    const name = element("span", "camw-kind", mapName(kind, row, classes));
    name.title = name.textContent ?? "";
    figure.append(name, canvas);
    return figure;
  });
}

/**
 * Paint what `figuresOf` made, or say in place of the first why there is no picture.
 * @param {HTMLElement} box @param {import("./tiles.js").Tile} tile @param {number} scale @param {Uint8Array} colormap @param {number} [side]
 */
export function paintFigures(box, tile, scale, colormap, side) {
  for (const [i, canvas] of box.querySelectorAll("canvas").entries()) {
    if (tile.image) paintTile(canvas, tile, canvas.dataset.kind ?? "picture", scale, colormap, side);
    else canvas.replaceWith(element("span", "camw-lost", i ? "" : tile.problem || "no picture"));
  }
}

/** @param {string} verb @param {string} name @param {number} probability */
export function wordLine(verb, name, probability) {
  const line = element("p", "camw-word-line");
  line.append(`${verb} `, element("b", "", name), ` ${formatPercent(probability)}`);
  line.title = name;
  return line;
}
