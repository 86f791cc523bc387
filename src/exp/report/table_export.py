"""The groups of `exp results` for other programs: csv, JSON, Parquet."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from exp.report.comparisons import Ranked
from exp.report.results import Results
from exp.report.statistics.corrections import pairs
from exp.report.statistics.paired import TESTS
from exp.runs.collection import Row
from exp.runs.config_values import Scalar
from exp.util.errors import ExpError
from exp.util.serialize import json_text
from exp.util.statuses import STATUSES

if TYPE_CHECKING:
    from pandas import DataFrame

FIGURES = (
    "rank", "seeds", "mean", "sd", "low", "high", "runs", *STATUSES, "design", "common",
    "difference", "difference_low", "difference_high", "effect", "p", "p_holm",
    "p_equivalent_holm", "seeds_needed", "verdict", "comparison",
)  # fmt: skip
"""Columns of a group after its keys. `difference` is positive where the best group is better."""


def figures(each: Ranked) -> dict[str, Any]:
    """All numbers of a group, with all digits."""
    score, test = each.score, each.test
    difference = test.difference if test is not None else None
    return {
        "rank": each.rank,
        "seeds": score.n if score else 0,
        **{name: getattr(score, name, None) for name in ("mean", "sd", "low", "high")},
        "runs": each.group.runs,
        **{status: each.group.statuses[status] for status in STATUSES},
        "design": each.design.kind if score else None,
        "common": test.n if test else None,
        "difference": getattr(difference, "mean", None),
        "difference_low": getattr(difference, "low", None),
        "difference_high": getattr(difference, "high", None),
        "effect": test.effect if test else None,
        "p": test.p if test else None,
        "p_holm": each.p,
        "p_equivalent_holm": each.p_within,
        "seeds_needed": each.verdict.needed,
        "verdict": each.verdict.word or None,
        "comparison": each.verdict.text or None,
    }


def columns(results: Results) -> dict[str, list[Any]]:
    """Name -> values, one for each group; a key that is named like a figure becomes `by:key`."""
    keys = [f"by:{key}" if key in FIGURES else key for key in results.by]
    rows = [
        [*(table.value(each, key) for key in results.by), results.metric, *figures(each).values()]
        for table in results.tables
        for each in table.shown
    ]
    names = [*keys, "metric", *FIGURES]
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


def frame(columns: Mapping[str, Sequence[Any]]) -> DataFrame:
    """Columns with every value as it is: an integer stays one beside a missing value."""
    from pandas import DataFrame

    return DataFrame(dict(columns), dtype=object)


def values(results: Results, keys: Sequence[str]) -> list[tuple[Scalar, ...]]:
    """What each group that is shown has for some keys of the results."""
    return [
        tuple(table.value(each, key) for key in keys)
        for table in results.tables
        for each in table.shown
    ]


def csv_text(results: Results) -> str:
    """A line for each group."""
    return csv_of(frame(columns(results)))


def csv_of(table: DataFrame) -> str:
    text: str = table.to_csv(index=False)
    # A carriage return ends a line unless it is quoted, which csv does not do by itself.
    return table.to_csv(index=False, quoting=csv.QUOTE_ALL) if "\r" in text else text


def json(results: Results) -> str:
    """Everything: the groups with the score of each seed, and the runs without a score."""
    return json_text(content(results))


def content(results: Results) -> dict[str, Any]:
    """What `json` writes."""
    runs = results.runs
    return {
        "paths": [str(path) for path in runs.paths],
        "metric": results.metric,
        "higher_is_better": results.higher,
        "positive": sorted({row.positive for row in runs.rows if row.positive is not None}),
        "by": list(results.by),
        "test": TESTS[results.test],
        "margin": results.margin,
        "pairs": [pairs(table.ranking.tested + 1) for table in results.tables],
        "runs": len(runs.rows),
        "left_out": results.left_out,
        "groups": [
            {
                "values": {key: table.value(each, key) for key in results.by},
                **figures(each),
                "scores": [
                    {"seeds": list(seeds), "score": score}
                    for seeds, score in each.group.scores.items()
                ],
            }
            for table in results.tables
            for each in table.shown
        ],
        "not_done": [run_of(row) for row in runs.rows if row.status != "done"],
        "skipped": [run_of(row) for row in runs.skipped],
        "notes": list(runs.notes),
    }


def run_of(row: Row) -> dict[str, Any]:
    return {
        "number": row.number,
        "directory": str(row.path),
        "status": row.status,
        "overrides": list(row.overrides),
        "message": row.message,
    }


def parquet(results: Results) -> bytes:
    """The csv table with types.

    Raises:
        ExpError: pyarrow is not installed.
    """
    return parquet_of(frame(columns(results)))


def parquet_of(table: DataFrame) -> bytes:
    """A table with types; a column with values of several types becomes text.

    Raises:
        ExpError: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise ExpError("--parquet: pyarrow is not installed: pip install 'exp[parquet]'")
    for name in table:
        known = table[name].dropna()
        kinds = set(known.map(type))
        if len(kinds) > 1:
            table.loc[known.index, name] = known.astype(float if kinds == {int, float} else str)
    content: bytes = table.to_parquet(index=False)
    return content
