// A multilayer perceptron. Rows are columns here: a unit's outputs of all rows lie together, so that
// the innermost loops run over rows. Every sum has the order of exp's kernel (products.h): over
// inputs one chain, over rows 16 partial sums for each block of rows. Nothing is allocated once the
// buffers are large enough.

const CACHE = 98304, LEAST = 192, MOST = 1008, ALIGNED = 32;

const upTo = (count, multiple) => Math.ceil(count / multiple) * multiple;

class Network {
  constructor(sizes, activation, dropout) {
    this.sizes = sizes;
    this.activation = activation;
    this.dropout = f(dropout);
    let count = 0, lines = sizes[sizes.length - 1];
    for (let l = 1; l < sizes.length; l++) {
      count += upTo(sizes[l] * sizes[l - 1], ALIGNED) + upTo(sizes[l], ALIGNED);
      if (l < sizes.length - 1) lines += sizes[l] * (dropout > 0 ? 3 : 2);
    }
    // Rows that go through the network together, which decides the order of sums over rows.
    this.block = Math.max(LEAST, Math.min(MOST, Math.floor(Math.floor(CACHE / (8 * lines)) / 48) * 48));
    this.values = new Float32Array(count);
    this.gradients = new Float32Array(count);
    this.layers = this.views(this.values);
    this.gradientLayers = this.views(this.gradients);
    this.training = new Pass(this);
  }

  /** {weight, bias} of each layer, as parts of one array in which each starts at a multiple of 32. */
  views(values) {
    const layers = [];
    for (let l = 1, at = 0; l < this.sizes.length; l++) {
      const outputs = this.sizes[l], weights = outputs * this.sizes[l - 1];
      const weight = values.subarray(at, at + weights);
      at += upTo(weights, ALIGNED);
      layers.push({ weight, bias: values.subarray(at, at + outputs) });
      at += upTo(outputs, ALIGNED);
    }
    return layers;
  }

  /** Fills `gradients` from the derivative of the loss by the logits of the last training pass. */
  backward(n) {
    const { sizes, training: pass, block, dropout } = this, stride = pass.capacity;
    const rows = upTo(n, LANES), kept = f(1 - dropout);
    this.gradients.fill(0);
    for (let l = sizes.length - 1; l > 0; l--) {
      const { weight, bias } = this.gradientLayers[l - 1], w = this.layers[l - 1].weight;
      const d = pass.d[l], a = pass.a[l - 1], below = pass.d[l - 1], inputs = sizes[l - 1];
      for (let from = 0; from < rows; from += block) {
        const to = Math.min(rows, from + block);
        for (let o = 0; o < sizes[l]; o++) {
          bias[o] = bias[o] + total(d, o * stride, from, to);
          for (let i = 0; i < inputs; i++) {
            weight[o * inputs + i] =
              weight[o * inputs + i] + product(d, o * stride, a, i * stride, from, to);
          }
        }
      }
      if (l === 1) continue;
      const drawn = pass.draws[l - 1];
      for (let i = 0; i < inputs; i++) {
        const at = i * stride, end = at + rows;
        combine(below, at, 0, w, i, inputs, d, stride, sizes[l], rows);
        if (dropout > 0) {
          for (let r = at; r < end; r++) below[r] = drawn[r] < dropout ? 0 : below[r] / kept;
        }
        this.activation.backward(pass.z[l - 1], pass.plain[l - 1], below, at, end);
      }
    }
  }

  /** l1 * sum |w| + l2 / 2 * sum w^2 over weights, not biases; its derivative is added on demand. */
  penalty(l1, l2, layers, derive) {
    if (!l1 && !l2) return 0;
    const one = f(l1), two = f(l2), squares = new Float32Array(LANES);
    let whole = 0;
    layers.forEach(({ weight }, l) => {
      const g = this.gradientLayers[l].weight;
      lanes.fill(0);
      squares.fill(0);
      for (let i = 0; i < weight.length; i++) {
        const v = weight[i], lane = i & 15;
        lanes[lane] = lanes[lane] + Math.abs(v);
        squares[lane] = fma(v, v, squares[lane]);
        if (derive) g[i] = g[i] + fma(two, v, v > 0 ? one : v < 0 ? -one : 0);
      }
      if (l1) whole += l1 * folded(lanes);
      if (l2) whole += (l2 / 2) * folded(squares);
    });
    return f(whole);
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
    this.capacity = upTo(n, ALIGNED);
    const make = () => this.network.sizes.map((units) => new Float32Array(units * this.capacity));
    this.z = make();
    this.a = make();
    this.d = make();
    // Outputs before dropout: the same arrays where there is none.
    const dropping = this.network.dropout > 0;
    this.plain = dropping ? make() : this.a;
    this.draws = dropping ? make() : [];
  }

