"""The parts of a config that are not components: seeds, `run`, `sweep`, and the top-level keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from exp.registry.parameter_schema import checked, config_parameters, schema_of
from exp.registry.types import Count, Positive, Seed, worded
from exp.util.errors import Fault, shown

RunName = Annotated[
    str,
    worded(
        r"^[A-Za-z0-9][A-Za-z0-9._=,+-]{0,99}$",
        (
            "a name that begins with a letter or digit and has at most 100 letters, digits "
            "and . _ = , + -"
        ),
    ),
]
Text = Annotated[str, Field(min_length=1)]
MaxSeeds = Annotated[int, Field(ge=2, le=1_000_000)]
Jobs = Annotated[int, Field(ge=1, le=1024)]
Shard = Annotated[
    str,
    worded(
        r"^[1-9]\d{0,4}/[1-9]\d{0,4}$",
        "the number of a shard, from 1, and how many there are, such as 3/20",
    ),
]
Module = Annotated[
    str,
    worded(
        r"^([A-Za-z_]\w*(\.[A-Za-z_]\w*)*|[^\x00-\x1f]*/[^\x00-\x1f]*)$",
        "the name of a module, or a folder with a / in it",
    ),
    Field(max_length=4096),
]
"""The name of a module, or with a / a folder of them."""
Plugins = Annotated[list[Module], Field(max_length=100)]


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """One seed for each source of chance, so that two runs can share all but one of them."""

    data: Seed
    split: Seed
    init: Seed
    shuffle: Seed


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What is done about a finished run of the same signature.

    Attributes:
        reuse: auto: a sweep copies it, a single run says where it is and trains; true: a single
            run is not trained either; false: everything is trained.
    """

    reuse: Literal["auto"] | bool = "auto"


@dataclass(frozen=True, kw_only=True)
class SweepSettings:
    """How `-m` goes about its runs; it cannot change what comes out of them.

    Attributes:
        dir: the directory of the sweep; of an earlier one, to do only what is missing there.
        zip: groups of swept keys whose values advance together.
        file: a file of runs, one line of overrides each.
        shard: 3/20: only the third of 20 parts of the runs, in a directory that all parts share.
        fail_fast: start nothing more once a run has failed or diverged.
        n_jobs: worker processes; None: one for each core.
        chunk: how many runs train together at most; None: as many as fit the processor's cache.
        backend: loky: processes of this machine; otherwise a cluster.
        submitit: with that backend: what a job requests, as submitit's AutoExecutor takes it, and
            its `cluster`.
        figures: whether the sweep as a whole is drawn at its end, if its runs have figures.
        ranking: whether its best runs are printed at its end.
        until: decided: seeds are added until it is decided which group is the best.
        margin: a smaller difference of the score counts as none; None: none is too small.
        max_seeds: no group gets more seeds than that.
        metric: the score to decide by, test/accuracy say; None: accuracy or RMSE of validation
            rows where there are any, else of test rows.
    """

    dir: Text | None = None
    zip: list[list[Text]] | list[Text] = field(default_factory=list)
    file: Text | None = None
    shard: Shard | None = None
    fail_fast: bool = False
    n_jobs: Jobs | None = None
    chunk: Count | None = None
    backend: Literal["loky", "ray", "dask", "submitit"] = "loky"
    submitit: dict[str, str | int | float | bool] | None = None
    figures: bool = True
    ranking: bool = True
    until: Literal["decided"] | None = None
    margin: Positive | None = None
    max_seeds: MaxSeeds = 200
    metric: Text | None = None

    @property
    def linked(self) -> list[list[str]]:
        """`zip` as a list of groups, also where one was given by itself."""
        if not self.zip:
            return []
        return self.zip if isinstance(self.zip[0], list) else [self.zip]


def top_level(*, seed: Seed, name: RunName | None = None, plugins: Plugins = []) -> None:  # noqa: B006
    """The keys of a config that belong to no group."""


OF_THE_SWEEP = ("sweep", "run")
"""Top-level keys of a whole sweep: no run has them among its overrides."""
TOP = schema_of("config", config_parameters(top_level))
SEEDS = schema_of("seeds", config_parameters(Seeds))
RUNNING = schema_of("run", config_parameters(RunSettings))
SWEEPING = schema_of("sweep", config_parameters(SweepSettings))


def run_settings(given: object) -> tuple[RunSettings, list[Fault]]:
    """The node `run` of a config, and what is wrong with it."""
    if not isinstance(given, Mapping):
        return RunSettings(), [
            Fault("run", f"expected a mapping such as {{reuse: auto}}, found {shown(given)}")
        ]
    values, faults = checked(RUNNING, given, "run", "setting of run")
    return RunSettings(**values), faults


def sweep_settings(given: object) -> tuple[SweepSettings, list[Fault]]:
    """The node `sweep` of a config, and what is wrong with it."""
    if not isinstance(given, Mapping):
        wanted = f"expected a mapping with some of {', '.join(SWEEPING.model_fields)}"
        return SweepSettings(), [Fault("sweep", f"{wanted}; found {shown(given)}")]
    values, faults = checked(SWEEPING, given, "sweep", "setting of sweep")
    return SweepSettings(**values), faults


def seeds_of(config: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """The seeds; each is `seed` where it is not set."""
    given = config.get("seeds", {})
    if not isinstance(given, Mapping):
        return {}, [Fault("seeds", f"expected data, split, init and shuffle, found {shown(given)}")]
    seed = config.get("seed")
    filled = {"data": seed, "split": seed, "init": seed, "shuffle": seed, **given}
    seeds, faults = checked(SEEDS, filled, "seeds", "seed")
    if len(faults) > 1 and len({str(filled.get(fault.path[6:])) for fault in faults}) == 1:
        # One bad `seed` shows through all four: it is reported once, where it was written.
        copies = [fault for fault in faults if filled.get(fault.path[6:]) == seed or seed != seed]
        faults = [fault for fault in faults if fault not in copies]
    return seeds, faults
