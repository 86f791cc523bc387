// What can be taken home: the exp command, the plain PyTorch script, the rows, and a link.

const FILE = "points.csv";

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
    this.show();
  }

  /** The command that trains as long as the page has, or as the config says. */
  command() {
    return this.overrides.command(this.session.trainer.epoch || this.session.payload.epochs);
  }

  /** The script of the settings that the page began with; of others the command that prints it. */
  get hasScript() {
    const { start, settings, payload } = this.session;
    return payload.script !== null && sameValue(start, settings);
  }

  script() {
    if (this.hasScript) return this.session.payload.script;
    const epochs = this.session.trainer.epoch || this.session.payload.epochs;
    return ["exp", "code", ...this.overrides.words(epochs), "--output", "script.py"].map(shell).join(" ") + "\n";
  }

  // Texts are made a moment later, so that a slider does not make a hundred.
  later() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.show(), 150);
  }

  show() {
    const { session } = this, { settings } = session;
    for (const { node, text } of Object.values(this.panels)) write(node, shortened(text()));
    byId("save-script").disabled = !this.hasScript;
    write(byId("copy-script"), this.hasScript ? "Copy the script" : "Copy the command");
    write(byId("script-note"), this.hasScript
      ? "The same training without exp: data, model, loss, loop, scores and picture."
      : "You changed the settings: this command writes the script of what is seen.");
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
