/** The box that finds another class: what fits is listed while one types, Enter takes the one that is marked. */

import { bringIntoSight, element } from "./elements.js";
import { makeIndex, search } from "./find.js";
import { keepPlainKey, rowOf, STEPS } from "./keys.js";

/** @typedef {import("./kernel.js").Kernel} Kernel */
/** @typedef {import("./find.js").Found} Found */

const PAUSE_MS = 250;
const LOOKED_AT = 3; // classes that the kernel may work out before one is chosen
let boxes = 0;

export class Search {
  /** @param {Kernel} kernel @param {(index: number) => boolean} chosen  says whether that could be done @param {string} [hint] */
  constructor(kernel, chosen, hint = "find another: name or number") {
    this.kernel = kernel;
    this.chosen = chosen;
    const id = `camw-options-${(boxes += 1)}`;
    this.input = element("input", "camw-find");
    this.input.placeholder = hint;
    for (const [name, value] of Object.entries({ type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-label": "Find another class", "aria-controls": id, "aria-expanded": "false", "aria-autocomplete": "list" })) this.input.setAttribute(name, value);
    this.options = element("div", "camw-options");
    this.options.id = id;
    this.options.setAttribute("role", "listbox");
    this.options.setAttribute("aria-label", "Classes that fit");
    this.options.hidden = true;
    this.none = element("p", "camw-none");
    this.none.setAttribute("aria-live", "polite");
    this.box = element("div", "camw-search");
    this.box.append(this.input, this.options, this.none);
    /** @type {ReturnType<typeof makeIndex>} */
    this.all = [];
    /** @type {Found[]} */
    this.found = [];
    this.marked = 0;
    this.timer = 0;
    /** @type {number | null} */
    this.waiting = null; // chosen while the kernel was busy
    this.listen();
    kernel.follow(() => this.take());
  }

  listen() {
    this.input.addEventListener("input", () => this.look());
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.input.addEventListener("blur", () => this.show([]));
    // not click: the box would lose the focus first, and the list would be gone
    this.options.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const row = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-index]")) : null;
      if (row) this.choose(Number(row.dataset.index));
    });
  }

  /** @param {string[]} names @param {string[]} synonyms */
  list(names, synonyms) {
    this.all = makeIndex(names, synonyms);
  }

  /** What was chosen while the kernel was busy, now that it is free. */
  take() {
    if (this.waiting !== null && this.kernel.free) this.choose(this.waiting);
  }

  look() {
    this.marked = 0;
    this.waiting = null;
    this.show(search(this.all, this.input.value));
    this.none.textContent = this.input.value.trim() && !this.found.length ? "No class has that name or number." : "";
    clearTimeout(this.timer);
    if (this.found.length) this.timer = window.setTimeout(() => this.kernel.ask({ do: "look at", classes: this.found.slice(0, LOOKED_AT).map((each) => each.index) }), PAUSE_MS);
  }

  /** @param {Found[]} found */
  show(found) {
    this.found = found;
    if (!found.length) this.none.textContent = "";
    this.options.hidden = !found.length;
    this.input.setAttribute("aria-expanded", String(found.length > 0));
    this.options.replaceChildren(...found.map(({ index, name, also }, i) => {
      const row = element("div", "camw-option");
      row.setAttribute("role", "option");
      row.id = `${this.options.id}-${i}`;
      row.dataset.index = String(index);
      const words = also && also !== name ? ` \u00b7 ${also}` : "";
      row.append(element("bdi", "", name), element("span", "camw-also", `${words} \u00b7 ${index}`));
      return row;
    }));
    this.mark(0);
  }

  /** @param {number} i */
  mark(i) {
    this.marked = Math.max(0, Math.min(this.found.length - 1, i));
    for (const [k, row] of [...this.options.children].entries()) row.setAttribute("aria-selected", String(k === this.marked));
    const row = /** @type {HTMLElement | undefined} */ (this.options.children[this.marked]);
    if (!row) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", row.id);
    bringIntoSight(row, this.options);
  }

  /** @param {number} index */
  choose(index) {
    clearTimeout(this.timer);
    this.waiting = this.chosen(index) ? null : index; // what was typed stays, and is taken once the kernel is free
    if (this.waiting !== null) return;
    this.input.value = "";
    this.show([]);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    keepPlainKey(event); // letters are commands of the notebook
    const row = rowOf("search", event);
    if (row === "back" || row === "on") this.mark(this.marked + STEPS[row]);
    else if (row === "take" && this.found.length) this.choose(this.found[this.marked].index);
    else if (row === "clear") { this.input.value = ""; this.waiting = null; this.show([]); }
    else return;
    event.preventDefault();
  }

  close() {
    clearTimeout(this.timer);
    this.all = this.found = [];
  }
}
