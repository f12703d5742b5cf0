/** A text, and a second one beside it, with their maps: everything that moves without asking the kernel. */

import { Column } from "./column.js";
import { coloursOf, DARK_PAGE, lettersOf, luminance, surfaceOf } from "./contrast.js";
import { ANNOUNCE_AFTER_MS, discard, element, focusedIn, keepKeysBeside, letCommandsThrough, makeAnnouncer, makeBusy, makeMessage, makeRoot } from "./elements.js";
import { headline } from "./facts.js";
import { formatNumber } from "./format.js";
import { Kernel } from "./kernel.js";
import { Lecture } from "./lecture.js";
import { Look } from "./look.js";
import { bytesOf, paintedNow } from "./maps.js";
import { choose, ending, follow, together } from "./model.js";
import { Slider } from "./slider.js";
import { followTheme } from "./theme.js";

/** @typedef {import("./types.js").ClassEntry} ClassEntry */
/** @typedef {import("./types.js").LayerEntry} LayerEntry */
/** @typedef {import("./types.js").StepColours} StepColours */
/** @typedef {import("./types.js").TextManifest} TextManifest */
/** @typedef {import("./types.js").Model<import("./types.js").TextTraits>} Model */
/** @typedef {import("./types.js").Context<import("./types.js").TextTraits>} Context */

/** The layer slider, with the names of the layers under its stops. @param {Model} model */
function makeLayers(model) {
  const slider = new Slider("Layer", (i) => choose(model, "layer_index", i));
  const names = element("div", "camw-stops");
  const box = element("div", "camw-strip camw-words-strip");
  box.append(slider.input, names);
  return {
    box,
    /** @param {LayerEntry[]} layers */
    list(layers) {
      box.style.setProperty("--camw-count", String(Math.max(1, layers.length)));
      slider.list(layers.map((each) => `${each.name}, ${each.channels} channels`));
      names.replaceChildren(...layers.map((each, i) => {
        const button = element("button", "camw-stop", each.name);
        button.tabIndex = -1; // keys have the slider
        button.title = `Layer ${each.name}, ${each.channels} channels`;
        button.addEventListener("click", () => choose(model, "layer_index", i));
        return button;
      }));
    },
    /** @param {number} layer */
    stand(layer) {
      slider.stand(layer);
      for (const [i, each] of [...names.children].entries()) each.setAttribute("aria-pressed", String(i === layer));
    },
  };
}

/** @type {import("./keys.js").Group[]} */
const KEY_GROUPS = ["anywhere", "layer", "class", "words"];

/** The elements, in the order of the page. @param {Model} model @param {AbortSignal} signal */
function makePage(model, signal) {
  const root = makeRoot("Words of the text, coloured by what they say to the network");
  const kernel = new Kernel(model, signal);
  const heading = element("p", "camw-heading");
  const look = new Look(model, null);
  const line = element("div", "camw-line");
  const { message, show: showMessage } = makeMessage(model);
  const layers = makeLayers(model);
  const change = element("p", "camw-change");
  change.setAttribute("role", "status");
  const announcer = makeAnnouncer();
  const announce = (/** @type {string} */ text) => { announcer.textContent = text; };
  const lecture = new Lecture(model, kernel, root, { groups: kernel.live ? [...KEY_GROUPS, "list", "search", "deletion"] : KEY_GROUPS, announce }, signal);
  const bar = element("div", "camw-actions");
  bar.append(look.box, lecture.box);
  line.append(heading, bar);
  const columns = [0, 1].map((number) => new Column(model, number, kernel, announce, signal));
  const texts = element("div", "camw-texts");
  texts.append(...columns.map((each) => each.box));
  const working = makeBusy(model, kernel, texts);
  root.append(line, working.busy, message, layers.box, change, texts, announcer);
  const { classes } = columns[0].facts;
  letCommandsThrough(root, signal);
  root.addEventListener("keydown", (event) => { if (event.target === classes.slider.input) classes.onKey(event); }, { signal });
  const showMessages = () => { showMessage(); classes.showMessage(); };
  showMessages();
  return { root, kernel, heading, look, lecture, layers, showMessage: showMessages, change, announce, columns, texts, working };
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
    this.unfollow = this.follow();
    this.load();
    followTheme(this.page.root, () => this.onTheme(), this.listening.signal);
  }

  follow() {
    const paint = () => this.paint();
    const load = together(this.model, ["manifest", "maps", "names"], () => this.load());
    return follow(this.model, {
      layer_index: paint, class_index: paint, method_index: paint, only_for: paint, own_scale: paint,
      manifest: load, maps: load, message: this.page.showMessage, message_at: this.page.showMessage,
      busy: this.page.working.show, names: load,
    });
  }

  /** The letters' colour depends on what lies behind the text, so a change of theme is a change of colours. */
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
    this.page.look.list(manifest);
    this.page.layers.list(manifest.layers);
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
    this.page.look.show();
    this.page.lecture.show();
    this.page.layers.stand(columns[0].maps.at().layer);
    root.dataset.painted = paintedNow(columns[0].maps);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      announce(`${heading.textContent}. ${[...root.querySelectorAll(".camw-row")].slice(0, 3).map((row) => row.textContent).join(", ")}`);
      keepKeysBeside(this.el); // by now they are in the page
    }, ANNOUNCE_AFTER_MS);
  }

  /** What the last deleted word did, and a way back. @param {TextManifest} manifest */
  paintChange(manifest) {
    const { change, columns } = this.page;
    const done = manifest.change;
    const live = Boolean(this.model.get("live"));
    const focused = focusedIn(change) !== null; // on a button that is about to go
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
      if (event.detail < 2) this.page.kernel.ask({ do: "undo" }); // the second click of a double-click may meet the button of an older deletion
    });
    return undo;
  }

  /** Stop, and let go of everything large: who still holds the view or one of its elements holds no text. */
  close() {
    clearTimeout(this.timer);
    this.page.working.stop();
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
  return ending(new PairView(context));
}

export default { render };
