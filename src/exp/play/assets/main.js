// Puts the page together.

const SPEEDS = [[1, "1 epoch per second"], [5, "5 per second"], [20, "20 per second"], [60, "60 per second"], [300, "300 per second"], [1500, "1,500 per second"], [1e6, "as fast as possible"]];
const BUSY = 9; // milliseconds of drawing per frame, beyond which less is drawn

async function start() {
  const payload = await json("play");
  const session = new Session(payload);
  const theme = new Theme(payload.colours);
  const colours = new Colours(theme, session);
  const plane = new Plane(session, colours);
  const curves = new Curves(session, colours);
  const scores = new Scores(session);
  const diagram = new Diagram(session, colours);
  let turn = 0;
  const loop = new Loop(session, (running) => {
    const found = session.trainer.unitMaps(plane.xs, plane.ys);
    plane.paint(found, diagram.wanted(found));
    scores.show();
    // Lines and curves change slowly and take the longest: they take turns while it trains.
    const turns = loop.drawing > BUSY ? 4 : 2;
    turn = (turn + 1) % turns;
    if (!running || turn === 0) diagram.draw(found, plane.xs, plane.ys);
    if (!running || turn === 1) curves.draw();
  });
  diagram.loop = loop;
  // Before whatever draws with them.
  session.addEventListener("rows", () => colours.make());
  const data = new DataChoice(session, colours);
  const settings = new Settings(session);
  settings.loop = loop;
  const points = new Points(session, plane, loop);
  const link = new Link(session);
  new Home(session, loop, link);
  buttons({ session, loop, points, diagram });
  views({ plane, loop });
  const recolour = () => {
    colours.make();
    data.paint();
    plane.paintRows();
    legend(session, colours);
    loop.refresh();
  };
  theme.addEventListener("change", recolour);
  session.addEventListener("rows", () => legend(session, colours));
  legend(session, colours);
  addEventListener("hashchange", () => link.read());
  link.read();
  loop.refresh();
  window.playing = { session, loop, plane, diagram, points }; // for whoever looks from the console
  document.documentElement.dataset.ready = "true";
}

/** Epoch and scores, large. */
class Scores {
  constructor(session) {
    this.session = session;
  }

  show() {
    const { epoch, history, initial } = this.session.trainer, last = (name) => (epoch ? history[name]?.[epoch - 1] : initial[name]);
    write(byId("epoch"), whole(epoch));
    for (const part of ["train", "test"]) {
      write(byId(`${part}-loss`), loss(last(`${part}Loss`)));
      write(byId(`${part}-accuracy`), percent(last(`${part}Accuracy`)));
    }
  }

  get sentence() {
    const text = (id) => byId(id).textContent;
    return `Epoch ${text("epoch")}: train loss ${text("train-loss")}, test loss ${text("test-loss")}, test accuracy ${text("test-accuracy")}.`;
  }
}

function buttons({ session, loop, points, diagram }) {
  const scores = new Scores(session), button = byId("play");
  const toggle = () => (loop.running ? loop.pause() : loop.play());
  const said = (text) => {
    scores.show();
    announce(text + scores.sentence);
  };
  const reset = () => {
    loop.pause();
    session.restart();
    announce("Reset to epoch 0.");
  };
  button.addEventListener("click", toggle);
  byId("step").addEventListener("click", () => loop.step());
  byId("reset").addEventListener("click", reset);
  byId("fewer-layers").addEventListener("click", () => diagram.layers(-1));
  byId("more-layers").addEventListener("click", () => diagram.layers(1));
  const layers = () => {
    const count = session.settings.hidden.length;
    byId("fewer-layers").disabled = count === 0;
    byId("more-layers").disabled = count >= MOST_LAYERS;
    write(byId("layer-count"), `${count} hidden layer${count === 1 ? "" : "s"}`);
  };
  session.addEventListener("settings", layers);
  layers();
  loop.addEventListener("change", () => {
    button.setAttribute("aria-label", loop.running ? "Pause" : "Play");
    button.classList.toggle("running", loop.running);
    said(loop.running ? "Training. " : "Paused. ");
  });
  loop.addEventListener("step", () => said(""));
  new Keys({ play: toggle, step: () => loop.step(), reset, undo: () => points.undo() });
}

/** Speed, and which rows are shown. */
function views({ plane, loop }) {
  const speed = slider("Speed", { low: 0, high: SPEEDS.length - 1, step: 1 }, (at) => (loop.rate = SPEEDS[at][0]), (at) => SPEEDS[at][1]);
  speed.show(SPEEDS.findIndex(([rate]) => rate === loop.rate));
  byId("speed").append(speed.field);
  for (const input of document.querySelectorAll("input[name='part']")) {
    input.addEventListener("change", () => {
      plane.part = input.value;
      plane.paintRows();
    });
  }
}

function legend(session, colours) {
  byId("classes").replaceChildren(...session.dataset.classes.map((name, i) => {
    const canvas = element("canvas", { "aria-hidden": "true", className: "sign" });
    const context = fitted(canvas, 16, 16), path = new Path2D();
    mark(path, i, 8, 8, 6);
    context.fillStyle = colours.classes[i];
    context.fill(path);
    return element("li", {}, canvas, "class " + name);
  }));
  for (const name of ["train", "test"]) byId(`key-${name}`).style.borderColor = colours[name];
  for (const name of ["negative", "positive"]) byId(`key-${name}`).style.borderColor = colours[name];
}

start().catch((error) => {
  complain("The page could not be put together: " + error.message);
  throw error;
});
