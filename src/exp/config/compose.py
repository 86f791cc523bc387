"""Composing with Hydra, and finding everything that is wrong with a command line at once.

Hydra stops at the first override that it cannot apply. Where it does, each override is looked at
by itself: those that are wrong are reported, the others are composed, and validation adds what it
finds.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

import exp.config.grammar  # noqa: F401 - mends what Hydra reads overrides with
from exp.config import environment, suggestions
from exp.config.hydra_errors import BROKEN, one_line, unreadable
from exp.config.interpolation import bounded, exceeded
from exp.config.override_faults import (
    group_fault,
    round_list,
    several_fault,
    unfitting,
    value_fault,
)
from exp.config.plan import plan
from exp.config.presets import presets
from exp.config.settings import OF_THE_SWEEP
from exp.config.unresolved import unresolved, value_at, walk, without_missing
from exp.util.errors import ConfigError, Fault, shown

SEVERAL = re.compile(r"\+{0,2}[a-z_]+(@[\w.]*)?=\s*\[")
"""A list for a top-level key: of a group, Hydra would merge these options into one."""


def resolvers() -> None:
    """Names for directories: `exp.id` is drawn once for each config, so that two runs that start
    in the same moment never share one."""
    OmegaConf.register_new_resolver(
        "exp.id", lambda: secrets.token_hex(3), use_cache=True, replace=True
    )
    OmegaConf.register_new_resolver("exp.slug", slug, replace=True)
    environment.register()


def slug(text: str, limit: int = 100) -> str:
    """A text as part of a file name: nothing in it can leave the directory."""
    bare = re.sub(r"(?:(?<=[=,])|^)(['\"])(.*?)\1(?=,|$)", r"\2", str(text))
    return re.sub(r"[^A-Za-z0-9._=,+-]+", "_", bare).strip(".-")[:limit]


def compose(
    loader: ConfigLoader, name: str, overrides: list[str], mode: RunMode
) -> tuple[DictConfig, list[Fault]]:
    """The composed config, and the faults of the overrides that were left out of it.

    Where groups are swept, an override that does not fit the options of this config may fit those
    of the runs: it is left out of the config, and to them.

    Args:
        name: of the primary config.
        overrides: as on the command line.

    Raises:
        ConfigError: nothing can be composed, since a config file itself is at fault.
    """
    try:
        if not any(map(SEVERAL.match, overrides)):
            return loader.load_configuration(name, overrides, run_mode=mode), []
    except BROKEN:
        pass
    found = usable_overrides(loader, name, overrides, mode)
    if found.faults and found.config is not None:
        return found.config, found.faults
    try:
        config = loader.load_configuration(name, found.good, run_mode=mode)
    except BROKEN as error:
        raise ConfigError([*found.faults, primary_fault(name, error)]) from None
    if found.later:
        task = {*config.hydra.overrides.task, *found.later}
        with open_dict(config.hydra):
            config.hydra.overrides.task = [text for text in overrides if text in task]
    return config, found.faults


def primary_fault(name: str, error: Exception) -> Fault:
    """Why nothing can be composed from a primary config."""
    missing = isinstance(error, MissingConfigException) and error.missing_cfg_file
    if missing and str(missing).removesuffix(".yaml") == name.removesuffix(".yaml"):
        file = f"{name.removesuffix('.yaml')}.yaml"
        what = f"there is no config file {file!r} in ./conf, --config-dir or --config-path"
        hint = f" Did you mean experiment={name}?" if name in presets() else ""
        return Fault("--config-name", f"{what}.{hint}".removesuffix("."))
    return Fault(name, one_line(error))


def draws(config: DictConfig) -> bool:
    """Whether a config that is not validated yet asks for figures."""
    try:
        return OmegaConf.select(config, "figures.name") not in (None, "none")
    except OmegaConfBaseException:  # validation tells what is wrong
        return False


@dataclass
class Usable:
    """The overrides of a command line that cannot be composed as a whole.

    Attributes:
        good: those that can be composed together.
        faults: what is wrong with the others.
        later: those that the runs of a sweep are to judge.
        config: what `good` gives, if it has been composed already and none are `later`.
    """

    good: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    config: DictConfig | None = None


def usable_overrides(
    loader: ConfigLoader, name: str, overrides: list[str], mode: RunMode
) -> Usable:
    """The overrides that can be applied, and what is wrong with each of the others."""
    found = Usable()
    faults = found.faults
    parser = OverridesParser.create(config_loader=loader)
    parsed: list[Override] = []
    rounded: list[Override] = []
    split = list(suggestions.split_words(overrides))
    for start, _, reason in split:
        key = overrides[start].lstrip("+~").partition("=")[0]
        faults.append(Fault(key if suggestions.is_key(key) else shown(key), reason))
    apart = {at for start, stop, _ in split for at in range(start, stop)}
    for at, text in enumerate(overrides):
        if at in apart:
            continue
        key, _, value = text.partition("=")
        if re.fullmatch(r"\([^()]*\)", value):
            with contextlib.suppress(*BROKEN):
                rounded += parser.parse_overrides([f"{key}={suggestions.listed(value)}"])
                continue
        try:
            parsed.extend(parser.parse_overrides([text]))
        except BROKEN as error:
            rest = [word for word in overrides if word != text]
            faults.append(unreadable(text, error, rest))
    groups = set(group_names(loader))
    chosen, values, swept, several = [], [], [], []
    for override in parsed:
        if override.is_sweep_override() and mode is RunMode.RUN:
            several.append(override)
        elif override.is_sweep_override():
            swept.append(override)  # each of its values is looked at in the run that has it
        elif override.key_or_group in groups:
            fault = group_fault(loader, override)
            faults += [fault] if fault else []
            chosen += [] if fault else [override]
        else:
            values.append(override)
    base = add_composable(loader, name, found.good, chosen, faults, mode)
    faults += [several_fault(base, override) for override in several]
    faults += [value_fault(base, override) or round_list(override) for override in rounded]
    faulty = {fault.path.split(".")[0] for fault in faults}
    left_to_runs = mode is RunMode.MULTIRUN and options_vary(base, swept, values, groups)
    known = []
    for override in values:
        fault = value_fault(base, override)
        if fault is None:
            known.append(override)
        elif (
            left_to_runs
            and top_key(override) in base
            and top_key(override) not in (*OF_THE_SWEEP, "hydra")
        ):
            found.later.append(str(override.input_line))
        elif top_key(override) not in faulty:
            faults.append(fault)
    before = len(faults)
    config = add_composable(loader, name, found.good, known, faults, mode, base)
    if left_to_runs:
        bad = {
            fault.path
            for fault in faults[before:]
            if fault.path.split(".")[0] not in (*OF_THE_SWEEP, "hydra")
        }
        faults[before:] = [fault for fault in faults[before:] if fault.path not in bad]
        found.later += [str(o.input_line) for o in known if o.key_or_group in bad]
    found.good += [str(override.input_line) for override in swept]
    found.config = None if swept or found.later else config
    return found


def top_key(override: Override) -> str:
    """The top-level key below which an override sets something."""
    return str(override.key_or_group).partition(".")[0]


def options_vary(
    config: DictConfig, swept: list[Override], values: list[Override], groups: set[str]
) -> bool:
    """Whether the runs of a sweep may choose other options than its own config does."""
    files = any(override.key_or_group == "sweep.file" for override in values)
    try:
        files = files or bool(OmegaConf.select(config, "sweep.file"))
        params = list(OmegaConf.select(config, "hydra.sweeper.params") or ())
    except OmegaConfBaseException:
        params = []
    keys = [*(override.key_or_group for override in swept), *map(str, params)]
    return files or any(key.lstrip("+").partition("@")[0] in groups for key in keys)


def add_composable(
    loader: ConfigLoader,
    name: str,
    good: list[str],
    overrides: list[Override],
    faults: list[Fault],
    mode: RunMode,
    base: DictConfig | None = None,
) -> DictConfig:
    """Adds to `good` what composes together with it, and a fault to `faults` for all else.

    Args:
        base: composed from `good`, if that is done already: then the overrides are of values.

    Returns:
        The config composed from `good`, as it is then.

    Raises:
        ConfigError: `good` alone cannot be composed.
    """
    if base is not None and not overrides:
        return base
    composed: DictConfig
    lines = [str(override.input_line) for override in overrides]
    try:
        composed = loader.load_configuration(name, [*good, *lines], run_mode=mode)
        good += lines
        return composed
    except BROKEN:
        pass
    try:
        composed = base or loader.load_configuration(name, good, run_mode=mode)
    except BROKEN as error:
        raise ConfigError([*faults, primary_fault(name, error)]) from None
    for override, line in zip(overrides, lines, strict=True):
        try:
            composed = loader.load_configuration(name, [*good, line], run_mode=mode)
            good.append(line)
        except BROKEN as error:
            message = unfitting(composed, override) if base else None
            faults.append(Fault(override.key_or_group, message or one_line(error)))
    return composed


def group_names(loader: ConfigLoader, parent: str = "") -> list[str]:
    """All config groups, nested ones with their path."""
    found = []
    for group in loader.list_groups(parent):
        path = f"{parent}/{group}" if parent else group
        found += [path, *group_names(loader, path)]
    return found


@bounded()
def resolved(
    config: DictConfig, faults: list[Fault], known: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Plain values of everything but Hydra's own node, interpolations resolved.

    Args:
        known: the plain values of some top-level keys.

    Raises:
        ConfigError: an interpolation leads nowhere; with `faults` and all that is wrong besides.
    """
    plain: dict[str, Any] = {}
    found: list[Fault] = []
    for key in config:
        if key == "hydra" or OmegaConf.is_missing(config, key):
            continue
        if known is not None and key in known:
            plain[str(key)] = known[str(key)]
            continue
        try:
            plain[str(key)] = value_of(config, str(key))
        except ConfigError as error:
            if exceeded():  # other keys may take as long to find this out
                raise ConfigError([*faults, *found, *error.faults]) from None
            found += error.faults
    if found:
        if "seed" not in plain:  # one bad seed shows through all four of `seeds`
            found = [fault for fault in found if not fault.path.startswith("seeds.")]
        reported = {fault.path.split(".")[0] for fault in found}
        try:
            plan(plain)
        except ConfigError as error:
            found += [fault for fault in error.faults if fault.path.split(".")[0] not in reported]
        raise ConfigError([*faults, *found])
    return with_texts(config, plain)


def with_texts(config: DictConfig, plain: dict[str, Any]) -> dict[str, Any]:
    """Resolved values, with the texts of those that were read from the environment."""
    plain.pop(environment.WRITTEN, None)
    found = environment.texts(config, plain)
    return {**plain, environment.WRITTEN: found} if found else plain


@bounded()
def value_of(config: DictConfig, key: str) -> Any:
    """The plain value of a top-level key, interpolations resolved.

    Raises:
        ConfigError: an interpolation leads nowhere.
    """
    try:
        found = config[key]
        if OmegaConf.is_config(found):
            plain = OmegaConf.to_container(found, resolve=True, throw_on_missing=False)
            return without_missing(plain)
        return found
    except BROKEN as error:
        raise ConfigError(list(dangling(config, key)) or [Fault(key, one_line(error))]) from None


def dangling(config: DictConfig, key: str) -> Iterator[Fault]:
    """The interpolations below a key that lead nowhere, each at its own path."""
    for keys, text in walk(unresolved(config)[key], (key,)):
        if isinstance(text, str) and "${" in text:
            try:
                value_at(config, keys)
            except BROKEN as error:
                yield Fault(".".join(keys), one_line(error))
