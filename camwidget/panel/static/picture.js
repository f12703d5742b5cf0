/**
 * The picture with its maps: everything that moves without asking the kernel.
 *
 * The kernel sends the picture once, all maps once (whole numbers with one scale per map) and the colour table once.
 * From then on this module interpolates, colours, blends and labels. It loads nothing, knows no framework, and mounts
 * on any object with `get`, `set`, `on`, `off` and `save_changes`, so a page without a kernel can use it too.
 */

const DESATURATION = 0.55;
const LUMINANCE = [0.2126, 0.7152, 0.0722];
const THUMBNAIL_WIDTH = 112;

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
  const pixels = out.length / 4;
  for (let p = 0; p < pixels; p++) {
    const step = values === null ? 128 : stepOf(values[p], look.scale, look.signed);
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

/** @param {{model: any, el: HTMLElement}} context */
function render({ model, el }) {
  const root = element("div", "camw-view");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Heatmap of what the network looks at");
  const heading = element("p", "camw-heading");
  const { message, show: showMessage } = makeMessage(model);
  const top = element("div", "camw-top");
  const frame = element("div", "camw-frame");
  const canvas = /** @type {HTMLCanvasElement} */ (element("canvas", "camw-canvas"));
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  const marker = element("div", "camw-marker");
  marker.hidden = true;
  frame.append(canvas, marker);
  const facts = makeFacts(model, { cells: "cells", thing: "image" });
  const { probeTitle, probeText } = facts;
  top.append(frame, facts.side);
  const film = element("div", "camw-film");
  film.setAttribute("role", "group");
  film.setAttribute("aria-label", "All layers, from the input to the output");
  const announcer = element("p", "camw-quiet");
  announcer.setAttribute("aria-live", "polite");
  const working = makeBusy(model, top, film);
  root.append(heading, working.busy, message, top, film, announcer);
  el.append(root);

  let maps = new Maps(model);
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
  /** @param {number} layerIndex @param {number} height @param {number} width @param {Float32Array} from @param {Uint8ClampedArray} out */
  function paintInto(layerIndex, height, width, from, out) {
    const { method, target } = maps.at();
    const layer = maps.manifest.layers[layerIndex];
    const entry = maps.manifest.maps[method][target][layerIndex];
    const values = entry.reason ? null : spread(maps.mapOf(entry, layer).map, layer.map_height, layer.map_width, height, width, !model.get("cells"));
    const scale = entry.reason ? 0 : maps.scaleOf(method, layerIndex, target);
    blend(from, values, colormap, { scale, opacity: model.get("heatmap_opacity"), signed: !model.get("only_for") }, out);
    return { entry, scale };
  }

  function paint() {
    if (!base || !pixels || !maps.manifest.layers.length) return;
    const { layer } = maps.at();
    const { entry, scale } = paintInto(layer, canvas.height, canvas.width, base, pixels.data);
    context.putImageData(pixels, 0, 0);
    describe(entry, scale);
    paintProbe();
    for (const [i, button] of [...film.children].entries()) button.setAttribute("aria-pressed", String(i === layer));
    root.dataset.painted = paintedNow(maps);
  }

  function paintFilm() {
    if (!base || !maps.manifest.layers.length) return;
    for (const [i, button] of [...film.children].entries()) {
      const small = /** @type {HTMLCanvasElement} */ (button.firstChild);
      const made = new ImageData(THUMBNAIL_WIDTH, thumbnailHeight);
      const { entry } = paintInto(i, thumbnailHeight, THUMBNAIL_WIDTH, thumbnailBase, made.data);
      /** @type {CanvasRenderingContext2D} */ (small.getContext("2d")).putImageData(made, 0, 0);
      button.classList.toggle("camw-refused", Boolean(entry.reason));
    }
  }

  /** @param {MapEntry} entry @param {number} scale */
  function describe(entry, scale) {
    const shownLayer = maps.manifest.layers[maps.at().layer];
    const signed = !model.get("only_for");
    heading.replaceChildren(...headline(maps));
    facts.describe(maps, entry, scale, colormap);
    let words = `${heading.textContent}. `;
    if (entry.reason) words += entry.reason;
    else {
      const { high, low } = maps.mapOf(entry, shownLayer);
      const about = maps.manifest.methods[maps.at().method].knows_class;
      const [most, least] = about ? ["Strongest for", "Strongest against"] : ["Largest", "Smallest"];
      words += high.value > 0 ? `${most}: row ${high.row}, column ${high.column}, ${formatNumber(high.value, true)}. ` : "No cell speaks for this class. ";
      if (signed && low.value < 0) words += `${least}: row ${low.row}, column ${low.column}, ${formatNumber(low.value)}. `;
      words += `The map has ${shownLayer.map_height} rows and ${shownLayer.map_width} columns.`;
    }
    canvas.setAttribute("aria-label", `${maps.manifest.alt} ${words} Arrow keys read single cells.`);
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      announcer.textContent = words;
      nameControls(el); // by now the slider's own text has followed
    }, ANNOUNCE_AFTER_MS);
  }

  function paintProbe() {
    const { layer, target, method } = maps.at();
    const shown = maps.manifest.layers[layer];
    const entry = shown && maps.manifest.maps[method][target][layer];
    marker.hidden = !probe || !shown || Boolean(entry.reason);
    if (!probe || !shown || entry.reason) {
      probeTitle.textContent = "Under the pointer";
      probeText.textContent = "point at the picture, or focus it and use the arrow keys";
      probeText.classList.add("camw-words");
      return;
    }
    const row = clamp(Math.floor(probe.row * shown.map_height), shown.map_height);
    const column = clamp(Math.floor(probe.column * shown.map_width), shown.map_width);
    const value = maps.mapOf(entry, shown).map[row * shown.map_width + column];
    marker.style.top = `${(100 * row) / shown.map_height}%`;
    marker.style.left = `${(100 * column) / shown.map_width}%`;
    marker.style.height = `${100 / shown.map_height}%`;
    marker.style.width = `${100 / shown.map_width}%`;
    probeTitle.textContent = `Under the pointer, row ${row + 1} of ${shown.map_height}, column ${column + 1} of ${shown.map_width}`;
    probeText.textContent = shareOf(maps, entry, value, shown.map_height * shown.map_width);
    probeText.classList.remove("camw-words");
  }

  function buildLists() {
    facts.list(maps.manifest);
    film.replaceChildren(
      ...maps.manifest.layers.map((each, i) => {
        const button = element("button", "camw-frame-small");
        const small = /** @type {HTMLCanvasElement} */ (element("canvas", ""));
        small.width = THUMBNAIL_WIDTH;
        small.height = thumbnailHeight;
        button.append(small, element("span", "", `${each.name} \u00b7 ${each.map_height}\u00d7${each.map_width}`));
        button.addEventListener("click", () => choose(model, "layer_index", i));
        button.setAttribute("aria-label", `Layer ${each.name}, ${each.map_height} by ${each.map_width} cells, ${each.channels} channels`);
        return button;
      }),
    );
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
    maps = new Maps(model, model.get("manifest"));
    colormap = new Uint8Array(bytesOf(model.get("colormap")));
    buildLists();
    paint();
    paintFilm();
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
    const shown = maps.manifest.layers[maps.at().layer];
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
    ["change:busy", working.show],
  ]);
  for (const [event, listener] of listeners) model.on(event, listener);
  loadPicture();

  return () => {
    gone = true;
    clearTimeout(timer);
    working.stop();
    for (const [event, listener] of listeners) model.off(event, listener);
  };
}

export default { render };
