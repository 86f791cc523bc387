"""Values that are texts, taken as they are typed: paths, names of columns, a delimiter.

Hydra reads `dataset.target=1_1` as the number 11, and knows no spaces, `=` or letters beyond ASCII
outside quotes. Here the value of a key that takes a text, as the schema has it, is put into quotes
before Hydra reads it, so all that is stored of a run can be read by Hydra itself.

What is left to Hydra: values in quotes, `${...}`, and Hydra's escapes such as `\\,`. A comma
separates values only in a sweep.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import PurePath
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.config.settings import OF_THE_SWEEP, RUNNING, SWEEPING, TOP
from exp.registry.registry import register

TEXTS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.job.name")
"""Keys of Hydra's node that hold a path or a name."""
LIGHT = ("dataset", "figures", "logger")
"""Kinds of which exp's own components take texts; the others are not imported to know that."""
WORD = re.compile(r"(\+{0,2})([A-Za-z_][\w.]*)=(.*)", re.DOTALL | re.ASCII)
QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
ESCAPED = re.compile(r"\\[()\[\]{}:=, \t]")
FUNCTION = re.compile(
    r"(choice|range|interval|glob|sort|shuffle|tag|extend_list|str|int|float|bool|json_str)\s*\(.*\)",
    re.DOTALL,
)
EMPTY = ("", "???")


class Takes:
    """What a key takes, as far as it is about texts.

    Attributes:
        text: a text, and nothing else but null.
        texts: a list of texts.
        null: null too.
    """

    def __init__(self, *, text: bool = False, texts: bool = False, null: bool = False) -> None:
        self.text, self.texts, self.null = text, texts, null


def words(
    typed: Iterable[str], *, sweeps: bool, chosen: Mapping[str, str] | None = None
) -> list[str]:
    """The words of a command line, texts in quotes where Hydra would read them differently.

    Args:
        typed: overrides; words that are none are left as they are.
        sweeps: whether a comma separates the values of a sweep.
        chosen: group -> option, where the words choose none.
    """
    given = list(typed)
    options = {group: {name} for group, name in (chosen or {}).items()}
    for word in given:
        if (found := WORD.fullmatch(word)) and found[2] in register.kinds:
            options[found[2]] = set(re.split(r"[,\[\]\s]+", found[3]))
    return [quoted(word, options, sweeps=sweeps) for word in given]


def quoted(word: str, options: Mapping[str, set[str]], *, sweeps: bool) -> str:
    """One word, its value in quotes if it takes that to be read as it is typed."""
    found = WORD.fullmatch(word)
    takes = found and takes_of(found[2], options)
    if not found or not takes or found[3] in EMPTY:
        return word
    value = found[3]
    sweeps = sweeps and found[2].partition(".")[0] not in (*OF_THE_SWEEP, "hydra")
    if takes.texts and value.startswith("[") and value.endswith("]"):
        written = listed(value, sweeps=sweeps)
    elif not takes.text or (FUNCTION.fullmatch(value) and sweeps):
        return word
    elif sweeps and value != "," and len(parts := list(split(value))) > 1:
        written = ",".join(one(part, takes) for part in parts)
    else:
        written = one(value, takes)
    return word if written == value else f"{found[1]}{found[2]}={written}"


def listed(value: str, *, sweeps: bool) -> str:
    """A list of texts."""
    if not is_one(value):
        return value  # several lists of a sweep
    inside = value[1:-1]
    if not inside.strip():
        return value
    return f"[{','.join(one(part.strip(), Takes(text=True)) for part in split(inside))}]"


def is_one(value: str) -> bool:
    """Whether the first bracket of a list is closed by its last."""
    depth = 0
    for at, character in enumerate(QUOTED.sub(lambda found: "x" * len(found[0]), value)):
        depth += (character == "[") - (character == "]")
        if depth == 0:
            return at == len(value) - 1
    return False


