// The plane of the two features: what the network says of each place, and the rows.

const SIDE = 64; // places of the grid across and up
const MARGIN = 0.08;

class Plane {
  constructor(session, colours) {
    Object.assign(this, { session, colours });
    this.map = byId("map");
    this.rows = byId("rows");
    this.small = element("canvas", { width: SIDE, height: SIDE });
    this.image = new ImageData(SIDE, SIDE);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.part = "both";
    this.errors = false;
    this.limit();
    session.addEventListener("rows", () => this.limit());
    for (const name of ["points", "restart"]) session.addEventListener(name, () => this.paintRows());
    new ResizeObserver(() => this.resized()).observe(this.map);
  }

  resized() {
    this.size = this.map.clientWidth || 400;
    this.paintRows();
    if (this.found) this.paint(this.found, this.unit);
  }

  /** The limits of both axes, a square around all rows. */
  limit() {
    const { x } = this.session.trainer.rows;
    const axis = (column) => {
      let low = Infinity, high = -Infinity;
      for (const row of x) {
        low = Math.min(low, row[column]);
        high = Math.max(high, row[column]);
      }
      return [low, high];
    };
    const [across, up] = [axis(0), axis(1)];
    const half = (0.5 + MARGIN) * Math.max(across[1] - across[0], up[1] - up[0], 1e-6);
    const middle = ([low, high]) => (low + high) / 2;
    this.x = [middle(across) - half, middle(across) + half];
    this.y = [middle(up) - half, middle(up) + half];
    const place = ([low, high], share) => low + share * (high - low);
    const shares = Array.from({ length: SIDE }, (_, i) => (i + 0.5) / SIDE);
    this.xs = Float64Array.from(shares, (share) => place(this.x, share));
    this.ys = Float64Array.from(shares, (share) => place(this.y, 1 - share)); // the highest first
    byId("range").textContent = `${this.name(0)} across, ${brief(this.x[0], 2)} to ${brief(this.x[1], 2)}; `
      + `${this.name(1)} up, ${brief(this.y[0], 2)} to ${brief(this.y[1], 2)}`;
  }

  name(column) {
    return this.session.dataset.features[column];
  }

  // Between rows as they are and pixels.
  toPixels([a, b]) {
    return [
      ((a - this.x[0]) / (this.x[1] - this.x[0])) * this.size,
      ((this.y[1] - b) / (this.y[1] - this.y[0])) * this.size,
    ];
  }

  toRow(px, py) {
    return [
      this.x[0] + (px / this.size) * (this.x[1] - this.x[0]),
      this.y[1] - (py / this.size) * (this.y[1] - this.y[0]),
    ];
  }

  /** Paints the maps; `unit` is a map that is shown in place of the classes, or null. */
  paint(found, unit) {
    this.found = found;
    this.unit = unit;
    const { size, colours } = this;
    if (!size) return;
    if (unit) paintSigned(this.pixels, unit, colours.signTable);
    else paintClasses(this.pixels, found.outputs, colours);
    this.small.getContext("2d").putImageData(this.image, 0, 0);
    const context = fitted(this.map, size, size);
    context.drawImage(this.small, 0, 0, size, size);
    const path = new Path2D();
    traceBoundaries(path, SIDE, found.outputs, (i) => ((i + 0.5) / SIDE) * size);
    context.lineWidth = 1.6;
    context.lineCap = "round";
    context.globalAlpha = unit ? 0.55 : 0.9;
    context.strokeStyle = colours.ink;
    context.stroke(path);
    context.globalAlpha = 1;
  }

  shows(part) {
    return this.part === "both" || part === this.part;
  }

  /** The rows, on a canvas of their own: they stay while the map changes. */
  paintRows() {
    const { session: { trainer }, size, colours } = this;
    if (!size) return;
    const { x, y, part } = trainer.rows;
    const context = fitted(this.rows, size, size);
    context.clearRect(0, 0, size, size);
    const radius = clamp(size / 95, 2.6, 4.6) * (x.length > 800 ? 0.8 : 1);
    const inside = rgb(colours.page), paths = new Map();
    for (let row = 0; row < x.length; row++) {
      if (!part[row] || !this.shows(part[row])) continue;
      const key = `${y[row]} ${part[row]}`;
      if (!paths.has(key)) paths.set(key, new Path2D());
      const [px, py] = this.toPixels(x[row]);
      mark(paths.get(key), y[row], px, py, radius);
    }
    for (const [key, path] of paths) {
      const [label, which] = key.split(" "), colour = colours.classes[label];
      const filled = which === "train";
      context.lineWidth = filled ? 1 : 1.7;
      context.fillStyle = filled ? colour : `rgb(${inside.join()})`;
      context.strokeStyle = filled ? colours.page : colour;
      context.fill(path);
      context.stroke(path);
    }
    if (this.cursor) this.paintCursor(context);
  }

  paintCursor(context) {
    const [px, py] = this.toPixels(this.cursor);
    context.strokeStyle = this.colours.ink;
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(px, py, 9, 0, 7);
    for (const [dx, dy] of [[0, 1], [1, 0], [0, -1], [-1, 0]]) {
      context.moveTo(px + 5 * dx, py + 5 * dy);
      context.lineTo(px + 13 * dx, py + 13 * dy);
    }
    context.stroke();
  }

  /** What the network says of one place: the classes' probabilities, from the nearest place of the grid. */
  probabilities([a, b]) {
    if (!this.found) return null;
    const cell = (value, [low, high]) => clamp(Math.floor(((value - low) / (high - low)) * SIDE), 0, SIDE - 1);
    const place = (SIDE - 1 - cell(b, this.y)) * SIDE + cell(a, this.x);
    return this.found.outputs.map((map) => map[place]);
  }
}

/** A mark of a class: the form differs too, for readers who do not see the colours apart. */
function mark(path, label, x, y, r) {
  const form = label % 5;
  if (form === 0) {
    path.moveTo(x + r, y);
    path.arc(x, y, r, 0, 2 * Math.PI);
  } else if (form === 1) path.rect(x - 0.88 * r, y - 0.88 * r, 1.76 * r, 1.76 * r);
  else {
    const corners = { 2: [[0, -1.2], [1.1, 0.8], [-1.1, 0.8]], 3: [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]], 4: [[0, 1.2], [1.1, -0.8], [-1.1, -0.8]] }[form];
    corners.forEach(([dx, dy], i) => (i ? path.lineTo(x + r * dx, y + r * dy) : path.moveTo(x + r * dx, y + r * dy)));
    path.closePath();
  }
}
