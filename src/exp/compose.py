"""Composing with Hydra, and telling everything that is wrong with a command line at once.

Hydra stops at the first override that it cannot apply. Where it does, each override is looked at
by itself: those that are wrong are told, the others are composed, and validation adds what it
finds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from exp.errors import ConfigError, Fault, nearest, shown, unknown


def compose(
    loader: ConfigLoader, name: str, overrides: list[str], mode: RunMode
) -> tuple[DictConfig, list[Fault]]:
    """The composed config, and the faults of the overrides that were left out of it.

    Args:
        name: of the primary config.
        overrides: as on the command line.

    Raises:
        ConfigError: nothing can be composed, since a config file itself is at fault.
    """
    try:
        return loader.load_configuration(name, overrides, run_mode=mode), []
    except (HydraException, OmegaConfBaseException, ValueError, RecursionError):
        pass
    good, faults = sifted(loader, name, overrides, mode)
    try:
        return loader.load_configuration(name, good, run_mode=mode), faults
    except (HydraException, OmegaConfBaseException, ValueError, RecursionError) as error:
        raise ConfigError([*faults, Fault(name, one_line(error))]) from None


def sifted(
    loader: ConfigLoader, name: str, overrides: list[str], mode: RunMode
) -> tuple[list[str], list[Fault]]:
    """The overrides that can be applied, and what is wrong with each of the others."""
    faults: list[Fault] = []
    parser = OverridesParser.create(config_loader=loader)
    parsed: list[Override] = []
    for text in overrides:
        try:
            parsed.extend(parser.parse_overrides([text]))
        except (HydraException, OmegaConfBaseException, ValueError, RecursionError) as error:
            faults.append(Fault(shown(text), unreadable(text, error)))
    groups = set(group_names(loader))
    chosen, values = [], []
    for override in parsed:
        key = override.key_or_group
        if override.is_sweep_override():
            faults.append(
                Fault(
                    key,
                    f"{shown(str(override.value_string()))} names several values; a sweep needs -m",
                )
            )
        elif key in groups:
            fault = group_fault(loader, override)
            faults += [fault] if fault else []
            chosen += [] if fault else [override]
        else:
            values.append(override)
    spoiled = {fault.path.split(".")[0] for fault in faults}
    good = [str(override.input_line) for override in chosen]
    try:
        base = loader.load_configuration(name, good, run_mode=mode)
    except (HydraException, OmegaConfBaseException, ValueError, RecursionError) as error:
        raise ConfigError([*faults, Fault(name, one_line(error))]) from None
    for override in values:
        fault = value_fault(base, override)
        if fault is None:
            good.append(str(override.input_line))
        elif override.key_or_group.split(".")[0] not in spoiled:
            faults.append(fault)
    # What is left may still not compose (a value where a mapping stands, say): one by one.
    for text in [str(override.input_line) for override in values]:
        if text not in good:
            continue
        try:
            loader.load_configuration(
                name,
                [*(g for g in good if g not in (str(v.input_line) for v in values)), text],
                run_mode=mode,
            )
        except (HydraException, OmegaConfBaseException, ValueError, RecursionError) as error:
            good.remove(text)
            faults.append(Fault(text.partition("=")[0].lstrip("+~"), one_line(error)))
    return good, faults


def group_names(loader: ConfigLoader, parent: str = "") -> list[str]:
    """All config groups, nested ones with their path."""
    found = []
    for group in loader.list_groups(parent):
        path = f"{parent}/{group}" if parent else group
        found += [path, *group_names(loader, path)]
    return found


def group_fault(loader: ConfigLoader, override: Override) -> Fault | None:
    """What is wrong with `group=option`."""
    value = override.value()
    options = loader.get_group_options(override.key_or_group)
    named = value if isinstance(value, list) else [value]
    for option in named:
        if option is not None and str(option) not in options and not override.is_delete():
            return Fault(override.key_or_group, unknown("option", option, options, "There are"))
    return None


def value_fault(config: DictConfig, override: Override) -> Fault | None:
    """What is wrong with `key.path=value`: a key that is not there, and the nearest that is."""
    key = override.key_or_group
    if override.is_add() or override.is_force_add():
        return None
    node: Any = config
    walked: list[str] = []
    for part in key.split("."):
        if not OmegaConf.is_dict(node):
            return None
        if part not in node:
            known = [str(name) for name in node if not (not walked and name == "hydra")]
            where = ".".join(walked)
            what = f"{where} has no key" if where else "there is no group or key"
            listing = ", ".join(known)
            return Fault(key, f"{what} {part!r}.{nearest(part, known)} Known: {listing}")
        walked.append(part)
        try:
            node = node._get_node(part)
        except OmegaConfBaseException:
            return None
        if node is not None and OmegaConf.is_missing(config, part):
            return None
    return None


def unreadable(text: str, error: Exception) -> str:
    if "=" not in text and not text.startswith("~"):
        return "expected key=value, or a verb (exp list) as the first word"
    return f"cannot be read as key=value: {one_line(error)}"


def one_line(error: Exception, limit: int = 300) -> str:
    """The text of an error of Hydra's on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(("full_key:", "object_type=", "Set the"))]
    text = "; ".join(kept) or type(error).__name__
    return text if len(text) <= limit else text[: limit - 3] + "..."


def resolved(config: DictConfig, faults: list[Fault]) -> dict[str, Any]:
    """Plain values of everything but Hydra's own node, interpolations resolved.

    Raises:
        ConfigError: an interpolation leads nowhere.
    """
    plain: dict[str, Any] = {}
    found = list(faults)
    for key in config:
        if key == "hydra":
            continue
        try:
            node = config._get_node(key)
            if OmegaConf.is_config(node):
                plain[str(key)] = OmegaConf.to_container(node, resolve=True, throw_on_missing=False)
            else:
                plain[str(key)] = config[key]
        except (OmegaConfBaseException, RecursionError, ValueError) as error:
            found.append(Fault(str(key), one_line(error)))
    if len(found) > len(faults):
        raise ConfigError(found)
    return {key: without_missing(value) for key, value in plain.items()}


def without_missing(value: Any) -> Any:
    """Leaves out keys marked as missing (`???`), so that validation names them as required."""
    if isinstance(value, Mapping):
        return {k: without_missing(v) for k, v in value.items() if v != "???"}
    return value
