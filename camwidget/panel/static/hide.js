/** Hide parts of the picture: rectangles that are drawn on it, and what the network says without them. */

import { barsEnd } from "./classes.js";
import { bringIntoSight, element, focusedIn } from "./elements.js";
import { formatAnswer, formatNumber } from "./format.js";
import { rowOf } from "./keys.js";
import { labelled, optionsOf } from "./look.js";
import { clamp } from "./maps.js";
import { KEY_STEP, stepOfArrow } from "./marks.js";
import { choose } from "./model.js";
import { SLIDER_STEPS } from "./slider.js";

/** @typedef {import("./tools.js").HiddenEntry} HiddenEntry */
/** @typedef {import("./types.js").LayerEntry} LayerEntry */
/** @typedef {import("./types.js").PictureTraits} PictureTraits */
/** @typedef {import("./tools.js").Region} Region */
/** @typedef {import("./tools.js").Seen} Seen */
/** @typedef {import("./cells.js").Place} Place */
/** @typedef {import("./kernel.js").Kernel} Kernel */
/** @typedef {import("./marks.js").Marks} Marks */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

/** @type {Region} */
const FIRST = [2 / 7, 2 / 7, 4 / 7, 4 / 7]; // what a key draws
const SMALLEST = 0.02; // of the picture; a click draws nothing
const POINTS = 8; // in a row of a cell, at which it is asked whether it is hidden

/** How much of each cell lies in one of the regions, from 0 to 1. @param {Region[]} regions @param {LayerEntry} layer */
export function coverage(regions, { map_height, map_width }) {
  const covered = new Float32Array(map_height * map_width);
  const points = Math.max(1, Math.ceil(POINTS * 7 / Math.max(map_height, map_width)));
  const inside = (/** @type {number} */ y, /** @type {number} */ x) => regions.some(([top, left, bottom, right]) => y >= top && y < bottom && x >= left && x < right);
  for (let i = 0; i < covered.length; i++) {
    let count = 0;
    for (let p = 0; p < points * points; p++) {
      const y = (Math.floor(i / map_width) + (Math.floor(p / points) + 0.5) / points) / map_height;
      const x = ((i % map_width) + ((p % points) + 0.5) / points) / map_width;
      if (inside(y, x)) count += 1;
    }
    covered[i] = count / (points * points);
  }
  return covered;
}

/** The share of the picture that is hidden, and the share of the evidence for the class that lies there. @param {Float32Array} map @param {Float32Array} covered */
export function sharesOf(map, covered) {
  let [hidden, held, all] = [0, 0, 0];
  for (let i = 0; i < map.length; i++) {
    hidden += covered[i];
    held += covered[i] * Math.max(0, map[i]);
    all += Math.max(0, map[i]);
  }
  return { area: hidden / map.length, evidence: all > 0 ? held / all : null };
}

/** A region after an arrow key: moved, or with another size; it stays inside of the picture. @param {Region} region @param {string} key @param {boolean} sizes @returns {Region} */
export function regionAfter([top, left, bottom, right], key, sizes) {
  const step = stepOfArrow(key);
  if (sizes) return [top, left, Math.min(1, Math.max(top + KEY_STEP, bottom + step[0])), Math.min(1, Math.max(left + KEY_STEP, right + step[1]))];
  const down = Math.max(-top, Math.min(1 - bottom, step[0]));
  const across = Math.max(-left, Math.min(1 - right, step[1]));
  return [top + down, left + across, bottom + down, right + across];
}

export class Hide {
  /** @param {Model<PictureTraits>} model @param {Kernel} kernel @param {Marks} marks @param {HTMLElement} side */
  constructor(model, kernel, marks, side) {
    this.model = model;
    this.kernel = kernel;
    this.marks = marks;
    /** @type {Place | null} */
    this.from = null;
    /** @type {Region | null} */
    this.drawn = null;
    /** @type {Seen | null} */
    this.seen = null;
    /** @type {{classes: unknown, answer: unknown} | null} */
    this.listed = null; // what the rows say
    this.marked = -1; // which of them is shown
    this.rows = element("div", "camw-hide-rows");
    this.rows.addEventListener("keydown", (event) => this.onRowKey(event));
    this.big = element("div", "camw-hide-big");
    this.words = element("p", "camw-cell-share");
    this.words.setAttribute("aria-live", "polite");
    this.way = element("select", "");
    this.way.append(...optionsOf(["blur", "grey", "fill"]));
    this.way.addEventListener("change", () => choose(model, "fill_index", Number(this.way.value)));
    this.clear = element("button", "camw-button", "Clear");
    this.clear.addEventListener("click", () => this.put([]));
    const line = element("div", "camw-hide-line");
    line.append(labelled("Hide by", this.way), this.clear);
    this.box = element("section", "camw-section camw-hide");
    this.box.append(this.rows, this.big, this.words, line);
    side.append(this.box);
    kernel.follow(() => { this.way.disabled = !kernel.free; if (this.seen) this.paint(this.seen); });
  }

