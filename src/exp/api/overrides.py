"""Settings given from Python as the overrides of a command line: `optimizer="adam"` becomes
`optimizer=adam`, `trainer=dict(epochs=100)` becomes `trainer.epochs=100`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike, fspath
from typing import Any

import pandas as pd
from hydra.core.override_parser.types import Quote, QuotedString

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.config.settings import OF_THE_SWEEP
from exp.config.text_values import reading
from exp.registry.registry import register
from exp.util.errors import ConfigError, ExpError, Fault, shown

BARE = re.compile(r"[A-Za-z0-9_][\w./-]*", re.ASCII)
"""Texts that are clearer without quotes, if Hydra reads them as texts."""
INTERPOLATION = re.compile(r"(\\*)\$\{")
WHOLE = (*OF_THE_SWEEP, "hydra", "plugins")
"""Top-level keys that a sweep cannot vary: their lists are lists."""
OF_TABLES = (
    "a config cannot contain a table. exp.fit(table, 'column') trains on one; or save it with "
    "to_csv and use dataset='csv' with dataset.path and dataset.target"
)


def overrides(given: Iterable[Any], settings: Mapping[str, Any], *, sweep: bool) -> list[str]:
    """The words of a command line, those of the settings last.

    Args:
        given: overrides `key=value`, and lists of them.
        settings: key -> value; a dict sets several keys below its own.
        sweep: whether a list contains the values to try, and not one value.

    Raises:
        ExpError: `given` contains something else.
        ConfigError: a config cannot contain a value; all such values are listed.
    """
    words = list(flat(given))
    faults: list[Fault] = []
    for key, value in leaves(settings):
        try:
            words.append(f"{key}={swept(key, value) if sweep else written(value)}")
        except ValueError as error:
            faults.append(Fault(key, str(error)))
    if faults:
        raise ConfigError(faults)
    return words


def flat(given: Iterable[Any]) -> Iterator[str]:
    """
    Raises:
        ExpError: something that is neither a text nor a list of texts.
    """
    for each in given:
        inner = list(each) if isinstance(each, Iterable) and not isinstance(each, str) else [each]
        if isinstance(each, Mapping) or not all(isinstance(word, str) for word in inner):
            found = shown(each)
            raise ExpError(
                f"expected overrides such as 'optimizer=adam' or keywords such as "
                f"optimizer='adam', found {found}"
            )
        yield from inner


def leaves(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each key path with its value; `model={"name": "mlp"}` chooses the option `mlp`. A dict in a
    dict is a value, but for Hydra's node, which has keys on several levels."""
    for key, value in settings.items():
        if not isinstance(value, Mapping) or not value:
            yield key, value
            continue
        if key in register.kinds and "name" in value:
            yield key, value["name"]
            value = {name: each for name, each in value.items() if name != "name"}
        below = {f"{key}.{name}": each for name, each in value.items()}
        yield from leaves(below) if key.partition(".")[0] == "hydra" else below.items()


def swept(key: str, value: Any) -> str:
    """The values of a sweep as one text, between commas.

    Raises:
        ValueError: a config cannot contain one.
    """
    value = plain(value)
    if not isinstance(value, list) or key.lstrip("+").partition(".")[0] in WHOLE:
        return written(value)
    if not value:
        raise ValueError("an empty list: there is no value to try. Write [[]] for an empty list")
    return ",".join(map(written, value))


def plain(value: Any) -> Any:
    """Arrays, ranges and tuples as lists, numbers of NumPy as Python's, paths as texts."""
    if isinstance(value, pd.DataFrame | pd.Series):
        raise ValueError(OF_TABLES)
    if isinstance(value, PathLike):
        return fspath(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    return list(value) if isinstance(value, tuple | range) else value


def written(value: Any) -> str:
    """A value as Hydra reads it in an override.

    Raises:
        ValueError: an override cannot express it.
    """
    value = plain(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        for name in value:
            if not (isinstance(name, str) and BARE.fullmatch(name) and reading(name) == name):
                raise ValueError(f"the key {shown(name)} of a dict is not a plain name")
        return "{" + ",".join(f"{name}:{written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "[" + ",".join(map(written, value)) + "]"
    kind = type(value).__name__
    raise ValueError(
        f"a config cannot contain a value of type {kind}: expected a number, text, bool, None, "
        "list or dict"
    )


def quoted(text: str) -> str:
    """A text, in quotes where Hydra would not read it as it is; `${` is no reference in it.

    Raises:
        ValueError: a config cannot contain it.
    """
    if text == "???":
        raise ValueError("a config cannot contain the text '???', which means a missing value")
    if BARE.fullmatch(text) and reading(text) == text:
        return text
    # OmegaConf: a backslash before `${` makes it text, and backslashes before it count double.
    literal = INTERPOLATION.sub(lambda found: found[1] * 2 + r"\${", text)
    return str(QuotedString(text=literal, quote=Quote.single).with_quotes())
