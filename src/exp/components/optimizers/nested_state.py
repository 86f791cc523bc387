"""Converts nested state to a flat dict of tensors for a checkpoint, and back, without loss.

One additional tensor of bytes contains the structure and the plain values as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from exp.util.errors import shown
from exp.util.untrusted import json_of

SHAPE = "nest"


def flatten(nest: Any, device: torch.device) -> dict[str, Tensor]:
    """The tensors of a nested state by their path, and its structure under `SHAPE`.

    Args:
        nest: dicts with string keys, lists, tuples, tensors, numbers, strings and None.
        device: the device of the state. Tensors on another device are on the CPU on purpose and
            stay there.

    Raises:
        TypeError: the state contains another type, which could not be restored.
    """
    tensors: dict[str, Tensor] = {}

    def shape(value: Any, place: str) -> Any:
        if isinstance(value, Tensor):
            tensors[place] = value
            return {"tensor": place, "here": value.device == device}
        if isinstance(value, dict):
            return {"dict": {key: shape(item, f"{place}.{key}") for key, item in value.items()}}
        if isinstance(value, (list, tuple)):
            items = [shape(item, f"{place}.{i}") for i, item in enumerate(value)]
            return {"tuple" if isinstance(value, tuple) else "list": items}
        if value is None or type(value) in (bool, int, float, str):
            return {"plain": value}
        raise TypeError(f"{place} is a {type(value).__name__}, which a checkpoint cannot store")

    text = json.dumps(shape(nest, "state")).encode()
    return {SHAPE: torch.tensor(list(text), dtype=torch.uint8), **tensors}


def unflatten(tensors: Mapping[str, Tensor], device: torch.device) -> Any:
    """Reverses `flatten`; the tensors are copies.

    Raises:
        ValueError: the input does not come from `flatten`.
    """

    def build(shape: Any) -> Any:
        match shape:
            case {"tensor": str(name), "here": bool(here)} if name in tensors:
                place = device if here else torch.device("cpu")
                return tensors[name].detach().to(place, copy=True)
            case {"dict": dict(items)}:
                return {key: build(item) for key, item in items.items()}
            case {"list": list(items)}:
                return [build(item) for item in items]
            case {"tuple": list(items)}:
                return tuple(build(item) for item in items)
            case {"plain": None | bool() | int() | float() | str() as value}:
                return value
        raise ValueError(f"expected a nest of tensors and numbers, found {shown(shape)}")

    text = tensors.get(SHAPE)
    if text is None or text.dtype != torch.uint8 or text.dim() != 1:
        raise ValueError(f"expected the tensor {SHAPE!r}, with the structure of the state")
    # The state of an optimizer may contain infinity, such as the best loss so far.
    return build(json_of(bytes(text.tolist()), infinite=True))
