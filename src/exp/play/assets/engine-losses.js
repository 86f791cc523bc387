// Losses. `add(z, y, n, stride, d)` returns the sum of the losses of n rows; where d is given, it
// takes the derivative of the mean by each logit. Logits are [outputs][stride], labels 0..K-1.

/** log(1 + e^z) without overflow. */
const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));

/** A loss of one logit for two classes: f(z, y) writes `pair` = loss and derivative. */
function single(f) {
  const pair = [0, 0];
  return (z, y, n, stride, d) => {
    let sum = 0;
    for (let r = 0; r < n; r++) {
      f(z[r], y[r], pair);
      sum += pair[0];
      if (d) d[r] = pair[1] / n;
    }
    return sum;
  };
}

/** A loss of K logits: f(z, p, y, g) of one row returns its loss and fills the derivative g. */
function several(classes, f) {
  const z = new Float64Array(classes), p = new Float64Array(classes), g = new Float64Array(classes);
  return (logits, y, n, stride, d) => {
    let sum = 0;
    for (let r = 0; r < n; r++) {
      for (let k = 0; k < classes; k++) z[k] = logits[k * stride + r];
      softmax(z, p);
      sum += f(z, p, y[r], g);
      if (d) for (let k = 0; k < classes; k++) d[k * stride + r] = g[k] / n;
    }
    return sum;
  };
}

/** Probabilities p of logits z; returns log(sum e^z). */
function softmax(z, p) {
  let top = z[0], sum = 0;
  for (let k = 1; k < z.length; k++) if (z[k] > top) top = z[k];
  for (let k = 0; k < z.length; k++) sum += p[k] = Math.exp(z[k] - top);
  for (let k = 0; k < z.length; k++) p[k] /= sum;
  return top + Math.log(sum);
}

/** -log p of one class, accurate where p is almost 1. */
function surprise(z, y) {
  let top = z[0], sum = 0;
  for (let k = 1; k < z.length; k++) if (z[k] > top) top = z[k];
  for (let k = 0; k < z.length; k++) if (k !== y) sum += Math.exp(z[k] - top);
  return top === z[y] ? Math.log1p(sum) : top - z[y] + Math.log(sum + Math.exp(z[y] - top));
}

/** The derivative by the logits where it is g by the probabilities, in place. */
function throughSoftmax(p, g) {
  let mean = 0;
  for (let k = 0; k < p.length; k++) mean += p[k] * g[k];
  for (let k = 0; k < p.length; k++) g[k] = p[k] * (g[k] - mean);
}

function crossEntropy(classes, { label_smoothing: smoothing }) {
  return several(classes, (z, p, y, g) => {
    let mean = 0;
    for (let k = 0; k < classes; k++) {
      if (smoothing) mean += surprise(z, k) / classes;
      g[k] = p[k] - smoothing / classes - (k === y ? 1 - smoothing : 0);
    }
    return (1 - smoothing) * surprise(z, y) + smoothing * mean;
  });
}

/** Focal loss (1 - p)^gamma * entropy by the entropy: [value, derivative]. */
function focal(entropy, gamma, pair) {
  const miss = Math.max(-Math.expm1(-entropy), 1.1754943508222875e-38);
  const power = gamma === 0 ? 1 : Math.pow(miss, gamma);
  pair[0] = power * entropy;
  pair[1] = power + (gamma === 0 ? 0 : gamma * Math.pow(miss, gamma - 1) * (1 - miss) * entropy);
}

function focalLoss(classes, { gamma, alpha, positive }) {
  const pair = [0, 0];
  const ofOne = alpha === null || alpha === undefined ? null : positive === 0 ? 1 - alpha : alpha;
  const weight = (y) => (ofOne === null ? 1 : y ? ofOne : 1 - ofOne);
  if (classes === 2) {
    return single((z, y, out) => {
      focal(softplus(y ? -z : z), gamma, pair);
      out[0] = weight(y) * pair[0];
      out[1] = weight(y) * pair[1] * (y ? -sigmoid(-z) : sigmoid(z));
    });
  }
  return several(classes, (z, p, y, g) => {
    focal(surprise(z, y), gamma, pair);
    for (let k = 0; k < classes; k++) g[k] = pair[1] * (p[k] - (k === y ? 1 : 0));
    return pair[0];
  });
}

function hinge(classes, { margin }) {
  if (classes === 2) {
    return single((z, y, out) => {
      const sign = 2 * y - 1, left = margin - sign * z;
      out[0] = left > 0 ? left : 0;
      out[1] = left > 0 ? -sign : 0;
    });
  }
  return several(classes, (z, p, y, g) => {
    let other = -1;
    for (let k = 0; k < classes; k++) {
      g[k] = 0;
      if (k !== y && (other < 0 || z[k] > z[other])) other = k;
    }
    const left = margin - z[y] + z[other];
    if (!(left > 0)) return 0;
    g[y] = -1;
    g[other] = 1;
    return left;
  });
}

/** A distance between probabilities and one-hot labels: of a difference, value and derivative. */
function distance(classes, value, slope) {
  if (classes === 2) {
    return single((z, y, out) => {
      const p = sigmoid(z);
      out[0] = value(p - y);
      out[1] = slope(p - y) * p * (1 - p);
    });
  }
  return several(classes, (z, p, y, g) => {
    let sum = 0;
    for (let k = 0; k < classes; k++) {
      const difference = p[k] - (k === y ? 1 : 0);
      sum += value(difference) / classes;
      g[k] = slope(difference) / classes;
    }
    throughSoftmax(p, g);
    return sum;
  });
}

/** Name -> a function of the number of classes and the parameters. */
const LOSSES = {
  bce: () => single((z, y, out) => {
    out[0] = softplus(z) - y * z;
    out[1] = sigmoid(z) - y;
  }),
  cross_entropy: crossEntropy,
  focal: focalLoss,
  hinge,
  mse: (classes) => distance(classes, (x) => x * x, (x) => 2 * x),
  l1: (classes) => distance(classes, Math.abs, Math.sign),
  tanh_mse: () => single((z, y, out) => {
    const t = Math.tanh(z), difference = t - (2 * y - 1);
    out[0] = (difference * difference) / 2;
    out[1] = difference * (1 - t * t);
  }),
};

/** Logits of each row. */
const outputsOf = (loss, classes) => (classes === 2 && loss !== "cross_entropy" ? 1 : classes);

/** Rows whose most probable class is their label. */
function correctRows(z, y, n, stride, outputs) {
  let right = 0;
  for (let r = 0; r < n; r++) {
    let label = outputs === 1 && z[r] > 0 ? 1 : 0;
    for (let k = 1; k < outputs; k++) if (z[k * stride + r] > z[label * stride + r]) label = k;
    if (label === y[r]) right++;
  }
  return right;
}
