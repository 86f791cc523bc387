// Loss over the epochs: of the passes that trained, and of the test rows.

class Curves {
  constructor(session, colours) {
    Object.assign(this, { session, colours });
    this.canvas = byId("curves");
    this.log = byId("curves-log");
    this.log.addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.resized()).observe(this.canvas);
  }

  resized() {
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.draw();
  }

  lines() {
    const { trainer } = this.session, { history, initial } = trainer;
    const found = [["train", history.trainLoss, initial.trainLoss]];
    if (history.validationLoss?.length) found.push(["validation", history.validationLoss, initial.validationLoss]);
    if (initial.testLoss !== undefined) found.push(["test", history.testLoss, initial.testLoss]);
    return found;
  }

  draw() {
    const { width, height, colours } = this;
    if (!width) return;
    const context = fitted(this.canvas, width, height);
    context.clearRect(0, 0, width, height);
    const lines = this.lines(), epochs = this.session.trainer.epoch;
    const scale = this.log.checked ? (value) => Math.log10(Math.max(value, 1e-9)) : (value) => value;
    const span = { left: 46, right: 12, top: 8, bottom: 22 };
    const inner = width - span.left - span.right, stride = Math.max(1, Math.ceil(epochs / (2 * inner)));
    let low = this.log.checked ? Infinity : 0, high = -Infinity;
    const value = ([, values, first], e) => (e === 0 ? first : values[e - 1]);
    for (const line of lines) {
      for (let e = 0; e <= epochs; e += stride) {
        const here = scale(value(line, e));
        if (!Number.isFinite(here)) continue;
        low = Math.min(low, here);
        high = Math.max(high, here);
      }
    }
    if (!(high > low)) [low, high] = [Math.min(low, 0), high > 0 ? high * 1.1 : 1];
    const x = (e) => span.left + (epochs ? e / epochs : 0) * inner;
    const y = (v) => height - span.bottom - ((v - low) / (high - low)) * (height - span.top - span.bottom);
    this.axes(context, low, high, epochs, span, x, y);
    for (const line of lines) {
      context.beginPath();
      for (let e = 0; e <= epochs; e += stride) this.point(context, x(e), y(scale(value(line, e))), e);
      this.point(context, x(epochs), y(scale(value(line, epochs))), epochs);
      context.strokeStyle = colours[line[0]] || colours.theme.now[line[0]];
      context.lineWidth = line[0] === "test" ? 2.2 : 1.8;
      context.lineJoin = "round";
      context.setLineDash(line[0] === "train" ? [] : line[0] === "test" ? [] : [5, 3]);
      context.stroke();
      context.setLineDash([]);
      const end = y(scale(value(line, epochs)));
      if (!Number.isFinite(end)) continue;
      context.beginPath();
      context.arc(x(epochs), end, 3.2, 0, 7);
      context.fillStyle = context.strokeStyle;
      context.fill();
    }
  }

  point(context, x, y, e) {
    if (!Number.isFinite(y)) return;
    if (e === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  }

  axes(context, low, high, epochs, span, x, y) {
    const { colours, width, height, log } = this;
    context.font = "12px system-ui, 'DejaVu Sans', sans-serif";
    context.fillStyle = colours.muted;
    context.strokeStyle = colours.faint;
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const level of [low, (low + high) / 2, high]) {
      const text = log.checked ? 10 ** level : level;
      const at = Math.round(y(level)) + 0.5;
      context.beginPath();
      context.moveTo(span.left, at);
      context.lineTo(width - span.right, at);
      context.stroke();
      context.fillText(brief(text, 2), span.left - 6, at);
    }
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    context.fillText("epoch 0", span.left, height - 6);
    context.textAlign = "right";
    if (epochs) context.fillText(whole(epochs), width - span.right, height - 6);
  }
}
