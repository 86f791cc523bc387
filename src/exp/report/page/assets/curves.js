// Learning curves of the compared runs, the selected one, and the one that is pointed at; points on
// the curves of the selected run mark the epoch of its decision map.

const NARROW = 560; // pixels: below, one panel stands under the other

class CurveChart {
  constructor(runs, selection, theme, Plotly) {
    Object.assign(this, { runs, selection, theme, Plotly });
    this.place = document.getElementById("curves");
    this.logarithmic = document.getElementById("curves-log");
    this.none = document.getElementById("curves-clear");
    this.logarithmic.addEventListener("change", () => this.draw());
    this.none.addEventListener("click", () => selection.compareNone());
    for (const what of ["choose", "hover", "compare"]) {
      selection.addEventListener(what, () => this.later());
    }
    selection.addEventListener("frame", () => this.mark());
    theme.addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.narrow !== this.isNarrow() && this.later()).observe(this.place);
  }

  isNarrow() {
    return this.place.clientWidth < NARROW;
  }

  // The pointer may cross many rows within one frame of the screen.
  later() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      this.draw();
    });
  }

  places() {
    const { chosen, hovered, compared } = this.selection;
    return [...new Set([chosen, ...compared, hovered])].filter((place) => place !== null);
  }

  async draw() {
    const { runs, theme, Plotly } = this;
    this.none.hidden = this.selection.compared.size === 0;
    const all = await json("curves");
    const places = this.places();
    const colours = theme.classes(MOST_COMPARED + 2);
    const lines = places.flatMap((place, i) => this.traces(place, all[place], colours[i]));
    const traces = lines.length ? [...lines, ...this.markers(all, colours[0])] : [];
    this.narrow = this.isNarrow();
    // Runs whose target is a number have an RMSE in place of the accuracy.
    const kinds = new Set(places.flatMap((place) => Object.keys(all[place] || {}).map((name) => name.split("/")[1])));
    const score = kinds.has("rmse") ? (kinds.has("accuracy") ? "accuracy, RMSE" : "RMSE") : "accuracy";
    const layout = theme.layout({
      height: this.narrow ? 620 : 380,
      grid: { rows: this.narrow ? 2 : 1, columns: this.narrow ? 1 : 2, pattern: "independent", xgap: 0.16, ygap: 0.24 },
      xaxis: { title: { text: "epoch" } },
      xaxis2: { title: { text: "epoch" } },
      yaxis: { title: { text: "loss" }, type: this.logarithmic.checked ? "log" : "linear" },
      yaxis2: { title: { text: score } },
      legend: { orientation: "h", y: 1.04, yanchor: "bottom", x: 0 },
    });
    if (!traces.length) layout.annotations = [this.nothing()];
    this.marked = lines.length;
    await Plotly.react(this.place, traces, layout, CHART);
    this.listen();
    const numbers = places.map((place) => runs.number[place]).join(", ");
    document.getElementById("curves-hint").hidden = !lines.length || this.selection.epoch === null;
    const dashes = "train dotted, validation dashed, test solid";
    this.place.setAttribute("aria-label", "Loss and " + score + " over epochs of run " + numbers + ": " + dashes + ".");
    this.place.dataset.runs = numbers;
  }

  // The curves of the selected run at the epoch of its decision map: a trace for each panel.
  markers(all, colour) {
    const { page } = this.theme.now;
    const marker = { color: colour, size: 11, line: { color: page, width: 2 } };
    return this.points(all).map(({ x, y }, i) => ({
      type: "scatter", mode: "markers", x, y, marker, showlegend: false, hoverinfo: "skip", cliponaxis: false,
      xaxis: i ? "x2" : "x", yaxis: i ? "y2" : "y",
    }));
  }

  points(all) {
    const columns = all[this.selection.chosen];
    const { epoch } = this.selection;
    return [false, true].map((right) => {
      const names = Object.keys(columns || {}).filter((n) => n.includes("/") && right === !n.endsWith("/loss"));
      const log = !right && this.logarithmic.checked;
      const values = epoch === null ? [] : names.map((name) => valueAt(columns.epoch, columns[name], epoch, log));
      const y = values.filter((value) => value !== null);
      return { x: y.map(() => epoch), y };
    });
  }

  async mark() {
    const all = await json("curves");
    document.getElementById("curves-hint").hidden = !this.marked || this.selection.epoch === null;
    this.place.dataset.epoch = String(this.selection.epoch);
    if (!this.marked || !this.place.data || this.place.data.length < this.marked + 2) return;
    const points = this.points(all);
    // A third of the time of `restyle`, which draws the whole chart. It fails where the next frame
    // comes first.
    const options = { mode: "immediate", frame: { redraw: false, duration: 0 }, transition: { duration: 0 } };
    const update = { data: points, traces: [this.marked, this.marked + 1] };
    await this.Plotly.animate(this.place, update, options).catch(() => {});
  }

  listen() {
    if (this.listening) return;
    this.listening = true;
    this.place.on("plotly_click", (event) => this.selection.seek(event.points[0].x));
  }

  nothing() {
    const font = { size: 14 };
    return { text: "this run has no metrics.csv", showarrow: false, font, xref: "paper", yref: "paper", x: 0.5, y: 0.5 };
  }

  traces(place, columns, colour) {
    if (!columns) return [];
    const dashes = { train: "dot", validation: "dash", test: "solid" };
    const hovered = place === this.selection.hovered;
    return Object.keys(columns)
      .filter((name) => name.includes("/"))
      .map((name) => {
        const [split, kind] = name.split("/");
        const right = kind !== "loss";
        const title = (this.runs.count > 1 ? "run " + this.runs.number[place] + " " : "") + split;
        return {
          type: "scatter",
          mode: columns.epoch.length > 1 ? "lines" : "markers",
          name: plain(title),
          legendgroup: title,
          showlegend: !right,
          x: columns.epoch,
          y: columns[name],
          xaxis: right ? "x2" : "x",
          yaxis: right ? "y2" : "y",
          line: { color: colour, dash: dashes[split] || "longdash", width: hovered ? 3 : 2 },
          hovertemplate: "%{fullData.name}<br>epoch %{x}: %{y}<extra></extra>",
        };
      });
  }
}

// A curve at an epoch, between its points as it is drawn; null where it has no value.
function valueAt(epochs, values, epoch, log) {
  let after = epochs.findIndex((each) => each >= epoch);
  if (after < 0) after = epochs.length - 1;
  if (after === 0 || epochs[after] === epoch || epochs[after] < epoch) return values[after];
  const [low, high] = [values[after - 1], values[after]];
  if (low === null || high === null) return null;
  const share = (epoch - epochs[after - 1]) / (epochs[after] - epochs[after - 1]);
  if (log && low > 0 && high > 0) return low * (high / low) ** share;
  return low + (high - low) * share;
}