  get regions() {
    return this.model.get("regions") ?? [];
  }

  /** Hide these parts. @param {Region[]} regions */
  put(regions) {
    if (!this.kernel.free) return;
    const rounded = regions.map((each) => /** @type {Region} */ (each.map((value) => Math.round(1e4 * value) / 1e4)));
    this.model.set("regions", rounded);
    this.model.save_changes();
  }

  /** @param {Place} place @param {PointerEvent} event */
  point(place, event) {
    const inside = (/** @type {number} */ value) => Math.max(0, Math.min(1, value));
    const at = { row: inside(place.row), column: inside(place.column) };
    if (event.type === "pointerdown") {
      this.from = at;
      const end = () => {
        const { drawn } = this;
        this.from = this.drawn = null;
        if (drawn && drawn[2] - drawn[0] > SMALLEST && drawn[3] - drawn[1] > SMALLEST) this.put([...this.regions, drawn]);
        else if (this.seen) this.paint(this.seen);
      };
      window.addEventListener("pointerup", end, { once: true });
    }
    if (!this.from || !(event.buttons & 1)) return;
    const { from } = this;
    this.drawn = [Math.min(from.row, at.row), Math.min(from.column, at.column), Math.max(from.row, at.row), Math.max(from.column, at.column)];
    if (this.seen) this.paintMarks();
  }

  leave() {}

  /** @param {KeyboardEvent} event */
  key(event) {
    const row = rowOf("hide", event);
    if (!row) return false;
    const { regions } = this;
    const last = regions[regions.length - 1];
    if (row === "clear") this.put([]);
    else if (row === "drop") this.put(regions.slice(0, -1));
    else this.put([...regions.slice(0, -1), last ? regionAfter(last, event.key, row === "size") : FIRST]);
    return true;
  }

  /** The rows are one stop, as the class slider is elsewhere. @param {KeyboardEvent} event */
  onRowKey(event) {
    const row = rowOf("class", event);
    if (!row) return;
    event.preventDefault();
    event.stopPropagation(); // the notebook would go to another cell
    choose(this.model, "class_index", clamp(this.model.get("class_index") + SLIDER_STEPS.class[row], this.rows.children.length - 1));
  }

  paintMarks() {
    const { marks, regions, drawn } = this;
    marks.clear();
    const { example = [] } = this.answer ?? {};
    const box = (/** @type {Region} */ [top, left, bottom, right]) => ({ top, left, height: bottom - top, width: right - left });
    for (const each of [...regions, ...(drawn ? [drawn] : [])]) marks.veil(box(each), this.model.get("fill_index") === 0);
    for (const each of drawn ? [] : example) marks.rectangle(box(each), { "stroke-dasharray": "6 4", "stroke-width": "1.5" });
  }

  /** What the kernel said of what is hidden now; null before it has. */
  get answer() {
    const hidden = this.model.get("hidden");
    const now = JSON.stringify([this.regions, this.model.get("fill_index")]);
    return hidden.regions && JSON.stringify([hidden.regions, hidden.way]) === now ? hidden : null;
  }

  /** @param {Seen} seen */
  paint(seen) {
    this.seen = seen;
    this.way.value = String(this.model.get("fill_index"));
    this.clear.disabled = !this.regions.length;
    this.paintMarks();
    this.list(seen);
    this.tell(seen);
  }

