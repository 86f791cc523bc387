// Colours of maps and weights in the theme of the moment, as tables that a pixel looks up.

const LEVELS = 256;

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const packedColour = ([r, g, b]) => (255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r);
const mixed = (from, to, share) => from.map((value, i) => value + (to[i] - value) * share);

class Colours {
  constructor(theme, session) {
    Object.assign(this, { theme, session });
    this.make();
  }

  /** Again for another theme or another number of classes. */
  make() {
    const { theme, session } = this, count = session.dataset.classes.length;
    const { page, ink, muted, faint, tint, train, test } = theme.now;
    Object.assign(this, { page, ink, muted, faint, train, test, count });
    this.classes = theme.classes(count);
    // Of two classes the sign means a class; of more, other hues, so that it does not seem to.
    const [negative, positive] = count === 2 ? this.classes : this.signs();
    Object.assign(this, { negative, positive });
    const paper = rgb(page);
    this.classTables = this.classes.map((colour) => this.table((i) => mixed(paper, rgb(colour), (tint + 0.12) * i)));
    this.signTable = this.table((i) => {
      const level = 2 * i - 1;
      return mixed(paper, rgb(level < 0 ? negative : positive), 0.85 * Math.abs(level));
    });
  }

  signs() {
    return this.theme.now.page < "#8" ? ["#c58bdc", "#4fc4b4"] : ["#8b3fa0", "#0f8a7b"];
  }

  table(colour) {
    return Uint32Array.from({ length: LEVELS }, (_, i) => packedColour(colour(i / (LEVELS - 1))));
  }
}

/** The likeliest class of each pixel, the stronger the more certain. */
function paintClasses(pixels, maps, colours) {
  const count = maps.length, base = 1 / count, tables = colours.classTables;
  for (let i = 0; i < pixels.length; i++) {
    let winner = 0, best = maps[0][i];
    for (let k = 1; k < count; k++) if (maps[k][i] > best) best = maps[winner = k][i];
    const strength = (best - base) / (1 - base);
    pixels[i] = tables[winner][strength > 0 ? (strength * (LEVELS - 1)) | 0 : 0];
  }
}

/** A map of any numbers: one hue below 0, another above, none at 0. Returns its lowest and highest. */
function paintSigned(pixels, map, table, least = 0.5) {
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < map.length; i++) {
    const value = map[i];
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const scale = 127.5 / Math.max(-low, high, least);
  for (let i = 0; i < pixels.length; i++) pixels[i] = table[(127.5 + map[i] * scale) | 0];
  return [low, high];
}
