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
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.errors import HydraException
from omegaconf import OmegaConf, open_dict

from exp.config import plugins, text_values
from exp.config.compose import draws, one_line
from exp.config.schema import running, sweeping
from exp.sweeps import hydra_launcher
from exp.sweeps.applicable import Applicable, tell
from exp.sweeps.grid import Words, expand, listed, swept_keys
from exp.sweeps.single_task import swept
from exp.util.errors import ConfigError, Fault, ImpossibleError, shown
from exp.util.terminal import one_line as on_one_line

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

    from exp.runs.manifest import Entry
    from exp.sweeps.composer import Composer
    from exp.sweeps.plans import Planned, Runs
    from exp.sweeps.sweep_directory import SweepDirectory
    from hydra_plugins.exp_sweeps.grid import GridSweeper

OURS = ("sweep", "run")
"""What is said of the whole sweep: no run has it among its overrides."""


class Sweep:
    """One sweep of a `GridSweeper`.

    Args:
        sweeper: with everything that Hydra has told it.
    """

    def __init__(self, sweeper: GridSweeper) -> None:
        assert sweeper.config is not None
        assert sweeper.hydra_context is not None
        self.sweeper, self.config = sweeper, sweeper.config
        self.loader = sweeper.hydra_context.config_loader
        self.parser = OverridesParser.create(config_loader=self.loader)
        self.settings, self.faults = sweeping(hydra_launcher.plain_node(self.config, "sweep"))
        self.faults = [*sweeper.already, *self.faults]
        self.reuse = running(hydra_launcher.plain_node(self.config, "run"))[0].reuse
        self.conditions: dict[str, Any] = {}
        self.done: set[str] = set()
        self.lines: list[tuple[int, Words]] = []
        self.begun = time.monotonic()

    def run(self, words: list[str]) -> Any:
        """Everything.

        Raises:
            ConfigError: with all that is wrong with any run; nothing was started.
        """
        runs = self.expanded(words)
        if self.sweeper.task_function is swept:
            self.ours(runs)
            return None
        return self.foreign(runs)

    def expanded(self, words: list[str]) -> list[Words]:
        """Every run of the command line."""
        settings, parse = self.settings, self.parse
        overrides = [o for o in parse(words) if o.key_or_group.split(".")[0] not in OURS]
        self.lines = listed(settings.file, parse) if settings.file else []
        lines = [line for _, line in self.lines]
        plugins.only_named(dict.fromkeys([*words, *(word for line in lines for word in line)]))
        try:
            return expand(overrides, linked=settings.linked, lines=lines or [()])
        except ConfigError as error:
            raise ConfigError([*self.faults, *error.faults]) from None

    def parse(self, words: list[str]) -> list[Override]:
        found: list[Override] = []
        faults = []
        for word in text_values.words(words, sweeps=True):  # those of a file have come here first
            try:
                found += self.parser.parse_overrides([word])
            except (HydraException, ValueError) as error:
                faults.append(Fault(shown(word), one_line(error)))
        if faults:
            raise ConfigError(faults)
        return found

    def applicable(self, composer: Composer, runs: list[Words]) -> tuple[list[Words], list[str]]:
        """The runs with what applies to their options, each once, and what to say of it."""
        each = len(runs) // max(1, len(self.lines))
        lines = [self.lines[number // each] for number in range(len(runs))] if self.lines else []
        fit = Applicable(composer, runs, lines)
        if not fit.needed:
            return runs, []
        fitted = [fit(run, *lines[number : number + 1]) for number, run in enumerate(runs)]
        told = list(fit.told())
        return (list(dict.fromkeys(fitted)) if told else runs), told

    def settle(self, runs: Sequence[Words]) -> list[str]:
        """Fixes what every launcher must agree on: the directory, and what names a run's own.

        Returns:
            The keys that vary.
        """
        keys = list(swept_keys(runs))
        plain = [key.lstrip("+~").partition("@")[0] for key in keys]
        same = {w.partition("=")[0].lstrip("+~").partition("@")[0] for r in runs for w in r}
        fixed = sorted(same - set(plain))
        hydra = self.config.hydra
        place = self.settings.dir or str(hydra.sweep.dir)
        with open_dict(hydra):
            hydra.sweep.dir = place
            options = hydra.job.config.override_dirname
            options.exclude_keys = fixed = sorted({*fixed, *options.exclude_keys})
            hydra.overrides.hydra += [
                f"hydra.sweep.dir={quoted(place)}",
                f"hydra.job.config.override_dirname.exclude_keys={quoted_list(fixed)}",
            ]
        return keys

    def launcher(self) -> Any:
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=self.sweeper.hydra_context,
            task_function=self.sweeper.task_function,
            config=self.config,
        )
        self.sweeper.launcher = launcher
        return launcher

    def foreign(self, runs: list[Words]) -> list[Sequence[JobReturn]]:
        """A sweep over a task that is not exp's: as Hydra's own sweeper does it."""
        launcher = self.launcher()
        place = Path(str(self.config.hydra.sweep.dir))
        place.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(self.config, place / "multirun.yaml")
        jobs = [list(run) for run in runs]
        self.sweeper.validate_batch_is_legal(jobs)
        returns = launcher.launch(jobs, initial_job_idx=0)
        for each in returns:
            _ = each.return_value  # raises what the job has raised
        return [returns]

    def ours(self, runs: list[Words]) -> None:
        """A sweep of exp: validated whole, trained as stacks, with a table of what came out."""
        from exp.runs.record import RunRecord
        from exp.sweeps import runs_table
        from exp.sweeps.chunks import seconds_of
        from exp.sweeps.composer import Composer
        from exp.sweeps.launch import Workers
        from exp.sweeps.plans import Planner
        from exp.sweeps.progress import closing, interrupted
        from exp.sweeps.sweep_directory import SweepDirectory

        composer = Composer(self.loader, self.config)
        runs, left_out = self.applicable(composer, runs)
        keys = self.settle(runs)
        launcher = self.launcher()
        stacks = getattr(launcher, "stacks", False)
        reason = hydra_launcher.plain_reason(launcher) if stacks else None
        stacked = stacks and reason is None
        workers = Workers(self.settings, len(runs), draws=draws(self.config))
        directory = SweepDirectory(Path(str(self.config.hydra.sweep.dir)))
        if stacked and not self.faults:
            workers.warm()
        ended_early: KeyboardInterrupt | None = None
        try:
            found = Planner().plan(composer, list(enumerate(runs)), self.faults)
            tell([*left_out, *composer.left_out()])
            tell_skipped(found, len(runs))
            if not found.planned:
                raise ImpossibleError("no run of this sweep is possible; nothing was started")
            directory.claim(again=self.settings.dir is not None)
            entries = self.entries_of(found, directory)
            every = directory.with_earlier(entries)
            if len(every) > len(entries):
                keys = list(dict.fromkeys([*keys, *swept_keys([e.overrides for e in every])]))
            # First of all, so that whatever ends this process, the same command goes on here.
            self.record(directory, keys, every, skipped=found.skipped, repeated=found.repeated)
            try:
                todo = self.missing(found, entries, directory)
                print(f"{len(todo)} runs to do in {on_one_line(str(directory.path))}/", flush=True)
                if stacked:
                    workers.decide(seconds_of(todo, found))
                    self.stacked(found, todo, directory, workers)
                else:
                    if reason:
                        print(f"trained one by one: {reason}", flush=True)
                    self.spans(launcher, todo)
            except KeyboardInterrupt as error:
                ended_early = error
            tally = runs_table.write(directory, keys, every)
            statuses = Counter(
                RunRecord.tolerant(directory.path / entry.directory).status for entry in entries
            )
        finally:
            workers.close()
            directory.release()
        if ended_early is not None:
            print(interrupted(statuses, directory.path), flush=True)
            raise ended_early
        seconds = time.monotonic() - self.begun
        ranking = self.settings.ranking
        print(closing(tally, keys, str(directory.path), seconds, ranking=ranking), flush=True)
        if earlier := len(every) - len(entries):
            print(f"{earlier} of them are of earlier commands in this directory", flush=True)
        self.pictures(found.planned, directory, len(every))
        self.log(found.planned, directory, entries)
        bad = set(statuses) - {"done", "diverged"}
        self.sweeper.exit_code = 1 if bad else 3 if "diverged" in statuses else 0

    def pictures(self, runs: Sequence[Planned], directory: SweepDirectory, count: int) -> None:
        """Draws the sweep as a whole, unless its settings or all its runs want no figures."""
        from exp.sweeps import draw

        figures = draw.settings(runs) if self.settings.figures else None
        if figures is not None:
            print(draw.draw(directory.path, figures, runs=count), flush=True)

    def log(
        self, runs: Sequence[Planned], directory: SweepDirectory, entries: Sequence[Entry]
    ) -> None:
        """Logs every run of the sweep, also those that were done before."""
        wanted = [
            (directory.path / entry.directory, run.config["logger"])
            for run, entry in zip(runs, entries, strict=True)
        ]
        if any(settings for _, settings in wanted):
            from exp.runs.loggers.log_sweeps import log_sweep

            log_sweep(directory.path, wanted)

    def entries_of(self, found: Runs, directory: SweepDirectory) -> list[Entry]:
        """The manifest's entry of every run.

        Raises:
            RunDirectoryError: where a run belongs another has ended.
        """
        from exp.runs.manifest import Entry

        done = directory.finished() if directory.manifest.is_file() else {}
        entries = []
        for run in found.planned:
            if (there := done.get(run.signature)) is None:
                directory.check(run.subdir)
            entries.append(Entry(run.number, there or run.subdir, run.words))
        self.done = set(done.values())
        return entries

    def missing(
        self, found: Runs, entries: Sequence[Entry], directory: SweepDirectory
    ) -> list[Planned]:
        """The runs that are still to do, where they are not done here or taken over from elsewhere.

        Raises:
            RunDirectoryError: another process works on one of them.
        """
        todo, taken = [], 0
        for run, entry in zip(found.planned, entries, strict=True):
            if entry.directory in self.done:
                continue
            if self.taken_over(run, directory):
                taken += 1
                continue
            if (epoch := directory.left_off(run.subdir, run.signature)) is not None:
                found.going_on[run.number] = epoch
            todo.append(run)
        if taken:
            print(f"{taken} of {len(entries)} runs were finished elsewhere: taken over", flush=True)
        if count := len(entries) - len(todo) - taken:
            print(f"{count} of {len(entries)} runs are done already", flush=True)
        if found.going_on:
            print(f"{len(found.going_on)} go on from their checkpoints", flush=True)
        return todo

    def taken_over(self, run: Planned, directory: SweepDirectory) -> bool:
        """Whether a finished run of the same signature was copied from elsewhere."""
        from exp.config.schema import plan
        from exp.runs import provenance, reuse

        if self.reuse is False or (directory.path / run.subdir).exists():
            return False
        # The device is built once for each kind: looking for a GPU is not for every run.
        key = json.dumps(run.config["device"])
        if key not in self.conditions:
            device = plan(run.config)["device"].build()
            self.conditions[key] = provenance.conditions(device)
        path = reuse.find(run.signature, self.conditions[key])
        if path is None:
            return False
        with contextlib.suppress(OSError):
            reuse.copy(path, directory.path / run.subdir)
            return True
        return False

    def record(
        self,
        directory: SweepDirectory,
        keys: list[str],
        entries: Sequence[Entry],
        *,
        skipped: Sequence[tuple[int, Words, str]] = (),
        repeated: Sequence[int] = (),
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes down what the sweep is, before any run starts.

        Args:
            more: what else the manifest is to say.
        """
        from exp.runs import provenance

        directory.write_manifest(
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
            OmegaConf.save(self.config, directory.multirun)

    def stacked(
        self, found: Runs, todo: list[Planned], directory: SweepDirectory, workers: Any
    ) -> None:
        from exp.sweeps.launch import train_planned

        watch = self.callbacks()
        train_planned(found, todo, directory.path, workers, self.settings, watch=watch)

    def callbacks(self) -> Any:
        """Tells Hydra's callbacks of each run, where there are any."""
        assert self.sweeper.hydra_context is not None
        if not self.config.hydra.callbacks:
            return None
        return hydra_launcher.Callbacks(self.sweeper.hydra_context, self.config)

    def spans(self, launcher: Any, todo: list[Planned]) -> None:
        """Has another launcher do the runs: those that follow one another in one go."""
        start = 0
        for end in range(1, len(todo) + 1):
            if end < len(todo) and todo[end].number == todo[end - 1].number + 1:
                continue
            batch = [list(run.words) for run in todo[start:end]]
            launcher.launch(batch, initial_job_idx=todo[start].number)
            start = end


def tell_skipped(found: Runs, total: int) -> None:
    """Says which runs are left out, each reason once."""
    reasons: dict[str, list[Words]] = {}
    for _, words, reason in found.skipped:
        reasons.setdefault(reason, []).append(words)
    for reason, runs in reasons.items():
        print(f"skipped {len(runs)} of {total} runs, such as {' '.join(runs[0])}: {reason}")
    if found.repeated:
        print(f"{len(found.repeated)} of {total} runs are the same as an earlier one: left out")


def quoted(text: str) -> str:
    """A text as a value of Hydra's override grammar."""
    return json.dumps(text, ensure_ascii=False)


def quoted_list(texts: list[str]) -> str:
    return "[" + ",".join(quoted(text) for text in texts) + "]"
