"""A multilayer perceptron that embeds categories first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from exp.components.models.mlp import Hidden, mlp
from exp.registry.component import Chosen
from exp.registry.registry import register
from exp.registry.types import Activation, Probability, Width

Place = Annotated[int, Field(ge=0, le=65_536)]
Spans = Annotated[list[Annotated[list[Place], Field(min_length=2, max_length=2)]], Field()]


def in_order(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with the columns of categories."""
    last = 0
    for at, (start, stop) in enumerate(values["categories"]):
        if not last <= start < stop:
            yield f"categories.{at}", "expected [start, stop] in ascending order, without overlaps"
        last = stop


@register.model("embedded_mlp", check=in_order)
def embedded_mlp(
    in_features: int,
    out_features: int,
    *,
    categories: Spans,
    embedding: Width = 4,
    hidden: Hidden = [32],  # noqa: B006 - a default of the schema, never changed
    activation: Activation = "relu",
    dropout: Probability = 0.0,
) -> nn.Module:
    """A multilayer perceptron whose columns of categories become learned embeddings.

    A linear layer over the columns of 0 and 1 of one category is an embedding: it adds the vector
    of the category that a row has.

    Args:
        categories: [start, stop] of the encoded columns of each category.
        embedding: numbers of the embedding of each category.
        hidden, activation, dropout: as for `mlp`.
    """
    assert isinstance(activation, Chosen)
    inside = [[start, min(stop, in_features)] for start, stop in categories if start < in_features]
    width = in_features + sum(embedding - (stop - start) for start, stop in inside)
    network = mlp(width, out_features, hidden=hidden, activation=activation, dropout=dropout)
    return EmbeddedMLP(in_features, inside, embedding, network)


class EmbeddedMLP(nn.Module):
    """Rows `[rows, columns]` to logits.

    Args:
        columns: how many there are.
        categories: start and stop of those that are embedded.
        embedding: numbers of each embedding.
        network: from the other columns and the embeddings to logits.
    """

    def __init__(
        self, columns: int, categories: Sequence[Sequence[int]], embedding: int, network: nn.Module
    ) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(
            nn.Linear(stop - start, embedding, bias=False) for start, stop in categories
        )
        self.network = network
        # Start, stop, and the embedding of these columns; -1: as they are.
        self.parts: list[tuple[int, int, int]] = []
        last = 0
        for at, (start, stop) in enumerate(categories):
            self.parts += [(last, start, -1)] if last < start else []
            self.parts.append((start, stop, at))
            last = stop
        self.parts += [(last, columns, -1)] if last < columns else []

    def forward(self, rows: Tensor) -> Tensor:
        found = []
        for start, stop, at in self.parts:
            part = rows[:, start:stop]
            found.append(part if at < 0 else self.embeddings[at](part))
        logits: Tensor = self.network(torch.cat(found, dim=1))
        return logits
