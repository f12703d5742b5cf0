/** The rows of a data set: which are shown, in which order, and on what scale. Numbers in, numbers out. */

import { bytesOf } from "./maps.js";

/** @typedef {import("./types.js").Bytes} Bytes */
/** @typedef {import("./types.js").PictureRow} PictureRow */
/** @typedef {{shown: string, cell: number[], members: Set<number>[], order: string}} Choice */

const COLUMNS = 10;
// Where the numbers of a row are, see `_columns` in mistakes.py.
const ROW = 0;
const TRUE = 1;
const SAID = 2;
const P_SAID = 4;
const MARGIN = 5;
const LOSS = 6;
const PEAK = 7;

/** What a row is sorted by, smallest first. @type {Record<string, (table: Table, place: number) => number>} */
const KEYS = {
  loss: (table, place) => -table.number(place, LOSS),
  sure: (table, place) => -table.number(place, P_SAID),
  doubt: (table, place) => table.number(place, MARGIN),
  given: (_, place) => place,
};

/** Maps that a tile can have: which peaks they have in a row. @type {Record<string, number[]>} */
const PEAKS = { both: [0, 1], said: [0], true: [1], difference: [2] };

export class Table {
  /** @param {Bytes | null} sent */
  constructor(sent) {
    this.numbers = new Float32Array(sent ? bytesOf(sent) : new ArrayBuffer(0));
    this.count = this.numbers.length / COLUMNS;
    /** @type {Map<number, number>} */
    this.places = new Map();
    for (let place = 0; place < this.count; place++) this.places.set(this.number(place, ROW), place);
  }

  /** @param {number} place @param {number} column */
  number(place, column) {
    return this.numbers[place * COLUMNS + column];
  }

  /** @param {number} place @returns {PictureRow} */
  at(place) {
    const [row, true_, said, p_true, p_said, margin, loss] = this.numbers.subarray(place * COLUMNS, place * COLUMNS + PEAK);
    return { row, true: true_, said, p_true, p_said, margin, loss };
  }

  /** The place of a row, or -1. @param {number} row */
  placeOf(row) {
    return this.places.get(row) ?? -1;
  }
}

/** The places that are shown, in their order. @param {Table} table @param {Choice} choice */
export function chosen(table, { shown, cell, members, order }) {
  const places = [];
  for (let place = 0; place < table.count; place++) {
    const { row, true: true_, said } = table.at(place);
    const kept = cell.length ? true_ === cell[0] && said === cell[1] : shown === "all" || (shown === "right") === (true_ === said);
    if (kept && members.every((each) => each.has(row))) places.push(place);
  }
  const key = KEYS[order] ?? KEYS.loss;
  return places.sort((a, b) => key(table, a) - key(table, b) || a - b);
}

/** The magnitude that gets full colour in a tile. @param {Table} table @param {number} place @param {string} maps */
export function scaleOf(table, place, maps) {
  return Math.max(0, ...(PEAKS[maps] ?? PEAKS.both).map((peak) => table.number(place, PEAK + peak) || 0));
}

/** The same for all tiles. @param {Table} table @param {number[]} places @param {string} maps */
export function sharedScaleOf(table, places, maps) {
  return places.reduce((most, place) => Math.max(most, scaleOf(table, place, maps)), 0);
}

/** How often each class was taken for each: counts by true class, then by class said. @param {Table} table @param {number} classes */
export function confusionOf(table, classes) {
  const counts = Array.from({ length: classes }, () => new Array(classes).fill(0));
  for (let place = 0; place < table.count; place++) counts[table.number(place, TRUE)][table.number(place, SAID)]++;
  return counts;
}

/** The pairs of classes that are confused most often. @param {Table} table @param {number} most */
export function pairsOf(table, most) {
  /** @type {Map<string, {true: number, said: number, count: number}>} */
  const pairs = new Map();
  for (let place = 0; place < table.count; place++) {
    const { true: true_, said } = table.at(place);
    if (true_ === said) continue;
    const known = pairs.get(`${true_} ${said}`) ?? { true: true_, said, count: 0 };
    known.count++;
    pairs.set(`${true_} ${said}`, known);
  }
  return [...pairs.values()].sort((a, b) => b.count - a.count).slice(0, most);
}

/** The class that most mistakes were taken for, if it is said of more than half of three or more; else null. @param {Table} table */
export function mostSaid(table) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  let wrong = 0;
  for (let place = 0; place < table.count; place++) {
    const { true: true_, said } = table.at(place);
    if (true_ === said) continue;
    wrong++;
    counts.set(said, (counts.get(said) ?? 0) + 1);
  }
  for (const [said, count] of counts) if (wrong > 2 && count > wrong / 2) return said;
  return null;
}
