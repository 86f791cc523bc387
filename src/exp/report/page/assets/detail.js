// All that is known of the chosen run.

class Detail {
  constructor(runs, selection) {
    Object.assign(this, { runs, selection });
    selection.addEventListener("choose", () => this.show(selection.chosen));
  }

  async show(place) {
    const { runs } = this;
    const details = (await json("details"))[place];
    if (place !== this.selection.chosen) return;
    const find = (id) => document.getElementById(id);
    const title = "Run " + runs.number[place] + ": " + runs.name[place];
    find("run-heading").textContent = title;
    const seconds = runs.seconds[place];
    const time = seconds === null ? "" : ", " + shown(seconds) + " s";
    const status = element("strong", { className: "status-" + runs.status[place] }, runs.status[place]);
    find("run-line").replaceChildren(status, time + ", in ", element("code", {}, details.directory));
    const message = runs.message[place] || "";
    find("run-message").textContent = message;
    find("run-message").hidden = message === "";
    const parameters = runs.parameters().map((c) => [c.name, c.values[place]]);
    const scores = runs.metrics().map((c) => [c.name, c.values[place]]);
    find("run-scores").replaceChildren(
      ...[...parameters, ...scores.filter(([, value]) => value !== null)].map(([name, value]) =>
        element("div", {}, element("dt", {}, name), element("dd", {}, shown(value))),
      ),
    );
    const commands = [details.rerun];
    if (details.command) commands.push(details.command);
    find("run-commands").replaceChildren(...commands.map(command));
    find("run-config").querySelector("pre").textContent = details.config;
    announce(title + ", " + runs.status[place]);
  }
}

// A command line with a button that copies it.
function command(text) {
  const line = element("pre", {}, text);
  const button = element("button", { type: "button", "aria-label": "Copy " + text }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      announce("Copied.");
    } catch {
      getSelection().selectAllChildren(line); // no leave to write: Ctrl-C does it
      announce("Selected: copy it with Ctrl-C.");
    }
  });
  return element("div", { className: "command" }, line, button);
}