  /** @param {Seen} seen */
  list({ maps }) {
    const { answer } = this;
    const { target } = maps.at();
    const { classes } = maps.manifest;
    if (this.listed?.classes === classes && this.listed.answer === answer) return this.mark(target, focusedIn(this.rows) !== null); // another layer says nothing else
    this.listed = { classes, answer };
    const said = classes.map((each) => answer?.classes[String(each.index)] ?? null);
    const probabilities = classes.flatMap((each, i) => (each.probability === null ? [] : [each.probability, said[i]?.value ?? 0, said[i]?.other_value ?? 0]));
    const end = barsEnd(probabilities);
    const head = element("div", "camw-hide-row camw-hide-head");
    head.append(element("span", ""), element("span", "", probabilities.length ? `bars to ${Number((100 * end).toPrecision(2))} %` : ""), element("span", "", answer ? "whole \u2192 hidden" : "whole"), element("span", "", answer?.places ? "\u25cb elsewhere" : ""));
    const focused = focusedIn(this.rows) !== null; // on a row that is about to go
    this.rows.replaceChildren(head, ...classes.map((each, i) => {
      const row = element("button", "camw-hide-row");
      row.addEventListener("click", () => choose(this.model, "class_index", i));
      const told = (/** @type {number | null | undefined} */ value) => (value === null || value === undefined ? "" : formatAnswer({ probability: each.probability === null ? null : value, value }));
      const bar = element("span", each.probability === null ? "" : "camw-bar");
      const now = said[i];
      if (each.probability !== null) {
        const part = (/** @type {string} */ name, /** @type {number} */ value) => { const made = element("span", name); made.style.width = `${(100 * value) / end}%`; return made; };
        bar.append(part("camw-was", each.probability), ...(now ? [part("camw-fill", now.value)] : []));
        if (now && now.other_value !== null) { const ring = element("span", "camw-ring"); ring.style.left = `${(100 * now.other_value) / end}%`; bar.append(ring); }
      }
      row.append(element("bdi", "camw-name", each.name), bar, element("span", "camw-percent", now ? `${told(each.value)} \u2192 ${told(now.value)}` : told(each.value)), element("span", "camw-percent", told(now?.other_value)));
      return row;
    }));
    this.marked = -1;
    this.mark(target, focused);
  }

  /** Mark the row of the class that is shown. @param {number} target @param {boolean} [focused]  whether it gets the focus */
  mark(target, focused = false) {
    if (target === this.marked) return;
    this.marked = target;
    const rows = /** @type {HTMLElement[]} */ ([...this.rows.children].slice(1));
    for (const [i, row] of rows.entries()) {
      row.setAttribute("aria-pressed", String(i === target));
      row.tabIndex = i === target ? 0 : -1;
    }
    const row = rows[target];
    if (focused) row?.focus();
    if (row) bringIntoSight(row, this.rows);
  }

  /** @param {Seen} seen */
  tell({ maps, map, shown }) {
    const { answer, regions } = this;
    const { target, method } = maps.at();
    const shownClass = maps.manifest.classes[target];
    if (!regions.length) {
      this.big.textContent = this.kernel.live ? "What if a part is hidden? Draw a rectangle on the picture, or press an arrow key on it." : "Hiding a part needs a kernel.";
      this.words.textContent = "";
      return;
    }
    const { area, evidence } = sharesOf(map ?? new Float32Array(shown.map_height * shown.map_width), coverage(regions, shown));
    const about = maps.manifest.methods[method].knows_class ? `the evidence for ${shownClass.name}` : "what the map shows above zero";
    this.big.textContent = map && evidence !== null ? `${Math.round(100 * area)} % of the picture holds ${Math.round(100 * evidence)} % of ${about}.` : `${Math.round(100 * area)} % of the picture is hidden.`;
    const now = answer?.classes[String(shownClass.index)];
    if (!answer || !now) {
      this.words.textContent = this.kernel.free ? "Asking the network \u2026" : `${this.kernel.words}.`;
      return;
    }
    const output = shownClass.probability === null ? "output" : "logit";
    const other = now.other_logit === null ? "There is no room for as much elsewhere." : `As much hidden elsewhere moves it by ${formatNumber(now.other_logit - shownClass.logit, true)}${answer.places > 1 ? ` (mean of ${answer.places} places)` : ""}.`;
    this.words.textContent = `Hiding moves the ${output} by ${formatNumber(now.logit - shownClass.logit, true)}. ${other}`;
  }
}
