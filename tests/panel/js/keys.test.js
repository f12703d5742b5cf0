/** The table of keys: what a key is for, and how it is printed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY_TABLE, printedKeys, rowOf } from "../../../camwidget/panel/static/keys.js";

const press = (key, more = {}) => ({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });

test("a key belongs to one row of what has the focus", () => {
  assert.equal(rowOf("layer", press("ArrowDown")), "back");
  assert.equal(rowOf("class", press("ArrowDown")), "on");
  assert.equal(rowOf("anywhere", press("?", { shiftKey: true })), "help");
  assert.equal(rowOf("anywhere", press("P", { shiftKey: true })), "play");
  assert.equal(rowOf("hide", press("ArrowUp")), "move");
  assert.equal(rowOf("hide", press("ArrowUp", { shiftKey: true })), "size");
  assert.equal(rowOf("slide", press("a")), null);
});

test("a key with Ctrl, Cmd or Alt belongs to nothing in a panel", () => {
  for (const more of ["ctrlKey", "metaKey", "altKey"])
    for (const [group, { rows }] of Object.entries(KEY_TABLE))
      for (const { keys } of Object.values(rows)) for (const key of keys) assert.equal(rowOf(group, press(key, { [more]: true })), null);
});

test("no key means two things in one place, and a letter means the same everywhere", () => {
  const letters = KEY_TABLE.anywhere.rows;
  for (const [group, { rows }] of Object.entries(KEY_TABLE)) {
    const all = Object.values(rows).flatMap(({ keys, shift }) => keys.map((key) => `${shift ? "Shift " : ""}${key}`));
    assert.equal(new Set(all).size, all.length, group);
    if (group !== "anywhere") for (const { keys } of Object.values(letters)) assert.ok(!all.includes(keys[0]), group);
  }
  // what stands in two groups because a part of it needs a kernel
  for (const [one, two] of [["class", "list"], ["words", "deletion"]])
    for (const { keys } of Object.values(KEY_TABLE[two].rows)) for (const key of keys) assert.equal(rowOf(one, press(key)), null);
});

test("keys are printed as they are on a keyboard", () => {
  assert.deepEqual(printedKeys(KEY_TABLE.layer.rows.back), ["\u2190", "\u2193"]);
  assert.deepEqual(printedKeys(KEY_TABLE.hide.rows.size), ["Shift + arrows"]);
  assert.deepEqual(printedKeys(KEY_TABLE.deletion.rows.remove), ["Enter", "Delete", "Space"]);
});
