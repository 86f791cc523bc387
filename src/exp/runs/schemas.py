"""The schemas of a run's JSON files: run.json, which `Execution` writes, and summary.json, which
`tables.summary` makes.

A key that is not named here is let through as it is: a later version of exp may have written it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from exp.errors import shown

STATUSES = ("done", "diverged", "failed", "interrupted", "crashed", "running", "pending")
"""What may become of a run. Two of them stand in no file: crashed, which says "running" although
its process is gone, and pending, which has no run.json yet."""
ENDED = ("done", "diverged")
"""Of a run that was trained to its end."""
UNFINISHED = ("running", "interrupted", "pending", "crashed")
"""Of a run that has not come to an end, and may go on to one."""

Number = int | float
Whole = Annotated[int, Field(ge=0, le=10**12)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _time(text: str) -> str:
    datetime.datetime.fromisoformat(text)
    return text


Time = Annotated[str, AfterValidator(_time)]


class Schema(BaseModel):
    """Values are taken as they are: no text becomes a number."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)


class Process(Schema):
    """The process that trains a run."""

    pid: Annotated[int, Field(ge=0, lt=2**31)]
    host: str
    begun: str | None = None


class Rows(Schema):
    """The data of a run.

    Attributes:
        classes: () where the target is a number.
        categories: features that hold categories; None: it is not known (runs of version 0.1).
    """

    fingerprint: str
    split: str
    rows: Whole
    features: list[str]
    classes: list[str]
    categories: list[str] | None = None
    target: Literal["number"] | None = None
    notes: list[str] = []


class Code(Schema):
    """The state of the user's repository."""

    commit: str
    changed: bool = False
    diff: str | None = None
    diff_sha256: str | None = None


class FailedFile(Schema):
    """run.json of a run that has failed before it began."""

    status: Literal["failed"]
    message: str
    command: list[str] = []
    folder: str | None = None
    versions: dict[str, str] = {}
    git: Code | None = None


class RunFile(Schema):
    """run.json of a run that has begun."""

    status: Literal["running", "done", "diverged", "failed", "interrupted"]
    name: str | None = None
    signature: str
    seeds: dict[str, int]
    command: list[str]
    folder: str
    versions: dict[str, str]
    git: Code | None = None
    components: dict[str, Any] = {}
    device: dict[str, Any]
    data: Rows
    process: Process
    started: Time
    resumed: list[Time] = []
    digests: dict[str, Digest]
    timings: dict[str, Number] = {}
    message: str | None = None


def run_file(found: Mapping[str, Any]) -> type[Schema]:
    """The schema that the content of a run.json has to meet."""
    never_began = found.get("status") == "failed" and "started" not in found
    return FailedFile if never_began else RunFile


Score = Number | str | bool | list[Any] | dict[str, Any] | None


class Best(Schema):
    """The row of metrics.csv of the best epoch, and by what it is the best."""

    monitor: str
    epoch: Whole | None = None


class Summary(Schema):
    """summary.json."""

    status: Literal["done", "stopped", "pruned", "diverged"]
    final: dict[str, Score]
    best: Best
    epochs: Whole


def faults_of(schema: type[Schema], found: Any) -> str | None:
    """What is wrong with the content of a file, in one line; None: nothing."""
    if not isinstance(found, Mapping):
        return f"expected a mapping, found {shown(found)}"
    try:
        schema.model_validate(found)
    except ValidationError as error:
        first, *more = error.errors(include_url=False)
        path = ".".join(str(part) for part in first["loc"] if part != "[key]")
        rest = f" (and {len(more)} more)" if more else ""
        if first["type"] == "missing":
            return f"{path} is missing{rest}"
        return f"{shown(path, 80)[1:-1]}: {first['msg']}, found {shown(first['input'], 60)}{rest}"
    return None


def valid_parts(schema: type[Schema], found: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a file whose values are as its schema says; what is damaged is left out."""
    try:
        schema.model_validate(found)
    except ValidationError as error:
        bad = {part["loc"][0] for part in error.errors(include_url=False) if part["loc"]}
        return {key: value for key, value in found.items() if key not in bad}
    return dict(found)
