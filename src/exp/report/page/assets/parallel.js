// Parallel coordinates of all that was varied and one score.

const MOST_TICKS = 12;

class Parallel {
  constructor(runs, table, theme, Plotly) {
    Object.assign(this, { runs, table, theme, Plotly });
    this.place = document.getElementById("parallel");
    this.metric = document.getElementById("parallel-metric");
    this.places = runs.order.slice(0, runs.lines);
    this.keys = runs.parameters().filter((column) => column.distinct.length > 1);
    const names = runs.metrics().filter((c) => c.distinct.length).map((c) => [c.name, c.name]);
    options(this.metric, names, runs.main);
    this.metric.addEventListener("change", () => this.clear());
    document.getElementById("parallel-clear").addEventListener("click", () => this.clear());
    theme.addEventListener("change", () => this.draw());
  }

  clear() {
    this.table.filter("brush", null);
    return this.draw();
  }

  async draw() {
    const { theme, Plotly, place } = this;
    const score = this.runs.column(this.metric.value, "metric");
    if (!score) return;
    this.axes = [...this.keys, score].map((column) => new Axis(column, this.places));
    const values = this.places.map((run) => score.values[run]);
    const line = { color: values, colorscale: "Cividis", reversescale: score.lower, showscale: true };
    line.colorbar = { title: { text: plain(score.name) }, outlinewidth: 0 };
    const { ink, page, muted } = theme.now;
    const trace = {
      type: "parcoords",
      line,
      dimensions: this.axes.map((axis) => axis.dimension),
      labelfont: { color: ink, size: 13 },
      tickfont: { color: ink, shadow: "none", size: 12 },
      rangefont: { color: page, shadow: "none", size: 1 },
      unselected: { line: { color: muted, opacity: 0.12 } },
    };
    const layout = theme.layout({ height: 420, margin: { l: 70, r: 40, t: 60, b: 24 } });
    await Plotly.newPlot(place, [trace], layout, CHART);
    place.on("plotly_restyle", () => this.brushed());
    place.setAttribute("aria-label", this.description(score));
  }

  description(score) {
    const names = this.keys.map((column) => column.name).join(", ");
    return (
      "Parallel coordinates of " + this.places.length + " runs over " + (names || "nothing") +
      " and " + score.name + ". The table of runs has the same values."
    );
  }

  brushed() {
    const ranges = this.place.data[0].dimensions.map(({ constraintrange: range }) =>
      !range ? null : Array.isArray(range[0]) ? range : [range],
    );
    if (!ranges.some(Boolean)) return this.table.filter("brush", null);
    const drawn = new Map(this.places.map((run, i) => [run, i]));
    this.table.filter("brush", (run) => {
      if (!drawn.has(run)) return false;
      return ranges.every((some, i) => {
        const at = this.axes[i].values[drawn.get(run)];
        return !some || some.some(([low, high]) => at >= low && at <= high);
      });
    });
  }
}

// One axis: its numbers, and the words at its ticks.
class Axis {
  constructor(column, places) {
    const values = places.map((place) => column.values[place]);
    const dimension = { label: plain(column.name) };
    if (!column.numeric) {
      this.values = values.map((value) => column.distinct.indexOf(String(value)));
      dimension.tickvals = column.distinct.map((_, i) => i);
      dimension.ticktext = column.distinct.map((text) => plain(text.slice(0, 24)));
      dimension.range = [-0.3, column.distinct.length - 0.7];
    } else {
      const scale = column.logarithmic ? Math.log10 : (value) => value;
      const none = Math.min(...column.distinct.map(scale)); // no number: at the foot
      this.values = values.map((value) => (value === null ? none : scale(value)));
      if (column.distinct.length <= MOST_TICKS && column.role === "parameter") {
        dimension.tickvals = column.distinct.map(scale);
        dimension.ticktext = column.distinct.map(shown);
      } else if (column.logarithmic) {
        Object.assign(dimension, decades(column.distinct));
      }
    }
    dimension.values = this.values;
    this.dimension = dimension;
  }
}

function decades(distinct) {
  const [low, high] = [distinct[0], distinct[distinct.length - 1]].map(Math.log10);
  const tickvals = [];
  for (let power = Math.ceil(low); power <= Math.floor(high); power++) tickvals.push(power);
  return { tickvals, ticktext: tickvals.map((power) => String(Number((10 ** power).toPrecision(1)))) };
}
