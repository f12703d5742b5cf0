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

/** Panels before one kernel that works off what it gets one after the other; `cell` runs a cell, `sent` counts questions. */
function slow(panels, takes) {
  const made = [], queue = [];
  const host = { status: "idle", statusChanged: { connect: (look) => made.push(look), disconnect() {} } };
  let sent = 0;
  const become = (now) => { host.status = now; made.forEach((look) => look()); };
  const work = () => {
    if (!queue.length || host.status === "busy") return;
    const [ms, done] = queue.shift();
    become("busy");
    setTimeout(() => { done(); become("idle"); setTimeout(work); }, ms);
  };
  const cell = (ms) => { queue.push([ms, () => {}]); work(); };
  for (let i = 0; i < panels; i++) {
    let hear = () => {};
    new Kernel({
      widget_manager: { kernel: host },
      get: (trait) => (trait === "live" ? 1 : ""),
      on: (_, listener) => { hear = listener; },
      off() {},
      send: ({ number }) => { sent += 1; queue.push([takes, () => hear({ heard: number })]); setTimeout(work); },
    }, new AbortController().signal);
  }
  return { cell, sent: () => sent };
}

/** Let time pass in small steps: what is set off within a step counts from its end. */
function pass(ms) {
  for (let passed = 0; passed < ms; passed += 10) mock.timers.tick(10);
}

for (const takes of [20, 300, 600, 900])
  test(`panels do not keep a kernel busy by asking whether it is, if a question takes it ${takes} ms`, (context) => {
    mock.timers.enable({ apis: ["setTimeout"] });
    context.after(() => mock.timers.reset());
    globalThis.window = globalThis;
    const { cell, sent } = slow(4, takes);
    pass(20_000); // the greetings
    const greetings = sent();
    if (takes < 800) assert.equal(greetings, 4);
    cell(3000);
    pass(400_000);
    const asked = sent() - greetings;
    if (takes < 800) assert.equal(asked, 4); // each once, while the cell ran
    pass(60_000);
    assert.equal(sent() - greetings, asked); // and then there is quiet
  });
