/** What stands around a gallery, in words. */

import { element } from "./elements.js";
import { formatNumber } from "./format.js";
import { pictures } from "./matrix.js";
import { mostSaid } from "./rows.js";

/** @typedef {import("./types.js").MistakesManifest} Manifest */
/** @typedef {import("./rows.js").Table} Table */

/** @param {Manifest} manifest @param {Table} table @returns {(string | HTMLElement)[]} */
export function headingOf({ classes, wrong, total, unread, stopped, method, layer, coarser }, table) {
  const most = mostSaid(table);
  const said = most === null ? "." : [", most often said: ", element("strong", "", classes[most]), "."];
  const rest = [stopped, unread ? `${pictures(unread)} could not be read` : "", `Maps: ${method} at layer ${layer}`, coarser].filter(Boolean);
  return [element("strong", "", `${wrong.toLocaleString("en")} mistake${wrong === 1 ? "" : "s"}`), ` in ${pictures(total)}`, ...said, ` ${rest.join(". ")}.`];
}

/** What is shown. @param {number} count @param {{classes: string[], cell: number[], group: number, tag: string, shown: string}} choice @returns {(string | HTMLElement)[]} */
export function shownInWords(count, { classes, cell, group, tag, shown }) {
  const one = shown === "wrong" ? "mistake" : shown === "right" ? "right answer" : "picture";
  const kind = count === 1 ? one : `${one}s`;
  const strong = element("b", "", cell.length ? `${count.toLocaleString("en")} \u00d7 ${classes[cell[0]]}` : `${count.toLocaleString("en")} ${kind}`);
  const rest = cell.length ? (cell[0] === cell[1] ? ", and called so" : `, called ${classes[cell[1]]}`) : group >= 0 ? " of one group" : "";
  return [strong, rest + (tag ? `, tagged \u201c${tag}\u201d` : "")];
}

/** What the ends and the middle of the legend mean. @param {string} maps @param {number | null} scale  of all pictures, if they have one */
export function ticksOf(maps, scale) {
  const [low, high] = maps === "difference" ? ["for what it is", "for what was said"] : ["against", "for"];
  const ends = scale === null ? [low, high] : [`${formatNumber(-scale)} ${low}`, `${high} ${formatNumber(scale, true)}`];
  return [ends[0], "0", ends[1]];
}
