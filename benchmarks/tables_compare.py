"""The comparison of `exp fit` and its peers by the tests of `exp results --across dataset`.

    python benchmarks/tables_compare.py RESULTS NOISE OUTPUT

NOISE is the JSON file of noise_tables.py. Prints the table of methods, and writes
OUTPUT/own_tables.json (every score, all ranks and tests) and the critical-difference diagram as
OUTPUT/images/own-tables-ranks.png.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tables import CLASSES, NAMED, described
from tables_scores import load

from exp.plotting import layout
from exp.plotting.style import settings
from exp.report.across import Across, compared
from exp.report.across_export import across_json
from exp.report.across_figures import diagram
from exp.report.across_text import notes, table, tests
from exp.report.cells import Block, Cells
from exp.report.design import Design
from exp.util.files import write_whole

Scored = dict[str, dict[str, list[dict[str, Any]]]]
"""Table -> method -> a result for each seed."""


def arranged(results: Path) -> Scored:
    found: Scored = {}
    for each in load(results):
        found.setdefault(each["table"], {}).setdefault(each["method"], []).append(each)
    return {name: found[name] for name in NAMED if name in found}


def cells(scored: Scored, score: str, *, higher: bool) -> Cells:
    """One score of all methods, as `exp.report.across` takes it; tables that have no such score, or
    not of all methods, are left out."""
    methods = sorted({method for each in scored.values() for method in each})
    blocks = []
    for name, some in scored.items():
        values = [[each.get(score) for each in some.get(method, [{}])] for method in methods]
        if any(value is None for row in values for value in row):
            continue
        rows = np.array(values, dtype=float).T
        design = Design("splits", 1 / 3) if len(rows) > 1 else Design("seeds")
        blocks.append(Block(name, design, rows, 1, {}, 0))
    return Cells(
        ("dataset",), ("method",), (), f"test/{score}", tuple((each,) for each in methods),
        tuple(methods), tuple(blocks), {}, (), higher,
    )  # fmt: skip


def relative(scored: Scored) -> Scored:
    """The losses as multiples of the best on their table: log loss and RMSE in all units."""
    found: Scored = {}
    for name, some in scored.items():
        best = min(np.mean([each["loss"] for each in results]) for results in some.values())
        found[name] = {
            method: [{**each, "relative_loss": each["loss"] / best} for each in results]
            for method, results in some.items()
        }
    return found


def text(found: Across) -> str:
    return "\n".join([*tests(found), "", *table(found), "", *notes(found)])


def content(scored: Scored) -> tuple[dict[str, Any], Across]:
    """Everything as JSON, and the main comparison."""
    whole = relative(scored)
    parts: dict[str, Any] = {}
    main = compared(cells(whole, "relative_loss", higher=False))
    parts["loss"] = across_json(main, None)
    parts["loss_nemenyi"] = across_json(
        compared(cells(whole, "relative_loss", higher=False), "nemenyi"), None
    )
    for task, score, higher in (
        ("classes", "loss", False), ("classes", "accuracy", True), ("classes", "auroc", True),
        ("number", "r2", True),
    ):  # fmt: skip
        some = {name: each for name, each in whole.items()
                if (NAMED[name].task == CLASSES) == (task == "classes")}  # fmt: skip
        made = cells(some, score, higher=higher)
        if len(made.blocks) > 1:
            parts[f"{task}_{score}"] = across_json(compared(made), None)
    tables = [described(NAMED[name]) for name in scored]
    results = [each for some in scored.values() for many in some.values() for each in many]
    return {"tables": tables, "results": results, "comparisons": parts}, main


def draw(found: Across, path: Path) -> None:
    with settings("light") as colours:
        write_whole(path, layout.encode(diagram(found, colours), "png", dpi=120))


def main(results: Path, noise: Path, folder: Path) -> None:
    found, main_one = content(arranged(results))
    found["noise"] = json.loads(noise.read_text())
    print(text(main_one))
    (folder / "own_tables.json").write_text(json.dumps(found, indent=1) + "\n")
    (folder / "images").mkdir(exist_ok=True)
    draw(main_one, folder / "images/own-tables-ranks.png")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
