// The settings in the address: a teacher shares them, a reader opens the same page with them.
// An address may come from anyone: each value is compared with what the page offers.

class Link {
  constructor(session) {
    this.session = session;
    for (const name of ["settings", "points", "restart"]) session.addEventListener(name, () => this.later());
  }

  later() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.show(), 300);
  }

  show() {
    const text = this.text();
    if ("#" + text !== location.hash) history.replaceState(null, "", text ? "#" + text : location.pathname);
    this.shown = text;
  }

  get address() {
    return location.href.split("#")[0] + "#" + this.text();
  }

  /** Only what differs from the config of the page. */
  text() {
    const { session } = this, { settings } = session, words = [];
    // Another optimizer starts from its values, not from those of the config.
    const start = settings.optimizer === session.start.optimizer ? session.start : session.withoutOptimizer(session.start);
    for (const [key, value] of Object.entries(settings)) {
      if (key === "points" || JSON.stringify(value) === JSON.stringify(start[key])) continue;
      words.push(key + "=" + encodeURIComponent(JSON.stringify(value)).replace(/%2C/g, ",").replace(/%3A/g, ":"));
    }
    if (settings.points) words.push("points=" + packedPoints(settings.points));
    return words.join("&");
  }

  /** Uses the settings of the address, if there are any and they are possible. */
  read() {
    const words = location.hash.slice(1);
    if (!words || words === this.shown) return;
    let found;
    try {
      found = this.values(words);
    } catch (error) {
      complain("The link cannot be used: " + error.message + ". The page starts from its config.");
      return;
    }
    const { session } = this, { start } = session;
    const other = found.optimizer !== undefined && found.optimizer !== start.optimizer;
    const base = other
      ? { ...session.withoutOptimizer(start), ...session.usualOf("optimizer", found.optimizer) } : start;
    session.set({ points: null, dataset: start.dataset, ...found }, base);
  }

  values(words) {
    const { offers, start } = this.session, found = {};
    for (const word of words.split("&")) {
      const at = word.indexOf("="), key = word.slice(0, at), text = word.slice(at + 1);
      found[key] = key === "points" ? unpackedPoints(text) : JSON.parse(decodeURIComponent(text));
    }
    const optimizer = offers.optimizers.find((each) => each.name === (found.optimizer ?? start.optimizer));
    const set = offers.datasets.find((each) => each.name === (found.dataset ?? start.dataset));
    if (!optimizer) throw new Error("unknown optimizer " + found.optimizer);
    if (!set) throw new Error("unknown data set " + found.dataset);
    if (found.dataset && found.noise === undefined) found.noise = set.noise ? set.noise.default : null;
    for (const [key, value] of Object.entries(found)) {
      const parameter = optimizer.params.find((each) => each.name === key);
      const check = parameter ? (x) => allowed(parameter, x) : CHECKS[key];
      if (!check || !check(value, offers, set)) throw new Error(`${key} has a value that this page does not offer`);
    }
    return found;
  }
}

const isNumber = (low, high) => (value) => typeof value === "number" && value >= low && value <= high;
const orNone = (check) => (value) => value === null || check(value);
const isWhole = (low, high) => (value) => Number.isInteger(value) && value >= low && value <= high;
const isChosen = (kind) => (value, offers) => {
  if (value === null || typeof value !== "object") return false;
  const found = offers[kind].find((each) => each.name === value.name);
  return Boolean(found) && found.params.every((each) => value[each.name] === undefined || allowed(each, value[each.name]));
};

/** Whether a parameter can have a value. */
function allowed(parameter, value) {
  if (value === parameter.default) return true;
  if (parameter.type === "flag") return typeof value === "boolean";
  const high = parameter.high === null ? 1e9 : parameter.high;
  return isNumber(parameter.low === null ? -1e9 : parameter.low, high)(value);
}

const MOST_UNITS = 512;
const CHECKS = {
  dataset: (value, offers) => offers.datasets.some((each) => each.name === value),
  noise: orNone(isNumber(0, 1000)),
  features: (value, offers) => Array.isArray(value) && value.length > 0 && new Set(value).size === value.length
    && value.every((name) => offers.features.some((each) => each.name === name)),
  hidden: (value) => Array.isArray(value) && value.length <= 20 && value.every(isWhole(1, MOST_UNITS)),
  activation: isChosen("activations"),
  loss: isChosen("losses"),
  optimizer: (value) => typeof value === "string",
  l1: isNumber(0, 1e6),
  l2: isNumber(0, 1e6),
  dropout: isNumber(0, 0.99),
  batch_size: orNone(isWhole(1, 100000)),
  clip_norm: orNone(isNumber(0, 1e9)),
  standardize: (value) => [true, false, "minmax"].includes(value),
  seeds: (value) => value !== null && typeof value === "object"
    && [value.init, value.shuffle].every(isWhole(0, 2 ** 32 - 1)),
  points: (value, offers, set) => Array.isArray(value) && value.every((point) => point.y < set.classes.length),
};

const PARTS_OF_LINK = ["train", "test", "validation"];

/** Base64 of single precision numbers: x1, x2, and class and part in one. */
function packedPoints(points) {
  const numbers = new Float32Array(points.length * 3);
  points.forEach((point, i) => {
    numbers.set([point.x[0], point.x[1], 4 * point.y + PARTS_OF_LINK.indexOf(point.part)], 3 * i);
  });
  let text = "";
  for (const byte of new Uint8Array(numbers.buffer)) text += String.fromCharCode(byte);
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function unpackedPoints(text) {
  const bytes = bytesOf(text.replace(/-/g, "+").replace(/_/g, "/"));
  if (!bytes.length || bytes.length % 12) throw new Error("its points are incomplete");
  const numbers = new Float32Array(bytes.buffer);
  return Array.from({ length: numbers.length / 3 }, (_, i) => {
    const [a, b, code] = numbers.subarray(3 * i, 3 * i + 3);
    const part = PARTS_OF_LINK[code % 4];
    if (![a, b].every(Number.isFinite) || !Number.isInteger(code) || code < 0 || !part) {
      throw new Error("its points are incomplete");
    }
    return { x: [a, b], y: Math.floor(code / 4), part };
  });
}
