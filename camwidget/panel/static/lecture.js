/** What a lecture needs, and its letters: play through the layers, take back, the whole screen, and the sheet with all keys. */

import { element, makeSvg } from "./elements.js";
import { FullScreen } from "./fullscreen.js";
import { History } from "./history.js";
import { KeySheet } from "./key_sheet.js";
import { keepPlainKey, KEY_TABLE, printedKeys, rowOf } from "./keys.js";
import { Player } from "./play.js";

/** @typedef {import("./types.js").MapTraits} MapTraits */
/** @typedef {import("./kernel.js").Kernel} Kernel */
/** @typedef {import("./keys.js").Group} Group */
/**
 * @template {Group} Of
 * @typedef {import("./keys.js").Row<Of>} Row
 */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

const WRITES_OR_CHOOSES = "select, textarea, input:not([type=range], [type=file], [type=checkbox])"; // its letters are its own

/** In a square of 16. */
const DRAWN = {
  play: "M4 2.5v11l9-5.5z", stop: "M3.5 3.5h9v9h-9z", next: "M3 2.5v11l7-5.5zM11 2.5h2v11h-2z",
  undo: "M6 1.5 1.5 6 6 10.5V7.2h4.2a2.3 2.3 0 0 1 0 4.6H6v2h4.2a4.3 4.3 0 0 0 0-8.6H6z",
  full: "M2 2h5v2H4v3H2zM9 2h5v5h-2V4H9zM2 9h2v3h3v2H2zM12 9h2v5H9v-2h3z",
  leave: "M5 2h2v5H2V5h3zM9 2h2v3h3v2H9zM2 9h5v5H5v-3H2zM9 9h5v2h-3v3H9z",
  help: "M5 6a3 3 0 1 1 4.4 2.6c-.5.3-.5.5-.5 1.1H7.1c0-1.2.2-1.9 1.3-2.6A1.2 1.2 0 1 0 6.8 6zM7 11h2v2H7z",
};

/** A small button with a drawing. @param {() => void} act */
function makeButton(act) {
  const button = element("button", "camw-tool");
  button.addEventListener("click", act);
  return button;
}

/** What a button does now. @param {HTMLElement} button @param {keyof typeof DRAWN} drawing @param {string} words @param {Row<"anywhere">} row  whose key does the same */
function label(button, drawing, words, row) {
  if (button.getAttribute("aria-label") === words) return;
  button.replaceChildren(makeSvg(`<path d="${DRAWN[drawing]}"/>`, "0 0 16 16"));
  button.setAttribute("aria-label", words);
  button.setAttribute("aria-keyshortcuts", KEY_TABLE.anywhere.rows[row].keys[0]);
  button.title = `${words} (${printedKeys(KEY_TABLE.anywhere.rows[row])})`;
}

export class Lecture {
  /**
   * @param {Model<MapTraits>} model @param {Kernel} kernel @param {HTMLElement} root
   * @param {{groups: readonly Group[], announce: (words: string) => void}} page  what there are keys for
   * @param {AbortSignal} signal  ends it
   */
  constructor(model, kernel, root, { groups, announce }, signal) {
    this.live = kernel.live;
    this.root = root;
    const show = () => this.show();
    const whole = (/** @type {boolean} */ on) => this.history.asOne(on);
    this.buttons = { play: makeButton(() => this.does.play()), undo: makeButton(() => this.does.undo()), full: makeButton(() => this.does.full()), help: makeButton(() => this.does.help()) };
    this.history = new History(model, kernel, show, signal);
    this.player = new Player(model, root, this.buttons.play, { changed: show, whole }, signal);
    const refused = () => { this.refused = true; this.show(); announce("The browser does not allow full screen here."); };
    this.screen = new FullScreen(root, { changed: show, refused }, signal);
    this.sheet = new KeySheet(root, groups);
    this.refused = false;
    /** @type {Record<Row<"anywhere">, () => void>} */
    this.does = { play: () => this.player.toggle(), undo: () => this.history.back(), full: () => this.screen.toggle(), help: () => this.sheet.toggle() };
    this.box = element("div", "camw-tools");
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", "Play, take back, full screen, keys");
    this.box.append(...Object.values(this.buttons));
    // before what has the focus hears it: a slider keeps all plain keys from the notebook
    root.addEventListener("keydown", (event) => this.onKey(event), { capture: true, signal });
    document.addEventListener("keydown", (event) => { if (this.isAlone(event.target)) this.onKey(event); }, { signal });
    show();
  }

  /** Whether there is nothing but the panel that a key may be meant for. @param {EventTarget | null} target  what has the focus */
  isAlone(target) {
    const { shown, panel } = this.screen;
    return (target === document.body && (!this.live || shown)) || (target === panel && panel !== this.root && shown);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const [target] = event.composedPath();
    if (target instanceof HTMLElement && target.matches(WRITES_OR_CHOOSES)) return;
    const row = rowOf("anywhere", event);
    if (this.sheet.open && row !== "help") return keepPlainKey(event);
    if (!row) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) this.does[row]();
  }

  show() {
    const { play, undo, full, help } = this.buttons;
    const { player, screen } = this;
    if (!screen) return; // not all is made yet
    play.hidden = player.count === 1;
    if (player.playing) label(play, "stop", "Stop", "play");
    else if (player.steps) label(play, "next", "Show the next layer", "play");
    else label(play, "play", "Play through the layers", "play");
    label(undo, "undo", "Undo the last choice", "undo");
    undo.setAttribute("aria-disabled", String(!this.history.before.length)); // not disabled: it would lose the focus
    full.hidden = this.refused || !screen.possible;
    if (screen.shown) label(full, "leave", "Leave full screen", "full");
    else label(full, "full", "Full screen", "full");
    label(help, "help", "Keys", "help");
  }
}
