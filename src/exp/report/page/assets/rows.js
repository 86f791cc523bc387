// The rows of a run on its decision map: each class has a shape and a colour, as in the figures.

// Of each class: corners (0: a circle), turn in degrees, and how deep a star's notches are.
const SHAPES = [
  [0], [4, 45], [3, 0], [4, 0], [3, 180], [4, 0, 0.4], [3, 270], [5, 0, 0.45], [3, 90], [5, 0], [6, 0], [6, 0, 0.5],
];
const SPLITS = ["train", "validation", "test"];
let chosenRows = "test"; // stays when another run is chosen

// The rows of a run; runs on the same rows share them.
async function rowsOf(frames, place) {
  const { rows, wrong } = frames[place];
  const packed = typeof rows === "number" ? frames[rows].rows : rows;
  if (!packed) return null;
  const numbers = new Uint16Array((await inflated(bytesOf(packed))).buffer);
  const count = numbers.length / 4;
  const [across, up, label, split] = [0, 1, 2, 3].map((at) => numbers.subarray(at * count, (at + 1) * count));
  return { across, up, label, split, wrong: new Set(wrong), parts: SPLITS.filter((_, i) => split.includes(i)) };
}

// Chooses the rows that are drawn, and says how many there are and how many are misclassified.
function rowsControl(rows, changed) {
  const select = element("select", { id: "rows-shown" });
  const options = [...rows.parts, ...(rows.parts.length > 1 ? ["all"] : []), "none"];
  for (const name of options) select.append(element("option", { value: name }, name));
  select.value = options.includes(chosenRows) ? chosenRows : options[0];
  rows.shown = select.value;
  rows.output = element("output", { for: "rows-shown", id: "rows-counted" });
  select.addEventListener("change", () => {
    chosenRows = rows.shown = select.value;
    changed();
  });
  return element("div", { className: "controls" }, element("label", { for: "rows-shown" }, "Rows"), select, rows.output);
}

// Draws the rows, filled for train and hollow for test, with a cross on each misclassified one.
function paintRows(canvas, rows, frames, maps, frame, colours, { page, ink }) {
  const shown = [];
  rows.label.forEach((_, row) => {
    const part = SPLITS[rows.split[row]];
    if (rows.shown === "all" || rows.shown === part) shown.push(row);
  });
  const pen = canvas.getContext("2d");
  const size = Math.min(5, Math.max(2.6, 3.6 * (200 / Math.max(shown.length, 1)) ** 0.2));
  const place = (row) => [
    (rows.across[row] / 65535) * (canvas.width - 1),
    (1 - rows.up[row] / 65535) * (canvas.height - 1),
  ];
  const draw = (row) => {
    const colour = "rgb(" + colours[rows.label[row]].join() + ")";
    const filled = rows.split[row] === 0;
    shape(pen, ...place(row), size, SHAPES[rows.label[row] % SHAPES.length]);
    pen.fillStyle = filled ? colour : page;
    pen.strokeStyle = filled ? page : colour;
    pen.lineWidth = filled ? 0.8 : 1.6;
    pen.fill();
    pen.stroke();
  };
  shown.forEach(draw);
  const last = frame === maps.length - 1;
  // Between epochs only the map is known, which tells what is predicted where it is the input space.
  const known = last || !frames.note;
  const wrong = known ? shown.filter((row) => (last ? rows.wrong.has(row) : isWrong(rows, row, maps[frame], frames))) : [];
  for (const row of wrong) {
    const [x, y] = place(row);
    const arm = size + 2.5;
    for (const [colour, width] of [[page, 3.4], [ink, 1.6]]) {
      pen.beginPath();
      for (const side of [-1, 1]) {
        pen.moveTo(x - arm, y - side * arm);
        pen.lineTo(x + arm, y + side * arm);
      }
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.stroke();
    }
    draw(row);
  }
  const counted = shown.length + (shown.length === 1 ? " row" : " rows");
  if (rows.shown === "none") rows.output.textContent = "";
  else rows.output.textContent = counted + (known ? ", " + wrong.length + " misclassified (crosses)" : "");
}

// Whether a map has another class than the row at its place, between the points of the grid.
function isWrong(rows, row, map, { grid: [columns, lines], levels, classes }) {
  const [x, y] = [(rows.across[row] / 65535) * (columns - 1), (rows.up[row] / 65535) * (lines - 1)];
  const [left, below] = [Math.min(Math.floor(x), columns - 2), Math.min(Math.floor(y), lines - 2)];
  const [u, v] = [x - left, y - below];
  let [winner, best, rest] = [0, 0, levels - 1];
  for (let k = 1; k < classes.length; k++) {
    const at = (k - 1) * columns * lines + below * columns + left;
    const low = map[at] * (1 - u) + map[at + 1] * u;
    const high = map[at + columns] * (1 - u) + map[at + columns + 1] * u;
    const chance = low * (1 - v) + high * v;
    rest -= chance;
    if (chance > best) [winner, best] = [k, chance];
  }
  return (rest >= best ? 0 : winner) !== rows.label[row];
}

function shape(pen, x, y, size, [corners, turn, inner]) {
  pen.beginPath();
  if (!corners) {
    pen.arc(x, y, size, 0, 2 * Math.PI);
    return;
  }
  const steps = inner ? 2 * corners : corners;
  for (let i = 0; i < steps; i++) {
    const angle = (turn / 180 + (2 * i) / steps - 0.5) * Math.PI;
    const radius = 1.15 * size * (inner && i % 2 ? inner : 1);
    pen.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
  }
  pen.closePath();
}
