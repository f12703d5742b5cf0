/**
 * The picture with its maps: everything that moves without asking the kernel.
 *
 * The kernel sends the picture once, all maps once (whole numbers with one scale per map) and the colour table once.
 * From then on this module interpolates, colours, blends and labels. It loads nothing, knows no framework, and mounts
 * on any object with `get`, `set`, `on`, `off` and `save_changes`, so a page without a kernel can use it too.
 */

/** @typedef {{offset: number, unit: number, contributions: number | null, bias: number | null, reason: string}} MapEntry */
/** @typedef {{name: string, map_height: number, map_width: number, channels: number}} LayerEntry */
/** @typedef {{index: number, name: string, probability: number, logit: number}} ClassEntry */
/** @typedef {{key: string, label: string, never: string}} MethodEntry */
/** @typedef {{layers: LayerEntry[], classes: ClassEntry[], methods: MethodEntry[], maps: MapEntry[][][], alt: string}} Manifest */

const DESATURATION = 0.55;
const LUMINANCE = [0.2126, 0.7152, 0.0722];
const THUMBNAIL_WIDTH = 112;
const ANNOUNCE_AFTER_MS = 500;

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

/**
 * Spread a small map over a picture: bilinear between cell centres, edges held (what torch calls align_corners=False).
 * @param {Float32Array} map @param {number} mapHeight @param {number} mapWidth @param {number} height @param {number} width
 * @param {boolean} smooth  false: every cell a block
 * @returns {Float32Array}
 */
export function spread(map, mapHeight, mapWidth, height, width, smooth) {
  const out = new Float32Array(height * width);
  if (!smooth) {
    for (let y = 0; y < height; y++) {
      const row = Math.floor((y * mapHeight) / height) * mapWidth;
      for (let x = 0; x < width; x++) out[y * width + x] = map[row + Math.floor((x * mapWidth) / width)];
    }
    return out;
  }
  const left = new Int32Array(width);
  const right = new Int32Array(width);
  const part = new Float32Array(width);
  for (let x = 0; x < width; x++) {
    const at = Math.max(0, ((x + 0.5) * mapWidth) / width - 0.5);
    left[x] = Math.min(mapWidth - 1, Math.floor(at));
    right[x] = Math.min(mapWidth - 1, left[x] + 1);
    part[x] = at - left[x];
  }
  const line = new Float32Array(mapWidth);
  for (let y = 0; y < height; y++) {
    const at = Math.max(0, ((y + 0.5) * mapHeight) / height - 0.5);
    const top = Math.min(mapHeight - 1, Math.floor(at));
    const bottom = Math.min(mapHeight - 1, top + 1);
    const down = at - top;
    for (let x = 0; x < mapWidth; x++) {
      const above = map[top * mapWidth + x];
      line[x] = above + (map[bottom * mapWidth + x] - above) * down;
    }
    const start = y * width;
    for (let x = 0; x < width; x++) out[start + x] = line[left[x]] + (line[right[x]] - line[left[x]]) * part[x];
  }
  return out;
}

/**
 * Blend colours over a picture.
 * @param {Float32Array} base  red, green, blue of the (desaturated) picture
 * @param {Float32Array | null} values  one per pixel; null paints the bare picture
 * @param {Uint8Array} colormap  257 x red, green, blue, opacity; step 128 is zero
 * @param {{scale: number, opacity: number, signed: boolean}} look
 * @param {Uint8ClampedArray} out  red, green, blue, 255
 */
export function blend(base, values, colormap, look, out) {
  const keep = new Float32Array(257);
  const add = new Float32Array(257 * 3);
  for (let step = 0; step < 257; step++) {
    const opacity = (look.opacity * colormap[4 * step + 3]) / 255;
    keep[step] = 1 - opacity;
    for (let k = 0; k < 3; k++) add[3 * step + k] = colormap[4 * step + k] * opacity;
  }
  const lowest = look.signed ? -1 : 0;
  const pixels = out.length / 4;
  for (let p = 0; p < pixels; p++) {
    let step = 128;
    if (values !== null && look.scale > 0) {
      const share = Math.max(lowest, Math.min(1, values[p] / look.scale));
      step = Math.floor(share * 128 + 0.5) + 128;
    }
    const k = keep[step];
    out[4 * p] = base[3 * p] * k + add[3 * step];
    out[4 * p + 1] = base[3 * p + 1] * k + add[3 * step + 1];
    out[4 * p + 2] = base[3 * p + 2] * k + add[3 * step + 2];
    out[4 * p + 3] = 255;
  }
}

