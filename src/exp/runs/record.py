"""A run directory as it is read: the only reader of its files.

Whatever comes from a run directory may be damaged, or a stranger's. Each file is read with a bound,
by `untrusted`, and looked at as a whole before anything of it is used: a fault is one error that
names the file. The schema of a file stands beside what writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from exp.plotting.frames import Frames
from exp.runs import manifest, process
from exp.runs.directory import RECORD_SIZE, RunDirectory, record_digest
from exp.runs.file_schemas import Run, Schema, Summary, fault_of, run_file, valid_parts
from exp.runs.metrics_file import Columns, history_of, history_texts
from exp.runs.predictions import Predictions
from exp.util.errors import DamagedError, RunDirectoryError, lines, shown
from exp.util.untrusted import json_of, read, yaml_of

if TYPE_CHECKING:
    from exp.runs.checkpoint import Checkpoint, Expected

CHECKPOINTS = ("last", "best", "final")
"""After the last epoch, after the best one, and whichever of them the scores of the run are of."""
TABLE_SIZE = 256 << 20
"""Bytes of a csv file that is read: metrics.csv of a million epochs, predictions of a million rows
of ten columns."""
FRAMES_SIZE = 64 << 20
"""Bytes of frames.npz; that of a run has a few hundred thousand at most."""
SUMMARY_SIZE = 16 << 20
"""Bytes of summary.json, of which the confusion matrices are the most."""

Content = TypeVar("Content")


class RunRecord:
    """The files of one run, each read when it is needed.

    Args:
        path: of its directory.
        content: of its run.json; {} where that has not been read, or there is none.
        fault: why run.json cannot be used, where it is there.
    """

    def __init__(
        self, path: Path, content: dict[str, Any] | None = None, fault: str | None = None
    ) -> None:
        self.path, self.record, self.fault = path, content or {}, fault
        self.directory = RunDirectory(path)

    @classmethod
    def at(cls, path: Path) -> Self:
        """The run in a directory, to work with: its run.json is whole.

        Raises:
            RunDirectoryError: there is none.
            DamagedError: run.json is corrupted.
        """
        directory = RunDirectory(path)
        if not directory.record.exists():
            if (instead := other_than_a_run(path)) is not None:
                raise RunDirectoryError(f"{path} is not a run directory: {instead}")
            if directory.was_never_begun():
                raise RunDirectoryError(
                    f"the run in {path} ended before training started, so there is "
                    "nothing to continue. To start it again, repeat its command with "
                    f"hydra.run.dir={path}"
                )
        found = directory.read_record()
        if fault := fault_of(run_file(found), found):
            place = RunDirectory(path).record
            raise DamagedError(f"{place} is corrupted: {fault}")
        return cls(path, found)

    @classmethod
    def tolerant(cls, path: Path) -> Self:
        """The run in a directory, whatever is left of it, for tables of many runs: values of
        run.json that are damaged are left out."""
        try:
            found = json_of(read(RunDirectory(path).record, RECORD_SIZE))
        except OSError as error:
            gone = isinstance(error, (FileNotFoundError, NotADirectoryError))
            fault = None if gone else f"cannot be read: {error.strerror or error}"
            return cls(path, {}, fault)
        except ValueError as error:
            return cls(path, {}, f"is corrupted: {error}")
        if not isinstance(found, dict):
            return cls(path, {}, "is corrupted: expected a mapping")
        parts = valid_parts(Run, found)
        if "status" in found and "status" not in parts:
            return cls(path, {}, f"has an unknown status: {shown(found['status'])}")
        return cls(path, parts)

    @property
    def status(self) -> str:
        """Of `STATUSES`."""
        if self.fault is not None:
            return "crashed"
        status = str(self.record.get("status", "pending"))
        if status == "running" and not process.is_alive(self.record.get("process"), self.path):
            return "crashed"
        return status

    @property
    def began(self) -> bool:
        """Whether it came as far as its first epoch."""
        return "started" in self.record

    @property
    def digest(self) -> str:
        """Of run.json, which holds those of all other files: other content, another digest."""
        return record_digest(self.record)

    @property
    def damaged(self) -> list[str]:
        """What is no longer as it was written."""
        return self.directory.damaged(self.record)

    def check(self) -> None:
        """Compares every file with its digest.

        Raises:
            DamagedError: naming every file that is corrupted.
        """
        if found := self.damaged:
            listing = (f"  {text}" for text in found)
            raise DamagedError(lines(f"{self.path} has changed since it was written:", *listing))

    def config(self) -> dict[str, Any]:
        """The config of the run as it was stored: values from the environment by name.

        Raises:
            RunDirectoryError: there is none, or none that can be read.
        """
        found = self._read(self.directory.config, yaml_of)
        if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
            raise DamagedError(f"{self.directory.config} is corrupted: expected a config")
        return found

    def config_text(self, most: int | None = None) -> bytes:
        """The bytes of config.yaml.

        Raises:
            RunDirectoryError: there is none, or it has more bytes than `most`.
        """
        return self._read(self.directory.config, bytes, *(() if most is None else (most,)))

    def overrides(self) -> list[str]:
        """The command line of the run, as Hydra has kept it.

        Raises:
            RunDirectoryError: there is none, or none that can be read.
        """
        place = self.directory.hydra / "overrides.yaml"
        found = self._read(place, yaml_of)
        if not isinstance(found, list):
            raise DamagedError(f"{place} is corrupted: expected a list of overrides")
        return [str(word) for word in found]

    def summary(self) -> dict[str, Any]:
        """summary.json, as `Summary` has it.

        Raises:
            RunDirectoryError: there is none, or it is corrupted.
        """
        return self._json(self.directory.summary, Summary)

    def valid_summary(self) -> dict[str, Any]:
        """What is left of summary.json, without the values that are damaged; {} without any."""
        try:
            found = self._read(self.directory.summary, json_of, SUMMARY_SIZE)
        except RunDirectoryError:
            return {}
        return valid_parts(Summary, found) if isinstance(found, dict) else {}

    def history(self, wanted: Sequence[str] | None = None, most: int | None = None) -> Columns:
        """The columns of metrics.csv, as `history_of` has them.

        Raises:
            RunDirectoryError: there is none, or it is corrupted.
        """
        return self._read(
            self.directory.metrics, lambda d: history_of(d, wanted=wanted, most=most), TABLE_SIZE
        )

    def history_texts(self) -> dict[str, list[str]]:
        """The columns of metrics.csv as texts, with every digit."""
        return self._read(self.directory.metrics, history_texts, TABLE_SIZE)

    def norms(self) -> Columns:
        """The columns of norms.csv, likewise."""
        return self._read(self.directory.norms, history_of, TABLE_SIZE)

    def predictions(self) -> Predictions:
        """The content of predictions.csv.

        Raises:
            RunDirectoryError: there is none, or it is corrupted.
        """
        rows = self.record.get("data") or {}
        classes = rows.get("classes")
        return self._read(
            self.directory.predictions,
            lambda d: Predictions.of(d, classes=classes, categories=rows.get("categories")),
            TABLE_SIZE,
        )

    def frames(self) -> Frames:
        """The content of frames.npz.

        Raises:
            RunDirectoryError: there is none, or it is corrupted.
        """

        def whole(data: bytes) -> Frames:
            found = Frames.from_bytes(data)
            # Half a character (a single surrogate) cannot be encoded: UnicodeEncodeError.
            "".join((*found.classes, *found.axes, found.note)).encode()
            return found

        return self._read(self.directory.frames, whole, FRAMES_SIZE)

    def frames_of_result(self) -> Frames:
        """The same up to the model that is the result of the run: the best epoch's, or the last.

        Raises:
            RunDirectoryError: as for `frames`.
        """
        summary = self.valid_summary()
        epoch = summary.get("best", {}).get("epoch")
        best = summary.get("weights") == "best" and epoch is not None
        return self.frames().until(epoch) if best else self.frames()

    def figure(self, name: str, most: int) -> bytes:
        """The bytes of `figures/<name>`, at most so many.

        Raises:
            RunDirectoryError: there is none, or it has more.
        """
        return self._read(self.directory.figures / name, bytes, most)

    def preparation(self) -> Any:
        """The values of preparation.json, which `Preparation` checks; None: the run is of a version
        that did not write it.

        Raises:
            RunDirectoryError: it cannot be read.
            DamagedError: it is corrupted.
        """
        place = self.directory.preparation
        return self._read(place, json_of, TABLE_SIZE) if place.exists() else None

    def checkpoint(self, name: str, expected: Expected | None = None) -> Checkpoint:
        """The tensors and numbers of `checkpoints/<name>.safetensors`.

        Args:
            expected: what the tensors must be.

        Raises:
            RunDirectoryError: there is none.
            DamagedError: it is corrupted, or of another model.
        """
        from exp.runs.checkpoint import load  # torch

        place = self.checkpoint_path(name)
        try:
            return load(place, expected)
        except OSError as error:
            raise RunDirectoryError(f"cannot read {place}: {error.strerror or error}") from error

    def checkpoint_path(self, name: str) -> Path:
        return self.directory.checkpoints / f"{name}.safetensors"

    def _json(self, place: Path, schema: Schema) -> dict[str, Any]:
        found = self._read(place, json_of, SUMMARY_SIZE)
        if fault := fault_of(schema, found):
            raise DamagedError(f"{place} is corrupted: {fault}")
        return dict(found)

    def _read(self, place: Path, parse: Callable[[bytes], Content], *most: int) -> Content:
        """What a file of the run holds.

        Raises:
            RunDirectoryError: it is not there, or cannot be read.
            DamagedError: it is corrupted.
        """
        try:
            return parse(read(place, *most))
        except OSError as error:
            reason = error.strerror or error
            raise RunDirectoryError(
                f"the run is {self.status}: cannot read {place}: {reason}"
            ) from error
        except ValueError as error:
            raise DamagedError(f"{place} is corrupted: {error}") from error


def other_than_a_run(path: Path) -> str | None:
    """What a directory without a run.json is instead, where that is known."""
    if manifest.is_sweep(path):
        first = next(iter(sorted(path.glob("*/run.json"))), None)
        one = f", such as {first.parent}" if first is not None else ""
        return f"it is a sweep. Name one of its runs{one}"
    if not path.is_dir():
        return None
    within = sorted({*path.glob("*/run.json"), *path.glob("*/*/run.json")})
    below = [found.parent for found in within if not manifest.is_sweep(found.parent.parent)]
    sweeps = sorted({*path.glob(f"*/{manifest.NAME}"), *path.glob(f"*/*/{manifest.NAME}")})
    inner = [*(found.parent for found in sweeps), *below]
    return f"it contains run directories. Choose one of them, such as {inner[0]}" if inner else None
