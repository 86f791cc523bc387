// Which runs the table lists: by status, by each varied parameter, and by score.

const MOST_VALUES = 40;

class Filters {
  constructor(runs, table) {
    Object.assign(this, { runs, table });
    this.form = document.getElementById("filters");
    this.form.addEventListener("submit", (event) => event.preventDefault());
    const statuses = [...new Set(runs.status)].sort();
    if (statuses.length > 1) this.choice("Status", runs.status, statuses);
    for (const column of runs.parameters()) {
      const several = column.distinct.length > 1 && column.distinct.length <= MOST_VALUES;
      if (several) this.choice(column.name, column.values, column.distinct);
    }
    const score = runs.column(runs.main, "metric");
    if (score) this.range(score);
    const reset = element("button", { type: "reset" }, "Clear");
    this.form.append(reset);
    this.form.addEventListener("reset", () => setTimeout(() => this.reset()));
  }

  choice(title, values, distinct) {
    const select = element("select");
    options(select, [["", "any"], ...distinct.map((value, i) => [String(i), shown(value)])], "");
    this.form.append(element("label", {}, title + " ", select));
    select.addEventListener("change", () => {
      const wanted = select.value === "" ? null : String(distinct[Number(select.value)]);
      const keeps = (place) => String(values[place]) === wanted;
      this.table.filter("value of " + title, wanted === null ? null : keeps);
    });
  }

  range(column) {
    const [low, high] = ["at least", "at most"].map((text) => {
      const input = element("input", { type: "number", step: "any" });
      this.form.append(element("label", {}, column.name + " " + text + " ", input));
      return input;
    });
    const changed = () => {
      const least = low.value === "" ? -Infinity : Number(low.value);
      const most = high.value === "" ? Infinity : Number(high.value);
      const keeps = (place) => {
        const value = column.values[place];
        return value !== null && value >= least && value <= most;
      };
      this.table.filter("score", low.value || high.value ? keeps : null);
    };
    low.addEventListener("input", changed);
    high.addEventListener("input", changed);
  }

  reset() {
    for (const name of [...this.table.filters.keys()]) {
      if (name.startsWith("value of ") || name === "score") this.table.filters.delete(name);
    }
    this.table.filter("", null);
  }
}
