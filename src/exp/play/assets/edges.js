// The weights of the diagram: lines whose width is the size of the weight and whose colour its sign.

const MOST_EDGES = 600;
const STEPS = 10; // widths that are told apart: lines of one width are drawn at once
const REACH_OF_EDGE = 7; // pixels

const widthOf = (weight) => Math.min(Math.ceil(Math.abs(weight) * 3), STEPS);

/** A line from the right of one box to the left of another; t is how far along. */
function trace(path, from, to) {
  const middle = (from.right + to.left) / 2;
  path.moveTo(from.right, from.y);
  path.bezierCurveTo(middle, from.y, middle, to.y, to.left, to.y);
}

class Edges {
  constructor() {
    this.list = [];
  }

  /** Edges between boxes that are drawn: [{layer, input, output, from, to, weight}]. */
  connect(columns, used) {
    this.list = [];
    columns.slice(1).forEach((outputs, layer) => {
      const inputs = layer === 0 ? used : columns[layer];
      outputs.forEach((to, output) => inputs.forEach((from, input) =>
        this.list.push({ layer, input, output, from, to, weight: 0 })));
    });
  }

  read(network) {
    for (const edge of this.list) {
      edge.weight = network.layers[edge.layer].weight[edge.output * network.sizes[edge.layer] + edge.input];
    }
  }

  draw(context, colours, focus) {
    let shown = this.list;
    if (shown.length > MOST_EDGES) {
      shown = shown.slice().sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, MOST_EDGES);
    }
    const paths = new Map();
    for (const edge of shown) {
      const near = focus && (focus === edge.to || focus === edge.from || focus === edge);
      const key = (edge.weight < 0 ? 0 : 1) + 2 * (widthOf(edge.weight) + (STEPS + 1) * (focus ? (near ? 1 : 2) : 0));
      if (!paths.has(key)) paths.set(key, new Path2D());
      trace(paths.get(key), edge.from, edge.to);
    }
    for (const [key, path] of paths) {
      const width = (key >> 1) % (STEPS + 1), kind = Math.floor((key >> 1) / (STEPS + 1));
      context.strokeStyle = key % 2 ? colours.positive : colours.negative;
      context.lineWidth = 0.6 + 0.62 * width;
      context.globalAlpha = (0.3 + 0.065 * width) * (kind === 2 ? 0.2 : 1);
      context.stroke(path);
    }
    context.globalAlpha = 1;
  }

  /** The edge at a pixel, if one is near. */
  at(x, y) {
    let best = null, least = REACH_OF_EDGE;
    for (const edge of this.list) {
      const { from, to } = edge, across = (x - from.right) / (to.left - from.right);
      if (across < 0 || across > 1) continue;
      const t = along(across);
      const distance = Math.abs(from.y + (to.y - from.y) * (3 * t * t - 2 * t * t * t) - y);
      if (distance < least) [best, least] = [edge, distance];
    }
    return best;
  }
}

/** t at which a line is so far across: 1.5 t - 1.5 t^2 + t^3 of the way. */
function along(across) {
  let low = 0, high = 1;
  for (let i = 0; i < 20; i++) {
    const t = (low + high) / 2;
    if (1.5 * t - 1.5 * t * t + t * t * t < across) low = t;
    else high = t;
  }
  return (low + high) / 2;
}
