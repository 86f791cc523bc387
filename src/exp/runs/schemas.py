"""The schemas of a run's JSON files: run.json, which `RunWriter` writes, and summary.json, which
`result_files.summary` makes.

Values are taken as they are: no text becomes a number. A key that is not named here is let through:
a later version of exp may have written it. Not by pydantic, as `exp results` does without it.
"""

from __future__ import annotations

import datetime
import re
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any

from exp.util.errors import shown
from exp.util.statuses import END_REASONS, STORED

Check = Callable[[Any], str | None]
"""What is wrong with a value, behind its key; None: nothing."""
LARGEST = 10**12
"""Of epochs and rows."""


def kind(what: str, *kinds: type) -> Check:
    return lambda value: None if type(value) in kinds else f": expected {what}, {found(value)}"


def found(value: Any) -> str:
    return f"found {shown(value, 60)}"


text = kind("a text", str)
flag = kind("true or false", bool)
anything: Check = lambda value: None  # noqa: E731 - beside the others


def whole(least: int, most: int) -> Check:
    """A whole number in a range, both ends included."""

    def check(value: Any) -> str | None:
        if type(value) is int and least <= value <= most:
            return None
        return f": expected a whole number from {least} to {most}, {found(value)}"

    return check


def number(value: Any) -> str | None:
    """A finite number."""
    if type(value) in (int, float) and abs(value) <= sys.float_info.max:
        return None
    return f": expected a finite number, {found(value)}"


def score(value: Any) -> str | None:
    """A score, or a table of numbers such as a confusion matrix."""
    return None if type(value) in (str, bool, list, dict) else number(value)


def one_of(*values: str) -> Check:
    return lambda value: (
        None if value in values else f": expected one of {', '.join(values)}, {found(value)}"
    )


def digest(value: Any) -> str | None:
    if isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value):
        return None
    return f": expected a sha256, {found(value)}"


def time(value: Any) -> str | None:
    """A time, as ISO 8601 has it."""
    try:
        datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return f": expected a time, {found(value)}"
    return None


def or_none(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def list_of(check: Check) -> Check:
    def checked(value: Any) -> str | None:
        if not isinstance(value, list):
            return f": expected a list, {found(value)}"
        faults = ((at, check(item)) for at, item in enumerate(value))
        return next((f".{at}{fault}" for at, fault in faults if fault), None)

    return checked


def mapping_of(check: Check) -> Check:
    def checked(value: Any) -> str | None:
        if not isinstance(value, dict):
            return f": expected a mapping, {found(value)}"
        faults = ((key, check(item)) for key, item in value.items())
        return next((f".{plain(key)}{fault}" for key, fault in faults if fault), None)

    return checked


class Schema:
    """A mapping of named values.

    Args:
        required, optional: a check for each key.
    """

    def __init__(
        self, required: Mapping[str, Check], optional: Mapping[str, Check] | None = None
    ) -> None:
        self.checks = {**required, **(optional or {})}
        self.required: Collection[str] = required

    def __call__(self, value: Any) -> str | None:
        if not isinstance(value, dict):
            return f": expected a mapping, {found(value)}"
        faults = self.faults(value)
        key = next(iter(faults), None)
        return None if key is None else f".{key}{faults[key]}"

    def faults(self, value: Mapping[str, Any]) -> dict[str, str]:
        """Key -> what is wrong there."""
        faults = {
            key: fault
            for key, check in self.checks.items()
            if key in value and (fault := check(value[key]))
        }
        return faults | {key: " is missing" for key in self.required if key not in value}


def plain(key: object) -> str:
    return shown(key, 60)[1:-1]


PROCESS = Schema(
    {"pid": whole(0, 2**31 - 1), "host": text},
    {"begun": or_none(text), "boot": text, "container": text},
)
"""The process that trains a run."""

ROWS = Schema(
    {
        "fingerprint": text,
        "split": text,
        "rows": whole(0, LARGEST),
        "features": list_of(text),
        "classes": list_of(text),
    },
    {
        # Those features that hold categories. Runs of version 0.1 do not say.
        "categories": list_of(text),
        "target": one_of("number"),
        "notes": list_of(text),
    },
)
"""The data of a run. Where the target is a number there are no classes."""

CODE = Schema(
    {"commit": text},
    {"changed": or_none(flag), "diff": or_none(text), "diff_sha256": or_none(text)},
)
"""The state of the user's repository."""

FAILED = Schema({"status": one_of("failed"), "message": text})
"""run.json of a run that has failed before it began."""

RUN = Schema(
    {
        "status": one_of(*STORED),
        "signature": text,
        "seeds": mapping_of(whole(-(2**64), 2**64)),
        "command": list_of(text),
        "folder": text,
        "versions": mapping_of(text),
        "device": mapping_of(anything),
        "data": ROWS,
        "process": PROCESS,
        "started": time,
        "digests": mapping_of(digest),
    },
    {
        "name": or_none(text),
        "git": or_none(CODE),
        "components": mapping_of(anything),
        "resumed": list_of(time),
        "timings": mapping_of(number),
        "message": or_none(text),
    },
)
"""run.json of a run that has begun."""

SUMMARY = Schema(
    {
        "status": one_of(*END_REASONS),
        # Numbers as a rule; None where a score is not defined, lists of confusion matrices.
        "final": mapping_of(or_none(score)),
        "best": Schema({}, {"monitor": text, "epoch": or_none(whole(0, LARGEST))}),
        "epochs": whole(0, LARGEST),
    },
    {
        "average": or_none(one_of("binary", "macro")),
        "positive": or_none(text),
        "weights": one_of("best", "last"),
        "metrics": mapping_of(mapping_of(anything)),
    },
)
"""summary.json: final scores, the row of metrics.csv of the best epoch, trained epochs; of classes
what the scores are of; of which weights they are; and of registered metrics, which way they are
better."""


def run_file(content: Mapping[str, Any]) -> Schema:
    """The schema that the content of a run.json has to meet."""
    never_began = content.get("status") == "failed" and "started" not in content
    return FAILED if never_began else RUN


def fault_of(schema: Schema, content: Any) -> str | None:
    """What is wrong with the content of a file, in one line; None: nothing."""
    fault = schema(content)
    return None if fault is None else fault.lstrip(".: ")


def valid_parts(schema: Schema, content: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a file whose values are as its schema says; what is damaged is left out."""
    faults = schema.faults(content)
    return {key: value for key, value in content.items() if key not in faults}
