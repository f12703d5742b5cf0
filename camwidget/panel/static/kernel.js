/**
 * Whether a kernel listens. Some hosts say so themselves; everywhere, what is asked for is answered at once by a kernel
 * that is free, so no answer within a second tells the same. What is asked of nobody would be lost, or would happen much
 * later, so what needs the kernel is locked meanwhile.
 */

/** @typedef {import("./types.js").Told} Told */
/** @typedef {import("./types.js").Request} Request */
/**
 * @template Traits
 * @typedef {import("./types.js").Model<Traits>} Model
 */

const ANSWER_WITHIN_MS = 800;
/** Between two questions that nobody at the page has asked: on a slow machine the question itself keeps a kernel busy. */
const REST_MS = 5000;
const LONGEST_REST_MS = 80_000;
const SLIDING = {
  free: "",
  busy: "The kernel is busy. Sliding goes on; new classes, pictures and words wait",
  gone: "No kernel listens. Sliding goes on; run the cell again for anything new",
};

export class Kernel {
  /** @param {Model<Told>} model @param {AbortSignal} signal  ends all listening @param {typeof SLIDING} [told]  what is said of each state */
  constructor(model, signal, told = SLIDING) {
    this.model = model;
    this.told = told;
    this.live = Boolean(model.get("live"));
    /** @type {keyof typeof SLIDING} */
    this.state = "free";
    /** @type {(() => void)[]} */
    this.listeners = [];
    this.number = 0;
    this.heard = 0;
    this.timers = new Set();
    this.waiting = 0; // the timer of a kernel that is busy
    this.resting = 0; // the timer since it was asked
    this.rest = REST_MS;
    this.greeted = false;
    if (!this.live) return;
    const heard = (/** @type {{heard?: number}} */ content) => this.onMessage(content);
    model.on("msg:custom", heard);
    this.host = model.widget_manager?.kernel ?? null;
    const look = () => this.look();
    this.host?.statusChanged?.connect(look);
    signal.addEventListener("abort", () => {
      model.off("msg:custom", heard);
      this.host?.statusChanged?.disconnect(look);
      for (const each of this.timers) clearTimeout(each);
      this.listeners = [];
      this.host = null;
    });
    this.look();
  }

  get words() {
    return this.told[this.state];
  }

  /** @param {() => void} listener  is called when the state has changed, and once now */
  follow(listener) {
    this.listeners.push(listener);
    listener();
  }

  /** Ask the kernel for something. @param {Request} request @param {ArrayBuffer[]} [buffers] */
  ask(request, buffers = []) {
    if (!this.live) return;
    const number = (this.number += 1);
    this.model.send({ ...request, number }, undefined, buffers);
    if (request.do === "look at") return; // nobody waits for that
    this.after(ANSWER_WITHIN_MS, () => {
      if (this.heard < number && this.state === "free") this.become(this.heard === 0 && this.host?.status === "idle" ? "gone" : "busy");
    });
  }

  get free() {
    return this.state === "free";
  }

  /** @param {{heard?: number}} content */
  onMessage({ heard }) {
    if (heard === undefined) return;
    this.heard = Math.max(this.heard, heard);
    this.become("free");
  }

  /** What the host says of the kernel. */
  look() {
    const status = this.host?.status ?? "unknown";
    if (status === "busy") this.waitFor();
    else this.giveUp();
    if (["dead", "restarting", "autorestarting", "terminating"].includes(status)) this.become("gone");
    else if (status === "idle" && this.state === "busy") this.become("free");
    if (!this.greeted && (status === "idle" || !this.host)) {
      this.greeted = true;
      this.ask({ do: "hello" }); // a panel of a saved notebook has a host, but nobody behind it
    }
  }

  /** A kernel that is busy all the while, and not for this panel, is asked whether it answers beside a cell that runs: some do. */
  waitFor() {
    if (this.waiting || this.resting) return;
    this.waiting = this.after(ANSWER_WITHIN_MS, () => {
      this.waiting = 0;
      if (this.state !== "free" || this.model.get("busy")) return; // what it does for this panel is told in other words
      this.resting = this.after(this.rest, () => this.onRested());
      this.ask({ do: "hello" });
    });
  }

  onRested() {
    this.resting = 0;
    // busy with a long cell, or with questions of many panels on a slow machine
    this.rest = this.host?.status === "busy" ? Math.min(2 * this.rest, LONGEST_REST_MS) : REST_MS;
    this.look();
  }

  giveUp() {
    clearTimeout(this.waiting);
    this.timers.delete(this.waiting);
    this.waiting = 0;
  }

  /** @param {keyof typeof SLIDING} state */
  become(state) {
    if (state === this.state) return;
    this.state = state;
    for (const each of this.listeners) each();
  }

  /** @param {number} ms @param {() => void} act */
  after(ms, act) {
    const timer = window.setTimeout(() => { this.timers.delete(timer); act(); }, ms);
    this.timers.add(timer);
    return timer;
  }
}
