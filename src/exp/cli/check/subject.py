"""One component under test, with the parameters that it is tried with."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch

from exp.config import plugins
from exp.config.plan import Plan, plan
from exp.registry import entry_points
from exp.registry.component import Chosen, Component
from exp.registry.registry import register
from exp.util.untrusted import read, yaml_of

DEFAULTS: dict[str, dict[str, Any]] = {
    "dataset": {"name": "moons", "n_samples": 60},
    "split": {"name": "holdout"},
    "model": {"name": "mlp", "hidden": [5]},
    "optimizer": {"name": "sgd"},
    "loss": {"name": "auto"},
    "scheduler": {"name": "none"},
    "device": {"name": "cpu"},
    "trainer": {"name": "standard", "epochs": 6},
    "figures": {"name": "none"},
}
"""A run that takes no time, of which one part is replaced by the component."""


@dataclass(frozen=True)
class Subject:
    """A component that is tested."""

    component: Component

    @property
    def kind(self) -> str:
        return self.component.kind.name

    @property
    def title(self) -> str:
        return f"{self.kind}={self.component.name}"

    @cached_property
    def file(self) -> Path | None:
        """Its option file, where Hydra finds it: the working directory's conf/ first."""
        module = self.component.module
        entry = entry_points.package_of(module)
        places = [Path("conf"), *plugins.conf_folders()]
        places += [place for place in [entry.folder() if entry else None] if place]
        if module.startswith("exp."):
            places.append(Path(str(files("exp.conf"))))
        names = [place / self.kind / f"{self.component.name}.yaml" for place in places]
        return next((path for path in names if path.is_file()), None)

    @cached_property
    def values(self) -> dict[str, Any]:
        """What its option file says; only its name where there is no such file.

        Raises:
            ValueError: the file is not YAML.
        """
        found = yaml_of(read(self.file)) if self.file else None
        return found if isinstance(found, dict) else {"name": self.component.name}

    @cached_property
    def chosen(self) -> Chosen:
        """With the values of its option file, or its defaults.

        Raises:
            ConfigError: they are not valid.
        """
        return register.choose(self.kind, {**self.values, "name": self.component.name}, self.kind)

    def build(self, *arguments: Any) -> Any:
        return self.chosen.build(*arguments)

    def plan(self, seed: int, **parts: Any) -> Plan:
        """Of a small run with this component in it."""
        values = {**self.values, "name": self.component.name}
        if self.kind == "activation":
            parts["model"] = {**DEFAULTS["model"], "activation": values}
        elif self.kind in DEFAULTS:
            parts[self.kind] = values
        return plan({**DEFAULTS, "seed": seed, **parts})


@contextmanager
def global_states() -> Iterator[list[str]]:
    """Which of the global random generators have changed meanwhile; they are put back."""
    changed: list[str] = []
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield changed
        here = np.random.get_state()
        if random.getstate() != before[0]:
            changed.append("Python's random")
        if any(not np.array_equal(a, b) for a, b in zip(here, before[1], strict=True)):
            changed.append("numpy.random")
        if not torch.equal(torch.get_rng_state(), before[2]):
            changed.append("torch's generator")
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])


@contextmanager
def globally_seeded(number: int) -> Iterator[None]:
    """Python's, NumPy's and torch's global generators seeded, and put back: whoever draws from
    them gives other results under another number."""
    with global_states():
        random.seed(number)
        np.random.seed(number)
        torch.manual_seed(number)
        yield


def registered(module: str) -> list[Subject]:
    """What a module, and those within it, have registered."""
    package = sys.modules.get(module)
    within = f"{module}." if hasattr(package, "__path__") else None

    def here(component: Component) -> bool:
        place = component.module
        return place == module or (within is not None and place.startswith(within))

    return [
        Subject(component)
        for kind in register.kinds.values()
        for component in sorted(kind.components.values(), key=lambda each: each.name)
        if here(component)
    ]
