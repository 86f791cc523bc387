"""A run that trains or has ended, and its sweep, as a logger gets them: plain values."""

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from exp.runs import manifest
from exp.runs.collection import finite, part, text_of
from exp.runs.config_values import flat, plain_key, typed, written
from exp.runs.record import RunRecord

PICTURES = (".png",)


Mark = tuple[int, float]
"""An epoch, and when it had been trained, in seconds since 1970."""


@dataclass(frozen=True)
class EvaluatedEpoch:
    """A row of metrics.csv.

    Attributes:
        epoch: its number, from 0.
        time: when it was evaluated, in seconds since 1970.
        values: by column.
    """

    epoch: int
    time: float
    values: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class StartedRun:
    """A run that trains.

    Attributes:
        path: its directory, absolute.
        status: as run.json has it; "crashed" if it says running and the process is gone.
        resumed: whether it continues after an interruption.
        config: the resolved config; values from the environment by name, as config.yaml has them.
        tags: signature, seed, status, git commit and so on, those that are known.
        started: seconds since 1970; of a run that was resumed, when it continued.
        first_started: when it was started at first.
    """

    path: Path
    status: str
    resumed: bool
    config: dict[str, Any]
    tags: dict[str, str]
    started: float
    first_started: float

    @classmethod
    def read(cls, path: Path) -> Self:
        """The run in this directory.

        Raises:
            RunDirectoryError: there is none.
            DamagedError: one of its files is corrupted.
        """
        return cls(**about(RunRecord.at(path.absolute())))

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def identity(self) -> str:
        """Digest of its directory and its start; a run that is resumed keeps it."""
        return digest_of(f"{os.fsdecode(self.path)} {self.first_started}")

    @property
    def params(self) -> dict[str, str]:
        """Key path -> value of the resolved config, as a command line would have it."""
        return {key: written(value) for key, value in flat(self.config)} if self.config else {}


@dataclass(frozen=True, kw_only=True)
class FinishedRun(StartedRun):
    """A run that has ended, or was interrupted.

    Attributes:
        digest: of run.json, which holds those of all other files: other content, another digest.
        rows: epoch and values of each row of metrics.csv, by column.
        scores: final scores of each split, "final/test/f1", and the best epoch; finite ones only.
        ended: seconds since 1970.
        files: name within the directory -> path, of everything in it; no links.
        marks: some epochs and when they had been trained, if that is known.
        trusted: whether the modules that its config names may be imported.
    """

    digest: str
    rows: tuple[tuple[int, dict[str, float]], ...]
    scores: dict[str, float]
    ended: float
    files: dict[str, Path]
    marks: tuple[Mark, ...] = ()
    trusted: bool = False

    @classmethod
    def read(cls, path: Path, marks: Sequence[Mark] = (), *, trusted: bool = False) -> Self:
        """The run in this directory.

        Raises:
            RunDirectoryError: there is none.
            DamagedError: one of its files is corrupted.
        """
        run = RunRecord.at(path.absolute())
        directory, known = run.directory, about(run)
        summary = run.summary() if directory.summary.exists() else {}
        paths = [p for p in map(directory.path.joinpath, directory.names()) if not p.is_symlink()]
        total = finite(part(run.record, "timings").get("total"))
        # A run that was killed has ended no earlier than its last file was written.
        latest = max((path.stat().st_mtime for path in [*paths, directory.record]), default=0.0)
        return cls(
            **{**known, "tags": known["tags"] | counted_as(summary)},
            digest=run.digest,
            rows=table(run) if directory.metrics.exists() else (),
            scores=scores(summary),
            ended=max(known["started"], latest) if total is None else known["started"] + total,
            files={p.relative_to(directory.path).as_posix(): p for p in [*paths, directory.record]},
            marks=tuple((int(epoch), float(time)) for epoch, time in marks),
            trusted=trusted,
        )

    def evaluated(self, after: int = -1) -> Iterator[EvaluatedEpoch]:
        """The rows of the epochs after one. Where it is not known when an epoch was trained, the
        times are spread evenly over the run."""
        rows = [row for row in self.rows if row[0] > after]
        known = self.marks or ((0, self.started), (max(1, self.last), self.ended))
        times = times_of([epoch for epoch, _ in rows], known)
        for (epoch, values), time in zip(rows, times, strict=True):
            yield EvaluatedEpoch(epoch, time, values)

    @property
    def last(self) -> int:
        """The last epoch that has a row; 0 where there is none."""
        return self.rows[-1][0] if self.rows else 0

    @property
    def figures(self) -> dict[str, Path]:
        """Name -> path of the figures that are PNG files."""
        return pictures(self.files)


