"""Types for parameters: the annotation of a component's parameter is its schema.

Numbers must be finite in float32, since a run computes in float32: a learning rate of 1e300 would
be infinite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

PATTERNS: dict[str, str] = {}
"""A pattern of `worded` -> its meaning in messages."""


def worded(pattern: str, words: str) -> Any:
    """The field of a string with a pattern; messages say `expected WORDS`, not the pattern."""
    PATTERNS[pattern] = words
    return Field(pattern=pattern)


LARGEST = 3.0e38

Finite = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=LARGEST, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
"""A share in [0, 1): a dropout rate, a momentum, a decay."""
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
"""What NumPy's and torch's generators both take."""
Rows = Annotated[int, Field(ge=4, le=100_000_000)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Width = Annotated[int, Field(ge=1, le=65_536)]


@dataclass(frozen=True)
class Nested:
    """Marks a parameter whose value is itself a component: a name, or `{name: ..., ...}`."""

    kind: str


Activation = Annotated[Any, Nested("activation")]


def label_text(value: Any) -> Any:
    """Converts a label to a string if YAML has read it as a number or a boolean."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


ClassName = Annotated[str, BeforeValidator(label_text), Field(min_length=1)]
"""The name of a class: a label of the data, which may be a number."""
