"""Runs that are there, each as a row: what was varied, what came out, and what went wrong.

Everything is read from the directories of the runs, so that a sweep that still runs, was broken off
or was added to is told as it is; `runs.csv` is only for other tools.
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

from exp.runs.config_values import Scalar, plain_key, typed
from exp.runs.manifest import NAME, manifest
from exp.runs.record import RunRecord
from exp.runs.stored_configs import config_of
from exp.runs.varying import varying
from exp.util.errors import RunDirectoryError
from exp.util.terminal import one_line

DEPTH = 8
"""Folders below one that is named, in which runs are looked for."""


@dataclass(frozen=True)
class Row:
    """One run.

    Attributes:
        path: its directory, absolute; of a skipped run, that of its sweep.
        number: its place in its sweep; where several sweeps or lone runs are looked at, in all.
        name: what its config calls it, else the name of its directory.
        status: of `STATUSES`; crashed where the process of a running one is gone. "skipped" for
            one that a component declares impossible.
        message: why it failed or was skipped.
        parameters: what varies -> its value.
        metrics: such as "test/accuracy", "best/test/accuracy" (at the best epoch), "best/epoch"
            and "epochs"; finite ones only.
        seconds: from its beginning to its end.
        overrides: its own, as on a command line.
        seeds: of data, split, init and shuffling, as run.json has them; empty where it has none.
            Two runs of the same seeds are a pair: the same rows, the same initial weights.
        average: "binary" where precision and the like are those of the positive class, "macro"
            where they are means over classes; None for numbers, and for runs of older versions.
        positive: the name of the positive class, where there is one.
        directions: of registered metrics, whether higher is better.
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


@dataclass(frozen=True)
class Runs:
    """Runs of one or several sweeps, or lone ones.

    Attributes:
        paths: where they were looked for.
        keys: what varies, in order.
        rows: every run, by number.
        skipped: those that were never begun, as a component declares them impossible.
    """

    paths: tuple[Path, ...]
    keys: tuple[str, ...]
    rows: tuple[Row, ...]
    skipped: tuple[Row, ...] = ()


def gather(paths: Sequence[Path]) -> Runs:
    """Every run of some places.

    Args:
        paths: sweep directories, run directories, or folders that hold some.

    Raises:
        RunDirectoryError: there is none, or no run in it.
        DamagedError: a sweep.json is corrupted.
    """
    places = [place for path in paths for place in found_in(path)]
    places = list({os.path.realpath(place): place for place in places}.values())
    rows, skipped, keys = [], [], dict[str, None]()
    for place in places:
        if (place / NAME).is_file():
            its_keys, its_rows, its_skipped = sweep(place)
            keys.update(dict.fromkeys(its_keys))
            rows += its_rows
            skipped += its_skipped
        else:
            rows.append(run(place, len(rows), overrides_of(place)))
    if len(places) > 1:
        configs = [config_of(each.path) for each in rows]
        keys.update(dict.fromkeys(varying([config for config in configs if config])))
        rows = [
            completed(replace(each, number=number), config, tuple(keys))
            for number, (each, config) in enumerate(zip(rows, configs, strict=True))
        ]
    absolute = tuple(path.absolute() for path in paths)
    return Runs(absolute, tuple(keys), tuple(rows), tuple(skipped))


def with_keys(runs: Runs, keys: Sequence[str]) -> tuple[Runs, list[str]]:
    """The same runs with the values of further keys of their configs.

    Returns:
        The runs, and every key that their configs have.
    """
    configs = [config_of(each.path) for each in runs.rows]
    rows = [completed(r, config, keys) for r, config in zip(runs.rows, configs, strict=True)]
    return replace(runs, rows=tuple(rows)), list(dict.fromkeys(k for c in configs for k in c))


def found_in(path: Path) -> list[Path]:
    """The sweeps and lone runs at or below a path, absolute, in the order of their names.

    Raises:
        RunDirectoryError: there are none.
    """
    if not path.is_dir():
        raise RunDirectoryError(f"there is no directory {str(path)!r}")
    found = list(below(path.absolute(), DEPTH))
    if not found:
        raise RunDirectoryError(
            f"{path} holds no run: a run has run.json in its directory, a sweep {NAME}"
        )
    return found


