/** A text, and a second one beside it, with their maps: everything that moves without asking the kernel. */

import { Column } from "./column.js";
import { coloursOf, DARK_PAGE, lettersOf, luminance, surfaceOf } from "./contrast.js";
import {
  ANNOUNCE_AFTER_MS, discard, element, makeAnnouncer, makeBusy, makeMessage, makeRoot, nameControls,
} from "./elements.js";
import { headline } from "./facts.js";
import { formatNumber } from "./format.js";
import { bytesOf, paintedNow } from "./maps.js";
import { follow } from "./model.js";

/** @typedef {import("./types.js").ClassEntry} ClassEntry */
/** @typedef {import("./types.js").StepColours} StepColours */
/** @typedef {import("./types.js").TextManifest} TextManifest */
/** @typedef {import("./types.js").Model<import("./types.js").TextTraits>} Model */
/** @typedef {import("./types.js").Context<import("./types.js").TextTraits>} Context */

/** The elements, in the order of the page. @param {Model} model @param {AbortSignal} signal */
function makePage(model, signal) {
  const root = makeRoot("Words of the text, coloured by what they say to the network");
  const heading = element("p", "camw-heading");
  const { message, show: showMessage } = makeMessage(model);
  const change = element("p", "camw-change");
  change.setAttribute("role", "status");
  const announcer = makeAnnouncer();
  const announce = (/** @type {string} */ text) => { announcer.textContent = text; };
  const columns = [0, 1].map((number) => new Column(model, number, announce, signal));
  const texts = element("div", "camw-texts");
  texts.append(...columns.map((each) => each.box));
  const working = makeBusy(model, texts);
  root.append(heading, working.busy, message, change, texts, announcer);
  return { root, heading, showMessage, change, announce, columns, texts, working };
}

/** What the network said and says of a class: "0.93 -> 0.61". @param {number | undefined} before @param {ClassEntry} now */
function moved(before, now) {
  const told = (/** @type {number} */ value) => (now.probability === null ? formatNumber(value) : value.toFixed(2));
  return `${before === undefined ? "" : `${told(before)} \u2192 `}${told(now.value)}`;
}

class PairView {
  /** @param {Context} context */
  constructor({ model, el }) {
    this.model = model;
    this.el = el;
    this.listening = new AbortController();
    this.page = makePage(model, this.listening.signal);
    el.append(this.page.root);
    this.colormap = new Uint8Array(257 * 4);
    /** @type {StepColours[]} */
    this.colours = [];
    /** @type {TextManifest | null} */
    this.manifest = null;
    this.timer = 0;
    this.themes = this.followTheme();
    this.unfollow = this.follow();
    this.load();
    this.placed = requestAnimationFrame(() => this.onTheme()); // a view is rendered before it is put into the page
  }

  follow() {
    const paint = () => this.paint();
    return follow(this.model, {
      layer_index: paint, class_index: paint, method_index: paint, only_for: paint, own_scale: paint,
      manifest: () => this.load(), message: this.page.showMessage, busy: this.page.working.show,
    });
  }

  /** The letters' colour depends on what lies behind the text, so a change of theme is a change of colours. */
  followTheme() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.onTheme(), { signal: this.listening.signal });
    const themes = new MutationObserver(() => this.onTheme());
    themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });
    return themes;
  }

  onTheme() {
    this.readColours();
    this.paint();
  }

  readColours() {
    const surface = surfaceOf(this.el);
    this.colormap = new Uint8Array(bytesOf(this.model.get(luminance(surface) < DARK_PAGE ? "dark_colormap" : "colormap")));
    this.colours = coloursOf(this.colormap, surface, lettersOf(this.page.texts, surface));
  }

  /** The columns that are shown. */
  shown() {
    return this.manifest?.other ? this.page.columns : this.page.columns.slice(0, 1);
  }

  load() {
    const manifest = this.model.get("manifest");
    if (!manifest.layers) return;
    this.manifest = manifest;
    this.readColours();
    const { columns, texts } = this.page;
    const focused = columns.find((each) => each.words.hadFocus());
    texts.classList.toggle("camw-two", Boolean(manifest.other));
    columns[1].box.hidden = !manifest.other;
    columns[0].load(manifest);
    if (manifest.other) columns[1].load(manifest.other);
    this.paint();
    if (focused && this.shown().includes(focused)) focused.words.focus();
  }

  paint() {
    if (!this.manifest) return;
    const { root, heading, columns, announce } = this.page;
    const scale = Math.max(...this.shown().map((each) => each.scale())); // one scale, so that two texts can be compared
    for (const each of this.shown()) each.paint(scale, this.colours, this.colormap);
    heading.replaceChildren(...headline(columns[0].maps, this.manifest.other));
    this.paintChange(this.manifest);
    root.dataset.painted = paintedNow(columns[0].maps);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      announce(`${heading.textContent}. ${[...root.querySelectorAll(".camw-row")].slice(0, 3).map((row) => row.textContent).join(", ")}`);
      nameControls(this.el); // by now the slider's own text has followed
    }, ANNOUNCE_AFTER_MS);
  }

  /** What the last deleted word did, and a way back. @param {TextManifest} manifest */
  paintChange(manifest) {
    const { change, columns } = this.page;
    const done = manifest.change;
    const live = Boolean(this.model.get("live"));
    const focused = change.contains(document.activeElement); // on a button that is about to go
    change.hidden = !done && !live;
    change.classList.toggle("camw-hint", !done); // there is always a line, so that the words stay under the pointer
    if (!done) {
      change.replaceChildren("A click on a word deletes it.");
      if (focused) columns[0].words.focus();
      return;
    }
    const now = (done.text && manifest.other ? manifest.other : manifest).classes[columns[0].maps.at().target];
    const undo = this.makeUndo();
    change.replaceChildren(
      "Without ", element("strong", "", `\u201c${done.word}\u201d`), `: ${now.name} `,
      element("strong", "camw-moved", moved(done.before[String(now.index)], now)), ...(live ? [undo] : []),
    );
    if (focused) undo.focus();
  }

  makeUndo() {
    const undo = element("button", "camw-undo", "Undo");
    undo.addEventListener("click", (event) => {
      if (event.detail < 2) this.model.send({ do: "undo" }); // the second click of a double-click may meet the button of an older deletion
    });
    return undo;
  }

  /** Stop, and let go of everything large: who still holds the view or one of its elements holds no text. */
  close() {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.placed);
    this.page.working.stop();
    this.themes.disconnect();
    this.unfollow();
    this.listening.abort();
    for (const each of this.page.columns) each.close();
    this.manifest = null;
    this.colours = [];
    discard(this.page.root);
  }
}

/** @param {Context} context */
export function render(context) {
  /** @type {PairView | null} */
  let view = new PairView(context);
  return () => {
    view?.close();
    view = null; // notebooks hold on to this function
  };
}

export default { render };
