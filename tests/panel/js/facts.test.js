/** What the column of facts says in words. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { callText } from "../../../camwidget/panel/static/facts.js";

const METHOD = { key: "grad_cam", label: "Grad-CAM", knows_class: true };
const layer = (call, calls) => ({ name: "0.8", channels: 5, map_height: 4, map_width: 5, call, calls });

test("a layer that runs several times says which call is shown, and how to see another", () => {
  assert.equal(callText(layer(2, 2), METHOD), "The network runs this layer 2 times. Shown is its last call; call=1 shows another.");
  assert.equal(callText(layer(1, 3), METHOD), "The network runs this layer 3 times. Shown is call 1 of 3; call=2 shows another.");
  assert.equal(callText(layer(1, 1), METHOD), "");
  assert.equal(callText(layer(2, 2), { ...METHOD, knows_layer: false }), "");
});
