"""What is wrong with an override that Hydra can read: its group, option, key or value."""

from __future__ import annotations

from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from exp.config import suggestions
from exp.config.hydra_errors import BROKEN
from exp.config.unresolved import unresolved
from exp.registry import entry_points
from exp.registry.registry import register
from exp.util.errors import Fault, offer, shown, unknown


def group_fault(loader: ConfigLoader, override: Override) -> Fault | None:
    """What is wrong with `group=option`."""
    value, group = override.value(), override.key_or_group
    options = loader.get_group_options(group)
    named = value if isinstance(value, list) else [value]
    if isinstance(value, list) and group in register.kinds and group not in suggestions.SEVERAL:
        known = [suggestions.figure(name) for name in named] if group == "figures" else []
        if known and all(known):
            draw = ",".join(str(name) for name in named)
            hint = offer(f"figures.draw=[{draw}]")
            return Fault(group, f"expected one option, found {shown(value)}.{hint}")
        return Fault(group, suggestions.several(group, named))
    for option in named:
        if str(option) not in options and not override.is_delete():
            entry_points.load()
            options = loader.get_group_options(group)
            if str(option) not in options:
                hint = suggestions.of_option(group, option, options)
                return Fault(group, unknown("option", option, options, "There are", hint))
    return None


def value_fault(config: DictConfig, override: Override) -> Fault | None:
    """What is wrong with `key.path=value`: a key that is not there, and the nearest that is."""
    key = override.key_or_group
    if not key:
        return Fault(shown(override.input_line), "expected key=value, found no key")
    if override.is_add() or override.is_force_add():
        return None
    node: Any = unresolved(config)
    keys = key.split(".")
    for place, part in enumerate(keys):
        where = ".".join(keys[:place])
        if not isinstance(node, dict):
            return Fault(
                key, f"{where} has the value {shown(OmegaConf.select(config, where))}, not keys"
            )
        if part not in node:
            known = [str(name) for name in node if where or name != "hydra"]
            what = f"{where} has no key" if where else "there is no group or key"
            typed = None if override.is_delete() else str(override.input_line).partition("=")[2]
            hint = suggestions.of_key(config, key, typed)
            return Fault(key, f"{what} {part!r}.{hint} Known: {', '.join(known)}")
        node = node[part]
    return None


def several_fault(config: DictConfig, override: Override) -> Fault:
    """That one run was given several values for a key; a list is written in brackets."""
    key, typed = override.key_or_group, str(override.input_line).partition("=")[2]
    if OmegaConf.is_dict(config) and (fault := value_fault(config, override)) is not None:
        return fault
    sweep = "(a sweep over several values needs -m)"
    now = suggestions.below(unresolved(config), key)
    fitting = suggestions.fitting(now, typed)
    if isinstance(now, list):
        what = f"expected a list, found {shown(typed)}"
    elif fitting != typed:
        what = f"expected a number, found {shown(typed)}"
    else:
        hint = offer("-m", f"{key}={typed}")
        return Fault(key, f"{shown(typed)} names several values; a sweep needs -m.{hint}")
    return Fault(key, f"{what}.{offer(f'{key}={fitting}')} {sweep}")


def round_list(override: Override) -> Fault:
    """That a list stands in round brackets, as a tuple of Python."""
    return Fault(
        override.key_or_group,
        f"write a list in square brackets.{offer(str(override.input_line))}",
    )


def unfitting(config: DictConfig, override: Override) -> str | None:
    """That a value is of another shape than what it is to replace, where that is so."""
    try:
        value, node = override.value(), OmegaConf.select(config, override.key_or_group)
    except BROKEN:
        return None
    for wanted, is_one in (("a mapping", OmegaConf.is_dict), ("a list", OmegaConf.is_list)):
        if is_one(node) and not isinstance(value, dict if wanted == "a mapping" else list):
            return f"expected {wanted}, found {shown(value)}"
    return None
