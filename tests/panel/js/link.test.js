/** What is shown as the end of an address, and back. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { linkOf, positionsOf, unknownWords } from "../../../camwidget/panel/static/link.js";

const manifest = {
  layers: [{ name: "0.4" }, { name: "0.5" }], methods: [{ key: "cam" }, { key: "grad_cam" }],
  classes: [{ index: 3, name: "cat & dog" }, { index: 134, name: "crane \u00b7 134" }, { index: 517, name: "crane \u00b7 517" }],
};

test("an address names the layer and the class, and what is not known is left out", () => {
  assert.deepEqual(positionsOf("#layer=0.5&class=cat+%26+dog", manifest), { layer_index: 1, class_index: 0 });
  assert.deepEqual(positionsOf("#layer=0.9&class=lynx&colour=red&constructor=1", manifest), {});
  assert.deepEqual(positionsOf("#class=517&other=134&mode=guess&method=cam", manifest), { class_index: 2, other_class_index: 2, mode_index: 3, method_index: 0 });
  assert.deepEqual(positionsOf("", manifest), {});
});

test("what is shown comes back from its own address", () => {
  const shown = { layer_index: 1, class_index: 2, method_index: 1, other_class_index: 1, mode_index: 1 };
  const link = linkOf((trait) => shown[trait], manifest);
  assert.equal(link, "#layer=0.5&class=517&method=grad_cam&other=cat+%26+dog&mode=compare");
  assert.deepEqual(positionsOf(link, manifest), shown);
});

test("what an address asks for in vain is said, and what can be shown is not", () => {
  assert.equal(unknownWords("#layer=0.5&class=517&mode=guess&other=crane+%C2%B7+134", manifest).split("\n").length, 1);
  assert.equal(unknownWords("#layer=0.5&class=517&mode=guess", manifest), "");
  assert.equal(unknownWords("", manifest), "");
  assert.match(unknownWords("#layer=0.9", manifest), /asks for layer=0\.9\. Here there is 0\.4, 0\.5\./);
  assert.match(unknownWords("#constructor=1", manifest), /asks for constructor=1\. It can ask for layer, class, method, other, mode\./);
  const many = { ...manifest, layers: Array.from({ length: 11 }, (_, i) => ({ name: `l${i}` })) };
  assert.match(unknownWords("#layer=0.9", many), /l6, l7, and 3 more\./);
});
