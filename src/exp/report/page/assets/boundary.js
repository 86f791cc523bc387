// The decision map of a run, which a player moves through the epochs at which it was saved.

const MAP_SIDE = 400;

class Boundary {
  constructor(runs, selection, theme) {
    Object.assign(this, { runs, selection, theme });
    this.figure = document.getElementById("boundary");
    selection.addEventListener("choose", () => this.show(selection.chosen));
    selection.addEventListener("seek", () => this.frames && this.player.seek(selection.sought));
    theme.addEventListener("change", () => this.paint());
  }

  async show(place) {
    const [frames, stills] = await Promise.all([json("frames"), json("stills")]);
    const unpacked = frames[place] ? await this.levels(frames[place]) : null;
    const rows = frames[place] ? await rowsOf(frames, place) : null;
    if (place !== this.selection.chosen) return; // another was chosen meanwhile
    this.frames = frames[place] || null;
    this.maps = unpacked;
    this.rows = rows;
    const number = this.runs.number[place];
    if (this.frames) this.animate(number);
    else if (stills[place]) {
      this.selection.frame(null);
      const alt = "Decision boundary of run " + number + " after its last epoch";
      this.figure.replaceChildren(element("img", { src: "data:image/png;base64," + stills[place], alt }));
    } else {
      this.selection.frame(null);
      const text = "This page has no decision map of this run: the run saved none, or it did not fit on the page.";
      this.figure.replaceChildren(element("figcaption", {}, text));
    }
  }

  // The maps, one for each epoch.
  async levels(frames) {
    const bytes = await inflated(bytesOf(frames.maps));
    const size = bytes.length / frames.epochs.length;
    return frames.epochs.map((_, frame) => bytes.subarray(frame * size, (frame + 1) * size));
  }

  animate(number) {
    const { epochs, axes, note, classes, x, y } = this.frames;
    this.number = number;
    this.canvas = element("canvas", { width: MAP_SIDE, height: MAP_SIDE, role: "img" });
    this.player = new Player(epochs, () => {
      this.paint();
      this.selection.frame(this.player.epoch);
    });
    this.legend = element("ul", { className: "classes", "aria-label": "Classes" });
    this.legend.append(...classes.map((name) => element("li", {}, element("span", { className: "swatch" }), name)));
    const range = ([low, high]) => shown(Number(low.toPrecision(3))) + " to " + shown(Number(high.toPrecision(3)));
    const text = "Horizontal axis: " + axes[0] + ", " + range(x) + ". Vertical axis: " + axes[1] + ", " + range(y) + ". ";
    this.figure.replaceChildren(
      this.canvas,
      this.player.controls,
      ...(this.rows ? [rowsControl(this.rows, () => this.paint())] : []),
      this.legend,
      element("figcaption", {}, text + note + " A faint colour: the model is uncertain. The line: the decision boundary."),
    );
    this.player.show();
  }

  paint() {
    if (!this.frames || !this.canvas.isConnected) return;
    const { frame, epoch } = this.player;
    const colours = this.theme.classes(this.frames.classes.length).map(rgb);
    const swatches = this.legend.querySelectorAll(".swatch");
    swatches.forEach((swatch, i) => (swatch.style.background = "rgb(" + colours[i].join() + ")"));
    paintMap(this.canvas, this.maps[frame], this.frames, colours, this.theme.now);
    if (this.rows) paintRows(this.canvas, this.rows, this.frames, this.maps, frame, colours, this.theme.now);
    this.canvas.setAttribute("aria-label", "Decision map of run " + this.number + " at epoch " + epoch);
  }
}

// The likeliest class of each pixel, the stronger the more certain, and a line between classes.
function paintMap(canvas, map, { grid, levels, classes }, colours, { page, ink, tint }) {
  const [width, height] = [canvas.width, canvas.height];
  const count = classes.length;
  const others = Array.from({ length: count - 1 }, (_, k) =>
    enlarged(map.subarray(k * grid[0] * grid[1]), grid, width, height, levels - 1),
  );
  const [paper, line] = [rgb(page), rgb(ink)];
  const winners = new Uint8Array(width * height);
  const image = new ImageData(width, height);
  for (let i = 0; i < winners.length; i++) {
    let [winner, best, rest] = [0, 0, 1]; // class 0 has what the others leave of 1
    for (let k = 1; k < count; k++) {
      const chance = others[k - 1][i];
      rest -= chance;
      if (chance > best) [winner, best] = [k, chance];
    }
    if (rest >= best) [winner, best] = [0, rest];
    winners[i] = winner;
    const strength = tint * Math.min(Math.max((best - 1 / count) / (1 - 1 / count), 0), 1);
    for (let c = 0; c < 3; c++) {
      image.data[4 * i + c] = paper[c] + (colours[winner][c] - paper[c]) * strength;
    }
    image.data[4 * i + 3] = 255;
  }
  for (let i = 0; i + width < winners.length; i++) {
    const across = (i + 1) % width && winners[i] !== winners[i + 1];
    if (!across && winners[i] === winners[i + width]) continue;
    for (const at of [i, i + 1, i + width]) image.data.set(line, 4 * at);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// One class's map, interpolated to pixels, the highest row first.
function enlarged(map, [columns, rows], width, height, top) {
  const found = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    const y = ((height - 1 - row) / (height - 1)) * (rows - 1);
    const below = Math.min(Math.floor(y), rows - 2);
    for (let column = 0; column < width; column++) {
      const x = (column / (width - 1)) * (columns - 1);
      const left = Math.min(Math.floor(x), columns - 2);
      const at = below * columns + left;
      const [u, v] = [x - left, y - below];
      const low = map[at] * (1 - u) + map[at + 1] * u;
      const high = map[at + columns] * (1 - u) + map[at + columns + 1] * u;
      found[row * width + column] = (low * (1 - v) + high * v) / top;
    }
  }
  return found;
}

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
