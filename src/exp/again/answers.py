"""What two runs have answered for the rows that both were tested on."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from exp.again.saved import SavedRun
from exp.report.groups import p_text
from exp.report.runs import part
from exp.report.statistics import mcnemar


def answers(one: SavedRun, other: SavedRun) -> str:
    """On how many test rows of both they differ, in one line, with McNemar's exact test."""
    data = [part(run.record, "data") for run in (one, other)]
    if data[0].get("fingerprint") != data[1].get("fingerprint"):
        return "answers: the runs have not met the same rows"
    left, right = (dict(tested(run.directory.predictions)) for run in (one, other))
    common = [row for row in left if row in right]
    if not common:
        return "answers: no test row in common"
    differ = sum(left[row][1] != right[row][1] for row in common)
    if not differ:
        return f"answers: the same on all {len(common):,} common test rows"
    only_a = only_b = 0
    for row in common:
        label, said = left[row]
        only_a += said == label != right[row][1]
        only_b += right[row][1] == label != said
    p = p_text(mcnemar(only_a, only_b))
    return (
        f"answers: {differ:,} of {len(common):,} common test rows differ; A alone is right on "
        f"{only_a:,}, B alone on {only_b:,} (McNemar's exact test: {p})"
    )


def tested(path: Path) -> Iterator[tuple[int, tuple[str, str]]]:
    """Row number, true label and predicted label of every test row of a predictions.csv."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["split"] == "test":
                    yield int(row["row"]), (row["label"], row["predicted"])
    except (OSError, KeyError, ValueError, csv.Error):
        return
