"""What `hydra/sweeper=grid` does: from a command line to a finished sweep."""

from __future__ import annotations

import contextlib
import datetime
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from omegaconf import OmegaConf, open_dict

from exp.config import plugins, text_values
from exp.config.compose import draws
from exp.config.hydra_errors import one_line
from exp.config.settings import OF_THE_SWEEP, run_settings, sweep_settings
from exp.runs import provenance
from exp.runs.loggers.log_sweeps import SweepLog
from exp.runs.manifest import Entry
from exp.runs.record import RunRecord
from exp.sweeps import draw_sweep, hydra_launcher, runs_table
from exp.sweeps.applicable import Applicable
from exp.sweeps.chunks import seconds_of
from exp.sweeps.composer import Composer
from exp.sweeps.dispatch import train_planned
from exp.sweeps.fold_rounds import incomplete_rounds
from exp.sweeps.grid import Words, expand, listed, swept_keys
from exp.sweeps.hydra_task import swept
from exp.sweeps.planner import Planned, Planner, Runs
from exp.sweeps.progress import closing, interrupted, print_lines, print_skipped
from exp.sweeps.sweep_directory import SweepDirectory
from exp.sweeps.train_stack import Outcome
from exp.sweeps.unfinished import unfinished
from exp.sweeps.workers import Workers
from exp.util.errors import ConfigError, Fault, ImpossibleError, shown
from exp.util.statuses import ENDED

if TYPE_CHECKING:
    from hydra_plugins.exp_sweeps.grid_sweeper import GridSweeper


