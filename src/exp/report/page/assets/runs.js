// The runs of the page, column by column. A run is known by its place, 0, 1, ...

class Runs {
  constructor(data) {
    const { number, name, status, message, seconds, main, dataKeys, order, lines, colours } = data;
    Object.assign(this, { number, name, status, message, seconds, main, dataKeys, order, lines, colours });
    this.count = number.length;
    this.columns = [
      ...data.keys.map((name, i) => new Column(name, data.parameters[i], "parameter")),
      ...data.metrics.map((name, i) => new Column(name, data.scores[i], "metric")),
      new Column("seconds", seconds, "metric"),
    ];
    for (const column of this.metrics()) {
      column.lower = column.name === "seconds" || data.lower.includes(column.name);
    }
  }

  parameters() {
    return this.columns.filter((column) => column.role === "parameter");
  }

  metrics() {
    return this.columns.filter((column) => column.role === "metric");
  }

  column(name, role) {
    return this.columns.find((column) => column.name === name && column.role === role);
  }

  // "run 3: optimizer=adam, optimizer.lr=0.1, test/accuracy 0.97"
  label(place) {
    const parts = this.parameters().map((c) => c.name + "=" + shown(c.values[place]));
    const score = this.column(this.main, "metric");
    if (score && score.values[place] !== null) {
      parts.push(score.name + " " + shown(score.values[place]));
    }
    return "run " + this.number[place] + (parts.length ? ": " + parts.join(", ") : "");
  }
}

class Column {
  constructor(name, values, role) {
    this.name = name;
    this.values = values;
    this.role = role;
    this.lower = false; // whether less is better
    const present = values.filter((value) => value !== null);
    this.distinct = [...new Set(present)];
    this.numeric = present.length > 0 && present.every((value) => typeof value === "number");
    if (this.numeric) {
      this.distinct.sort((a, b) => a - b);
      const [low, high] = [this.distinct[0], this.distinct[this.distinct.length - 1]];
      this.logarithmic = role === "parameter" && low > 0 && high / low >= 20;
    } else {
      const natural = new Intl.Collator("en", { numeric: true });
      this.distinct = [...new Set(this.distinct.map(String))].sort(natural.compare);
    }
  }
}

function shown(value) {
  if (value === null || value === undefined) return "-";
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(4)));
}

// Plotly takes a few tags in its texts for HTML: here a name is a name.
function plain(text) {
  return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
