// One score of the listed runs against one varied parameter.

const MOST_POINTS = 2000;
const MOST_COLOURS = 6;
const SYMBOLS = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "star"];

class Scatter {
  constructor(runs, selection, theme, Plotly) {
    Object.assign(this, { runs, selection, theme, Plotly });
    this.place = document.getElementById("scatter");
    const [metric, key, colour] = ["metric", "key", "colour"].map((name) => {
      const select = document.getElementById("scatter-" + name);
      select.addEventListener("change", () => this.draw());
      return select;
    });
    Object.assign(this, { metric, key, colour });
    const scores = runs.metrics().filter((column) => column.distinct.length);
    const keys = runs.parameters().filter((column) => column.distinct.length > 1);
    const pairs = (columns) => columns.map((column) => [column.name, column.name]);
    options(metric, pairs(scores), runs.main);
    this.keys = keys.length ? keys : scores;
    const first = this.keys.find((column) => !/^seeds?(\.|$)/.test(column.name)) || this.keys[0];
    options(key, pairs(this.keys), first && first.name);
    const few = keys.filter((column) => column.distinct.length <= MOST_COLOURS);
    const other = few.find((column) => column !== first && !/^seeds?(\.|$)/.test(column.name));
    options(colour, [["", "none"], ...pairs(few)], other ? other.name : "");
    this.said = document.getElementById("scatter-hint");
    selection.addEventListener("list", () => this.draw());
    selection.addEventListener("choose", () => this.ring());
    theme.addEventListener("change", () => this.draw());
  }

  async draw() {
    const { runs, theme, Plotly, place } = this;
    const score = runs.column(this.metric.value, "metric");
    const key = this.keys.find((column) => column.name === this.key.value);
    if (!score || !key) return;
    const listed = this.selection.listed.filter((run) => score.values[run] !== null);
    const every = Math.ceil(listed.length / MOST_POINTS);
    const drawn = listed.filter((_, i) => i % every === 0);
    const along = new Along(key);
    Object.assign(this, { along, score });
    const traces = this.groups(drawn).map(({ name, members, colour, symbol }) =>
      this.trace({ name, members, along, score, marker: { color: colour, symbol, size: 8, opacity: 0.8 } }),
    );
    const line = { color: theme.now.ink, width: 2.5 };
    const ring = { color: "rgba(0,0,0,0)", size: 15, line };
    traces.push({ ...this.trace({ name: "chosen", members: [], along, score, marker: ring }), showlegend: false });
    const layout = theme.layout({
      height: 420,
      xaxis: { title: { text: plain(key.name) }, ...along.axis },
      yaxis: { title: { text: plain(score.name) } },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      showlegend: this.colour.value !== "",
    });
    await Plotly.react(place, traces, layout, CHART);
    this.listen();
    await this.ring();
    const runsDrawn = drawn.length + (every > 1 ? " of " + listed.length : "") + " runs";
    const text = score.name + " against " + key.name + ", " + runsDrawn;
    place.setAttribute("aria-label", text + ". The table of runs has the same values.");
    this.said.textContent = every > 1 ? "Shown: " + runsDrawn + ", one of every " + every + " in the table." : "";
  }

  // Around the point of the chosen run.
  ring() {
    const { chosen, listed } = this.selection;
    if (!this.place.data) return null;
    const there = listed.includes(chosen) && this.score.values[chosen] !== null;
    const [x, y] = there ? [[this.along.at(chosen)], [this.score.values[chosen]]] : [[], []];
    const last = this.place.data.length - 1;
    const more = { customdata: [[chosen]], text: [[plain(there ? this.runs.label(chosen) : "")]] };
    return this.Plotly.restyle(this.place, { x: [x], y: [y], ...more }, [last]);
  }

  groups(listed) {
    const column = this.runs.column(this.colour.value, "parameter");
    if (!column) return [{ name: "runs", members: listed, colour: this.theme.classes(1)[0], symbol: "circle" }];
    const colours = this.theme.classes(column.distinct.length);
    return column.distinct.map((value, i) => ({
      name: plain(column.name + "=" + shown(value)),
      members: listed.filter((run) => String(column.values[run]) === String(value)),
      colour: colours[i],
      symbol: SYMBOLS[i % SYMBOLS.length],
    }));
  }

  trace({ name, members, along, score, marker }) {
    return {
      type: "scatter", // SVG: scattergl needs WebGL, and a page that may make code out of text
      mode: "markers",
      name,
      marker,
      x: members.map((run) => along.at(run)),
      y: members.map((run) => score.values[run]),
      customdata: members,
      text: members.map((run) => plain(this.runs.label(run)).replace(/, /g, "<br>")),
      hoverinfo: "text",
    };
  }

  listen() {
    if (this.listening) return;
    this.listening = true;
    const run = (event) => event.points[0].customdata;
    this.place.on("plotly_hover", (event) => this.selection.hover(run(event)));
    this.place.on("plotly_unhover", () => this.selection.hover(null));
    this.place.on("plotly_click", (event) => this.selection.choose(run(event)));
  }
}

// Where runs stand along the horizontal axis.
class Along {
  constructor(column) {
    this.column = column;
    if (column.numeric) {
      this.axis = column.logarithmic ? { type: "log" } : {};
      if (column.logarithmic && column.distinct.length <= 12) {
        Object.assign(this.axis, { tickvals: column.distinct, ticktext: column.distinct.map(shown) });
      }
      return;
    }
    this.axis = {
      tickvals: column.distinct.map((_, i) => i),
      ticktext: column.distinct.map((text) => plain(text.slice(0, 32))),
      range: [-0.6, column.distinct.length - 0.4],
    };
  }

  // Points of one name are spread, the same way each time, so that they do not hide each other.
  at(run) {
    const value = this.column.values[run];
    if (this.column.numeric) return value;
    return this.column.distinct.indexOf(String(value)) + (((run * 0.618034) % 1) - 0.5) * 0.5;
  }
}
