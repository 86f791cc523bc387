// Optimizers, as exp.components.optimizers has them. Each is a class with `step(w, g, lr, p)`: the
// parameters w and their gradients g change in place, p are the hyperparameters by exp's names.
// Hyperparameters may change between two steps.

/** g + weight_decay * w, in place. */
function addDecay(w, g, decay) {
  if (decay) for (let i = 0; i < w.length; i++) g[i] += decay * w[i];
}

/** Decoupled weight decay. */
function shrink(w, lr, decay) {
  if (!decay) return;
  const factor = 1 - lr * decay;
  for (let i = 0; i < w.length; i++) w[i] *= factor;
}

class SGD {
  constructor(size) {
    this.velocity = new Float64Array(size);
    this.begun = false;
  }

  step(w, g, lr, p) {
    addDecay(w, g, p.weight_decay);
    const v = this.velocity, { momentum, nesterov, classical } = p;
    if (classical) {
      for (let i = 0; i < w.length; i++) {
        v[i] = momentum * v[i] + lr * g[i];
        w[i] -= nesterov ? lr * g[i] + momentum * v[i] : v[i];
      }
      return;
    }
    if (!momentum) {
      for (let i = 0; i < w.length; i++) w[i] -= lr * g[i];
      return;
    }
    // The first gradient enters whole, later ones are dampened.
    const gain = this.begun ? 1 - p.dampening : 1;
    this.begun = true;
    for (let i = 0; i < w.length; i++) {
      v[i] = momentum * v[i] + gain * g[i];
      w[i] -= lr * (nesterov ? g[i] + momentum * v[i] : v[i]);
    }
  }
}

/** Running means of gradients and of squared gradients, with the corrections 1 - beta^t. */
class Moments {
  constructor(size) {
    this.mean = new Float64Array(size);
    this.square = new Float64Array(size);
    this.largest = null;
    this.correction1 = this.correction2 = 0;
  }

  moments(w, g, lr, p, decoupled) {
    if (decoupled) shrink(w, lr, p.weight_decay);
    else addDecay(w, g, p.weight_decay);
    const m = this.mean, v = this.square, new1 = 1 - p.beta1, new2 = 1 - p.beta2;
    for (let i = 0; i < w.length; i++) {
      m[i] += new1 * (g[i] - m[i]);
      v[i] = p.beta2 * v[i] + new2 * g[i] * g[i];
    }
    this.correction1 = p.beta1 * this.correction1 + new1;
    this.correction2 = p.beta2 * this.correction2 + new2;
  }
}

class Adam extends Moments {
  get decoupled() { return false; }

