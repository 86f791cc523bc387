"""From the overrides of a sweep's runs to validated runs, before any of them starts.

A run is kept as references to parts of configs that it shares with others (a sweep of ten thousand
runs has few different optimizers), so that a large sweep takes little memory.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.components.schedulers.scheduler import scheduler
from exp.config.plan import Plan, plan, unavailable
from exp.engine import Job, check_job
from exp.engine.job import Shapes, possible, stack_key
from exp.engine.kernel.support import alone, unfit
from exp.engine.prepare import prepare
from exp.engine.view import axes_known
from exp.sweeps.composer import Composed, Composer
from exp.sweeps.grid import Words
from exp.sweeps.stack_size import KERNEL, MOST, TORCH, cost, fitting
from exp.util.errors import (
    ConfigError,
    CustomCodeError,
    DataError,
    ExpError,
    Fault,
    ImpossibleError,
    SplitError,
)


@dataclass(frozen=True)
class Rows:
    """What is known of the rows of some runs.

    Attributes:
        shapes: how many there are, of how many features.
        fingerprint: a digest of the data and their split.
        features: the names of the features.
        counts: training rows of each class, or the sum of their weights.
        classes: their names.
    """

    shapes: Shapes
    fingerprint: str
    features: tuple[str, ...]
    counts: tuple[float, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class StackInfo:
    """What is known of runs that can train as one stack.

    Attributes:
        size: how many of them fit the processor's cache together.
        seconds: that each of them takes, roughly.
        alone: why they train one by one; None: they do not.
        mixes: whether they can train together with runs of other kinds that mix, since the kernel
            computes each run by itself.
    """

    size: int = 1
    seconds: float = 0.0
    alone: str | None = None
    mixes: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A run that can start.

    Attributes:
        number: its place in the sweep, from 0.
        words: its overrides.
        subdir: its directory within that of the sweep.
        signature: what its run.json will say.
        parts: the resolved config: its top-level keys and their values.
        written, hydra, dirname: of its .hydra folder, as in `Composed`; keys with their values.
        stack: runs of the same number here can train as one stack.
    """

    number: int
    words: Words
    subdir: str
    signature: str
    parts: tuple[tuple[str, Any], ...]
    written: tuple[tuple[str, Any], ...]
    hydra: dict[str, Any]
    dirname: str
    stack: int

    @property
    def config(self) -> dict[str, Any]:
        return dict(self.parts)


@dataclass
class Runs:
    """What became of the runs of a sweep when they were looked at.

    Attributes:
        planned: those that can start, by number.
        skipped: number, overrides and reason of those that a component declares impossible.
        repeated: numbers of runs that are the same as an earlier one.
        stacks: by the number that `Planned.stack` names.
        going_on: number of a run that goes on from a checkpoint in its directory -> after which
            epoch.
    """

    planned: list[Planned] = field(default_factory=list)
    skipped: list[tuple[int, Words, str]] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    stacks: dict[int, StackInfo] = field(default_factory=dict)
    going_on: dict[int, int] = field(default_factory=dict)


