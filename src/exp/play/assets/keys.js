// Keys that work everywhere but in inputs; the reader can switch them off.

class Keys {
  constructor(actions) {
    this.actions = actions;
    this.enabled = byId("keys-on");
    document.addEventListener("keydown", (event) => this.pressed(event));
  }

  pressed(event) {
    const { key, target } = event;
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "z" && !event.shiftKey && !typing(target)) {
      event.preventDefault();
      return this.actions.undo();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !this.enabled.checked || typing(target)) return;
    // A button answers to Space itself; a page scrolls by it, which it does not here.
    if (key === " " && target.closest("button, summary, a, [role='application']")) return;
    const action = this.actions[key === " " ? "play" : { k: "play", s: "step", r: "reset" }[key.toLowerCase()]];
    if (!action) return;
    event.preventDefault();
    action();
  }
}

const typing = (target) => Boolean(target.closest && target.closest("input:not([type='checkbox']), select, textarea"));
