// The data sets as small pictures, and the noise.

const THUMB = 44;

class DataChoice {
  constructor(session, colours) {
    Object.assign(this, { session, colours });
    this.place = byId("datasets");
    this.buttons = session.offers.datasets.map((set) => this.button(set));
    this.place.append(...this.buttons.map((each) => each.label));
    this.noise = slider("Noise", { low: 0, high: 1, step: 0.01 }, (noise) => session.set({ noise, points: null }));
    byId("noise").append(this.noise.field);
    session.addEventListener("settings", () => this.show());
    this.paint();
    this.show();
  }

  button(set) {
    const input = element("input", { type: "radio", name: "dataset", value: set.name });
    const canvas = element("canvas", { "aria-hidden": "true" });
    const label = element("label", { className: "thumb", title: set.about }, input, canvas, element("span", {}, set.name.replace("playground_", "tf ").replace("checkerb", "checker b").replace(/_/g, " ")));
    input.setAttribute("aria-label", set.name.replace(/_/g, " "));
    input.addEventListener("change", () => this.session.chooseData(set.name));
    return { set, input, canvas, label };
  }

  /** Each data set with its usual noise; those rows are made once. */
  paint() {
    for (const each of this.buttons) {
      each.rows = each.rows || this.rowsOf(each.set);
      const { x, y } = each.rows, context = fitted(each.canvas, THUMB, THUMB);
      const palette = this.colours.theme.classes(each.set.classes.length);
      const middle = [0, 1].map((c) => {
        const values = x.map((row) => row[c]);
        return [Math.min(...values), Math.max(...values)];
      });
      const half = 0.54 * Math.max(...middle.map(([low, high]) => high - low), 1e-9);
      context.clearRect(0, 0, THUMB, THUMB);
      const stride = Math.ceil(x.length / 220);
      for (let row = 0; row < x.length; row += stride) {
        const [px, py] = [0, 1].map((c) => (x[row][c] - (middle[c][0] + middle[c][1]) / 2) / half);
        context.fillStyle = palette[y[row]];
        context.fillRect(THUMB / 2 + (px * THUMB) / 2 - 1, THUMB / 2 - (py * THUMB) / 2 - 1, 2, 2);
      }
    }
  }

  rowsOf(set) {
    const { payload, start } = this.session;
    const noise = set.name === start.dataset ? start.noise : set.noise ? set.noise.default : null;
    const loss = { name: "cross_entropy", ...this.session.usualOf("loss", "cross_entropy") };
    return new Engine.Trainer(payload, { ...start, dataset: set.name, noise, loss, hidden: [], points: null }).rows;
  }

  show() {
    const { settings, dataset } = this.session;
    for (const each of this.buttons) each.input.checked = each.set.name === settings.dataset;
    const { noise } = dataset;
    byId("noise").hidden = !noise;
    byId("about-data").textContent = dataset.about;
    if (!noise) return;
    this.noise.limit(noise.low, Math.max(noise.high, settings.noise), noise.high > 2 ? 0.1 : 0.01);
    this.noise.show(settings.noise);
  }
}
