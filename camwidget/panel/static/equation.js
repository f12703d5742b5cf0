/** Two maps compared: a subtraction written with pictures, or one picture over the other with an edge that can be moved. */

import { differenceSum, differenceTitle, moreWords, nameOf, pairOf } from "./compare.js";
import { element } from "./elements.js";
import { formatAnswer, formatNumber } from "./format.js";
import { keepPlainKey } from "./keys.js";
import { Legend } from "./legend.js";
import { optionsOf } from "./look.js";
import { choose } from "./model.js";
import { PairChoices } from "./pair_choices.js";
import { spreadOver } from "./pixels.js";
import { Search } from "./search.js";
import { Sheet } from "./sheet.js";

/** @typedef {import("./types.js").PictureTraits} PictureTraits */
/** @typedef {import("./compare.js").Half} Half */
/** @typedef {import("./compare.js").Maps} Maps */
/** @typedef {import("./compare.js").Pair} Pair */
/** @typedef {import("./kernel.js").Kernel} Kernel */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

/** The trait that says which one is shown, and the one that says which is beside it, counted from 1. */
const TRAITS = /** @type {const} */ ({
  class: ["class_index", "other_class_index"], method: ["method_index", "other_method_index"], layer: ["layer_index", "other_layer_index"],
});

/** One of the pictures with what stands below it. @param {boolean} difference */
function makeFigure(difference) {
  const figure = element("div", difference ? "camw-figure camw-difference" : "camw-figure");
  const frame = element("div", "camw-figure-frame");
  const sheet = new Sheet();
  frame.append(sheet.box);
  const caption = element("div", "camw-caption");
  const select = element("select", "camw-pick");
  const title = element("p", "camw-figure-title");
  const words = element("p", "camw-figure-words");
  caption.append(...(difference ? [] : [select]), title, words);
  figure.append(frame, caption);
  return { figure, frame, sheet, caption, select, title, words };
}

/** "Grad-CAM for class cat and not dog, at layer 0.8" @param {Maps} maps @param {Pair} pair */
export function pairHeadline(maps, { kind, halves: [a, b] }) {
  const strong = (/** @type {string} */ text) => element("strong", "", text);
  const name = (/** @type {Half} */ { manifest, target }) => {
    const made = element("bdi", "");
    made.append(strong(manifest.classes[target].name));
    return made;
  };
  const both = (/** @type {string} */ one, /** @type {string} */ two) => [strong(one), " and ", strong(two)];
  const method = (/** @type {Half} */ half) => half.manifest.methods[half.method].label;
  const layer = (/** @type {Half} */ half) => half.shown.name;
  const start = kind === "method" ? both(method(a), method(b)) : [strong(method(a))];
  const about = kind === "class" ? [" for ", name(a), " and not ", name(b)] : [" for ", name(a)];
  const place = kind === "layer" ? [", at layers ", ...both(layer(a), layer(b))] : [", at layer ", strong(layer(a))];
  return [...start, ...about, ...place, ...(kind === "picture" ? [", of two pictures"] : [])];
}

export class Equation {
  /** @param {Model<PictureTraits>} model @param {Kernel} kernel @param {HTMLElement} box  where the pictures go @param {HTMLElement} settings  where the choices go, first of all */
  constructor(model, kernel, box, settings) {
    this.model = model;
    this.kernel = kernel;
    /** @type {Pair["kind"]} */
    this.kind = "class"; // what is compared, as painted last
    this.figures = [makeFigure(false), makeFigure(false), makeFigure(true)];
    const [first, second, difference] = this.figures;
    for (const [side, { select, caption }] of [first, second].entries()) {
      select.addEventListener("change", () => this.pick(side, Number(select.value)));
      caption.addEventListener("keydown", keepPlainKey);
    }
    this.search = new Search(kernel, (index) => this.add(index), "or another");
    second.caption.append(this.search.box);
    this.edge = element("div", "camw-edge");
    second.frame.append(this.edge);
    this.legend = new Legend();
    this.sum = element("p", "camw-pair-sum");
    const key = element("div", "camw-pair-key");
    key.append(this.legend.strip, this.legend.ticks);
    this.choices = new PairChoices(model, kernel);
    const op = (/** @type {string} */ sign) => {
      const made = element("div", "camw-op", sign);
      made.setAttribute("aria-hidden", "true");
      return made;
    };
    settings.prepend(this.choices.box);
    this.box = box;
    this.box.append(first.figure, op("\u2212"), second.figure, op("="), difference.figure, key, this.sum);
    this.followPointer(first.frame, second.frame);
    this.made = ""; // of which pictures the grounds are
  }

  /** The edge goes where the picture is touched. @param {HTMLElement[]} frames */
  followPointer(...frames) {
    for (const frame of frames) {
      const move = (/** @type {PointerEvent} */ event) => {
        if (!this.model.get("as_swipe") || !(event.buttons & 1)) return;
        const box = frame.getBoundingClientRect();
        choose(this.model, "swipe", Math.round(100 * Math.max(0, Math.min(1, (event.clientX - box.left) / box.width))) / 100);
      };
      frame.addEventListener("pointerdown", (event) => { if (this.model.get("as_swipe")) frame.setPointerCapture(event.pointerId); move(event); });
      frame.addEventListener("pointermove", move);
    }
  }

