/** Two maps and their difference: which two, on which scale, and what the difference adds up to. Numbers and words only. */

import { formatNumber, formatTogether } from "./format.js";
import { clamp, extremes } from "./maps.js";
import { spread } from "./paint.js";

/** @typedef {import("./types.js").Manifest} Manifest */
/** @typedef {import("./types.js").PictureManifest} PictureManifest */
/** @typedef {import("./types.js").LayerEntry} LayerEntry */
/** @typedef {import("./types.js").MapEntry} MapEntry */
/** @typedef {import("./types.js").PictureTraits} PictureTraits */
/** @typedef {import("./maps.js").Maps<PictureManifest>} Maps */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */
/** @typedef {{manifest: Manifest, layer: number, target: number, method: number, second: boolean}} Side */
/** @typedef {Side & {entry: MapEntry, shown: LayerEntry, map: Float32Array | null, unit: number}} Half  a side with its map; `unit` is what one is painted as */
/** @typedef {{kind: typeof KINDS[number], halves: [Half, Half], difference: Float32Array | null, grid: LayerEntry, scales: number[], signed: boolean, raw: boolean}} Pair */

/** In the order of `compare.py`. */
export const KINDS = /** @type {const} */ (["class", "method", "layer", "picture"]);

const LINEAR = ["cam", "grad_cam", "hires_cam", "xgrad_cam"]; // the map of a difference of logits is the difference of the maps
const SAME = 1e-3; // of the scale: less is on no screen

/** The index of the second class, method or layer: as chosen, or the one that is most likely to be of interest. @param {Maps} maps @param {"class" | "method" | "layer"} kind @param {number} chosen  counted from 1; 0 if nobody chose */
export function secondOf(maps, kind, chosen) {
  const { layer, target, method } = maps.at();
  const { layers, classes, methods, maps: entries } = maps.manifest;
  if (kind === "layer") return chosen ? clamp(chosen - 1, layers.length) : layer > 0 ? layer - 1 : clamp(1, layers.length);
  if (kind === "method") {
    if (chosen) return clamp(chosen - 1, methods.length);
    const others = methods.map((_, i) => i).filter((i) => i !== method);
    return others.find((i) => !entries[i][target][layer].reason) ?? others[0] ?? method;
  }
  if (chosen) return clamp(chosen - 1, classes.length);
  return classes.reduce((best, each, i) => (i !== target && (best === target || each.value > classes[best].value) ? i : best), target);
}

/** What is compared: as chosen, or what there are two of. @param {Maps} maps @param {Model<PictureTraits>} model */
export function kindOf({ manifest }, model) {
  const kind = KINDS[model.get("compare_index")] ?? "class";
  if (kind === "picture" && manifest.other) return kind;
  const wanted = kind === "picture" ? "class" : kind;
  if (wanted !== "class" || manifest.classes.length > 1 || model.get("live")) return wanted; // where a kernel runs, another class can be added
  return manifest.layers.length > 1 ? "layer" : manifest.methods.length > 1 ? "method" : wanted;
}

/** The two sides: first what is shown anyway, then the other; turned round if that was asked for. @param {Maps} maps @param {Model<PictureTraits>} model @returns {[Side, Side]} */
function sidesOf(maps, model) {
  const kind = kindOf(maps, model);
  const first = { manifest: maps.manifest, ...maps.at(), second: false };
  const second = { ...first, second: true };
  if (kind === "picture") second.manifest = maps.manifest.other ?? maps.manifest;
  if (kind === "class") second.target = secondOf(maps, kind, model.get("other_class_index"));
  if (kind === "method") second.method = secondOf(maps, kind, model.get("other_method_index"));
  if (kind === "layer") second.layer = secondOf(maps, kind, model.get("other_layer_index"));
  return model.get("turned") ? [second, first] : [first, second];
}

/** A map on the cells of another one. @param {Float32Array} map @param {LayerEntry} from @param {LayerEntry} to */
function onCellsOf(map, from, to) {
  if (from.map_height === to.map_height && from.map_width === to.map_width) return map;
  return spread(map, from.map_height, from.map_width, to.map_height, to.map_width, true);
}

/**
 * Two maps and their difference, on one scale unless each was asked to have its own: a difference that is small would
 * shout. Classes and pictures keep their numbers. Methods and layers have different
 * units, so each of their maps is taken in shares of its own strongest cell.
 * @param {Maps} maps @param {Model<PictureTraits>} model @param {number} [layer]  another than the one that is shown @returns {Pair}
 */
