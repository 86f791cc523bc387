"""The groups of `exp results` for other programs: csv, JSON, Parquet."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from exp.report.groups import Standing
from exp.report.statistics import TESTS, pairs
from exp.runs.collection import Row
from exp.util.errors import ExpError
from exp.util.serialize import csv_text, json_text
from exp.util.statuses import STATUSES

if TYPE_CHECKING:
    from exp.report.results import Results

FIGURES = (
    "rank", "seeds", "mean", "sd", "low", "high", "runs", *STATUSES, "common", "difference",
    "difference_low", "difference_high", "effect", "p", "p_holm", "seeds_needed", "verdict",
)  # fmt: skip
"""Columns of a group behind its keys. `difference` is positive where the best group is better."""


def figures(each: Standing) -> dict[str, Any]:
    """Every number of a group, with all its digits."""
    spread, test = each.spread, each.test
    difference = test.difference if test is not None else None
    statuses = {status: each.group.statuses[status] for status in STATUSES}
    return {
        "rank": each.rank,
        "seeds": spread.n if spread else 0,
        "mean": spread.mean if spread else None,
        "sd": spread.sd if spread else None,
        "low": spread.low if spread else None,
        "high": spread.high if spread else None,
        "runs": each.group.runs,
        **statuses,
        "common": test.n if test else None,
        "difference": difference.mean if difference else None,
        "difference_low": difference.low if difference else None,
        "difference_high": difference.high if difference else None,
        "effect": test.effect if test else None,
        "p": test.p if test else None,
        "p_holm": each.p,
        "seeds_needed": each.needed,
        "verdict": each.verdict,
    }


def header(results: Results) -> list[str]:
    """Keys first; one that is called like a figure has `by:` in front."""
    keys = [f"by:{key}" if key in FIGURES else key for key in results.groups.by]
    return [*keys, "metric", *FIGURES]


def rows(results: Results) -> list[list[Any]]:
    return [
        [*each.group.values, results.metric, *figures(each).values()] for each in results.standings
    ]


def csv(results: Results) -> str:
    """A line for each group."""
    lines = [["" if v is None else v for v in row] for row in rows(results)]
    return csv_text(header(results), lines)


def json(results: Results) -> str:
    """Everything: the groups with the score of each seed, and the runs that gave none."""
    runs = results.runs
    better = results.groups.higher
    whole = {
        "paths": [str(path) for path in runs.paths],
        "metric": results.metric,
        "higher_is_better": better,
        "positive": sorted({row.positive for row in runs.rows if row.positive is not None}),
        "by": list(results.groups.by),
        "test": TESTS[results.test],
        "pairs": pairs(results.tested + 1),
        "runs": len(runs.rows),
        "left_out": results.left_out,
        "groups": [
            {
                "values": dict(zip(results.groups.by, each.group.values, strict=True)),
                **figures(each),
                "scores": [
                    {"seeds": list(seeds), "score": score}
                    for seeds, score in each.group.scores.items()
                ],
            }
            for each in results.standings
        ],
        "not_done": [trouble(row) for row in runs.rows if row.status != "done"],
        "skipped": [trouble(row) for row in runs.skipped],
    }
    return json_text(whole)


def trouble(row: Row) -> dict[str, Any]:
    return {
        "number": row.number,
        "directory": str(row.path),
        "status": row.status,
        "overrides": list(row.overrides),
        "message": row.message,
    }


def parquet(results: Results) -> bytes:
    """The csv table with types. A key whose values are of several kinds is text.

    Raises:
        ExpError: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise ExpError("--parquet: pyarrow is not installed: pip install 'exp[parquet]'")
    import pyarrow
    import pyarrow.parquet

    columns = {}
    for place, name in enumerate(header(results)):
        column = [row[place] for row in rows(results)]
        kinds = {type(value) for value in column if value is not None}
        if kinds > {int} and kinds <= {int, float}:
            column = [None if value is None else float(value) for value in column]
        elif len(kinds) > 1:
            column = [None if value is None else str(value) for value in column]
        columns[name] = pyarrow.array(column)
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()
