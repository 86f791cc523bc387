// Training: epochs, scores and maps of one network, by the settings of the page.

/** A chosen component: "adam" or {name: "adam", ...}, with the defaults of the payload. */
function chosen(offers, kind, given, flat) {
  const { name, ...params } = typeof given === "string" ? { name: given } : given;
  const found = offers.find((each) => each.name === name);
  if (!found) {
    throw new Error(`unknown ${kind} ${name}: choose one of ${offers.map((o) => o.name).join(", ")}`);
  }
  const values = { name };
  for (const each of found.params) {
    const here = params[each.name] ?? flat[each.name];
    values[each.name] = here === undefined ? each.default : here;
  }
  return values;
}

/** One part of the rows, ready for the network: inputs [features][count], labels [count]. */
class Part {
  constructor(data, rows, features, scaler) {
    this.count = rows.length;
    this.inputs = new Float32Array(features.length * this.count);
    this.labels = new Uint8Array(this.count);
    rows.forEach((row, r) => {
      mapRow(features, scaler, data.x[2 * row], data.x[2 * row + 1], this.inputs, this.count, r);
      this.labels[r] = data.y[row];
    });
  }
}

class Trainer {
  constructor(payload, settings) {
    const offers = payload.offers;
    this.payload = payload;
    this.settings = settings;
    this.dataset = offers.datasets.find((set) => set.name === settings.dataset);
    if (!this.dataset) throw new Error(`unknown data set ${settings.dataset}`);
    this.classes = this.dataset.classes.length;
    this.features = settings.features;
    const unknown = this.features.find((name) => !FEATURES[name]);
    if (unknown !== undefined) throw new Error(`unknown feature ${unknown}`);
    if (!this.features.length) throw new Error("a network needs at least one feature");
    const loss = settings.loss === "auto" ? (this.classes === 2 ? "bce" : "cross_entropy")
      : settings.loss;
    this.lossChoice = chosen(offers.losses, "loss", loss, {});
    this.lossChoice.positive = this.dataset.positive;
    if (this.classes > 2 && ["bce", "tanh_mse"].includes(this.lossChoice.name)) {
      throw new Error(
        `loss ${this.lossChoice.name} needs two classes, and this data set has ${this.classes}`,
      );
    }
    this.outputs = outputsOf(this.lossChoice.name, this.classes);
    this.addLoss = LOSSES[this.lossChoice.name](this.classes, this.lossChoice);
    this.slope = this.lossChoice.name === "tanh_mse" ? 2 : 1;
    this.l1 = settings.l1 || 0;
    this.l2 = settings.l2 || 0;
    this.batchSize = settings.batch_size || null;
    this.clipNorm = settings.clip_norm || null;
    const sizes = [this.features.length, ...settings.hidden, this.outputs];
    const activation = chosen(offers.activations, "activation", settings.activation, {});
    this.net = new Network(sizes, ACTIVATIONS[activation.name](activation), settings.dropout || 0);
    firstWeights(this.net.layers, settings.init, settings.seeds.init);
    this.hyper = chosen(offers.optimizers, "optimizer", settings.optimizer, settings);
    this.optimizer = new OPTIMIZERS[this.hyper.name](this.net.values.length, this.hyper);
    this.shuffler = new Mersenne(purposeSeed(settings.seeds.shuffle, 0));
    this.dropper = new Mersenne(purposeSeed(settings.seeds.shuffle, 1));
    this.evaluating = new Pass(this.net);
    this.maps = new Maps(this);
    this.epoch = 0;
    this.history = { trainLoss: [], testLoss: [], trainAccuracy: [], testAccuracy: [] };
    const noise = settings.noise ?? this.dataset.noise?.default ?? 0;
    this.take(
      settings.points ? rowsOfPoints(settings.points, this.classes) : rowsOf(this.dataset, noise),
      true,
    );
    this.initial = {};
    for (const name of ["train", "test", "validation"]) this.score(name, this.initial);
  }

  /** Uses these rows from now on. */
  take(data, fit) {
    this.data = data;
    if (fit) this.scaler = scaling(data, this.settings.standardize);
    this.parts = {};
    for (const name of PARTS) {
      this.parts[name] = new Part(data, data.parts[name], this.features, this.scaler);
    }
    const count = this.parts.train.count;
    this.order = new Int32Array(count);
    this.batch = Math.min(this.batchSize || count, count);
    this.labels = new Uint8Array(this.batch);
    this.filled = false;
    this.net.training.reserve(this.batch);
    this.evaluating.reserve(Math.max(...PARTS.map((name) => this.parts[name].count)));
    this.maps.forget();
  }

  setPoints(points) {
    this.take(rowsOfPoints(points, this.classes), false);
    this.settings = { ...this.settings, points };
  }

  /** The rows in raw units, in the order of the data set. */
  get rows() {
    const { x, y, parts } = this.data, part = new Array(y.length).fill(null);
    for (const name of PARTS) for (const row of parts[name]) part[row] = name;
    return { x: Array.from(y, (_, r) => [x[2 * r], x[2 * r + 1]]), y: Array.from(y), part };
  }

