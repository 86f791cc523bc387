// Losses (losses.h). `add(z, y, from, to, stride, scale, d)` returns the sum of the losses of the
// rows from..to in the order of exp's kernel: 16 partial sums. Where d is given it takes the
// derivative by each logit, times `scale`. Logits are [outputs][stride], labels 0..K-1.

const LANES = 16;
const lanes = new Float32Array(LANES);

/** The sum of 16 partial sums: l + (l + 8), then + 4, + 2, + 1. */
function folded(s) {
  for (let width = 8; width > 0; width >>= 1) {
    for (let l = 0; l < width; l++) s[l] = f(s[l] + s[l + width]);
  }
  return s[0];
}

/** A loss of one logit for two classes: row(z, y, pair) writes loss and derivative. */
function single(row) {
  const pair = new Float32Array(2);
  return (z, y, from, to, stride, scale, d) => {
    lanes.fill(0);
    for (let r = from; r < to; r++) {
      row(z[r], y[r], pair);
      const l = (r - from) & 15;
      lanes[l] = lanes[l] + pair[0];
      if (d) d[r] = pair[1] * scale;
    }
    return folded(lanes);
  };
}

/** A loss of K logits: row(z, y, g) returns the loss of one row and fills the derivative g. */
function several(classes, row) {
  const z = new Float32Array(classes), g = new Float32Array(classes);
  return (logits, y, from, to, stride, scale, d) => {
    lanes.fill(0);
    for (let r = from; r < to; r++) {
      for (let k = 0; k < classes; k++) z[k] = logits[k * stride + r];
      const loss = row(z, y[r], g), l = (r - from) & 15;
      lanes[l] = lanes[l] + loss;
      if (d) for (let k = 0; k < classes; k++) d[k * stride + r] = g[k] * scale;
    }
    return folded(lanes);
  };
}

/** (1 - p)^gamma of a loss -log p: `power` and the factor `bend` of its derivative. */
function focal(gamma, loss, out) {
  const g = f(gamma), chance = exp(-loss);
  const miss = Math.max(TINY, -expm1(-loss));
  const power = exp(Math.min(0, f(g * log(miss))));
  out.power = power;
  out.bend = f(f(f(g * f(power / miss)) * f(chance * loss)) + power);
}

/** bce, and focal where gamma or alpha is given. */
function binary(gamma, alpha, positive) {
  const out = { power: 1, bend: 1 };
  const ofOne = f(positive ? alpha : 1 - alpha), ofOther = f(1 - ofOne);
  return single((z, y, pair) => {
    const e = exp(-Math.abs(z));
    let loss = f(f((z > 0 ? z : 0) - z * y) + log1p(e)), slope = f(sigmoidOf(z, e) - y);
    if (gamma) {
      focal(gamma, loss, out);
      slope = f(slope * out.bend);
      loss = f(out.power * loss);
    }
    if (alpha >= 0) {
      const share = y ? ofOne : ofOther;
      slope = f(slope * share);
      loss = f(loss * share);
    }
    pair[0] = loss;
    pair[1] = slope;
  });
}

/** What softmax needs of logits z. */
const SOFT = { top: 0, whole: 0, share: 0 };

function soften(z) {
  let top = z[0], sum = 0;
  for (let k = 1; k < z.length; k++) if (z[k] > top) top = z[k];
  for (let k = 0; k < z.length; k++) sum = f(sum + exp(f(z[k] - top)));
  SOFT.top = top;
  SOFT.whole = f(top + log(sum));
  SOFT.share = f(1 / sum);
}

/** cross_entropy with label smoothing, and focal. */
function entropy(classes, smoothing, gamma) {
  const out = { power: 1, bend: 1 }, smooth = f(smoothing), rest = f(1 - smooth);
  const even = f(1 / classes);
  return several(classes, (z, y, g) => {
    soften(z);
    const { top, whole, share } = SOFT;
    let loss = f(whole - z[y]);
    if (gamma) {
      focal(gamma, loss, out);
      loss = f(out.power * loss);
    }
    if (smooth) {
      let mean = 0;
      for (let k = 0; k < classes; k++) mean = f(mean + f(whole - z[k]));
      loss = fma(rest, loss, f(smooth * f(mean / classes)));
    }
    for (let k = 0; k < classes; k++) {
      const p = f(exp(f(z[k] - top)) * share);
      const slope = f(out.bend * f(p - (k === y ? 1 : 0)));
      g[k] = smooth ? fma(rest, slope, f(smooth * f(p - even))) : slope;
    }
    return loss;
  });
}

function hinge(classes, { margin }) {
  const wanted = f(margin);
  if (classes === 2) {
    return single((z, y, pair) => {
      const sign = 2 * y - 1, left = f(wanted - sign * z);
      pair[0] = left > 0 ? left : 0;
      pair[1] = left > 0 ? -sign : 0;
    });
  }
  return several(classes, (z, y, g) => {
    let other = -1;
    for (let k = 0; k < classes; k++) {
      g[k] = 0;
      if (k !== y && (other < 0 || z[k] > z[other])) other = k;
    }
    const left = f(f(wanted - z[y]) + z[other]);
    if (!(left > 0)) return 0;
    g[other] = 1;
    g[y] = -1;
    return left;
  });
}

/** mse and l1 between probabilities and one-hot labels. */
function distance(classes, squared) {
  if (classes === 2) {
    return single((z, y, pair) => {
      const p = sigmoid(z), error = f(p - y), bend = f(p * f(1 - p));
      pair[0] = squared ? error * error : Math.abs(error);
      pair[1] = (squared ? f(2 * error) : Math.sign(error)) * bend;
    });
  }
  const each = f(1 / classes), p = new Float32Array(classes), by = new Float32Array(classes);
  return several(classes, (z, y, g) => {
    soften(z);
    let loss = 0, dot = 0;
    for (let k = 0; k < classes; k++) {
      p[k] = exp(f(z[k] - SOFT.top)) * SOFT.share;
      const error = f(p[k] - (k === y ? 1 : 0));
      loss = squared ? fma(error, error, loss) : f(loss + Math.abs(error));
      by[k] = squared ? 2 * error : k === y ? -1 : 1;
      dot = fma(p[k], by[k], dot);
    }
    for (let k = 0; k < classes; k++) g[k] = f(p[k] * f(by[k] - dot)) * each;
    return f(loss * each);
  });
}

/** Name -> a function of the number of classes and the parameters. */
const LOSSES = {
  bce: () => binary(0, -1, 1),
  cross_entropy: (classes, { label_smoothing }) => entropy(classes, label_smoothing, 0),
  focal: (classes, { gamma, alpha, positive }) =>
    (classes === 2 ? binary(gamma, alpha ?? -1, positive) : entropy(classes, 0, gamma)),
  hinge,
  mse: (classes) => distance(classes, true),
  l1: (classes) => distance(classes, false),
  tanh_mse: () => single((z, y, pair) => {
    const t = tanh(z), error = f(t - (2 * y - 1));
    pair[0] = f(error * error) * 0.5;
    pair[1] = error * fma(-t, t, 1);
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
