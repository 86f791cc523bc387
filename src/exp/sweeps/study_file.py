"""`study.db`: every trial of a search, in Optuna's own storage, a SQLite file.

A trial is in it whole before it starts, and its end is written last, so that a search that was
killed goes on. The file may come from somebody else: it is checked before Optuna reads it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import OptunaError, StorageInternalError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from exp.util.errors import DamagedError, RunDirectoryError, shown
from exp.util.files import TEMPORARY
from exp.util.untrusted import opened

NAME = "study.db"
STUDY = "exp"
"""The name of the study in the file."""
LARGEST = 1 << 30
"""Bytes of a file; that of ten thousand trials has a fiftieth."""
TIME_LIMIT = 5.0
"""Seconds that SQLite may take to read the file."""


class StudyFile:
    """The file of one search.

    Args:
        path: of the SQLite file.

    All methods raise RunDirectoryError where the file cannot be read or written, and DamagedError
    where it holds something else than was written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.storage: Any = None

    def create(self, direction: str, attributes: Mapping[str, Any]) -> None:
        """Makes the file, whole or not at all.

        Args:
            direction: minimize or maximize.
            attributes: of the search as a whole.
        """
        draft = self.path.with_name(f".{self.path.name}{TEMPORARY}")
        with self.errors():
            draft.unlink(missing_ok=True)
            made, _ = storage(draft)
            study = made.create_new_study([optuna.study.StudyDirection[direction.upper()]], STUDY)
            for key, value in attributes.items():
                made.set_study_user_attr(study, key, value)
            made.remove_session()
            made.engine.dispose()
            os.replace(draft, self.path)
            self.storage, _ = storage(self.path)
            self.id = self.storage.get_study_id_from_name(STUDY)

    def open(self) -> None:
        """Opens a file that is there, after a look at what it is."""
        with self.errors():
            if self.path.is_symlink() or self.path.stat().st_size > LARGEST:
                raise ValueError("it is a symbolic link, or too large")
            beside = (self.path.with_name(f"{NAME}{end}") for end in ("-journal", "-wal", "-shm"))
            for each in (self.path, *(place for place in beside if os.path.lexists(place))):
                with opened(each):  # SQLite would wait for a FIFO
                    pass
            with closing(sqlite3.connect(self.path, timeout=60)) as connection:
                limit_time(connection)
                check_tables(connection)
            self.storage, connections = storage(self.path)
            for connection in connections:
                limit_time(connection)
            self.id = self.storage.get_study_id_from_name(STUDY)
            self.attributes: dict[str, Any] = self.storage.get_study_user_attrs(self.id)
            self.trials: list[optuna.trial.FrozenTrial] = self.storage.get_all_trials(
                self.id, deepcopy=False
            )
            for connection in connections:
                connection.set_progress_handler(None, 0)

    def add(self, trial: optuna.trial.FrozenTrial) -> None:
        """Adds a trial, before it starts."""
        with self.errors():
            self.storage.create_new_trial(self.id, trial)

    def finish(self, number: int, trial: optuna.trial.FrozenTrial) -> None:
        """Writes how a trial has ended; its state comes last."""
        with self.errors():
            place = self.storage.get_trial_id_from_study_id_trial_number(self.id, number)
            for key, value in trial.user_attrs.items():
                self.storage.set_trial_user_attr(place, key, value)
            for step, value in trial.intermediate_values.items():
                self.storage.set_trial_intermediate_value(place, step, value)
            self.storage.set_trial_state_values(place, trial.state, trial.values)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Within this, errors of Optuna and SQLite name the file."""
        try:
            yield
        except (StorageInternalError, OSError) as error:
            reason = " ".join(str(error.__cause__ or error).split())[:200]
            raise RunDirectoryError(f"cannot read or write {self.path}: {reason}") from error
        except (
            OptunaError, SQLAlchemyError, sqlite3.Error, LookupError, TypeError, ValueError
        ) as error:  # fmt: skip
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise DamagedError(f"{self.path} is corrupted or was changed: {reason}") from error

    def close(self) -> None:
        if self.storage is not None:
            self.storage.remove_session()
            self.storage.engine.dispose()


def limit_time(connection: sqlite3.Connection) -> None:
    """Stops whatever a connection does from now on, once it has taken too long."""
    end = time.monotonic() + TIME_LIMIT
    connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)


def check_tables(connection: sqlite3.Connection) -> None:
    """
    Raises:
        ValueError: a database holds more than tables: a view or a trigger is a program.
    """
    connection.execute("PRAGMA trusted_schema = OFF")
    found = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchmany(1000)
    for kind, name, text in found:
        virtual = isinstance(text, str) and "virtual" in text.lower()
        if kind not in ("table", "index") or virtual:
            raise ValueError(f"it contains the {kind} {shown(name)}, which exp does not make")


def storage(path: Path) -> tuple[Any, list[sqlite3.Connection]]:
    """Optuna's storage in a file, and its connections."""
    connections: list[sqlite3.Connection] = []

    def connect() -> sqlite3.Connection:
        connections.append(sqlite3.connect(path, timeout=60, check_same_thread=False))
        return connections[-1]

    # Not by its URL: a path may have characters that mean something there.
    options = {"creator": connect, "poolclass": StaticPool}
    return optuna.storages.RDBStorage("sqlite://", engine_kwargs=options), connections
