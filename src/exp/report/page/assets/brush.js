// The part of an axis that is kept: dragged along it, or moved end by end with the arrow keys.

const STEP = 0.02;

class Brush {
  constructor(axis, place, changed) {
    Object.assign(this, { axis, changed });
    this.track = element("div", { className: "track" });
    this.kept = element("div", { className: "kept" });
    this.ends = ["lowest", "highest"].map((end, i) => this.handle(end, i));
    this.track.append(this.kept, ...this.ends);
    place.append(this.track);
    this.track.addEventListener("pointerdown", (event) => this.drag(event));
    this.update();
  }

  handle(end, i) {
    const handle = element("div", { className: "handle", role: "slider", tabIndex: 0 });
    const name = this.axis.column.name + ", " + end + " value";
    for (const [key, value] of [["label", name], ["orientation", "vertical"], ["valuemin", 0], ["valuemax", 100]]) {
      handle.setAttribute("aria-" + key, value);
    }
    handle.addEventListener("keydown", (event) => this.key(event, i));
    return handle;
  }

  key(event, i) {
    const moves = { ArrowUp: STEP, ArrowRight: STEP, ArrowDown: -STEP, ArrowLeft: -STEP, PageUp: 0.2, PageDown: -0.2, Home: -1, End: 1 };
    if (event.key === "Escape") this.set(null);
    else if (event.key in moves) this.move(i, (this.axis.range || [0, 1])[i] + moves[event.key]);
    else return;
    event.preventDefault();
  }

  move(i, at) {
    const range = [...(this.axis.range || [0, 1])];
    range[i] = Math.min(Math.max(at, i ? range[0] : 0), i ? 1 : range[1]);
    this.set(range[0] <= 0 && range[1] >= 1 ? null : range);
  }

  set(range) {
    this.axis.range = range;
    this.update();
    this.changed();
  }

  update() {
    const [low, high] = this.axis.range || [0, 1];
    this.kept.style.bottom = 100 * low + "%";
    this.kept.style.height = 100 * (high - low) + "%";
    this.kept.hidden = !this.axis.range;
    [low, high].forEach((at, i) => {
      this.ends[i].style.bottom = 100 * at + "%";
      this.ends[i].setAttribute("aria-valuenow", Math.round(100 * at));
      this.ends[i].setAttribute("aria-valuetext", this.axis.words(at));
    });
  }

  drag(event) {
    const box = this.track.getBoundingClientRect();
    const height = (e) => Math.min(Math.max((box.bottom - e.clientY) / box.height, 0), 1);
    const start = height(event);
    const end = this.ends.indexOf(event.target);
    const moved = (e) => {
      const at = height(e);
      if (end >= 0) this.move(end, at);
      else if (Math.abs(at - start) > 0.01) this.set([Math.min(start, at), Math.max(start, at)]);
    };
    const up = () => {
      this.track.removeEventListener("pointermove", moved);
      if (end < 0 && this.axis.range && !this.touched) this.set(null); // a click keeps all again
      this.touched = false;
    };
    this.track.setPointerCapture(event.pointerId);
    this.track.addEventListener("pointermove", moved);
    this.track.addEventListener("pointermove", () => (this.touched = true), { once: true });
    this.track.addEventListener("pointerup", up, { once: true });
    this.track.addEventListener("pointercancel", up, { once: true });
  }
}
