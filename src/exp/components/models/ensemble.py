"""A weighted mean of networks as one model. `exp fit` makes it; it is not trained as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from exp.components.models.column_maps import ColumnMap, Map
from exp.registry.parameter_errors import expected
from exp.registry.registry import register
from exp.registry.types import Finite, NonNegative, Positive, Width
from exp.util.errors import ConfigError

LEAST = 1e-7
"""The smallest probability that the mean of the members may have: its logarithm must be finite."""

MOST_COPIES = 100
"""Networks of one member, which are the folds of a fit: a stranger's config must not ask for more
than memory holds."""

Limits = Annotated[list[Finite], Field(min_length=2, max_length=2)]
Parts = Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)]


class Member(BaseModel):
    """Some networks of one architecture.

    Attributes:
        map: which of the maps its networks take, from 0.
        network: the model, as a config names it.
        outputs: outputs of each network.
        copies: number of networks.
        weight: of all of them together.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    map: Annotated[int, Field(ge=0)] = 0
    network: dict[str, Any]
    outputs: Width
    copies: Annotated[int, Field(ge=1, le=MOST_COPIES)] = 1
    weight: NonNegative


def valid_parts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with maps and members."""
    for key, kind in (("maps", Map), ("members", Member)):
        for place, part in enumerate(values[key]):
            try:
                made = kind.model_validate(part)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, (place, *first["loc"])))
                yield f"{key}.{where}", f"expected {expected(first)}"
                continue
            if isinstance(made, Member):
                if made.map >= len(values["maps"]):
                    count = len(values["maps"])
                    yield f"{key}.{place}.map", f"expected less than {count}, the number of maps"
                try:
                    register.choose("model", made.network, f"{key}.{place}.network")
                except ConfigError as error:
                    yield from ((fault.path, fault.message) for fault in error.faults)


@register.model("ensemble", check=valid_parts)
def ensemble(
    in_features: int,
    out_features: int,
    *,
    maps: Parts,
    members: Parts,
    mean: Literal["probabilities", "numbers"] = "probabilities",
    temperature: Positive = 1.0,
    limits: Limits | None = None,
) -> nn.Module:
    """A weighted mean of networks, each with a feature map, as `exp fit` makes it.

    Args:
        maps: feature maps of the columns: `{name: piecewise, outputs: 40}`.
        members: networks: `{map: 0, network: {name: mlp, ...}, outputs: 1, copies: 5, weight: 1}`.
        mean: of what: probabilities of classes, or numbers.
        temperature: the logits, logarithms of the mean probabilities, are divided by it.
        limits: the lowest and the highest number that a network may give.
    """
    return Ensemble(
        [Map.model_validate(each).module(in_features) for each in maps],
        [Member.model_validate(each) for each in members],
        out_features,
        temperature if mean == "probabilities" else None,
        limits,
    )


class Ensemble(nn.Module):
    """Rows `[rows, columns]` to logits of the mean probabilities, or to mean numbers.

    Args:
        maps: the feature maps, each computed once.
        members: what the networks are.
        outputs: 1 (two classes, or a number) or the number of classes.
        temperature: the logits are divided by it; None: the mean of numbers.
        limits: the lowest and the highest number; None: any.
    """

    def __init__(
        self,
        maps: Sequence[ColumnMap],
        members: Sequence[Member],
        outputs: int,
        temperature: float | None,
        limits: Sequence[float] | None,
    ) -> None:
        super().__init__()
        self.limits = limits
        self.maps = nn.ModuleList(maps)
        self.networks = nn.ModuleList()
        self.weights, self.places = [], []
        self.outputs, self.temperature = outputs, temperature
        total = sum(member.weight for member in members) or 1.0
        for member in members:
            chosen = register.choose("model", member.network, "model.members")
            for _ in range(member.copies):
                self.networks.append(chosen.build(maps[member.map].outputs, member.outputs))
                self.weights.append(member.weight / total / member.copies)
                self.places.append(member.map)

    def forward(self, rows: Tensor) -> Tensor:
        mapped = [each(rows) for each in self.maps]
        total: Any = 0
        for network, weight, place in zip(self.networks, self.weights, self.places, strict=True):
            answer = network(mapped[place])
            if self.temperature is not None:
                answer = probabilities(answer)
            elif self.limits is not None:
                answer = answer.clamp(*self.limits)
            total = total + weight * answer
        if self.temperature is None:
            return total  # type: ignore[no-any-return]
        logits: Tensor = torch.log(total.clamp_min(LEAST)) / self.temperature
        return logits[:, 1:] - logits[:, :1] if self.outputs == 1 else logits


def probabilities(logits: Tensor) -> Tensor:
    """`[rows, classes]` from logits `[rows, outputs]`; one output is that of two classes."""
    if logits.shape[1] == 1:
        return torch.sigmoid(torch.cat([-logits, logits], dim=1))
    return torch.softmax(logits, dim=1)