  /** Logits of the n rows in `a[0]`, in `z` of the last layer, with weights `layers`.
   *
   * `chance`: draws dropout as torch.rand does, for rows that are padded to 32; null: none. */
  forward(n, layers, chance) {
    const { sizes, activation, dropout } = this.network, stride = this.capacity;
    const last = sizes.length - 1, rows = upTo(n, LANES);
    for (let l = 1; l <= last; l++) {
      const { weight, bias } = layers[l - 1];
      const z = this.z[l], a = this.a[l - 1], inputs = sizes[l - 1];
      for (let o = 0; o < sizes[l]; o++) {
        const at = o * stride;
        combine(z, at, bias[o], weight, o * inputs, 1, a, stride, inputs, rows);
        if (l < last) activation.forward(z, this.plain[l], at, at + rows);
      }
      if (l < last && dropout > 0) this.drop(l, n, chance);
    }
    return this.z[last];
  }

  drop(l, n, chance) {
    const { sizes, dropout } = this.network, stride = this.capacity;
    const draws = this.draws[l], plain = this.plain[l], a = this.a[l];
    const kept = f(1 - dropout), width = upTo(n, ALIGNED);
    for (let o = 0; o < sizes[l]; o++) {
      for (let at = o * stride, end = at + width; at < end; at++) {
        if (chance) draws[at] = chance.float();
        a[at] = !chance ? plain[at] : draws[at] < dropout ? 0 : plain[at] / kept;
      }
    }
  }
}

/** y[r] = first + sum over k of w[at + k * step] * x[k * stride + r], for n rows r from `to` on.
 *
 * Four terms at a time, in their order, so that y is read and written less often. */
function combine(y, to, first, w, at, step, x, stride, count, n) {
  y.fill(first, to, to + n);
  let k = 0;
  for (; k + 3 < count; k += 4) {
    const w0 = w[at + k * step], w1 = w[at + (k + 1) * step];
    const w2 = w[at + (k + 2) * step], w3 = w[at + (k + 3) * step];
    const x0 = k * stride, x1 = x0 + stride, x2 = x1 + stride, x3 = x2 + stride;
    for (let r = 0; r < n; r++) {
      const s = f(w1 * x[x1 + r] + f(w0 * x[x0 + r] + y[to + r]));
      y[to + r] = w3 * x[x3 + r] + f(w2 * x[x2 + r] + s);
    }
  }
  for (; k < count; k++) {
    const weight = w[at + k * step], from = k * stride;
    for (let r = 0; r < n; r++) y[to + r] = weight * x[from + r] + y[to + r];
  }
}

/** The sum over rows of d * x, in 16 partial sums; the rows are a multiple of 16. */
function product(d, at, x, other, from, to) {
  for (let half = 0; half < LANES; half += 8) {
    let s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
    for (let r = from + half; r < to; r += LANES) {
      const i = at + r, j = other + r;
      s0 = f(d[i] * x[j] + s0);
      s1 = f(d[i + 1] * x[j + 1] + s1);
      s2 = f(d[i + 2] * x[j + 2] + s2);
      s3 = f(d[i + 3] * x[j + 3] + s3);
      s4 = f(d[i + 4] * x[j + 4] + s4);
      s5 = f(d[i + 5] * x[j + 5] + s5);
      s6 = f(d[i + 6] * x[j + 6] + s6);
      s7 = f(d[i + 7] * x[j + 7] + s7);
    }
    lanes[half] = s0;
    lanes[half + 1] = s1;
    lanes[half + 2] = s2;
    lanes[half + 3] = s3;
    lanes[half + 4] = s4;
    lanes[half + 5] = s5;
    lanes[half + 6] = s6;
    lanes[half + 7] = s7;
  }
  return folded(lanes);
}

/** The sum over rows of d in the same order. */
function total(d, at, from, to) {
  lanes.fill(0);
  for (let r = from; r < to; r++) lanes[r & 15] = lanes[r & 15] + d[at + r];
  return folded(lanes);
}
