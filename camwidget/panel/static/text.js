/**
 * A text with its maps: every word coloured, the strongest in a chart, and the same facts beside it as for a picture.
 * Words are put into the page as text nodes only; whatever a review holds, it is shown and never run.
 */

/** @typedef {{before: string, text: string, known: boolean}} WordEntry */

const MOST_BARS = 12;
const CHUNK = 100; // words that are coloured together, once they come near to what is seen of a long text
const WHOLE = 10; // up to so many chunks a text is coloured as a whole
const FULL_STEP = 80; // so far from zero colours are opaque
const DARK = [0, 0, 0]; // with white, one of the two always has a contrast of 4.5
const WHITE = [255, 255, 255];
const DARK_PAGE = 0.18; // luminance of a page that counts as dark; middle grey
const SIGN_LINE = 3; // the contrast that a line needs with what it lies on
const DARKER = 0.4;
const LINE_FROM = 0.2; // share of the scale from which on the line is full; it fades to nothing at zero
const OWN_LETTERS = 6; // the contrast down to which letters keep their own colour; 4.5 is what readers need

/** Relative luminance, as the rules for accessible contrast define it. @param {ArrayLike<number>} colour */
function luminance(colour) {
  const [r, g, b] = [0, 1, 2].map((k) => (colour[k] <= 10.31475 ? colour[k] / 3294.6 : ((colour[k] / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** What lies behind an element: the first background that is not transparent. @param {Element | null} at */
function surfaceOf(at) {
  for (; at; at = at.parentElement) {
    const found = getComputedStyle(at).backgroundColor.match(/[\d.]+/g)?.map(Number);
    if (found && found.length >= 3 && (found[3] ?? 1) > 0.5) return found;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? DARK : WHITE;
}

/** How well one colour reads on another, from 1 to 21. @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/**
 * For each step of the colour table a background, and letters that read well on it: the text's own as long as they do,
 * so that a faint colour does not change the letters too; else dark or white, whichever reads better. And a line that
 * tells the sign without its colour, since it lies below for and above against: the colour of the table's end, a
 * darker one on strong colours, or the letters' where neither shows.
 * @param {Uint8Array} colormap @param {number[]} surface @param {number[]} own
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
function lettersOf(at, surface) {
  const [r, g, b, a = 1] = (getComputedStyle(at).color.match(/[\d.]+/g) ?? []).map(Number);
  return [r, g, b].map((each, k) => each * a + surface[k] * (1 - a));
}

/**
 * One text: its words, a chart of the strongest, and the facts.
 * @param {any} model @param {number} number  0 for the first text, 1 for the second
 * @param {(text: string) => void} announce
 */
function makeColumn(model, number, announce) {
  const column = element("div", number ? "camw-column camw-second" : "camw-column");
  const title = element("h4", "camw-title", number ? "The second text" : "The first text");
  const words = element("p", "camw-text");
  words.dir = "auto";
  const legend = element("p", "camw-unknown-legend");
  const dotted = element("span", "camw-unknown", "dotted");
  legend.append(dotted, ": not in the vocabulary; to the network all such words are the same one");
  const notes = element("div", "camw-notes");
  const chartTitle = element("h4", "camw-title");
  const chart = element("div", "camw-chart");
  const facts = makeFacts(model, { cells: "words", thing: "text" });
  const reading = element("div", "camw-reading");
  reading.append(title, words, legend, notes, chartTitle, chart);
  column.append(reading, facts.side);

  let maps = new Maps(model);
  /** @type {HTMLElement[]} */
  let spans = [];
  /** @type {HTMLElement[]} */
  let chunks = [];
  /** @type {Set<number>} */
  const stale = new Set(); // chunks that do not have the colours of what is shown
  let colourWord = (/** @type {number} */ _) => {};
  let focused = 0;
  let probe = -1;
  /** @param {number} i */
  const entryNow = () => {
    const { layer, target, method } = maps.at();
    return { entry: maps.manifest.maps[method][target][layer], shown: maps.manifest.layers[layer] };
  };
  const wordsOf = () => /** @type {WordEntry[]} */ (/** @type {any} */ (maps.manifest).words);

  /** @param {any} manifest */
  function load(manifest) {
    maps = new Maps(model, manifest);
    facts.list(manifest);
    stale.clear();
    spans = manifest.words.map((/** @type {WordEntry} */ each, /** @type {number} */ i) => {
      const span = element("span", each.known ? "camw-word" : "camw-word camw-unknown", each.text);
      span.dataset.word = String(i);
      span.tabIndex = -1;
      if (model.get("live")) span.setAttribute("role", "button");
      return span;
    });
    // Not all side by side: the browser looks for the direction of the text anew at each child that is put in.
    chunks = Array.from({ length: Math.ceil(spans.length / CHUNK) }, (_, k) => {
      const chunk = element("span", "");
      chunk.append(...spans.slice(k * CHUNK, (k + 1) * CHUNK).flatMap((span, i) => [manifest.words[k * CHUNK + i].before, span]));
      return chunk;
    });
    words.replaceChildren(...chunks, manifest.tail);
    legend.hidden = manifest.words.every((/** @type {WordEntry} */ each) => each.known);
    title.hidden = !number && !manifest.other;
    focused = clamp(focused, spans.length);
    if (spans.length) spans[focused].tabIndex = 0;
    probe = -1;
  }

  /** The line of a sign: above for evidence against. @param {HTMLElement} at @param {string} line @param {boolean} against */
  function sign(at, line, against) {
    at.style.setProperty("--camw-sign", line);
    at.classList.toggle("camw-above", against);
  }

  /** @param {number} scale @param {{back: string, letters: string, line: string}[]} colours @param {Uint8Array} colormap */
  function paint(scale, colours, colormap) {
    const { entry, shown } = entryNow();
    const signed = !model.get("only_for");
    const values = entry.reason ? new Float32Array(spans.length) : maps.mapOf(entry, shown).map;
    colourWord = (i) => {
      const step = stepOf(values[i], scale, signed);
      const { back, letters, line } = colours[step];
      // at once: three assignments would be parsed and noted one by one
      spans[i].style.cssText = `background-color: ${back}; --camw-sign: ${line}${letters && `; color: ${letters}`}`;
      spans[i].classList.toggle("camw-above", step < 128);
    };
    for (const k of chunks.keys()) stale.add(k);
    colourNear();
    facts.describe(maps, entry, scale, colormap);
    for (const tick of facts.ticks.children) tick.classList.add("camw-tick");
    if (signed) sign(/** @type {HTMLElement} */ (facts.ticks.firstChild), colours[128 - FULL_STEP / 2].line, true);
    sign(/** @type {HTMLElement} */ (facts.ticks.lastChild), colours[128 + FULL_STEP / 2].line, false);
    const rest = /** @type {any} */ (entry).rest;
    if (rest && entry.contributions !== null) facts.sum.textContent += `; ${formatNumber(rest, true)} of the contributions belong to marks that are no word`;
    notes.replaceChildren(.../** @type {any} */ (maps.manifest.methods[maps.at().method]).notes.map((/** @type {string} */ note) => element("p", "", note)));
    paintChart(values, scale, signed, colours);
    paintProbe();
  }

  /** The chunks that are seen, and as much above and below them. */
  function near() {
    // To measure makes the browser lay out the page at once, which takes longer than to colour a text of usual length.
    if (chunks.length <= WHOLE) return [...stale];
    const seen = words.getBoundingClientRect();
    return [...stale].filter((k) => {
      const { top, bottom } = chunks[k].getBoundingClientRect(); // all zero, hence near, before the view is in the page
      return bottom >= seen.top - seen.height && top <= seen.bottom + seen.height;
    });
  }

  /** Colour what is near; the rest when it is scrolled to. */
  function colourNear() {
    for (const k of near()) {
      stale.delete(k);
      for (let i = k * CHUNK; i < Math.min((k + 1) * CHUNK, spans.length); i++) colourWord(i);
    }
  }

  /** @param {Float32Array} values @param {number} scale @param {boolean} signed @param {{back: string}[]} colours */
  function paintChart(values, scale, signed, colours) {
    const order = [...values.keys()].filter((i) => (signed ? values[i] !== 0 : values[i] > 0));
    order.sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]));
    const strongest = order.slice(0, MOST_BARS).sort((a, b) => values[b] - values[a]);
    chartTitle.textContent = order.length > MOST_BARS ? `The ${MOST_BARS} strongest of ${values.length} words` : "The words, sorted";
    chartTitle.hidden = !strongest.length;
    chart.replaceChildren(
      ...strongest.map((i) => {
        const row = element("div", "camw-row");
        row.dataset.word = String(i);
        const name = element("span", "camw-name", wordsOf()[i].text);
        name.dir = "auto";
        const track = element("span", signed ? "camw-track" : "camw-track camw-one-sided");
        const fill = element("span", values[i] < 0 ? "camw-against" : "camw-for");
        fill.style.width = `${(signed ? 50 : 100) * Math.min(1, Math.abs(values[i]) / (scale || 1))}%`;
        // a bar's length tells how much, so its colour need not fade
        const step = stepOf(values[i], scale, signed);
        fill.style.backgroundColor = colours[values[i] < 0 ? Math.min(step, 128 - FULL_STEP) : Math.max(step, 128 + FULL_STEP)].back;
        track.append(fill);
        row.append(name, track, element("span", "camw-percent", formatNumber(values[i], true)));
        return row;
      }),
    );
  }

  function paintProbe() {
    for (const each of column.querySelectorAll(".camw-probed")) each.classList.remove("camw-probed");
    const { entry, shown } = entryNow();
    if (probe < 0 || entry.reason) {
      facts.probeTitle.textContent = "One word";
      facts.probeText.textContent = model.get("live") ? "Point at a word to read its value, or walk with the arrow keys. A click or Enter deletes it." : "Point at a word to read its value, or walk with the arrow keys.";
      facts.probeText.classList.add("camw-words");
      return;
    }
    for (const each of column.querySelectorAll(`[data-word="${probe}"]`)) each.classList.add("camw-probed");
    const word = wordsOf()[probe];
    const value = maps.mapOf(entry, shown).map[probe];
    facts.probeTitle.textContent = `\u201c${word.text}\u201d, word ${probe + 1} of ${spans.length}${word.known ? "" : ", not in the vocabulary"}`;
    facts.probeText.textContent = shareOf(maps, entry, value, /** @type {any} */ (maps.manifest).positions);
    facts.probeText.classList.remove("camw-words");
    spans[probe].title = facts.probeText.textContent;
  }

  /** @param {Event} event */
  function wordAt(event) {
    const found = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-word]")) : null;
    return found ? Number(found.dataset.word) : -1;
  }
  /** @param {number} i */
  function remove(i) {
    if (i < 0 || !model.get("live")) return;
    // a text that has changed meanwhile has another version, and its words stay
    model.send({ do: "delete", text: number, word: i, version: /** @type {any} */ (maps.manifest).version });
  }
  /** @param {number} i */
  function focus(i) {
    spans[clamp(i, spans.length)].focus();
  }
  words.addEventListener("scroll", colourNear, { passive: true });
  const sizes = new ResizeObserver(colourNear); // in a wider or narrower panel other words are seen
  sizes.observe(words);
  column.addEventListener("pointerover", (event) => { probe = wordAt(event); paintProbe(); });
  column.addEventListener("pointerleave", () => { probe = -1; paintProbe(); });
  words.addEventListener("focusin", (event) => {
    probe = wordAt(event);
    if (probe < 0) return;
    spans[focused].tabIndex = -1;
    focused = probe; // a click focuses too, and keys go on from there
    spans[focused].tabIndex = 0;
    paintProbe();
    announce(`${facts.probeTitle.textContent}: ${facts.probeText.textContent}`);
  });
  words.addEventListener("focusout", () => { probe = -1; paintProbe(); });
  words.addEventListener("click", (event) => {
    if (event.detail < 2) remove(wordAt(event)); // by the second click of a double-click the next word may have moved here
  });
  words.addEventListener("keydown", (event) => {
    const ahead = getComputedStyle(words).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const back = ahead === "ArrowRight" ? "ArrowLeft" : "ArrowRight";
    const goal = { [ahead]: focused + 1, [back]: focused - 1, Home: 0, End: spans.length - 1 }[event.key];
    const deletes = event.key === "Enter" || event.key === "Delete" || event.key === " ";
    if (goal === undefined && !deletes) return;
    event.preventDefault();
    event.stopPropagation(); // the notebook would run or leave the cell
    if (goal !== undefined) focus(goal);
    else if (!event.repeat) remove(focused); // a key held down is one press
  });
  return { column, load, paint, scale: () => { const { layer, target, method } = maps.at(); return maps.scaleOf(method, layer, target); }, maps: () => maps, hadFocus: () => words.contains(document.activeElement), focus: () => focus(focused), stop: () => sizes.disconnect() };
}

/** @param {{model: any, el: HTMLElement}} context */
function render({ model, el }) {
  const root = element("div", "camw-view");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Words of the text, coloured by what they say to the network");
  const heading = element("p", "camw-heading");
  const { message, show: showMessage } = makeMessage(model);
  const change = element("p", "camw-change");
  change.setAttribute("role", "status");
  const announcer = element("p", "camw-quiet");
  announcer.setAttribute("aria-live", "polite");
  const announce = (/** @type {string} */ text) => { announcer.textContent = text; };
  const columns = [0, 1].map((number) => makeColumn(model, number, announce));
  const texts = element("div", "camw-texts");
  texts.append(...columns.map((each) => each.column));
  const working = makeBusy(model, texts);
  root.append(heading, working.busy, message, change, texts, announcer);
  el.append(root);

  let colormap = new Uint8Array(257 * 4);
  /** @type {{back: string, letters: string, line: string}[]} */
  let colours = [];
  let timer = 0;
  /** @type {any} */
  let manifest = null;

  function readable() {
    const surface = surfaceOf(el);
    colormap = new Uint8Array(bytesOf(model.get(luminance(surface) < DARK_PAGE ? "dark_colormap" : "colormap")));
    return coloursOf(colormap, surface, lettersOf(texts, surface));
  }

  const shown = () => (manifest.other ? columns : columns.slice(0, 1));

  function load() {
    manifest = model.get("manifest");
    if (!manifest.layers) return;
    colours = readable();
    const focused = columns.find((each) => each.hadFocus());
    texts.classList.toggle("camw-two", Boolean(manifest.other));
    columns[1].column.hidden = !manifest.other;
    columns[0].load(manifest);
    if (manifest.other) columns[1].load(manifest.other);
    paint();
    if (focused && shown().includes(focused)) focused.focus();
  }

  function paint() {
    if (!manifest?.layers) return;
    const scale = Math.max(...shown().map((each) => each.scale())); // one scale, so that two texts can be compared
    for (const each of shown()) each.paint(scale, colours, colormap);
    heading.replaceChildren(...headline(columns[0].maps(), manifest.other));
    paintChange();
    root.dataset.painted = paintedNow(columns[0].maps());
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      announce(`${heading.textContent}. ${[...root.querySelectorAll(".camw-row")].slice(0, 3).map((row) => row.textContent).join(", ")}`);
      nameControls(el); // by now the slider's own text has followed
    }, ANNOUNCE_AFTER_MS);
  }

  /** What the last deleted word did: "positive 0.93 -> 0.61", and a way back. */
  function paintChange() {
    const done = manifest.change;
    const focused = change.contains(document.activeElement); // on a button that is about to go
    change.hidden = !done && !model.get("live");
    change.classList.toggle("camw-hint", !done); // there is always a line, so that the words stay under the pointer
    if (!done) {
      change.replaceChildren("A click on a word deletes it.");
      if (focused) columns[0].focus();
      return;
    }
    const now = (done.text && manifest.other ? manifest.other : manifest).classes[columns[0].maps().at().target];
    const before = done.before[String(now.index)];
    const undo = element("button", "camw-undo", "Undo");
    undo.addEventListener("click", (event) => {
      if (event.detail < 2) model.send({ do: "undo" }); // the second click of a double-click may meet the button of an older deletion
    });
    change.replaceChildren(
      "Without ", element("strong", "", `\u201c${done.word}\u201d`), `: ${now.name} `,
      element("strong", "camw-moved", `${before === undefined ? "" : `${before.toFixed(2)} \u2192 `}${now.probability.toFixed(2)}`),
      ...(model.get("live") ? [undo] : []),
    );
    if (focused) undo.focus();
  }

  // the letters' colour depends on what lies behind the text, so a change of theme is a change of colours
  function onTheme() {
    colours = readable();
    paint();
  }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", onTheme);
  const themes = new MutationObserver(onTheme);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });

  const listeners = /** @type {[string, () => void][]} */ ([
    ["change:layer_index", paint], ["change:class_index", paint], ["change:method_index", paint],
    ["change:only_for", paint], ["change:own_scale", paint], ["change:manifest", load], ["change:message", showMessage],
    ["change:busy", working.show],
  ]);
  for (const [event, listener] of listeners) model.on(event, listener);
  load();
  const placed = requestAnimationFrame(onTheme); // a view is rendered before it is put into the page

  return () => {
    clearTimeout(timer);
    working.stop();
    cancelAnimationFrame(placed);
    themes.disconnect();
    for (const each of columns) each.stop();
    dark.removeEventListener("change", onTheme);
    for (const [event, listener] of listeners) model.off(event, listener);
  };
}

export default { render };
