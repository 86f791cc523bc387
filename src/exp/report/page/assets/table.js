// The table of runs, by DataTables: sorting, searching, pages, by keyboard too.

const SHOWN_METRICS = 3;

class RunTable {
  constructor(runs, selection, jQuery, thumbnails) {
    Object.assign(this, { runs, selection, thumbnails });
    this.table = document.getElementById("runs");
    this.filters = new Map();
    const columns = this.columns();
    const head = columns.map(({ title }) => element("th", { scope: "col" }, title));
    this.table.append(element("thead", {}, element("tr", {}, ...head)), element("tbody"));
    const at = (name) => columns.findIndex(({ column }) => column && column.name === name);
    const order = runs.dataKeys.map((name) => [at(name), "asc"]);
    const first = at(runs.main);
    if (first >= 0) order.push([first, columns[first].column.lower ? "asc" : "desc"]);
    this.data = jQuery(this.table).DataTable({
      data: runs.number.map((_, place) => ({ place })),
      columns: columns.map((column) => this.definition(column)),
      order,
      deferRender: true,
      autoWidth: false,
      pageLength: 10,
      createdRow: (row, { place }) => this.mark(row, place),
    });
    const kept = ({ place }) => [...this.filters.values()].every((keeps) => keeps(place));
    this.data.search.fixed("filters", (text, row) => kept(row)).draw();
    this.data.on("search order", () => setTimeout(() => this.tellListed()));
    this.listen();
    this.tellListed();
  }

  columns() {
    const { runs } = this;
    const columns = [
      { title: "Run", value: (place) => runs.number[place], cell: (place) => this.opener(place) },
    ];
    // A narrow screen shows the first columns: what the data are, the score, the map.
    const of = (column) => ({ title: column.name, column, value: (place) => column.values[place] });
    const main = runs.column(runs.main, "metric");
    const first = [...runs.parameters().filter((column) => runs.dataKeys.includes(column.name)), ...(main ? [main] : [])];
    columns.push(...first.map(of));
    if (this.thumbnails.any) {
      columns.push({ title: "Map", fixed: true, cell: (place) => this.picture(place) });
    }
    columns.push({ title: "Compare", fixed: true, cell: (place) => this.comparer(place) });
    columns.push({
      title: "Status",
      value: (place) => runs.status[place],
      cell: (place) => element("span", { className: "status-" + runs.status[place] }, runs.status[place]),
    });
    if (new Set(runs.name).size > 1) {
      columns.push({ title: "Name", value: (place) => runs.name[place] });
    }
    const metrics = runs.metrics().filter((column) => column.distinct.length);
    const always = [runs.main, "seconds"];
    const wanted = metrics.filter((column, i) => i < SHOWN_METRICS || always.includes(column.name));
    const rest = [...runs.parameters(), ...wanted].filter((column) => !first.includes(column));
    return [...columns, ...rest.map(of)];
  }

  definition({ value, cell, column, fixed }) {
    if (fixed) {
      const render = (_, type, { place }) => (type === "display" ? cell(place) : "");
      return { data: null, orderable: false, searchable: false, render };
    }
    const numeric = column ? column.numeric : value === undefined || typeof value(0) === "number";
    // A run without this score, or that did not end well, is not ranked by it.
    const last = column && column.lower ? Infinity : -Infinity;
    const score = column && column.role === "metric";
    const ranked = (place, found) => found !== null && (!score || this.runs.status[place] === "done");
    const render = (_, type, { place }) => {
      const found = value(place);
      if (type === "display") return cell ? cell(place) : document.createTextNode(shown(found));
      // DataTables reads what it searches as HTML.
      if (type === "filter") return plain(shown(found));
      return numeric ? (ranked(place, found) ? found : last) : shown(found);
    };
    return {
      data: null,
      render,
      type: numeric ? "num" : "string",
      className: numeric ? "number" : "",
    };
  }

  opener(place) {
    const button = element("button", { type: "button" }, String(this.runs.number[place]));
    button.setAttribute("aria-label", "Show " + this.runs.label(place));
    button.addEventListener("click", () => this.selection.choose(place));
    return button;
  }

  comparer(place) {
    const box = element("input", { type: "checkbox", checked: this.selection.compared.has(place) });
    box.setAttribute("aria-label", "Compare the curves of run " + this.runs.number[place]);
    box.dataset.place = place;
    box.addEventListener("change", () => {
      if (this.selection.compare(place, box.checked)) return;
      box.checked = false;
      announce("You can compare at most " + MOST_COMPARED + " runs.");
    });
    return box;
  }

  picture(place) {
    if (!this.thumbnails.has(place)) return document.createTextNode("-");
    return this.thumbnails.picture(place, "Decision map of run " + this.runs.number[place]);
  }

  // Keeps only the runs for which `keeps` is true; null keeps all.
  filter(name, keeps) {
    if (keeps) this.filters.set(name, keeps);
    else this.filters.delete(name);
    this.data.draw();
    this.tellListed();
  }

  tellListed() {
    const rows = this.data.rows({ search: "applied", order: "applied" }).data().toArray();
    const places = rows.map(({ place }) => place);
    const before = this.selection.listed;
    if (places.length !== before.length || places.some((place, i) => place !== before[i])) {
      this.selection.list(places);
    }
  }

  mark(row, place) {
    if (place === this.selection.chosen) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }

  placeOf(target) {
    const row = target.closest("tbody tr");
    const data = row && this.data.row(row).data();
    return data ? data.place : null;
  }

  listen() {
    const over = (event) => this.selection.hover(this.placeOf(event.target));
    const body = this.table.tBodies[0];
    body.addEventListener("mouseover", over);
    body.addEventListener("focusin", over);
    body.addEventListener("mouseleave", () => this.selection.hover(null));
    body.addEventListener("focusout", () => this.selection.hover(null));
    body.addEventListener("click", (event) => {
      if (event.target.closest("button, input")) return;
      const place = this.placeOf(event.target);
      if (place !== null) this.selection.choose(place);
    });
    this.selection.addEventListener("choose", () => {
      for (const row of body.rows) this.mark(row, this.placeOf(row));
    });
    this.selection.addEventListener("compare", () => {
      for (const box of body.querySelectorAll("input")) {
        box.checked = this.selection.compared.has(Number(box.dataset.place));
      }
    });
  }
}
