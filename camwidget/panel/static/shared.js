/**
 * What the picture's view and the text's have in common: numbers for reading, the maps that the kernel sent, and the
 * facts beside them. Python puts this file in front of `picture.js` or `text.js`; together they are one module.
 */

/** @typedef {{offset: number, unit: number, contributions: number | null, bias: number | null, reason: string}} MapEntry */
/** @typedef {{name: string, map_height: number, map_width: number, channels: number}} LayerEntry */
/** @typedef {{index: number, name: string, probability: number, logit: number}} ClassEntry */
/** @typedef {{key: string, label: string, knows_class: boolean, knows_layer?: boolean}} MethodEntry */
/** @typedef {{layers: LayerEntry[], classes: ClassEntry[], methods: MethodEntry[], maps: MapEntry[][][], alt: string}} Manifest */

const ANNOUNCE_AFTER_MS = 500;
const BUSY_AFTER_MS = 300; // what takes no longer is over before anybody reads that it goes on

/**
 * A number for reading: three digits that count, a real minus sign, and a plus sign when asked for.
 * @param {number} value @param {boolean} [plus]
 */
export function formatNumber(value, plus = false) {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-4 ? size.toExponential(1) : size >= 100 ? size.toFixed(0) : size.toPrecision(3);
  return (value < 0 ? "\u2212" : plus ? "+" : "") + text;
}

/** Numbers of one sum, with as many decimals as the largest needs for three digits. @param {number[]} values */
export function formatTogether(values) {
  const largest = Math.max(...values.map(Math.abs));
  if (!Number.isFinite(largest) || largest >= 1e5 || (largest > 0 && largest < 1e-4)) return values.map((each) => formatNumber(each));
  const decimals = largest === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(largest)));
  return values.map((each) => each.toFixed(decimals).replace("-", "\u2212"));
}

/** @param {number} probability */
export function formatPercent(probability) {
  if (probability > 0 && probability < 0.001) return "under 0.1 %";
  if (probability < 1 && probability > 0.999) return "over 99.9 %";
  return `${(100 * probability).toFixed(1)} %`;
}

/** Where a map is strongest on each side, in rows and columns counted from 1. @param {Float32Array} map @param {number} mapWidth */
export function extremes(map, mapWidth) {
  let high = 0;
  let low = 0;
  for (let i = 1; i < map.length; i++) {
    if (map[i] > map[high]) high = i;
    if (map[i] < map[low]) low = i;
  }
  const place = (/** @type {number} */ i) => ({ value: map[i], row: Math.floor(i / mapWidth) + 1, column: (i % mapWidth) + 1 });
  return { high: place(high), low: place(low) };
}

/** @param {string} tag @param {string} className @param {string} [text] */
function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Buffers arrive as DataView, anywhere inside a larger buffer; a copy is aligned. @param {DataView} view */
const bytesOf = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);


const clamp = (/** @type {number} */ value, /** @type {number} */ count) => Math.max(0, Math.min(count - 1, value));

/** @returns {Manifest} */
const nothing = () => ({ layers: [], classes: [], methods: [], maps: [], alt: "" });

/** The maps of one picture or one text, worked out of what the kernel sent when first asked for. */
class Maps {
  /** @param {any} model @param {Manifest} [manifest] */
  constructor(model, manifest = nothing()) {
    this.model = model;
    this.manifest = manifest;
    this.numbers = new Int16Array(manifest.layers.length ? bytesOf(model.get("maps")) : 0);
    /** @type {Map<number, {map: Float32Array, high: {value: number, row: number, column: number}, low: {value: number, row: number, column: number}}>} */
    this.decoded = new Map();
  }

  /** Which layer, class and method are shown. */
  at() {
    return {
      layer: clamp(this.model.get("layer_index"), this.manifest.layers.length),
      target: clamp(this.model.get("class_index"), this.manifest.classes.length),
      method: clamp(this.model.get("method_index"), this.manifest.methods.length),
    };
  }

  /** The numbers of one map and where they peak. @param {MapEntry} entry @param {LayerEntry} layer */
  mapOf(entry, layer) {
    const known = this.decoded.get(entry.offset);
    if (known) return known;
    const count = layer.map_height * layer.map_width;
    const map = new Float32Array(count);
    for (let i = 0; i < count; i++) map[i] = this.numbers[entry.offset + i] * entry.unit;
    const made = { map, ...extremes(map, layer.map_width) };
    this.decoded.set(entry.offset, made);
    return made;
  }

