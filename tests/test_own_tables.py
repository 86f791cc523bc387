"""docs/own_tables.md says what docs/own_tables.json, which ships beside it, contains."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from exp.report.statistics import ranks

DOCS = Path(__file__).parents[1] / "docs"


def test_the_page_has_the_numbers_of_the_file_beside_it() -> None:
    spec = importlib.util.spec_from_file_location("results", DOCS / "own_tables_results.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    content = json.loads((DOCS / "own_tables.json").read_text())
    text = (DOCS / "own_tables.md").read_text()
    assert module.page(text, content) == text
    assert text.count("| exp fit |") >= 2


def test_its_ranks_are_those_of_its_scores() -> None:
    content = json.loads((DOCS / "own_tables.json").read_text())
    found = content["comparisons"]["loss"]
    methods = [each["name"] for each in found["methods"]]
    losses = {(each["table"], each["method"]): each["loss"] for each in content["results"]}
    scores = [[losses[t["table"], method] for method in methods] for t in content["tables"]]
    assert len(scores) == 20
    ranked = ranks.ranks(np.array(scores), higher=False).mean(axis=0)
    assert [each["mean_rank"] for each in found["methods"]] == pytest.approx(ranked.tolist())
