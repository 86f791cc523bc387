// Rows: a data set of the payload with any noise, or points that were placed by hand.

/** Numbers from base64: "f8" or "f4" floats, "u4" or "u1" integers, little-endian. */
function numbers(text, type) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const Kind = { f8: Float64Array, f4: Float32Array, u4: Uint32Array, u1: Uint8Array }[type];
  return new Kind(bytes.buffer);
}

/** How noise moves the rows: (set, clean [rows * 2], draw, noise, x, y) fills x and, where noise
 * changes them, the labels y. */
const NOISES = {
  added: (set, clean, draw, noise, x) => {
    for (let i = 0; i < x.length; i++) x[i] = clean[i] + noise * draw[i];
  },
  variance: (set, clean, draw, noise, x) => {
    const spread = Math.sqrt(0.5 + 7 * noise);
    for (let i = 0; i < x.length; i++) x[i] = clean[i] + spread * draw[i];
  },
  // Of a row: radius and angle, and a draw for the angle.
  angle: (set, clean, draw, noise, x) => {
    for (let r = 0; r < draw.length; r++) {
      const radius = clean[2 * r], angle = clean[2 * r + 1] + draw[r] * noise;
      x[2 * r] = radius * Math.sin(angle);
      x[2 * r + 1] = radius * Math.cos(angle);
    }
  },
  // A label belongs to a point that is moved by the noise.
  signs: (set, clean, draw, noise, x, y) => {
    x.set(clean);
    for (let r = 0; r < y.length; r++) {
      const [a, b] = moved(clean, draw, noise, r);
      y[r] = a >= 0 === b >= 0 ? 1 : 0;
    }
  },
  radius: (set, clean, draw, noise, x, y) => {
    x.set(clean);
    for (let r = 0; r < y.length; r++) {
      const [a, b] = moved(clean, draw, noise, r);
      y[r] = Math.hypot(a, b) < 2.5 ? 1 : 0;
    }
  },
};

const moved = (clean, draw, noise, r) =>
  [0, 1].map((column) => clean[2 * r + column] + draw[2 * r + column] * noise);

/** Every row of a data set: {x: [rows * 2], y: [rows], parts: {train, test, validation}}. */
function rowsOf(set, noise) {
  const clean = numbers(set.clean, set.noise ? "f8" : set.precise ? "f8" : "f4");
  const y = Uint8Array.from(numbers(set.labels, "u1"));
  const x = new Float64Array(y.length * 2);
  if (set.noise) NOISES[set.noise.form](set, clean, numbers(set.draw, "f8"), noise, x, y);
  else x.set(clean);
  if (!set.precise) for (let i = 0; i < x.length; i++) x[i] = Math.fround(x[i]);
  const parts = {};
  for (const name of PARTS) parts[name] = numbers(set.parts[name], "u4");
  return { x, y, parts };
}

const PARTS = ["train", "test", "validation"];

/** The same of points placed by hand, [{x: [x1, x2], y: class, part}], in their order. */
function rowsOfPoints(points, classes) {
  const x = new Float64Array(points.length * 2), y = new Uint8Array(points.length);
  const parts = { train: [], test: [], validation: [] };
  points.forEach((point, r) => {
    if (!(point.y >= 0 && point.y < classes)) {
      throw new Error(`point ${r}: expected a class from 0 to ${classes - 1}, found ${point.y}`);
    }
    if (!parts[point.part]) throw new Error(`point ${r}: unknown part ${point.part}`);
    if (!point.x.every(Number.isFinite)) throw new Error(`point ${r}: expected two finite numbers`);
    x[2 * r] = Math.fround(point.x[0]);
    x[2 * r + 1] = Math.fround(point.x[1]);
    y[r] = point.y;
    parts[point.part].push(r);
  });
  if (!parts.train.length) throw new Error("there are no training points");
  return { x, y, parts };
}

/** (x - shift) / scale for each of two features, fitted on the training rows. */
function scaling({ x, parts }, standardize) {
  const shift = [0, 0], scale = [1, 1], rows = parts.train;
  if (!standardize) return null;
  for (let column = 0; column < 2; column++) {
    let low = Infinity, high = -Infinity, mean = 0, square = 0;
    for (const r of rows) {
      const value = x[2 * r + column];
      low = Math.min(low, value);
      high = Math.max(high, value);
      mean += value / rows.length;
    }
    for (const r of rows) square += (x[2 * r + column] - mean) ** 2 / rows.length;
    const constant = low === high;
    const deviation = Math.sqrt(square);
    shift[column] = standardize === "minmax" || constant ? low : mean;
    scale[column] = constant ? 1 : standardize === "minmax" ? high - low : deviation;
  }
  return { shift, scale };
}

/** Name of a feature -> its formula. */
const FEATURES = {
  x1: (a) => a,
  x2: (a, b) => b,
  "x1^2": (a) => a * a,
  "x2^2": (a, b) => b * b,
  "x1 x2": (a, b) => a * b,
  "sin x1": (a) => Math.sin(a),
  "sin x2": (a, b) => Math.sin(b),
};

/** Fills one row of what a model is given, `inputs` [features][stride], from raw numbers. */
function mapRow(features, scaler, a, b, inputs, stride, r) {
  if (scaler) {
    a = Math.fround((a - scaler.shift[0]) / scaler.scale[0]);
    b = Math.fround((b - scaler.shift[1]) / scaler.scale[1]);
  }
  for (let f = 0; f < features.length; f++) {
    inputs[f * stride + r] = Math.fround(FEATURES[features[f]](a, b));
  }
}
