/** Elements that both views use. */

/** @typedef {import("./types.js").MapTraits} MapTraits */
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

const TYPED_IN = "textarea, input:not([type=range], [type=file])";

/**
 * What is pressed with Ctrl or Cmd, such as to save, is for the notebook. It looks when the key reaches the document, so
 * the mark is away just then. Where one types, Ctrl+Z and the like are for what is typed; only saving is not.
 * @param {HTMLElement} root @param {AbortSignal} signal
 */
export function letCommandsThrough(root, signal) {
  window.addEventListener("keydown", (event) => {
    const [target] = event.composedPath();
    if (!(event.ctrlKey || event.metaKey) || !(target instanceof HTMLElement) || !target.dataset.lmSuppressShortcuts) return;
    if (!(root.closest(".camw-panel") ?? root).contains(target)) return;
    if (target.matches(TYPED_IN) && event.key.toLowerCase() !== "s") return;
    delete target.dataset.lmSuppressShortcuts;
    setTimeout(() => keepKeys(target));
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

/** The line for what went wrong. @param {Model<MapTraits>} model @param {string} [at]  the control that it stands beside; the top if empty */
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
 * @param {Model<MapTraits>} model @param {Kernel} kernel  what it is said of @param {HTMLElement[]} regions  what is about to change
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

/** The text boxes and buttons of ipywidgets that stand beside a view keep their keys too. @param {HTMLElement} el */
export function keepKeysBeside(el) {
  for (const each of el.closest(".camw-panel")?.querySelectorAll("input, textarea, button") ?? []) keepKeys(/** @type {HTMLElement} */ (each));
}
