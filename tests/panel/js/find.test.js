/** Finding a class, and the round number at which bars end. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { barsEnd } from "../../../camwidget/panel/static/classes.js";
import { makeIndex, search } from "../../../camwidget/panel/static/find.js";

const NAMES = ["crane", "tiger beetle", "Tabby", "crane", "caf\u00e9 crane", "tiger", "no. 1"];
const WORDS = ["bird", "insect", "cat", "machine", "", "big cat", ""];
const found = (typed) => search(makeIndex(NAMES, WORDS), typed).map((each) => each.index);

test("a class is found by a part of its name, whatever the case and the accents, the best first", () => {
  assert.deepEqual(found("TIGER"), [5, 1]);
  assert.deepEqual(found("beet"), [1]);
  assert.deepEqual(found("cafe"), [4]);
  assert.deepEqual(found("tiger beetle"), [1]);
  assert.deepEqual(found(" "), []);
  assert.deepEqual(found("zebra"), []);
});

test("both of two classes with one name are found, and one by its number or another word", () => {
  assert.deepEqual(found("crane"), [0, 3, 4]);
  assert.deepEqual(found("3"), [3]);
  assert.deepEqual(found("1"), [1, 6]);
  assert.deepEqual(found("cat"), [2, 5]);
});

test("bars end at a round number that is not below the largest", () => {
  const ends = [[[0.25, 0.1], 0.3], [[1, 0], 1], [[0.97], 1], [[0.006], 0.006], [[0.0101], 0.015], [[], 1], [[0], 1]];
  for (const [probabilities, end] of ends) assert.ok(Math.abs(barsEnd(probabilities) - end) < 1e-9, `${probabilities}`);
});
