// Plays the frames of a run: a button, a slider, and a timer that moves the slider.

const WHOLE = 6000; // milliseconds from the first frame to the last
const [FASTEST, SLOWEST] = [80, 400]; // milliseconds of a frame

class Player {
  constructor(epochs, changed) {
    Object.assign(this, { epochs, changed, timer: null, last: epochs.length - 1 });
    this.button = element("button", { type: "button", id: "play" }, "Play");
    this.button.hidden = this.last === 0;
    this.slider = element("input", {
      type: "range", min: 0, max: this.last, step: 1, value: this.last, id: "epoch-slider",
    });
    this.output = element("output", { for: "epoch-slider", id: "epoch" });
    this.button.addEventListener("click", () => (this.timer === null ? this.start() : this.stop()));
    this.slider.addEventListener("input", () => {
      this.stop();
      this.show();
    });
    const label = element("label", { for: "epoch-slider" }, "Epoch");
    this.controls = element("div", { className: "controls player" }, this.button, label, this.slider, this.output);
  }

  get frame() {
    return Number(this.slider.value);
  }

  get epoch() {
    return this.epochs[this.frame];
  }

  start() {
    if (this.frame === this.last) this.go(0);
    const pace = Math.min(Math.max(WHOLE / this.epochs.length, FASTEST), SLOWEST);
    this.timer = setInterval(() => this.next(), pace);
    this.button.textContent = "Pause";
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.button.textContent = "Play";
  }

  next() {
    if (!this.slider.isConnected) this.stop(); // another run was selected
    else this.go(this.frame + 1);
    if (this.frame === this.last) this.stop();
  }

  go(frame) {
    this.slider.value = Math.min(frame, this.last);
    this.show();
  }

  // The frame that is nearest to an epoch.
  seek(epoch) {
    const distances = this.epochs.map((each) => Math.abs(each - epoch));
    this.stop();
    this.go(distances.indexOf(Math.min(...distances)));
  }

  show() {
    this.output.textContent = String(this.epoch);
    this.slider.setAttribute("aria-valuetext", "epoch " + this.epoch);
    this.changed();
  }
}
