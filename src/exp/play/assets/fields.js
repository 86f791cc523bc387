// Controls: a label and an input, with what it means beside it.

let fieldCount = 0;

function labelled(text, input, hint = "") {
  const id = input.id || `field-${++fieldCount}`;
  input.id = id;
  const label = element("label", { for: id }, text);
  if (hint) input.title = hint;
  return element("div", { className: "field" }, label, input);
}

/** A choice; `changed` gets its value. */
function choice(label, pairs, changed, hint) {
  const select = element("select");
  select.append(...pairs.map(([value, text]) => element("option", { value }, text)));
  select.addEventListener("change", () => changed(select.value));
  const field = labelled(label, select, hint);
  return { field, input: select, show: (value) => {
    const text = String(value);
    if (![...select.options].some((each) => each.value === text)) {
      select.append(element("option", { value: text }, text === "null" ? "all" : text));
    }
    select.value = text;
  } };
}

/** A number that is typed; `changed` gets it once it is possible. */
function numeric(label, limits, changed, hint) {
  const input = element("input", { type: "number", step: "any", inputMode: "decimal" });
  let shown = null;
  if (limits.low !== null && limits.low !== undefined) input.min = limits.low;
  if (limits.high !== null && limits.high !== undefined) input.max = limits.high;
  if (limits.whole) input.step = 1;
  input.addEventListener("change", () => {
    const value = input.value === "" ? NaN : Number(input.value);
    const fault = !Number.isFinite(value) || (limits.whole && !Number.isInteger(value))
      || (limits.low !== null && limits.low !== undefined && value < limits.low)
      || (limits.high !== null && limits.high !== undefined && value > limits.high);
    if (!fault) return changed(value);
    complain(`${label}: expected a ${limits.whole ? "whole " : ""}number${between(limits)}, found ${input.value || "nothing"}.`);
    input.value = shown;
  });
  return { field: labelled(label, input, hint), input, show: (value) => {
    shown = value;
    if (document.activeElement !== input || Number(input.value) !== value) input.value = value;
  } };
}

function between({ low, high }) {
  const has = (value) => value !== null && value !== undefined;
  if (has(low) && has(high)) return ` from ${low} to ${high}`;
  return has(low) ? ` of at least ${low}` : has(high) ? ` of at most ${high}` : "";
}

/** A slider with its value beside it. */
function slider(label, { low, high, step }, changed, text = (value) => brief(value), hint = "") {
  const input = element("input", { type: "range", min: low, max: high, step });
  const output = element("output");
  const show = (value) => {
    input.value = value;
    output.textContent = text(value);
    input.setAttribute("aria-valuetext", text(value));
  };
  input.addEventListener("input", () => {
    show(Number(input.value));
    changed(Number(input.value));
  });
  const field = labelled(label, input, hint);
  field.classList.add("slider");
  output.setAttribute("for", input.id);
  field.append(output);
  return { field, input, show, limit: (least, most, by) => {
    Object.assign(input, { min: least, max: most, step: by });
  } };
}

function flag(label, changed, hint) {
  const input = element("input", { type: "checkbox" });
  input.addEventListener("change", () => changed(input.checked));
  const field = labelled(label, input, hint);
  field.classList.add("check");
  return { field, input, show: (value) => (input.checked = Boolean(value)) };
}
