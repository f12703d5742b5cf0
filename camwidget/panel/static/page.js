/** The page that a panel is saved as, without a kernel. It hands the view an object with the calls that it uses. */

/** @typedef {import("./types.js").PageData} PageData */
/** @typedef {PageData["state"]} State */
/** @typedef {import("./types.js").Model<State>} Model */
/** @typedef {import("./types.js").Context<State>} Context */

/** @returns {PageData} */
function readData() {
  /** @type {PageData} */
  const data = JSON.parse(place("camw-data").textContent ?? "");
  const bytes = (/** @type {string} */ text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  for (const [name, text] of Object.entries(data.binary)) Object.assign(data.state, { [name]: bytes(text) });
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
  const { state } = readData();
  render({ model: makeModel(state), el: place("camw-view") });
}
