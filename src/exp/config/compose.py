"""Composing with Hydra, and telling everything that is wrong with a command line at once.

Hydra stops at the first override that it cannot apply. Where it does, each override is looked at
by itself: those that are wrong are told, the others are composed, and validation adds what it
finds.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

import exp.config.grammar  # noqa: F401 - mends what Hydra reads overrides with
from exp.config import environment, suggestions
from exp.config.interpolation import bounded
from exp.config.presets import presets
from exp.registry import entry_points
from exp.registry.registry import register
from exp.util.errors import ConfigError, Fault, offer, shown, unknown

BROKEN = (
    HydraException, OmegaConfBaseException,
    ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RecursionError,
    TypeError, ValueError,
)  # fmt: skip
"""What Hydra raises for an override: its own errors, and whatever breaks inside it."""
QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
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
    found = sifted(loader, name, overrides, mode)
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
class Sifted:
    """The overrides of a command line that cannot be composed as a whole.

    Attributes:
        good: those that can be composed together.
        faults: what is wrong with the others.
        later: those that the runs of a sweep are to judge.
    """

    good: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    later: list[str] = field(default_factory=list)


def sifted(loader: ConfigLoader, name: str, overrides: list[str], mode: RunMode) -> Sifted:
    """The overrides that can be applied, and what is wrong with each of the others."""
    found = Sifted()
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
    base = tried(loader, name, found.good, chosen, faults, mode)
    faults += [several_fault(base, override) for override in several]
    faults += [value_fault(base, override) or round_list(override) for override in rounded]
    spoiled = {fault.path.split(".")[0] for fault in faults}
    judged_later = mode is RunMode.MULTIRUN and options_vary(base, swept, values, groups)
    known = []
    for override in values:
        fault = value_fault(base, override)
        if fault is None:
            known.append(override)
        elif judged_later and top_of(override) in base and top_of(override) not in WHOLE:
            found.later.append(str(override.input_line))
        elif top_of(override) not in spoiled:
            faults.append(fault)
    before = len(faults)
    tried(loader, name, found.good, known, faults, mode, base)
    if judged_later:
        bad = {fault.path for fault in faults[before:] if fault.path.split(".")[0] not in WHOLE}
        faults[before:] = [fault for fault in faults[before:] if fault.path not in bad]
        found.later += [str(o.input_line) for o in known if o.key_or_group in bad]
    found.good += [str(override.input_line) for override in swept]
    return found


WHOLE = ("hydra", "sweep", "run")
"""Keys that say something of a sweep as a whole: no run has options of them."""


def top_of(override: Override) -> str:
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


def tried(
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


def group_names(loader: ConfigLoader, parent: str = "") -> list[str]:
    """All config groups, nested ones with their path."""
    found = []
    for group in loader.list_groups(parent):
        path = f"{parent}/{group}" if parent else group
        found += [path, *group_names(loader, path)]
    return found


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
    node: Any = config
    walked: list[str] = []
    for part in key.split("."):
        where = ".".join(walked)
        if not OmegaConf.is_dict(node):
            return Fault(key, f"{where} holds {shown(OmegaConf.select(config, where))}, not keys")
        # Not `part in node`: that is false for a value that is still missing (???).
        if part not in node.keys():  # noqa: SIM118
            known = [str(name) for name in node if not (not walked and name == "hydra")]
            what = f"{where} has no key" if where else "there is no group or key"
            typed = None if override.is_delete() else str(override.input_line).partition("=")[2]
            hint = suggestions.of_key(config, key, typed)
            return Fault(key, f"{what} {part!r}.{hint} Known: {', '.join(known)}")
        walked.append(part)
        node = node._get_node(part)
    return None


def several_fault(config: DictConfig, override: Override) -> Fault:
    """That one run was given several values for a key; a list is written in brackets."""
    key, typed = override.key_or_group, str(override.input_line).partition("=")[2]
    if OmegaConf.is_dict(config) and (fault := value_fault(config, override)) is not None:
        return fault
    sweep = "(a sweep over several values needs -m)"
    now = suggestions.below(config, key)
    fitting = suggestions.fitting(now, typed)
    if OmegaConf.is_list(now):
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
        f"a list stands in square brackets.{offer(str(override.input_line))}",
    )


def unreadable(text: str, error: Exception, rest: Sequence[str] = ()) -> Fault:
    """Why a word is no override: at its key, if it has one.

    Args:
        rest: the other words of the command line.
    """
    key, equals, value = text.lstrip("+~").partition("=")
    if not equals and not text.startswith("~"):
        hint = suggestions.of_word(text, rest)
        what = "expected key=value, or a verb (exp list) as the first word"
        return Fault(shown(text), f"{what}.{hint}".removesuffix("."))
    reason = one_line(error)
    if GRAMMAR.search(reason):
        reason = ungrammatical(key, value)
    if re.fullmatch(r"[a-z_][\w/]*(\.\w+)*(@[\w.]*)?", key, re.ASCII):
        return Fault(key, f"cannot read {shown(value)}: {reason}")
    return Fault(shown(text), f"cannot be read as key=value: {reason}")


GRAMMAR = re.compile(
    r"LexerNoViableAlt|no viable alternative|(?:mismatched|extraneous) input|missing .+ at "
    r"|token recognition error"
)
"""What a parser says to its developers."""
CLOSING = {"[": "]", "(": ")", "{": "}"}


def ungrammatical(key: str, value: str) -> str:
    """Why Hydra's grammar has no place for a value, and how to write it."""
    plain = QUOTED.sub("q", value)
    if quote := re.search(r"['\"]", plain):
        return f"the quote {quote[0]} is not closed"
    opened = []
    for character in plain:
        if character in CLOSING:
            opened.append(character)
        elif character in CLOSING.values() and (not opened or CLOSING[opened.pop()] != character):
            return f"{character!r} closes nothing that was opened"
    if opened:
        return f"{opened[-1]!r} is not closed: {CLOSING[opened[-1]]!r} is missing"
    if re.search(r"(?:^|[\[({,])\s*,|,\s*(?:$|[\])}])", plain):
        return "a value is missing before or after a comma"
    if re.search(r"\s[\w.]+=", plain):
        return "expected one setting, found several: write a space, outside of quotes, between them"
    quoted = shlex.quote(f"{key}={QuotedString(text=value, quote=Quote.double).with_quotes()}")
    odd = re.search(r"[^\w./\\+$%*@?|:,\s-]", plain, re.ASCII)
    which = f"hold {odd[0]!r}" if odd else "be written like this"
    return f"only a text in quotes may {which}: {quoted}"