  /** The magnitude that gets full colour. @param {number} method @param {number} layerIndex @param {number} target */
  scaleOf(method, layerIndex, target) {
    const targets = !this.model.get("own_scale") ? this.manifest.classes.map((_, i) => i) : [target];
    let scale = 0;
    for (const each of targets) {
      const entry = this.manifest.maps[method][each][layerIndex];
      if (entry.reason) continue;
      const { high, low } = this.mapOf(entry, this.manifest.layers[layerIndex]);
      scale = Math.max(scale, high.value, !this.model.get("only_for") ? -low.value : 0);
    }
    return scale;
  }
}

/** The step of the colour table for a value; 128 is zero. @param {number} value @param {number} scale @param {boolean} signed */
function stepOf(value, scale, signed) {
  if (!(scale > 0)) return 128;
  return Math.floor(Math.max(signed ? -1 : 0, Math.min(1, value / scale)) * 128 + 0.5) + 128;
}

/** @param {any} model @param {string} trait @param {number} value */
function choose(model, trait, value) {
  model.set(trait, value);
  model.save_changes();
}

/** "Grad-CAM for class cat, 99.1 %, at layer 0.8" @param {Maps} maps @param {{classes: {probability: number}[]} | null} [other] */
function headline(maps, other = null) {
  const { layer, target, method } = maps.at();
  const { layers, classes, methods } = maps.manifest;
  const strong = (/** @type {string} */ text) => element("strong", "", text);
  const place = methods[method].knows_layer === false ? ["; layers do not matter here"] : [", at layer ", strong(layers[layer].name)];
  if (!methods[method].knows_class) return [strong(methods[method].label), ", the same for every class", ...place];
  const both = [classes, ...(other ? [other.classes] : [])].map((each) => formatPercent(each[target].probability)).join(" and ");
  return [strong(methods[method].label), " for class ", strong(classes[target].name), `, ${both}`, ...place];
}

/** What is shown now, for tests, benchmarks and a curious reader of the page. @param {Maps} maps */
function paintedNow(maps) {
  const { layer, target, method } = maps.at();
  return `${maps.manifest.methods[method].key}/${maps.manifest.layers[layer].name}/${maps.manifest.classes[target].index}`;
}

/** The share of a logit that one value is: "+0.5 of 4.2 (11.9 %)". @param {Maps} maps @param {MapEntry} entry @param {number} value @param {number} cells */
function shareOf(maps, entry, value, cells) {
  // a map of plain CAM adds up to the logit only after the mean over its cells
  const count = maps.manifest.methods[maps.at().method].key === "cam" ? cells : 1;
  const total = entry.contributions;
  const part = count === 1 ? "" : `, gives ${formatNumber(value / count, true)}`;
  const percent = ((100 * value) / count / (total || 1)).toFixed(1).replace("-", "\u2212");
  const share = total === null || total === 0 ? "" : `${part} of ${formatNumber(total)} (${percent} %)`;
  return `${formatNumber(value, true)}${share}`;
}

/**
 * The column of facts: classes with bars, where the number comes from, one cell or word, the scale, reason, code.
 * @param {any} model @param {{cells: string, thing: string}} words  what a map's parts and what was explained are called
 */
