// Points added, moved and removed by hand: with a mouse, a finger or the keyboard.

const REACH = { mouse: 12, pen: 14, touch: 22 };
const HINTS = {
  look: "Point at the plane: the line below says what the network predicts there.",
  move: "Drag a point. With the keyboard: arrows move the cursor, Enter takes the nearest point and puts it down.",
  add: "Click or tap where a new point shall be. With the keyboard: arrows, then Enter.",
  remove: "Click or tap a point. With the keyboard: arrows, then Enter or Delete.",
};

class Points {
  constructor(session, plane, loop) {
    Object.assign(this, { session, plane, loop });
    this.tool = "look";
    this.area = byId("plane");
    this.taken = null; // index of the point that is being moved
    for (const input of document.querySelectorAll("input[name='tool']")) {
      input.addEventListener("change", () => this.choose(input.value));
    }
    byId("undo").addEventListener("click", () => this.undo());
    byId("restore").addEventListener("click", () => {
      session.set({ points: null });
      session.undone = [];
      this.changed("The rows of the data set are back.");
    });
    const { area } = this;
    area.addEventListener("pointerdown", (event) => this.down(event));
    area.addEventListener("pointermove", (event) => this.moved(event));
    area.addEventListener("pointerup", (event) => this.up(event));
    area.addEventListener("pointercancel", () => this.drop());
    area.addEventListener("pointerleave", () => write(byId("prediction"), ""));
    area.addEventListener("keydown", (event) => this.key(event));
    area.addEventListener("blur", () => {
      plane.cursor = null;
      this.drop();
      plane.paintRows();
    });
    session.addEventListener("rows", () => this.classes());
    for (const name of ["points", "restart"]) session.addEventListener(name, () => this.enable());
    this.classes();
    this.choose("look");
    this.enable();
  }

  choose(tool) {
    this.tool = tool;
    this.area.dataset.tool = tool;
    byId("tool-hint").textContent = HINTS[tool];
    byId("new-point").hidden = tool !== "add";
  }

  classes() {
    const { classes } = this.session.dataset;
    const select = byId("new-class"), before = select.value;
    select.replaceChildren(...classes.map((name, i) => element("option", { value: i }, name)));
    select.value = before && Number(before) < classes.length ? before : "0";
  }

  enable() {
    byId("undo").disabled = !this.session.undone.length;
    byId("restore").disabled = !this.session.settings.points;
  }

  undo() {
    if (this.session.undo()) this.changed("The last change of the points is undone.");
  }

  changed(text) {
    this.enable();
    announce(text);
  }

  place(event) {
    const box = this.area.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** Index of the shown point nearest to a place in pixels, within a reach; or -1. */
  nearest([px, py], reach, points = this.session.points) {
    let best = -1, least = reach * reach;
    points.forEach((point, i) => {
      if (!this.plane.shows(point.part)) return;
      const [x, y] = this.plane.toPixels(point.x);
      const distance = (x - px) ** 2 + (y - py) ** 2;
      if (distance <= least) [best, least] = [i, distance];
    });
    return best;
  }

  down(event) {
    if (event.button > 0 || this.tool === "look") return;
    const at = this.place(event), reach = REACH[event.pointerType] || REACH.mouse;
    if (this.tool === "add") this.add(this.plane.toRow(...at));
    else if (this.tool === "remove") this.remove(this.nearest(at, reach));
    else {
      this.take(this.nearest(at, reach));
      if (this.taken !== null) this.area.setPointerCapture(event.pointerId);
    }
    event.preventDefault();
    this.area.focus({ preventScroll: true });
  }

  moved(event) {
    const at = this.place(event);
    if (this.taken !== null && event.buttons) this.carry(this.plane.toRow(...at));
    this.predict(this.plane.toRow(...at));
  }

  up() {
    if (this.taken !== null) this.drop();
  }

  take(index) {
    if (index < 0) return;
    this.before = this.session.settings.points;
    this.taken = index;
    this.carried = this.session.points;
  }

  carry([a, b]) {
    const { x, y } = this.plane;
    const next = this.carried.slice();
    next[this.taken] = { ...next[this.taken], x: [rounded(clamp(a, ...x)), rounded(clamp(b, ...y))] };
    if (!this.session.edit(next, false)) return;
    this.carried = next;
    this.hasMoved = true;
  }

  drop() {
    if (this.taken === null) return;
    const { x } = this.carried[this.taken];
    this.taken = null;
    if (!this.hasMoved) return;
    this.hasMoved = false;
    this.session.undone.push(this.before);
    this.changed(`Point put down at ${brief(x[0])}, ${brief(x[1])}.`);
  }

  add([a, b]) {
    const label = Number(byId("new-class").value), part = byId("new-part").value;
    const next = [...this.session.points, { x: [rounded(a), rounded(b)], y: label, part }];
    if (this.session.edit(next)) this.changed(`${part} point of class ${this.session.dataset.classes[label]} added: ${next.length} points.`);
  }

  remove(index) {
    if (index < 0) return;
    const points = this.session.points, [gone] = points.splice(index, 1);
    if (this.session.edit(points)) this.changed(`${gone.part} point removed: ${points.length} are left.`);
  }

  key(event) {
    const { plane } = this;
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const [x, y] = [plane.x, plane.y];
    plane.cursor = plane.cursor || [(x[0] + x[1]) / 2, (y[0] + y[1]) / 2];
    if (event.key in steps) {
      const size = ((x[1] - x[0]) / 100) * (event.shiftKey ? 10 : 2);
      const [dx, dy] = steps[event.key];
      plane.cursor = [clamp(plane.cursor[0] + dx * size, ...x), clamp(plane.cursor[1] + dy * size, ...y)];
      if (this.taken !== null) this.carry(plane.cursor);
      this.predict(plane.cursor);
      announce(byId("prediction").textContent);
    } else if (event.key === "Enter") this.use(plane.cursor);
    else if (event.key === "Delete" || event.key === "Backspace") this.remove(this.nearest(plane.toPixels(plane.cursor), 40));
    else if (event.key === "Escape") this.drop();
    else return;
    event.preventDefault();
    plane.paintRows();
  }

  /** Enter: what a click would do. */
  use(cursor) {
    const { plane } = this, near = () => this.nearest(plane.toPixels(cursor), 60);
    if (this.tool === "add") this.add(cursor);
    else if (this.tool === "remove") this.remove(near());
    else if (this.tool === "move") {
      if (this.taken !== null) return this.drop();
      this.take(near());
      if (this.taken === null) return announce("There is no point near the cursor.");
      const point = this.carried[this.taken];
      plane.cursor = point.x;
      announce(`${point.part} point of class ${this.session.dataset.classes[point.y]} taken. Arrows move it, Enter puts it down.`);
    }
  }

  predict(row) {
    const found = this.plane.probabilities(row), { classes } = this.session.dataset;
    if (!found) return;
    const best = found.indexOf(Math.max(...found));
    write(byId("prediction"), `${brief(row[0])}, ${brief(row[1])}: class ${classes[best]}, probability ${percent(found[best])}`);
  }
}

// As precise as a screen is, so that csv files and links stay readable; and as exp stores it.
const rounded = (value) => Math.fround(Number(value.toPrecision(4)));
