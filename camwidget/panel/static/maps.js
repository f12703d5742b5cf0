/** The maps that the kernel sent: numbers worked out of bytes, their scale, and their step in the colour table. */

/** @typedef {import("./types.js").Bytes} Bytes */
/** @typedef {import("./types.js").LayerEntry} LayerEntry */
/** @typedef {import("./types.js").Manifest} Manifest */
/** @typedef {import("./types.js").MapEntry} MapEntry */
/** @typedef {import("./types.js").MapTraits} MapTraits */
/** @typedef {import("./types.js").Peak} Peak */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

/** Buffers arrive as DataView, anywhere inside a larger buffer; a copy is aligned. @param {Bytes} view */
export const bytesOf = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);

/** The index nearest to a value, among so many. @param {number} value @param {number} count */
export const clamp = (value, count) => Math.max(0, Math.min(count - 1, value));

/** A manifest without maps. */
export const nothing = () => ({ layers: [], classes: [], methods: [], alone: false, maps: [], alt: "" });

/**
 * Where a map is strongest on each side, in rows and columns counted from 1.
 * @param {Float32Array} map @param {number} mapWidth @returns {{high: Peak, low: Peak}}
 */
export function extremes(map, mapWidth) {
  let high = 0;
  let low = 0;
  for (let i = 1; i < map.length; i++) {
    if (map[i] > map[high]) high = i;
    if (map[i] < map[low]) low = i;
  }
  const place = (/** @type {number} */ i) => ({ value: map[i], row: Math.floor(i / mapWidth) + 1, column: (i % mapWidth) + 1 });
  return { high: place(high), low: place(low) };
}

/** The step of the colour table for a value; 128 is zero. @param {number} value @param {number} scale @param {boolean} signed */
export function stepOf(value, scale, signed) {
  if (!(scale > 0)) return 128;
  return Math.floor(Math.max(signed ? -1 : 0, Math.min(1, value / scale)) * 128 + 0.5) + 128;
}

/**
 * The maps of one picture or one text, worked out of what the kernel sent when first asked for.
 * @template {Manifest} Sent
 */
export class Maps {
  /** @param {Model<MapTraits>} model @param {Sent} manifest */
  constructor(model, manifest) {
    this.model = model;
    this.manifest = manifest;
    this.numbers = new Int16Array(manifest.layers.length ? bytesOf(model.get("maps")) : new ArrayBuffer(0));
    /** @type {Map<number, {map: Float32Array, high: Peak, low: Peak}>} */
    this.decoded = new Map();
  }

  /** Which layer, class and method are shown. */
  at() {
    return {
      layer: clamp(this.model.get("layer_index"), this.manifest.layers.length),
      target: clamp(this.model.get("class_index"), this.manifest.classes.length),
      method: clamp(this.model.get("method_index"), this.manifest.methods.length),
    };
  }

  /** The numbers of one map and where they peak. @param {MapEntry} entry @param {LayerEntry} layer */
  mapOf(entry, layer) {
    const known = this.decoded.get(entry.offset);
    if (known) return known;
    const count = layer.map_height * layer.map_width;
    const map = new Float32Array(count);
    for (let i = 0; i < count; i++) map[i] = this.numbers[entry.offset + i] * entry.unit;
    const made = { map, ...extremes(map, layer.map_width) };
    this.decoded.set(entry.offset, made);
    return made;
  }

  /** The magnitude that gets full colour. @param {number} method @param {number} layerIndex @param {number} target */
  scaleOf(method, layerIndex, target) {
    const targets = !this.model.get("own_scale") ? this.manifest.classes.map((_, i) => i) : [target];
    let scale = 0;
    for (const each of targets) {
      const entry = this.manifest.maps[method][each][layerIndex];
      if (entry.reason) continue;
      const { high, low } = this.mapOf(entry, this.manifest.layers[layerIndex]);
      scale = Math.max(scale, high.value, !this.model.get("only_for") ? -low.value : 0);
    }
    return scale;
  }
}

/** What is shown now, for tests, benchmarks and a curious reader of the page. @param {Maps<Manifest>} maps */
export function paintedNow(maps) {
  const { layer, target, method } = maps.at();
  return `${maps.manifest.methods[method].key}/${maps.manifest.layers[layer].name}/${maps.manifest.classes[target].index}`;
}
