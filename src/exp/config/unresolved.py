"""Config nodes as plain values whose interpolations are not resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

Keys = tuple[str, ...]


def unresolved(config: DictConfig | ListConfig) -> Any:
    """Plain values of a config, interpolations as they are written."""
    return OmegaConf.to_container(config, resolve=False, enum_to_str=True)


def walk(value: Any, keys: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """A plain value and all that stand below it, each with its keys."""
    yield keys, value
    if isinstance(value, (dict, list)):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, below in pairs:
            yield from walk(below, (*keys, str(key)))


def value_at(config: Any, keys: Keys) -> Any:
    """The value of a config at some keys, resolved.

    Raises:
        OmegaConfBaseException: an interpolation leads nowhere.
        LookupError: there is no such key.
    """
    node = config
    for key in keys:
        node = node[int(key)] if OmegaConf.is_list(node) else node[key]
    return node


def without_missing(value: Any) -> Any:
    """Leaves out keys marked as missing (`???`), so that validation names them as required."""
    if isinstance(value, Mapping):
        return {k: without_missing(v) for k, v in value.items() if v != "???"}
    return value
