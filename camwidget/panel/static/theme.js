/** Whether a view lies on a dark page. No host says so in a way that all know, so what lies behind the view is looked at. */

import { DARK_PAGE, luminance, surfaceOf } from "./contrast.js";

/** @param {HTMLElement} root @param {() => void} changed  is called once the view is in the page, and when that may have changed @param {AbortSignal} signal */
export function followTheme(root, changed, signal) {
  const look = () => {
    root.toggleAttribute("data-camw-dark", luminance(surfaceOf(root)) < DARK_PAGE);
    changed();
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", look, { signal });
  const themes = new MutationObserver(look);
  for (const each of [document.documentElement, document.body]) themes.observe(each, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "data-theme", "class"] });
  const placed = requestAnimationFrame(look); // a view is rendered before it is put into the page
  signal.addEventListener("abort", () => {
    themes.disconnect();
    cancelAnimationFrame(placed);
  });
}
