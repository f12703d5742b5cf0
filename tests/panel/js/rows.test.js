import assert from "node:assert/strict";
import { test } from "node:test";

import { chosen, confusionOf, pairsOf, scaleOf, sharedScaleOf, Table } from "../../../camwidget/panel/static/rows.js";
import { tagOf, toggled } from "../../../camwidget/panel/static/tagging.js";

/** Four rows: number, true, said, p_true, p_said, margin, loss, and the peaks of three maps. */
function example() {
  const rows = [
    [10, 0, 1, 0.1, 0.8, 0.7, 2.5, 1, 2, 3],
    [11, 1, 1, 0.9, 0.9, 0.8, 0.25, 5, 5, 0],
    [13, 2, 1, 0.25, 0.5, 0.25, 1.5, 4, 1, 2],
    [17, 0, 1, 0.05, 0.95, 0.9, 3, 0.5, 0.25, 0.5],
  ];
  return new Table(new DataView(Float32Array.from(rows.flat()).buffer));
}

const all = { shown: "all", cell: [], members: [], order: "given" };

test("the mistakes come first by loss, by confidence or by doubt", () => {
  const table = example();
  assert.deepEqual(chosen(table, { ...all, shown: "wrong", order: "loss" }), [3, 0, 2]);
  assert.deepEqual(chosen(table, { ...all, shown: "wrong", order: "sure" }), [3, 0, 2]);
  assert.deepEqual(chosen(table, { ...all, order: "doubt" }), [2, 0, 1, 3]);
  assert.deepEqual(chosen(table, { ...all, shown: "right" }), [1]);
});

test("a cell goes before right or wrong, and groups and tags narrow it further", () => {
  const table = example();
  assert.deepEqual(chosen(table, { ...all, shown: "right", cell: [0, 1] }), [0, 3]);
  assert.deepEqual(chosen(table, { ...all, cell: [0, 1], members: [new Set([17, 11]), new Set([17])] }), [3]);
});

test("a row is found by its number, not by its place", () => {
  assert.deepEqual([10, 13, 17, 12].map((row) => example().placeOf(row)), [0, 2, 3, -1]);
});

test("both maps of a tile are on one scale, and that of all tiles is the largest", () => {
  const table = example();
  assert.equal(scaleOf(table, 0, "both"), 2);
  assert.equal(scaleOf(table, 0, "difference"), 3);
  assert.equal(sharedScaleOf(table, [0, 2, 3], "both"), 4);
  assert.equal(sharedScaleOf(table, [], "both"), 0);
});

test("pictures are counted by what they are and what was said", () => {
  assert.deepEqual(confusionOf(example(), 3), [[0, 2, 0], [0, 1, 0], [0, 1, 0]]);
  assert.deepEqual(pairsOf(example(), 5), [{ true: 0, said: 1, count: 2 }, { true: 2, said: 1, count: 1 }]);
  assert.equal(pairsOf(example(), 1).length, 1);
});

test("a tag is given and taken, and the tags before stay as they were", () => {
  const tags = { a: [3] };
  assert.deepEqual(toggled(tags, "a", 1), { a: [1, 3] });
  assert.deepEqual(toggled(tags, "a", 3), { a: [] });
  assert.deepEqual(toggled(tags, "b", 2), { a: [3], b: [2] });
  assert.deepEqual(tags, { a: [3] });
});

test("what is typed becomes a tag that Python takes", () => {
  assert.equal(tagOf("  date;\tstamp \n"), "date stamp");
  assert.equal(tagOf(" ; "), "");
  assert.equal(tagOf("x".repeat(80)).length, 60);
});
