// The plain PyTorch script of what is seen, from the texts of exp.script.templates.

const WIDTH = 100;
const WHOLE_NUMBERS = ["epochs", "batch_size", "init_seed", "shuffle_seed"];

/** A number as Python's repr writes it; a whole number of a float has `.0`. */
function pythonNumber(value, isFloat = true) {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value === null) return "None";
  if (!isFloat) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [digits, power] = value.toExponential().split("e");
    const exponent = Math.abs(Number(power));
    return `${digits}e${Number(power) < 0 ? "-" : "+"}${exponent < 10 ? "0" : ""}${exponent}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** Items in brackets as ruff lays them out: on one line, within on one line, or one on each. */
function bracketed(items, opening, closing, indent = 0) {
  const margin = " ".repeat(indent), inner = `${margin}    ${items.join(", ")}`;
  const line = `${margin}${opening}${items.join(", ")}${closing}`;
  if (line.length <= WIDTH) return [line];
  if (inner.length <= WIDTH) return [margin + opening, inner, margin + closing];
  return [margin + opening, ...items.map((item) => `${margin}    ${item},`), margin + closing];
}

/** The arguments of a call; what is in brackets stays together. */
function itemsOf(text) {
  const found = [""];
  let depth = 0;
  for (const letter of text) {
    if ("([{".includes(letter)) depth += 1;
    if (")]}".includes(letter)) depth -= 1;
    if (letter === "," && !depth) found.push("");
    else found[found.length - 1] += letter;
  }
  return found.map((item) => item.trim());
}

/** Import statements, sorted and merged: those of Python, a blank line, all others. */
function imported(statements, standard) {
  const plain = new Set(), names = new Map();
  for (const statement of statements) {
    const from = /^from (\S+) import (.+)$/.exec(statement);
    if (!from) plain.add(statement.slice("import ".length));
    else names.set(from[1], (names.get(from[1]) || new Set()).add(from[2]));
  }
  const order = (name) => {
    const bare = name.split(" ")[0];
    const kind = bare.length > 1 && bare === bare.toUpperCase() ? 0 : /^[A-Z]/.test(bare) ? 1 : 2;
    return `${kind}${bare.toLowerCase()} ${bare}`;
  };
  const sorted = (values, by) => [...values].sort((a, b) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : 0));
  const blocks = [];
  for (const own of [true, false]) {
    const here = (module) => standard.includes(module.split(/[ .]/)[0]) === own;
    const block = sorted([...plain].filter(here), (each) => each).map((each) => `import ${each}`);
    for (const module of sorted([...names.keys()].filter(here), (each) => each.toLowerCase())) {
      const listed = sorted(names.get(module), order);
      const line = `from ${module} import ${listed.join(", ")}`;
      block.push(...(line.length <= WIDTH ? [line] : bracketed(listed, `from ${module} import (`, ")")));
    }
    if (block.length) blocks.push(...block, "");
  }
  return blocks.slice(0, -1);
}

/** Two blank lines around functions and classes of the module. */
function spacedOut(lines) {
  const statements = [];
  let between = [], decorated = false, quoted = false;
  for (const line of lines) {
    const inside = quoted || /^[\s)\]}]/.test(line);
    const fences = (line.match(/"""/g) || []).length % 2;
    const last = statements.at(-1);
    if (!quoted && !line.trim()) between.push(line);
    else if (inside || decorated) {
      last.lines.push(...between, line);
      between = [];
      last.defined ||= /^(def|class) /.test(line);
      decorated = line.startsWith("@");
    } else if (line.startsWith("#")) between.push(line);
    else {
      statements.push({ between, lines: [line], defined: /^(def |class |@)/.test(line) });
      between = [];
      decorated = line.startsWith("@");
    }
    if (fences) quoted = !quoted;
  }
  const out = [];
  statements.forEach((each, i) => {
    const apart = i > 0 && (each.defined || statements[i - 1].defined);
    out.push(...(apart ? ["", "", ...each.between.filter((line) => line.trim())] : each.between), ...each.lines);
  });
  return out;
}

/** The words of the command as the first lines of the script. */
function aboutCommand(command) {
  const shown = command.replace(/\\/g, "\\\\").replace(/"""/g, "'''");
  if (`"""In plain PyTorch: ${shown}"""`.length <= WIDTH) return [`"""In plain PyTorch: ${shown}"""`];
  const lines = [""];
  for (const word of shown.split(" ")) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (longer.length <= WIDTH || !lines.at(-1)) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return ['"""In plain PyTorch:', "", ...lines, '"""'];
}

class PythonScript {
  /**
   * @param texts what `exp.script.templates.templates` returns.
   * @param seen what the page shows:
   *   {command, dataset, noise, terms: [names of features=playground] | null, hidden, activation: {name, ...},
   *    init: {name, scale, bias}, dropout, batch_size, clip_norm, loss: {name, ...}, l1, l2,
   *    optimizer: {name, ...}, epochs, seeds: {init, shuffle}, classes, positive, features, parts: ["train", "test"]}
   */
  constructor(texts, seen) {
    Object.assign(this, { texts, seen, imports: new Set(), lines: [] });
    const { loss, classes } = seen;
    this.several = classes.length > 2 ? 1 : 0;
    this.many = this.several || loss.name === "cross_entropy" ? 1 : 0;
    this.parts = ["train", "test", "validation"].filter((part) => seen.parts.includes(part));
  }

  get text() {
    const { seen, texts } = this, on = (value) => (value ? 1 : 0);
    const parts = this.known("loops");
    this.data();
    this.model();
    this.add("# 3. The loss and the optimizer.", "");
    this.lines.pop();
    this.use(texts.losses[this.lossKey()], this.numbers(seen.loss));
    this.optimizer();
    this.lines.push("");
    const averaged = seen.optimizer.name.startsWith("schedule_free") ? 1 : 0;
    const penalty = on(seen.l1 || seen.l2);
    this.use(texts.loops[[on(seen.batch_size), on(seen.clip_norm), penalty, this.many, averaged, parts].join("/")]);
    const slope = on(seen.loss.name === "tanh_mse"), positive = this.several ? 0 : seen.positive;
    const ending = [this.many + 1, seen.classes.length, positive, slope, parts].join("/");
    this.lines.push("");
    this.use(texts.scores[ending]);
    this.lines.push("");
    this.use(texts.boundaries[ending]);
    const head = [...aboutCommand(seen.command), "", ...imported(this.imports, texts.standard), ""];
    return spacedOut([...head, ...this.lines]).join("\n").trimEnd() + "\n";
  }

  /** The parts of the split as the keys of a group of texts have them. */
  known(group) {
    const wanted = [...this.parts].sort().join();
    const keys = Object.keys(this.texts[group]).map((key) => key.split("/").at(-1));
    const found = keys.find((key) => key.split("+").sort().join() === wanted);
    if (!found) throw new Error(`no text for the parts ${this.parts.join(", ")}`);
    return found;
  }

  /** Adds a text, with its places filled in. */
  use(text, more = {}) {
    for (const each of text.imports) this.imports.add(each);
    this.add(...text.lines.map((number) => this.filled(this.texts.lines[number], more)));
  }

  add(...lines) {
    this.lines.push(...lines);
  }

  filled(line, more = {}) {
    return line.replace(/\{\{([^}]+)\}\}/g, (_, name) => more[name] ?? this.value(name));
  }

  numbers(component) {
    const found = {};
    for (const [name, value] of Object.entries(component)) {
      if (typeof value === "string") continue;
      found[name] = pythonNumber(value);
      if (typeof value === "number") found[`1 - ${name}`] = pythonNumber(1 - value);
    }
    return found;
  }

  value(name) {
    const { seen } = this;
    const values = {
      epochs: seen.epochs, batch_size: seen.batch_size, clip_norm: seen.clip_norm, noise: seen.noise,
      l1: seen.l1, l2: seen.l2, init_seed: seen.seeds.init, shuffle_seed: seen.seeds.shuffle,
      init_scale: seen.init.scale, init_bias: seen.init.bias,
    };
    const texts = {
      class_0: seen.classes[0], class_1: seen.classes[1],
      feature_0: seen.features[0], feature_1: seen.features[1],
    };
    if (name in texts) return JSON.stringify(texts[name]).slice(1, -1); // within double quotes
    if (!(name in values)) throw new Error(`no value for ${name}`);
    return pythonNumber(values[name], !WHOLE_NUMBERS.includes(name));
  }

  data() {
    const { seen, texts } = this, text = texts.data[`${seen.dataset}/${seen.terms ? 1 : 0}`];
    for (const each of text.imports) this.imports.add(each);
    const terms = (seen.terms || []).map((term) => texts.formulas[term]).join(", ");
    const classes = `[${seen.classes.map((name) => JSON.stringify(name)).join(", ")}]`;
    const absent = seen.parts.includes("test") ? null : /^(test = |X_test, y_test = )/;
    for (const number of text.lines) {
      const line = this.filled(texts.lines[number], { terms, classes });
      if (absent && absent.test(line)) continue;
      const call = /^( *)((?:return |raw, \w+ = )[\w.]+\()(.*)\)$/.exec(line);
      this.add(...(call ? bracketed(itemsOf(call[3]), call[2], ")", call[1].length) : [line]));
    }
    this.add("");
  }

  model() {
    const { seen, texts } = this, { hidden, activation, dropout, init } = seen;
    const on = (value) => (value ? 1 : 0);
    this.use(texts.models[`${on(seen.batch_size)}/${on(dropout && hidden.length)}/${this.many}`]);
    const chosen = texts.activations[activation.name];
    const call = this.filled(chosen.call, this.numbers(activation));
    if (hidden.length && chosen.lines.length) {
      this.use(chosen);
      this.add("", "");
    }
    const outputs = this.many ? seen.classes.length : 1;
    let width = seen.terms ? seen.terms.length : 2;
    const layers = [];
    for (const units of hidden) {
      layers.push(`nn.Linear(${width}, ${units})`, call);
      if (dropout) layers.push(`Dropout(${pythonNumber(dropout)})`);
      width = units;
    }
    layers.push(`nn.Linear(${width}, ${outputs})`);
    this.add(
      "class Model(nn.Module):",
      "    def __init__(self):",
      "        super().__init__()",
      "        self.layers = nn.Sequential(",
      ...layers.map((layer) => `            ${layer},`),
      "        )",
      "",
      "    def forward(self, x):",
      "        return self.layers(x)",
      "",
      "",
    );
    this.use(texts.threads.here);
    this.add(
      `torch.manual_seed(${seen.seeds.init})`,
      "model = Model()",
    );
    this.use(texts.weights[`${init.name}/${on(init.scale !== 1)}/${on(init.bias !== null)}`]);
    this.add("");
  }

  lossKey() {
    const { loss, l1, l2, positive } = this.seen;
    const states = Object.entries(loss)
      .filter(([name]) => !["name", "class_weights", "pos_weight"].includes(name))
      .map(([, value]) => (value ? 1 : 0));
    const class0 = this.several ? 0 : positive;
    return [loss.name, this.several, l1 ? 1 : 0, l2 ? 1 : 0, ...states, class0].join("/");
  }

  optimizer() {
    const { optimizer } = this.seen;
    const key = optimizer.classical ? `${optimizer.name}/classical` : optimizer.name;
    const text = this.texts.optimizers[key];
    this.use(text);
    const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
    const items = text.arguments
      .filter(({ places, usual }) => {
        if (usual === undefined) return true;
        const values = places.map((name) => optimizer[name]);
        return !same(values.length === 1 ? values[0] : values, usual);
      })
      .map((each) => this.filled(each.text, this.numbers(optimizer)));
    this.add(...bracketed(items, text.opening, ")"));
  }
}