def split(value: str) -> Iterator[str]:
    """The parts of a value between commas that stand neither in quotes nor in brackets."""
    plain = QUOTED.sub(lambda found: "x" * len(found[0]), value)
    plain = ESCAPED.sub("xx", plain)
    depth, start = 0, 0
    for at, character in enumerate(plain):
        depth += (character in "[({") - (character in "])}")
        if character == "," and depth <= 0:
            yield value[start:at]
            start = at + 1
    yield value[start:]


def one(value: str, takes: Takes) -> str:
    """One text as Hydra reads it."""
    stripped = value.strip()
    if value == "null" and takes.null:
        return value
    if QUOTED.fullmatch(stripped) or ESCAPED.search(value):
        return value
    read = reading(value)
    if read == value or ("${" in value and read is not None):
        return value
    return str(QuotedString(text=value, quote=Quote.single).with_quotes())


@lru_cache(maxsize=1000)
def reading(value: str) -> str | None:
    """The text that Hydra reads; None where it reads something else, or cannot."""
    try:
        (override,) = OverridesParser.create().parse_overrides([f"key={value}"])
        read = override.value()
    except (HydraException, ValueError):
        return None
    return read if type(read) is str else None


def values(
    typed: Iterable[str], chosen: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Each word, and what it sets below which keys, where it sets a text.

    Args:
        chosen: group -> option, where the words choose none.

    Raises:
        HydraException: a value cannot be read.
    """
    options = {group: {name} for group, name in chosen.items()}
    for word in words(typed, sweeps=False, chosen=chosen):
        found = WORD.fullmatch(word)
        if not found or takes_of(found[2], options) is None:
            yield word, None
            continue
        override: Override
        (override,) = OverridesParser.create().parse_overrides([f"key={found[3]}"])
        value: Any = override.value()
        for key in reversed(found[2].split(".")):
            value = {key: value}
        yield word, value


def takes_of(key: str, options: Mapping[str, set[str]]) -> Takes | None:
    """What the values of a key are; None: nothing that is about texts."""
    group, _, name = key.partition(".")
    if key in TEXTS:
        return Takes(text=True, null=False)
    for path, schema in (("", TOP), ("run", RUNNING), ("sweep", SWEEPING)):
        fields = schema.model_fields
        own = key if not path else name if group == path else ""
        if own in fields:
            return takes_by(fields[own].annotation) if own != "name" else None
    kind = register.kinds.get(group)
    if kind is None or not name:
        return None
    wanted = options.get(group, set())
    if group == "logger":
        label, _, name = name.partition(".")
        wanted = {label}
    names = kind.names() if group in LIGHT else list(kind.components)
    known = [each for each in names if each in wanted] or names
    found = [
        takes_by(parameters[name].annotation)
        for parameters in (kind.components[each].parameters for each in known)
        if name in parameters
    ]
    texts = [each for each in found if each is not None]
    if not texts or len(texts) < len(found):
        return None
    return Takes(
        text=all(each.text for each in texts),
        texts=all(each.texts for each in texts),
        null=any(each.null for each in texts),
    )


def takes_by(annotation: Any) -> Takes | None:
    """What an annotation says of texts."""
    members = list(flat(annotation))
    null = type(None) in members
    rest = [each for each in members if each is not type(None)]
    text = [each for each in rest if is_text(each)]
    lists = [each for each in rest if get_origin(each) is list and all_text(get_args(each)[0])]
    if not rest or len(text) + len(lists) < len(rest):
        return None
    return Takes(text=bool(text), texts=bool(lists), null=null)


def flat(annotation: Any) -> Iterator[Any]:
    """The members of a union, `Annotated` taken off."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from flat(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from flat(each)
    else:
        yield annotation


def is_text(annotation: Any) -> bool:
    if get_origin(annotation) is Literal:
        return all(type(each) is str for each in get_args(annotation))
    return annotation is str or (isinstance(annotation, type) and issubclass(annotation, PurePath))


def all_text(annotation: Any) -> bool:
    return all(is_text(each) for each in flat(annotation))
