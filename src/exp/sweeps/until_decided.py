"""What `sweep.until=decided` does: seeds are added until it is decided which group is the best."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from hydra.core.override_parser.types import Override

from exp.config.plan import plan
from exp.registry.registry import register
from exp.report.design import Design, Draw, design
from exp.report.groups import direction, value
from exp.report.results import metric_named
from exp.report.statistics.anytime import FIRST, Race, Scores, Standing
from exp.report.statistics.means import ALPHA
from exp.report.statistics.verdicts import UNDECIDED
from exp.runs.collection import Row, config_of, files
from exp.runs.collection import row as row_of
from exp.sweeps import runs_table, verdicts_table
from exp.sweeps.added_seeds import (
    KEY,
    given_seeds,
    incomplete,
    misplaced,
    more_seeds,
    next_count,
    round_of,
    without_effect,
)
from exp.sweeps.chunks import seconds_of
from exp.sweeps.grid import Words, swept_keys
from exp.sweeps.hydra_task import swept
from exp.sweeps.planner import Planned, Runs
from exp.sweeps.progress import closing
from exp.sweeps.sweeper import Sweep
from exp.util.errors import ConfigError, Fault, unknown
from exp.util.metric_names import EVERY
from exp.util.text_tables import cell

if TYPE_CHECKING:
    from hydra_plugins.exp_sweeps.grid_sweeper import GridSweeper

RULE = "anytime-valid t-test (Wang and Ramdas 2025), corrected for all pairs of groups"


@dataclass
class Contender:
    """A group of runs that differ in nothing but the seed.

    Attributes:
        words: the overrides of its runs, without that of the seed.
        place: where that stands among them.
        data: the data set and its settings: groups are compared where they are the same.
        runs: seed -> number of the run.
    """

    words: Words
    place: int
    data: str
    runs: dict[int, int] = field(default_factory=dict)

    def with_seed(self, seed: int) -> Words:
        return (*self.words[: self.place], f"{KEY}={seed}", *self.words[self.place :])


class UntilDecided(Sweep):
    """A sweep that adds seeds batch by batch, and drops groups that are worse.

    Args:
        sweeper: set up by Hydra.
    """

    def __init__(self, sweeper: GridSweeper) -> None:
        super().__init__(sweeper)
        self.groups: list[Contender] = []
        self.rows: dict[int, Row] = {}
        self.looks: list[int] = []
        self.units = 0
        self.race: Race | None = None
        self.metric: str | None = None
        self.designs: list[Design] = []
        self.why = ""
        if sweeper.task_function is not swept:
            self.faults.append(Fault("sweep.until", "decides between runs of exp only"))
        if self.settings.shard is not None:
            what = "cannot be combined with sweep.until: which seeds come next depends on all runs"
            self.faults.append(Fault("sweep.shard", what))

    def with_seeds(self, overrides: list[Override]) -> list[Override]:
        """Gives every group the seeds of the first batch.

        Raises:
            ConfigError: seeds are varied in another way.
        """
        faults = misplaced(overrides, self.settings.linked, [line for _, line in self.lines])
        given, most = given_seeds(overrides), self.settings.max_seeds
        if given is not None and len(given) > most:
            wanted = f"the command line names {len(given)} seeds: expected at least as many"
            faults.append(Fault("sweep.max_seeds", f"{wanted}, found {most}"))
        if faults:
            raise ConfigError(faults)
        if given is None:
            return overrides  # validation says what is wrong with them
        self.given, self.seeds = given, more_seeds(given, max(len(given), min(FIRST, most)))
        (word,) = self.parse([f"{KEY}={','.join(map(str, self.seeds))}"])
        if not given:
            return [*overrides, word]
        return [word if each.key_or_group == KEY else each for each in overrides]

    def check(self, found: Runs) -> None:
        """Finds the groups, and what is wrong with comparing them.

        Raises:
            ConfigError: with every fault.
        """
        self.folds = round_of(found.planned)
        self.enter(found.planned)
        self.cells = [group.data for group in self.groups]
        most = self.settings.max_seeds
        faults = [*without_effect(found.planned), *self.metric_faults(found.planned)]
        faults += incomplete(self.given, self.folds, most)
        if len(set(self.cells)) == len(self.cells):
            what = "expected at least two groups of the same rows, such as optimizer=sgd,adam"
            faults.append(Fault("sweep.until", f"{what}; found {len(self.cells)}"))
        if faults:
            raise ConfigError(faults)

    def metric_faults(self, runs: Sequence[Planned]) -> list[Fault]:
        """Why a score cannot decide."""
        wanted = self.settings.metric
        if wanted is None:
            return []
        known = [*EVERY, *register.kinds["metric"].components]
        split, _, score = wanted.rpartition("/")
        if split not in ("", "validation", "test", "train") or score not in known:
            return [Fault("sweep.metric", unknown("score", wanted, [f"test/{n}" for n in known]))]
        if split == "validation" and not all(plan(run.config).has_validation for run in runs):
            return [Fault("sweep.metric", f"{wanted} needs validation rows: set split.validation")]
        return []

    def enter(self, runs: Sequence[Planned]) -> None:
        """Notes which group and seed each run is of."""
        known = {group.words: group for group in self.groups}
        for run in runs:
            place = next(i for i, w in enumerate(run.words) if w.lstrip("+").startswith(f"{KEY}="))
            words = (*run.words[:place], *run.words[place + 1 :])
            if words not in known:
                known[words] = Contender(words, place, str(run.config["dataset"]))
                self.groups.append(known[words])
            known[words].runs[int(run.config[KEY])] = run.number

    def train_all(self, found: Runs, todo: list[Planned]) -> None:
        """Trains batch after batch, and looks at the scores after each."""
        if self.stacked:  # a guess: there will be more than the first batch
            self.workers.decide(2 * seconds_of(todo, found))
        try:
            while True:
                before = len(self.started) - len(todo)
                self.train_runs(found, todo, before=before, total=len(self.started))
                if not self.read(found.planned):
                    self.why = "sweep.fail_fast has ended the sweep"
                    return
                if len(self.seeds) % self.folds == 0 and not self.look():
                    return
                count = next_count(len(self.seeds), self.settings.max_seeds, self.folds)
                if count == len(self.seeds):
                    self.why = f"sweep.max_seeds={self.settings.max_seeds} reached"
                    return
                found = self.next_batch(count)
                todo = self.add(found)
        finally:
            self.save()

    def read(self, runs: Sequence[Planned]) -> bool:
        """Reads how runs have ended; whether more may be started."""
        for run in runs:
            entry = self.entries[run.number]
            place = self.directory.path / entry.directory
            self.rows[run.number] = row_of(place, run.number, entry.overrides, *files(place))
        bad = any(self.rows[run.number].status != "done" for run in runs)
        return not (bad and self.settings.fail_fast)

    def look(self) -> bool:
        """Decides what the scores so far decide, and says so; whether more seeds are needed."""
        if self.race is None and not self.begin():
            return False
        assert self.race is not None
        before = self.race.going
        scores = self.scores()
        if scores.shape[1] == self.units:
            self.why = "more splits of this table cannot tell: there are no others"
            return False
        self.units = scores.shape[1]
        self.race.look(scores)
        self.looks.append(len(self.seeds))
        going = self.race.going
        out = [self.names[g] for g in before if self.race.standings[g] is not None]
        dropped = f"no more seeds for {', '.join(out)}; " if out and going else ""
        undecided = any(standing.verdict == UNDECIDED for standing in self.standings)
        end = "more seeds would not decide more" if undecided else "decided"
        left = f"{len(going)} groups continue" if going else end
        print(f"after {len(self.seeds)} seeds: {dropped}{left}", flush=True)
        return bool(going)

    def begin(self) -> bool:
        """Fixes the score and the test by the first batch; whether any run has a score."""
        results = runs_table.Results(self.keys, list(self.rows.values()))
        known = {name for row in results.rows for name in row.metrics}
        wanted = self.settings.metric
        self.metric = results.metric if wanted is None else metric_named(wanted, known)
        if self.metric is None:
            return False
        self.sign = 1.0 if direction(results.rows, self.metric) else -1.0
        self.designs = [self.design_of(group) for group in self.groups]
        ratios = [found.overlap for found in self.designs]
        self.race = Race(self.cells, ratios, self.settings.margin)
        return True

    def design_of(self, group: Contender) -> Design:
        """What differs between the runs of a group."""
        metric = str(self.metric)
        rows = [self.rows[number] for number in group.runs.values()]
        scored = [row for row in rows if value(row, metric) is not None]
        draws = {row.seeds: Draw.of(row, metric) for row in scored}
        return design([draws], metric, lambda: config_of(rows[0].path))

    def scores(self) -> Scores:
        """`[groups, units]`, higher is better; nan where a group has none.

        A unit is a seed, or several that score the same split of one table: their mean counts, as
        in `exp results`. The first fold of a column is the same in each round.
        """
        known: dict[tuple[int, object], list[float]] = {}
        units: dict[object, None] = {}
        for seed in self.seeds:
            unit = None
            for g, group in enumerate(self.groups):
                row = self.rows.get(group.runs.get(seed, -1))
                score = value(row, str(self.metric)) if row is not None else None
                if row is None or score is None:
                    continue
                if unit is None:
                    draw = Draw.of(row, str(self.metric))
                    unit = self.designs[g].unit_of(row.seeds, [draw])
                known.setdefault((g, unit), []).append(self.sign * score)
            units[seed if unit is None else unit] = None
        found = [
            [float(np.mean(known[g, unit])) if (g, unit) in known else math.nan for unit in units]
            for g in range(len(self.groups))
        ]
        return np.array(found).reshape(len(self.groups), len(units))

    def next_batch(self, count: int) -> Runs:
        """The runs of the groups that go on, with the seeds up to this number, validated."""
        seeds = more_seeds(self.seeds, count)
        going = self.race.going if self.race is not None else range(len(self.groups))
        new = [self.groups[g].with_seed(s) for g in going for s in seeds[len(self.seeds) :]]
        start = 1 + max([*self.entries, *self.skipped, *self.repeated])
        found = self.planner.plan(self.composer, list(enumerate(new, start)))
        self.seeds = seeds
        self.enter(found.planned)
        return found

    @property
    def standings(self) -> list[Standing]:
        """What is known of each group."""
        if self.race is None:
            why = "no run has a score" if self.rows else "no seed is done yet"
            return [Standing(UNDECIDED, reason=why) for _ in self.groups]
        return self.race.result(self.scores(), self.why or "more seeds are needed")

    def more(self) -> dict[str, Any]:
        """What is decided so far."""
        groups = [
            {"overrides": group.words, "seeds": len(group.runs), **verdicts_table.stored(standing)}
            for group, standing in zip(self.groups, self.standings, strict=True)
        ]
        found = {
            "rule": RULE,
            "alpha": ALPHA,
            "designs": [asdict(found) for found in self.designs],
            "margin": self.settings.margin,
            "max_seeds": self.settings.max_seeds,
            "metric": self.metric,
            "looks": self.looks,
            "groups": groups,
        }
        return {"until": found}

    def columns(self) -> dict[int, dict[str, Any]]:
        return {
            number: {
                "verdict": standing.verdict,
                "verdict/seeds": len(group.runs),
                "verdict/rule": RULE,
            }
            for group, standing in zip(self.groups, self.standings, strict=True)
            for number in group.runs.values()
        }

    @property
    def names(self) -> list[str]:
        """What tells each group from the others."""
        varying = set(swept_keys([group.words for group in self.groups]))
        return [
            " ".join(word for word in group.words if word.partition("=")[0] in varying)
            for group in self.groups
        ]

    def table(self) -> list[str]:
        """The verdicts, as the table at the end."""
        if self.metric is None:
            return []
        keys = list(swept_keys([group.words for group in self.groups]))
        given = [dict(word.partition("=")[::2] for word in group.words) for group in self.groups]
        values = [[cell(words.get(key)) for key in keys] for words in given]
        scores = self.sign * self.scores()
        margin = self.settings.margin
        better = "higher" if self.sign > 0 else "lower"
        head = f"Decided by {self.metric} ({better} is better)"
        sizes: dict[Design, int] = {}
        for group, found in zip(self.groups, self.designs, strict=True):
            sizes[found] = max(sizes.get(found, 0), len(group.runs))
        family = sum(math.comb(size, 2) for size in Counter(self.cells).values())
        all_pairs = f"; corrected for {family} pairs of groups" if family > 1 else ""
        return [
            head if margin is None else f"{head}, with a margin of {margin:g}",
            *(f"Anytime-valid {d.words('paired t-test', n)}{all_pairs}" for d, n in sizes.items()),
            *verdicts_table.table(keys, values, self.cells, scores, self.standings, self.sign),
        ]

    def closing(self, results: runs_table.Results) -> str:
        seconds = time.monotonic() - self.begun
        return closing(results, self.directory.path, seconds, table=self.table())
