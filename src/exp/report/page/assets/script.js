// The plain PyTorch script of the selected run: shown, copied, saved; or why there is none.

class Script {
  constructor(runs, selection) {
    Object.assign(this, { runs, selection });
    const find = (id) => document.getElementById(id);
    [this.button, this.why, this.panel, this.text] = ["code", "code-why", "script", "script-text"].map(find);
    this.button.addEventListener("click", () => this.open(this.panel.hidden));
    find("script-copy").addEventListener("click", () => copy(this.text.textContent, this.text));
    find("script-download").addEventListener("click", () => this.download());
    selection.addEventListener("choose", () => this.show(selection.chosen));
  }

  async show(place) {
    const scripts = await json("scripts");
    if (place !== this.selection.chosen) return;
    const { text, why } = scripts[place];
    this.button.disabled = !text;
    this.why.textContent = text ? "" : why;
    this.text.textContent = text || "";
    this.open(Boolean(text) && !this.panel.hidden);
  }

  open(yes) {
    this.panel.hidden = !yes;
    this.button.setAttribute("aria-expanded", String(yes));
    this.button.textContent = yes ? "Hide code" : "Code";
  }

  download() {
    const url = URL.createObjectURL(new Blob([this.text.textContent], { type: "text/x-python" }));
    const name = "run_" + this.runs.number[this.selection.chosen] + ".py";
    element("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
    announce("Saved as " + name + ".");
  }
}
