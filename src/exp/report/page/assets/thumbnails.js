// The small decision maps of the table, in the colours of the theme.

class Thumbnails {
  constructor({ side, steps, places, classes }, bytes, theme) {
    Object.assign(this, { side, steps, bytes, theme });
    this.classes = classes;
    this.at = new Map(places.map((place, i) => [place, i]));
    this.shown = new Map(); // canvas -> which map
    theme.addEventListener("change", () => this.paintAll());
  }

  get any() {
    return this.at.size > 0;
  }

  has(place) {
    return this.at.has(place);
  }

  picture(place, label) {
    const canvas = element("canvas", { width: this.side, height: this.side, role: "img", "aria-label": label });
    this.shown.set(canvas, this.at.get(place));
    this.paint(canvas);
    return canvas;
  }

  paintAll() {
    for (const canvas of this.shown.keys()) {
      if (canvas.isConnected) this.paint(canvas);
      else this.shown.delete(canvas);
    }
  }

  paint(canvas) {
    const at = this.shown.get(canvas);
    const colours = this.palette(this.classes[at]);
    const size = this.side * this.side;
    const image = new ImageData(this.side, this.side);
    for (let i = 0; i < size; i++) {
      image.data.set(colours[this.bytes[at * size + i]], 4 * i);
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  // As `thumbnail` in Python counts: each class from uncertain to certain, then its full colour.
  palette(count) {
    const { page, tint } = this.theme.now;
    const paper = rgb(page);
    const classes = this.theme.classes(count).map(rgb);
    const steps = Math.max(Math.floor(this.steps / count), 3);
    return Array.from({ length: 256 }, (_, index) => {
      const dot = index >= count * steps;
      const colour = classes[dot ? (index - count * steps) % count : Math.floor(index / steps)];
      const strength = dot ? 1 : (tint * (index % steps)) / (steps - 1);
      return [...paper.map((value, c) => value + (colour[c] - value) * strength), 255];
    });
  }
}