@dataclass(frozen=True)
class FinishedSweep:
    """The sweep that runs belong to.

    Attributes:
        path: its directory, absolute.
    """

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def mixed(self) -> frozenset[str]:
        """Keys with values of different types among its runs, such as null and 16."""
        kinds: dict[str, set[type]] = {}
        for run in manifest.manifest(self.path)["runs"] if manifest.is_sweep(self.path) else ():
            for word in map(str, run.get("overrides", ())):
                key, _, value = word.partition("=")
                kind = type(typed(value))
                kinds.setdefault(plain_key(key), set()).add(float if kind is int else kind)
        return frozenset(key for key, found in kinds.items() if len(found) > 1)

    @property
    def files(self) -> dict[str, Path]:
        """Name within its directory -> path, of the files that are the sweep's own; no links."""
        named = [self.path / "runs.csv", self.path / manifest.NAME, self.path / "multirun.yaml"]
        drawn = sorted((self.path / "figures").glob("*"))
        return {
            path.relative_to(self.path).as_posix(): path
            for path in [*named, *drawn]
            if path.is_file() and not path.is_symlink()
        }


def digest_of(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:16]


def about(run: RunRecord) -> dict[str, Any]:
    """What is known of a run as soon as it trains: the attributes of `StartedRun`."""
    record, path = run.record, run.directory.path
    config = run.config() if run.directory.config.exists() else {}
    earlier = record.get("resumed") or []
    return {
        "path": path,
        "status": run.status,
        "resumed": bool(earlier),
        "config": config,
        "tags": tags(path, record, config, run.status),
        "started": seconds(record.get("started")),
        "first_started": seconds(earlier[0] if earlier else record.get("started")),
    }


def times_of(epochs: Sequence[int], marks: Sequence[Mark]) -> list[float]:
    """When epochs were trained, between the marks around them."""
    known = np.array(marks, np.float64)
    return [float(time) for time in np.interp(epochs, known[:, 0], known[:, 1])]


def pictures(files: dict[str, Path]) -> dict[str, Path]:
    return {
        path.stem: path
        for name, path in files.items()
        if name.startswith("figures/") and path.suffix in PICTURES
    }


def table(run: RunRecord) -> tuple[tuple[int, dict[str, float]], ...]:
    """The rows of a metrics.csv; an empty field has no value."""
    # As texts, since NaN is a value of a run that has diverged.
    texts = run.history_texts()
    epochs = texts.pop("epoch")
    return tuple(
        (int(epoch), {name: float(column[at]) for name, column in texts.items() if column[at]})
        for at, epoch in enumerate(epochs)
    )


def scores(summary: dict[str, Any]) -> dict[str, float]:
    """The finite numbers among final scores, and the best epoch."""
    numbers = {f"final/{name}": value for name, value in part(summary, "final").items()}
    numbers["final/best_epoch"] = part(summary, "best").get("epoch")
    return {name: found for name, n in numbers.items() if (found := finite(n)) is not None}


def tags(path: Path, record: dict[str, Any], config: dict[str, Any], status: str) -> dict[str, str]:
    git = part(record, "git")
    known = {
        "status": status,
        "signature": record.get("signature"),
        "seed": config.get("seed"),
        "git_commit": git.get("commit"),
        "git_changed": git.get("changed"),
        "message": text_of(record.get("message")),
        "exp_version": part(record, "versions").get("exp"),
        "directory": str(path),
    }
    return {name: written(value) for name, value in known.items() if value is not None}


def counted_as(summary: dict[str, Any]) -> dict[str, str]:
    """The positive class of the final scores, or that they are means over classes."""
    named = {"positive_class": summary.get("positive"), "average": summary.get("average")}
    return {name: written(value) for name, value in named.items() if value is not None}


def seconds(text: Any) -> float:
    """An ISO time as seconds since 1970; 0 for anything else."""
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return 0.0
