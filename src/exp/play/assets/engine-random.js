// Chance as PyTorch has it: its generator on the CPU, first weights, orders of rows, dropout.

/** The Mersenne Twister mt19937 as `torch.Generator` seeds it: with the lowest 32 bits. */
class Mersenne {
  constructor(seed) {
    const state = new Uint32Array(624);
    state[0] = seed >>> 0;
    for (let i = 1; i < 624; i++) {
      const last = state[i - 1] ^ (state[i - 1] >>> 30);
      state[i] = Math.imul(1812433253, last) + i;
    }
    this.state = state;
    this.at = 624;
  }

  /** An integer from 0 to 2^32 - 1. */
  next() {
    if (this.at === 624) this.refill();
    let y = this.state[this.at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  refill() {
    const state = this.state;
    for (let i = 0; i < 624; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
      state[i] = state[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.at = 0;
  }

  /** A float32 from 0 to below 1, as `torch.rand` draws it: 24 bits. */
  float() {
    return (this.next() & 0xffffff) / 16777216;
  }

  /** A float64 from 0 to below 1, as NumPy's RandomState of the same seed draws it: 53 bits. */
  double() {
    const high = this.next() >>> 5;
    return (high * 67108864 + (this.next() >>> 6)) / 9007199254740992;
  }
}

/** NumPy's `SeedSequence([seed, purpose]).generate_state(1, uint64)` >> 1: its lowest 32 bits. */
function purposeSeed(seed, purpose) {
  let constant = 0x43b0d7e5;
  const hash = (value) => {
    value ^= constant;
    constant = Math.imul(constant, 0x931e8875);
    value = Math.imul(value, constant);
    return (value ^ (value >>> 16)) >>> 0;
  };
  const mix = (x, y) => {
    const mixed = Math.imul(x, 0xca01f9dd) - Math.imul(y, 0x4973f715);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  const pool = [seed >>> 0, purpose >>> 0, 0, 0].map(hash);
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) {
      if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
    }
  }
  constant = 0x8b51f9dd;
  const words = pool.slice(0, 2).map((value) => {
    value ^= constant;
    constant = Math.imul(constant, 0x58f38ded);
    value = Math.imul(value, constant);
    return (value ^ (value >>> 16)) >>> 0;
  });
  return ((words[0] >>> 1) | (words[1] << 31)) >>> 0;
}

/** `torch.randperm` into the start of an Int32Array. */
function randomOrder(generator, order, count) {
  for (let i = 0; i < count; i++) order[i] = i;
  for (let i = 0; i < count - 1; i++) {
    const other = i + (generator.next() % (count - i));
    const kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
}

/** Draws from -bound to bound in float32, as `Tensor.uniform_` does. */
function uniform(generator, values, bound) {
  const low = Math.fround(-bound);
  const range = Math.fround(Math.fround(bound) - low);
  for (let i = 0; i < values.length; i++) {
    // In one rounding: torch's processors multiply and add at once.
    values[i] = Math.fround(generator.float() * range + low);
  }
}

/** Glorot's bound for weights and biases, as `MLPClassifier` draws them: input after input. */
function likeSklearn(random, weight, bias, inputs) {
  const bound = Math.sqrt(6 / (inputs + bias.length)), draw = () => -bound + 2 * bound * random.double();
  for (let i = 0; i < inputs; i++) {
    for (let o = 0; o < bias.length; o++) weight[o * inputs + i] = draw();
  }
  for (let o = 0; o < bias.length; o++) bias[o] = draw();
}

/** The first weights and biases of `nn.Linear` layers, in the order of the layers. */
function firstWeights(layers, init, seed) {
  const generator = new Mersenne(seed);
  for (const { weight, bias } of layers) {
    const inputs = weight.length / bias.length;
    // Kaiming's bound for a leaky ReLU of slope sqrt(5), in the steps of torch.nn.init.
    const gain = Math.sqrt(2 / (1 + Math.sqrt(5) ** 2));
    uniform(generator, weight, Math.sqrt(3) * (gain / Math.sqrt(inputs)));
    uniform(generator, bias, 1 / Math.sqrt(inputs));
  }
  const random = new Mersenne(seed);
  for (const { weight, bias } of layers) {
    const inputs = weight.length / bias.length;
    if (init.name === "sklearn") {
      likeSklearn(random, weight, bias, inputs);
    } else if (init.name === "glorot_uniform") {
      uniform(generator, weight, Math.sqrt(3) * Math.sqrt(2 / (inputs + bias.length)));
    } else if (init.name === "he_uniform") {
      uniform(generator, weight, Math.sqrt(3) * (Math.sqrt(2) / Math.sqrt(inputs)));
    } else if (init.name === "uniform") {
      uniform(generator, weight, 1);
    }
  }
  for (const { weight, bias } of layers) {
    if (init.scale !== 1) {
      const scale = Math.fround(init.scale);
      for (let i = 0; i < weight.length; i++) weight[i] = Math.fround(weight[i] * scale);
    }
    if (init.bias !== null) bias.fill(Math.fround(init.bias));
  }
}
