// Light or dark: as the system says, or as the reader has chosen.

class Theme extends EventTarget {
  constructor(colours) {
    super();
    this.colours = colours;
    this.system = matchMedia("(prefers-color-scheme: dark)");
    const select = document.getElementById("theme");
    const changed = () => {
      if (select.value) document.documentElement.dataset.theme = select.value;
      else delete document.documentElement.dataset.theme;
      this.dispatchEvent(new Event("change"));
    };
    select.addEventListener("change", changed);
    this.system.addEventListener("change", changed);
  }

  get now() {
    const chosen = document.documentElement.dataset.theme;
    return this.colours[chosen || (this.system.matches ? "dark" : "light")];
  }

  // The palette for so many classes; it begins again where there are more.
  classes(count) {
    const sequences = this.now.classes;
    const fits = Object.keys(sequences).map(Number).sort((a, b) => a - b);
    const best = fits.find((size) => count <= size) || fits[fits.length - 1];
    return Array.from({ length: count }, (_, i) => sequences[best][i % best]);
  }

  // What every chart has in common.
  layout(more) {
    const { page, ink, faint } = this.now;
    const axis = { gridcolor: faint, linecolor: faint, zerolinecolor: faint, automargin: true };
    const axes = {};
    for (const [name, value] of Object.entries(more)) {
      if (/^[xy]axis/.test(name)) axes[name] = { ...axis, ...value };
    }
    return {
      paper_bgcolor: page,
      plot_bgcolor: page,
      font: { color: ink, size: 13 },
      margin: { l: 56, r: 16, t: 16, b: 48 },
      hovermode: "closest",
      hoverlabel: { align: "left" },
      ...more,
      ...axes,
    };
  }
}

const CHART = { displayModeBar: false, responsive: true };
