
/**
 * The page that a panel is saved as: plain inputs in place of the notebook's sliders, and no kernel. It stands behind
 * the view's own module, and hands it an object with the five calls that it uses.
 */
function openPage() {
  const { state, binary, labels } = JSON.parse(/** @type {HTMLElement} */ (document.getElementById("camw-data")).textContent ?? "");
  for (const [name, text] of Object.entries(binary)) state[name] = new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  /** @type {Map<string, (() => void)[]>} */
  const listeners = new Map();
  const model = {
    get: (/** @type {string} */ name) => state[name],
    /** @param {string} name @param {any} value */
    set(name, value) {
      state[name] = value;
      for (const each of listeners.get(`change:${name}`) ?? []) each();
    },
    on: (/** @type {string} */ event, /** @type {() => void} */ each) => listeners.set(event, [...(listeners.get(event) ?? []), each]),
    off: (/** @type {string} */ event, /** @type {() => void} */ gone) => listeners.set(event, (listeners.get(event) ?? []).filter((each) => each !== gone)),
    save_changes() {},
  };
  render({ model, el: /** @type {HTMLElement} */ (document.getElementById("camw-view")) });

  const controls = /** @type {HTMLElement} */ (document.getElementById("camw-controls"));
  /** @param {string} label @param {HTMLElement} input @param {HTMLElement[]} more */
  const labelled = (label, input, ...more) => {
    const made = element("label", "camw-control");
    input.setAttribute("aria-label", label); // without the words beside it, which are its value
    made.append(element("span", "", label), input, ...more);
    controls.append(made);
  };
  /** @param {string} label @param {string} trait @param {{min: number, max: number, step: number, words?: string[]}} range */
  const slider = (label, trait, { min, max, step, words }) => {
    const input = /** @type {HTMLInputElement} */ (element("input", ""));
    input.type = "range";
    [input.min, input.max, input.step] = [min, max, step].map(String);
    const output = element("output", "");
    const follow = () => {
      input.value = String(state[trait]);
      const text = words ? words[clamp(state[trait], words.length)] : `${Math.round(100 * state[trait])} %`;
      output.textContent = text;
      input.setAttribute("aria-valuetext", text);
    };
    input.addEventListener("input", () => model.set(trait, Number(input.value)));
    model.on(`change:${trait}`, follow);
    follow();
    labelled(label, input, output);
  };
  /** @param {string} label @param {string} trait @param {string[]} words */
  const select = (label, trait, words) => {
    const input = /** @type {HTMLSelectElement} */ (element("select", ""));
    input.append(...words.map((word, i) => {
      const option = /** @type {HTMLOptionElement} */ (element("option", "", word));
      option.value = String(i);
      return option;
    }));
    const follow = () => { input.value = String(state[trait]); };
    input.addEventListener("change", () => model.set(trait, Number(input.value)));
    model.on(`change:${trait}`, follow);
    follow();
    labelled(label, input);
  };
  slider("Layer", "layer_index", { min: 0, max: labels.layers.length - 1, step: 1, words: labels.layers });
  slider("Class", "class_index", { min: 0, max: labels.classes.length - 1, step: 1, words: labels.classes });
  select("Method", "method_index", labels.methods);
  if ("cells" in state) select("Cells", "cells", ["smooth", "cells"]);
  select("Evidence", "only_for", ["for and against", "only for"]);
  select("Scale", "own_scale", ["shared", "own"]);
  if ("heatmap_opacity" in state) slider("Heatmap", "heatmap_opacity", { min: 0, max: 1, step: 0.05 });
}
openPage();