function makeFacts(model, { cells, thing }) {
  const side = element("div", "camw-side");
  const classes = element("div", "camw-classes");
  const sum = element("p", "camw-number");
  const probeTitle = element("h4", "camw-title");
  const probeText = element("p", "camw-number");
  const scaleTitle = element("h4", "camw-title");
  const legend = /** @type {HTMLCanvasElement} */ (element("canvas", "camw-legend"));
  legend.width = 257;
  legend.height = 1;
  legend.setAttribute("aria-hidden", "true");
  const ticks = element("div", "camw-ticks");
  const reason = element("p", "camw-reason");
  const code = element("details", "camw-code");
  const codeText = element("pre", "");
  code.append(element("summary", "", `The code for this ${thing === "image" ? "picture" : thing}`), codeText);
  const section = (/** @type {(HTMLElement | string)[]} */ ...parts) => {
    const made = element("section", "camw-section");
    made.append(...parts);
    side.append(made);
    return made;
  };
  section(element("h4", "camw-title", "What the network says"), classes);
  section(element("h4", "camw-title", "Where the number comes from"), sum);
  const probeSection = section(probeTitle, probeText);
  const scaleSection = section(scaleTitle, legend, ticks);
  section(reason);
  section(code);

  /** @param {Manifest} manifest */
  function list(manifest) {
    classes.replaceChildren(
      ...manifest.classes.map((each, i) => {
        const button = element("button", "camw-class");
        const bar = element("span", "camw-bar");
        const fill = element("span", "camw-fill");
        fill.style.width = `${100 * each.probability}%`;
        bar.append(fill);
        const name = element("span", "camw-name", each.name);
        name.title = each.name;
        button.append(name, bar, element("span", "camw-percent", formatPercent(each.probability)));
        button.addEventListener("click", () => choose(model, "class_index", i));
        return button;
      }),
    );
  }

  /** @param {Maps} maps @param {MapEntry} entry @param {number} scale @param {Uint8Array} colormap */
  function describe(maps, entry, scale, colormap) {
    const { layer, target, method } = maps.at();
    const shownClass = maps.manifest.classes[target];
    const shownLayer = maps.manifest.layers[layer];
    const shownMethod = maps.manifest.methods[method];
    for (const [i, button] of [...classes.children].entries()) button.setAttribute("aria-pressed", String(i === target));
    reason.textContent = entry.reason;
    scaleSection.hidden = Boolean(entry.reason);
    if (entry.contributions === null || entry.bias === null) {
      sum.textContent = shownMethod.key === "occlusion"
        ? `logit ${formatNumber(shownClass.logit)}. Each value is what the logit loses without that word; such losses do not add up to it.`
        : !shownMethod.knows_class
        ? "It knows no class, so its values say nothing of a logit. Its sign is a convention: below zero is no evidence against anything."
        : `logit ${formatNumber(shownClass.logit)}. From this layer it is not a plain sum of the ${cells}: the layers after it bend the numbers.`;
      sum.classList.add("camw-words");
    } else {
      const sign = entry.bias < 0 ? "\u2212" : "+";
      const [total, bias, logit] = formatTogether([entry.contributions, Math.abs(entry.bias), shownClass.logit]);
      // HiResCAM's is what is left of the logit, a constant only where the layers behind are piecewise linear
      const name = shownMethod.key === "hires_cam" ? "effective bias" : "bias";
      sum.textContent = `contributions ${total} ${sign} ${name} ${bias} = logit ${logit}`;
      sum.classList.remove("camw-words");
    }
    const signed = !model.get("only_for");
    scaleTitle.textContent = !model.get("own_scale") ? "Scale, shared by all classes" : "Scale of this class alone";
    const about = shownMethod.knows_class;
    if (!about) scaleTitle.textContent = "Scale; the sign is a convention";
    const left = signed ? `${formatNumber(-scale)}${about ? " against" : ""}` : "0";
    const right = `${about ? "for " : ""}${formatNumber(scale, true)}`;
    ticks.replaceChildren(...(signed ? [left, "0", right] : [left, right]).map((text) => element("span", "", text)));
    const strip = new ImageData(257, 1);
    for (let x = 0; x < 257; x++) {
      const step = signed ? x : 128 + Math.round(x / 2);
      for (let k = 0; k < 4; k++) strip.data[4 * x + k] = colormap[4 * step + k];
    }
    /** @type {CanvasRenderingContext2D} */ (legend.getContext("2d")).putImageData(strip, 0, 0);
    codeText.textContent =
      `result = cw.explain(\n    learn, ${thing}, method="${shownMethod.key}",\n` +
      `    layers=["${shownLayer.name}"], target_classes=[${shownClass.index}],\n)\n` +
      `result.cam("${shownLayer.name}", target_class=${shownClass.index})`;
  }
  return { side, section, probeSection, probeTitle, probeText, sum, ticks, list, describe };
}

/** ipywidgets draws its sliders without a name for screen readers; the panel gives each the one it shows. @param {HTMLElement} el */
function nameControls(el) {
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

/** The line for what went wrong. @param {any} model */
function makeMessage(model) {
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
 * The line for what the kernel is working out, and the same for screen readers. It stands outside of what is marked as
 * busy, because a change inside of that is not read out.
 * @param {any} model @param {HTMLElement[]} regions  what is about to change
 */
function makeBusy(model, ...regions) {
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
