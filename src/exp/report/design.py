"""What differs between runs with different seeds: by it goes how their scores are tested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from exp.runs.collection import Row, config_of
from exp.runs.config_values import Scalar
from exp.util.text_tables import count

Seeds = tuple[int, ...]
Draw = tuple[str, str]
"""The digests of a run's data and of its split."""
SPLIT = 3
"""Where `Row.seeds` has the seed of the split, as its names are sorted."""


@dataclass(frozen=True)
class Design:
    """How the runs of a group differ by their seeds.

    Attributes:
        kind: rows: each seed draws new rows; splits: random splits of one table; folds: of one
            table; seeds: the same rows and split, so only weights and order differ.
        overlap: rows that are scored for each training row, of splits and folds; 0 of others.
        folds: how many, of folds; 0 of others.
    """

    kind: Literal["rows", "splits", "folds", "seeds"]
    overlap: float = 0.0
    folds: int = 0

    def unit(self, draw: Draw, seeds: Seeds) -> object:
        """What a run counts for: runs with the same unit are no independent draws."""
        if self.kind == "rows":
            return draw[0]
        return seeds if self.kind == "seeds" else draw[1]

    def words(self, test: str, n: int) -> str:
        """The test, the unit and their number.

        Args:
            test: a test of pairs.
            n: how many units.
        """
        if self.kind == "rows":
            return f"{test} over {count(n, 'seed')}, each with new rows"
        if self.kind == "splits":
            return f"corrected resampled t-test over {count(n, 'split')} of one table"
        if self.kind == "folds":
            rounds = f"{count(n // self.folds, 'round')} of " if n % self.folds == 0 else ""
            return f"corrected t-test over {rounds}{count(n if not rounds else self.folds, 'fold')}"
        return f"{test} over {count(n, 'seed')}; it holds for these rows and this split only"


@dataclass
class Draws:
    """The rows of the runs of a group, by their seeds."""

    metric: str
    first: Row | None = None
    of: dict[Seeds, Draw] = field(default_factory=dict)

    def add(self, seeds: Seeds, row: Row) -> None:
        self.first = self.first or row
        self.of.setdefault(seeds, row.data)

    @cached_property
    def _config(self) -> dict[str, Scalar]:
        return {} if self.first is None else config_of(self.first.path)

    def design(self) -> Design:
        """How these runs differ."""
        data, splits = ({draw[at] for draw in self.of.values()} for at in (0, 1))
        if len(data) > 1:
            return Design("rows")
        if len(splits) < 2:
            return Design("seeds")
        folds = self._config.get("split.folds")
        if self._config.get("split") == "kfold" and isinstance(folds, int):
            return Design("folds", 1 / (folds - 1), folds)
        return Design("splits", overlap(self.metric, self._parts()))

    def _parts(self) -> Mapping[str, int | float]:
        """The rows of each part, or their shares."""
        if self.first is None or self.first.parts:
            return {} if self.first is None else self.first.parts
        # A run of version 0.1.
        held = {
            name: share
            for name in ("test", "validation")
            if isinstance(share := self._config.get(f"split.{name}"), float)
        }
        return {**held, "train": 1.0 - sum(held.values())}

    def complete(self, design: Design, seeds: Iterable[Seeds]) -> tuple[list[Seeds], int]:
        """The seeds whose rounds of folds are complete, and how many others there are; all of
        them where no round is complete, or where there are no folds."""
        every = list(seeds)
        if design.kind != "folds" or any(len(each) <= SPLIT for each in every):
            return every, 0
        rounds: dict[int, set[str]] = {}
        for each in every:
            rounds.setdefault(each[SPLIT] // design.folds, set()).add(self.of[each][1])
        whole = [s for s in every if len(rounds[s[SPLIT] // design.folds]) == design.folds]
        return (whole, len(every) - len(whole)) if whole else (every, 0)


def overlap(metric: str, parts: Mapping[str, int | float]) -> float:
    """Rows that are scored for each training row: of the part that the metric is of, of all held
    out rows for the metrics of training rows; 1 where that is not known, the most cautious."""
    train = parts.get("train", 0)
    if not train:
        return 1.0
    name = metric.removeprefix("best/").partition("/")[0]
    scored = parts.get(name, 0) if name != "train" else 0
    scored = scored or sum(parts.values()) - train
    return scored / train if scored else 1.0
