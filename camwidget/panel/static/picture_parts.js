/** What a picture's view is made of, before anything is shown in it. */

import { element, keepKeys, letCommandsThrough, makeAnnouncer, makeBusy, makeMessage, makeRoot } from "./elements.js";
import { Facts } from "./facts.js";
import { Film } from "./film.js";
import { Kernel } from "./kernel.js";
import { Lecture } from "./lecture.js";
import { Look } from "./look.js";
import { Sheet } from "./sheet.js";
import { Tabs } from "./tabs.js";
import { Upload } from "./upload.js";

/** @typedef {import("./types.js").Model<import("./types.js").PictureTraits>} Model */

/** The picture, the colours over it, and the cell that is read. */
function makeFrame() {
  const frame = keepKeys(element("div", "camw-frame"));
  frame.tabIndex = 0;
  frame.setAttribute("role", "application");
  frame.setAttribute("aria-label", "The picture; the arrow keys go over it");
  const sheet = new Sheet();
  frame.append(sheet.box);
  return { frame, sheet };
}

/** What there are keys for. @param {boolean} live @returns {import("./keys.js").Group[]} */
const groupsOf = (live) => (live ? ["anywhere", "layer", "class", "list", "search", "tabs", "slide", "hide", "guess"] : ["anywhere", "layer", "class", "tabs", "slide", "guess"]);

/** The elements, in the order of the page. @param {Model} model @param {AbortSignal} signal */
export function makePage(model, signal) {
  const root = makeRoot("Heatmap of what the network looks at");
  const kernel = new Kernel(model, signal);
  const heading = element("p", "camw-heading");
  const look = new Look(model, model);
  const body = element("div", "camw-body");
  const tabs = new Tabs(model, body);
  const announcer = makeAnnouncer();
  const announce = (/** @type {string} */ words) => { announcer.textContent = words; };
  const lecture = new Lecture(model, kernel, root, { groups: groupsOf(kernel.live), announce }, signal);
  const line = element("div", "camw-line");
  const bar = element("div", "camw-actions");
  bar.append(tabs.box, lecture.box);
  line.append(heading, bar);
  const { message, show: showMessage } = makeMessage(model);
  const top = element("div", "camw-top");
  const framed = makeFrame();
  const facts = new Facts(model, kernel, { cells: "cells", thing: "image" });
  top.append(framed.frame, facts.side);
  const film = new Film(model);
  const working = makeBusy(model, kernel, top, film.box);
  const upload = new Upload(model, kernel, framed.frame, root, signal);
  const foot = element("div", "camw-foot");
  foot.append(upload.box, facts.codeBox);
  const settings = element("div", "camw-settings");
  settings.append(look.box);
  const pair = element("div", "camw-equation"); // empty until something is compared
  body.append(message, top, pair, settings, film.box, foot);
  root.append(working.busy, line, body, announcer);
  letCommandsThrough(root, signal);
  root.addEventListener("keydown", (event) => { if (event.target === facts.classes.slider.input) facts.classes.onKey(event); }, { signal });
  return { root, kernel, heading, tabs, lecture, look, showMessage, ...framed, facts, pair, settings, film, announcer, working, upload };
}
