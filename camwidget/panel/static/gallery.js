/** The gallery: tiles in chunks, of which only those near to what is seen are in the page. */

import { element, focusedIn, keepKeys } from "./elements.js";
import { figuresOf, KINDS, paintFigures, wordLine } from "./figures.js";
import { clamp } from "./maps.js";

/** @typedef {import("./rows.js").Table} Table */
/** @typedef {import("./tiles.js").Tiles} Tiles */
/**
 * @typedef {object} Look  what tiles are painted with
 * @property {string} maps
 * @property {string[]} classes
 * @property {Uint8Array} colormap
 * @property {(place: number) => number} scale
 * @property {number} open
 * @property {number} ratio  width over height of a picture that is not here yet
 */

const CHUNK = 24; // a number that 1, 2, 3, 4 and 6 columns divide
const FIRST_HEIGHT = 900; // of a chunk, in pixels, before one was seen
export class Gallery {
  /** @param {Tiles} tiles @param {(place: number) => void} opened @param {AbortSignal} signal */
  constructor(tiles, opened, signal) {
    this.opened = opened;
    this.box = element("div", "camw-gallery");
    this.box.setAttribute("role", "listbox");
    this.box.setAttribute("aria-label", "Pictures; arrow keys walk, Enter opens one");
    this.tiles = tiles;
    /** @type {Table | null} */
    this.table = null;
    /** @type {number[]} */
    this.places = [];
    /** @type {HTMLElement[]} */
    this.chunks = [];
    /** @type {Look | null} */
    this.look = null;
    this.focused = 0;
    this.height = FIRST_HEIGHT;
    this.seen = new IntersectionObserver((entries) => this.onSeen(entries), { root: this.box, rootMargin: "60% 0px" });
    this.box.addEventListener("click", (event) => this.onClick(event), { signal });
    this.box.addEventListener("focusin", ({ target }) => this.onFocus(/** @type {Element} */ (target)), { signal });
    this.box.addEventListener("keydown", (event) => this.onKey(event), { signal });
  }

  /** Show other pictures, or the same in another order: from the first one on. @param {Table} table @param {number[]} places @param {Look} look */
  list(table, places, look) {
    const focused = focusedIn(this.box);
    Object.assign(this, { table, places, look, focused: Math.max(0, places.indexOf(look.open)) });
    this.lay(look, 0);
    this.box.scrollTop = 0;
    if (focused && places.length) this.focus(0); // keys go on from what is seen now
    else if (focused) /** @type {HTMLElement} */ (this.box.firstElementChild).focus();
  }

  /** Show the same pictures with other maps or on another scale: what one looks at stays in sight. @param {Look} look */
  show(look) {
    const focused = focusedIn(this.box);
    const seen = this.lookedAt();
    const [number, top, height] = seen ? [this.numberOf(seen), seen.offsetTop - this.box.scrollTop, seen.offsetHeight] : [0, 0, 0];
    this.look = look;
    this.lay(look, number);
    const now = this.tileAt(number);
    if (!now) return;
    const inside = Math.max(0, Math.min(top, this.box.clientHeight - now.offsetHeight));
    this.box.scrollTop = now.offsetTop - (now.offsetHeight === height ? top : inside); // of another height, it is seen whole
    if (focused) this.tileAt(this.focused)?.focus({ preventScroll: true });
  }

  /** The tile that one looks at: that with the focus or the open one if it is in sight, else the first that is. */
  lookedAt() {
    const [start, end] = [this.box.scrollTop, this.box.scrollTop + this.box.clientHeight];
    const tiles = /** @type {HTMLElement[]} */ ([...this.box.querySelectorAll("[role=option]")]);
    const inSight = tiles.filter((tile) => tile.offsetTop + tile.offsetHeight > start && tile.offsetTop < end);
    const [open, focused] = [this.look ? this.places.indexOf(this.look.open) : -1, focusedIn(this.box)];
    return inSight.find((tile) => tile === focused) ?? inSight.find((tile) => this.numberOf(tile) === open) ?? inSight[0];
  }

  /** Make all chunks anew. @param {Look} look @param {number} first  a tile to begin with */
  lay(look, first) {
    this.seen.disconnect();
    for (const chunk of this.chunks) this.empty(chunk);
    this.box.classList.toggle("camw-one", look.maps !== "both");
    this.box.style.setProperty("--camw-ratio", String(look.ratio));
    this.chunks = Array.from({ length: Math.ceil(this.places.length / CHUNK) }, (_, k) => {
      const chunk = element("div", "camw-chunk");
      chunk.setAttribute("role", "presentation");
      chunk.dataset.chunk = String(k);
      return chunk;
    });
    this.box.replaceChildren(...this.chunks);
    if (!this.places.length) {
      const nothing = Object.assign(element("p", "camw-nothing", "No pictures here."), { tabIndex: -1 });
      this.box.replaceChildren(nothing);
      return;
    }
    this.fill(this.chunkOf(first)); // from which all heights are known, nearly
    this.fill(this.chunkOf(this.focused));
    for (const [k, chunk] of this.chunks.entries()) {
      if (!chunk.childElementCount) chunk.style.minHeight = `${(this.height * Math.min(CHUNK, this.places.length - k * CHUNK)) / CHUNK}px`;
      this.seen.observe(chunk);
    }
  }

  /** @param {number} number  of a tile */
  chunkOf(number) {
    return this.chunks[Math.floor(number / CHUNK)];
  }

  /** @param {number} number */
  tileAt(number) {
    return /** @type {HTMLElement | undefined} */ (this.chunkOf(number)?.children[number % CHUNK]);
  }

