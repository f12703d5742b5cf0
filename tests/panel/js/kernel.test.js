// Whether a kernel listens: what the host says, and what only an answer shows. The clock is the test's own.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Kernel } from "../../../camwidget/panel/static/kernel.js";

/** A kernel as a view sees it, before a host whose status can be set; what the view sends is kept. */
function made(status) {
  globalThis.window = globalThis;
  const heard = [], sent = [], looks = [];
  const host = { status, statusChanged: { connect: (look) => looks.push(look), disconnect() {} } };
  const model = {
    widget_manager: { kernel: host },
    get: (trait) => (trait === "live" ? 1 : ""),
    on: (_, listener) => heard.push(listener),
    off() {},
    send: (content) => sent.push(content),
  };
  const kernel = new Kernel(model, new AbortController().signal);
  return {
    kernel,
    sent,
    answer: () => heard.forEach((listener) => listener({ heard: sent.at(-1).number })),
    become(now) {
      host.status = now;
      looks.forEach((look) => look());
    },
  };
}

test("a kernel that runs a cell and answers is free, one that does not answer is busy until it is idle", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  for (const answers of [true, false]) {
    const { kernel, sent, answer, become } = made("idle");
    answer();
    become("busy");
    mock.timers.tick(800);
    assert.deepEqual(sent.map((each) => each.do), ["hello", "hello"]);
    if (answers) answer();
    mock.timers.tick(800);
    assert.equal(kernel.free, answers);
    become("idle");
    assert.equal(kernel.free, true);
  }
  mock.timers.reset();
});

test("a kernel that has ended is gone, and so is one that never answered", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const ended = made("idle");
  ended.become("dead");
  assert.match(ended.kernel.words, /^No kernel listens/);
  const silent = made("idle");
  mock.timers.tick(800);
  assert.match(silent.kernel.words, /^No kernel listens/);
  mock.timers.reset();
});