def below(path: Path, depth: int) -> Iterator[Path]:
    """Folders that cannot be read are said, and hide no others."""
    try:
        if (path / NAME).is_file() or (path / "run.json").is_file():
            yield path
            return
        folders = [entry.name for entry in os.scandir(path) if is_folder(entry)] if depth else []
    except OSError as error:
        print(
            f"left out: cannot read {one_line(str(path))}: {error.strerror or error}",
            file=sys.stderr,
        )
        return
    for name in sorted(folders, key=natural):
        yield from below(path / name, depth - 1)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """A folder that may hold runs: no link, which may lead in a circle, and nothing hidden."""
    return not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)


def natural(name: str) -> list[tuple[int, str]]:
    """Sorts `2-x` before `10-x`."""
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part[:18]), "") if part[0].isdecimal() else (-1, part) for part in parts]


def sweep(path: Path) -> tuple[list[str], list[Row], list[Row]]:
    """What varies in a sweep, its runs, and those that it skipped."""
    content = manifest(path)
    named = content.get("keys")
    keys = [key for key in named if isinstance(key, str)] if isinstance(named, list) else []
    rows = []
    for place, entry in enumerate(content["runs"]):
        words = words_of(entry.get("overrides"))
        found = run(path / entry["directory"], number_of(entry, place), words)
        rows.append(replace(found, parameters=parameters(words, keys)))
    skipped = []
    listed = content.get("skipped")
    for place, entry in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(entry, dict):
            words, reason = words_of(entry.get("overrides")), text_of(entry.get("reason"))
            number, given = number_of(entry, place), parameters(words, keys)
            skipped.append(
                Row(path, number, " ".join(words), "skipped", reason, given, {}, None, words)
            )
    return list(dict.fromkeys(plain_key(key) for key in keys)), rows, skipped


def run(path: Path, number: int, overrides: tuple[str, ...]) -> Row:
    """A run as its directory tells it; whatever stands there."""
    return row(path, number, overrides, *files(path))


def files(path: Path) -> tuple[RunRecord, dict[str, Any]]:
    """A run, and its summary.json; {} where there is none that can be read."""
    found = RunRecord.tolerant(path)
    return found, found.valid_summary() if found.record else {}


def row(
    path: Path,
    number: int,
    overrides: tuple[str, ...],
    found: RunRecord,
    summary: dict[str, Any],
) -> Row:
    """A run as its two files say."""
    record, message = found.record, found.fault and f"run.json {found.fault}"
    final, best = part(summary, "final"), part(summary, "best")
    numbers = {**final, **{f"best/{name}": value for name, value in best.items()}}
    numbers["epochs"] = summary.get("epochs")
    seeds = part(record, "seeds")
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
        directions={
            name: bool(part(about, name).get("higher_is_better"))
            for about in [part(summary, "metrics")]
            for name in about
        },
    )


def part(content: dict[str, Any], key: str) -> dict[str, Any]:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


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
    return tuple(str(word) for word in value) if isinstance(value, list) else ()


def parameters(words: Sequence[str], keys: Sequence[str]) -> dict[str, Scalar]:
    """The values of keys as a run's own words have them; None where they do not say."""
    given = dict(word.partition("=")[::2] for word in words)
    return {plain_key(key): typed(given[key]) if key in given else None for key in keys}


def overrides_of(path: Path) -> tuple[str, ...]:
    """The command line of a lone run, as Hydra has kept it."""
    try:
        return tuple(RunRecord(path).overrides())
    except RunDirectoryError:
        return ()


def completed(one: Row, config: dict[str, Scalar], keys: Sequence[str]) -> Row:
    """A row that has a value of each key: that of its config, else of its own words."""
    words = dict(word.partition("=")[::2] for word in one.overrides)
    own = {plain_key(key): typed(value) for key, value in words.items()}
    found = {key: config[key] if key in config else own.get(key) for key in keys}
    return replace(one, parameters={**one.parameters, **found})
