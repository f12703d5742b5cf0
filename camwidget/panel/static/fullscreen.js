/** A panel on the whole screen, enlarged so that it can be read from the last row. */

/** The room that is laid out for; a larger screen shows it larger. */
const ROOM = { width: 1280, height: 720 };
const LARGEST = 3;

/** How much larger everything is on a screen. @param {number} width @param {number} height  in pixels of the browser */
export function enlargement(width, height) {
  const factor = Math.min(width / ROOM.width, height / ROOM.height);
  return Math.min(LARGEST, Math.max(1, Math.floor(20 * factor) / 20));
}

export class FullScreen {
  /** @param {HTMLElement} root @param {{changed: () => void, refused: () => void}} on @param {AbortSignal} signal */
  constructor(root, on, signal) {
    this.root = root;
    this.on = on;
    this.shown = false;
    document.addEventListener("fullscreenchange", () => this.follow(), { signal });
    window.addEventListener("resize", () => { if (this.shown) this.fit(); }, { signal });
  }

  /** Whether the browser, and the page around the panel, allow it. */
  get possible() {
    return Boolean(document.fullscreenEnabled && this.root.requestFullscreen);
  }

  /** The panel with its text boxes and buttons, or the view where it stands alone. @returns {HTMLElement} */
  get panel() {
    return this.root.closest(".camw-panel") ?? this.root;
  }

  toggle() {
    if (!this.possible) return;
    if (this.shown) document.exitFullscreen().catch(() => {}); // it has ended meanwhile: the browser says no
    else this.panel.requestFullscreen().catch(() => this.on.refused());
  }

  follow() {
    const { panel, root } = this;
    const shown = /** @type {Document | ShadowRoot} */ (root.getRootNode()).fullscreenElement === panel;
    if (shown === this.shown) return;
    this.shown = shown;
    root.toggleAttribute("data-camw-full", shown);
    if (shown) {
      // a click beside the controls keeps the focus here, where the keys are heard
      Object.assign(panel, { tabIndex: -1 }).dataset.lmSuppressShortcuts = "true";
      this.fit();
    } else {
      panel.removeAttribute("tabindex");
      delete panel.dataset.lmSuppressShortcuts;
      for (const name of ["zoom", "--camw-room"]) panel.style.removeProperty(name);
    }
    this.on.changed();
  }

  fit() {
    const { panel } = this;
    let factor = enlargement(innerWidth, innerHeight);
    panel.style.setProperty("zoom", String(factor));
    if (panel.getBoundingClientRect().width < 0.98 * innerWidth) {
      factor = 1; // a browser that measures what is enlarged in other units than the pointer: cells would be missed
      panel.style.removeProperty("zoom");
    }
    panel.style.setProperty("--camw-room", `${innerHeight / factor}px`);
  }
}
