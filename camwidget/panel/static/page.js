/** The page that a panel is saved as, without a kernel. It hands the view an object with the calls that it uses. */

import { linkOf, positionsOf } from "./link.js";

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

/** @returns {Promise<PageData>} */
async function readData() {
  /** @type {PageData} */
  const data = JSON.parse(place("camw-data").textContent ?? "");
  const bytes = (/** @type {string} */ text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  for (const [name, text] of Object.entries(data.binary)) Object.assign(data.state, { [name]: bytes(text) });
  data.state.maps = await unpacked(bytes(data.packed).buffer);
  return data;
}

/** @param {string} id */
const place = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {State} state @returns {Model} */
function makeModel(state) {
  /** @type {Map<string, ((content?: never) => void)[]>} */
  const listeners = new Map();
  const of = (/** @type {string} */ event) => listeners.get(event) ?? [];
  return {
    get: (name) => state[name],
    set(name, value) {
      state[name] = value;
      for (const each of of(`change:${name}`)) each();
    },
    on: (event, added) => listeners.set(event, [...of(event), added]),
    off: (event, gone) => listeners.set(event, of(event).filter((each) => each !== gone)),
    save_changes() {},
    send() {},
  };
}

/** @param {(context: Context) => unknown} render  of the view that the page shows */
export function openPage(render) {
  readData().then(({ state }) => {
    const model = makeModel(state);
    followAddress(model);
    render({ model, el: place("camw-view") });
  });
}

/** Show what the address asks for, and let it follow what is shown. @param {Model} model */
function followAddress(model) {
  const manifest = model.get("manifest");
  if (!manifest.layers) return;
  const go = () => {
    for (const [trait, position] of Object.entries(positionsOf(location.hash, manifest))) if (model.get(/** @type {keyof State} */ (trait)) !== undefined) model.set(/** @type {keyof State} */ (trait), /** @type {never} */ (position));
  };
  go();
  addEventListener("hashchange", go);
  const write = () => history.replaceState(null, "", linkOf((trait) => model.get(/** @type {keyof State} */ (trait)), manifest)); // not an entry for each step of a slider
  for (const trait of /** @type {const} */ (["layer_index", "class_index", "method_index", "other_class_index", "mode_index"])) model.on(`change:${trait}`, write);
}
