"""The runs in some directories, each as a row: its parameters, its scores, and its status.

Everything is read from the directories of the runs, so that a sweep that is still running, was
interrupted or extended is shown as it is; `runs.csv` is for other programs only.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from exp.runs.config_values import Scalar, leaves, plain_key, typed
from exp.runs.manifest import NAME, is_sweep, manifest
from exp.runs.record import RunRecord
from exp.runs.shards import missing
from exp.runs.varying import varying
from exp.util.errors import RunDirectoryError

DEPTH = 8
"""Levels of folders in which runs are looked for."""


@dataclass(frozen=True)
class Row:
    """One run.

    Attributes:
        path: its directory, absolute; that of its sweep for a skipped run.
        number: its number in its sweep; of several sweeps or single runs, its place among all.
        name: from its config, else the name of its directory.
        status: one of `STATUSES`, or "skipped" where a component declares a run impossible.
        message: why it failed or was skipped.
        parameters: key -> value of what varies.
        metrics: such as "test/accuracy", "best/test/accuracy" (at the best epoch), "best/epoch"
            and "epochs"; finite ones only.
        seconds: total duration.
        overrides: of this run, as on a command line.
        seeds: of data, split, init and shuffling, from run.json; empty where it has none. Runs
            with the same seeds are a pair: the same rows, the same initial weights.
        average: "binary" where precision and the like are those of the positive class, "macro"
            where they are means over classes; None for numeric targets, and for old runs.
        positive: the name of the positive class, where there is one.
        directions: registered metric -> whether higher is better.
        data: digest of the data set, and that of its split; empty where run.json has none.
        parts: train, validation or test -> how many rows it has, and their digest; empty for runs
            of version 0.1.
        started: when, as ISO 8601 in UTC; empty where run.json does not say.
    """

    path: Path
    number: int
    name: str
    status: str
    message: str | None
    parameters: dict[str, Scalar]
    metrics: dict[str, float]
    seconds: float | None
    overrides: tuple[str, ...]
    seeds: tuple[int, ...] = ()
    average: str | None = None
    positive: str | None = None
    directions: Mapping[str, bool] = field(default_factory=dict)
    data: tuple[str, str] = ("", "")
    parts: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    started: str = ""


@dataclass(frozen=True)
class Runs:
    """Runs of one or several sweeps, or single ones.

    Attributes:
        paths: where they were looked for.
        keys: what varies, in order.
        rows: every run, by number.
        skipped: runs that were never started, as a component declares them impossible.
        until: whether a sweep among them stopped when its verdicts were clear (sweep.until).
        notes: shards of sweeps that have not started or are not finished, as lines.
    """

    paths: tuple[Path, ...]
    keys: tuple[str, ...]
    rows: tuple[Row, ...]
    skipped: tuple[Row, ...] = ()
    until: bool = False
    notes: tuple[str, ...] = ()


def gather(paths: Sequence[Path]) -> Runs:
    """All runs in some directories.

    Args:
        paths: sweep directories, run directories, or folders that contain some.

    Raises:
        RunDirectoryError: a directory does not exist or contains no run.
        DamagedError: a sweep.json is corrupted.
    """
    places = [place for path in paths for place in found_in(path)]
    places = list({os.path.realpath(place): place for place in places}.values())
    rows: list[Row] = []
    skipped: list[Row] = []
    notes: list[str] = []
    keys, until = dict[str, None](), False
    for place in places:
        if is_sweep(place):
            found = sweep(place)
            until |= found.until
            keys.update(dict.fromkeys(found.keys))
            rows += found.rows
            skipped += found.skipped
            notes += found.notes
        else:
            rows.append(row(place, len(rows), overrides_of(place), *files(place)))
    if len(places) > 1:
        configs = [config_of(each.path) for each in rows]
        keys.update(dict.fromkeys(varying([config for config in configs if config])))
        rows = [
            completed(replace(each, number=number), config, tuple(keys))
            for number, (each, config) in enumerate(zip(rows, configs, strict=True))
        ]
    absolute = tuple(path.absolute() for path in paths)
    return Runs(absolute, tuple(keys), tuple(rows), tuple(skipped), until, tuple(notes))


def with_keys(runs: Runs, keys: Sequence[str]) -> tuple[Runs, list[str]]:
    """The same runs with the values of more keys from their configs.

    Returns:
        The runs, and all keys of their configs.
    """
    configs = [config_of(each.path) for each in runs.rows]
    rows = [completed(r, config, keys) for r, config in zip(runs.rows, configs, strict=True)]
    return replace(runs, rows=tuple(rows)), list(dict.fromkeys(k for c in configs for k in c))


def config_of(path: Path) -> dict[str, Scalar]:
    """The resolved config of a run, flat; empty where it cannot be read."""
    try:
        return leaves(RunRecord(path).config())
    except RunDirectoryError:
        return {}


def found_in(path: Path) -> list[Path]:
    """The sweeps and single runs in a directory, absolute, sorted by name.

    Raises:
        RunDirectoryError: there are none.
    """
    if not path.is_dir():
        raise RunDirectoryError(f"there is no directory {str(path)!r}")
    found = list(below(path.absolute(), DEPTH))
    if not found:
        raise RunDirectoryError(
            f"no runs found in {path}: a run directory contains run.json, a sweep {NAME}"
        )
    return found


def below(path: Path, depth: int) -> Iterator[Path]:
    """Sweeps and runs in a folder; a folder that cannot be read is reported and left out."""
    try:
        if is_sweep(path) or (path / "run.json").is_file():
            yield path
            return
        folders = [entry.name for entry in os.scandir(path) if is_folder(entry)] if depth else []
    except OSError as error:
        print(f"left out: cannot read {path}: {error.strerror or error}", file=sys.stderr)
        return
    for name in sorted(folders, key=natural):
        yield from below(path / name, depth - 1)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """A folder that may contain runs: no link, which may lead in a circle, and nothing hidden."""
    return not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)


def natural(name: str) -> list[tuple[int, str]]:
    """Sorts `2-x` before `10-x`."""
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part[:18]), "") if part[0].isdecimal() else (-1, part) for part in parts]


def sweep(path: Path) -> Runs:
    """The runs of one sweep."""
    content = manifest(path)
    keys = [key for key in list_of(content.get("keys")) if isinstance(key, str)]
    rows, skipped = [], []
    for place, entry in enumerate(content["runs"]):
        words = words_of(entry.get("overrides"))
        run = path / entry["directory"]
        found = row(run, number_of(entry, place), words, *files(run))
        rows.append(replace(found, parameters=parameters(words, keys)))
    for place, entry in enumerate(list_of(content.get("skipped"))):
        if isinstance(entry, dict):
            words, reason = words_of(entry.get("overrides")), text_of(entry.get("reason"))
            number, given = number_of(entry, place), parameters(words, keys)
            skipped.append(
                Row(path, number, " ".join(words), "skipped", reason, given, {}, None, words)
            )
    plain = tuple(dict.fromkeys(plain_key(key) for key in keys))
    notes = missing(path, content, [each.status for each in rows])
    return Runs((path,), plain, tuple(rows), tuple(skipped), "until" in content, tuple(notes))


def files(path: Path) -> tuple[RunRecord, dict[str, Any]]:
    """A run, and its summary.json; {} where that cannot be read."""
    found = RunRecord.tolerant(path)
    return found, found.valid_summary() if found.record else {}


def row(
    path: Path,
    number: int,
    overrides: tuple[str, ...],
    found: RunRecord,
    summary: dict[str, Any],
) -> Row:
    """A run from its two files."""
    record, message = found.record, found.fault and f"run.json {found.fault}"
    final, best = part(summary, "final"), part(summary, "best")
    numbers = {**final, **{f"best/{name}": value for name, value in best.items()}}
    numbers["epochs"] = summary.get("epochs")
    seeds, metrics = part(record, "seeds"), part(summary, "metrics")
    data = part(record, "data")
    return Row(
        path=path,
        number=number,
        name=text_of(record.get("name")) or path.name,
        status=found.status,
        message=message or text_of(record.get("message")),
        parameters={},
        metrics={name: x for name, n in numbers.items() if (x := finite(n)) is not None},
        seconds=finite(part(record, "timings").get("total")),
        overrides=overrides,
        seeds=tuple(seeds[name] for name in sorted(seeds) if isinstance(seeds[name], int)),
        average=text_of(summary.get("average")),
        positive=text_of(summary.get("positive")),
        directions={name: bool(part(metrics, name).get("higher_is_better")) for name in metrics},
        data=(str(data.get("fingerprint", "")), str(data.get("split", ""))),
        parts={n: (p["rows"], p["sha256"]) for n, p in part(data, "parts").items()},
        started=text_of(record.get("started")) or "",
    )


def part(content: dict[str, Any], key: str) -> dict[str, Any]:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def list_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def finite(value: Any) -> float | None:
    """A number as a float; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def text_of(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def number_of(entry: dict[str, Any], place: int) -> int:
    number = entry.get("number")
    return number if isinstance(number, int) and not isinstance(number, bool) else place


def words_of(value: Any) -> tuple[str, ...]:
    return tuple(str(word) for word in list_of(value))


def parameters(words: Sequence[str], keys: Sequence[str]) -> dict[str, Scalar]:
    """The values of keys in a run's overrides; None where they are not among them."""
    given = dict(word.partition("=")[::2] for word in words)
    return {plain_key(key): typed(given[key]) if key in given else None for key in keys}


def overrides_of(path: Path) -> tuple[str, ...]:
    """The overrides of a single run, from Hydra's files."""
    try:
        return tuple(RunRecord(path).overrides())
    except RunDirectoryError:
        return ()


def completed(one: Row, config: dict[str, Scalar], keys: Sequence[str]) -> Row:
    """A row with the values of these keys, from the config or else from the overrides."""
    given = parameters(one.overrides, [word.partition("=")[0] for word in one.overrides])
    found = {key: config.get(key, given.get(key)) for key in keys}
    return replace(one, parameters={**one.parameters, **found})
