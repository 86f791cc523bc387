"""The JavaScript engine of `exp play`: it trains in the browser as exp does."""

from __future__ import annotations

from importlib.resources import files

SCRIPTS = (
    "random", "functions", "activations", "losses", "optimizers", "network", "data", "maps",
    "trainer",
)  # fmt: skip
"""The files of the engine, in their order."""
PUBLIC = (
    "Trainer, Mersenne, randomOrder, purposeSeed, firstWeights, offers: (payload) => payload.offers"
)


def engine() -> str:
    """A script that defines one global name, `Engine`. It needs no page: a worker can run it."""
    folder = files(__package__) / "assets"
    code = "\n".join((folder / f"engine-{n}.js").read_text(encoding="utf-8") for n in SCRIPTS)
    return f'const Engine = (() => {{\n"use strict";\n{code}\nreturn {{ {PUBLIC} }};\n}})();\n'
