// The settings above the network, made from what the engine offers.

const RATES = [1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const PENALTIES = [0, 1e-5, 1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1];
const BATCHES = [1, 2, 5, 10, 16, 20, 30, 32, 64, 128, 256];
const named = (list) => list.map((each) => [each.name, each.name]);
const listed = (values) => values.map((value) => [String(value), String(value)]);

class Settings {
  constructor(session) {
    this.session = session;
    const { offers } = session;
    const tuned = (name) => (value) => session.tune({ [name]: Number(value) });
    this.fixed = {
      lr: choice("Learning rate", listed(RATES), tuned("lr"), "How far each step goes. It can be changed while training."),
      activation: choice("Activation", named(offers.activations), (name) => session.set({ activation: { name, ...session.usualOf("activation", name) } })),
      loss: choice("Loss", named(offers.losses), (name) => session.set({ loss: { name, ...session.usualOf("loss", name) } }), "What training makes smaller."),
      optimizer: choice("Optimizer", named(offers.optimizers), (name) => session.chooseOptimizer(name), "How a step is made from the gradients."),
      l1: choice("L1 penalty", listed(PENALTIES), tuned("l1"), "Added to the loss: l1 times the sum of all |weights|. It makes weights exactly 0."),
      l2: choice("L2 penalty", listed(PENALTIES), tuned("l2"), "Added to the loss: half of l2 times the sum of all squared weights. It keeps weights small."),
      batch_size: choice("Batch size", [["null", "all rows"], ...listed(BATCHES)], (value) => session.set({ batch_size: value === "null" ? null : Number(value) }), "Rows per step."),
      seed: numeric("Seed", { low: 0, high: 2 ** 31 - 1, whole: true }, (value) => session.set({ seeds: { init: value, shuffle: value } }), "Of the first weights, and of the order of the rows."),
    };
    byId("settings").append(...Object.values(this.fixed).map((each) => each.field));
    for (const name of ["optimizer", "loss", "activation"]) {
      this.fixed[name].input.setAttribute("aria-describedby", "about-choices");
    }
    session.addEventListener("settings", () => this.show());
    this.show();
  }

  show() {
    const { settings } = this.session;
    for (const [name, each] of Object.entries(this.fixed)) {
      if (name === "seed") each.show(settings.seeds.init);
      else each.show(settings[name]?.name ?? settings[name]);
    }
    this.losses();
    this.more();
    this.about();
  }

  // Losses that need two classes cannot be chosen where there are more.
  losses() {
    const two = this.session.dataset.classes.length === 2;
    for (const option of this.fixed.loss.input.options) option.disabled = !two && TWO_CLASSES.includes(option.value);
  }

  /** The other parameters of the optimizer, the activation and the loss. */
  more() {
    const { session } = this, { settings } = session;
    const sources = [
      ["optimizer", session.offer("optimizers", settings.optimizer), () => settings],
      ["activation", session.offer("activations", settings.activation.name), () => settings.activation],
      ["loss", session.offer("losses", settings.loss.name), () => settings.loss],
    ];
    const key = sources.map(([, offer]) => offer.name).join();
    if (key !== this.key) {
      this.key = key;
      this.extra = sources.flatMap(([kind, offer, values]) => offer.params
        .filter((each) => each.name !== "lr" && (each.type === "flag" || typeof each.default === "number"))
        .map((each) => this.parameter(kind, each)));
      this.extra.push(...this.common());
      byId("more-settings").replaceChildren(...this.extra.map((each) => each.control.field));
    }
    for (const each of this.extra) each.control.show(each.value());
  }

  parameter(kind, offer) {
    const { session } = this, { name } = offer;
    const value = () => (kind === "optimizer" ? session.settings : session.settings[kind])[name] ?? offer.default;
    const change = (next) => {
      if (kind === "optimizer") session.set({ [name]: next });
      else session.set({ [kind]: { ...session.settings[kind], [name]: next } });
    };
    const label = `${kind}: ${name}`;
    const control = offer.type === "flag" ? flag(label, change, offer.about) : numeric(label, offer, change, offer.about);
    return { control, value };
  }

  common() {
    const { session } = this;
    return [
      {
        control: numeric("dropout", { low: 0, high: 0.95 }, (dropout) => session.set({ dropout }), "Share of hidden units that are set to 0 in each step."),
        value: () => session.settings.dropout,
      },
      {
        control: numeric("pause at epoch", { low: 1, whole: true }, (value) => this.stop(value), "Training pauses there."),
        value: () => this.loop?.stop ?? "",
      },
    ];
  }

  stop(value) {
    this.loop.stop = value;
  }

  about() {
    const { session } = this, { settings } = session;
    const texts = [["activations", settings.activation.name], ["losses", settings.loss.name], ["optimizers", settings.optimizer]]
      .map(([kind, name]) => element("span", {}, element("b", {}, name), ": ", ...withCode(session.offer(kind, name).about), " "));
    byId("about-choices").replaceChildren(...texts);
  }
}

/** A text whose parts between backticks are code. */
const withCode = (text) => text.split("`").map((part, i) => (i % 2 ? element("code", {}, part) : part));
