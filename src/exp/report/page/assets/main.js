// Loads the page: what can be used first comes first.

async function start() {
  const progress = document.getElementById("progress");
  const runs = new Runs(await json("runs"));
  const theme = new Theme(runs.colours);
  if (runs.count) await show(runs, theme, progress);
  progress.remove();
  performance.mark("ready");
  document.documentElement.dataset.ready = "true";
}

async function show(runs, theme, progress) {
  const selection = new Selection(runs.count);
  new Detail(runs, selection);
  new Script(runs, selection);
  new Boundary(runs, selection, theme);
  let table = null;
  if (runs.count > 1) {
    const [jQuery, known, maps] = await Promise.all([loadTable(), json("thumbnails"), block("thumbnail-maps")]);
    table = new RunTable(runs, selection, jQuery, new Thumbnails(known, maps, theme));
    new Filters(runs, table);
    new Parallel(runs, table, selection, theme);
  }
  performance.mark("table");
  progress.textContent = "Loading the charts.";
  await painted();
  const Plotly = await loadCharts();
  const curves = new CurveChart(runs, selection, theme, Plotly);
  selection.choose(selection.listed[0]);
  if (table) {
    await new Scatter(runs, selection, theme, Plotly).draw();
    selection.addEventListener("list", () => {
      announce(selection.listed.length + " of " + runs.count + " runs are shown.");
    });
  }
  await curves.draw();
}

function painted() {
  return new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}

start().catch((error) => {
  const progress = document.getElementById("progress");
  progress.textContent = "The page could not be loaded: " + error.message;
  progress.className = "message";
  throw error;
});
