"""A run that has ended, and its sweep, as a logger gets them: plain values from the disk."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exp.runs import manifest
from exp.runs.collection import finite, part, text_of
from exp.runs.config_values import flat, written
from exp.runs.record import RunRecord

PICTURES = (".png",)


@dataclass(frozen=True)
class FinishedRun:
    """One run.

    Attributes:
        path: its directory, absolute.
        status: as run.json has it; "crashed" where the process of a running one is gone.
        digest: of run.json, which holds those of all other files: other content, another digest.
        config: the resolved config; values from the environment by name, as config.yaml has them.
        rows: epoch and values of each row of metrics.csv, by column.
        scores: final scores of each split, "final/test/f1", and the best epoch; finite ones only.
        tags: signature, seed, status, git commit and so on, those that are known.
        started, ended: seconds since 1970.
        files: name within the directory -> path, of everything in it; no links.
    """

    path: Path
    status: str
    digest: str
    config: dict[str, Any]
    rows: tuple[tuple[int, dict[str, float]], ...]
    scores: dict[str, float]
    tags: dict[str, str]
    started: float
    ended: float
    files: dict[str, Path]

    @classmethod
    def read(cls, path: Path) -> FinishedRun:
        """The run in this directory.

        Raises:
            RunDirectoryError: there is none, or it still runs.
            DamagedError: one of its files is corrupted.
        """
        run = RunRecord.at(path.absolute())
        directory, record, status = run.directory, run.record, run.status
        config = run.config() if directory.config.exists() else {}
        summary = run.summary() if directory.summary.exists() else {}
        rows = table(run) if directory.metrics.exists() else ()
        started = seconds(record.get("started"))
        paths = [p for p in map(directory.path.joinpath, directory.names()) if not p.is_symlink()]
        return cls(
            path=directory.path,
            status=status,
            digest=run.digest,
            config=config,
            rows=rows,
            scores=scores(summary),
            tags=tags(directory.path, record, config, status) | counted_as(summary),
            started=started,
            ended=started + (finite(part(record, "timings").get("total")) or 0.0),
            files={p.relative_to(directory.path).as_posix(): p for p in [*paths, directory.record]},
        )

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def params(self) -> dict[str, str]:
        """Key path -> value of the resolved config, as a command line would have it."""
        return {key: written(value) for key, value in flat(self.config)} if self.config else {}

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
    def files(self) -> dict[str, Path]:
        """Name within its directory -> path, of the files that are the sweep's own; no links."""
        named = [self.path / "runs.csv", self.path / manifest.NAME, self.path / "multirun.yaml"]
        drawn = sorted((self.path / "figures").glob("*"))
        return {
            path.relative_to(self.path).as_posix(): path
            for path in [*named, *drawn]
            if path.is_file() and not path.is_symlink()
        }


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
