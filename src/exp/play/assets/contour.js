// Where a map crosses a level: marching squares, with straight lines between neighbours.

/**
 * Adds the line to a path.
 *
 * @param value (place) -> number whose sign changes across the line; the place is row * side + column
 * @param at (column or row, which may be a fraction) -> pixel
 */
function traceContour(path, side, value, at) {
  const crossing = (a, b) => a / (a - b);
  for (let row = 0; row + 1 < side; row++) {
    for (let column = 0; column + 1 < side; column++) {
      const place = row * side + column;
      const a = value(place), b = value(place + 1), c = value(place + side + 1), d = value(place + side);
      const code = (a > 0 ? 1 : 0) | (b > 0 ? 2 : 0) | (c > 0 ? 4 : 0) | (d > 0 ? 8 : 0);
      if (code === 0 || code === 15) continue;
      const points = [];
      if ((a > 0) !== (b > 0)) points.push([column + crossing(a, b), row]);
      if ((b > 0) !== (c > 0)) points.push([column + 1, row + crossing(b, c)]);
      if ((c > 0) !== (d > 0)) points.push([column + crossing(d, c), row + 1]);
      if ((d > 0) !== (a > 0)) points.push([column, row + crossing(a, d)]);
      for (let i = 0; i + 1 < points.length; i += 2) {
        path.moveTo(at(points[i][0]), at(points[i][1]));
        path.lineTo(at(points[i + 1][0]), at(points[i + 1][1]));
      }
    }
  }
}

/** The boundaries between classes. */
function traceBoundaries(path, side, maps, at) {
  if (maps.length === 2) {
    traceContour(path, side, (i) => maps[1][i] - 0.5, at);
    return;
  }
  for (let k = 1; k < maps.length; k++) {
    traceContour(path, side, (i) => {
      let other = 0;
      for (let j = 0; j < maps.length; j++) if (j !== k && maps[j][i] > other) other = maps[j][i];
      return maps[k][i] - other;
    }, at);
  }
}
