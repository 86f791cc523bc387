// Training frame by frame, within a budget of time, so that the page stays smooth.

const FRAME = 11; // milliseconds of work per frame: of the 16.7 of a 60 Hz screen the browser needs the rest to paint
const LEAST = 2;

class Loop extends EventTarget {
  constructor(session, draw) {
    super();
    Object.assign(this, { session, draw });
    this.running = false;
    this.rate = 60; // epochs per second
    this.due = 0;
    this.drawing = 4; // milliseconds that drawing takes, on average
    this.dirty = false;
    this.frames = { count: 0, late: 0 };
    for (const name of ["restart", "points", "settings"]) session.addEventListener(name, () => this.refresh());
  }

  play() {
    if (this.running) return;
    this.running = true;
    this.last = performance.now();
    this.due = 1;
    this.changed();
  }

  pause() {
    if (!this.running) return;
    this.running = false;
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
    this.refresh();
  }

  step() {
    this.pause();
    this.session.trainer.train(1);
    this.refresh();
    this.dispatchEvent(new Event("step"));
  }

  /** Draws once, at the next frame. */
  refresh() {
    if (this.dirty) return;
    this.dirty = true;
    requestAnimationFrame((now) => this.frame(now));
  }

  frame(now) {
    this.dirty = false;
    if (this.running) this.train(now);
    const begun = performance.now();
    this.draw(this.running);
    this.drawing += 0.1 * (performance.now() - begun - this.drawing);
    if (this.running) this.refresh();
  }

  train(now) {
    const { session: { trainer } } = this;
    const passed = clamp(now - this.last, 0, 250);
    if (passed > 20) this.frames.late++;
    this.frames.count++;
    this.last = now;
    this.due = Math.min(this.due + (passed / 1000) * this.rate, 1e6);
    const end = performance.now() + Math.max(FRAME - this.drawing, LEAST);
    const stop = this.stop === null || this.stop === undefined ? Infinity : this.stop;
    while (this.due >= 1 && trainer.epoch < stop) {
      trainer.train(1);
      this.due -= 1;
      if (performance.now() >= end) break;
    }
    // What did not fit into this frame is not made up for: the page would only lag behind.
    this.due = Math.min(this.due, 1);
    if (trainer.diverged) {
      complain("The loss is no longer a number: the weights became too large. Reset, and lower the learning rate.");
      this.pause();
    } else if (trainer.epoch >= stop) this.pause();
  }
}