class Sweep:
    """One sweep of a `GridSweeper`.

    Args:
        sweeper: set up by Hydra.
    """

    def __init__(self, sweeper: GridSweeper) -> None:
        assert sweeper.config is not None
        assert sweeper.hydra_context is not None
        self.sweeper, self.config = sweeper, sweeper.config
        self.context = sweeper.hydra_context
        self.loader = self.context.config_loader
        self.settings, faults = sweep_settings(hydra_launcher.plain_node(self.config, "sweep"))
        self.faults = [*sweeper.faults, *faults]
        self.reuse = run_settings(hydra_launcher.plain_node(self.config, "run"))[0].reuse
        self.lines: list[tuple[int, Words]] = []
        self.entries: dict[int, Entry] = {}
        self.skipped: dict[int, tuple[Words, str]] = {}
        self.repeated: list[int] = []
        self.started: list[Planned] = []
        self.begun = time.monotonic()
        self.parts = 1  # in which the runs are divided among processes like this one

    def run(self, words: list[str]) -> Any:
        """Everything.

        Raises:
            ConfigError: with all that is wrong with any run; nothing was started.
        """
        runs = self.expanded(words)
        if self.sweeper.task_function is swept:
            return self.train(runs)
        return hydra_launcher.run_other_task(self.sweeper, self.launcher(), runs)

    def expanded(self, words: list[str]) -> list[Words]:
        """Every run of the command line."""
        settings = self.settings
        overrides = self.parse(words)
        self.lines = listed(settings.file, self.parse) if settings.file else []
        lines = [line for _, line in self.lines]
        plugins.only_named(dict.fromkeys([*words, *(word for line in lines for word in line)]))
        own = [o for o in overrides if o.key_or_group.split(".")[0] not in OF_THE_SWEEP]
        try:
            return expand(self.with_seeds(own), linked=settings.linked, lines=lines or [()])
        except ConfigError as error:
            raise ConfigError([*self.faults, *error.faults]) from None

    def with_seeds(self, overrides: list[Override]) -> list[Override]:
        """The overrides of the first runs: all of them, unless seeds are added later."""
        return overrides

    def parse(self, words: list[str]) -> list[Override]:
        found: list[Override] = []
        faults = []
        parser = OverridesParser.create(config_loader=self.loader)
        for word in text_values.words(words, sweeps=True):  # those of a file come here first
            try:
                found += parser.parse_overrides([word])
            except (HydraException, ValueError) as error:
                faults.append(Fault(shown(word), one_line(error)))
        if faults:
            raise ConfigError(faults)
        return found

    def applicable(self, composer: Composer, runs: list[Words]) -> tuple[list[Words], list[str]]:
        """The runs with what applies to their options, each once, and lines that say what not."""
        each = len(runs) // max(1, len(self.lines))
        lines = [self.lines[number // each] for number in range(len(runs))] if self.lines else []
        fit = Applicable(composer, runs, lines)
        fitted = [fit(run, *lines[number : number + 1]) for number, run in enumerate(runs)]
        left_out = list(fit.messages())
        return (list(dict.fromkeys(fitted)) if left_out else runs), left_out

    def fix_names(self, runs: Sequence[Words]) -> list[str]:
        """Fixes what every launcher must agree on: the directory of the sweep, and which keys the
        names of its runs have.

        Returns:
            The keys that vary.
        """
        keys = list(swept_keys(runs))
        plain = [key.lstrip("+~").partition("@")[0] for key in keys]
        same = {w.partition("=")[0].lstrip("+~").partition("@")[0] for r in runs for w in r}
        hydra = self.config.hydra
        place = self.settings.dir or str(hydra.sweep.dir)
        with open_dict(hydra):
            hydra.sweep.dir = place
            options = hydra.job.config.override_dirname
            fixed = sorted({*(same - set(plain)), *options.exclude_keys})
            options.exclude_keys = fixed
            texts = ",".join(quoted(text) for text in fixed)
            hydra.overrides.hydra += [
                f"hydra.sweep.dir={quoted(place)}",
                f"hydra.job.config.override_dirname.exclude_keys=[{texts}]",
            ]
        return keys

    def launcher(self) -> Any:
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=self.context,
            task_function=self.sweeper.task_function,
            config=self.config,
        )
        self.sweeper.launcher = launcher
        return launcher

    def train(self, runs: list[Words]) -> None:
        """A sweep of exp: validated whole, trained as stacks, with a table of the results."""
        self.composer, self.planner = Composer(self.loader, self.config), Planner()
        runs, left_out = self.applicable(self.composer, runs)
        self.keys = self.fix_names(runs)
        self.choose_launcher()
        count = -(-len(runs) // self.parts)
        self.workers = Workers(self.settings, count, draws=draws(self.config))
        directory = self.directory = self.directory_at(Path(str(self.config.hydra.sweep.dir)))
        self.logging = SweepLog(directory.path)
        if self.stacked and not self.faults:
            self.workers.warm()
        ended_early: KeyboardInterrupt | None = None
        try:
            found = self.planner.plan(self.composer, list(enumerate(runs)), self.faults)
            print_lines([*left_out, *self.composer.left_out_lines()])
            print_skipped(found, len(runs))
            if not found.planned:
                raise ImpossibleError("no run of this sweep is possible; nothing was started")
            self.check(found)
            directory.claim(may_exist=self.settings.dir is not None)
            try:
                todo = self.add(found)
                if self.one_by_one is not None:
                    print(f"trained one by one: {self.one_by_one}", flush=True)
                self.train_all(found, todo)
            except KeyboardInterrupt as error:
                ended_early = error
            every = self.all_entries
            results = runs_table.write(directory, self.keys, every, self.columns())
            statuses = Counter(
                RunRecord.tolerant(directory.path / entry.directory).status
                for entry in self.entries.values()
            )
        finally:
            self.workers.close()
            directory.release()
        if ended_early is not None:
            self.logging.stop()
            print(self.interrupted(statuses), flush=True)
            raise ended_early
        print(self.closing(results), flush=True)
        if earlier := len(every) - len(self.entries):
            print(f"{earlier} of them are from earlier commands in this directory", flush=True)
        self.draw(self.started, directory, len(every))
        self.logging.finish([self.logged(run) for run in self.started])
        bad = set(statuses) - {"done", "diverged"}
        self.sweeper.exit_code = 1 if bad else 3 if "diverged" in statuses else 0

    def directory_at(self, path: Path) -> SweepDirectory:
        return SweepDirectory(path)

    def check(self, found: Runs) -> None:
        """Looks at the sweep as a whole, where each of its runs is valid."""
        print_lines([*incomplete_rounds(found.planned)])

    def add(self, found: Runs) -> list[Planned]:
        """Lists runs in sweep.json before any of them starts, so that whatever ends this process,
        the same command goes on here.

        Returns:
            Those that are still to be done.
        """
        entries = self.directory.entries_of(found.planned)
        self.started += found.planned
        self.entries |= {entry.number: entry for entry in entries}
        self.skipped |= {number: (words, reason) for number, words, reason in found.skipped}
        self.repeated += found.repeated
        self.save()
        todo = unfinished(found, entries, self.directory, copies=self.reuse is not False)
        print(f"{len(todo)} runs to do in {self.directory.path}/", flush=True)
        return todo

    def save(self) -> None:
        """Writes the manifest."""
        every = self.all_entries
        if len(every) > len(self.entries):
            earlier = swept_keys([entry.overrides for entry in every])
            self.keys = list(dict.fromkeys([*self.keys, *earlier]))
        skipped = [(number, *why) for number, why in sorted(self.skipped.items())]
        self.write_manifest(self.keys, every, skipped, repeated=self.repeated, more=self.more())

    @property
    def all_entries(self) -> list[Entry]:
        """Every run in the directory."""
        return self.directory.with_earlier([self.entries[n] for n in sorted(self.entries)])

    def train_all(self, found: Runs, todo: list[Planned]) -> None:
        """Trains the runs of the sweep."""
        if self.stacked:
            self.workers.decide(seconds_of(todo, found))
        self.train_runs(found, todo)

    def more(self) -> dict[str, Any]:
        """What else sweep.json says."""
        return {}

    def columns(self) -> dict[int, dict[str, Any]]:
        """Number of a run -> other columns of runs.csv."""
        return {}

    def closing(self, results: runs_table.Results) -> str:
        """The table at the end."""
        seconds = time.monotonic() - self.begun
        place, file, ranking = self.directory.path, self.directory.table, self.settings.ranking
        return closing(results, place, seconds, ranking=ranking, file=file)

    def interrupted(self, statuses: Counter[str]) -> str:
        """What is printed where a signal has ended the sweep."""
        return interrupted(statuses, self.directory.path)

    def choose_launcher(self) -> None:
        """The launcher, whether it trains stacks, and why not where it might."""
        self.trainer = self.launcher()
        stacks = getattr(self.trainer, "stacks", False)
        self.one_by_one = hydra_launcher.plain_reason(self.trainer) if stacks else None
        self.stacked = stacks and self.one_by_one is None

    def train_runs(self, found: Runs, todo: Sequence[Planned], **progress: int) -> None:
        """Has runs trained as stacks, or by another launcher.

        Args:
            progress: `before` and `total`, as of `train_planned`.
        """
        if self.stacked and todo:

            def watch(run: Planned, outcome: Outcome | None) -> None:
                if self.config.hydra.callbacks:
                    hydra_launcher.Callbacks(self.context, self.config)(run, outcome)
                if outcome is not None and outcome.status in ENDED:
                    self.logging.ended(*self.logged(run))

            place, workers = self.directory.path, self.workers
            train_planned(found, todo, place, workers, self.settings, watch=watch, **progress)
        elif todo:
            # Numbers of runs that follow one another go to the launcher at once.
            start = 0
            for end in range(1, len(todo) + 1):
                if end == len(todo) or todo[end].number != todo[end - 1].number + 1:
                    batch = [list(run.words) for run in todo[start:end]]
                    self.trainer.launch(batch, initial_job_idx=todo[start].number)
                    start = end

    def draw(self, runs: Sequence[Planned], directory: SweepDirectory, count: int) -> None:
        """Draws the sweep as a whole, unless its settings or all its runs want no figures."""
        figures = draw_sweep.settings(runs) if self.settings.figures else None
        if figures is not None:
            print(draw_sweep.draw(directory.path, figures, runs=count), flush=True)

    def logged(self, run: Planned) -> tuple[Path, Any]:
        """The directory of a run, and its loggers."""
        return self.directory.path / self.entries[run.number].directory, run.config["logger"]

    def write_manifest(
        self,
        keys: list[str],
        entries: Sequence[Entry],
        skipped: Sequence[tuple[int, Words, str]],
        *,
        repeated: Sequence[int] = (),
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes what the sweep is, before any run starts.

        Args:
            more: what else it is to say.
        """
        self.directory.write_manifest(
            {
                **provenance.origin(),
                "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                "keys": keys,
                "skipped": [
                    {"number": number, "overrides": words, "reason": reason}
                    for number, words, reason in skipped
                ],
                "repeated": list(repeated),
                **(more or {}),
            },
            entries,
        )
        with contextlib.suppress(OSError):
            OmegaConf.save(self.config, self.directory.multirun)


def quoted(text: str) -> str:
    """A text as a value of Hydra's override grammar."""
    return json.dumps(text, ensure_ascii=False)
