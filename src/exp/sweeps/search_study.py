"""The trials of a search: Optuna's study in memory, and a copy of every trial in a SQLite file.

A trial depends on the seed, its own number and what was told before it, and on nothing else: so a
search that goes on asks for the trials that it would have asked for. The file is what remembers; a
trial is in it whole before it starts, and its end is written last.

CMA-ES keeps its state as a pickle, which is never read from the file: its trials are asked for once
more instead, and have to be the ones that stand there.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exp.sweeps.search_settings import Searching, direction
from exp.sweeps.search_space import Space
from exp.util.errors import ConfigError, DamagedError, Fault, RunDirectoryError, shown
from exp.util.files import TEMPORARY
from exp.util.untrusted import opened, stays_within

if TYPE_CHECKING:
    import optuna

NAME = "study.db"
STUDY = "exp"
"""The name of the study in the file."""
LARGEST = 1 << 30
"""Bytes of a file; that of ten thousand trials has a fiftieth."""
PATIENCE = 5.0
"""Seconds that SQLite may take to read the file."""
STATES = ("RUNNING", "COMPLETE", "PRUNED", "FAIL")
Curve = dict[int, float]
"""Epochs that were trained -> value of the score."""


@dataclass
class Trial:
    """One trial.

    Attributes:
        number: from 0; that of its run in the sweep.
        values: key -> value.
        batch: which it was asked for in, from 0.
        limits: as in `trainer.prune`, of the score that is searched by.
        state: of `STATES`.
        score: at its end; None where it has failed.
        curve: the score on its way, where it may be pruned by.
        directory: of its run, within that of the sweep; None where there is none.
        message: why it has failed.
    """

    number: int
    values: dict[str, Any]
    batch: int
    limits: list[list[float]] = field(default_factory=list)
    state: str = "RUNNING"
    score: float | None = None
    curve: Curve = field(default_factory=dict)
    directory: str | None = None
    message: str | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """What the file says beside what Optuna knows of."""
        found = {"batch": self.batch, "limits": self.limits}
        more = {"directory": self.directory, "message": self.message}
        return {**found, **{key: value for key, value in more.items() if value is not None}}


class Study:
    """The trials of one search.

    Args:
        path: of the SQLite file.
        space: what is searched.
        settings: of the search.
        metric: the score that it follows.

    Attributes:
        trials: all, by number.
    """

    def __init__(self, path: Path, space: Space, settings: Searching, metric: str) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.path, self.space, self.settings, self.metric = path, space, settings, metric
        self.direction = direction(metric)
        self.cache = optuna.storages.InMemoryStorage()
        self.memory = optuna.create_study(storage=self.cache, direction=self.direction)
        self.trials: list[Trial] = []
        self.ids: list[int] = []

    def open(self) -> None:
        """Takes up the trials of an earlier part of the search, or makes the file.

        Raises:
            ConfigError: the file holds another search.
            DamagedError: the file is corrupted.
            RunDirectoryError: it cannot be written.
        """
        with self._told():
            if self.path.exists():
                if self.path.is_symlink() or self.path.stat().st_size > LARGEST:
                    raise ValueError("it is a link, or far too large")
                for each in (self.path, *beside(self.path)):
                    with opened(each):  # SQLite would wait for a FIFO
                        pass
                with connected(self.path) as connection:
                    raise_strange(connection)
                with self._bounded():
                    self.id = self.storage.get_study_id_from_name(STUDY)
                    self._take_up()
            else:
                self._make()

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Takes up the storage; a file that keeps SQLite busy for too long is given up."""
        connections: list[sqlite3.Connection] = []
        self.storage = storage(self.path, connections)
        for connection in connections:
            patient(connection)
        yield
        for connection in connections:
            connection.set_progress_handler(None, 0)

    def _make(self) -> None:
        import optuna

        draft = self.path.with_name(f".{self.path.name}{TEMPORARY}")
        draft.unlink(missing_ok=True)
        made = storage(draft)
        which = getattr(optuna.study.StudyDirection, self.direction.upper())
        study = made.create_new_study([which], STUDY)
        for key, value in self.identity.items():
            made.set_study_user_attr(study, key, value)
        made.remove_session()
        made.engine.dispose()
        os.replace(draft, self.path)
        self.storage = storage(self.path)
        self.id = self.storage.get_study_id_from_name(STUDY)

    @property
    def identity(self) -> dict[str, Any]:
        """What every part of a search has in common."""
        return {
            "metric": self.metric,
            "fixed": list(self.space.fixed),
            "space": {key: str(value) for key, value in self.space.distributions.items()},
        }

    def _take_up(self) -> None:
        found = self.storage.get_study_user_attrs(self.id)
        faults = [
            Fault("sweep.dir", f"{self.path} holds a search with another {key}: {found.get(key)}")
            for key, value in self.identity.items()
            if found.get(key) != value
        ]
        if faults:
            raise ConfigError(faults)
        for place, each in enumerate(self.storage.get_all_trials(self.id, deepcopy=False)):
            trial = self._read(place, each)
            self.trials.append(trial)
            self.ids.append(self.storage.get_trial_id_from_study_id_trial_number(self.id, place))
            if self.settings.sampler != "cmaes":
                self.memory.add_trial(self._frozen(trial))
        if self.settings.sampler == "cmaes":
            self._replay()

    def _read(self, place: int, found: Any) -> Trial:
        """A trial of the file, looked at."""
        attributes = found.user_attrs
        batch, directory = attributes["batch"], attributes.get("directory")
        limits = [[float(epochs), float(value)] for epochs, value in attributes["limits"]]
        curve = {int(step): float(value) for step, value in found.intermediate_values.items()}
        state = found.state.name
        sound = (
            found.number == place
            and found.distributions == self.space.distributions
            and state in STATES
            and isinstance(batch, int)
            and (directory is None or (stays_within(directory) and directory != "."))
        )
        if not sound:
            raise ValueError(f"trial {place} is none of this search")
        values = {axis.key: found.params[axis.key] for axis in self.space.axes}
        score = found.value if state in ("COMPLETE", "PRUNED") else None
        message = attributes.get("message")
        return Trial(place, values, batch, limits, state, score, curve, directory, message)

    def _replay(self) -> None:
        """Asks for the known trials once more, batch after batch, and tells their ends."""
        batches: dict[int, list[Trial]] = {}
        for trial in self.trials:
            batches.setdefault(trial.batch, []).append(trial)
        for members in batches.values():
            for trial in members:
                if self._ask(trial.number) != trial.values:
                    versions = "another seed of the sampler, or another version of optuna or cmaes"
                    raise RunDirectoryError(
                        f"{self.path} cannot go on: trial {trial.number} would be another. "
                        f"It was made with {versions}"
                    )
            for trial in members:
                self._tell(trial)

    def ask(self, count: int, batch: int, limits: list[list[float]]) -> list[Trial]:
        """New trials, each in the file before the next is asked for.

        Raises:
            RunDirectoryError: they cannot be written.
        """
        found = []
        with self._told():
            for _ in range(count):
                number = len(self.trials)
                trial = Trial(number, self._ask(number), batch, limits)
                self.ids.append(self.storage.create_new_trial(self.id, self._frozen(trial)))
                self.trials.append(trial)
                found.append(trial)
        return found

    def _ask(self, number: int) -> dict[str, Any]:
        """The values of a trial, by a sampler that nothing but this trial has drawn from."""
        self.memory.sampler = sampler(self.settings, number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.settings.sampler == "grid":
                self.memory.enqueue_trial(self.space.combination(number))
            asked = self.memory.ask(self.space.distributions)
        return {axis.key: asked.params[axis.key] for axis in self.space.axes}

    def tell(self, trial: Trial) -> None:
        """Writes down how a trial has ended; its state comes last.

        Raises:
            RunDirectoryError: it cannot be written.
        """
        import optuna

        number, state = self.ids[trial.number], optuna.trial.TrialState[trial.state]
        with self._told():
            for key, value in trial.attributes.items():
                if key in ("directory", "message"):
                    self.storage.set_trial_user_attr(number, key, value)
            for step, value in trial.curve.items():
                self.storage.set_trial_intermediate_value(number, step, value)
            values = None if trial.score is None else [trial.score]
            self.storage.set_trial_state_values(number, state, values)
        self._tell(trial)

    def _tell(self, trial: Trial) -> None:
        """Tells the study in memory, which is what the sampler looks at."""
        import optuna

        if trial.state == "RUNNING":
            return
        if trial.state == "PRUNED" and trial.curve:
            study = self.cache.get_study_id_from_name(self.memory.study_name)
            known = self.cache.get_trial_id_from_study_id_trial_number(study, trial.number)
            step = max(trial.curve)
            self.cache.set_trial_intermediate_value(known, step, trial.curve[step])
        score = trial.score if trial.state == "COMPLETE" else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.memory.tell(trial.number, score, state=optuna.trial.TrialState[trial.state])

    def _frozen(self, trial: Trial) -> optuna.trial.FrozenTrial:
        """A trial as Optuna writes it down."""
        import optuna

        return optuna.trial.create_trial(
            state=optuna.trial.TrialState[trial.state],
            value=trial.score,
            params=trial.values,
            distributions=self.space.distributions,
            user_attrs=trial.attributes,
            intermediate_values=trial.curve,
        )

    @property
    def best(self) -> Trial | None:
        """The completed trial of the best score, the first of equals."""
        complete = [trial for trial in self.trials if trial.state == "COMPLETE"]
        sign = 1 if self.direction == "minimize" else -1
        return min(complete, key=lambda trial: sign * (trial.score or 0.0), default=None)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong with the file, told as such."""
        from optuna.exceptions import OptunaError, StorageInternalError
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (StorageInternalError, OSError) as error:
            reason = " ".join(str(error.__cause__ or error).split())[:200]
            raise RunDirectoryError(f"cannot read or write {self.path}: {reason}") from error
        except (
            OptunaError, SQLAlchemyError, sqlite3.Error, LookupError, TypeError, ValueError
        ) as error:  # fmt: skip
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise DamagedError(f"{self.path} is corrupted: {reason}") from error

    def close(self) -> None:
        if hasattr(self, "storage"):
            self.storage.remove_session()
            self.storage.engine.dispose()


def beside(path: Path) -> list[Path]:
    """The files that SQLite keeps beside its own, those that are there."""
    places = [path.with_name(path.name + end) for end in ("-journal", "-wal", "-shm")]
    return [place for place in places if os.path.lexists(place)]


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=60)
    try:
        patient(connection)
        yield connection
    finally:
        connection.close()


def patient(connection: sqlite3.Connection) -> None:
    """Breaks off whatever a connection does from now on, once it has taken too long."""
    end = time.monotonic() + PATIENCE
    connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)


def raise_strange(connection: sqlite3.Connection) -> None:
    """
    Raises:
        ValueError: a database holds more than tables: a view or a trigger is a program.
    """
    connection.execute("PRAGMA trusted_schema = OFF")
    found = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchmany(1000)
    for kind, name, text in found:
        virtual = isinstance(text, str) and "virtual" in text.lower()
        if kind not in ("table", "index") or virtual:
            raise ValueError(f"it holds the {kind} {shown(name)}, which exp does not make")


def storage(path: Path, connections: list[sqlite3.Connection] | None = None) -> Any:
    """Optuna's storage in a file, whatever characters its path has.

    Args:
        connections: those that it opens are put there.
    """
    import optuna
    from sqlalchemy.pool import StaticPool

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=60, check_same_thread=False)
        if connections is not None:
            connections.append(connection)
        return connection

    # Not by its URL: a path may have characters that mean something there.
    options = {"creator": connect, "poolclass": StaticPool}
    return optuna.storages.RDBStorage("sqlite://", engine_kwargs=options)


def sampler(settings: Searching, number: int) -> optuna.samplers.BaseSampler:
    """The sampler of one trial."""
    import optuna

    digest = hashlib.sha256(f"{settings.seed}/{number}".encode()).digest()
    seed = int.from_bytes(digest[:4], "big")
    if settings.sampler == "tpe":
        # Trials of a batch that are still running count as bad: they would be asked for again.
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    if settings.sampler == "cmaes":
        independent = optuna.samplers.RandomSampler(seed=seed)
        return optuna.samplers.CmaEsSampler(
            seed=seed, independent_sampler=independent, warn_independent_sampling=False
        )
    return optuna.samplers.RandomSampler(seed=seed)


def limits(trials: Sequence[Trial], settings: Searching) -> list[list[float]]:
    """What new trials have to keep up with: the median of the finished ones, at each step that
    `prune_from` of them have."""
    from statistics import median

    if settings.pruner == "none":
        return []
    curves = [trial.curve for trial in trials if trial.state == "COMPLETE"]
    steps = sorted({step for curve in curves for step in curve})
    known = {step: [curve[step] for curve in curves if step in curve] for step in steps}
    return [
        [float(step), float(median(values))]
        for step, values in known.items()
        if len(values) >= settings.prune_from
    ]


def tallied(trials: Sequence[Trial]) -> Mapping[str, int]:
    """How many trials have ended in which way."""
    words = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "unfinished"}
    counts = {word: sum(t.state == state for t in trials) for state, word in words.items()}
    return {word: count for word, count in counts.items() if count}
