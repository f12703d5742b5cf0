/** Two maps and their difference, worked out by hand. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { differenceSum, differenceTitle, moreWords, pairOf, secondOf } from "../../../camwidget/panel/static/compare.js";
import { Maps } from "../../../camwidget/panel/static/maps.js";
import { modelOf } from "./given.js";

const METHODS = [{ key: "grad_cam", label: "Grad-CAM", knows_class: true }, { key: "cam", label: "CAM", knows_class: true }];
const LAYERS = [{ name: "early", map_height: 2, map_width: 4 }, { name: "late", map_height: 1, map_width: 2 }];
const CLASSES = [
  { index: 3, name: "cat", probability: 0.5, value: 0.5, logit: 3 },
  { index: 7, name: "dog", probability: 0.1, value: 0.1, logit: 1 },
  { index: 9, name: "cup", probability: 0.2, value: 0.2, logit: 2 },
];
/** Numbers of "late": Grad-CAM of cat 4, -1; of dog 1, 1; of cup 0, 2. CAM is twice as much. "early" is 1 to 8 for every class. */
const NUMBERS = [4, -1, 1, 1, 0, 2, 8, -2, 2, 2, 0, 4, 1, 2, 3, 4, 5, 6, 7, 8];

const entry = (offset, contributions = null, bias = null, reason = "") => ({ offset, unit: 1, contributions, bias, reason, why: "" });
const late = [[entry(0, 3, 0), entry(2, 2, -1), entry(4, 2, 0)], [entry(6, 3, 0), entry(8, 2, -1), entry(10, 2, 0)]];
const manifest = { layers: LAYERS, classes: CLASSES, methods: METHODS, alone: false, alt: "", maps: late.map((classes) => classes.map((each) => [entry(12), each])) };

function mapsWith(state, changed = manifest) {
  const all = { layer_index: 1, class_index: 0, method_index: 0, compare_index: 0, other_class_index: 0, other_method_index: 0, other_layer_index: 0, only_for: 0, own_scale: 0, turned: 0, maps: new DataView(Int16Array.from(NUMBERS).buffer), ...state };
  const model = modelOf(all);
  return [new Maps(model, changed), model];
}

test("of classes, what is left of one map without the other keeps its numbers, on one scale for all three", () => {
  const pair = pairOf(...mapsWith({ other_class_index: 2 }));
  assert.deepEqual([...pair.difference], [3, -2]);
  assert.deepEqual(pair.scales, [4, 4, 4]);
  assert.equal(differenceTitle(pair), "why cat and not dog");
  assert.deepEqual(pairOf(...mapsWith({ other_class_index: 2, own_scale: 1 })).scales, [4, 1, 3]);
});

test("of one class alone, what there are two of is compared", () => {
  const alone = { ...manifest, classes: CLASSES.slice(0, 1) };
  const kinds = (state, given = alone) => pairOf(...mapsWith(state, given)).kind;
  assert.deepEqual([kinds({}), kinds({ compare_index: 1 }), kinds({ compare_index: 3 }), kinds({ live: true })], ["layer", "method", "layer", "class"]);
  assert.equal(kinds({ layer_index: 0 }, { ...alone, layers: LAYERS.slice(0, 1) }), "method");
});

test("turned round, every number of the difference changes its sign", () => {
  const pair = pairOf(...mapsWith({ other_class_index: 2, turned: 1 }));
  assert.deepEqual([...pair.difference], [-3, 2]);
  assert.equal(differenceTitle(pair), "why dog and not cat");
  assert.equal(moreWords(pair), "\u22122.00 of logit: 0.200 times as likely");
});

test("the second class is the most probable one that is not shown, unless somebody chose", () => {
  assert.equal(secondOf(mapsWith({})[0], "class", 0), 2);
  assert.equal(secondOf(mapsWith({ class_index: 2 })[0], "class", 0), 0);
  assert.equal(secondOf(mapsWith({})[0], "class", 2), 1);
  assert.deepEqual([secondOf(mapsWith({})[0], "layer", 0), secondOf(mapsWith({ layer_index: 0 })[0], "layer", 0)], [0, 1]);
});

test("where both maps add up, the difference adds up to the difference of the logits, and only there is that said", () => {
  const pair = pairOf(...mapsWith({ other_class_index: 2 }));
  assert.equal([...pair.difference].reduce((a, b) => a + b), 3 - 2);
  assert.equal(differenceSum(pair), "The cells of the difference add up to 1.00. With 1.00 from the biases that is 2.00, the difference of the logits.");
  assert.equal(moreWords(pair), "+2.00 of logit: 5.00 times as likely");
  assert.match(differenceSum(pairOf(...mapsWith({ layer_index: 0 }))), /do not add up/);
  assert.match(differenceSum(pairOf(...mapsWith({ only_for: 1 }))), /adds up to nothing/);
});

test("of methods each map is taken in shares of its strongest cell, and one that differs by a factor is found out", () => {
  const pair = pairOf(...mapsWith({ compare_index: 1 }));
  assert.deepEqual([...pair.difference], [0, 0]);
  assert.deepEqual([...pair.halves[0].map], [1, -0.25]);
  assert.match(differenceSum(pair), /CAM is 2\.00 times Grad-CAM/);
});

test("of layers the map with fewer cells is spread over those of the other", () => {
  const pair = pairOf(...mapsWith({ compare_index: 2 }));
  // 1, -0.25 on four columns: the middles of its cells lie at 0.5 and 2.5
  const spread = [1, 0.6875, 0.0625, -0.25];
  assert.deepEqual([pair.grid.map_height, pair.grid.map_width], [2, 4]);
  assert.deepEqual([...pair.difference], [1, 2, 3, 4, 5, 6, 7, 8].map((value, i) => spread[i % 4] - value / 8));
});

test("without a second picture classes are compared, and a map that is missing leaves no difference", () => {
  assert.equal(pairOf(...mapsWith({ compare_index: 3 })).kind, "class");
  const gone = { ...manifest, maps: manifest.maps.map((classes) => classes.map((each, i) => (i === 1 ? [each[0], entry(0, null, null, "no map here")] : each))) };
  const pair = pairOf(...mapsWith({ other_class_index: 2 }, gone));
  assert.equal(pair.difference, null);
  assert.equal(differenceSum(pair), "");
});

test("of two pictures the second one's maps are read by its own description", () => {
  const other = { ...manifest, classes: CLASSES.map((each) => ({ ...each, logit: 0, probability: 0.01 })), maps: manifest.maps.map((classes) => classes.map(([first]) => [first, entry(2, 2, -1)])) };
  const pair = pairOf(...mapsWith({ compare_index: 3 }, { ...manifest, other }));
  assert.deepEqual([...pair.difference], [3, -2]);
  assert.equal(differenceTitle(pair), "the first picture minus the second picture");
  assert.equal(moreWords(pair), "+3.00 of logit: 50.0 times as likely");
});
