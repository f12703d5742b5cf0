/** The page that a panel is saved as, without a kernel. It hands the view an object with the calls that it uses. */

import { linkOf, positionsOf, unknownWords } from "./link.js";
import { viewOf } from "./saved.js";

/** @typedef {import("./types.js").PageData} PageData */
/** @typedef {PageData["state"]} State */
/** @typedef {import("./types.js").Model<State>} Model */
/** @typedef {import("./types.js").Context<State>} Context */

/** The numbers that `packing.py` made small: all low bytes, then all high ones. @param {ArrayBuffer} packed */
export async function unpacked(packed) {
  const inflated = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const halves = new Uint8Array(await new Response(inflated).arrayBuffer());
  const count = halves.length / 2;
  const bytes = new Uint8Array(halves.length);
  for (let i = 0; i < count; i++) {
    bytes[2 * i] = halves[i];
    bytes[2 * i + 1] = halves[count + i];
  }
  return new DataView(bytes.buffer);
}

/** What Python wrote into the page. @returns {PageData} */
export function readData() {
  /** @type {PageData} */
  const data = JSON.parse(elementOf("camw-data").textContent ?? "");
  for (const [name, text] of Object.entries(data.binary)) Object.assign(data.state, { [name]: viewOf(text) });
  return data;
}

/** An element that every page has. @param {string} id */
export const elementOf = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * A model that nobody listens to.
 * @template {object} Traits
 * @param {Traits} state @returns {import("./types.js").Model<Traits>}
 */
export function makeModel(state) {
  /** @type {Map<string, ((content: undefined, buffers: never[]) => void)[]>} */
  const listeners = new Map();
  const of = (/** @type {string} */ event) => listeners.get(event) ?? [];
  return {
    get: (name) => state[name],
    set(name, value) {
      state[name] = value;
      for (const each of of(`change:${String(name)}`)) each(undefined, []);
    },
    on: (event, added) => listeners.set(event, [...of(event), added]),
    off: (event, gone) => listeners.set(event, of(event).filter((each) => each !== gone)),
    save_changes() {},
    send() {},
  };
}

/** @param {(context: Context) => unknown} render  of the view that the page shows */
export function openPage(render) {
  const { state, packed } = readData();
  unpacked(/** @type {ArrayBuffer} */ (viewOf(packed).buffer)).then((maps) => {
    state.maps = maps;
    const model = makeModel(state);
    followAddress(model);
    render({ model, el: elementOf("camw-view") });
  });
}

/** Show what the address asks for, and let it follow what is shown. @param {Model} model */
function followAddress(model) {
  const manifest = model.get("manifest");
  if (!manifest.layers) return;
  let told = "";
  const go = () => {
    for (const [trait, position] of Object.entries(positionsOf(location.hash, manifest))) if (model.get(/** @type {keyof State} */ (trait)) !== undefined) model.set(/** @type {keyof State} */ (trait), /** @type {never} */ (position));
  };
  const tell = () => {
    const words = unknownWords(location.hash, manifest);
    if (words !== told) model.set("message", words);
    told = words;
  };
  tell(); // first: what is shown is written into the address
  go();
  addEventListener("hashchange", () => { tell(); go(); });
  const write = () => history.replaceState(null, "", linkOf((trait) => model.get(/** @type {keyof State} */ (trait)), manifest)); // not an entry for each step of a slider
  for (const trait of /** @type {const} */ (["layer_index", "class_index", "method_index", "other_class_index", "mode_index"])) model.on(`change:${trait}`, write);
}
