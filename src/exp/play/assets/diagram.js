// The network as a diagram: a box with a map for every unit, lines for the weights between them.

const MOST_LAYERS = 6, MOST_SHOWN = 16;
const SMALL = SIDE / 2; // places of a unit's map
const PER_ROW = 16; // maps side by side in the picture that is kept of all

class Diagram {
  constructor(session, colours, loop) {
    Object.assign(this, { session, colours, loop });
    this.place = byId("network");
    this.canvas = byId("lines");
    this.boxes = byId("boxes");
    this.edges = new Edges();
    this.atlas = element("canvas");
    this.focus = null; // a box or an edge that is looked at
    this.canvas.addEventListener("pointermove", (event) => this.pointed(event));
    this.canvas.addEventListener("pointerdown", (event) => this.pointed(event));
    this.canvas.addEventListener("pointerleave", () => this.look(null));
    for (const name of ["restart", "rows"]) session.addEventListener(name, () => this.build());
    new ResizeObserver(() => this.build()).observe(this.place);
    this.build();
  }

  /** Makes the boxes anew where the network has another form, and places all. */
  build() {
    const { session } = this, { trainer, settings, offers } = session;
    const width = this.place.clientWidth;
    if (!width) return;
    const key = JSON.stringify([settings.features, trainer.network.sizes, settings.dataset, settings.noise, width]);
    if (key !== this.key) {
      const focused = document.activeElement && document.activeElement.dataset.unit;
      this.key = key;
      this.focus = null;
      this.columns = [
        offers.features.map((each) => this.feature(each.name)),
        ...settings.hidden.map((units, l) => Array.from({ length: Math.min(units, MOST_SHOWN) }, (_, u) => this.unit(l, u))),
        this.outputs(),
      ];
      this.boxes.replaceChildren(...this.columns.flat().map((box) => box.button), ...this.heads(width), ...this.rests);
      this.layout(width);
      const used = settings.features.map((name) => this.columns[0].find((box) => box.name === name));
      this.edges.connect(this.columns, used);
      if (focused) this.columns.flat().find((box) => box.button.dataset.unit === focused)?.button.focus();
      this.inputs = this.allInputs();
    }
    this.say();
    this.loop?.refresh();
  }

  /** The maps of all features, also of those that the network does not use. */
  allInputs() {
    const { payload, settings } = this.session;
    const every = this.session.offers.features.map((each) => each.name);
    return new Engine.Trainer(payload, { ...settings, features: every, hidden: [] });
  }

  feature(name) {
    const used = this.session.settings.features.includes(name);
    const box = this.box(`feature ${name}`, `Feature ${name}`, { name, off: !used, label: signs(name) });
    box.button.setAttribute("aria-pressed", String(used));
    box.button.addEventListener("click", () => this.toggle(name));
    return box;
  }

  toggle(name) {
    const { settings, offers } = this.session;
    const used = new Set(settings.features);
    if (!used.delete(name)) used.add(name);
    if (!used.size) return complain("A network needs at least one feature.");
    const features = offers.features.map((each) => each.name).filter((each) => used.has(each));
    if (this.session.set({ features })) announce(`Feature ${name} ${used.has(name) ? "on" : "off"}.`);
  }

  unit(layer, unit) {
    return this.box(`${layer} ${unit}`, `Hidden layer ${layer + 1}, unit ${unit + 1}`, { layer, unit });
  }

  outputs() {
    const { sizes } = this.session.trainer.network, { classes } = this.session.dataset;
    const count = sizes[sizes.length - 1];
    return Array.from({ length: count }, (_, k) => {
      const label = classes[count === 1 ? 1 : k];
      return this.box(`output ${k}`, `Output, class ${label}`, { output: count === 1 ? 1 : k, unit: k, label });
    });
  }

