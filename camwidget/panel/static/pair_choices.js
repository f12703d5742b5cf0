/** The line of choices for a comparison: what is compared, with which, and how it is shown. */

import { KINDS } from "./compare.js";
import { element } from "./elements.js";
import { keepPlainKey } from "./keys.js";
import { labelled, optionsOf } from "./look.js";
import { choose } from "./model.js";

/** @typedef {import("./compare.js").Maps} Maps */
/** @typedef {import("./compare.js").Pair} Pair */
/** @typedef {import("./kernel.js").Kernel} Kernel */
/** @typedef {import("./types.js").Model<import("./types.js").PictureTraits>} Model */

const PLURAL = /** @type {const} */ ({ class: "classes", method: "methods", layer: "layers", picture: "pictures" });

/** A list that sets a trait to the number of what is chosen. @param {Model} model @param {"compare_index" | "as_swipe" | "class_index"} trait */
function listFor(model, trait) {
  const select = element("select", "");
  select.addEventListener("change", () => choose(model, trait, Number(select.value)));
  return select;
}

export class PairChoices {
  /** @param {Model} model @param {Kernel} kernel */
  constructor(model, kernel) {
    this.model = model;
    this.kernel = kernel;
    this.kind = listFor(model, "compare_index");
    this.way = listFor(model, "as_swipe");
    this.way.append(...optionsOf(["as a difference", "by a swipe"]));
    this.target = listFor(model, "class_index");
    this.turned = element("button", "camw-switch", "turn it round");
    this.turned.setAttribute("role", "switch");
    this.turned.addEventListener("click", () => choose(model, "turned", model.get("turned") ? 0 : 1));
    const swipe = (this.swipe = element("input", "camw-heat"));
    Object.assign(swipe, { type: "range", min: "0", max: "1", step: "0.01" });
    swipe.addEventListener("input", () => choose(model, "swipe", Number(swipe.value)));
    swipe.addEventListener("keydown", keepPlainKey);
    const demo = (this.demo = element("select", ""));
    demo.addEventListener("change", () => { if (demo.value) kernel.ask({ do: "second", name: demo.value, at: "" }); });
    kernel.follow(() => { demo.disabled = !kernel.free; });
    this.parts = { kind: labelled("Compare", this.kind), way: labelled("Shown", this.way), target: labelled("Class", this.target), demo: labelled("Second picture", demo), swipe: labelled("Edge", swipe) };
    this.box = element("div", "camw-choices");
    this.box.append(this.parts.kind, this.parts.demo, this.parts.target, this.parts.way, this.parts.swipe, this.turned);
  }

  /** What there is to choose from. @param {Maps["manifest"]} manifest */
  list(manifest) {
    const kinds = KINDS.map((each, i) => ({ each, i })).filter(({ each }) => each !== "picture" || manifest.other || this.kernel.live)
      .filter(({ each }) => each === "picture" || manifest[PLURAL[each]].length > 1);
    this.kind.replaceChildren(...kinds.map(({ each, i }) => new Option(`two ${PLURAL[each]}`, String(i))));
    this.target.replaceChildren(...optionsOf(manifest.classes.map((each) => each.name)));
    const names = this.model.get("pictures");
    this.demo.replaceChildren(new Option(manifest.other ? "another \u2026" : "choose one \u2026", ""), ...names.map((name) => new Option(name)));
  }

  /** What is chosen. @param {Maps} maps @param {Pair["kind"]} kind  what is compared, which without a second picture is not what was chosen */
  show(maps, kind) {
    const { model, kernel, parts } = this;
    const chosen = KINDS[model.get("compare_index")];
    const swipes = Boolean(model.get("as_swipe"));
    this.kind.value = String(KINDS.indexOf(chosen === "picture" && !maps.manifest.other && kernel.live ? "picture" : kind));
    this.way.value = String(model.get("as_swipe"));
    this.target.value = String(maps.at().target);
    parts.target.hidden = kind === "class";
    parts.demo.hidden = !kernel.live || chosen !== "picture" || !model.get("pictures").length;
    parts.swipe.hidden = !swipes;
    this.swipe.value = String(model.get("swipe"));
    this.turned.setAttribute("aria-checked", String(Boolean(model.get("turned"))));
  }
}
