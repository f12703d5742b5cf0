/** The gallery: tiles in chunks, of which only those near to what is seen are in the page. */

import { element, keepKeys } from "./elements.js";
import { formatPercent } from "./format.js";
import { clamp } from "./maps.js";
import { paintTile } from "./tiles.js";

/** @typedef {import("./types.js").PictureRow} PictureRow */
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
/** What a tile shows, by the choice of maps. @type {Record<string, string[]>} */
const KINDS = { both: ["picture", "said", "true"], said: ["said"], true: ["true"], difference: ["difference"] };

/** What a map is called. @param {string} kind @param {PictureRow} row @param {string[]} classes */
export function mapName(kind, row, classes) {
  const [said, true_] = [classes[row.said], classes[row.true]];
  if (kind === "picture") return "picture";
  if (kind === "said") return `why ${said}`;
  if (kind === "true") return row.said === row.true ? `why ${true_}` : `why not ${true_}`;
  return `${said} minus ${true_}`;
}

/** A tile in words. @param {PictureRow} row @param {string[]} classes */
export function tileInWords(row, classes) {
  if (row.said === row.true) return `${classes[row.true]}, rightly so called, ${formatPercent(row.p_true)}`;
  return `Is ${classes[row.true]}, ${formatPercent(row.p_true)}; was called ${classes[row.said]}, ${formatPercent(row.p_said)}; loss ${row.loss.toFixed(2)}`;
}

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
    this.box.addEventListener("keydown", (event) => this.onKey(event), { signal });
  }

  /** @param {Table} table @param {number[]} places @param {Look} look */
  list(table, places, look) {
    Object.assign(this, { table, places, look, focused: Math.max(0, places.indexOf(look.open)) });
    this.seen.disconnect();
    this.box.classList.toggle("camw-one", look.maps !== "both");
    this.box.style.setProperty("--camw-ratio", String(look.ratio));
    this.chunks = Array.from({ length: Math.ceil(places.length / CHUNK) }, (_, k) => {
      const chunk = element("div", "camw-chunk");
      chunk.setAttribute("role", "presentation");
      chunk.dataset.chunk = String(k);
      chunk.style.minHeight = `${(this.height * Math.min(CHUNK, places.length - k * CHUNK)) / CHUNK}px`;
      return chunk;
    });
    this.box.replaceChildren(...this.chunks);
    if (!places.length) this.box.replaceChildren(element("p", "camw-nothing", "No pictures here."));
    for (const chunk of this.chunks) this.seen.observe(chunk);
    if (this.chunks.length) this.fill(this.chunks[0]);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  onSeen(entries) {
    for (const { target, isIntersecting } of entries) {
      const chunk = /** @type {HTMLElement} */ (target);
      if (isIntersecting) this.fill(chunk);
      else if (!chunk.contains(document.activeElement)) this.empty(chunk);
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
    for (const tile of this.box.querySelectorAll("[role=option]")) {
      const number = Number(/** @type {HTMLElement} */ (tile).dataset.number);
      tile.setAttribute("aria-selected", String(this.places[number] === place));
    }
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const tile = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[role=option]")) : null;
    if (tile) this.open(Number(tile.dataset.number));
  }

  /** @param {number} number */
  open(number) {
    this.focus(number);
    this.opened(this.places[number]);
  }

  /** @param {number} number */
  focus(number) {
    this.box.querySelector('[role=option][tabindex="0"]')?.setAttribute("tabindex", "-1");
    this.focused = clamp(number, this.places.length);
    const chunk = this.chunks[Math.floor(this.focused / CHUNK)];
    this.fill(chunk);
    const tile = /** @type {HTMLElement} */ (chunk.children[this.focused % CHUNK]);
    tile.tabIndex = 0;
    tile.focus();
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

/**
 * A picture and its maps, each with its name, before they are painted.
 * @param {string[]} kinds @param {PictureRow} row @param {string[]} classes
 */
export function figuresOf(kinds, row, classes) {
  return kinds.map((kind) => {
    const figure = element("div", "camw-pic");
    const canvas = element("canvas", "");
    canvas.dataset.kind = kind;
    const name = element("span", "camw-kind", mapName(kind, row, classes));
    name.title = name.textContent ?? "";
    figure.append(name, canvas);
    return figure;
  });
}

/**
 * Paint what `figuresOf` made, or say in place of the first why there is no picture.
 * @param {HTMLElement} box @param {import("./tiles.js").Tile} tile @param {number} scale @param {Uint8Array} colormap @param {number} [side]
 */
export function paintFigures(box, tile, scale, colormap, side) {
  for (const [i, canvas] of box.querySelectorAll("canvas").entries()) {
    if (tile.image) paintTile(canvas, tile, canvas.dataset.kind ?? "picture", scale, colormap, side);
    else canvas.replaceWith(element("span", "camw-lost", i ? "" : tile.problem || "no picture"));
  }
}

/** @param {string} verb @param {string} name @param {number} probability */
function wordLine(verb, name, probability) {
  const line = element("p", "camw-word-line");
  line.append(`${verb} `, element("b", "", name), ` ${formatPercent(probability)}`);
  line.title = name;
  return line;
}