  box(key, title, more) {
    const button = element("button", { type: "button", className: "unit", "data-unit": key, "aria-label": title, "aria-describedby": "reading" });
    if (more.off) button.classList.add("off");
    if (more.label !== undefined) button.append(element("span", {}, more.label));
    const box = { key, title, button, ...more };
    button.addEventListener("pointerenter", () => this.look(box));
    button.addEventListener("pointerleave", () => this.look(null));
    button.addEventListener("focus", () => this.look(box));
    button.addEventListener("blur", () => this.look(null));
    return box;
  }

  // Above each hidden layer: one unit less, one more.
  heads() {
    const { hidden } = this.session.settings;
    this.rests = hidden.map((units) => element("p", { className: "rest", hidden: units <= MOST_SHOWN }, `${units - MOST_SHOWN} more`));
    this.headings = hidden.map((units, l) => {
      const change = (by, text, name) => {
        const button = element("button", { type: "button", "data-unit": `${name} ${l}`, "aria-label": `${text} in hidden layer ${l + 1}` }, by < 0 ? MINUS : "+");
        button.disabled = by < 0 ? units <= 1 : units >= MOST_SHOWN;
        button.addEventListener("click", () => this.resize(l, units + by));
        return button;
      };
      return element("div", { className: "head" }, change(-1, "One unit less", "less"), element("span", {}, String(units)), change(1, "One unit more", "more"));
    });
    return this.headings;
  }

  resize(layer, units) {
    const hidden = this.session.settings.hidden.slice();
    hidden[layer] = units;
    if (this.session.set({ hidden })) announce(`Hidden layer ${layer + 1}: ${units} units.`);
  }

  layers(by) {
    const hidden = this.session.settings.hidden.slice();
    if (by < 0) hidden.pop();
    else hidden.push(hidden.length ? Math.min(hidden[hidden.length - 1], 8) : 4);
    if (this.session.set({ hidden })) announce(`${hidden.length} hidden layers.`);
  }

  layout(width) {
    const count = this.columns.length, tall = width / count < 70; // the buttons of a layer stand one above the other
    const top = tall ? 100 : 44;
    const most = Math.max(...this.columns.map((column) => column.length));
    const size = clamp(Math.floor(Math.min(width / (1.75 * count), 360 / most)), 24, 44);
    const row = size + (most > 10 ? 6 : 10), height = top + most * row + 4;
    this.place.style.height = height + "px";
    Object.assign(this, { width, height, size });
    const left = (c) => 2 + (c / (count - 1)) * (width - size - 4);
    this.columns.forEach((column, c) => column.forEach((box, i) => {
      const y = top + (i + (most - column.length) / 2) * row;
      Object.assign(box, { left: left(c), right: left(c) + size, top: y, y: y + size / 2 });
      box.button.style.cssText = `left:${box.left}px;top:${y}px;width:${size}px;height:${size}px`;
    }));
    const boxes = this.columns.flat();
    boxes.forEach((box, i) => (box.index = i));
    const across = Math.min(PER_ROW, boxes.length), down = Math.ceil(boxes.length / PER_ROW);
    [this.atlas.width, this.atlas.height] = [across * SMALL, down * SMALL];
    this.image = new ImageData(across * SMALL, down * SMALL);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.headings.forEach((head, l) => {
      head.classList.toggle("tall", tall);
      head.style.left = left(l + 1) + size / 2 + "px";
      const last = this.columns[l + 1][this.columns[l + 1].length - 1];
      this.rests[l].style.cssText = `left:${left(l + 1) + size / 2}px;top:${last.top + size}px`;
    });
  }

