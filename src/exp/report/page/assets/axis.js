// One axis of the parallel coordinates: where a value stands, from 0 at its foot to 1.

const MOST_TICKS = 12;
const NONE = -0.07; // a run without a value is drawn below the foot

class Axis {
  constructor(column, places) {
    this.column = column;
    this.range = null; // [low, high] of the runs that are kept; null keeps all
    const { distinct, numeric } = column;
    if (!numeric) {
      const last = Math.max(distinct.length - 1, 1);
      this.position = (value) => distinct.indexOf(String(value)) / last;
      this.ticks = distinct.map((text, i) => ({ at: i / last, text }));
    } else {
      const scale = column.logarithmic ? Math.log10 : (value) => value;
      const [low, high] = [scale(distinct[0]), scale(distinct[distinct.length - 1])];
      this.position = (value) => (high > low ? (scale(value) - low) / (high - low) : 0.5);
      const few = distinct.length <= MOST_TICKS;
      const values = few ? distinct : column.logarithmic ? decades(low, high) : round(low, high);
      this.ticks = values.map((value) => ({ at: this.position(value), text: shown(value) }));
    }
    this.heights = new Map(places.map((place) => [place, this.height(column.values[place])]));
  }

  height(value) {
    return value === null ? NONE : this.position(value);
  }

  at(place) {
    return this.heights.get(place);
  }

  keeps(place) {
    if (!this.range) return true;
    const at = this.at(place);
    return at >= this.range[0] - 1e-9 && at <= this.range[1] + 1e-9;
  }

  // The value at a height, in words.
  words(at) {
    const { column } = this;
    if (!column.numeric) {
      const nearest = [...this.ticks].sort((a, b) => Math.abs(a.at - at) - Math.abs(b.at - at))[0];
      return nearest ? nearest.text : "";
    }
    const [low, high] = [column.distinct[0], column.distinct[column.distinct.length - 1]];
    return shown(column.logarithmic ? low * (high / low) ** at : low + (high - low) * at);
  }
}

function decades(low, high) {
  const values = [];
  for (let power = Math.ceil(low); power <= Math.floor(high); power++) {
    values.push(Number((10 ** power).toPrecision(1)));
  }
  return values;
}

// About five round numbers.
function round(low, high) {
  const rough = (high - low) / 5 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const values = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) values.push(Number((i * step).toPrecision(6)));
  return values;
}
