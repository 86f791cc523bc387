"""Nested state as a flat dict of tensors and back, without loss: what a checkpoint can hold.

The shape of the nest and its plain values travel as JSON in one more tensor, of bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

SHAPE = "nest"


def flatten(nest: Any, device: torch.device) -> dict[str, Tensor]:
    """The tensors of a nest by their place in it, and the nest's shape under `SHAPE`.

    Args:
        nest: dicts with string keys, lists, tuples, tensors, numbers, strings and None.
        device: where the nest is used. A tensor elsewhere is on the CPU on purpose, and will be
            there again.

    Raises:
        TypeError: for anything else, since it could not be restored.
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
        raise TypeError(f"{place} is a {type(value).__name__}, which a checkpoint cannot hold")

    text = json.dumps(shape(nest, "state")).encode()
    return {SHAPE: torch.tensor(list(text), dtype=torch.uint8), **tensors}


def unflatten(tensors: Mapping[str, Tensor], device: torch.device) -> Any:
    """The nest that `flatten` took apart, in copies."""

    def build(shape: dict[str, Any]) -> Any:
        if "tensor" in shape:
            place = device if shape["here"] else torch.device("cpu")
            return tensors[shape["tensor"]].detach().to(place, copy=True)
        if "dict" in shape:
            return {key: build(item) for key, item in shape["dict"].items()}
        if "list" in shape:
            return [build(item) for item in shape["list"]]
        if "tuple" in shape:
            return tuple(build(item) for item in shape["tuple"])
        return shape["plain"]

    return build(json.loads(bytes(tensors[SHAPE].tolist()).decode()))
