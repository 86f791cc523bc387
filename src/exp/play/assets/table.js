// The rows as a csv file that exp reads.

/** The shortest number that is the same in single precision, or the number itself. */
function written(value) {
  for (let digits = 1; digits < 10; digits++) {
    const text = String(Number(value.toPrecision(digits)));
    if (Math.fround(Number(text)) === Math.fround(value)) return text;
  }
  return String(value);
}

const cell = (text) => (/[",\n\r]|^\s|\s$/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text);

/** x1, x2, label, part: a line for each row, in the order of training. */
function csvOf(session) {
  const { classes } = session.dataset;
  const lines = session.points.map(({ x, y, part }) =>
    [written(x[0]), written(x[1]), cell(classes[y]), part].join());
  return ["x1,x2,label,part", ...lines].join("\n") + "\n";
}
