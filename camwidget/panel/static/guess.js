/** Guess first, then see: a mark where one thinks that the network looks, and how far that was from where it does. */

import { cellAt } from "./cells.js";
import { element } from "./elements.js";
import { rowOf } from "./keys.js";
import { extremes } from "./maps.js";
import { stepOfArrow } from "./marks.js";
import { choose } from "./model.js";

/** @typedef {import("./types.js").LayerEntry} LayerEntry */
/** @typedef {import("./types.js").PictureTraits} PictureTraits */
/** @typedef {import("./tools.js").Seen} Seen */
/** @typedef {import("./cells.js").Place} Place */
/** @typedef {import("./marks.js").Marks} Marks */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

/** The middle of a cell. @param {{row: number, column: number}} cell  counted from 0 @param {LayerEntry} layer @returns {Place} */
export const middleOf = ({ row, column }, { map_height, map_width }) => ({ row: (row + 0.5) / map_height, column: (column + 0.5) / map_width });

/**
 * How far a guess is from the middle of the strongest cell, in cells and in pixels; how far a blind click is on average;
 * and how many cells are stronger than the one that was guessed. Null where all cells are alike.
 * @param {Place} guess @param {Float32Array} map @param {LayerEntry} layer @param {{width: number, height: number}} picture
 */
export function distanceOf(guess, map, layer, picture) {
  const { high, low } = extremes(map, layer.map_width);
  if (high.value === low.value) return null;
  const strongest = { row: high.row - 1, column: high.column - 1 };
  const to = middleOf(strongest, layer);
  const apart = (/** @type {Place} */ from, /** @type {number} */ height, /** @type {number} */ width) => Math.hypot((from.row - to.row) * height, (from.column - to.column) * width);
  const cells = (/** @type {Place} */ from) => apart(from, layer.map_height, layer.map_width);
  let blind = 0;
  for (let row = 0; row < layer.map_height; row++) for (let column = 0; column < layer.map_width; column++) blind += cells(middleOf({ row, column }, layer));
  const { row, column } = cellAt(guess, layer);
  const own = map[row * layer.map_width + column];
  const rank = 1 + map.reduce((count, each) => count + (each > own ? 1 : 0), 0);
  return { strongest, to, cells: cells(guess), pixels: apart(guess, picture.height, picture.width), blind: blind / map.length, rank, hit: row === strongest.row && column === strongest.column };
}

/** @param {Model<PictureTraits>} model @returns {Place | null} */
export function guessOf(model) {
  const [row, column] = model.get("guess") ?? [];
  return row === undefined || column === undefined ? null : { row, column };
}

/** "Where does Grad-CAM look for class cat, at layer 0.8?" @param {import("./maps.js").Maps<import("./types.js").PictureManifest>} maps */
export function secretHeadline(maps) {
  const { layer, target, method } = maps.at();
  const { layers, classes, methods } = maps.manifest;
  const name = element("bdi", "");
  name.append(element("strong", "", classes[target].name));
  const about = methods[method].knows_class ? [" look for ", name] : [" look"];
  return ["Where does ", element("strong", "", methods[method].label), ...about, ", at layer ", element("strong", "", layers[layer].name), "?"];
}

export class Guess {
  /** @param {Model<PictureTraits>} model @param {Marks} marks @param {HTMLElement} side  where the words go */
  constructor(model, marks, side) {
    this.model = model;
    this.marks = marks;
    this.big = element("div", "camw-big");
    this.words = element("p", "camw-guess-words");
    this.words.setAttribute("aria-live", "polite");
    this.button = element("button", "camw-button", "Show where it looks");
    this.button.addEventListener("click", () => this.go());
    this.box = element("section", "camw-section camw-guess");
    this.box.append(this.big, this.words, this.button);
    side.append(this.box);
  }

  get revealed() {
    return Boolean(this.model.get("revealed"));
  }

  /** Show the answer, or begin again. */
  go() {
    if (!this.revealed && !guessOf(this.model)) return;
    if (this.revealed) {
      this.model.set("guess", []);
      this.model.save_changes();
    }
    choose(this.model, "revealed", this.revealed ? 0 : 1);
  }

  /** @param {Place} place @param {PointerEvent} event */
  point(place, event) {
    if (this.revealed || !(event.buttons & 1)) return;
    this.mark(place);
  }

  leave() {}

  /** @param {Place} place */
  mark({ row, column }) {
    const inside = (/** @type {number} */ value) => Math.round(1000 * Math.max(0, Math.min(1, value))) / 1000;
    this.model.set("guess", [inside(row), inside(column)]);
    this.model.save_changes();
  }

  /** @param {KeyboardEvent} event @returns {boolean}  whether it was meant for this */
  key(event) {
    const row = rowOf("guess", event);
    if (row === "show") this.go();
    if (row !== "move" || this.revealed) return row !== null;
    const [from, [down, across]] = [guessOf(this.model), stepOfArrow(event.key)];
    this.mark(from ? { row: from.row + down, column: from.column + across } : { row: 0.5, column: 0.5 });
    return true;
  }

  /** @param {Seen} seen */
  paint({ shown, entry, map, picture }) {
    const guess = guessOf(this.model);
    this.button.textContent = this.revealed ? "Guess again" : "Show where it looks";
    this.button.disabled = !guess && !this.revealed;
    this.marks.clear();
    const told = guess && map && distanceOf(guess, map, shown, picture);
    if (this.revealed && told) this.tell(told, shown);
    else {
      this.big.textContent = "";
      this.words.textContent = entry.reason && this.revealed ? "" // the reason stands beside it
        : this.revealed ? "All cells of this map are alike, so it looks nowhere more than elsewhere."
        : guess ? "The mark can still be moved. Nothing of the answer is drawn until you ask for it."
        : "Where does it look? Click the place that you think speaks most for this class, or use the arrow keys on the picture. Nothing of the answer is drawn until you ask for it.";
    }
    if (this.revealed && told) {
      const { map_height, map_width } = shown;
      this.marks.rectangle({ top: told.strongest.row / map_height, left: told.strongest.column / map_width, height: 1 / map_height, width: 1 / map_width });
      this.marks.line(/** @type {Place} */ (guess), told.to);
    }
    if (guess) this.marks.ring(guess);
  }

  /** @param {NonNullable<ReturnType<typeof distanceOf>>} told @param {LayerEntry} layer */
  tell({ cells, pixels, blind, rank, hit }, { map_height, map_width }) {
    this.big.textContent = hit ? "You hit the strongest cell" : `${cells.toFixed(1)} ${cells.toFixed(1) === "1.0" ? "cell" : "cells"} away`;
    const far = hit ? "" : `${Math.round(pixels)} pixels from the middle of the strongest cell. `;
    this.words.textContent = `${far}A blind click is ${blind.toFixed(1)} cells off on average. Your cell ranks ${rank} of ${map_height * map_width}.`;
  }
}
