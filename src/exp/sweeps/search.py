"""What `hydra/sweeper=optuna` does: asks for trials, has them trained as stacks, reports results.

A search is a sweep whose runs are not known when it starts. Its directory is like that of any
other, with Optuna's own record of the trials beside: `study.db`.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.override_parser.types import Override

from exp.config import plugins
from exp.config.compose import draws
from exp.config.plan import plan
from exp.config.settings import OF_THE_SWEEP
from exp.runs.loggers.log_sweeps import SweepLog, found_below
from exp.runs.manifest import Entry
from exp.sweeps import runs_table
from exp.sweeps.applicable import Applicable
from exp.sweeps.composer import Composer
from exp.sweeps.fold_rounds import incomplete_rounds
from exp.sweeps.grid import Words
from exp.sweeps.hydra_task import swept
from exp.sweeps.planner import Planned, Planner, Runs
from exp.sweeps.progress import closing, interrupted, print_lines, print_skipped
from exp.sweeps.search_settings import direction, metric_of, search_settings, warning
from exp.sweeps.sweep_directory import SweepDirectory
from exp.sweeps.sweeper import Sweep
from exp.sweeps.trial_runs import end_of, finish, other_scores
from exp.sweeps.unfinished import unfinished
from exp.sweeps.workers import Workers
from exp.util.errors import ConfigError, Fault, ImpossibleError

if TYPE_CHECKING:
    from exp.sweeps.search_study import Trial
    from hydra_plugins.exp_sweeps.optuna_sweeper import OptunaSweeper

PRUNE = "trainer.prune"


class Search(Sweep):
    """One search of an `OptunaSweeper`.

    Args:
        sweeper: set up by Hydra.
    """

    def __init__(self, sweeper: OptunaSweeper) -> None:
        super().__init__(sweeper)
        self.search, faults = search_settings(sweeper.given)
        self.faults += faults
        for key, given in (
            ("zip", self.settings.zip),
            ("file", self.settings.file),
            ("until", self.settings.until),
            ("shard", self.settings.shard),
        ):
            if given:
                self.faults.append(Fault(f"sweep.{key}", "is for hydra/sweeper=grid"))
        self.prunes = self.search.pruner != "none"
        self.entries: dict[int, Entry] = {}
        self.skipped: dict[int, tuple[Words, str]] = {}
        self.last_planned: Sequence[Planned] = ()

    def run(self, words: list[str]) -> None:
        """From a command line to the best trial.

        Raises:
            ConfigError: with all that is wrong with the settings, and with runs at the ends of the
                search space; nothing was started.
        """
        if self.sweeper.task_function is not swept:
            raise ConfigError([Fault("hydra/sweeper", "optuna searches runs of exp only")])
        if any("is not installed" in fault.message for fault in self.faults):
            raise ConfigError(self.faults)
        from exp.sweeps import search_space, search_study  # import optuna, which is an extra

        try:
            self.space = search_space.space_of(
                self.searched(words), grid=self.search.sampler == "grid"
            )
        except ConfigError as error:
            raise ConfigError([*self.faults, *error.faults]) from None
        self.composer, self.planner = Composer(self.loader, self.config), Planner(repeats=True)
        self.fit = Applicable(self.composer, self.space.corners())
        first, *others = self.space.repeats
        ends = [self.fit(words) for words in self.space.corners()]
        corners = [(*words, *first) for words in ends] + [(*ends[0], *seed) for seed in others]
        corners = [self.with_limits(words, []) for words in corners]
        self.keys = self.fix_names(corners)
        self.choose_launcher()
        self.runs = len(self.space.repeats)
        batch = self.search.batch * self.runs
        self.workers = Workers(self.settings, batch, draws=draws(self.config))
        self.directory = SweepDirectory(Path(str(self.config.hydra.sweep.dir)))
        self.logging = SweepLog(self.directory.path)
        if self.stacked and not self.faults:
            self.workers.warm()
        study = None
        ended_early: KeyboardInterrupt | None = None
        try:
            self.metric = self.checked(corners)
            print_lines([*self.fit.messages(), *self.composer.left_out_lines()])
            if (caution := warning(self.metric)) is not None:
                print(caution, file=sys.stderr, flush=True)
            if self.one_by_one is not None:
                print(f"trained one by one: {self.one_by_one}", flush=True)
            self.directory.claim(may_exist=self.settings.dir is not None)
            path = self.directory.path / search_study.NAME
            study = self.study = search_study.Study(path, self.space, self.search, self.metric)
            self.begin()
            try:
                self.loop()
            except KeyboardInterrupt as error:
                ended_early = error
            self.save()
            results = runs_table.write(self.directory, self.keys, self.all_entries)
        finally:
            self.workers.close()
            if study is not None:
                study.close()
            self.directory.release()
        if ended_early is not None:
            self.logging.stop()
            print(interrupted(results.statuses, self.directory.path), flush=True)
            raise ended_early
        seconds = time.monotonic() - self.begun
        metric = self.metric if study.best is not None else None
        print(closing(results, self.directory.path, seconds, metric=metric), flush=True)
        self.draw(self.last_planned, self.directory, len(self.entries))
        print(self.outcome(), flush=True)
        self.logging.finish(found_below(self.directory.path))
        self.sweeper.exit_code = 0 if study.best is not None else 1

    def searched(self, words: list[str]) -> list[Override]:
        """The overrides that say what is searched."""
        overrides = self.parse(words)
        plugins.only_named(dict.fromkeys(words))
        if self.prunes and any(override.key_or_group == PRUNE for override in overrides):
            self.faults.append(Fault(PRUNE, "is set by the pruner of the search"))
        return [o for o in overrides if o.key_or_group.split(".")[0] not in OF_THE_SWEEP]

    def checked(self, corners: Sequence[Words]) -> str:
        """Validates runs at the ends of the search space; returns the score to follow.

        Raises:
            ConfigError: with every fault of every one of them, and of the settings.
        """
        found = self.planner.plan(self.composer, list(enumerate(corners)), self.faults)
        print_skipped(found, len(corners))
        print_lines([*incomplete_rounds(found.planned)])
        if not found.planned:
            raise ImpossibleError("no run of this search is possible; nothing was started")
        costs = [found.stacks[run.stack].seconds for run in found.planned]
        if self.stacked:
            self.workers.decide(self.total * self.runs * sum(costs) / len(costs))
        metric, faults = metric_of(self.search, [plan(run.config) for run in found.planned])
        if faults:
            raise ConfigError(faults)
        return metric

    def begin(self) -> None:
        """Takes up what an earlier part of this search has left."""
        if not self.directory.manifest.is_file():
            self.save()
        self.study.open()
        ended = [trial for trial in self.study.trials if trial.state != "RUNNING"]
        for trial in ended:
            runs = self.words(trial)
            if not trial.directories:
                self.leave_out(runs, trial.message or "it could not start")
            for (number, words), name in zip(runs, trial.directories, strict=False):
                self.entries[number] = Entry(number, name, words)
        if self.study.trials:
            print(f"{len(ended)} trials of this search are already finished", flush=True)

    def loop(self) -> None:
        """Asks for trials, trains them and reports their results, batch after batch."""
        wanted = "lowest" if direction(self.metric) == "minimize" else "highest"
        place = self.directory.path
        mean = f", the mean of {self.runs} runs each" if self.runs > 1 else ""
        print(
            f"a search of {self.total} trials in {place}/, for the {wanted} {self.metric}{mean}",
            flush=True,
        )
        while batch := self.next_batch():
            self.train_batch(batch)
            if any(trial.state == "RUNNING" for trial in batch):
                break  # sweep.fail_fast has kept some from starting

    @property
    def total(self) -> int:
        """How many trials there will be."""
        wanted = self.search.n_trials
        return min(wanted, self.space.size) if self.search.sampler == "grid" else wanted

    def next_batch(self) -> list[Trial]:
        """The trials of the next batch that are still to be done: those of an earlier part of the
        search that have no result, completed to a batch if it was killed while asking."""
        trials = self.study.trials
        number = max((trial.batch for trial in trials), default=-1)
        last = [trial for trial in trials if trial.batch == number]
        waiting = [trial for trial in last if trial.state == "RUNNING"]
        if waiting and len(waiting) < len(last):
            return waiting
        if not waiting:
            number, last = number + 1, []
        bounds = last[0].limits if last else self.study.limits()
        count = min(self.search.batch - len(last), self.total - len(trials))
        return [*waiting, *self.study.ask(max(0, count), number, bounds)]

    def words(self, trial: Trial) -> list[tuple[int, Words]]:
        """The runs of a trial, one for each seed: number and overrides."""
        words, first = self.fit(self.space.words(trial.values)), trial.number * self.runs
        return [
            (first + place, self.with_limits((*words, *seed), trial.limits))
            for place, seed in enumerate(self.space.repeats)
        ]

    def with_limits(self, words: Words, bounds: list[list[float]]) -> Words:
        """Overrides with the limits that the pruner sets, where there is one."""
        if not self.prunes:
            return words
        pairs = ",".join(f"[{epochs!r},{value!r}]" for epochs, value in bounds)
        limit = f"{{{self.metric}:[{pairs}]}}" if bounds else "null"
        return (*words, f"{PRUNE}={limit}")

    def train_batch(self, batch: Sequence[Trial]) -> None:
        """Has a batch trained, and reports how each of its trials has ended."""
        found = self.planned(batch)
        entries = self.directory.entries_of(found.planned)
        self.entries |= {entry.number: entry for entry in entries}
        self.last_planned = found.planned or self.last_planned
        self.save()
        todo = unfinished(found, entries, self.directory, copies=self.reuse is not False)
        total = self.total * self.runs
        before = len(self.study.trials) * self.runs - len(todo)
        self.train_runs(found, todo, before=before, total=total)
        epochs = {run.number: run.config["trainer"]["epochs"] for run in found.planned}
        for trial in batch:
            if (first := trial.number * self.runs) in epochs:
                self.read_result(trial, first, epochs[first])
            if trial.state != "RUNNING":
                self.study.finish(trial)

    def planned(self, batch: Sequence[Trial]) -> Runs:
        """The runs of a batch, validated. A trial that cannot start has failed."""
        runs = [run for trial in batch for run in self.words(trial)]
        try:
            found = self.planner.plan(self.composer, runs)
        except ConfigError:
            good = [run for run in runs if self.is_valid(*run)]
            found = self.planner.plan(self.composer, good)
        for number, words, reason in found.skipped:
            self.skipped[number] = words, reason
        failed = {number // self.runs: number for number in sorted(self.skipped, reverse=True)}
        for trial in batch:
            if trial.number in failed:
                words, reason = self.skipped[failed[trial.number]]
                trial.state, trial.message = "FAIL", reason
                print(f"trial {trial.number} failed: {' '.join(words)}\n  {reason}", flush=True)
                self.leave_out(self.words(trial), reason)
        found.planned = [run for run in found.planned if run.number not in self.skipped]
        return found

    def leave_out(self, runs: Sequence[tuple[int, Words]], reason: str) -> None:
        """Skips all runs of a trial: the mean of fewer runs is a different score."""
        self.skipped.update({number: (words, reason) for number, words in runs})

    def is_valid(self, number: int, words: Words) -> bool:
        """Whether a run of a batch is without fault; its faults are noted where not."""
        try:
            self.planner.plan(self.composer, [(number, words)])
        except ConfigError as error:
            faults = "; ".join(f"{fault.path}: {fault.message}" for fault in error.faults)
            self.skipped[number] = words, faults
            return False
        return True

    def read_result(self, trial: Trial, first: int, epochs: int) -> None:
        """How a trial has ended, as the directories of its runs say.

        Args:
            first: the number of its first run.
        """
        names = [self.entries[first + place].directory for place in range(self.runs)]
        places = [self.directory.path / name for name in names]
        ends = [end_of(place, self.metric, epochs if self.prunes else None) for place in places]
        whole = [end for end in ends if end is not None]
        if len(whole) == len(ends):
            sign = 1 if direction(self.metric) == "minimize" else -1
            finish(trial, names, whole, sign)

    @property
    def all_entries(self) -> list[Entry]:
        """Every run in the directory."""
        return self.directory.with_earlier([self.entries[n] for n in sorted(self.entries)])

    def save(self) -> None:
        """Writes sweep.json as far as the search has come."""
        skipped = [(number, *found) for number, found in sorted(self.skipped.items())]
        search = {**asdict(self.search), "metric": self.metric}
        search["direction"] = direction(self.metric)
        if (best := self.study.best) is not None:
            search["best"] = {
                "number": best.number, "directory": best.directories[0], "score": best.score
            }  # fmt: skip
            if self.runs > 1:
                search["best"] |= {"directories": best.directories, "scores": best.scores}
        self.write_manifest(self.keys, self.all_entries, skipped, more={"search": search})

    def outcome(self) -> str:
        """The best trial, and how to do it again."""
        study, place = self.study, self.directory.path
        counts = ", ".join(f"{count} {word}" for word, count in study.counts().items())
        lines = ["", f"{len(study.trials)} trials: {counts}"]
        best = study.best
        if best is None:
            return "\n".join([*lines, "No trial was completed"])
        runs = [place / name for name in best.directories]
        more = other_scores(runs, self.metric)
        where = f"in {runs[0]}"
        if self.runs > 1:
            where = f"means of {self.runs} runs, the first in {runs[0]}"
        lines.append(f"Best trial: {best.number}, {self.metric} {best.score:.4f}{more}, {where}")
        # Without the limits that its pruner set: they have not changed a bit of it.
        many = ["-m"] if self.space.repeated else []
        words = (*self.fit(self.space.words(best.values)), *self.space.repeated)
        again = shlex.join(["python", "-m", "exp", *many, *words])
        return "\n".join([*lines, f"Again: {again}"])
