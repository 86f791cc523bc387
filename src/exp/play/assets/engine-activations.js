// Activations (activations.h). `forward` writes a[from..to) from z; `backward` multiplies d by the
// derivative.

/** An activation of two functions of one number: f(z) and the gradient of d at (z, f(z)). */
const elementwise = (value, gradient) => ({
  forward: (z, a, from, to) => { for (let i = from; i < to; i++) a[i] = value(z[i]); },
  backward: (z, a, d, from, to) => {
    for (let i = from; i < to; i++) d[i] = gradient(d[i], z[i], a[i]);
  },
});

const SELU_ALPHA = f(1.67326324), SELU_SCALE = f(1.05070099);
const SELU_LOW = f(SELU_ALPHA * SELU_SCALE), ROOT_HALF = f(0.70710678), DENSITY = f(0.39894228);

const ofTanh = (d, z, a) => f(d * fma(-a, a, 1));

/** Name -> a function of the parameters. The loops that are used most are written out. */
const ACTIVATIONS = {
  relu: () => ({
    forward: (z, a, from, to) => { for (let i = from; i < to; i++) a[i] = z[i] > 0 ? z[i] : 0; },
    backward: (z, a, d, from, to) => { for (let i = from; i < to; i++) if (!(a[i] > 0)) d[i] = 0; },
  }),
  leaky_relu: ({ negative_slope }) => {
    const slope = f(negative_slope);
    return elementwise((z) => (z > 0 ? z : f(z * slope)), (d, z) => (z > 0 ? d : f(d * slope)));
  },
  elu: ({ alpha }) => {
    const scale = f(alpha);
    return elementwise(
      (z) => (z > 0 ? z : f(scale * expm1(z))),
      (d, z, a) => (z > 0 ? d : f(d * f(a + scale))),
    );
  },
  selu: () => elementwise(
    (z) => f(SELU_SCALE * (z > 0 ? z : f(SELU_ALPHA * expm1(z)))),
    (d, z, a) => f(d * (z > 0 ? SELU_SCALE : f(a + SELU_LOW))),
  ),
  gelu: () => elementwise(
    (z) => f(f(z * 0.5) * f(1 + erf(f(z * ROOT_HALF)))),
    (d, z) => {
      const chance = f(0.5 * f(1 + erf(f(z * ROOT_HALF))));
      return f(d * fma(z, f(DENSITY * exp(f(-0.5 * f(z * z)))), chance));
    },
  ),
  silu: () => elementwise(
    (z) => f(z * sigmoid(z)),
    (d, z) => {
      const s = sigmoid(z);
      return f(d * f(s * fma(z, f(1 - s), 1)));
    },
  ),
  // As in PyTorch, z itself where beta * z is above 20.
  softplus: ({ beta }) => {
    const b = f(beta);
    return elementwise(
      (z) => (f(b * z) > 20 ? z : f(softplus(f(b * z)) / b)),
      (d, z) => (f(b * z) > 20 ? d : f(d * sigmoid(f(b * z)))),
    );
  },
  sigmoid: () => elementwise(sigmoid, (d, z, a) => f(d * f(a * f(1 - a)))),
  tanh: () => ({
    forward: (z, a, from, to) => { for (let i = from; i < to; i++) a[i] = tanh(z[i]); },
    backward: (z, a, d, from, to) => {
      for (let i = from; i < to; i++) d[i] = f(d[i] * fma(-a[i], a[i], 1));
    },
  }),
  tanh_from_exp: () => elementwise((z) => {
    const near = Math.min(20, Math.max(-20, z)), e = expm1(f(near + near));
    return f(e / f(e + 2));
  }, ofTanh),
  identity: () => ({
    forward: (z, a, from, to) => { for (let i = from; i < to; i++) a[i] = z[i]; },
    backward: () => {},
  }),
};