  /** Weights [outputs][inputs] and biases of each layer, which change as it trains. */
  get network() {
    return { sizes: this.net.sizes, layers: this.net.layers };
  }

  /** Hyperparameters of the optimizer by name, l1, l2 or clip_norm, from the next step on. */
  change(values) {
    for (const [name, value] of Object.entries(values)) {
      if (name === "l1" || name === "l2") this[name] = value;
      else if (name === "clip_norm") this.clipNorm = value;
      else if (name in this.hyper && name !== "name") this.hyper[name] = value;
      else throw new Error(`optimizer ${this.hyper.name} has no ${name}`);
    }
    this.settings = { ...this.settings, ...values };
  }

  /** Trains; a run that has diverged stays where it is, as exp ends it there. */
  train(epochs) {
    for (let e = 0; e < epochs && !this.diverged; e++) this.oneEpoch();
  }

  /** Whether the last losses are no finite numbers. */
  get diverged() {
    const { trainLoss, testLoss, validationLoss } = this.history;
    return this.epoch > 0 && [trainLoss, testLoss, validationLoss].some(
      (losses) => losses && losses.length > 0 && !Number.isFinite(losses[losses.length - 1]),
    );
  }

  oneEpoch() {
    const { net, parts: { train }, batch, history } = this, pass = net.training;
    if (this.batchSize) randomOrder(this.shuffler, this.order, train.count);
    const steps = Math.ceil(train.count / batch);
    let sum = 0, loss = 0, right = 0;
    for (let step = 0; step < steps; step++) {
      const start = step * batch, n = Math.min(batch, train.count - start);
      this.gather(start, n);
      const z = pass.forward(n, net.layers, this.dropper);
      const mean = f(this.lossOf(z, this.labels, n, pass, true) / n);
      right += correctRows(z, this.labels, n, pass.capacity, this.outputs);
      net.backward(n);
      loss = f(mean + net.penalty(this.l1, this.l2, net.layers, true));
      sum += loss * n;
      if (this.clipNorm) clip(net.gradients, this.clipNorm);
      this.optimizer.step(net.values, net.gradients, this.hyper.lr, this.hyper);
    }
    this.epoch++;
    history.trainLoss.push(steps > 1 ? f(sum / train.count) : loss);
    history.trainAccuracy.push(right / train.count);
    for (const name of ["test", "validation"]) this.score(name, history);
  }

  /** The sum of the losses of n rows; where `derive`, their derivatives by the logits. */
  lossOf(z, labels, n, pass, derive) {
    const stride = pass.capacity, d = derive ? pass.d[pass.d.length - 1] : null, scale = f(1 / n);
    let sum = 0;
    for (let from = 0; from < n; from += this.net.block) {
      const to = Math.min(n, from + this.net.block);
      sum += this.addLoss(z, labels, from, to, stride, scale, d);
    }
    // Rows that only fill up the last 16 count for nothing.
    for (let k = 0; d && k < this.outputs; k++) d.fill(0, k * stride + n, k * stride + upTo(n, LANES));
    return sum;
  }

  /** Puts the rows of a step into the training pass. */
  gather(start, n) {
    const { parts: { train }, net: { training: pass }, order } = this;
    const inputs = pass.a[0], stride = pass.capacity;
    if (!this.batchSize && this.filled) return;
    for (let f = 0; f < this.features.length; f++) {
      for (let r = 0; r < n; r++) {
        const row = this.batchSize ? order[start + r] : r;
        inputs[f * stride + r] = train.inputs[f * train.count + row];
      }
    }
    for (let r = 0; r < n; r++) {
      this.labels[r] = train.labels[this.batchSize ? order[start + r] : r];
    }
    this.filled = true;
  }

  /** Loss and accuracy of a part, appended to the lists of `into`, or set where there are none. */
  score(name, into) {
    const part = this.parts[name], pass = this.evaluating, n = part.count;
    if (!n) return;
    for (let f = 0; f < this.features.length; f++) {
      const inputs = pass.a[0], to = f * pass.capacity, from = f * n;
      for (let r = 0; r < n; r++) inputs[to + r] = part.inputs[from + r];
    }
    const z = pass.forward(n, this.net.layers, null);
    const mean = f(this.lossOf(z, part.labels, n, pass, false) / n);
    const loss = f(mean + this.net.penalty(this.l1, this.l2, this.net.layers, false));
    const accuracy = correctRows(z, part.labels, n, pass.capacity, this.outputs) / n;
    for (const [score, value] of [["Loss", loss], ["Accuracy", accuracy]]) {
      if (into === this.initial) into[name + score] = value;
      else (into[name + score] = into[name + score] || []).push(value);
    }
  }

  unitMaps(xs, ys) {
    return this.maps.draw(xs, ys);
  }
}

/** Scales gradients down to the largest norm, as `clip_grad_norm_` does. */
function clip(g, limit) {
  lanes.fill(0);
  for (let i = 0; i < g.length; i++) lanes[i & 15] = fma(g[i], g[i], lanes[i & 15]);
  const factor = f(f(limit) / f(f(Math.sqrt(folded(lanes))) + f(1e-6)));
  if (factor < 1) for (let i = 0; i < g.length; i++) g[i] = g[i] * factor;
}
