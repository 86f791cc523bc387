"""The engine of `exp play` in Chromium, for tests of its numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from browser import chromium
from exp.play.engine import engine


@contextmanager
def engine_in_browser() -> Iterator[Any]:
    """A page with nothing but the engine in it, offline."""
    with chromium() as browser:
        page = browser.new_context(offline=True).new_page()
        page.evaluate(f"() => {{ {engine()}; window.Engine = Engine; }}")
        yield page
        page.close()


def evaluate(page: Any, script: str, **values: Any) -> Any:
    """What a function body returns, with `values` as its variables, by JSON."""
    names = ", ".join(values)
    body = f"([{names}]) => {{ {script} }}"
    return page.evaluate(body, json.loads(json.dumps(list(values.values()))))


TRAINED = """
const trainer = new Engine.Trainer(payload, {...payload.settings, ...changes});
const first = trainer.network.layers.map((l) => [Array.from(l.weight), Array.from(l.bias)]);
trainer.train(epochs);
return {initial: trainer.initial, history: trainer.history, first};
"""
