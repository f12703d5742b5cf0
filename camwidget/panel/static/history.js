/**
 * Taking back: what was chosen in the browser, step by step, and between those steps what only the kernel brings back,
 * such as the picture before. The kernel says which of these it keeps (`past`); a choice is a position in lists that go
 * with them, so no choice is taken back across one that is gone.
 */

import { follow } from "./model.js";

/** @typedef {import("./types.js").MapTraits} MapTraits */
/** @typedef {import("./types.js").PictureTraits} PictureTraits */
/** @typedef {import("./types.js").ChoiceTrait} ChoiceTrait */
/** @typedef {import("./kernel.js").Kernel} Kernel */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */
/** @typedef {ChoiceTrait | "regions" | "guess" | "place"} Taken */
/** @typedef {{[Name in Taken]?: PictureTraits[Name]}} Choices */
/** @typedef {{choices: Choices} | {past: number}} Entry */

const MOST = 50;
const ONE_SLIDE_MS = 800; // moves of one slider that follow each other so soon are one step

/** What is taken back, and whether many moves of it are one. @type {Record<Taken, boolean>} */
const TAKEN = {
  layer_index: true, class_index: true, heatmap_opacity: true, swipe: true, regions: true, guess: true, place: true,
  method_index: false, cells: false, only_for: false, own_scale: false, mode_index: false, compare_index: false,
  other_class_index: false, other_method_index: false, other_layer_index: false, as_swipe: false, turned: false,
  fill_index: false, revealed: false,
};

/** The traits in which two sets of choices differ. @param {Choices} a @param {Choices} b @returns {Taken[]} */
export const differing = (a, b) => /** @type {Taken[]} */ (Object.keys(b)).filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]));

/** Whether from one set of choices to the next the same slider went on, or the same mark. @param {Choices} before @param {Choices} now @param {Taken | null} last  what changed before */
export function slidOn(before, now, last) {
  const changed = differing(before, now);
  if (changed.length !== 1 || changed[0] !== last || !TAKEN[last]) return false;
  const [from, to] = [before[last], now[last]];
  return !Array.isArray(from) || (from.length > 0 && from.length === /** @type {unknown[]} */ (to).length); // another rectangle is another step
}

export class History {
  /** @param {Model<MapTraits>} model @param {Kernel} kernel @param {() => void} changed  is called when there is more or less to take back @param {AbortSignal} signal  ends it */
  constructor(model, kernel, changed, signal) {
    this.model = /** @type {Model<PictureTraits>} */ (model);
    this.kernel = kernel;
    this.changed = changed;
    this.traits = /** @type {Taken[]} */ (Object.keys(TAKEN)).filter((name) => this.model.get(name) !== undefined);
    /** @type {Entry[]} */
    this.before = (model.get("past") ?? []).map((past) => ({ past }));
    this.now = this.read();
    this.time = -Infinity;
    /** @type {Taken | null} */
    this.last = null;
    this.open = false; // whether what comes next belongs to the last step
    this.whole = false; // the same, until told otherwise
    this.going = false; // whether a step is being taken back
    this.noted = false; // whether this task has noted a step
    this.asked = 0; // which of the past the kernel was asked for
    this.newest = Math.max(0, ...(model.get("past") ?? [])); // of the past, of which each has a larger number than the one before
    const unfollow = follow(this.model, { ...Object.fromEntries(this.traits.map((name) => [name, () => this.note()])), past: () => this.sync() });
    signal.addEventListener("abort", () => { unfollow(); this.before = []; });
  }

  read() {
    /** @type {Choices} */
    const choices = {};
    for (const name of this.traits) Object.assign(choices, { [name]: this.model.get(name) });
    return choices;
  }

  /** Something was chosen. */
  note() {
    if (this.going) return;
    const now = this.read();
    const changed = differing(this.now, now);
    if (!changed.length) return;
    const goesOn = this.open || performance.now() - this.time < ONE_SLIDE_MS && slidOn(this.now, now, this.last);
    if (!goesOn) {
      this.push({ choices: this.now });
      this.noted = true;
    }
    this.now = now;
    this.last = changed.length === 1 ? changed[0] : null;
    this.time = performance.now();
    this.together();
  }

  /** What changes before this task ends changes together. */
  together() {
    this.open = true;
    queueMicrotask(() => { this.open = this.whole; this.noted = false; });
  }

  /** Whether all that comes now is one step. @param {boolean} on */
  asOne(on) {
    this.whole = on;
    this.open = false;
    this.last = null;
  }

  /** @param {Entry} entry */
  push(entry) {
    this.before.push(entry);
    if (this.before.length > MOST) this.before.shift();
    this.changed();
  }

  /** The kernel keeps something else to go back to. */
  sync() {
    const past = this.model.get("past");
    const gone = this.before.reduce((last, each, i) => ("past" in each && !past.includes(each.past) ? i : last), -1);
    const entry = this.before[gone];
    if (entry && "past" in entry && entry.past === this.asked) this.before.length = gone;
    else this.before.splice(0, gone + 1); // choices below it are positions in lists that nobody has any more
    this.now = this.read();
    this.last = null;
    const added = past.filter((each) => each > this.newest);
    if (added.length && this.noted) this.before.pop(); // choices that came along with it are no step of their own
    for (const each of added) this.push({ past: each });
    this.newest = Math.max(this.newest, ...past);
    this.together();
    this.changed();
  }

  /** Take the last step back. */
  back() {
    const last = this.before[this.before.length - 1];
    if (!last) return;
    if ("past" in last) {
      this.asked = last.past;
      if (this.kernel.free) this.kernel.ask({ do: "back", to: last.past });
      return;
    }
    this.before.pop();
    const changed = differing(this.now, last.choices);
    this.going = true;
    for (const name of changed) this.model.set(name, /** @type {never} */ (last.choices[name]));
    this.model.save_changes();
    this.going = false;
    this.last = null;
    this.now = this.read();
    this.changed();
    if (!changed.length) this.back(); // the kernel had changed it together with what was taken back
  }
}
