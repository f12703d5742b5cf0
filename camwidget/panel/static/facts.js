/** The column beside a picture or a text: classes with bars, where the number comes from, one cell, the scale, the code. */

import { Classes } from "./classes.js";
import { element, say } from "./elements.js";
import { formatAnswer, formatNumber, formatTogether } from "./format.js";
import { Legend } from "./legend.js";

/** @typedef {import("./types.js").ClassEntry} ClassEntry */
/** @typedef {import("./types.js").LayerEntry} LayerEntry */
/** @typedef {import("./types.js").Manifest} Manifest */
/** @typedef {import("./types.js").MapEntry} MapEntry */
/** @typedef {import("./types.js").MapTraits} MapTraits */
/** @typedef {import("./types.js").MethodEntry} MethodEntry */
/** @typedef {import("./types.js").Template} Template */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */
/** @typedef {import("./maps.js").Maps<Manifest>} Maps */
/** @typedef {import("./kernel.js").Kernel} Kernel */

/** "Grad-CAM for class cat, 99.1 %, at layer 0.8" @param {Maps} maps @param {{classes: ClassEntry[]} | null} [other] */
export function headline(maps, other = null) {
  const { layer, target, method } = maps.at();
  const { layers, classes, methods } = maps.manifest;
  const strong = (/** @type {string} */ text) => element("strong", "", text);
  const place = methods[method].knows_layer === false ? ["; layers do not matter here"] : [", at layer ", strong(layers[layer].name)];
  if (!methods[method].knows_class) return [strong(methods[method].label), ", the same for every class", ...place];
  const name = element("bdi", ""); // a name that is read from right to left must not turn the sentence around
  name.append(strong(classes[target].name));
  const both = [classes, ...(other ? [other.classes] : [])].map((each) => formatAnswer(each[target])).join(" and ");
  return [strong(methods[method].label), classes[target].probability === null ? " for " : " for class ", name, `, ${both}`, ...place];
}

/** The share of a logit that one value is: "+0.5 of 4.2 (11.9 %)". @param {Maps} maps @param {MapEntry} entry @param {number} value @param {number} cells */
export function shareOf(maps, entry, value, cells) {
  // a map of plain CAM adds up to the logit only after the mean over its cells
  const count = maps.manifest.methods[maps.at().method].key === "cam" ? cells : 1;
  const total = entry.contributions;
  const part = count === 1 ? "" : `, gives ${formatNumber(value / count, true)}`;
  const percent = ((100 * value) / count / (total || 1)).toFixed(1).replace("-", "\u2212");
  const share = total === null || total === 0 ? "" : `${part} of ${formatNumber(total)} (${percent} %)`;
  return `${formatNumber(value, true)}${share}`;
}

/** Why the values of a map do not add up to the logit. @type {Record<"method" | "layer" | "unchecked", (label: string, cells: string) => string>} */
const WHY_NO_SUM = {
  method: (label, cells) => `The ${cells} of ${label} do not add up to it at any layer; that is the method's way of weighting.`,
  layer: (_, cells) => `From this layer it is not a plain sum of the ${cells}: the layers after it bend the numbers.`,
  unchecked: (_, cells) => `Whether the ${cells} add up to it was not checked; methods=("cam", ...) would.`,
};

/**
 * Where the number comes from: a sum, or why there is none.
 * @param {MapEntry} entry @param {MethodEntry} method @param {number} logit @param {string} cells
 * @param {string} [output]  what the number is called: "logit", or "output" where it is no logit
 */
export function sumText(entry, method, logit, cells, output = "logit") {
  if (entry.contributions === null || entry.bias === null) {
    if (method.key === "occlusion")
      return `${output} ${formatNumber(logit)}. Each value is what the ${output} loses without that word; such losses do not add up to it.`;
    if (!method.knows_class)
      return `It knows no class, so its values say nothing of ${output === "logit" ? "a logit" : "an output"}. Its sign is a convention: below zero is no evidence against anything.`;
    return `${output} ${formatNumber(logit)}. ${WHY_NO_SUM[entry.why || "layer"](method.label, cells)}`;
  }
  const sign = entry.bias < 0 ? "\u2212" : "+";
  const [total, bias, whole] = formatTogether([entry.contributions, Math.abs(entry.bias), logit]);
  // HiResCAM's is what is left of the logit, a constant only where the layers behind are piecewise linear
  const name = method.key === "hires_cam" ? "effective bias" : "bias";
  return `contributions ${total} ${sign} ${name} ${bias} = ${output} ${whole}`;
}

