// Small helpers: numbers as text, and what is read out.

const byId = (id) => document.getElementById(id);

let announcing = null;

// Reads a sentence out. Many in a row become one: the last.
function announce(text) {
  clearTimeout(announcing);
  announcing = setTimeout(() => (byId("announcement").textContent = text), 150);
}

// A fault that the reader can mend; it stays until the next change that works.
function complain(text) {
  byId("fault").textContent = text;
  byId("fault").hidden = !text;
}

const MINUS = "\u2212";

// "0.1234", "12.3", "−0.056", "1.2e-7"
function brief(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return String(value).replace("-", MINUS);
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5)
    ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
  return text.replace(/-/g, MINUS);
}

const percent = (value) => (value === undefined || value === null ? "–" : (100 * value).toFixed(1) + " %");
const loss = (value) => (value === undefined || value === null ? "–"
  : !Number.isFinite(value) ? String(value) : value >= 1000 || (value > 0 && value < 5e-5)
    ? value.toExponential(2) : value.toFixed(4));
const whole = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// Sets a text only where it differs: layout is not asked for nothing.
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// A canvas as many pixels wide as the screen shows of it; returns its context in CSS pixels.
function fitted(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(w / width, 0, 0, h / height, 0, 0);
  return context;
}