export function pairOf(maps, model, layer) {
  const kind = kindOf(maps, model);
  const signed = !model.get("only_for");
  const raw = kind === "class" || kind === "picture";
  const strongest = (/** @type {Float32Array} */ map) => {
    const { high, low } = extremes(map, 1);
    return Math.max(0, high.value, signed ? -low.value : 0);
  };
  const halves = /** @type {[Half, Half]} */ (sidesOf(maps, model).map((side) => {
    const at = layer === undefined ? side : { ...side, layer };
    const entry = at.manifest.maps[at.method][at.target][at.layer];
    const shown = at.manifest.layers[at.layer];
    const own = entry.reason ? null : maps.mapOf(entry, shown).map;
    const unit = raw || !own ? 1 : strongest(own) || 1;
    const map = own && (raw && signed ? own : own.map((value) => Math.max(signed ? -Infinity : 0, value) / unit));
    return { ...at, entry, shown, map, unit };
  }));
  const [a, b] = halves;
  const grid = a.shown.map_height * a.shown.map_width >= b.shown.map_height * b.shown.map_width ? a.shown : b.shown;
  let difference = null;
  if (a.map && b.map) {
    const taken = onCellsOf(b.map, b.shown, grid);
    difference = onCellsOf(a.map, a.shown, grid).map((value, i) => value - taken[i]);
  }
  const most = difference ? extremes(difference, 1) : { high: { value: 0 }, low: { value: 0 } };
  const own = [...[a.map, b.map].map((each) => (each ? strongest(each) : 0)), Math.max(most.high.value, -most.low.value)];
  const shared = Math.max(...own);
  const scales = model.get("own_scale") ? own : own.map(() => shared);
  return { kind, halves, difference, grid, scales, signed, raw };
}

/** What one side is called. @param {Pair["kind"]} kind @param {Side} side */
export function nameOf(kind, { manifest, layer, target, method, second }) {
  if (kind === "class") return manifest.classes[target].name;
  if (kind === "method") return manifest.methods[method].label;
  return kind === "layer" ? `layer ${manifest.layers[layer].name}` : `the ${second ? "second" : "first"} picture`;
}

/** The difference in a line: "why cat and not dog". @param {Pair} pair */
export function differenceTitle({ kind, halves: [a, b] }) {
  const [first, second] = [nameOf(kind, a), nameOf(kind, b)];
  return kind === "class" ? `why ${first} and not ${second}` : `${first} minus ${second}`;
}

/** How much more of a class the network says on the one side: in logits, and as a ratio. @param {Pair} pair */
export function moreWords({ kind, halves: [a, b] }) {
  if (kind !== "class" && kind !== "picture") return "";
  const [one, two] = [a, b].map(({ manifest, target }) => manifest.classes[target]);
  const words = `${formatNumber(one.logit - two.logit, true)} of ${one.probability === null ? "output" : "logit"}`;
  if (one.probability === null || two.probability === null || !(two.probability > 0) || !(one.probability > 0)) return words;
  const times = one.probability / two.probability;
  const [low, high] = [0.001, 1000];
  const told = times > high ? "over 1,000 times as" : times < low ? "less than a thousandth as" : Math.abs(times - 1) < 0.05 ? "about as" : `${formatNumber(times)} times as`;
  return `${words}: ${told} likely`;
}

/** Whether the difference is a sum, and of what; and why it is none. @param {Pair} pair */
export function differenceSum({ kind, halves: [a, b], difference, scales, signed, raw }) {
  const method = a.manifest.methods[a.method];
  if (!difference) return "";
  if (!raw) return notRaw(kind, a, b, difference, Math.max(...scales));
  if (!method.knows_class) return `${method.label}: the sign of its values says nothing of a class, and neither does that of their difference.`;
  if (!signed) return "Only evidence for is shown, so the difference adds up to nothing. With evidence against as well it may.";
  const [one, two] = [a, b].map(({ entry }) => entry);
  const logit = (/** @type {Half} */ { manifest, target }) => manifest.classes[target].logit;
  if (one.contributions !== null && two.contributions !== null && one.bias !== null && two.bias !== null) {
    const [sum, bias, whole] = formatTogether([one.contributions - two.contributions, one.bias - two.bias, logit(a) - logit(b)]);
    const way = method.key === "cam" ? "The mean of the difference is" : "The cells of the difference add up to";
    return `${way} ${sum}. With ${bias} from the ${method.key === "hires_cam" ? "effective biases" : "biases"} that is ${whole}, the difference of the ${a.manifest.classes[a.target].probability === null ? "outputs" : "logits"}.`;
  }
  if (kind === "class" && LINEAR.includes(method.key)) return "It is the map of the difference of the logits, but at this layer such maps do not add up to one.";
  return kind === "picture" && LINEAR.includes(method.key) ? "At this layer the maps do not add up to the logits, and the difference does not either." : `The cells of ${method.label} do not add up to a logit, so their difference does not add up to one either.`;
}

/** @param {Pair["kind"]} kind @param {Half} a @param {Half} b @param {Float32Array} difference @param {number} scale */
function notRaw(kind, a, b, difference, scale) {
  const { high, low } = extremes(difference, 1);
  if (Math.max(high.value, -low.value) < SAME * scale) {
    const [small, large] = a.unit < b.unit ? [a, b] : [b, a];
    const factor = large.unit / small.unit;
    return factor < 1 + SAME ? "The two are the same map." : `The two are the same map, but for a factor: ${nameOf(kind, large)} is ${formatNumber(factor)} times ${nameOf(kind, small)}.`;
  }
  return `Each map is shown in shares of its strongest cell, since ${kind === "layer" ? "layers" : "methods"} measure in different units. The difference adds up to nothing.`;
}
