/** Elements that both views use, and names for those that ipywidgets draws. */

/** @typedef {import("./types.js").MapTraits} MapTraits */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

export const ANNOUNCE_AFTER_MS = 500;
const BUSY_AFTER_MS = 300; // what takes no longer is over before anybody reads that it goes on

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {string} className @param {string} [text]
 */
export function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
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

/** The line for what went wrong. @param {Model<MapTraits>} model */
export function makeMessage(model) {
  const message = element("p", "camw-message");
  message.setAttribute("role", "alert");
  const show = () => {
    message.textContent = model.get("message");
    message.hidden = !model.get("message");
  };
  show();
  return { message, show };
}

/**
 * The line for what the kernel is working out, and the same for screen readers. It is outside of what is marked as
 * busy, because a change inside of that is not read out.
 * @param {Model<MapTraits>} model @param {HTMLElement[]} regions  what is about to change
 */
export function makeBusy(model, ...regions) {
  const busy = element("p", "camw-busy");
  busy.setAttribute("role", "status");
  let timer = 0;
  const show = () => {
    const work = model.get("busy");
    for (const each of regions) each.setAttribute("aria-busy", String(Boolean(work)));
    clearTimeout(timer);
    if (!work) busy.textContent = "";
    else timer = window.setTimeout(() => { busy.textContent = `${work} \u2026`; }, BUSY_AFTER_MS);
  };
  show();
  return { busy, show, stop: () => clearTimeout(timer) };
}

/** ipywidgets draws its sliders without a name for screen readers; the panel gives each the one it shows. @param {HTMLElement} el */
export function nameControls(el) {
  const panel = el.closest(".camw-panel");
  for (const slider of panel?.querySelectorAll(".widget-slider") ?? []) {
    const handle = slider.querySelector("[role=slider]");
    handle?.setAttribute("aria-label", slider.querySelector(".widget-label")?.textContent ?? "");
    const readout = slider.querySelector(".widget-readout");
    if (handle && readout?.textContent && slider.classList.contains("camw-slider")) handle.setAttribute("aria-valuetext", readout.textContent);
  }
  for (const choice of panel?.querySelectorAll(".camw-choice") ?? []) {
    const group = choice.querySelector(".widget-radio-box");
    group?.setAttribute("role", "radiogroup");
    group?.setAttribute("aria-label", choice.querySelector(".widget-label")?.textContent ?? "");
  }
}
