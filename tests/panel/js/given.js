/** What several of these tests use: numbers that Python worked out, and an object in place of a model. */

import { readFileSync } from "node:fs";

/** What test_static.py wrote for this run, by numpy and torch; a test that is run without it is skipped. */
export function expected(t) {
  const path = process.env.CAMWIDGET_EXPECTED;
  if (path) return JSON.parse(readFileSync(path, "utf8"));
  t.skip("python -m pytest tests/panel/test_static.py works out what is expected");
  return null;
}

export const modelOf = (state) => ({ get: (name) => state[name] });
