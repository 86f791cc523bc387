// What is being trained: the settings, the trainer, and the points that were changed by hand.

const copied = (value) => JSON.parse(JSON.stringify(value));
const LIVE = ["lr", "l1", "l2", "clip_norm", "momentum", "weight_decay"];
const TWO_CLASSES = ["bce", "tanh_mse"];

class Session extends EventTarget {
  constructor(payload) {
    super();
    this.payload = payload;
    this.offers = payload.offers;
    this.start = copied(payload.settings);
    this.settings = copied(payload.settings);
    this.undone = []; // rows before each change by hand
    this.trainer = new Engine.Trainer(payload, this.settings);
    this.tuned = false; // whether something was changed after the first epoch
  }

  send(name) {
    this.dispatchEvent(new Event(name));
  }

  get dataset() {
    return this.offers.datasets.find((set) => set.name === this.settings.dataset);
  }

  offer(kind, name) {
    return this.offers[kind].find((each) => each.name === name);
  }

  // The value that an option has where nothing is changed: that of its file, else its signature's.
  usual(kind, name, parameter) {
    const file = (this.payload.usual[kind] || {})[name] || {};
    return parameter.name in file ? file[parameter.name] : parameter.default;
  }

  usualOf(kind, name) {
    const found = this.offer({ loss: "losses", activation: "activations", optimizer: "optimizers" }[kind], name);
    return Object.fromEntries(found.params.map((each) => [each.name, this.usual(kind, name, each)]));
  }

  /** Trains from the start with other settings; returns whether they are possible. */
  set(values, base = this.settings) {
    const next = { ...base, ...copied(values) };
    let note = "";
    if ("dataset" in values || "points" in values) note = this.suited(next);
    try {
      const made = new Engine.Trainer(this.payload, next);
      this.settings = next;
      this.trainer = made;
    } catch (error) {
      complain(error.message[0].toUpperCase() + error.message.slice(1) + ". Nothing was changed.");
      this.send("settings");
      return false;
    }
    complain("");
    if (note) announce(note);
    byId("note").textContent = note;
    this.tuned = false;
    if ("dataset" in values || "noise" in values) this.undone = [];
    if ("dataset" in values || "noise" in values || "points" in values) this.send("rows");
    this.send("settings");
    this.send("restart");
    return true;
  }

  // A loss for two classes cannot stay where a data set has more.
  suited(next) {
    const set = this.offers.datasets.find((each) => each.name === next.dataset);
    const name = next.loss.name || next.loss;
    if (set.classes.length === 2 || !TWO_CLASSES.includes(name)) return "";
    next.loss = { name: "cross_entropy", ...this.usualOf("loss", "cross_entropy") };
    return `${set.classes.length} classes: the loss is now cross_entropy.`;
  }

  chooseData(name) {
    const set = this.offers.datasets.find((each) => each.name === name);
    const first = name === this.start.dataset;
    const noise = first ? this.start.noise : set.noise ? set.noise.default : null;
    return this.set({ dataset: name, noise, points: null });
  }

  chooseOptimizer(name) {
    return this.set({ optimizer: name, ...this.usualOf("optimizer", name) }, this.withoutOptimizer(this.settings));
  }

  /** Settings without the parameters of their optimizer. */
  withoutOptimizer(settings) {
    const next = copied(settings);
    for (const each of this.offer("optimizers", settings.optimizer).params) delete next[each.name];
    return next;
  }

  /** Changes numbers of the training while it goes on. */
  tune(values) {
    try {
      this.trainer.change(values);
    } catch (error) {
      complain(error.message);
      return;
    }
    complain("");
    this.settings = { ...this.settings, ...values };
    if (this.trainer.epoch > 0) this.tuned = true;
    this.send("settings");
  }

  restart() {
    this.set({});
  }

  /** The rows as a list of points, which may be changed. */
  get points() {
    const { x, y, part } = this.trainer.rows;
    return x.map((place, row) => ({ x: [place[0], place[1]], y: y[row], part: part[row] }))
      .filter((point) => point.part);
  }

  /** Trains on with other rows; returns whether they are possible. */
  edit(points, remember = true) {
    const before = this.settings.points;
    const classes = new Set(points.filter((point) => point.part === "train").map((point) => point.y));
    if (classes.size < 2) {
      complain("Training needs points of at least two classes. Nothing was changed.");
      return false;
    }
    this.trainer.setPoints(points);
    complain("");
    if (remember) this.undone.push(before);
    this.settings = { ...this.settings, points };
    if (this.trainer.epoch > 0) this.tuned = true;
    else this.restartQuietly();
    this.send("points");
    return true;
  }

  // Before the first epoch nothing is lost by starting from the changed points.
  restartQuietly() {
    this.trainer = new Engine.Trainer(this.payload, this.settings);
    this.send("restart");
  }

  undo() {
    if (!this.undone.length) return false;
    const before = this.undone.pop();
    if (before === null) this.set({ points: null });
    else this.edit(before, false);
    return true;
  }
}