/** Which of a layer's calls is shown; empty if it runs once. @param {LayerEntry} layer @param {MethodEntry} method */
export function callText(layer, method) {
  if (!(layer.calls > 1) || method.knows_layer === false) return "";
  const which = layer.call === layer.calls ? "its last call" : `call ${layer.call} of ${layer.calls}`;
  return `The network runs this layer ${layer.calls} times. Shown is ${which}; call=${layer.call === 1 ? 2 : 1} shows another.`;
}

/** The code that makes a map: Python wrote it, only the layer and the class are filled in. @param {Template} template @param {LayerEntry} layer @param {ClassEntry} target */
export function codeText(template, layer, target) {
  /** @type {Record<string, string>} */
  const slots = { layer: JSON.stringify(layer.name), class: String(target.index) };
  return template.map((part, i) => (i % 2 ? slots[part] : part)).join("");
}

/** @param {(HTMLElement | string)[]} parts */
function section(...parts) {
  const made = element("section", "camw-section");
  made.append(...parts);
  return made;
}

export class Facts {
  /** @param {Model<MapTraits>} model @param {Kernel} kernel @param {{cells: string, thing: string, leads?: boolean}} words  what a map's parts and what was explained are called */
  constructor(model, kernel, { cells, thing, leads = true }) {
    this.model = model;
    this.cells = cells;
    this.classes = new Classes(model, kernel, { leads });
    this.sum = element("p", "camw-number camw-sum");
    this.call = element("p", "camw-call");
    this.probe = element("p", "camw-probe");
    this.probeTitle = element("span", "camw-title");
    this.probeText = element("span", "camw-number");
    this.probe.append(this.probeTitle, " ", this.probeText);
    this.scaleTitle = element("p", "camw-title camw-scale-title");
    this.legend = new Legend();
    this.reason = element("p", "camw-reason");
    this.code = element("pre", "");
    this.codeBox = element("details", "camw-code");
    this.codeBox.append(element("summary", "", `The code for this ${thing === "image" ? "picture" : thing}`), this.code);
    this.scale = section(this.scaleTitle, this.legend.strip, this.legend.ticks);
    this.scale.classList.add("camw-scale");
    this.numbers = element("div", "camw-numbers");
    this.numbers.append(this.sum, this.call, this.probe, this.scale, this.reason);
    this.side = element("div", "camw-side");
    this.side.append(this.classes.box, this.numbers);
  }

  /** @param {Manifest} manifest */
  list(manifest) {
    this.classes.list(manifest);
  }

  /** @param {Maps} maps @param {MapEntry} entry @param {number} scale @param {Uint8Array} colormap */
  describe(maps, entry, scale, colormap) {
    const { layer, target, method } = maps.at();
    const { layers, classes, methods } = maps.manifest;
    say(this.reason, entry.reason);
    this.numbers.classList.toggle("camw-no-map", Boolean(entry.reason));
    say(this.sum, sumText(entry, methods[method], classes[target].logit, this.cells, classes[target].probability === null ? "output" : "logit"));
    this.sum.classList.toggle("camw-words", entry.contributions === null || entry.bias === null);
    say(this.call, callText(layers[layer], methods[method]));
    this.call.hidden = !this.call.textContent;
    this.describeScale(entry, scale, methods[method].knows_class, colormap);
    say(this.code, codeText(methods[method].code[entry.reason ? "refused" : "shown"], layers[layer], classes[target]));
    this.classes.mark(target); // last: it may ask where a row lies, and what is written after that is laid out once more
  }

  /** @param {MapEntry} entry @param {number} scale @param {boolean} about  whether the map is about a class @param {Uint8Array} colormap */
  describeScale(entry, scale, about, colormap) {
    const signed = !this.model.get("only_for");
    const shared = !this.model.get("own_scale");
    this.scale.hidden = Boolean(entry.reason);
    say(this.scaleTitle, !about ? "Scale; the sign is a convention" : shared ? "Scale, shared by all classes" : "Scale of this class alone");
    const left = signed ? `${formatNumber(-scale)}${about ? " against" : ""}` : "0";
    const right = `${about ? "for " : ""}${formatNumber(scale, true)}`;
    this.legend.paint(colormap, signed, signed ? [left, "0", right] : [left, right]);
  }

  /** What is read under the pointer, or how to read something. @param {string} title @param {string} text @param {boolean} isValue */
  tell(title, text, isValue) {
    say(this.probeTitle, title);
    say(this.probeText, text);
    this.probeText.classList.toggle("camw-words", !isValue);
  }

  /** The same in one line. */
  probeWords() {
    return `${this.probeTitle.textContent}: ${this.probeText.textContent}`;
  }
}