  step(w, g, lr, p) {
    this.moments(w, g, lr, p, this.decoupled);
    let v = this.square;
    if (p.amsgrad) {
      this.largest = this.largest || new Float64Array(w.length);
      for (let i = 0; i < w.length; i++) if (v[i] > this.largest[i]) this.largest[i] = v[i];
      v = this.largest;
    }
    const rate = lr / this.correction1, root = Math.sqrt(this.correction2);
    for (let i = 0; i < w.length; i++) {
      w[i] -= (rate * this.mean[i]) / (Math.sqrt(v[i]) / root + p.eps);
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
    const fall = Math.pow(0.96, p.momentum_decay);
    this.power *= fall;
    const mu = p.beta1 * (1 - this.power / 2), next = p.beta1 * (1 - (this.power * fall) / 2);
    this.product *= mu;
    const ofGradient = (lr * (1 - mu)) / (1 - this.product);
    const ofMean = (lr * next) / (1 - this.product * next);
    for (let i = 0; i < w.length; i++) {
      const root = Math.sqrt(this.square[i] / this.correction2) + p.eps;
      w[i] -= (ofGradient * g[i] + ofMean * this.mean[i]) / root;
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
    const longest = 2 / (1 - p.beta2) - 1, t = this.steps;
    const length = longest - 2 * (t / this.correction2 - t);
    const rate = lr / this.correction1;
    // While the variance of the denominator is not known, a step is plain momentum.
    if (length <= 5) {
      for (let i = 0; i < w.length; i++) w[i] -= rate * this.mean[i];
      return;
    }
    const scale = longest / ((longest - 4) * (longest - 2));
    const share = ((length - 4) * (length - 2)) / length;
    const rectified = rate * Math.sqrt(share * scale * this.correction2);
    for (let i = 0; i < w.length; i++) {
      w[i] -= (rectified * this.mean[i]) / (Math.sqrt(this.square[i]) + p.eps);
    }
  }
}

class RMSprop {
  constructor(size) {
    this.square = new Float64Array(size);
    this.mean = new Float64Array(size);
    this.velocity = new Float64Array(size);
  }

  step(w, g, lr, p) {
    addDecay(w, g, p.weight_decay);
    const fresh = 1 - p.alpha;
    for (let i = 0; i < w.length; i++) {
      let v = this.square[i] = p.alpha * this.square[i] + fresh * g[i] * g[i];
      if (p.centered) {
        this.mean[i] += fresh * (g[i] - this.mean[i]);
        v = Math.max(0, v - this.mean[i] * this.mean[i]);
      }
      const change = g[i] / (Math.sqrt(v) + p.eps);
      this.velocity[i] = p.momentum * this.velocity[i] + change;
      w[i] -= lr * (p.momentum ? this.velocity[i] : change);
    }
  }
}

class Adagrad {
  constructor(size, p) {
    this.sum = new Float64Array(size).fill(p.initial_accumulator_value);
    this.steps = 0;
  }

  step(w, g, lr, p) {
    addDecay(w, g, p.weight_decay);
    const rate = lr / (1 + this.steps++ * p.lr_decay);
    for (let i = 0; i < w.length; i++) {
      this.sum[i] += g[i] * g[i];
      w[i] -= (rate * g[i]) / (Math.sqrt(this.sum[i]) + p.eps);
    }
  }
}

class Adadelta {
  constructor(size) {
    this.square = new Float64Array(size);
    this.changes = new Float64Array(size);
  }

  step(w, g, lr, p) {
    addDecay(w, g, p.weight_decay);
    const fresh = 1 - p.rho;
    for (let i = 0; i < w.length; i++) {
      this.square[i] = p.rho * this.square[i] + fresh * g[i] * g[i];
      const change = (Math.sqrt(this.changes[i] + p.eps) / Math.sqrt(this.square[i] + p.eps)) * g[i];
      this.changes[i] = p.rho * this.changes[i] + fresh * change * change;
      w[i] -= lr * change;
    }
  }
}

class Rprop {
  constructor(size, p) {
    this.last = new Float64Array(size);
    this.size = new Float64Array(size).fill(p.lr);
  }

  step(w, g, lr, p) {
    for (let i = 0; i < w.length; i++) {
      const product = g[i] * this.last[i];
      const factor = product > 0 ? p.eta_plus : product < 0 ? p.eta_minus : 1;
      this.size[i] = Math.min(Math.max(this.size[i] * factor, p.step_size_min), p.step_size_max);
      this.last[i] = product < 0 ? 0 : g[i];
      w[i] -= Math.sign(this.last[i]) * this.size[i];
    }
  }
}

class Lion {
  constructor(size) {
    this.mean = new Float64Array(size);
  }

  step(w, g, lr, p) {
    shrink(w, lr, p.weight_decay);
    const m = this.mean, new1 = 1 - p.beta1, new2 = 1 - p.beta2;
    for (let i = 0; i < w.length; i++) {
      w[i] -= lr * Math.sign(m[i] + new1 * (g[i] - m[i]));
      m[i] += new2 * (g[i] - m[i]);
    }
  }
}

/** Gradients are computed at w, between z, which the steps move, and its mean x, `averaged`. */
class ScheduleFree {
  constructor(size, p, w) {
    this.z = Float64Array.from(w);
    this.averaged = Float64Array.from(w);
    this.largest = this.total = 0;
  }

  descend(w, direction, lr, interpolation) {
    this.largest = Math.max(this.largest, lr);
    const weight = this.largest * this.largest;
    this.total += weight;
    const share = this.total > 0 ? weight / this.total : weight;
    const z = this.z, x = this.averaged;
    for (let i = 0; i < w.length; i++) {
      z[i] -= lr * direction[i];
      x[i] += share * (z[i] - x[i]);
      w[i] = z[i] + interpolation * (x[i] - z[i]);
    }
  }
}

class ScheduleFreeSGD extends ScheduleFree {
  step(w, g, lr, p) {
    addDecay(w, g, p.weight_decay);
    this.descend(w, g, lr, p.momentum);
  }
}

class ScheduleFreeAdamW extends ScheduleFree {
  constructor(size, p, w) {
    super(size, p, w);
    this.square = new Float64Array(size);
    this.correction = 0;
  }

  step(w, g, lr, p) {
    const v = this.square, fresh = 1 - p.beta2;
    this.correction = p.beta2 * this.correction + fresh;
    for (let i = 0; i < w.length; i++) {
      v[i] = p.beta2 * v[i] + fresh * g[i] * g[i];
      g[i] /= Math.sqrt(v[i] / this.correction) + p.eps;
    }
    addDecay(w, g, p.weight_decay);
    this.descend(w, g, lr, p.beta1);
  }
}

const OPTIMIZERS = {
  sgd: SGD, adam: Adam, adamw: AdamW, nadam: NAdam, radam: RAdam, rmsprop: RMSprop,
  adagrad: Adagrad, adadelta: Adadelta, rprop: Rprop, lion: Lion,
  schedule_free_sgd: ScheduleFreeSGD, schedule_free_adamw: ScheduleFreeAdamW,
};
