/** What is taken back, step by step. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { History, slidOn } from "../../../camwidget/panel/static/history.js";
import { makeModel } from "../../../camwidget/panel/static/page.js";

const later = () => new Promise(setImmediate);

/** A history of some choices, and what it asked of the kernel. */
function historyOf(state) {
  const asked = [];
  const model = makeModel({ past: [], ...state });
  const history = new History(model, { free: true, ask: (request) => asked.push(request) }, () => {}, new AbortController().signal);
  const set = async (changes) => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    await later();
  };
  return { asked, model, history, set };
}

test("each choice is a step, and one slide is one step", async () => {
  const { model, history, set } = historyOf({ layer_index: 0, method_index: 0 });
  for (const layer of [1, 2, 3]) await set({ layer_index: layer });
  await set({ method_index: 1 });
  await set({ method_index: 2 });
  await set({ layer_index: 0 });
  const seen = [];
  while (history.before.length) {
    history.back();
    seen.push([model.get("layer_index"), model.get("method_index")]);
    await later();
  }
  assert.deepEqual(seen, [[3, 2], [3, 1], [3, 0], [0, 0]]);
  history.back();
  assert.equal(model.get("layer_index"), 0);
});

test("what changes at once is taken back at once, and so is what was played", async () => {
  const { model, history, set } = historyOf({ layer_index: 0, guess: [0.1, 0.2], revealed: 1 });
  await set({ guess: [], revealed: 0 });
  history.asOne(true);
  await set({ layer_index: 1 });
  await set({ layer_index: 2, revealed: 1 });
  history.asOne(false);
  await set({ layer_index: 3 });
  assert.equal(history.before.length, 3);
  for (const [layer, revealed] of [[2, 1], [0, 0], [0, 1]]) {
    history.back();
    assert.deepEqual([model.get("layer_index"), model.get("revealed")], [layer, revealed]);
    await later();
  }
  assert.deepEqual(model.get("guess"), [0.1, 0.2]);
});

test("a rectangle more is a step, and moving one is a step whatever its way", () => {
  const [one, two, moved] = [[[0, 0, 1, 1]], [[0, 0, 1, 1], [0, 0, 0.5, 0.5]], [[0, 0, 1, 1], [0, 0, 0.5, 0.6]]].map((regions) => ({ regions }));
  assert.equal(slidOn(one, two, "regions"), false);
  assert.equal(slidOn(two, moved, "regions"), true);
  assert.equal(slidOn(two, moved, "layer_index"), false);
  assert.equal(slidOn({ mode_index: 0 }, { mode_index: 1 }, "mode_index"), false);
  assert.equal(slidOn({ guess: [] }, { guess: [0.5, 0.5] }, "guess"), false);
});

test("what only the kernel brings back lies between the choices", async () => {
  const { asked, model, history, set } = historyOf({ layer_index: 0, class_index: 0 });
  await set({ layer_index: 1 });
  await set({ class_index: 3, past: [1] }); // another picture, with another class
  await set({ class_index: 4 });
  history.back();
  assert.deepEqual([model.get("class_index"), asked.length], [3, 0]);
  history.back();
  assert.deepEqual(asked, [{ do: "back", to: 1 }]);
  await set({ class_index: 0, past: [] }); // the kernel's answer
  assert.equal(history.before.length, 1);
  history.back();
  assert.deepEqual([model.get("layer_index"), history.before.length], [0, 0]);
});

test("with what the kernel has forgotten go the choices before it", async () => {
  const { model, history, set } = historyOf({ layer_index: 0, past: [1, 2] });
  assert.equal(history.before.length, 2);
  await set({ layer_index: 1 });
  await set({ past: [2, 3] }); // the oldest has made room
  assert.deepEqual(history.before, [{ past: 2 }, { choices: { layer_index: 0 } }, { past: 3 }]);
  await set({ past: [] });
  assert.deepEqual(history.before, []);
  await set({ layer_index: 2 });
  history.back();
  assert.equal(model.get("layer_index"), 1);
});

test("while the kernel is busy nothing is asked of it", async () => {
  const { asked, history, set } = historyOf({ layer_index: 0, past: [7] });
  history.kernel.free = false;
  history.back();
  assert.deepEqual(asked, []);
  assert.equal(history.before.length, 1);
  history.kernel.free = true;
  history.back();
  history.back(); // before the answer has come
  assert.deepEqual(asked, [{ do: "back", to: 7 }, { do: "back", to: 7 }]);
  await set({ past: [] });
  assert.equal(history.before.length, 0);
});