class Planner:
    """Validates runs and finds out which can train together.

    Args:
        repeats: whether a run that is the same as an earlier one is done again.
    """

    def __init__(self, *, repeats: bool = False) -> None:
        self.repeats = repeats
        self.shared: dict[Any, Any] = {}
        self.parts: dict[tuple[str, int], tuple[str, Any]] = {}
        self.rows: dict[Any, Rows | ExpError] = {}
        self.devices: dict[int, Any] = {}
        self.losses: dict[Any, Any] = {}
        self.stacks: dict[Any, int] = {}
        self.seen: dict[bytes, int] = {}
        self.faults: Counter[Fault] = Counter()
        self.runs = Runs()

    def plan(
        self, composer: Composer, runs: Sequence[tuple[int, Words]], faults: Iterable[Fault] = ()
    ) -> Runs:
        """Every run, validated. Another call looks at other runs; what is known of stacks is kept.

        Args:
            faults: found before, to be reported with those found here.

        Raises:
            ConfigError: with every fault of every run.
        """
        self.faults.clear()
        self.runs = Runs(stacks=self.runs.stacks)
        for number, words, composed in composer.all(runs):
            try:
                if isinstance(composed, ConfigError):
                    raise composed
                self._add(number, words, composed)
            except ConfigError as error:
                self.faults.update(error.faults)
            except ImpossibleError as error:
                self.runs.skipped.append((number, words, str(error)))
        if self.faults or (faults := list(faults)):
            raise ConfigError([*faults, *self._counted(len(runs))])
        self.runs.planned.sort(key=lambda run: run.number)
        self.runs.skipped.sort()
        self.runs.repeated.sort()
        return self.runs

    def _counted(self, total: int) -> list[Fault]:
        """The faults, with the number of runs that have them where not all do."""
        return [
            Fault(f.path, f.message if count == total else f"{f.message} ({count} of {total} runs)")
            for f, count in self.faults.items()
        ]

    def _add(self, number: int, words: Words, composed: Composed) -> None:
        found = plan(composed.plain, unavailable(composed.plain))
        parts = tuple(self._part(key, value) for key, value in found.config.items())
        # Two runs that differ in nothing but the name are one. Parts that are equal are one object.
        same = b"".join(id(part).to_bytes(8) for part in parts if part[0] != "name")
        if self.seen.setdefault(same, number) != number and not self.repeats:
            self.runs.repeated.append(number)
            return
        try:
            stack, fingerprint = self._stack(found, dict(parts))
        except CustomCodeError:  # this run will fail, with that error in its directory
            stack, fingerprint = self._new_stack(StackInfo()), ""
        signature = found.identity(fingerprint)
        written = tuple(self._part(key, value) for key, value in composed.written.items())
        words = tuple(self._kept(word) for word in words)
        self.runs.planned.append(
            Planned(
                number, words, composed.subdir, signature, parts, written,
                composed.hydra, composed.dirname, stack,
            )
        )  # fmt: skip

    def _part(self, key: str, value: Any) -> tuple[str, Any]:
        """The one copy of a key with an equal value."""
        value = self._kept(value)
        return self.parts.setdefault((key, id(value)), (key, value))

    def _kept(self, value: Any) -> Any:
        """The one copy of an equal value that all runs share."""
        key = value if isinstance(value, str) else (json.dumps(value, sort_keys=True),)
        return self.shared.setdefault(key, value)

    def _stack(self, found: Plan, parts: dict[str, Any]) -> tuple[int, str]:
        """The number of the stack that a run belongs to, and the fingerprint of its data.

        Raises:
            ConfigError: its rows, its device or its model cannot be had, or its figures name a
                feature that its rows do not have.
            ImpossibleError: its components do not go together.
        """
        device = id(parts["device"])
        if device not in self.devices:
            self.devices[device] = self._at("device", lambda: found["device"].build())
        rows = self._rows(found, parts)
        axes_known(found.figures, rows.features)
        weights = found["loss"].params.get("class_weights")
        known = (
            id(parts["loss"]),
            rows.counts if weights == "balanced" else rows.shapes.classes,
            rows.classes if isinstance(weights, dict) else None,
        )
        loss = self.losses.get(known)
        if loss is None:
            loss = self.losses[known] = possible(found["loss"], rows.counts, rows.classes)
        key = (
            stack_key(found, rows.shapes, loss, self.devices[device]),
            # What decides whether a run goes alone.
            id(parts["device"]),
            json.dumps(parts["plugins"]),
            # An optimizer that is not stacked is tried with its schedule: it may not take one.
            not found["optimizer"].component.builder.stackable  # type: ignore[attr-defined]
            and scheduler(found["scheduler"]).constant,
        )
        if key not in self.stacks:
            self.stacks[key] = self._new_stack(self._first(found))
        return self.stacks[key], rows.fingerprint

    def _new_stack(self, info: StackInfo) -> int:
        number = len(self.runs.stacks)
        self.runs.stacks[number] = info
        return number

    def _first(self, found: Plan) -> StackInfo:
        """Builds everything for the first run of its kind, to see whether it can."""
        job = self._at("dataset", lambda: Job.of(found, keep=False))
        why = self._at("model", lambda: alone(job))
        self._at("model", lambda: check_job(job))
        if why is None and unfit(job) is None:
            return StackInfo(MOST, cost(job, KERNEL), mixes=True)
        size = fitting(job)
        return StackInfo(size, cost(job, TORCH, 1 if why else size), why)

    def _rows(self, found: Plan, parts: dict[str, Any]) -> Rows:
        """
        Raises:
            ConfigError: the rows of a run cannot be had.
        """
        seeds = (found.seeds.data, found.seeds.split)
        mapped = found["features"].name != "none"
        # A map may be as random as the weights.
        by_map = (id(parts["features"]), found.seeds.init) if mapped else ()
        key = (id(parts["dataset"]), id(parts["split"]), *seeds, *by_map)
        if key not in self.rows:
            try:
                prepared = prepare(
                    found["dataset"],
                    found["split"],
                    data_seed=seeds[0],
                    split_seed=seeds[1],
                    features=found["features"],
                    init_seed=found.seeds.init,
                    keep=False,
                )
                self.rows[key] = Rows(
                    Shapes.of(prepared),
                    prepared.fingerprint + prepared.split_digest,
                    self.shared.setdefault(prepared.features, prepared.features),
                    prepared.class_sizes,
                    prepared.data.classes,
                )
            except ExpError as error:
                self.rows[key] = error
        known = self.rows[key]
        if isinstance(known, SplitError):
            raise ConfigError([Fault(known.path, known.wrong)])
        if isinstance(known, DataError):
            raise ConfigError([Fault("dataset", str(known))])
        if isinstance(known, ExpError):
            raise known
        return known

    def _at(self, path: str, work: Any) -> Any:
        """Does some work; an error that a user can mend becomes a fault of the config."""
        try:
            return work()
        except (ConfigError, ImpossibleError, CustomCodeError):
            raise
        except ExpError as error:
            raise ConfigError([Fault(path, str(error))]) from error
