/** The value of every pixel, of a map or of the difference of two, and what it is coloured with. */

import { pairOf } from "./compare.js";
import { spread } from "./paint.js";

/** @typedef {import("./types.js").Model<import("./types.js").PictureTraits>} Model */
/** @typedef {import("./maps.js").Maps<import("./types.js").PictureManifest>} Maps */
/** @typedef {import("./types.js").MapEntry} MapEntry */
/** @typedef {{width: number, height: number}} Size */
/** @typedef {{entry: MapEntry, values: Float32Array | null, look: {scale: number, opacity: number, signed: boolean}}} Pixels  values: null where there is no map */

/** @param {Model} model @param {Float32Array} map @param {{map_height: number, map_width: number}} grid @param {Size} size */
export function spreadOver(model, map, { map_height, map_width }, { width, height }) {
  return spread(map, map_height, map_width, height, width, !model.get("cells"));
}

/** What a layer's map is at every pixel. @param {Maps} maps @param {Model} model @param {number} layer @param {Size} size @returns {Pixels} */
export function mapPixels(maps, model, layer, size) {
  const { method, target } = maps.at();
  const shown = maps.manifest.layers[layer];
  const entry = maps.manifest.maps[method][target][layer];
  const values = entry.reason ? null : spreadOver(model, maps.mapOf(entry, shown).map, shown, size);
  const scale = entry.reason ? 0 : maps.scaleOf(method, layer, target);
  return { entry, values, look: { scale, opacity: model.get("heatmap_opacity"), signed: !model.get("only_for") } };
}

/** What the difference of two maps is at every pixel, were this the layer. @param {Maps} maps @param {Model} model @param {number} layer @param {Size} size @returns {Pixels} */
export function differencePixels(maps, model, layer, size) {
  const { difference, grid, scales, halves } = pairOf(maps, model, layer);
  const { entry } = halves.find((half) => half.entry.reason) ?? halves[0];
  const values = difference && spreadOver(model, difference, grid, size);
  return { entry, values, look: { scale: scales[2], opacity: model.get("heatmap_opacity"), signed: true } };
}
