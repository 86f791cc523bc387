// Parallel coordinates of the varied parameters and one score, on a canvas: Plotly's need WebGL and
// a page that may make code out of text, and the keyboard does not reach them.

const TALL = { whole: 400, top: 56, foot: 44, side: 60 };

class Parallel {
  constructor(runs, table, selection, theme) {
    Object.assign(this, { runs, table, selection, theme });
    this.place = document.getElementById("parallel");
    this.metric = document.getElementById("parallel-metric");
    this.places = runs.order.slice(0, runs.lines).reverse(); // the best are drawn last
    this.keys = runs.parameters().filter((column) => column.distinct.length > 1);
    const names = runs.metrics().filter((c) => c.distinct.length).map((c) => [c.name, c.name]);
    options(this.metric, names, runs.main);
    this.metric.addEventListener("change", () => this.begin());
    document.getElementById("parallel-clear").addEventListener("click", () => this.begin());
    theme.addEventListener("change", () => this.draw());
    for (const what of ["hover", "choose"]) selection.addEventListener(what, () => this.later());
    this.canvas = element("canvas", { role: "img" });
    this.begin();
    new ResizeObserver(() => this.later()).observe(this.place);
  }

  // All runs are kept.
  begin() {
    const score = this.runs.column(this.metric.value, "metric");
    this.axes = [...this.keys, ...(score ? [score] : [])].map((column) => new Axis(column, this.places));
    const tracks = element("div", { className: "tracks" });
    for (const axis of this.axes) new Brush(axis, tracks, () => this.brushed());
    this.place.replaceChildren(this.canvas, tracks);
    const names = this.axes.map((axis) => axis.column.name).join(", ");
    const text = "Parallel coordinates of " + this.places.length + " runs over " + names;
    this.canvas.setAttribute("aria-label", text + ". The table of runs has the same values.");
    this.brushed();
  }

  keeps(place) {
    return this.axes.every((axis) => axis.keeps(place));
  }

  brushed() {
    const some = this.axes.some((axis) => axis.range);
    const kept = new Set(this.places.filter((place) => this.keeps(place)));
    this.place.dataset.kept = kept.size;
    if (some || this.table.filters.has("brush")) {
      // Also of runs that are not drawn.
      this.table.filter("brush", some ? (place) => this.keeps(place) : null);
    }
    this.later();
  }

  later() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      this.draw();
    });
  }

  draw() {
    const { canvas, axes, theme } = this;
    const wide = this.place.clientWidth;
    const sharp = window.devicePixelRatio || 1;
    Object.assign(canvas, { width: wide * sharp, height: TALL.whole * sharp });
    const pen = canvas.getContext("2d");
    pen.scale(sharp, sharp);
    this.gap = axes.length > 1 ? (wide - 2 * TALL.side) / (axes.length - 1) : 0;
    const score = axes.length ? axes[axes.length - 1] : null;
    for (const place of this.places) {
      const kept = this.keeps(place);
      pen.globalAlpha = kept ? Math.min(0.9, 0.25 + 60 / this.places.length) : 0.15;
      this.line(pen, place, kept ? this.shade(score, place) : theme.now.muted, 1.3);
    }
    pen.globalAlpha = 1;
    for (const place of new Set([this.selection.chosen, this.selection.hovered])) {
      if (place !== null && axes.length && axes[0].at(place) !== undefined) {
        this.line(pen, place, theme.now.page, 6);
        this.line(pen, place, theme.now.ink, 3);
      }
    }
    axes.forEach((axis, i) => this.scale(pen, axis, TALL.side + i * this.gap, i));
  }

  y(at) {
    return TALL.whole - TALL.foot - at * (TALL.whole - TALL.top - TALL.foot);
  }

  line(pen, place, colour, width) {
    Object.assign(pen, { strokeStyle: colour, lineWidth: width, lineJoin: "round" });
    pen.beginPath();
    this.axes.forEach((axis, i) => pen.lineTo(TALL.side + i * this.gap, this.y(axis.at(place))));
    pen.stroke();
  }

  // The better the score, the further from the colour of the page.
  shade(score, place) {
    const { ramp } = this.theme.now;
    const at = Math.max(score.at(place), 0);
    const good = score.column.lower ? 1 - at : at;
    return ramp[Math.round(good * (ramp.length - 1))];
  }

  scale(pen, axis, x, i) {
    const { ink, page } = this.theme.now;
    Object.assign(pen, { strokeStyle: ink, fillStyle: ink, lineWidth: 1, textAlign: "center", textBaseline: "middle" });
    pen.beginPath();
    pen.moveTo(x, this.y(0));
    pen.lineTo(x, this.y(1));
    pen.stroke();
    pen.font = "600 13px system-ui, sans-serif";
    const last = this.axes.length - 1;
    pen.textAlign = i === 0 ? "left" : i === last ? "right" : "center";
    const start = i === 0 ? x - TALL.side + 4 : i === last ? x + TALL.side - 4 : x;
    const room = i === 0 || i === last ? this.gap / 2 + TALL.side - 12 : this.gap - 8;
    pen.fillText(fitting(pen, axis.column.name, Math.max(room, 60)), start, i % 2 && this.gap < 120 ? 12 : 30);
    Object.assign(pen, { font: "12px system-ui, sans-serif", textAlign: "right" });
    let free = Infinity;
    const missing = axis.column.values.includes(null) ? [{ at: NONE, text: "none" }] : [];
    for (const { at, text } of [...missing, ...axis.ticks]) {
      if (free - this.y(at) < 15) continue;
      free = this.y(at);
      const word = fitting(pen, text, TALL.side - 12);
      Object.assign(pen, { lineWidth: 4, strokeStyle: page });
      pen.strokeText(word, x - 9, free);
      pen.fillText(word, x - 9, free);
      pen.fillRect(x - 4, free, 8, 1);
    }
  }
}

function fitting(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && pen.measureText(text.slice(0, end) + "…").width > width) end--;
  return text.slice(0, end) + "…";
}