  /** The first or the second of the two was chosen anew. @param {number} side @param {number} i */
  pick(side, i) {
    const { kind } = this;
    if (kind === "picture") return;
    const [shown, other] = TRAITS[kind];
    if ((side === 0) !== Boolean(this.model.get("turned"))) choose(this.model, shown, i);
    else choose(this.model, other, i + 1);
  }

  /** @param {number} index */
  add(index) {
    const manifest = this.model.get("manifest");
    const place = manifest.layers ? manifest.classes.findIndex((each) => each.index === index) : -1;
    if (place >= 0) choose(this.model, this.model.get("turned") ? "class_index" : "other_class_index", place + (this.model.get("turned") ? 0 : 1));
    else if (this.kernel.free) this.kernel.ask(this.model.get("turned") ? { do: "add", index, at: "" } : { do: "add other", index, at: "" });
    return place >= 0 || this.kernel.free;
  }

  /** What there is to choose from. @param {Maps} maps */
  list({ manifest }) {
    this.choices.list(manifest);
    const all = this.model.get("names");
    this.search.list(all, this.model.get("synonyms"));
    this.search.box.hidden = !this.kernel.live || all.length <= manifest.classes.length;
  }

  /** The grounds of the three pictures. @param {Sheet} first @param {Sheet} second */
  load(first, second) {
    const turned = Boolean(this.model.get("turned"));
    const [a, b, c] = this.figures.map((each) => each.sheet);
    a.copy(turned ? second : first);
    b.copy(turned ? first : second);
    c.copy(first);
  }

  /** @param {Maps} maps @param {Uint8Array} colormap @param {{first: Sheet, second: Sheet, version: number}} pictures */
  paint(maps, colormap, { first, second, version }) {
    const pair = pairOf(maps, this.model);
    const kind = pair.kind;
    const grounds = `${version} ${kind} ${this.model.get("turned")}`;
    if (grounds !== this.made) this.load(first, kind === "picture" ? second : first);
    this.made = grounds;
    const opacity = this.model.get("heatmap_opacity");
    const { halves: [a, b], scales, signed, difference, grid } = pair;
    const parts = [{ map: a.map, shown: a.shown, signed }, { map: b.map, shown: b.shown, signed }, { map: difference, shown: grid, signed: true }];
    for (const [i, { map, shown, signed: both }] of parts.entries()) {
      const { sheet } = this.figures[i];
      const values = map && spreadOver(this.model, map, shown, sheet.canvas);
      sheet.box.classList.toggle("camw-blocks", Boolean(this.model.get("cells")));
      sheet.paint(values, colormap, { scale: scales[i], opacity, signed: both });
    }
    this.describe(maps, pair, colormap);
    return pair;
  }

  /** @param {Maps} maps @param {Pair} pair @param {Uint8Array} colormap */
  describe(maps, pair, colormap) {
    const { kind, halves, scales } = pair;
    this.kind = kind;
    const swipes = Boolean(this.model.get("as_swipe"));
    this.box.classList.toggle("camw-swipes", swipes);
    this.box.style.setProperty("--camw-swipe", `${100 * this.model.get("swipe")}%`);
    for (const [side, half] of halves.entries()) this.describeHalf(side, kind, half, maps);
    const difference = this.figures[2];
    difference.title.textContent = differenceTitle(pair);
    difference.words.textContent = pair.difference ? moreWords(pair) : "Without one of the maps there is no difference.";
    difference.sheet.box.setAttribute("aria-label", `The difference: ${differenceTitle(pair)}`);
    this.sum.textContent = swipes ? "" : differenceSum(pair);
    const shares = pair.raw ? "" : " of the strongest cell";
    const [end] = scales;
    const ends = this.model.get("own_scale") ? ["against", "each on a scale of its own", "for"] : [`${formatNumber(-end)} against`, "0", `for ${formatNumber(end, true)}${shares}`];
    this.legend.paint(colormap, true, ends);
    this.choices.show(maps, kind);
  }

  /** @param {number} side @param {Pair["kind"]} kind @param {Half} half @param {Maps} maps */
  describeHalf(side, kind, half, { manifest }) {
    const { select, title, words, sheet } = this.figures[side];
    const name = nameOf(kind, half);
    select.hidden = kind === "picture";
    title.hidden = kind !== "picture";
    title.textContent = name;
    if (kind !== "picture") {
      const names = { class: manifest.classes.map((each) => each.name), method: manifest.methods.map((each) => each.label), layer: manifest.layers.map((each) => `layer ${each.name}`) }[kind];
      select.replaceChildren(...optionsOf(names));
      select.value = String({ class: half.target, method: half.method, layer: half.layer }[kind]);
      select.setAttribute("aria-label", `The ${side ? "second" : "first"} ${kind}`);
    }
    const said = half.manifest.classes[half.target];
    const answer = `${formatAnswer(said)}${said.probability === null ? "" : `, logit ${formatNumber(said.logit)}`}`;
    const cells = `${half.shown.map_height} \u00d7 ${half.shown.map_width} cells, full colour is ${formatNumber(half.unit)}`;
    words.textContent = half.entry.reason || (kind === "class" || kind === "picture" ? answer : cells);
    words.title = half.entry.reason;
    sheet.box.setAttribute("aria-label", `${name}: ${half.entry.reason || "the picture with its map"}`);
    this.search.box.classList.toggle("camw-away", kind !== "class");
  }

  /** The same in words. */
  words() {
    return `${this.figures[2].words.textContent} ${this.sum.textContent}`;
  }

  close() {
    this.search.close();
    for (const { sheet } of this.figures) sheet.pixels = null;
  }
}

