"""What differs between runs with different seeds: it decides how their scores are compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from exp.runs.collection import Row
from exp.runs.config_values import Scalar
from exp.util.text_tables import count

Seeds = tuple[int, ...]
Config = Callable[[], Mapping[str, Scalar]]
"""Reads the config of a run, which takes its time and is seldom needed."""
SPLIT = 3
"""Where `Row.seeds` has the seed of the split, as its names are sorted."""


@dataclass(frozen=True)
class Draw:
    """The rows of a run.

    Attributes:
        data: digest of the whole data set.
        split: digest of which rows do what.
        scored: digest of the rows that the score is of.
        overlap: see `overlap_of`; nan where run.json does not have it (version 0.1).
    """

    data: str
    split: str
    scored: str
    overlap: float

    @classmethod
    def of(cls, row: Row, metric: str) -> Draw:
        data, split = row.data
        if not row.parts:
            return cls(data, split, split, math.nan)
        sizes = {name: rows for name, (rows, _) in row.parts.items()}
        _, scored = row.parts.get(part_of(metric), (0, split))
        return cls(data, split, scored, overlap_of(metric, sizes))


@dataclass(frozen=True)
class Design:
    """How the runs of a group differ by their seeds.

    Attributes:
        kind: rows: each seed draws new rows; splits: random splits of one table; folds: of one
            table; training: other training rows, scored on the same ones; seeds: the same rows and
            split, so only weights and order differ.
        overlap: of splits and folds, see `overlap_of`; 0 of others.
        folds: runs in a round of folds; 0 where there are no folds.
    """

    kind: Literal["rows", "splits", "folds", "training", "seeds"]
    overlap: float = 0.0
    folds: int = 0

    @property
    def unit(self) -> str:
        """What is counted."""
        return {"splits": "split", "folds": "fold"}.get(self.kind, "seed")

    def unit_of(self, seeds: Seeds, draws: Sequence[Draw]) -> object:
        """What a run counts for: runs with the same unit are no independent draws."""
        if self.kind == "rows":
            return tuple(draw.data for draw in draws)
        if self.kind == "training":
            return tuple(draw.split for draw in draws)
        return seeds if self.kind == "seeds" else tuple(draw.scored for draw in draws)

    def words(self, test: str, n: int) -> str:
        """The test, the unit and their number.

        Args:
            test: a test of pairs.
            n: how many units.
        """
        number = count(n, self.unit)
        if self.kind in ("splits", "folds"):
            return f"corrected resampled t-test over {number} of one table"
        about = {
            "rows": ", each with new rows",
            "training": ", each with other training rows; it holds for these test rows only",
            "seeds": "; it holds for these rows and this split only",
        }
        return f"{test} over {number}{about[self.kind]}"


def design(cells: Iterable[Mapping[Seeds, Draw]], metric: str, config: Config) -> Design:
    """How runs differ, the most cautious answer where cells do not agree.

    Args:
        cells: the rows of each run, by its seeds.
    """
    kinds, overlaps = set(), [0.0]
    for cell in cells:
        draws = set(cell.values())
        data, splits, scored = (
            {getattr(draw, name) for draw in draws} for name in ("data", "split", "scored")
        )
        if len(data) > 1:
            kinds.add("rows")
        elif len(scored) > 1 and not test_file(draws, metric, config):
            kinds.add("splits")
            overlaps += [draw.overlap for draw in draws]
        else:
            kinds.add("training" if len(splits) > 1 else "seeds")
    if "splits" in kinds:
        folds, overlap = folds_of(config()), max(overlaps)
        if any(math.isnan(each) for each in overlaps):
            overlap = overlap_of(metric, shares_of(config()))
        return Design("folds" if folds else "splits", overlap, folds)
    return Design("seeds" if "seeds" in kinds else "training" if "training" in kinds else "rows")


def test_file(draws: Iterable[Draw], metric: str, config: Config) -> bool:
    """Whether runs of version 0.1 have the test rows of a file: others name the rows they score."""
    old = any(math.isnan(draw.overlap) for draw in draws)
    return old and part_of(metric) == "test" and bool(config().get("dataset.test_path"))


def folds_of(config: Mapping[str, Scalar]) -> int:
    """The number of runs in a round of folds; 0 for other splits."""
    folds, inner = config.get("split.folds"), config.get("split.inner_folds")
    if config.get("split") != "kfold" or not isinstance(folds, int):
        return 0
    return folds * (inner if isinstance(inner, int) else 1)


def complete(found: Design, draws: Mapping[Seeds, Sequence[Draw]]) -> tuple[list[Seeds], int]:
    """The seeds whose rounds of folds are complete, and the number of others.

    All of them where no round is complete: the folds of a part of a round are splits like others.
    """
    every = list(draws)
    if not found.folds or any(len(each) <= SPLIT for each in every):
        return every, 0
    rounds: dict[int, set[int]] = {}
    for each in every:
        rounds.setdefault(each[SPLIT] // found.folds, set()).add(each[SPLIT])
    whole = [s for s in every if len(rounds[s[SPLIT] // found.folds]) == found.folds]
    return (whole, len(every) - len(whole)) if whole else (every, 0)


def part_of(metric: str) -> str:
    """The rows that a score is of: train, validation, test; other words for `seconds` and so on."""
    return metric.removeprefix("best/").partition("/")[0]


def overlap_of(metric: str, parts: Mapping[str, float]) -> float:
    """By how much the variance of a mean over random splits of one table exceeds that of
    independent scores, in variances of a score (Nadeau and Bengio 2003).

    Scores of two splits are correlated by about the share of the rows that are scored, among those
    that are scored or trained on: scored / (scored + training rows). That makes it scored /
    training rows. Of the score of training rows, which overlap more, it is training / other rows.
    1 where the numbers of rows are not known.

    Args:
        parts: part -> its number of rows, or its share of them.
    """
    train = parts.get("train", 0)
    others = sum(parts.values()) - train
    if not train or not others:
        return 1.0
    name = part_of(metric)
    return train / others if name == "train" else (parts.get(name) or others) / train


def shares_of(config: Mapping[str, Scalar]) -> dict[str, float]:
    """The shares of rows that a config asks for, of runs whose run.json has no numbers."""
    folds = config.get("split.folds")
    if config.get("split") == "kfold" and isinstance(folds, int):
        return {"train": folds - 1.0, "test": 1.0}
    held = {
        name: float(share)
        for name in ("test", "validation")
        if isinstance(share := config.get(f"split.{name}"), (int, float))
    }
    return {**held, "train": 1.0 - sum(held.values())}
