"""Settings of a data set among the words of a config, with which `exp fit` reads a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from exp.config.text_values import words
from exp.registry.registry import register
from exp.util.errors import ConfigError, ExpError, Fault, shown

OPTIONS = {"path": "FILE", "target": "--target", "weights": "--weights", "name": "FILE"}
"""Keys that options of `exp fit` set."""


class TableOptions(NamedTuple):
    """The words of a config.

    Attributes:
        settings: of the data set.
        rest: all other words.
        parts: the column that says which rows train and which test (`split.column`), if any.
    """

    settings: dict[str, Any]
    rest: list[str]
    parts: str | None


def table_options(given: Iterable[str], kind: str, path: str, target: str) -> TableOptions:
    """The settings of the data set, and the other words.

    Args:
        given: `key=value`.
        kind: csv or parquet.
        path, target: of the table.

    Raises:
        ExpError: a word is no override, or has several values.
        ConfigError: there is no such setting, or its value does not fit.
    """
    settings: dict[str, Any] = {}
    rest: list[str] = []
    parts: str | None = None
    faults = []
    for word in words(given, sweeps=False, chosen={"dataset": kind}):
        try:
            (override,) = OverridesParser.create().parse_overrides([word])
            value = override.value()
        except (HydraException, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise ExpError(f"--config: expected KEY=VALUE, found {shown(word)}: {reason}") from None
        group, _, key = override.key_or_group.partition(".")
        if override.is_sweep_override():
            faults.append(Fault(override.key_or_group, "expected one value, found several"))
        elif group != "dataset":
            rest.append(word)
            if override.key_or_group == "split.column" and isinstance(value, str):
                parts = value
        elif not key or key in OPTIONS:
            what = f"use {OPTIONS.get(key, 'FILE')} of exp fit"
            faults.append(Fault(override.key_or_group, what))
        else:
            settings[key] = value
    if faults:
        raise ConfigError(faults)
    register.choose("dataset", {"name": kind, "path": path, "target": target, **settings})
    return TableOptions(settings, rest, parts)
