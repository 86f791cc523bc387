"""Parameters of several runs as one: what may differ between the runs of a stack.

A number may differ. Everything else is structure and must be equal, and so is whether a number is
0, since that switches a term of a formula off.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch

from exp.registry.component import Chosen


def structure(params: Mapping[str, Any]) -> Hashable:
    """The part of these parameters that must be equal for runs to share a stack.

    Args:
        params: validated parameters of one run, such as `Chosen.params`.

    Returns:
        The keys, which values are None, which numbers are 0, the lengths of lists of numbers, and
        the complete value of everything else. For a nested component: its name and structure.
    """
    return tuple((key, _structure(params[key])) for key in sorted(params))


def _structure(value: Any) -> Hashable:
    if isinstance(value, Chosen):
        return ("component", value.name, structure(value.params))
    if isinstance(value, float):
        return ("number", value != 0)
    if _is_numbers(value):
        return ("numbers", len(value))
    return ("value", _frozen(value))


def _is_numbers(value: Any) -> bool:
    """Whether this is a list of floats: one hyperparameter with several numbers."""
    listed = isinstance(value, (list, tuple)) and len(value) > 0
    return listed and all(isinstance(number, float) for number in value)


def _frozen(value: Any) -> Hashable:
    """A hashable copy. It keeps types: in Python True, 1 and 1.0 are equal."""
    if isinstance(value, Mapping):
        return tuple((key, _frozen(value[key])) for key in sorted(value))
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(item) for item in value)
    return (type(value).__name__, value)


def stacked(params: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Stacks the parameters of R runs.

    Args:
        params: validated parameters of each run, R of them, of equal `structure`.

    Returns:
        By key: a number as float64 `[R, 1]`, a list of n numbers as float64 `[R, n]`, both on the
        CPU. A number that is 0 in all runs is 0.0, so that its term can be left out. A nested
        component has its own parameters stacked. Anything else is unchanged.

    Raises:
        ValueError: the runs cannot share a stack; the message names the first key that differs.
    """
    first = params[0]
    for other in params[1:]:
        if set(other) != set(first):
            raise ValueError(f"keys differ: {sorted(set(other) ^ set(first))}")
        for key in first:
            if _structure(other[key]) != _structure(first[key]):
                raise ValueError(f"{key} differs in kind: {first[key]!r} and {other[key]!r}")
    return {key: _stacked([each[key] for each in params]) for key in first}


def _stacked(values: list[Any]) -> Any:
    first = values[0]
    if isinstance(first, Chosen):
        return Chosen(first.component, stacked([value.params for value in values]))
    if isinstance(first, float):
        return torch.tensor(values, dtype=torch.float64)[:, None] if first != 0 else 0.0
    if _is_numbers(first):
        return torch.tensor([list(value) for value in values], dtype=torch.float64)
    return first
