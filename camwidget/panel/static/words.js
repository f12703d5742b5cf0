/**
 * A text whose words have colours: each can be read, walked over by keys, and deleted. Words are put into the page as
 * text nodes only; whatever a review holds, it is shown and never run.
 */

import { element, focusedIn, keepKeys } from "./elements.js";
import { rowOf } from "./keys.js";
import { clamp } from "./maps.js";

/** @typedef {import("./types.js").TextManifest} TextManifest */
/** @typedef {import("./types.js").WordEntry} WordEntry */

const CHUNK = 100; // words that are coloured together, once they come near to what is seen: of 10,000 a move takes 20 ms, not 60
const WHOLE = 10; // up to so many chunks a text is coloured as a whole

/** The number of the word or of the bar that an event is about, or -1. @param {Event} event */
export function wordAt(event) {
  const found = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-word]")) : null;
  return found ? Number(found.dataset.word) : -1;
}

/** @param {WordEntry} word @param {number} i @param {boolean} live */
function makeWord(word, i, live) {
  const span = keepKeys(element("span", word.known ? "camw-word" : "camw-word camw-unknown", word.text));
  span.dataset.word = String(i);
  span.tabIndex = -1;
  span.setAttribute("role", "button");
  if (!live) span.setAttribute("aria-disabled", "true"); // it can be read, and no kernel deletes it
  return span;
}

export class Words {
  /** @param {(i: number) => void} remove  what deletes a word @param {AbortSignal} signal  ends all listening */
  constructor(remove, signal) {
    this.remove = remove;
    this.box = element("div", "camw-text");
    this.box.dir = "auto";
    /** @type {HTMLElement[]} */
    this.spans = [];
    /** @type {HTMLElement[]} */
    this.chunks = [];
    /** @type {Set<number>} */
    this.stale = new Set(); // chunks that do not have the colours of what is shown
    this.colourWord = (/** @type {HTMLElement} */ _span, /** @type {number} */ _i) => {};
    this.focused = 0;
    this.box.addEventListener("scroll", () => this.colourNear(), { passive: true, signal });
    this.sizes = new ResizeObserver(() => this.colourNear()); // in a wider or narrower panel other words are seen
    this.sizes.observe(this.box);
    this.box.addEventListener("click", (event) => {
      if (event.detail < 2) this.remove(wordAt(event)); // by the second click of a double-click the next word may have moved here
    }, { signal });
    this.box.addEventListener("keydown", (event) => this.onKey(event), { signal });
  }

  /** @param {TextManifest} manifest @param {boolean} live */
  list({ words, tail }, live) {
    this.stale.clear();
    this.spans = words.map((each, i) => makeWord(each, i, live));
    // Not all side by side: the browser looks for the direction of the text again at each child that is put in.
    this.chunks = Array.from({ length: Math.ceil(this.spans.length / CHUNK) }, (_, k) => {
      const chunk = element("span", "");
      chunk.append(...this.spans.slice(k * CHUNK, (k + 1) * CHUNK).flatMap((span, i) => [words[k * CHUNK + i].before, span]));
      return chunk;
    });
    this.box.replaceChildren(...this.chunks, tail);
    this.focused = clamp(this.focused, this.spans.length);
    if (this.spans.length) this.spans[this.focused].tabIndex = 0;
  }

  /** Colour all words: those in sight now, the rest when it is scrolled to. @param {(span: HTMLElement, i: number) => void} colourWord */
  colour(colourWord) {
    this.colourWord = colourWord;
    for (const k of this.chunks.keys()) this.stale.add(k);
    this.colourNear();
  }

  /** The chunks that are seen, and as much above and below them. */
  near() {
    // To measure makes the browser lay out the page at once, which takes longer than to colour a text of usual length.
    if (this.chunks.length <= WHOLE) return [...this.stale];
    const seen = this.box.getBoundingClientRect();
    return [...this.stale].filter((k) => {
      const { top, bottom } = this.chunks[k].getBoundingClientRect(); // all zero, hence near, before the view is in the page
      return bottom >= seen.top - seen.height && top <= seen.bottom + seen.height;
    });
  }

  colourNear() {
    for (const k of this.near()) {
      this.stale.delete(k);
      for (let i = k * CHUNK; i < Math.min((k + 1) * CHUNK, this.spans.length); i++) this.colourWord(this.spans[i], i);
    }
  }

  /** Keys go on from this word. @param {number} i */
  goOnFrom(i) {
    this.spans[this.focused].tabIndex = -1;
    this.focused = i;
    this.spans[i].tabIndex = 0;
  }

  /** @param {number} [i] */
  focus(i = this.focused) {
    this.spans[clamp(i, this.spans.length)].focus();
  }

  hadFocus() {
    return focusedIn(this.box) !== null;
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const right = getComputedStyle(this.box).direction === "rtl" ? -1 : 1;
    const row = rowOf("words", event);
    if (!row && rowOf("deletion", event) !== "remove") return;
    event.preventDefault();
    event.stopPropagation(); // the notebook would run or leave the cell
    if (row) this.focus({ left: this.focused - right, right: this.focused + right, first: 0, last: this.spans.length - 1 }[row]);
    else if (!event.repeat) this.remove(this.focused); // a key held down is one press
  }

  close() {
    this.sizes.disconnect();
    this.spans = this.chunks = [];
    this.stale.clear();
    this.colourWord = () => {};
  }
}
