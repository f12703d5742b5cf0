/** The cells of a map: which one lies at a place of the picture, which one a key goes on to, and the extreme ones in words. */

import { formatNumber } from "./format.js";
import { clamp } from "./maps.js";

/** @typedef {import("./types.js").LayerEntry} LayerEntry */
/** @typedef {import("./types.js").MethodEntry} MethodEntry */
/** @typedef {import("./types.js").Peak} Peak */
/** @typedef {{row: number, column: number}} Place  on the picture, both from 0 to 1 */

/** Rows and columns that an arrow key goes on by. @type {Record<string, [number, number]>} */
const ARROW_STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** The cell of a map that lies at a place. @param {Place} place @param {LayerEntry} layer */
export function cellAt(place, layer) {
  return {
    row: clamp(Math.floor(place.row * layer.map_height), layer.map_height),
    column: clamp(Math.floor(place.column * layer.map_width), layer.map_width),
  };
}

/**
 * The middle of the cell that an arrow key goes on to, or of the central one where none was read yet; null for other keys.
 * @param {Place | null} place @param {string} key @param {LayerEntry} layer
 */
export function placeAfter(place, key, { map_height, map_width }) {
  const step = ARROW_STEPS[key];
  if (!step) return null;
  const row = place ? Math.floor(place.row * map_height) + step[0] : Math.floor(map_height / 2);
  const column = place ? Math.floor(place.column * map_width) + step[1] : Math.floor(map_width / 2);
  return { row: (clamp(row, map_height) + 0.5) / map_height, column: (clamp(column, map_width) + 0.5) / map_width };
}

/** A map in words. @param {{high: Peak, low: Peak}} peaks @param {MethodEntry} method @param {LayerEntry} layer @param {boolean} signed */
export function mapInWords({ high, low }, method, layer, signed) {
  const [most, least] = method.knows_class ? ["Strongest for", "Strongest against"] : ["Largest", "Smallest"];
  let words = high.value > 0 ? `${most}: row ${high.row}, column ${high.column}, ${formatNumber(high.value, true)}. ` : "No cell speaks for this class. ";
  if (signed && low.value < 0) words += `${least}: row ${low.row}, column ${low.column}, ${formatNumber(low.value)}. `;
  return `${words}The map has ${layer.map_height} rows and ${layer.map_width} columns.`;
}
