// Activations. `forward` writes a[from..to) from z; `backward` multiplies d by the derivative.

/** The error function to about 1e-16: its series near 0, a continued fraction further out. */
function erf(x) {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size < 2.5) {
    let term = x, sum = x;
    for (let n = 1; n < 80; n++) {
      term *= (-x * x) / n;
      const next = term / (2 * n + 1);
      sum += next;
      if (Math.abs(next) < 1e-17 * Math.abs(sum)) break;
    }
    return 1.1283791670955126 * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (size + fraction);
  const rest = Math.exp(-size * size) / (size + fraction) / 1.772453850905516;
  return Math.sign(x) * (1 - rest);
}

const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** An activation of two functions of one number: f(z) and f'(z, f(z)). */
const elementwise = (f, slope) => ({
  forward: (z, a, from, to) => { for (let i = from; i < to; i++) a[i] = f(z[i]); },
  backward: (z, a, d, from, to) => { for (let i = from; i < to; i++) d[i] *= slope(z[i], a[i]); },
});

const SELU = { alpha: 1.6732632423543772, scale: 1.0507009873554805 };

/** Name -> a function of the parameters. The loops that are used most are written out. */
const ACTIVATIONS = {
  relu: () => ({
    forward: (z, a, from, to) => { for (let i = from; i < to; i++) a[i] = z[i] > 0 ? z[i] : 0; },
    backward: (z, a, d, from, to) => { for (let i = from; i < to; i++) if (!(z[i] > 0)) d[i] = 0; },
  }),
  leaky_relu: ({ negative_slope: slope }) =>
    elementwise((z) => (z > 0 ? z : slope * z), (z) => (z > 0 ? 1 : slope)),
  elu: ({ alpha }) =>
    elementwise((z) => (z > 0 ? z : alpha * Math.expm1(z)), (z, a) => (z > 0 ? 1 : a + alpha)),
  selu: () => elementwise(
    (z) => SELU.scale * (z > 0 ? z : SELU.alpha * Math.expm1(z)),
    (z, a) => (z > 0 ? SELU.scale : a + SELU.scale * SELU.alpha),
  ),
  gelu: () => elementwise(
    (z) => 0.5 * z * (1 + erf(z * Math.SQRT1_2)),
    (z) => 0.5 * (1 + erf(z * Math.SQRT1_2)) + 0.3989422804014327 * z * Math.exp(-0.5 * z * z),
  ),
  silu: () => elementwise(
    (z) => z * sigmoid(z),
    (z) => { const s = sigmoid(z); return s * (1 + z * (1 - s)); },
  ),
  // As in PyTorch, z itself where beta * z is above 20.
  softplus: ({ beta }) => elementwise(
    (z) => (beta * z > 20 ? z : Math.log1p(Math.exp(beta * z)) / beta),
    (z) => (beta * z > 20 ? 1 : sigmoid(beta * z)),
  ),
  sigmoid: () => elementwise(sigmoid, (z, a) => a * (1 - a)),
  tanh: () => ({
    forward: (z, a, from, to) => { for (let i = from; i < to; i++) a[i] = Math.tanh(z[i]); },
    backward: (z, a, d, from, to) => { for (let i = from; i < to; i++) d[i] *= 1 - a[i] * a[i]; },
  }),
  tanh_from_exp: () => ACTIVATIONS.tanh(),
  identity: () => ({
    forward: (z, a, from, to) => { for (let i = from; i < to; i++) a[i] = z[i]; },
    backward: () => {},
  }),
};
