"""What `exp fit` is asked for, and the config that this makes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exp.config.plan import Plan, plan
from exp.runs.changed_plan import changed
from exp.util.errors import ConfigError, Fault, unknown
from exp.util.metric_names import OF_CLASSES, OF_NUMBERS

Progress = Callable[[int, int, float | None, float], None]
"""Called now and then with the numbers of candidates done and of all, the best validation score so
far (of the metric), and the seconds since the start."""
FORMATS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet"}
CHOSEN = ("model", "features", "optimizer", "scheduler", "loss", "trainer")
"""Groups of the config that fit chooses itself."""


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """One table, and what to do with it.

    Attributes:
        path: of a csv or Parquet file.
        target: name of the column to predict.
        dataset: settings of the data set, such as `{"name": "csv", "decimal": ","}`.
        budget: seconds that it may take altogether.
        metric: the score to select by, such as accuracy or rmse; None: log_loss, or rmse where the
            target is a number.
        groups: name of a column; rows with the same value stay together.
        weights: name of a column with the weight of each row.
        time: name of a column; the newest rows are test rows.
        exclude: names of columns to leave out.
        test: share of the rows that are test rows.
        seed: of the split, the candidates and their networks.
        overrides: `key=value` for the config, such as `dataset.max_categories=20`.
        directory: of the run; None: a new one below outputs/.
        candidates: how many are tried at most.
        workers: processes; None: one for each core.
    """

    path: str
    target: str
    dataset: Mapping[str, Any] = field(default_factory=dict)
    budget: float = 120.0
    metric: str | None = None
    groups: str | None = None
    weights: str | None = None
    time: str | None = None
    exclude: tuple[str, ...] = ()
    test: float = 0.2
    seed: int = 0
    overrides: tuple[str, ...] = ()
    directory: Path | None = None
    candidates: int = 256
    workers: int | None = None

    def faults(self) -> Iterator[Fault]:
        """What is wrong with the settings that belong to no group of the config."""
        if not (math.isfinite(self.budget) and self.budget > 0):
            yield Fault("budget", f"expected a number of seconds above 0, found {self.budget}")
        if not 0 < self.test < 1:
            yield Fault("test", f"expected a share between 0 and 1, found {self.test}")
        if self.candidates < 1:
            yield Fault("candidates", f"expected at least 1, found {self.candidates}")
        for word in self.overrides:
            group = word.partition("=")[0].partition(".")[0].lstrip("+~")
            if group in CHOSEN:
                yield Fault(word.partition("=")[0], f"fit chooses the {group} itself")

    def plan(self, chosen: dict[str, Any] | None = None) -> Plan:
        """The validated plan of the settings.

        Args:
            chosen: groups of the config that are known by now, such as the model.

        Raises:
            ConfigError: with every fault.
        """
        found = list(self.faults())
        kind = FORMATS.get(Path(self.path).suffix.lower(), "csv")
        dataset: dict[str, Any] = {"name": kind, "path": self.path, "target": self.target}
        dataset |= {"missing": "indicate", "max_categories": 64}
        dataset |= {"exclude": list(self.exclude)} if self.exclude else {}
        dataset |= {"weights": self.weights} if self.weights else {}
        if Path(self.path).suffix.lower() == ".tsv":
            dataset["delimiter"] = "\t"
        dataset |= self.dataset
        split: dict[str, Any] = {"name": "holdout", "test": self.test, "standardize": True}
        if self.groups:
            split["groups"] = self.groups
        if self.time:
            split["time"] = self.time
        config = {
            "seed": self.seed,
            "name": "fit",
            "plugins": [],
            "dataset": dataset,
            "split": split,
            "features": "none",
            "model": "linear",
            "optimizer": "adamw",
            "loss": "auto",
            "scheduler": "none",
            "device": "cpu",
            "trainer": "standard",
            "figures": {
                "name": "standard",
                "draw": ["data", "learning_curves", "confusion_matrix", "calibration", "fit"],
                "frames": 0,
                "resolution": 32,  # none of them shows the decision map
            },
            **(chosen or {}),
        }
        if found:
            raise ConfigError(found)
        return changed(plan(config), list(self.overrides))

    def sets(self, key: str) -> bool:
        """Whether an override sets a key of the config."""
        return any(word.partition("=")[0].lstrip("+") == key for word in self.overrides)


def metric_of(settings: FitSettings, *, numeric: bool) -> str:
    """The score to select by.

    Raises:
        ConfigError: there is no such score of this kind of target.
    """
    known = OF_NUMBERS if numeric else tuple(name for name in OF_CLASSES if name != "loss")
    if settings.metric is None:
        return "rmse" if numeric else "log_loss"
    if settings.metric not in known:
        raise ConfigError([Fault("metric", unknown("metric", settings.metric, known))])
    return settings.metric
