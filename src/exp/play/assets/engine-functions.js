// Functions in float32, operation by operation as exp's kernel has them (functions.h): the same bits.

const f = Math.fround;

/** a * b + c in one rounding, as a processor's fused multiply-add.
 *
 * a * b is exact in float64. The sum is rounded twice, which is wrong only where the first rounding
 * ends exactly between two float32: about once in 2^28 times. */
const fma = (a, b, c) => f(a * b + c);

const WORD = new Float32Array(1), BITS = new Int32Array(WORD.buffer);
const POWERS = Float64Array.from({ length: 256 }, (_, n) => 2 ** (n - 127));
const LOG2E = f(1.44269504), LN2_HIGH = f(-0.693359375), LN2_LOW = f(2.1219444e-4);
const MAGIC = 12582912, TINY = f(1.17549435e-38), LOWEST = f(-87.3);
const [E0, E1, E2, E3, E4, E5] = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3,
  4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1].map(f);

/** e^x for x up to 88; 0 below -87.3. */
function exp(x) {
  if (x < LOWEST) return 0;
  if (x > 88) x = 88;
  const n = f(fma(x, LOG2E, MAGIC) - MAGIC);
  const r = fma(n, LN2_LOW, fma(n, LN2_HIGH, x));
  let p = fma(E0, r, E1);
  p = fma(p, r, E2);
  p = fma(p, r, E3);
  p = fma(p, r, E4);
  p = fma(p, r, E5);
  p = f(fma(p, f(r * r), r) + 1);
  return f(p * POWERS[n + 127]);
}

const [A17, A15, A13, A11, A9, A7, A5, A3] = [17, 15, 13, 11, 9, 7, 5, 3].map((n) => f(2 / n));

/** log(1 + x) for x from 0 to 1: 2 artanh(x / (2 + x)). */
function log1p(x) {
  const s = f(x / f(2 + x)), z = f(s * s);
  let p = fma(A17, z, A15);
  p = fma(p, z, A13);
  p = fma(p, z, A11);
  p = fma(p, z, A9);
  p = fma(p, z, A7);
  p = fma(p, z, A5);
  p = fma(p, z, A3);
  return fma(f(s * z), p, f(s + s));
}

/** log(x) for normal x > 0. */
function log(x) {
  WORD[0] = x > TINY ? x : TINY;
  const b = (BITS[0] - 0x3f3504f3) | 0, n = b >> 23;
  BITS[0] = (b & 0x007fffff) + 0x3f3504f3;
  const over = f(WORD[0] - 1), s = f(over / f(2 + over)), z = f(s * s);
  let p = fma(A11, z, A9);
  p = fma(p, z, A7);
  p = fma(p, z, A5);
  p = fma(p, z, A3);
  return fma(n, -LN2_HIGH, fma(n, -LN2_LOW, fma(f(s * z), p, f(s + s))));
}

const T0 = f(-5.70498872745e-3), T1 = f(2.06390887954e-2), T2 = f(-5.37397155531e-2);
const T3 = f(1.33314422036e-1), T4 = f(-3.33332819422e-1);

function tanh(x) {
  const a = Math.abs(x);
  if (a < 0.625) {
    const z = f(x * x);
    let p = fma(T0, z, T1);
    p = fma(p, z, T2);
    p = fma(p, z, T3);
    p = fma(p, z, T4);
    return fma(f(p * z), x, x);
  }
  const e = exp(f(-2 * a)), q = f(f(1 - e) / f(1 + e));
  return x < 0 ? -q : q;
}

/** 1 / (1 + e^-x), where e is e^-|x|. */
function sigmoidOf(x, e) {
  const p = f(1 / f(1 + e));
  return x < 0 ? f(e * p) : p;
}

const sigmoid = (x) => sigmoidOf(x, exp(-Math.abs(x)));

/** log(1 + e^x) */
const softplus = (x) => f((x > 0 ? x : 0) + log1p(exp(-Math.abs(x))));

const M0 = f(1 / 5040), M1 = f(1 / 720), M2 = f(1 / 120), M3 = f(1 / 24), M4 = f(1 / 6);
const SMALL = f(0.4);

function expm1(x) {
  if (!(Math.abs(x) < SMALL)) return f(exp(x) - 1);
  let p = fma(M0, x, M1);
  p = fma(p, x, M2);
  p = fma(p, x, M3);
  p = fma(p, x, M4);
  p = fma(p, x, 0.5);
  return fma(f(p * x), x, x);
}

const [R0, R1, R2, R3, R4, R5, R6] = [-1.7285347e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2,
  -1.06777877e-1, -6.34846687e-1, -1.28717512e-1].map(f);
const [P0, P1, P2, P3, P4, P5] = [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1,
  -3.76125336e-1, 1.28379166e-1].map(f);
const BORDER = f(0.927734375);

function erf(x) {
  const t = Math.abs(x), s = f(x * x);
  if (t < BORDER) {
    let p = fma(P0, s, P1);
    p = fma(p, s, P2);
    p = fma(p, s, P3);
    p = fma(p, s, P4);
    p = fma(p, s, P5);
    return fma(p, x, x);
  }
  if (t > 4) return x < 0 ? -1 : 1;
  let r = fma(fma(R0, t, R1), s, fma(R2, t, R3));
  r = fma(r, t, R4);
  r = fma(r, t, R5);
  r = fma(r, t, R6);
  r = f(1 - exp(fma(r, t, -t)));
  return x < 0 ? -r : r;
}
