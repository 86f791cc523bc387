"""The trials of a search: which values Optuna asks for next, and how each trial has ended.

A trial depends on the seed, its own number and the results before it, and on nothing else: so a
search that goes on asks for the trials that it would have asked for. The samplers work on a study
in memory, and `study.db` is the record: CMA-ES keeps its state as a pickle, which must not be read
from a file, so its trials are asked for once more and have to be those of the file.
"""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

import optuna

from exp.sweeps.search_settings import SearchSettings, direction
from exp.sweeps.search_space import Space
from exp.sweeps.study_file import NAME as NAME
from exp.sweeps.study_file import StudyFile
from exp.util.errors import ConfigError, Fault, RunDirectoryError
from exp.util.untrusted import stays_within

STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "unfinished"}
"""Optuna's states of a trial, and the words for them."""


@dataclass
class Trial:
    """One trial.

    Attributes:
        number: from 0.
        values: key -> value.
        batch: which it was asked for in, from 0.
        limits: as in `trainer.prune`, of the score that is searched by.
        state: of `STATES`.
        score: at its end, the mean over its runs; None where it has failed.
        scores: of its runs, one for each seed.
        curve: trained epochs -> the score then, the mean over its runs, where trials may be pruned.
        worst: the same, of the worst of its runs.
        directories: of its runs, within that of the sweep; empty: none could start.
        message: why it has failed.
    """

    number: int
    values: dict[str, Any]
    batch: int
    limits: list[list[float]] = field(default_factory=list)
    state: str = "RUNNING"
    score: float | None = None
    scores: list[float] = field(default_factory=list)
    curve: dict[int, float] = field(default_factory=dict)
    worst: dict[int, float] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)
    message: str | None = None


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

    def __init__(self, path: Path, space: Space, settings: SearchSettings, metric: str) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.file, self.space, self.settings, self.metric = StudyFile(path), space, settings, metric
        self.direction = direction(metric)
        self.storage = optuna.storages.InMemoryStorage()
        self.memory = optuna.create_study(storage=self.storage, direction=self.direction)
        self.trials: list[Trial] = []

    def open(self) -> None:
        """Takes up the trials of an earlier part of the search, or makes the file.

        Raises:
            ConfigError: the file holds another search.
            DamagedError: the file was changed.
            RunDirectoryError: it cannot be written.
        """
        identity = {
            "metric": self.metric,
            "fixed": list(self.space.fixed),
            "space": {key: str(value) for key, value in self.space.distributions.items()},
            "seeds": [list(words) for words in self.space.repeats if words],
        }
        if not self.file.path.exists():
            self.file.create(self.direction, identity)
            return
        self.file.open()
        there = self.file.attributes
        faults = [
            Fault(
                "sweep.dir",
                f"{self.file.path} belongs to a search with another {k}: {there.get(k)}",
            )
            for k, value in identity.items()
            if there.get(k, []) != value
        ]
        if faults:
            raise ConfigError(faults)
        with self.file.errors():
            self.trials = [self._read(number, t) for number, t in enumerate(self.file.trials)]
        if self.settings.sampler == "cmaes":
            self._ask_again()
        else:
            for trial in self.trials:
                self.memory.add_trial(self._frozen(trial))

    def _read(self, number: int, found: optuna.trial.FrozenTrial) -> Trial:
        """A trial of the file, checked."""
        attributes, state = found.user_attrs, found.state.name
        batch, directory = attributes["batch"], attributes.get("directory")
        directories = attributes.get("directories", [] if directory is None else [directory])
        worst = attributes.get("worst", found.intermediate_values)
        sound = (
            found.number == number
            and found.distributions == self.space.distributions
            and state in STATES
            and isinstance(batch, int)
            and len(directories) in (0, len(self.space.repeats))
            and all(stays_within(each) and each != "." for each in directories)
        )
        if not sound:
            raise ValueError(f"trial {number} is not part of this search")
        return Trial(
            number,
            {axis.key: found.params[axis.key] for axis in self.space.axes},
            batch,
            [[float(epochs), float(value)] for epochs, value in attributes["limits"]],
            state,
            found.value if state in ("COMPLETE", "PRUNED") else None,
            [float(score) for score in attributes.get("scores", [])],
            {int(step): float(value) for step, value in found.intermediate_values.items()},
            {int(step): float(value) for step, value in worst.items()},
            directories,
            attributes.get("message"),
        )

    def _ask_again(self) -> None:
        """Asks for the known trials once more, batch after batch, and reports their results."""
        for _, batch in groupby(self.trials, key=lambda trial: trial.batch):
            members = list(batch)
            for trial in members:
                if self._sample(trial.number) != trial.values:
                    raise RunDirectoryError(
                        f"{self.file.path} cannot continue: trial {trial.number} would get "
                        "different values. The search was started with another seed of the sampler "
                        "or another version of optuna or cmaes"
                    )
            for trial in members:
                self._report(trial)

    def ask(self, count: int, batch: int, limits: list[list[float]]) -> list[Trial]:
        """New trials, each in the file before the next is asked for.

        Raises:
            RunDirectoryError: they cannot be written.
        """
        found = []
        for _ in range(count):
            number = len(self.trials)
            trial = Trial(number, self._sample(number), batch, limits)
            self.file.add(self._frozen(trial))
            self.trials.append(trial)
            found.append(trial)
        return found

    def _sample(self, number: int) -> dict[str, Any]:
        """The values of a trial, by a sampler that has drawn for no other trial."""
        self.memory.sampler = sampler(self.settings, number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.settings.sampler == "grid":
                self.memory.enqueue_trial(self.space.combination(number))
            asked = self.memory.ask(self.space.distributions)
        return {axis.key: asked.params[axis.key] for axis in self.space.axes}

    def finish(self, trial: Trial) -> None:
        """Writes how a trial has ended, and reports it to the sampler.

        Raises:
            RunDirectoryError: it cannot be written.
        """
        self.file.finish(trial.number, self._frozen(trial))
        self._report(trial)

    def _report(self, trial: Trial) -> None:
        """Reports a result to the study in memory, which is what the sampler looks at."""
        if trial.state == "RUNNING":
            return
        if trial.state == "PRUNED" and trial.curve:
            step = max(trial.curve)
            # In memory the number of a trial is its id.
            self.storage.set_trial_intermediate_value(trial.number, step, trial.curve[step])
        score = trial.score if trial.state == "COMPLETE" else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.memory.tell(trial.number, score, state=optuna.trial.TrialState[trial.state])

    def _frozen(self, trial: Trial) -> optuna.trial.FrozenTrial:
        """A trial as Optuna's storage has it."""
        known: dict[str, Any] = {"message": trial.message}
        known["directory"] = trial.directories[0] if trial.directories else None
        if len(trial.directories) > 1:
            known |= {"directories": trial.directories, "scores": trial.scores}
            known["worst"] = {str(step): value for step, value in trial.worst.items()}
        return optuna.trial.create_trial(
            state=optuna.trial.TrialState[trial.state],
            value=trial.score,
            params=trial.values,
            distributions=self.space.distributions,
            user_attrs={"batch": trial.batch, "limits": trial.limits}
            | {key: value for key, value in known.items() if value is not None},
            intermediate_values=trial.curve,
        )

    @property
    def best(self) -> Trial | None:
        """The completed trial of the best score, the first of equals."""
        complete = [trial for trial in self.trials if trial.state == "COMPLETE"]
        sign = 1 if self.direction == "minimize" else -1
        return min(complete, key=lambda trial: sign * (trial.score or 0.0), default=None)

    def counts(self) -> dict[str, int]:
        """How many trials have ended in which way."""
        found = Counter(trial.state for trial in self.trials)
        return {word: found[state] for state, word in STATES.items() if found[state]}

    def limits(self) -> list[list[float]]:
        """What each run of new trials has to keep up with: the median of the finished trials, of
        each its worst run, at each step that `prune_from` of them have."""
        if self.settings.pruner == "none":
            return []
        curves = [trial.worst for trial in self.trials if trial.state == "COMPLETE"]
        steps = sorted({step for curve in curves for step in curve})
        known = {step: [curve[step] for curve in curves if step in curve] for step in steps}
        return [
            [float(step), float(median(values))]
            for step, values in known.items()
            if len(values) >= self.settings.prune_from
        ]

    def close(self) -> None:
        self.file.close()


def sampler(settings: SearchSettings, number: int) -> optuna.samplers.BaseSampler:
    """The sampler of one trial."""
    digest = hashlib.sha256(f"{settings.seed}/{number}".encode()).digest()
    seed = int.from_bytes(digest[:4], "big")
    if settings.sampler == "tpe":
        # Trials of a batch that are still running count as bad, or they would be asked for twice.
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    if settings.sampler == "cmaes":
        independent = optuna.samplers.RandomSampler(seed=seed)
        return optuna.samplers.CmaEsSampler(
            seed=seed, independent_sampler=independent, warn_independent_sampling=False
        )
    return optuna.samplers.RandomSampler(seed=seed)
