/** The sheet with all keys, drawn from their table; `?` shows and hides it. */

import { element, keepKeys } from "./elements.js";
import { KEY_TABLE, printedKeys } from "./keys.js";

/** @typedef {import("./keys.js").Group} Group */

let sheets = 0;

/** The keys of one group as a table. @param {Group} group */
function tableOf(group) {
  const { title, rows } = KEY_TABLE[group];
  const table = element("table", "camw-keys-table");
  table.append(element("caption", "camw-title", title));
  for (const row of /** @type {{keys: readonly string[], words: string, shift?: boolean}[]} */ (Object.values(rows))) {
    const line = element("tr", "");
    const head = element("th", "");
    head.scope = "row";
    head.append(...printedKeys(row).flatMap((key, i) => [...(i ? [" or "] : []), element("kbd", "", key)]));
    line.append(head, element("td", "", row.words));
    table.append(line);
  }
  return table;
}

export class KeySheet {
  /** @param {HTMLElement} root  where it lies @param {readonly Group[]} groups  what there are keys for */
  constructor(root, groups) {
    this.root = root;
    this.groups = groups;
    /** @type {HTMLDialogElement | null} */
    this.dialog = null; // made when somebody asks for it
  }

  get open() {
    return Boolean(this.dialog?.open);
  }

  make() {
    const dialog = keepKeys(element("dialog", "camw-keys"));
    const title = element("h2", "camw-keys-title", "Keys");
    title.id = `camw-keys-${(sheets += 1)}`;
    dialog.setAttribute("aria-labelledby", title.id);
    const close = element("button", "camw-button", "Close");
    close.addEventListener("click", () => dialog.close());
    const head = element("div", "camw-keys-head");
    head.append(title, close);
    const body = element("div", "camw-keys-body");
    body.append(...this.groups.map(tableOf));
    const note = element("p", "camw-keys-note", "Keys with Ctrl, Cmd or Alt are for the notebook and the browser, also where the panel has the focus.");
    dialog.append(head, body, note);
    this.root.append(dialog);
    return dialog;
  }

  /** Show it over all else, or hide it; the browser keeps the focus in it, and gives it back. */
  toggle() {
    this.dialog ??= this.make();
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }
}
