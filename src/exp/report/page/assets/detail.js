// What is known of the selected run.

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
    find("run-heading").textContent = runs.count > 1 ? title : "Result"; // the page has its name
    const seconds = runs.seconds[place];
    const time = seconds === null ? "" : ", " + shown(seconds) + " s";
    const status = element("strong", { className: "status-" + runs.status[place] }, runs.status[place]);
    const main = runs.column(runs.main, "metric");
    const headline = main && main.values[place] !== null ? [element("b", {}, shown(main.values[place])), " " + main.name] : [];
    find("run-score").replaceChildren(...headline);
    find("run-score").hidden = !headline.length;
    find("run-line").replaceChildren(status, time + ", in ", element("code", {}, details.directory));
    const message = runs.message[place] || "";
    find("run-message").textContent = message;
    find("run-message").hidden = message === "";
    const parameters = runs.parameters().map((c) => [c.name, c.values[place]]);
    const scores = runs.metrics().map((c) => [c.name, c.values[place]]);
    find("run-scores").replaceChildren(
      ...[...scores.filter(([, value]) => value !== null), ...parameters].map(([name, value]) =>
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
  button.addEventListener("click", () => copy(text, line));
  return element("div", { className: "command" }, line, button);
}

// Copies a text, or selects the element that has it where the browser does not allow that.
async function copy(text, place) {
  try {
    await navigator.clipboard.writeText(text);
    announce("Copied.");
  } catch {
    getSelection().selectAllChildren(place);
    announce("The text is selected: copy it with Ctrl-C.");
  }
}