  /** @param {Element} tile */
  numberOf(tile) {
    return Number(/** @type {HTMLElement} */ (tile).dataset.number);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  onSeen(entries) {
    for (const { target, isIntersecting } of entries) {
      const chunk = /** @type {HTMLElement} */ (target);
      if (chunk.parentElement !== this.box) continue; // of what was listed before
      if (isIntersecting) this.fill(chunk);
      // the tile that Tab goes to stays, wherever one looks: else no key would reach the gallery
      else if (chunk !== this.chunkOf(this.focused) && !focusedIn(chunk)) this.empty(chunk);
    }
  }

  /** @param {HTMLElement} chunk */
  fill(chunk) {
    if (chunk.childElementCount) return;
    const start = Number(chunk.dataset.chunk) * CHUNK;
    chunk.append(...this.places.slice(start, start + CHUNK).map((place, i) => this.makeTile(place, start + i)));
    chunk.style.minHeight = "";
    if (chunk.childElementCount === CHUNK && chunk.offsetHeight) this.height = chunk.offsetHeight;
  }

  /** @param {HTMLElement} chunk */
  empty(chunk) {
    if (!chunk.childElementCount) return;
    chunk.style.minHeight = `${chunk.offsetHeight}px`;
    for (const tile of chunk.children) this.tiles.forget(Number(/** @type {HTMLElement} */ (tile).dataset.row));
    for (const canvas of chunk.querySelectorAll("canvas")) canvas.width = canvas.height = 0;
    chunk.replaceChildren();
  }

  /** @param {number} place @param {number} number */
  makeTile(place, number) {
    const { look, table } = /** @type {{look: Look, table: Table}} */ (/** @type {unknown} */ (this));
    const row = table.at(place);
    const tile = keepKeys(element("div", "camw-tile"));
    tile.setAttribute("role", "option");
    tile.setAttribute("aria-selected", String(place === look.open));
    tile.setAttribute("aria-posinset", String(number + 1));
    tile.setAttribute("aria-setsize", String(this.places.length));
    tile.tabIndex = number === this.focused ? 0 : -1;
    Object.assign(tile.dataset, { row: String(row.row), number: String(number) });
    const pictures = element("div", "camw-pics");
    pictures.setAttribute("aria-hidden", "true"); // the words below say what there is to say
    pictures.append(...figuresOf(KINDS[look.maps], row, look.classes));
    const words = element("div", "camw-words-of-tile");
    words.append(wordLine("is", look.classes[row.true], row.p_true), wordLine("said", look.classes[row.said], row.p_said));
    tile.append(pictures, words);
    this.paint(tile, row.row, place);
    return tile;
  }

  /** @param {HTMLElement} element_ @param {number} row @param {number} place */
  paint(element_, row, place) {
    const tile = this.tiles.get(row);
    if (!tile || !this.look) return;
    paintFigures(element_, tile, this.look.scale(place), this.look.colormap);
    if (tile.problem) element_.setAttribute("aria-description", tile.problem);
    element_.dataset.painted = this.look.maps;
  }

  /** @param {number} row */
  repaint(row) {
    const shown = /** @type {HTMLElement | null} */ (this.box.querySelector(`[data-row="${row}"]`));
    if (shown && this.table) this.paint(shown, row, this.table.placeOf(row));
  }

  /** Mark the tile that is open. @param {number} place */
  mark(place) {
    if (this.look) this.look.open = place;
    for (const tile of this.box.querySelectorAll("[role=option]")) tile.setAttribute("aria-selected", String(this.places[this.numberOf(tile)] === place));
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const tile = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[role=option]")) : null;
    if (tile) this.open(this.numberOf(tile));
  }

  /** A tile has got the focus, by a key, by a click or by a program that reads the page. @param {Element} at */
  onFocus(at) {
    if (at.matches("[role=option]")) this.goOnFrom(this.numberOf(at));
  }

  /** @param {number} number */
  open(number) {
    this.focus(number);
    this.opened(this.places[number]);
  }

  /** @param {number} number */
  focus(number) {
    const goal = clamp(number, this.places.length);
    this.fill(this.chunkOf(goal));
    this.goOnFrom(goal);
    this.tileAt(goal)?.focus();
  }

  /** Keys go on from this tile, and Tab comes back to it. @param {number} number */
  goOnFrom(number) {
    if (number === this.focused) return;
    const [before, now] = [this.chunkOf(this.focused), this.chunkOf(number)];
    this.tileAt(this.focused)?.setAttribute("tabindex", "-1");
    this.tileAt(number)?.setAttribute("tabindex", "0");
    this.focused = number;
    if (before === now) return;
    this.seen.unobserve(before); // so that it is told again where it lies, and goes if that is far away
    this.seen.observe(before);
  }

  columns() {
    const filled = this.chunks.find((chunk) => chunk.childElementCount);
    return filled ? getComputedStyle(filled).gridTemplateColumns.split(" ").length : 1;
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (!this.places.length) return;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns(), ArrowUp: -this.columns() };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    const goal = { Home: 0, End: this.places.length - 1 }[event.key] ?? (step === undefined ? undefined : this.focused + step);
    const opens = event.key === "Enter" || event.key === " ";
    if (goal === undefined && !opens) return;
    event.preventDefault();
    event.stopPropagation(); // the notebook would move to another cell, or run this one
    if (goal !== undefined) this.focus(goal);
    else if (!event.repeat) this.open(this.focused);
  }

  close() {
    this.seen.disconnect();
    Object.assign(this, { table: null, places: [], chunks: [], look: null });
  }
}
