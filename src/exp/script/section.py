"""A script is made of sections: what each is made from, and what it consists of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exp.components.devices import Device
from exp.config.plan import Plan
from exp.data.prepared import Prepared
from exp.registry.component import Chosen

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Recipe:
    """All that a script depends on: a plan, and what its data decide.

    Attributes:
        plan: the validated config.
        data: its rows, split, scaled and mapped as the run has them.
        loss: the loss for these data, never `auto`; class weights are one number for each class.
        outputs: logits of each row.
        device: where the run computes.
        model: the untrained model as the run starts with it.
        alone: whether exp trains the model as a module of its own, since it has layers that exp
            does not know: it then draws from torch's global generator.
    """

    plan: Plan
    data: Prepared
    loss: Chosen
    outputs: int
    device: Device
    model: nn.Module
    alone: bool = False


@dataclass
class Section:
    """A part of a script.

    Attributes:
        imports: import statements, one name each: `import torch`, `from torch import nn`.
        lines: the code, without blank lines at its beginning and end.
    """

    imports: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)

    def add(self, *lines: str) -> Section:
        """Adds lines, each of which may be several."""
        self.lines += [line for text in lines for line in text.split("\n")]
        return self

    def use(self, *imports: str) -> Section:
        """Adds import statements."""
        self.imports.update(imports)
        return self

    def join(self, other: Section) -> Section:
        """Adds another section."""
        self.imports |= other.imports
        self.lines += other.lines
        return self
