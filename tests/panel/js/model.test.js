/** How a view hears of traits that belong together, and how it ends. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ending, together } from "../../../camwidget/panel/static/model.js";
import { modelOf } from "./given.js";

test("what one message brings is acted on once, and what comes later once more", () => {
  const state = { manifest: {}, maps: {} };
  let count = 0;
  const changed = together(modelOf(state), ["manifest", "maps"], () => { count += 1; });

  changed();
  changed();
  assert.equal(count, 1);

  state.maps = {};
  changed();
  assert.equal(count, 2);
});

test("a view is closed once, however often its host ends it", () => {
  let count = 0;
  const end = ending({ close: () => { count += 1; } });
  assert.equal(count, 0);

  end();
  end();

  assert.equal(count, 1);
});
