// A multilayer perceptron. Rows are columns here: a unit's outputs of all rows lie together, so that
// the innermost loops run over rows. Nothing is allocated once the buffers are large enough.

class Network {
  constructor(sizes, activation, dropout) {
    this.sizes = sizes;
    this.activation = activation;
    this.dropout = Math.fround(dropout);
    let count = 0;
    for (let l = 1; l < sizes.length; l++) count += sizes[l] * (sizes[l - 1] + 1);
    this.values = new Float64Array(count);
    this.gradients = new Float64Array(count);
    this.layers = this.views(this.values);
    this.gradientLayers = this.views(this.gradients);
    this.training = new Pass(this);
  }

  /** {weight, bias} of each layer, as parts of one array. */
  views(values) {
    const layers = [];
    for (let l = 1, at = 0; l < this.sizes.length; l++) {
      const outputs = this.sizes[l], weights = outputs * this.sizes[l - 1];
      const weight = values.subarray(at, at + weights);
      at += weights;
      layers.push({ weight, bias: values.subarray(at, at + outputs) });
      at += outputs;
    }
    return layers;
  }

  /** Fills `gradients` from the derivative of the loss by the logits of the last training pass. */
  backward(n) {
    const { sizes, training: pass } = this, stride = pass.capacity;
    for (let l = sizes.length - 1; l > 0; l--) {
      const { weight, bias } = this.gradientLayers[l - 1], w = this.layers[l - 1].weight;
      const d = pass.d[l], a = pass.a[l - 1], below = pass.d[l - 1], inputs = sizes[l - 1];
      for (let o = 0; o < sizes[l]; o++) bias[o] = sum(d, o * stride, n);
      for (let o = 0; o < sizes[l]; o++) {
        for (let i = 0; i < inputs; i++) {
          weight[o * inputs + i] = dot(d, o * stride, a, i * stride, n);
        }
      }
      if (l === 1) continue;
      for (let i = 0; i < inputs; i++) {
        const at = i * stride;
        below.fill(0, at, at + n);
        for (let o = 0; o < sizes[l]; o++) {
          addScaled(below, at, d, o * stride, w[o * inputs + i], n);
        }
        const mask = pass.masks[l - 1];
        if (this.dropout > 0) for (let r = at; r < at + n; r++) below[r] *= mask[r];
        this.activation.backward(pass.z[l - 1], pass.plain[l - 1], below, at, at + n);
      }
    }
  }

  /** l1 * sum |w| + l2 / 2 * sum w^2 over weights, not biases; its derivative is added on demand. */
  penalty(l1, l2, layers, derive) {
    let total = 0;
    if (!l1 && !l2) return total;
    layers.forEach(({ weight }, l) => {
      const g = this.gradientLayers[l].weight;
      for (let i = 0; i < weight.length; i++) {
        total += l1 * Math.abs(weight[i]) + (l2 / 2) * weight[i] * weight[i];
        if (derive) g[i] += l1 * Math.sign(weight[i]) + l2 * weight[i];
      }
    });
    return total;
  }
}

/** The buffers of one forward pass over some rows, [units][capacity] for each layer. */
class Pass {
  constructor(network) {
    this.network = network;
    this.capacity = 0;
  }

  /** Makes room for n rows. */
  reserve(n) {
    if (n <= this.capacity) return;
    this.capacity = n;
    const make = () => this.network.sizes.map((units) => new Float64Array(units * n));
    this.z = make();
    this.a = make();
    this.d = make();
    // Outputs before dropout: the same arrays where there is none.
    const dropping = this.network.dropout > 0;
    this.plain = dropping ? make() : this.a;
    this.masks = dropping ? make() : [];
  }

  /** Logits of the n rows in `a[0]`, in `z` of the last layer, with weights `layers`.
   *
   * `chance`: draws dropout as torch.rand does, for rows that are padded to whole vector lanes. */
  forward(n, layers, chance) {
    const { sizes, activation, dropout } = this.network, stride = this.capacity;
    const last = sizes.length - 1;
    for (let l = 1; l <= last; l++) {
      const { weight, bias } = layers[l - 1];
      const z = this.z[l], a = this.a[l - 1], inputs = sizes[l - 1];
      for (let o = 0; o < sizes[l]; o++) {
        const at = o * stride;
        z.fill(bias[o], at, at + n);
        for (let i = 0; i < inputs; i++) {
          addScaled(z, at, a, i * stride, weight[o * inputs + i], n);
        }
        if (l < last) activation.forward(z, this.plain[l], at, at + n);
      }
      if (l < last && dropout > 0) this.drop(l, n, chance);
    }
    return this.z[last];
  }

  drop(l, n, chance) {
    const { sizes, dropout } = this.network, stride = this.capacity;
    const mask = this.masks[l], plain = this.plain[l], a = this.a[l];
    const kept = 1 / Math.fround(1 - dropout), width = Math.max(LANES, Math.ceil(n / LANES) * LANES);
    for (let o = 0; o < sizes[l]; o++) {
      for (let r = 0; r < n; r++) {
        const at = o * stride + r;
        mask[at] = !chance ? 1 : chance.float() >= dropout ? kept : 0;
        a[at] = plain[at] * mask[at];
      }
      if (chance) for (let r = n; r < width; r++) chance.next();
    }
  }
}

const LANES = 32;

/** y += factor * x, n numbers from the places `to` and `from` on. */
function addScaled(y, to, x, from, factor, n) {
  for (let r = 0; r < n; r++) y[to + r] += factor * x[from + r];
}

/** Four sums at once: a processor need not wait for each addition. */
function dot(x, from, y, other, n) {
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0, r = 0;
  for (; r + 3 < n; r += 4) {
    s0 += x[from + r] * y[other + r];
    s1 += x[from + r + 1] * y[other + r + 1];
    s2 += x[from + r + 2] * y[other + r + 2];
    s3 += x[from + r + 3] * y[other + r + 3];
  }
  for (; r < n; r++) s0 += x[from + r] * y[other + r];
  return s0 + s1 + (s2 + s3);
}

function sum(x, from, n) {
  let total = 0;
  for (let r = from; r < from + n; r++) total += x[r];
  return total;
}
