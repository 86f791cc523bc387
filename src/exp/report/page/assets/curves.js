// Learning curves of the runs that are compared, the chosen one, and the one that is pointed at.

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
    theme.addEventListener("change", () => this.draw());
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
    const traces = places.flatMap((place, i) => this.traces(place, all[place], colours[i]));
    // Runs whose target is a number have an RMSE in place of the accuracy.
    const kinds = new Set(places.flatMap((place) => Object.keys(all[place] || {}).map((name) => name.split("/")[1])));
    const score = kinds.has("rmse") ? (kinds.has("accuracy") ? "accuracy, RMSE" : "RMSE") : "accuracy";
    const layout = theme.layout({
      height: 380,
      grid: { rows: 1, columns: 2, pattern: "independent", xgap: 0.16 },
      xaxis: { title: { text: "epoch" } },
      xaxis2: { title: { text: "epoch" } },
      yaxis: { title: { text: "loss" }, type: this.logarithmic.checked ? "log" : "linear" },
      yaxis2: { title: { text: score } },
      legend: { orientation: "h", y: 1.04, yanchor: "bottom", x: 0 },
    });
    if (!traces.length) layout.annotations = [this.nothing()];
    await Plotly.react(this.place, traces, layout, CHART);
    const numbers = places.map((place) => runs.number[place]).join(", ");
    const dashes = "train dotted, validation dashed, test solid";
    this.place.setAttribute("aria-label", "Loss and " + score + " over epochs of run " + numbers + ": " + dashes + ".");
    this.place.dataset.runs = numbers;
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
        const title = "run " + this.runs.number[place] + " " + split;
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
