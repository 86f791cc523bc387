"""What a word of a command line that cannot be used was probably meant to be.

Every hint is a sentence `Did you mean ...?` with what to type, quoted for a shell; or nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from omegaconf import DictConfig

from exp.config import presets
from exp.config.unresolved import unresolved
from exp.plotting.names import EVERY
from exp.registry import aliases
from exp.util.errors import closest, nearest, offer, shown

SUFFIXES = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".data": "csv",
    ".parquet": "parquet", ".pq": "parquet", ".npz": "npz",
}  # fmt: skip
"""How the name of a table ends, and the option of `dataset` that reads it."""
TARGET = "dataset.target=COLUMN"
SEVERAL = ("logger", "experiment")
"""Groups of which several options can be chosen at once."""
HYDRAS = ("run.dir", "sweep.subdir", "job.name", "job.chdir")
"""Keys of Hydra's own node that are typed without its name; `sweep.dir` is one of exp's."""
TRAIN = ("run", "train", "fit", "start", "go", "learn", "execute", "exec")
SWEEP = ("sweep", "multirun", "grid", "search", "tune")
VERBS = {
    "resume": ("continue", "restart", "goon"),
    "rerun": ("repeat", "redo", "again"),
    "compare": ("diff",),
    "results": ("summary", "table", "leaderboard", "scores", "runs", "ranking", "best"),
    "report": ("html", "dashboard", "page", "plot"),
    "predict": ("evaluate", "eval", "infer", "inference", "test", "score"),
    "export": ("onnx", "save", "deploy"),
    "list": ("ls", "show", "options", "groups", "info"),
    "new": ("init", "create", "generate", "template"),
    "check": ("validate", "lint"),
    "--help": ("help", "usage", "man"),
    "--version": ("version",),
    "--cfg job": ("config", "cfg", "conf"),
}
"""A verb or flag, and the verbs of other programs that do the like."""


def options(group: str) -> list[str]:
    """The packaged options of a group; nothing is imported to know them."""
    if group == presets.GROUP:
        return list(presets.presets())
    folder = files("exp.conf") / group
    names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def groups() -> list[str]:
    """The packaged groups, those first whose options are named most."""
    first = ["dataset", "model", "optimizer", "loss", "scheduler", "split", "activation"]
    found = sorted(each.name for each in files("exp.conf").iterdir() if each.is_dir())
    rest = [name for name in found if name not in first and name[0] not in "._"]
    return [*first, *(name for name in rest if name != "hydra")]


def chosen(group: str, option: str) -> str:
    """The override that chooses an option."""
    return f"model.activation={option}" if group == "activation" else f"{group}={option}"


def table(text: str) -> list[str]:
    """The overrides that read a file, where a text is the name of one; else nothing."""
    ending = os.path.splitext(text)[1].lower()
    if ending not in SUFFIXES or not text.removesuffix(ending):
        return []
    needed = [] if SUFFIXES[ending] == "npz" else [TARGET]
    return [f"dataset={SUFFIXES[ending]}", f"dataset.path={text}", *needed]


def anywhere(word: object) -> list[str]:
    """The overrides that do what a word names, in whichever group; nothing where none do."""
    if found := table(str(word)):
        return found
    if str(word) in aliases.NONE:
        return []
    for group in groups():
        if (name := aliases.spelled(word, options(group))) is not None:
            return [chosen(group, name)]
    if found := aliases.overrides(word):
        return found
    for group in groups():
        if (name := aliases.option(group, word)) is not None:
            return [chosen(group, name)]
    return figure(word)


def figure(word: object) -> list[str]:
    """The override that draws the figure which a word names; nothing where it names none."""

    name = aliases.spelled(word, EVERY)
    return [] if name is None else [f"figures.draw=[{name}]"]


def of_option(group: str, word: object, known: Sequence[str]) -> str:
    """What an unknown option of a group was meant to be.

    Args:
        known: the options of the group.
    """
    if found := table(str(word)):
        return offer(*found)
    similar = aliases.spelled(word, known) or closest(str(word), known, 0.85)
    name = similar or aliases.option(group, word)
    if name in known:
        return nearest(str(name), known)
    if group == "figures" and (found := figure(word)):
        return offer(*found)
    return offer(*found) if (found := anywhere(word)) else nearest(str(word), known)


def of_key(config: Mapping[Any, Any], path: str, value: str | None = None) -> str:
    """What a key that is not there was meant to be.

    Args:
        config: as it is without the key; plain values or OmegaConf's.
        value: as it was typed; None: not known.
    """
    if isinstance(config, DictConfig):
        config = unresolved(config)
    found = key(config, path)
    if found is None or value is None:
        named = path.rpartition(".")[2] if found is None and "." not in path else None
        words = aliases.overrides(named) if named else []
        return offer(*words) if words else f" Did you mean {found!r}?" if found else ""
    return offer(f"{found}={fitting(below(config, found), value)}")


def key(config: Mapping[Any, Any], path: str) -> str | None:
    """The key that was meant by one that is not there."""
    group, dot, name = path.rpartition(".")
    top = [str(each) for each in config if each != "hydra"]
    if not dot:
        return top_level(config, top, name)
    if path in HYDRAS:
        return f"hydra.{path}"
    if "." in group:
        close = closest(name, within(config, group))
        return f"{group}.{close}" if close else None
    if group not in top:
        meant = aliases.spelled(group, top) or aliases.group(group) or closest(group, top)
        if meant is None:
            return any_group(config, name)
        whole = f"{meant}.{name}"
        return whole if there(config, whole) else key(config, whole) if meant in top else None
    inside = within(config, group)
    named = [each for each in aliases.keys(name) if each.startswith(f"{group}.")]
    near = next((each for each in named if there(config, each)), None)
    close = aliases.spelled(name, inside)
    if close is None and near is None:
        close = closest(name, inside)
    return f"{group}.{close}" if close else near or any_group(config, name)


def top_level(config: Mapping[Any, Any], top: Sequence[str], name: str) -> str | None:
    """The key that was meant by a top-level one that is not there."""
    meant = aliases.spelled(name, top) or any_group(config, name) or aliases.group(name)
    if meant is not None:
        return meant
    places = {last: f"{group}.{last}" for group in reversed(top) for last in within(config, group)}
    places |= {each: each for each in (*top, "experiment")}
    close = closest(name, places)
    return places[close] if close else None


def any_group(config: Mapping[Any, Any], name: str) -> str | None:
    """The key of whichever group that has this name, or is meant by it."""
    for group in config:
        if group != "hydra" and (same := aliases.spelled(name, within(config, str(group)))):
            return f"{group}.{same}"
    return next((path for path in aliases.keys(name) if there(config, path)), None)


def within(config: Mapping[Any, Any], group: str) -> list[str]:
    """The keys of a group; of anything else, nothing."""
    node = below(config, group)
    return [str(each) for each in node if each != "name"] if isinstance(node, Mapping) else []


def below(config: Mapping[Any, Any], path: str) -> Any:
    """What stands at a path, interpolations as they are; None where nothing does."""
    node: Any = config
    for part in path.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def there(config: Mapping[Any, Any], path: str) -> bool:
    """Whether a config has a key, be it without a value."""
    group, _, name = path.rpartition(".")
    node = below(config, group) if group else config
    return path.startswith("hydra.") or (isinstance(node, Mapping) and name in node)


def fitting(node: Any, typed: str) -> str:
    """A value as it is typed, in brackets and with a point for a decimal comma where what it is to
    replace is a list or a number."""
    if isinstance(node, Sequence) and not isinstance(node, str):
        return listed(typed)
    comma = re.fullmatch(r"(-?\d+),(\d+)", typed)
    return f"{comma[1]}.{comma[2]}" if comma and isinstance(node, float) else typed


def listed(typed: str) -> str:
    """A value as it is typed, as a list."""
    return f"[{typed.strip('()[], ')}]"


def of_word(word: str, rest: Sequence[str], verbs: Sequence[str] = ()) -> str:
    """What a word without `=` was meant to be.

    Args:
        rest: the other words of the command line.
        verbs: of exp.
    """
    if word in SWEEP:
        return f" A sweep is exp -m.{offer('-m', *rest)}" if rest else " A sweep is exp -m."
    for ours, also in VERBS.items():
        if word.lower() in also and word not in verbs:
            return offer(*ours.split(), *(() if ours[0] == "-" else rest))
    if word.lower() in TRAIN or closest(word.lower(), TRAIN, 0.75):
        return f" A run has no verb: {'leave this word out' if rest else 'exp by itself trains'}."
    if found := anywhere(word):
        return offer(*found)
    if word in presets.presets():
        return offer(f"experiment={word}")
    if os.path.isdir(word):
        return offer("results", word)
    if hint := nearest(word, verbs):
        return hint
    named = [path for path in aliases.KEYS if aliases.spelled(word, [path.rpartition(".")[2]])]
    if named := named or aliases.keys(word):
        return f" A setting needs a value: {named[0]}=VALUE."
    names = {name: group for group in reversed(groups()) for name in options(group)}
    close = closest(word, names, 0.75)
    return offer(chosen(names[close], close)) if close else ""


def split_words(words: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Words that were one before a shell split them at spaces.

    Returns:
        Where each begins and ends, and what is wrong with it.
    """
    at = 0
    while at < len(words):
        stop, reason = at + 1, ""
        whole = words[at]
        if is_key(whole) and words[at + 1 : at + 2] and words[at + 1].startswith("="):
            stop = at + (3 if words[at + 1] == "=" else 2)
            reason = "no spaces around ="
        elif re.fullmatch(r"[^=]+=", whole) and plain_word(words[at + 1 : at + 2]):
            stop, reason = at + 2, "no spaces around ="
        joined = "".join(words[at:stop])
        if joined.partition("=")[2][:1] in ("[", "{", "(") and depth(joined) > 0:
            end = stop
            while end < len(words) and depth(joined) > 0:
                joined += f" {words[end]}"
                end += 1
            if depth(joined) == 0 and end > stop:
                stop, reason = end, "the shell has split this at its spaces: put quotes around it"
        if reason:
            yield at, stop, f"{reason}.{offer(joined)}"
        at = stop


def is_key(word: str) -> bool:
    return re.fullmatch(r"[+~]*[A-Za-z_][\w/.@]*", word) is not None


def plain_word(words: Sequence[str]) -> str | None:
    """The first of these words, if it is neither a flag nor an override."""
    plain = words and "=" not in words[0] and words[0][:1] not in ("-", "~", "+", "")
    return words[0] if plain else None


def depth(text: str) -> int:
    """How many brackets stand open at the end of a text."""
    opened, closed = sum(map(text.count, "[{(")), sum(map(text.count, "]})"))
    return opened - closed


def several(group: str, names: Sequence[object]) -> str:
    """That a group takes one option, and how several are swept."""
    options = ",".join(str(name) for name in names)
    return f"expected one option, found {shown(list(names))}.{offer('-m', f'{group}={options}')}"
