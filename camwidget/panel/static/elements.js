/** Elements that all views use. */

import { isCommand } from "./keys.js";

/** @typedef {import("./types.js").Told} Told */
/** @typedef {import("./kernel.js").Kernel} Kernel */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

export const ANNOUNCE_AFTER_MS = 500;
const BUSY_AFTER_MS = 300; // what takes no longer is over before anybody reads that it goes on

const FOCUSABLE = new Set(["button", "input", "select", "summary", "textarea"]);

/**
 * Keep the keys that are pressed on an element from a notebook, whose commands hide cells, go to others or delete them.
 * It has to stand on what has the focus; on a box around it, it does nothing.
 * @template {HTMLElement} Made
 * @param {Made} made
 */
export function keepKeys(made) {
  made.dataset.lmSuppressShortcuts = "true";
  return made;
}

const TYPED_IN = "textarea, input:not([type=range], [type=file], [type=checkbox])";
const EDITS = new Set(["a", "c", "v", "x", "y", "z", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "Backspace", "Delete"]);

/** Whether a key with Ctrl, Cmd or Alt is for what has the focus all the same: it edits what is typed, or opens a list. @param {HTMLElement} target @param {KeyboardEvent} event */
function isOwnCommand(target, event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (target.matches(TYPED_IN)) return event.altKey || EDITS.has(key); // with Alt one writes letters
  return target.matches("select") && event.altKey;
}

/**
 * What is pressed with Ctrl, Cmd or Alt, such as to save or to run the cell, is for the notebook. It looks when the key
 * reaches the document, so the mark is away just then. A page that is busy hears the next key before its timers.
 * @param {HTMLElement} root @param {AbortSignal} signal
 */
export function letCommandsThrough(root, signal) {
  /** @type {HTMLElement | null} */
  let unmarked = null;
  const mark = () => {
    if (unmarked) keepKeys(unmarked);
    unmarked = null;
  };
  window.addEventListener("keydown", (event) => {
    mark();
    const [target] = event.composedPath();
    if (!isCommand(event) || !(target instanceof HTMLElement) || !target.dataset.lmSuppressShortcuts) return;
    if (!(root.closest(".camw-panel") ?? root).contains(target) || isOwnCommand(target, event)) return;
    delete target.dataset.lmSuppressShortcuts;
    unmarked = target;
    setTimeout(mark);
  }, { capture: true, signal });
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {string} className @param {string} [text]
 */
export function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return FOCUSABLE.has(tag) ? keepKeys(made) : made;
}

/** Write what is not there yet: the same words written again would be laid out again. @param {Element} at @param {string} words */
export function say(at, words) {
  if (at.textContent !== words) at.textContent = words;
}

/** A drawing in the colour of the letters. The parser knows its namespace, so that no address stands in a page that asks for none. @param {string} shapes @param {string} [box]  what is seen of it */
export function makeSvg(shapes, box) {
  const size = box ? ` viewBox="${box}"` : "";
  const svg = /** @type {SVGSVGElement} */ (new DOMParser().parseFromString(`<svg${size}>${shapes}</svg>`, "text/html").querySelector("svg"));
  svg.setAttribute("aria-hidden", "true");
  return svg;
}

/** What has the focus in a box, or null. In marimo a view lies in a shadow tree, of which the document knows only the host. @param {HTMLElement} box */
export function focusedIn(box) {
  const { activeElement } = /** @type {Document | ShadowRoot} */ (box.getRootNode());
  return activeElement && box.contains(activeElement) ? activeElement : null;
}

/** The element that holds a whole view. @param {string} label  for screen readers */
export function makeRoot(label) {
  const root = element("div", "camw-view");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", label);
  return root;
}

/**
 * Take a view out of the page. Its host may hold on to single elements for long after, so none keeps another, and no
 * canvas keeps its pixels.
 * @param {HTMLElement} root
 */
export function discard(root) {
  for (const canvas of root.querySelectorAll("canvas")) canvas.width = canvas.height = 0;
  root.replaceChildren();
  root.remove();
}

/** A line that is read out, and not seen. */
export function makeAnnouncer() {
  const announcer = element("p", "camw-quiet");
  announcer.setAttribute("aria-live", "polite");
  return announcer;
}

/** The line for what went wrong. @param {Model<Told>} model @param {string} [at]  the control that it stands beside; the top if empty */
export function makeMessage(model, at = "") {
  const message = element("p", "camw-message");
  message.setAttribute("role", "alert");
  const show = () => {
    const here = model.get("message") && (model.get("message_at") || "") === at;
    message.textContent = here ? model.get("message") : "";
    message.hidden = !here;
  };
  show();
  return { message, show };
}

/**
 * The line for what the kernel is working out, and the same for screen readers. It is outside of what is marked as
 * busy, because a change inside of that is not read out.
 * @param {Model<Told>} model @param {Kernel} kernel  what it is said of @param {HTMLElement[]} regions  what is about to change
 */
export function makeBusy(model, kernel, ...regions) {
  const busy = element("p", "camw-busy");
  busy.setAttribute("role", "status");
  let timer = 0;
  const show = () => {
    const work = model.get("busy");
    for (const each of regions) each.setAttribute("aria-busy", String(Boolean(work)));
    clearTimeout(timer);
    busy.classList.toggle("camw-still-slides", !work);
    if (!work) busy.textContent = kernel.words && `${kernel.words}.`;
    else timer = window.setTimeout(() => { busy.textContent = `${work} \u2026`; }, BUSY_AFTER_MS);
  };
  kernel.follow(show);
  return { busy, show, stop: () => clearTimeout(timer) };
}

/** Scroll a box, and not the notebook around it, as little as shows one of its rows whole. @param {HTMLElement} row @param {HTMLElement} box  what the row's offset is taken from */
export function bringIntoSight(row, box) {
  if (row.offsetTop < box.scrollTop) box.scrollTop = row.offsetTop;
  if (row.offsetTop + row.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = row.offsetTop + row.offsetHeight - box.clientHeight;
}

/** The text boxes and buttons of ipywidgets that stand beside a view keep their keys too. @param {HTMLElement} el */
export function keepKeysBeside(el) {
  for (const each of el.closest(".camw-panel")?.querySelectorAll("input, textarea, button") ?? []) keepKeys(/** @type {HTMLElement} */ (each));
}