/** @param {Uint8ClampedArray} pixels @returns {Float32Array} */
export function desaturate(pixels) {
  const out = new Float32Array((pixels.length / 4) * 3);
  for (let p = 0; p < pixels.length / 4; p++) {
    const grey = LUMINANCE[0] * pixels[4 * p] + LUMINANCE[1] * pixels[4 * p + 1] + LUMINANCE[2] * pixels[4 * p + 2];
    for (let k = 0; k < 3; k++) out[3 * p + k] = pixels[4 * p + k] * (1 - DESATURATION) + grey * DESATURATION;
  }
  return out;
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

/** @param {{model: any, el: HTMLElement}} context */
function render({ model, el }) {
  const root = element("div", "camw-view");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Heatmap of what the network looks at");
  const heading = element("p", "camw-heading");
  const message = element("p", "camw-message");
  message.setAttribute("role", "alert");
  const top = element("div", "camw-top");
  const frame = element("div", "camw-frame");
  const canvas = /** @type {HTMLCanvasElement} */ (element("canvas", "camw-canvas"));
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  const marker = element("div", "camw-marker");
  marker.hidden = true;
  frame.append(canvas, marker);
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
  code.append(element("summary", "", "The code for this picture"), codeText);
  const section = (/** @type {(HTMLElement | string)[]} */ ...parts) => {
    const made = element("section", "camw-section");
    made.append(...parts);
    side.append(made);
    return made;
  };
  section(element("h4", "camw-title", "What the network says"), classes);
  section(element("h4", "camw-title", "Where the number comes from"), sum);
  section(probeTitle, probeText);
  const scaleSection = section(scaleTitle, legend, ticks);
  section(reason);
  section(code);
  top.append(frame, side);
  const film = element("div", "camw-film");
  film.setAttribute("role", "group");
  film.setAttribute("aria-label", "All layers, from the input to the output");
  const announcer = element("p", "camw-quiet");
  announcer.setAttribute("aria-live", "polite");
  root.append(heading, message, top, film, announcer);
  el.append(root);

  /** @type {Manifest} */
  let manifest = { layers: [], classes: [], methods: [], maps: [], alt: "" };
  let numbers = new Int16Array(0);
  let colormap = new Uint8Array(257 * 4);
  /** @type {Float32Array | null} */
  let base = null;
  let thumbnailBase = new Float32Array(0);
  let thumbnailHeight = 1;
  /** @type {ImageData | null} */
  let pixels = null;
  /** @type {{row: number, column: number} | null} */
  let probe = null;
  let timer = 0;
  /** @type {DataView | null} */
  let loading = null;
  let gone = false;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  /** @type {Map<number, {map: Float32Array, high: {value: number, row: number, column: number}, low: {value: number, row: number, column: number}}>} */
  const decoded = new Map();

  const clamp = (/** @type {number} */ value, /** @type {number} */ count) => Math.max(0, Math.min(count - 1, value));
  const at = () => ({
    layer: clamp(model.get("layer_index"), manifest.layers.length),
    target: clamp(model.get("class_index"), manifest.classes.length),
    method: clamp(model.get("method_index"), manifest.methods.length),
  });

  /** The numbers of one map and where they peak, worked out when first asked for. @param {MapEntry} entry @param {LayerEntry} layer */
  function mapOf(entry, layer) {
    const known = decoded.get(entry.offset);
    if (known) return known;
    const count = layer.map_height * layer.map_width;
    const map = new Float32Array(count);
    for (let i = 0; i < count; i++) map[i] = numbers[entry.offset + i] * entry.unit;
    const made = { map, ...extremes(map, layer.map_width) };
    decoded.set(entry.offset, made);
    return made;
  }

  /** The magnitude that gets full colour. @param {number} method @param {number} layerIndex @param {number} target */
  function scaleOf(method, layerIndex, target) {
    const targets = !model.get("own_scale") ? manifest.classes.map((_, i) => i) : [target];
    let scale = 0;
    for (const each of targets) {
      const entry = manifest.maps[method][each][layerIndex];
      if (entry.reason) continue;
      const { high, low } = mapOf(entry, manifest.layers[layerIndex]);
      scale = Math.max(scale, high.value, !model.get("only_for") ? -low.value : 0);
    }
    return scale;
  }

  /** @param {number} layerIndex @param {number} height @param {number} width @param {Float32Array} from @param {Uint8ClampedArray} out */
  function paintInto(layerIndex, height, width, from, out) {
    const { method, target } = at();
    const layer = manifest.layers[layerIndex];
    const entry = manifest.maps[method][target][layerIndex];
    const values = entry.reason ? null : spread(mapOf(entry, layer).map, layer.map_height, layer.map_width, height, width, !model.get("cells"));
    const scale = entry.reason ? 0 : scaleOf(method, layerIndex, target);
    blend(from, values, colormap, { scale, opacity: model.get("heatmap_opacity"), signed: !model.get("only_for") }, out);
    return { entry, scale };
  }

  function paint() {
    if (!base || !pixels || !manifest.layers.length) return;
    const { layer, target, method } = at();
    const { entry, scale } = paintInto(layer, canvas.height, canvas.width, base, pixels.data);
    context.putImageData(pixels, 0, 0);
    describe(layer, target, method, entry, scale);
    paintProbe();
    for (const [i, button] of [...film.children].entries()) button.setAttribute("aria-pressed", String(i === layer));
    // what is on the canvas now, for tests, benchmarks and a curious reader of the page
    root.dataset.painted = `${manifest.methods[method].key}/${manifest.layers[layer].name}/${manifest.classes[target].index}`;
  }

  function paintFilm() {
    if (!base || !manifest.layers.length) return;
    for (const [i, button] of [...film.children].entries()) {
      const small = /** @type {HTMLCanvasElement} */ (button.firstChild);
      const made = new ImageData(THUMBNAIL_WIDTH, thumbnailHeight);
      const { entry } = paintInto(i, thumbnailHeight, THUMBNAIL_WIDTH, thumbnailBase, made.data);
      /** @type {CanvasRenderingContext2D} */ (small.getContext("2d")).putImageData(made, 0, 0);
      button.classList.toggle("camw-refused", Boolean(entry.reason));
    }
  }

  /** @param {number} layer @param {number} target @param {number} method @param {MapEntry} entry @param {number} scale */
  function describe(layer, target, method, entry, scale) {
    const shownClass = manifest.classes[target];
    const shownLayer = manifest.layers[layer];
    const strong = (/** @type {string} */ text) => element("strong", "", text);
    heading.replaceChildren(
      strong(manifest.methods[method].label), " for class ", strong(shownClass.name), `, ${formatPercent(shownClass.probability)}, at layer `, strong(shownLayer.name),
    );
    for (const [i, button] of [...classes.children].entries()) button.setAttribute("aria-pressed", String(i === target));
    reason.textContent = entry.reason;
    scaleSection.hidden = Boolean(entry.reason);
    if (entry.contributions === null || entry.bias === null) {
      sum.textContent = `logit ${formatNumber(shownClass.logit)}. From this layer it is not a plain sum of the cells: the layers after it bend the numbers.`;
      sum.classList.add("camw-words");
    } else {
      const sign = entry.bias < 0 ? "\u2212" : "+";
      const [total, bias, logit] = formatTogether([entry.contributions, Math.abs(entry.bias), shownClass.logit]);
      // HiResCAM's is what is left of the logit, a constant only where the layers behind are piecewise linear
      const name = manifest.methods[method].key === "hires_cam" ? "effective bias" : "bias";
      sum.textContent = `contributions ${total} ${sign} ${name} ${bias} = logit ${logit}`;
      sum.classList.remove("camw-words");
    }
    const signed = !model.get("only_for");
    scaleTitle.textContent = !model.get("own_scale") ? "Scale, shared by all classes" : "Scale of this class alone";
    const left = signed ? `${formatNumber(-scale)} against` : "0";
    const right = `for ${formatNumber(scale, true)}`;
    ticks.replaceChildren(...(signed ? [left, "0", right] : [left, right]).map((text) => element("span", "", text)));
    paintLegend(signed);
    codeText.textContent =
      `result = cw.explain(\n    learn, image, method="${manifest.methods[method].key}",\n` +
      `    layers=["${shownLayer.name}"], target_classes=[${shownClass.index}],\n)\n` +
      `result.cam("${shownLayer.name}", target_class=${shownClass.index})`;
    let words = `${heading.textContent}. `;
    if (entry.reason) words += entry.reason;
    else {
      const { high, low } = mapOf(entry, shownLayer);
      words += high.value > 0 ? `Strongest for: row ${high.row}, column ${high.column}, ${formatNumber(high.value, true)}. ` : "No cell speaks for this class. ";
      if (signed && low.value < 0) words += `Strongest against: row ${low.row}, column ${low.column}, ${formatNumber(low.value)}. `;
      words += `The map has ${shownLayer.map_height} rows and ${shownLayer.map_width} columns.`;
    }
    canvas.setAttribute("aria-label", `${manifest.alt} ${words} Arrow keys read single cells.`);
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      announcer.textContent = words;
      nameControls(); // by now the slider's own text has followed
    }, ANNOUNCE_AFTER_MS);
  }

  /** @param {boolean} signed */
  function paintLegend(signed) {
    const strip = new ImageData(257, 1);
    for (let x = 0; x < 257; x++) {
      const step = signed ? x : 128 + Math.round(x / 2);
      for (let k = 0; k < 4; k++) strip.data[4 * x + k] = colormap[4 * step + k];
    }
    /** @type {CanvasRenderingContext2D} */ (legend.getContext("2d")).putImageData(strip, 0, 0);
  }

  function paintProbe() {
    const { layer, target, method } = at();
    const shown = manifest.layers[layer];
    const entry = shown && manifest.maps[method][target][layer];
    marker.hidden = !probe || !shown || Boolean(entry.reason);
    if (!probe || !shown || entry.reason) {
      probeTitle.textContent = "Under the pointer";
      probeText.textContent = "point at the picture, or focus it and use the arrow keys";
      probeText.classList.add("camw-words");
      return;
    }
    const row = clamp(Math.floor(probe.row * shown.map_height), shown.map_height);
    const column = clamp(Math.floor(probe.column * shown.map_width), shown.map_width);
    const value = mapOf(entry, shown).map[row * shown.map_width + column];
    marker.style.top = `${(100 * row) / shown.map_height}%`;
    marker.style.left = `${(100 * column) / shown.map_width}%`;
    marker.style.height = `${100 / shown.map_height}%`;
    marker.style.width = `${100 / shown.map_width}%`;
    probeTitle.textContent = `Under the pointer, row ${row + 1} of ${shown.map_height}, column ${column + 1} of ${shown.map_width}`;
    // a map of plain CAM adds up to the logit only after the mean over its cells
    const cells = manifest.methods[method].key === "cam" ? shown.map_height * shown.map_width : 1;
    const total = entry.contributions;
    const part = cells === 1 ? "" : `, gives ${formatNumber(value / cells, true)}`;
    const percent = ((100 * value) / cells / (total || 1)).toFixed(1).replace("-", "\u2212");
    const share = total === null || total === 0 ? "" : `${part} of ${formatNumber(total)} (${percent} %)`;
    probeText.textContent = `${formatNumber(value, true)}${share}`;
    probeText.classList.remove("camw-words");
  }

  /** ipywidgets draws its sliders without a name for screen readers; the panel gives each the one it shows. */
  function nameControls() {
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

  function buildLists() {
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
        button.addEventListener("click", () => choose("class_index", i));
        return button;
      }),
    );
    film.replaceChildren(
      ...manifest.layers.map((each, i) => {
        const button = element("button", "camw-frame-small");
        const small = /** @type {HTMLCanvasElement} */ (element("canvas", ""));
        small.width = THUMBNAIL_WIDTH;
        small.height = thumbnailHeight;
        button.append(small, element("span", "", `${each.name} \u00b7 ${each.map_height}\u00d7${each.map_width}`));
        button.addEventListener("click", () => choose("layer_index", i));
        button.setAttribute("aria-label", `Layer ${each.name}, ${each.map_height} by ${each.map_width} cells, ${each.channels} channels`);
        return button;
      }),
    );
  }

  /** @param {string} trait @param {number} value */
  function choose(trait, value) {
    model.set(trait, value);
    model.save_changes();
  }

  async function loadPicture() {
    const asked = (loading = model.get("picture"));
    const picture = await createImageBitmap(new Blob([bytesOf(asked)]), { colorSpaceConversion: "none" });
    if (gone || asked !== loading) return; // a newer picture is on its way, or the view was closed
    canvas.width = picture.width;
    canvas.height = picture.height;
    context.drawImage(picture, 0, 0);
    base = desaturate(context.getImageData(0, 0, picture.width, picture.height).data);
    pixels = new ImageData(picture.width, picture.height);
    thumbnailHeight = Math.max(1, Math.round((THUMBNAIL_WIDTH * picture.height) / picture.width));
    const small = document.createElement("canvas");
    small.width = THUMBNAIL_WIDTH;
    small.height = thumbnailHeight;
    const smallContext = /** @type {CanvasRenderingContext2D} */ (small.getContext("2d", { willReadFrequently: true }));
    smallContext.imageSmoothingQuality = "high";
    smallContext.drawImage(picture, 0, 0, THUMBNAIL_WIDTH, thumbnailHeight);
    thumbnailBase = desaturate(smallContext.getImageData(0, 0, THUMBNAIL_WIDTH, thumbnailHeight).data);
    picture.close();
    load();
  }

  function load() {
    if (model.get("picture") !== loading) return; // these maps belong to a picture that is still on its way
    manifest = model.get("manifest");
    numbers = new Int16Array(bytesOf(model.get("maps")));
    colormap = new Uint8Array(bytesOf(model.get("colormap")));
    decoded.clear();
    buildLists();
    paint();
    paintFilm();
  }

  function showMessage() {
    message.textContent = model.get("message");
    message.hidden = !model.get("message");
  }

  /** @param {PointerEvent} event */
  function onPointer(event) {
    const box = canvas.getBoundingClientRect();
    probe = { row: (event.clientY - box.top) / box.height, column: (event.clientX - box.left) / box.width };
    paintProbe();
  }
  function onLeave() {
    probe = null;
    paintProbe();
  }
  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const shown = manifest.layers[at().layer];
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (event.key === "Escape") onLeave();
    if (!step || !shown) return;
    event.preventDefault();
    event.stopPropagation(); // the notebook would move to another cell
    const row = probe ? Math.floor(probe.row * shown.map_height) + step[0] : Math.floor(shown.map_height / 2);
    const column = probe ? Math.floor(probe.column * shown.map_width) + step[1] : Math.floor(shown.map_width / 2);
    probe = { row: (clamp(row, shown.map_height) + 0.5) / shown.map_height, column: (clamp(column, shown.map_width) + 0.5) / shown.map_width };
    paintProbe();
    announcer.textContent = `${probeTitle.textContent}: ${probeText.textContent}`;
  }
  canvas.addEventListener("pointermove", onPointer);
  canvas.addEventListener("pointerleave", onLeave);
  canvas.addEventListener("keydown", onKey);

  const all = () => { paint(); paintFilm(); };
  // maps and manifest come in one message, the picture may come with them: whatever changed, read all of it again
  const listeners = /** @type {[string, () => void][]} */ ([
    ["change:layer_index", paint], ["change:class_index", all], ["change:method_index", all],
    ["change:heatmap_opacity", all], ["change:cells", all], ["change:only_for", all], ["change:own_scale", all],
    ["change:manifest", load], ["change:picture", loadPicture], ["change:message", showMessage],
  ]);
  for (const [event, listener] of listeners) model.on(event, listener);
  showMessage();
  loadPicture();

  return () => {
    gone = true;
    clearTimeout(timer);
    for (const [event, listener] of listeners) model.off(event, listener);
  };
}

export default { render };
