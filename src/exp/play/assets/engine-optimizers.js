// Optimizers, operation by operation as exp's kernel has them (optimizers.h). Each is a class with
// `step(w, g, lr, p)`: the parameters w and their gradients g change in place, p are the
// hyperparameters by exp's names, which may change between two steps. Numbers of all parameters are
// computed in float64 and rounded once.

/** g + weight_decay * w, in place. */
function addDecay(w, g, decay) {
  const factor = f(decay);
  if (decay) for (let i = 0; i < w.length; i++) g[i] = fma(w[i], factor, g[i]);
}

/** Decoupled weight decay. */
function shrink(w, lr, decay) {
  const factor = f(1 - lr * decay);
  if (decay) for (let i = 0; i < w.length; i++) w[i] = w[i] * factor;
}

class SGD {
  constructor(size) {
    this.velocity = new Float32Array(size);
    this.begun = false;
  }

  step(w, g, lr, p) {
    addDecay(w, g, p.weight_decay);
    const v = this.velocity, rate = f(lr), momentum = f(p.momentum);
    if (!p.momentum) {
      for (let i = 0; i < w.length; i++) w[i] = fma(g[i], -rate, w[i]);
      return;
    }
    if (p.classical) {
      for (let i = 0; i < w.length; i++) {
        v[i] = fma(g[i], rate, f(v[i] * momentum));
        w[i] = w[i] - (p.nesterov ? fma(v[i], momentum, f(g[i] * rate)) : v[i]);
      }
      return;
    }
    // The first gradient enters whole, later ones are dampened.
    const gain = p.dampening && this.begun ? f(1 - p.dampening) : 1;
    this.begun = true;
    for (let i = 0; i < w.length; i++) {
      v[i] = fma(g[i], gain, f(v[i] * momentum));
      w[i] = fma(p.nesterov ? fma(v[i], momentum, g[i]) : v[i], -rate, w[i]);
    }
  }
}

/** Running means of gradients and of squared gradients, with the corrections 1 - beta^t. */
class Moments {
  constructor(size) {
    this.mean = new Float32Array(size);
    this.square = new Float32Array(size);
    this.largest = null;
    this.correction1 = this.correction2 = 0;
  }

  moments(w, g, lr, p, decoupled) {
    if (decoupled) shrink(w, lr, p.weight_decay);
    else addDecay(w, g, p.weight_decay);
    const m = this.mean, v = this.square;
    this.correction1 = this.correction1 * p.beta1 + (1 - p.beta1);
    this.correction2 = this.correction2 * p.beta2 + (1 - p.beta2);
    const new1 = f(1 - p.beta1), new2 = f(1 - p.beta2), old2 = f(p.beta2);
    for (let i = 0; i < w.length; i++) {
      m[i] = fma(new1, f(g[i] - m[i]), m[i]);
      v[i] = fma(f(g[i] * new2), g[i], f(v[i] * old2));
    }
  }
}

class Adam extends Moments {
  get decoupled() { return false; }

  step(w, g, lr, p) {
    this.moments(w, g, lr, p, this.decoupled);
    const m = this.mean, eps = f(p.eps);
    let v = this.square;
    if (p.amsgrad) {
      this.largest = this.largest || new Float32Array(w.length);
      for (let i = 0; i < w.length; i++) if (v[i] > this.largest[i]) this.largest[i] = v[i];
      v = this.largest;
    }
    const rate = f(-(lr / this.correction1)), root = f(Math.sqrt(this.correction2));
    for (let i = 0; i < w.length; i++) {
      w[i] = w[i] + f(f(m[i] * rate) / f(f(f(Math.sqrt(v[i])) / root) + eps));
    }
  }
}

class AdamW extends Adam {
  get decoupled() { return true; }
}

class NAdam extends Moments {
  constructor(size) {
    super(size);
    this.product = 1;
    this.power = 1;
  }

  step(w, g, lr, p) {
    this.moments(w, g, lr, p, p.decoupled_weight_decay);
    const fall = Math.pow(0.96, p.momentum_decay), half = p.beta1 / 2, eps = f(p.eps);
    this.power *= fall;
    const mu = p.beta1 - this.power * half;
    this.product *= mu;
    const next = p.beta1 - this.power * (half * fall);
    const rate = f(-((lr * (1 - mu)) / (1 - this.product)));
    const share = f(-((lr * next) / (1 - this.product * next)));
    const root = f(this.correction2);
    for (let i = 0; i < w.length; i++) {
      const below = f(f(Math.sqrt(f(this.square[i] / root))) + eps);
      w[i] = w[i] + f(f(g[i] * rate) / below);
      w[i] = w[i] + f(f(this.mean[i] * share) / below);
    }
  }
}

class RAdam extends Moments {
  constructor(size) {
    super(size);
    this.steps = 0;
  }

