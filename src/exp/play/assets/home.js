// What can be taken home: the exp command, the plain PyTorch script, the rows, and a link.

const FILE = "points.csv";
const REFRESH = 1000; // milliseconds between two versions of the texts while the page trains

class Home {
  constructor(session, loop, link) {
    Object.assign(this, { session, loop, link });
    this.overrides = new Overrides(session, FILE);
    this.panels = {
      command: { text: () => this.command() + "\n", name: "command.sh", node: byId("command-text") },
      script: { text: () => this.script(), name: "script.py", node: byId("script-text") },
      csv: { text: () => csvOf(session), name: FILE, node: byId("csv-text") },
    };
    for (const [name, panel] of Object.entries(this.panels)) {
      byId(`copy-${name}`).addEventListener("click", () => copy(panel.text(), panel.node));
      byId(`save-${name}`).addEventListener("click", () => save(panel.name, panel.text()));
    }
    byId("copy-link").addEventListener("click", () => {
      link.show();
      copy(link.address, null);
    });
    for (const name of ["settings", "points", "restart"]) session.addEventListener(name, () => this.later());
    loop.addEventListener("change", () => this.later());
    loop.addEventListener("step", () => this.later());
    setInterval(() => loop.running && this.show(), REFRESH);
    this.show();
  }

  /** The command that trains as long as the page has, or as the config says. */
  command() {
    return this.overrides.command(this.epochs);
  }

  get epochs() {
    return this.session.trainer.epoch || this.session.payload.epochs;
  }

  /** The script of what is seen; of a data set that no script has, the command that tries it. */
  script() {
    const { texts } = this.session.payload, seen = this.seen();
    if (!texts.data || !(`${seen.dataset}/${seen.terms ? 1 : 0}` in texts.data)) return null;
    return new PythonScript(texts, seen).text;
  }

  /** All that a script depends on. */
  seen() {
    const { settings, dataset, offers, points } = this.session;
    const mapped = settings.features.join() !== "x1,x2";
    const params = this.session.offer("optimizers", settings.optimizer).params;
    return {
      ...settings,
      dataset: settings.points ? "points" : settings.dataset,
      terms: mapped ? settings.features.map((name) => offers.features.find((each) => each.name === name).term) : null,
      optimizer: { name: settings.optimizer, ...Object.fromEntries(params.map(({ name }) => [name, settings[name]])) },
      epochs: this.epochs,
      classes: dataset.classes,
      positive: dataset.positive,
      features: settings.points ? ["x1", "x2"] : dataset.features,
      parts: [...new Set(points.map((point) => point.part))],
      command: this.command(),
    };
  }

  // Texts are made a moment later, so that a slider does not make a hundred.
  later() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.show(), 150);
  }

  show() {
    const { session } = this, { settings } = session;
    for (const { node, text } of Object.values(this.panels)) write(node, shortened(text() ?? ""));
    const there = this.panels.script.text() !== null;
    for (const name of ["copy", "save"]) byId(`${name}-script`).disabled = !there;
    write(byId("script-note"), there
      ? "The same training without exp: data, model, loss, loop, scores and picture."
      : "There is no plain script of these rows: save them as csv, and use the command.");
    write(byId("command-note"), [
      settings.points ? `Save ${FILE} beside it: the points were changed by hand.` : "",
      session.tuned ? "Settings or points were changed while it trained: press Reset, and train again, to see the numbers of this command." : "",
    ].filter(Boolean).join(" "));
  }
}

/** The first lines of a long text: the whole is copied and saved. */
function shortened(text, most = 400) {
  const lines = text.split("\n");
  return lines.length <= most ? text : lines.slice(0, most).join("\n") + `\n… ${whole(lines.length - most)} more lines`;
}

async function copy(text, node) {
  try {
    await navigator.clipboard.writeText(text);
    announce("Copied.");
    byId("note").textContent = "Copied.";
  } catch {
    if (node) getSelection().selectAllChildren(node);
    else complain("This browser does not let a page copy. Copy the address of the page instead.");
    announce("Selected: copy it with Ctrl-C.");
  }
}

function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const anchor = element("a", { href: address, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
  announce(`${name} saved.`);
}
