/** Reading one cell of a map: under the pointer, or as the arrow keys go; and looking into it, on a click or Enter. */

import { CellFacts, greyTable, isOf } from "./cell.js";
import { cellAt, placeAfter } from "./cells.js";
import { element } from "./elements.js";
import { shareOf } from "./facts.js";
import { middleOf } from "./guess.js";
import { rowOf } from "./keys.js";
import { bytesOf } from "./maps.js";

/** @typedef {import("./tools.js").Seen} Seen */
/** @typedef {import("./types.js").PictureTraits} PictureTraits */
/** @typedef {import("./cells.js").Place} Place */
/** @typedef {import("./facts.js").Facts} Facts */
/** @typedef {import("./kernel.js").Kernel} Kernel */
/** @typedef {import("./marks.js").Marks} Marks */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

export class Reader {
  /** @param {Model<PictureTraits>} model @param {Kernel} kernel @param {{facts: Facts, announcer: HTMLElement, root: HTMLElement, marks: Marks}} page @param {{moved: () => void, repaint: () => void}} on */
  constructor(model, kernel, { facts, announcer, root, marks }, { moved, repaint }) {
    this.model = model;
    this.kernel = kernel;
    this.facts = facts;
    this.announcer = announcer;
    this.root = root;
    this.marks = marks;
    this.moved = moved;
    this.repaint = repaint;
    this.marker = element("div", "camw-marker");
    this.marker.hidden = true;
    /** @type {Place | null} */
    this.probe = null;
    /** @type {Seen | null} */
    this.seen = null;
    this.channel = -1; // which of the strongest is shown large
    /** @type {Float32Array[]} */
    this.channels = [];
    this.inside = new CellFacts(facts.side, { closed: () => this.look(null), channel: (i) => { this.channel = this.channel === i ? -1 : i; this.repaint(); } });
    kernel.follow(() => this.seen && this.moved());
  }

  /** The place that is looked into. @returns {Place | null} */
  get place() {
    const [row, column] = this.model.get("place") ?? [];
    return row === undefined || column === undefined ? null : { row, column };
  }

  /** Look into the cell at a place, or no longer. @param {Place | null} place */
  look(place) {
    this.channel = -1;
    this.probe = place ? null : this.probe;
    this.model.set("place", place ? [place.row, place.column] : []);
    this.model.save_changes();
  }

  /** @param {Place | null} place */
  readAt(place) {
    this.probe = place;
    this.moved();
  }

  /** @param {Place} place @param {PointerEvent} event */
  point(place, event) {
    if (!this.seen?.map) return;
    if (event.type !== "pointerdown") {
      if (!this.place) this.readAt(place);
      return;
    }
    const { shown } = this.seen;
    const [at, before] = [place, this.place].map((each) => each && cellAt(each, shown));
    const again = at && before && at.row === before.row && at.column === before.column;
    this.look(again || !at ? null : middleOf(at, shown));
  }

  leave() {
    if (this.probe) this.readAt(null);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const row = rowOf("slide", event);
    const from = this.place ?? this.probe;
    if (row === "leave" && from) {
      if (this.place) this.look(null);
      this.readAt(null);
      return true;
    }
    if (row === "look" && this.seen?.map && from) {
      this.look(this.place ? null : middleOf(cellAt(from, this.seen.shown), this.seen.shown));
      return true;
    }
    const next = row === "move" && this.seen && placeAfter(from, event.key, this.seen.shown);
    if (!next) return false;
    if (this.place) this.look(next);
    else this.readAt(next);
    this.announcer.textContent = this.facts.probeWords();
    return true;
  }

  /** The map of a channel in place of the one of all, if one is shown. */
  large() {
    const map = this.channels[this.channel];
    const { channels } = this.model.get("inside");
    if (!map || !channels) return null;
    const { index, activation } = channels[this.channel];
    return { map, table: greyTable(), scale: map.reduce((a, b) => Math.max(a, Math.abs(b)), 0), words: `Channel ${index}: its activation, ${activation.toPrecision(3)} in this cell. Dark is more, white below zero` };
  }

  /** @param {Seen} seen */
  paint(seen) {
    this.seen = seen;
    const { maps, shown, entry, map } = seen;
    const { marker, facts, place, marks } = this;
    const at = place ?? this.probe;
    marks.clear();
    this.root.toggleAttribute("data-camw-inside", Boolean(place && map));
    marker.hidden = !at || !map;
    if (!at || !map) {
      facts.tell("One cell", "point at the picture or use the arrow keys on it; click or press Enter to look inside", false);
      return;
    }
    const { map_height, map_width } = shown;
    const cell = cellAt(at, shown);
    const { row, column } = cell;
    marker.style.top = `${(100 * row) / map_height}%`;
    marker.style.left = `${(100 * column) / map_width}%`;
    marker.style.height = `${100 / map_height}%`;
    marker.style.width = `${100 / map_width}%`;
    const value = map[row * map_width + column];
    facts.tell(`Row ${row + 1} of ${map_height}, column ${column + 1} of ${map_width}`, shareOf(maps, entry, value, map_height * map_width), true);
    if (place) this.paintInside(seen, cell, value);
  }

  /** @param {Seen} seen @param {{row: number, column: number}} cell @param {number} value */
  paintInside(seen, cell, value) {
    const sent = this.model.get("inside");
    const inside = isOf(sent, seen, cell) ? sent : null;
    const { map_height, map_width } = seen.shown;
    const numbers = new Float32Array(inside ? bytesOf(this.model.get("inside_maps")) : new ArrayBuffer(0));
    const size = map_height * map_width;
    this.channels = (inside?.channels ?? []).map((_, i) => numbers.subarray(i * size, (i + 1) * size));
    const waiting = !this.kernel.live ? "Its channels and the pixels that it sees are told where a kernel runs." : this.kernel.free ? "Looking inside \u2026" : `${this.kernel.words}.`;
    this.inside.show(seen, cell, value, inside, waiting, this.channels, this.channel);
    const most = inside?.most;
    const { width, height } = seen.picture;
    if (most) this.marks.rectangle({ top: most.top / height, left: most.left / width, height: (most.bottom - most.top) / height, width: (most.right - most.left) / width }, { "stroke-dasharray": "6 4" });
  }
}
