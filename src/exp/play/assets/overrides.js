// The exp command of what is seen.

const plainWord = /^[\w.=/:+-]+$/;
const shell = (word) => (plainWord.test(word) ? word : "'" + word.replace(/'/g, "'\\''") + "'");

/** A value in the words of an override. */
function valued(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "[" + value.map(valued).join(",") + "]";
  if (typeof value === "object") return "{" + Object.entries(value).map(([key, each]) => key + ":" + valued(each)).join(",") + "}";
  if (typeof value === "string" && !/^[A-Za-z_][\w./-]*$/.test(value)) return JSON.stringify(value);
  return String(value);
}

const sameValue = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** `key=value` for each value that differs from what the option sets. */
function differing(prefix, values, usual = {}) {
  return Object.entries(values)
    .filter(([key, value]) => key !== "name" && value !== undefined && !sameValue(value, usual[key] ?? (key in usual ? null : undefined)))
    .filter(([key, value]) => !(value === null && !(key in usual)))
    .map(([key, value]) => `${prefix}.${key}=${valued(value)}`);
}

class Overrides {
  constructor(session, file) {
    Object.assign(this, { session, file });
  }

  /** The words after `exp`, for a training of so many epochs. */
  words(epochs) {
    return [
      ...this.rows(), ...this.features(), ...this.model(), ...this.rule(),
      ...this.training(epochs), ...this.seeds(),
    ];
  }

  command(epochs, file = "") {
    return ["exp", ...this.words(epochs), ...(file ? [file] : [])].map(shell).join(" ");
  }

  usual(kind, name) {
    return (this.session.payload.usual[kind] || {})[name] || {};
  }

  rows() {
    const { payload: { config }, settings, dataset } = this.session;
    const plugins = config.plugins.length ? [`plugins=${valued(config.plugins)}`] : [];
    if (settings.points) {
      const parts = new Set(settings.points.map((point) => point.part));
      const words = ["dataset=csv", `dataset.path=${this.file}`, "dataset.target=label", "split.column=part"];
      if (parts.has("validation")) words.push("split.validation=column");
      if (!parts.has("test")) words.push("split.test=0");
      if (settings.standardize) words.push(`split.standardize=${settings.standardize}`);
      return [...words, ...this.positive()];
    }
    const values = { ...dataset.params };
    if (dataset.noise) values[dataset.noise.key] = settings.noise;
    const { name } = dataset;
    const split = config.split;
    return [
      ...plugins, `dataset=${name}`, ...differing("dataset", values, this.usual("dataset", name)),
      ...(split.name === "holdout" ? [] : [`split=${split.name}`]),
      ...differing("split", split, this.usual("split", split.name)),
    ];
  }

  // Which of two classes counts as positive, where it is not the last.
  positive() {
    const { dataset } = this.session;
    return dataset.params.positive === null || dataset.params.positive === undefined ? [] : [`dataset.positive=${valued(dataset.params.positive)}`];
  }

  features() {
    const { settings: { features }, offers } = this.session;
    if (features.join() === "x1,x2") return [];
    const terms = features.map((name) => offers.features.find((each) => each.name === name).term);
    return ["features=playground", `features.use=[${terms.join()}]`];
  }

  model() {
    const { settings, payload: { config } } = this.session, { activation, hidden, init } = settings;
    const values = { init: init.name, init_scale: init.scale, init_bias: init.bias };
    if (!hidden.length) return ["model=linear", ...differing("model", values, this.usual("model", "linear"))];
    const params = differing("model.activation", activation, this.usual("activation", activation.name));
    const chosen = activation.name === "relu" && !params.length ? []
      : params.length ? [`activation=${activation.name}`, ...params] : [`model.activation=${activation.name}`];
    return [...differing("model", { hidden, dropout: settings.dropout, ...values }, this.usual("model", "mlp")), ...chosen];
  }

  rule() {
    const { session } = this, { settings } = session, { optimizer, loss } = settings;
    const own = session.offer("optimizers", optimizer).params.map(({ name }) => [name, settings[name]]);
    const usual = session.usualOf("optimizer", optimizer);
    const auto = session.dataset.classes.length === 2 ? "bce" : "cross_entropy";
    const values = { ...loss, l1: settings.l1, l2: settings.l2 };
    const option = loss.name === auto && !Object.keys(differing("loss", loss, session.usualOf("loss", loss.name))).length ? "auto" : loss.name;
    const usualLoss = { l1: 0, l2: 0, ...session.usualOf("loss", loss.name) };
    return [
      ...(optimizer === "sgd" ? [] : [`optimizer=${optimizer}`]), ...differing("optimizer", Object.fromEntries(own), usual),
      ...(option === "auto" ? [] : [`loss=${option}`]), ...differing("loss", values, usualLoss),
    ];
  }

  training(epochs) {
    const { settings } = this.session;
    const { batch_size, clip_norm } = settings;
    return differing("trainer", { epochs, batch_size, clip_norm }, this.usual("trainer", "standard"));
  }

  seeds() {
    const { payload: { config }, settings } = this.session;
    const words = config.seed === 42 ? [] : [`seed=${config.seed}`];
    const values = { data: config.seeds.data, split: config.seeds.split, ...settings.seeds };
    for (const [name, value] of Object.entries(values)) if (value !== config.seed) words.push(`seeds.${name}=${value}`);
    return words;
  }
}
