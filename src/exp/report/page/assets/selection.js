// Which runs are listed, chosen, pointed at and compared; whoever shows them listens.

const MOST_COMPARED = 8;

class Selection extends EventTarget {
  constructor(count) {
    super();
    this.listed = Array.from({ length: count }, (_, place) => place);
    this.chosen = null;
    this.hovered = null;
    this.epoch = null; // of the frame that is shown of the chosen run
    this.compared = new Set();
  }

  tell(what) {
    this.dispatchEvent(new Event(what));
  }

  list(places) {
    this.listed = places;
    this.tell("list");
  }

  choose(place) {
    this.chosen = place;
    this.tell("choose");
  }

  hover(place) {
    if (place === this.hovered) return;
    this.hovered = place;
    this.tell("hover");
  }

  // Another frame is shown; null: there are none.
  frame(epoch) {
    this.epoch = epoch;
    this.tell("frame");
  }

  // Whoever shows frames is to show the one nearest to an epoch.
  seek(epoch) {
    this.sought = epoch;
    this.tell("seek");
  }

  // Whether there was room for one more.
  compare(place, on) {
    if (on && this.compared.size >= MOST_COMPARED) return false;
    if (on) this.compared.add(place);
    else this.compared.delete(place);
    this.tell("compare");
    return true;
  }

  compareNone() {
    this.compared.clear();
    this.tell("compare");
  }
}

function announce(text) {
  document.getElementById("announcement").textContent = text;
}

function options(select, pairs, value) {
  select.replaceChildren(...pairs.map(([key, text]) => element("option", { value: key }, text)));
  select.value = value;
}
