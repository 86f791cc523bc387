// What every unit of a network outputs over a grid of raw rows.

class Maps {
  constructor(trainer) {
    this.trainer = trainer;
    this.pass = new Pass(trainer.net);
    this.forget();
  }

  /** Lets the next call compute the inputs of the grid: their scaling may have changed. */
  forget() {
    this.xs = this.ys = null;
  }

  /** Fills in the inputs and makes the buffers of a grid. */
  prepare(xs, ys) {
    const { trainer, pass } = this, count = xs.length * ys.length;
    pass.reserve(count);
    for (let j = 0, r = 0; j < ys.length; j++) {
      for (let i = 0; i < xs.length; i++, r++) {
        mapRow(trainer.features, trainer.scaler, xs[i], ys[j], pass.a[0], pass.capacity, r);
      }
    }
    this.xs = Float64Array.from(xs);
    this.ys = Float64Array.from(ys);
    const { sizes } = trainer.net, make = (units) =>
      Array.from({ length: units }, () => new Float32Array(count));
    this.found = {
      inputs: make(sizes[0]),
      hidden: sizes.slice(1, -1).map(make),
      outputs: make(trainer.classes),
    };
    this.found.inputs.forEach((map, f) => copy(map, pass.a[0], f * pass.capacity));
  }

  /** {inputs, hidden, outputs}: maps [ys * xs], y after y; probabilities for the outputs. The
   * next call writes into the same arrays. */
  draw(xs, ys) {
    if (!same(this.xs, xs) || !same(this.ys, ys)) this.prepare(xs, ys);
    const { trainer, pass, found } = this, count = xs.length * ys.length;
    const z = pass.forward(count, trainer.net.layers, null), stride = pass.capacity;
    found.hidden.forEach((maps, l) => {
      for (let u = 0; u < maps.length; u++) copy(maps[u], pass.plain[l + 1], u * stride);
    });
    const maps = found.outputs;
    if (trainer.outputs === 1) {
      for (let r = 0; r < count; r++) {
        maps[1][r] = sigmoid(f(trainer.slope * z[r]));
        maps[0][r] = sigmoid(f(-trainer.slope * z[r]));
      }
      return found;
    }
    for (let r = 0; r < count; r++) {
      let top = z[r], total = 0;
      for (let k = 1; k < maps.length; k++) if (z[k * stride + r] > top) top = z[k * stride + r];
      for (let k = 0; k < maps.length; k++) total += maps[k][r] = Math.exp(z[k * stride + r] - top);
      for (let k = 0; k < maps.length; k++) maps[k][r] /= total;
    }
    return found;
  }
}

function same(kept, given) {
  if (!kept || kept.length !== given.length) return false;
  for (let i = 0; i < kept.length; i++) if (kept[i] !== given[i]) return false;
  return true;
}

function copy(map, values, from) {
  for (let r = 0; r < map.length; r++) map[r] = values[from + r];
}