SKIPPED = (
    "full_key:", "object_type=", "reference_type=", "Set the", "See https:", "provider=",
    "Config search path:", "Error parsing override",
)  # fmt: skip


def one_line(error: Exception, limit: int = 300) -> str:
    """The text of an error of Hydra's on one line, without what only its developers need."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(SKIPPED)]
    text = "; ".join(kept) or type(error).__name__
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return text if len(text) <= limit else text[: limit - 3] + "..."


@bounded()
def resolved(config: DictConfig, faults: list[Fault]) -> dict[str, Any]:
    """Plain values of everything but Hydra's own node, interpolations resolved.

    Raises:
        ConfigError: an interpolation leads nowhere; with `faults` and all that is wrong besides.
    """
    plain: dict[str, Any] = {}
    found: list[Fault] = []
    for key in config:
        if key == "hydra" or OmegaConf.is_missing(config, key):
            continue
        try:
            plain[str(key)] = value_of(config, str(key))
        except ConfigError as error:
            found += error.faults
    if found:
        from exp.config.schema import plan

        if "seed" not in plain:  # one bad seed shows through all four of `seeds`
            found = [fault for fault in found if not fault.path.startswith("seeds.")]
        told = {fault.path.split(".")[0] for fault in found}
        try:
            plan(plain)
        except ConfigError as error:
            found += [fault for fault in error.faults if fault.path.split(".")[0] not in told]
        raise ConfigError([*faults, *found])
    return with_texts(config, plain)


def unresolved(config: DictConfig) -> dict[str, Any]:
    """Plain values of a config, interpolations as they are written."""
    return OmegaConf.to_container(config, resolve=False, enum_to_str=True)  # type: ignore[return-value]


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
        node = config._get_node(key)
        if OmegaConf.is_config(node):
            plain = OmegaConf.to_container(node, resolve=True, throw_on_missing=False)
            return without_missing(plain)
        return config[key]
    except BROKEN as error:
        raise ConfigError(list(dangling(config, key)) or [Fault(key, one_line(error))]) from None


def dangling(node: Any, key: Any, path: str = "") -> Iterator[Fault]:
    """The values below a key that cannot be resolved, each at its own path."""
    path = f"{path}.{key}" if path else str(key)
    try:
        child = node._get_node(key)
        if not OmegaConf.is_config(child) or OmegaConf.is_interpolation(node, key):
            OmegaConf.is_missing(node, key) or node[key]
            return
    except BROKEN as error:
        yield Fault(path, one_line(error))
        return
    for below in child if OmegaConf.is_dict(child) else range(len(child)):
        yield from dangling(child, below, path)


def without_missing(value: Any) -> Any:
    """Leaves out keys marked as missing (`???`), so that validation names them as required."""
    if isinstance(value, Mapping):
        return {k: without_missing(v) for k, v in value.items() if v != "???"}
    return value
