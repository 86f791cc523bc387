"""Values of a script that a page fills in: places in the texts of its sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from torch import nn

from exp.registry.component import Chosen
from exp.script.section import Recipe, Section


class Place(float):
    """A number whose text is the name of a place, such as `{{lr}}`."""

    name: str

    def __new__(cls, name: str) -> Place:
        made = super().__new__(cls, 0.123456789)
        made.name = name
        return made

    def __repr__(self) -> str:
        return f"{{{{{self.name}}}}}"

    __str__ = __repr__

    def __format__(self, form: str) -> str:
        return repr(self)

    def __rsub__(self, other: float) -> Place:
        return Place(f"{other} - {self.name}")


def place(name: str) -> Any:
    return Place(name)


class Lines:
    """All lines of all texts, each once: a text is the numbers of its lines."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def text(self, section: Section) -> dict[str, Any]:
        """A section, ready for JSON."""
        numbers = [self.places.setdefault(line, len(self.places)) for line in section.lines]
        return {"imports": sorted(section.imports), "lines": numbers}


def variant(
    base: Recipe,
    *,
    loss: Chosen | None = None,
    optimizer: Chosen | None = None,
    outputs: int = 1,
    several: int = 0,
    positive: int = 1,
    batch: bool = False,
    clip: bool = False,
    parts: Sequence[str] = ("train", "test"),
) -> Recipe:
    """A recipe with places for its numbers."""
    trainer = base.plan["trainer"]
    values = {
        **trainer.params,
        "epochs": place("epochs"),
        "batch_size": place("batch_size") if batch else None,
        "clip_norm": place("clip_norm") if clip else None,
    }
    chosen = {**base.plan.chosen, "trainer": Chosen(trainer.component, values)}
    if optimizer is not None:
        chosen["optimizer"] = optimizer
    seeds = cast(Any, SimpleNamespace(init=place("init_seed"), shuffle=place("shuffle_seed")))
    names = ("{{class_0}}", "{{class_1}}") if not several else tuple(map(str, range(several)))
    rows = SimpleNamespace(
        numeric=False,
        classes=names,
        weights=None,
        X=base.data.data.X[:2],
        categories=base.data.data.categories,
        gaps=False,
    )
    found = SimpleNamespace(
        data=rows,
        split=SimpleNamespace(parts=dict.fromkeys(parts)),
        positive=None if several else positive,
        target_scale=None,
        features=("{{feature_0}}", "{{feature_1}}"),
        inputs=2,
    )
    return replace(
        base,
        plan=replace(base.plan, chosen=chosen, seeds=seeds),
        data=cast(Any, found),
        loss=loss or base.loss,
        outputs=outputs,
        model=nn.Sequential(),
        alone=False,
    )
