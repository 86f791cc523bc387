"""The schemas of a run's JSON files: run.json, which `RunWriter` writes, and summary.json, which
`result_files.summary` makes.

Values are taken as they are: no text becomes a number. A key that is not named here is let through:
a later version of exp may have written it.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from exp.registry.parameter_errors import expected
from exp.registry.types import worded
from exp.util.errors import shown
from exp.util.statuses import END_REASONS, STORED


def time(text: str) -> str:
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("a time") from None
    return text


def score(value: Any) -> Any:
    """A finite number, or a table of numbers such as a confusion matrix."""
    if isinstance(value, (int, float)) and not abs(value) <= sys.float_info.max:
        raise ValueError("a finite number")
    return value


Count = Annotated[int, Field(ge=0, le=10**12)]
Digest = Annotated[str, worded("^[0-9a-f]{64}$", "a sha256")]
Time = Annotated[str, AfterValidator(time)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Score = Annotated[Any, AfterValidator(score)]


class Stored(BaseModel):
    """A mapping of a file."""

    model_config = ConfigDict(strict=True)


class Process(Stored):
    """The process that trains a run."""

    pid: Annotated[int, Field(ge=0, lt=2**31)]
    host: str
    begun: str | None = None
    boot: str = ""
    container: str = ""


class Part(Stored):
    """Rows of a split."""

    rows: Count
    sha256: str


class Rows(Stored):
    """The data of a run. Where the target is a number there are no classes; `categories` are the
    features that hold some, `parts` the rows to train, validate and test on: runs of version 0.1
    list neither."""

    fingerprint: str
    split: str
    rows: Count
    features: list[str]
    classes: list[str]
    parts: dict[str, Part] = {}
    categories: list[str] = []
    target: Literal["number"] = "number"
    notes: list[str] = []


class Code(Stored):
    """The state of the user's repository."""

    commit: str
    changed: bool | None = None
    diff: str | None = None
    diff_sha256: str | None = None


class Failed(Stored):
    """run.json of a run that has failed before it began."""

    status: Literal["failed"]
    message: str


Training = Annotated[list[Count], Field(min_length=2, max_length=2)]


class Fit(Stored):
    """What `exp fit` was asked for, the score that it selects by, and what it has trained:
    candidate and level of each training, in their order."""

    settings: dict[str, Any]
    metric: str
    trained: list[Training] = []
    folds: Count = 0


class Run(Stored):
    """run.json of a run that has begun."""

    status: Literal[STORED]  # type: ignore[valid-type]
    signature: str
    seeds: dict[str, Annotated[int, Field(ge=-(2**64), le=2**64)]]
    command: list[str]
    folder: str
    versions: dict[str, str]
    device: dict[str, Any]
    data: Rows
    process: Process
    started: Time
    digests: dict[str, Digest]
    name: str | None = None
    git: Code | None = None
    components: dict[str, Any] = {}
    resumed: list[Time] = []
    timings: dict[str, Number] = {}
    message: str | None = None
    fit: Fit | None = None


class Best(Stored):
    """The best epoch of a run."""

    monitor: str = ""
    epoch: Count | None = None


class Summary(Stored):
    """summary.json.

    Attributes:
        final: final scores; None where a score is not defined, lists for confusion matrices.
        best: the row of metrics.csv of the best epoch.
        epochs: how many were trained.
        average, positive: of classes, what the scores are of.
        weights: which weights the scores are of.
        metrics: of registered metrics, which way they are better.
    """

    status: Literal[END_REASONS]  # type: ignore[valid-type]
    final: dict[str, Score]
    best: Best
    epochs: Count
    average: Literal["binary", "macro"] | None = None
    positive: str | None = None
    weights: Literal["best", "last"] = "last"
    metrics: dict[str, dict[str, Any]] = {}


Schema = type[Stored]


def run_file(content: Mapping[str, Any]) -> Schema:
    """The schema that the content of a run.json has to satisfy."""
    never_began = content.get("status") == "failed" and "started" not in content
    return Failed if never_began else Run


def fault_of(schema: Schema, content: Any) -> str | None:
    """What is wrong with the content of a file, in one line; None: nothing."""
    found = faults(schema, content)
    if not found:
        return None
    first = min(found, key=lambda detail: detail["type"] == "missing")
    key = ".".join(shown(str(step), 60)[1:-1] for step in first["loc"])
    if first["type"] == "missing":
        return f"{key} is missing"
    wanted = "a mapping" if first["type"] == "model_type" else expected(first)
    what = f"expected {wanted}, found {shown(first['input'], 60)}"
    return f"{key}: {what}" if key else what


def valid_parts(schema: Schema, content: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a file whose values are as its schema says; what is damaged is left out."""
    damaged = {detail["loc"][0] for detail in faults(schema, content)}
    return {key: value for key, value in content.items() if key not in damaged}


def faults(schema: Schema, content: Any) -> list[ErrorDetails]:
    try:
        schema.model_validate(content)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []
