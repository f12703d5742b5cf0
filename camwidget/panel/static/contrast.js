/** Colours that can be read: what lies behind a text, and which letters and lines show on it. */

/** @typedef {import("./types.js").StepColours} StepColours */

export const FULL_STEP = 80; // so far from zero colours are opaque

const DARK = [0, 0, 0]; // with white, one of the two always has a contrast of 4.5
const WHITE = [255, 255, 255];
export const DARK_PAGE = 0.18; // luminance of a page that counts as dark; middle grey
const SIGN_LINE = 3; // the contrast that a line needs with what it lies on
const DARKER = 0.4;
const LINE_FROM = 0.2; // share of the scale from which on the line is full; it fades to nothing at zero
const OWN_LETTERS = 6; // the contrast down to which letters keep their own colour; 4.5 is what readers need

/** Relative luminance, as the rules for accessible contrast define it. @param {ArrayLike<number>} colour */
export function luminance(colour) {
  const [r, g, b] = [0, 1, 2].map((k) => (colour[k] <= 10.31475 ? colour[k] / 3294.6 : ((colour[k] / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Red, green and blue to 255 and the opacity to 1, of a colour as a browser computes it: rgb(), or a newer form such as color(srgb 1 1 1). @param {string} colour */
export function rgbaOf(colour) {
  const numbers = colour.match(/[\d.]+/g)?.map(Number) ?? [];
  if (/^rgba?\(/.test(colour)) return [...numbers.slice(0, 3), numbers[3] ?? 1];
  const sheet = document.createElement("canvas");
  sheet.width = sheet.height = 1;
  const context = /** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d", { willReadFrequently: true }));
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
  sheet.width = sheet.height = 0;
  return [r, g, b, a / 255];
}

/** What an element lies in that is the first of a shadow tree. @param {Element} at */
function outside(at) {
  const tree = at.getRootNode();
  return tree instanceof ShadowRoot ? tree.host : null;
}

/** The colour that a page has by itself. Within a frame that is what the page around it has, of which only the preference is known. */
function canvasColour() {
  if (window.top !== window) return matchMedia("(prefers-color-scheme: dark)").matches ? DARK : WHITE;
  const probe = document.createElement("div");
  probe.style.background = "Canvas"; // is dark only where the page lets the browser choose its colours, or chose dark ones
  document.documentElement.append(probe);
  const found = rgbaOf(getComputedStyle(probe).backgroundColor);
  probe.remove();
  return found;
}

/** What lies behind an element: the first background that is not transparent. @param {Element | null} at */
export function surfaceOf(at) {
  for (; at; at = at.parentElement ?? outside(at)) {
    const found = rgbaOf(getComputedStyle(at).backgroundColor);
    if (found[3] > 0.5) return found;
  }
  return canvasColour();
}

/** How well one colour reads on another, from 1 to 21. @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/**
 * For each step of the colour table a background, and letters that read well on it: the text's own as long as they do,
 * so that a faint colour does not change the letters too; else dark or white, whichever reads better. And a line that
 * tells the sign without its colour, since it lies below for and above against: the colour of the table's end, a
 * darker one on strong colours, or the letters' where neither shows.
 * @param {Uint8Array} colormap @param {number[]} surface @param {number[]} own
 * @returns {StepColours[]}
 */
export function coloursOf(colormap, surface, own) {
  return Array.from({ length: 257 }, (_, step) => {
    const [r, g, b, a] = colormap.subarray(4 * step, 4 * step + 4);
    const seen = [r, g, b].map((each, k) => (each * a + surface[k] * (255 - a)) / 255);
    const back = `rgba(${r}, ${g}, ${b}, ${(a / 255).toFixed(3)})`;
    const read = a === 0 || contrast(own, seen) >= OWN_LETTERS ? own : contrast(WHITE, seen) > contrast(DARK, seen) ? WHITE : DARK;
    const end = [...colormap.subarray(step < 128 ? 0 : 1024, step < 128 ? 3 : 1027)];
    const shows = [end, end.map((each) => each * DARKER)].find((each) => contrast(each, seen) >= SIGN_LINE) ?? read;
    const strength = Math.min(1, Math.abs(step - 128) / (128 * LINE_FROM));
    const line = `rgba(${shows.map(Math.round).join(", ")}, ${strength.toFixed(3)})`;
    return { back, letters: read === own ? "" : `rgb(${read.join(", ")})`, line };
  });
}

/** The colour of an element's letters, on what lies behind them. @param {Element} at @param {number[]} surface */
export function lettersOf(at, surface) {
  const [r, g, b, a] = rgbaOf(getComputedStyle(at).color);
  return [r, g, b].map((each, k) => each * a + surface[k] * (1 - a));
}