  draw(found, xs, ys) {
    if (!this.width) return;
    const { network } = this.session.trainer, { colours } = this;
    this.edges.read(network);
    const context = fitted(this.canvas, this.width, this.height);
    context.clearRect(0, 0, this.width, this.height);
    this.edges.draw(context, colours, this.focus);
    this.drawnInputs(xs, ys);
    for (const box of this.columns.flat()) this.thumb(box, this.mapOf(box, found));
    this.atlas.getContext("2d").putImageData(this.image, 0, 0);
    for (const box of this.columns.flat()) {
      const { left, top, index, off } = box, { size } = this;
      context.globalAlpha = off ? 0.35 : 1;
      context.drawImage(this.atlas, (index % PER_ROW) * SMALL, Math.floor(index / PER_ROW) * SMALL, SMALL, SMALL, left, top, size, size);
    }
    context.globalAlpha = 1;
    if (this.focus) this.say();
  }

  // The maps of the features change only with the plane.
  drawnInputs(xs, ys) {
    if (this.drawn?.xs === xs && this.drawn.of === this.inputs) return;
    this.drawn = { xs, of: this.inputs, maps: this.inputs.unitMaps(xs, ys).inputs };
  }

  mapOf(box, found) {
    if (box.name) return this.drawn.maps[box.index];
    if (box.layer !== undefined) return found.hidden[box.layer][box.unit];
    return found.outputs[box.output];
  }

  /** Every other place of a map, into the picture of all. */
  thumb(box, map) {
    const output = box.output !== undefined;
    const centre = output ? 0.5 : 0;
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < map.length; i += 2) {
      const value = map[i] - centre;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const table = this.colours.signTable;
    box.low = low + centre;
    box.high = high + centre;
    const scale = 127.5 / Math.max(-low, high, output ? 0.5 : 0.25);
    const x0 = (box.index % PER_ROW) * SMALL, y0 = Math.floor(box.index / PER_ROW) * SMALL;
    for (let row = 0; row < SMALL; row++) {
      const to = (y0 + row) * this.image.width + x0, from = 2 * row * SIDE;
      for (let column = 0; column < SMALL; column++) {
        const level = 127.5 + (map[from + 2 * column] - centre) * scale;
        this.pixels[to + column] = table[level < 0 ? 0 : level > 255 ? 255 : level | 0];
      }
    }
  }

  pointed(event) {
    const box = this.canvas.getBoundingClientRect();
    this.look(this.edges.at(event.clientX - box.left, event.clientY - box.top));
  }

  /** Looks at a box or an edge: its value is written below, the plane shows its map. */
  look(what) {
    if (what === this.focus) return;
    this.focus = what;
    this.say();
    this.loop?.refresh();
  }

  say() {
    const { focus, session: { trainer: { network } } } = this;
    if (!focus) return write(byId("reading"), "Point at a unit or a line, or move to a unit with the Tab key, to read its numbers.");
    if (focus.from) return write(byId("reading"), `Weight from ${focus.from.title} to ${focus.to.title}: ${brief(focus.weight)}`);
    if (focus.name) return write(byId("reading"), `${focus.title}: ${focus.off ? "not used. Press it to use it" : "used. Press it to leave it out"}.`);
    const layer = focus.layer === undefined ? network.layers.length - 1 : focus.layer;
    const incoming = this.edges.list.filter((edge) => edge.to === focus);
    const parts = incoming.slice(0, 8).map((edge) => `${edge.from.label ?? "unit " + (edge.from.unit + 1)} ${brief(edge.weight, 2)}`);
    if (incoming.length > 8) parts.push("…");
    const range = focus.low === undefined ? "" : `, from ${brief(focus.low, 2)} to ${brief(focus.high, 2)} on this plane`;
    write(byId("reading"), `${focus.title}${range}. Bias ${brief(network.layers[layer].bias[focus.unit], 2)}. Weights: ${parts.join(", ")}`);
  }

  /** The map that the plane shows instead of the classes, if a unit is looked at. */
  wanted(found) {
    const { focus } = this;
    return !focus || focus.from || focus.output !== undefined || !this.drawn ? null : this.mapOf(focus, found);
  }
}

/** "x1^2" as it is printed. */
const signs = (name) => name.replace("x1", "x₁").replace("x2", "x₂").replace("^2", "²").replace(" x", "x");
