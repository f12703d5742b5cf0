/** What the network says, class by class. The list is the class slider: it stands beside the rows, one stop to each. */

import { bringIntoSight, element, makeMessage } from "./elements.js";
import { formatAnswer } from "./format.js";
import { rowOf } from "./keys.js";
import { choose } from "./model.js";
import { Search } from "./search.js";
import { Slider } from "./slider.js";

/** @typedef {import("./types.js").ClassEntry} ClassEntry */
/** @typedef {import("./types.js").Manifest} Manifest */
/** @typedef {import("./types.js").MapTraits} MapTraits */
/** @typedef {import("./kernel.js").Kernel} Kernel */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

const ROUND = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

/** The round number at which all bars end, so that small ones can be told apart. @param {number[]} probabilities */
export function barsEnd(probabilities) {
  const largest = Math.max(0, ...probabilities);
  if (!(largest > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(largest) + 1e-9);
  return Math.min(1, (ROUND.find((each) => each * power >= largest * (1 - 1e-9)) ?? 10) * power);
}

/** A class with its probability as a bar; a value has no bar, since nothing says how much is much. @param {ClassEntry} shown @param {number} end */
function classButton(shown, end) {
  const button = element("button", "camw-class");
  button.tabIndex = -1; // keys have the slider
  const bar = element("span", shown.probability === null ? "" : "camw-bar");
  if (shown.probability !== null) {
    const fill = element("span", "camw-fill");
    fill.style.width = `${(100 * shown.probability) / end}%`;
    bar.append(fill);
  }
  const name = element("bdi", "camw-name", shown.name);
  name.title = shown.name;
  button.append(name, bar, element("span", "camw-percent", formatAnswer(shown)));
  return button;
}

export class Classes {
  /** @param {Model<MapTraits>} model @param {Kernel} kernel @param {{leads: boolean}} how  whether it has the slider, or only follows */
  constructor(model, kernel, { leads }) {
    this.model = model;
    this.kernel = kernel;
    this.leads = leads;
    this.title = element("p", "camw-title");
    this.ends = element("p", "camw-title camw-ends");
    const { message, show } = makeMessage(model, "class");
    this.showMessage = show;
    this.search = new Search(kernel, (index) => this.add(index));
    const head = element("div", "camw-head");
    head.append(this.title, ...(leads ? [this.search.box] : []), this.ends);
    this.slider = new Slider("Class", (i) => choose(model, "class_index", i), { standing: true });
    this.rows = element("div", "camw-classes");
    this.marked = -1; // the class that is marked, of the rows that are listed
    this.inSight = -1; // the one that was brought into sight last
    this.list_ = element("div", leads ? "camw-list" : "camw-list camw-followed");
    this.list_.append(...(leads ? [this.slider.input] : []), this.rows);
    this.box = element("section", "camw-section camw-says");
    this.box.append(head, ...(leads ? [message] : []), this.list_);
  }

  /** @param {Manifest} manifest */
  list(manifest) {
    const { classes, alone } = manifest;
    this.title.textContent = `What the network says${alone ? ", of each class by itself" : ""}`;
    const probabilities = classes.flatMap((each) => (each.probability === null ? [] : [each.probability]));
    const end = barsEnd(probabilities);
    this.ends.textContent = probabilities.length ? `bars to ${Number((100 * end).toPrecision(2))} %` : "";
    const all = this.model.get("names");
    this.search.list(all, this.model.get("synonyms"));
    this.search.box.hidden = !this.kernel.live || all.length <= classes.length;
    this.rows.replaceChildren(...classes.map((each, i) => {
      const row = element("div", "camw-class-row");
      const button = classButton(each, end);
      button.addEventListener("click", () => choose(this.model, "class_index", i));
      row.append(button, ...(this.leads && this.kernel.live && classes.length > 1 && all.length > 2 ? [this.makeRemove(each)] : []));
      return row;
    }));
    this.slider.list(classes.map((each) => `${each.name}, ${formatAnswer(each)}`));
    this.list_.style.setProperty("--camw-count", String(classes.length));
    this.marked = this.inSight = -1;
  }

  /** @param {ClassEntry} shown */
  makeRemove(shown) {
    const remove = element("button", "camw-remove", "\u00d7");
    remove.tabIndex = -1; // the list itself takes Delete
    remove.title = `Take ${shown.name} off the list`;
    remove.setAttribute("aria-label", remove.title);
    remove.addEventListener("click", () => this.remove(shown.index));
    return remove;
  }

  /** @param {number} index */
  add(index) {
    const place = this.entries().findIndex((each) => each.index === index);
    if (place >= 0) choose(this.model, "class_index", place); // it is there already, and needs no kernel
    else if (this.kernel.free) this.kernel.ask({ do: "add", index, at: "class" });
    return place >= 0 || this.kernel.free;
  }

  /** @param {number} index */
  remove(index) {
    if (this.kernel.free && this.entries().length > 1) this.kernel.ask({ do: "remove", index, at: "class" });
  }

  entries() {
    const manifest = this.model.get("manifest");
    return manifest.layers ? manifest.classes : [];
  }

  /** Delete takes the class shown off the list. @param {KeyboardEvent} event */
  onKey(event) {
    if (rowOf("list", event) !== "remove" || !this.kernel.live || this.model.get("names").length <= 2) return;
    event.preventDefault();
    event.stopPropagation();
    const shown = this.entries()[this.model.get("class_index")];
    if (shown) this.remove(shown.index);
  }

  /** Mark the class that is shown, and have it in sight. @param {number} target */
  mark(target) {
    if (target !== this.marked) {
      for (const [i, row] of [...this.rows.children].entries()) row.firstElementChild?.setAttribute("aria-pressed", String(i === target));
      this.slider.stand(target);
      this.marked = target;
    }
    // where a row lies has the whole page laid out, which the frame does anyway; a list that somebody has scrolled stays there
    if (target !== this.inSight) requestAnimationFrame(() => this.bringIntoSight());
  }

  bringIntoSight() {
    const row = /** @type {HTMLElement | undefined} */ (this.rows.children[this.marked]);
    if (!row || !this.list_.clientHeight || this.inSight === this.marked) return; // folded away, nothing lies anywhere
    this.inSight = this.marked;
    bringIntoSight(row, this.list_);
  }
}