  step(w, g, lr, p) {
    this.moments(w, g, lr, p, p.decoupled_weight_decay);
    this.steps++;
    const longest = 2 / (1 - p.beta2) - 1, t = this.steps, eps = f(p.eps);
    const length = longest - 2 * (t / this.correction2 - t);
    // While the variance of the denominator is not known, a step is plain momentum.
    const known = length > 5, scale = longest / ((longest - 4) * (longest - 2));
    const factor = (((length - 4) * (length - 2)) / length) * scale * this.correction2;
    const rate = f(-((lr / this.correction1) * (known ? Math.sqrt(factor) : 1)));
    for (let i = 0; i < w.length; i++) {
      const below = known ? f(f(Math.sqrt(this.square[i])) + eps) : 1;
      w[i] = w[i] + f(f(this.mean[i] * rate) / below);
    }
  }
}

class RMSprop {
  constructor(size) {
    this.square = new Float32Array(size);
    this.mean = new Float32Array(size);
    this.velocity = new Float32Array(size);
  }

  step(w, g, lr, p) {
    addDecay(w, g, p.weight_decay);
    const old = f(p.alpha), fresh = f(1 - p.alpha), eps = f(p.eps), momentum = f(p.momentum);
    const minus = f(-lr), { square, mean, velocity } = this;
    for (let i = 0; i < w.length; i++) {
      let v = square[i] = fma(f(g[i] * fresh), g[i], f(square[i] * old));
      v = square[i];
      if (p.centered) {
        mean[i] = fma(fresh, f(g[i] - mean[i]), mean[i]);
        v = Math.max(0, fma(-mean[i], mean[i], v));
      }
      const below = f(f(Math.sqrt(v)) + eps);
      if (p.momentum) {
        velocity[i] = f(velocity[i] * momentum) + f(g[i] / below);
        w[i] = fma(velocity[i], minus, w[i]);
      } else {
        w[i] = w[i] + f(f(g[i] * minus) / below);
      }
    }
  }
}

class Adagrad {
  constructor(size, p) {
    this.sum = new Float32Array(size).fill(p.initial_accumulator_value);
    this.steps = 0;
  }

  step(w, g, lr, p) {
    addDecay(w, g, p.weight_decay);
    const minus = f(-(lr / (1 + this.steps++ * p.lr_decay))), eps = f(p.eps), s = this.sum;
    for (let i = 0; i < w.length; i++) {
      s[i] = fma(g[i], g[i], s[i]);
      w[i] = w[i] + f(f(g[i] * minus) / f(f(Math.sqrt(s[i])) + eps));
    }
  }
}

class Adadelta {
  constructor(size) {
    this.square = new Float32Array(size);
    this.changes = new Float32Array(size);
  }

  step(w, g, lr, p) {
    addDecay(w, g, p.weight_decay);
    const old = f(p.rho), fresh = f(1 - p.rho), eps = f(p.eps), minus = f(-lr);
    const { square, changes } = this;
    for (let i = 0; i < w.length; i++) {
      square[i] = fma(f(g[i] * fresh), g[i], f(square[i] * old));
      const below = f(Math.sqrt(f(square[i] + eps)));
      const change = f(f(f(Math.sqrt(f(changes[i] + eps))) / below) * g[i]);
      changes[i] = fma(f(change * fresh), change, f(changes[i] * old));
      w[i] = fma(change, minus, w[i]);
    }
  }
}

class Rprop {
  constructor(size, p) {
    this.last = new Float32Array(size);
    this.size = new Float32Array(size).fill(p.lr);
  }

  step(w, g, lr, p) {
    const [shrunk, grown, least, most] =
      [p.eta_minus, p.eta_plus, p.step_size_min, p.step_size_max].map(f);
    const { last, size } = this;
    for (let i = 0; i < w.length; i++) {
      const same = f(g[i] * last[i]);
      const factor = same > 0 ? grown : same < 0 ? shrunk : 1;
      size[i] = Math.min(most, Math.max(least, f(size[i] * factor)));
      last[i] = same < 0 ? 0 : g[i];
      w[i] = w[i] - Math.sign(last[i]) * size[i];
    }
  }
}

class Lion {
  constructor(size) {
    this.mean = new Float32Array(size);
  }

  step(w, g, lr, p) {
    shrink(w, lr, p.weight_decay);
    const m = this.mean, new1 = f(1 - p.beta1), new2 = f(1 - p.beta2), rate = f(lr);
    for (let i = 0; i < w.length; i++) {
      const change = f(g[i] - m[i]), way = fma(new1, change, m[i]);
      w[i] = w[i] - (way > 0 ? rate : way < 0 ? -rate : 0);
      m[i] = fma(new2, change, m[i]);
    }
  }
}

const OPTIMIZERS = {
  sgd: SGD, adam: Adam, adamw: AdamW, nadam: NAdam, radam: RAdam, rmsprop: RMSprop,
  adagrad: Adagrad, adadelta: Adadelta, rprop: Rprop, lion: Lion,
};
