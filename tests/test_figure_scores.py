"""ROC, precision and recall, calibration: against scikit-learn, and by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from commands import inside, read_csv
from exp.plotting.scores import BINS, calibration, precision_recall, roc, wilson

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=60)


@settings(deadline=None)
@given(ROWS)
def test_curves_are_those_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    truth = np.array([right for right, _ in rows])
    score = np.array([number / 20 for _, number in rows])
    if truth.all() or not truth.any():
        return
    ours = roc(truth, score)
    x, y, _ = roc_curve(truth, score, drop_intermediate=False)
    np.testing.assert_allclose(ours.x, x)
    np.testing.assert_allclose(ours.y, y)
    assert ours.value == pytest.approx(roc_auc_score(truth, score))
    ours = precision_recall(truth, score)
    precision, recall, _ = precision_recall_curve(truth, score)
    np.testing.assert_allclose(ours.y, precision[::-1])
    np.testing.assert_allclose(ours.x, recall[::-1])
    assert ours.value == pytest.approx(average_precision_score(truth, score))


def test_a_class_without_rows_has_no_curve() -> None:
    for rule in (roc, precision_recall):
        found = rule(np.zeros(4, bool), np.linspace(0, 1, 4))
        assert len(found.x) == 0
        assert np.isnan(found.value)
    assert np.isnan(roc(np.ones(4, bool), np.linspace(0, 1, 4)).value)
    assert np.isnan(roc(np.array([True, False]), np.array([np.nan, 0.5])).value)


def test_calibration_by_hand() -> None:
    scores = np.array([0.9, 0.92, 0.9, 0.5, 1.0, 0.0])
    scores = np.column_stack([1 - scores, scores])
    labels = np.array([1, 1, 0, 1, 1, 0])
    found = calibration(labels, scores.argmax(axis=1), scores, 1)
    assert found.counts.tolist() == [1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 3, 1]
    assert found.predicted[13] == pytest.approx(0.9066667)
    assert found.observed[13] == pytest.approx(2 / 3)
    assert np.isnan(found.observed[5])
    assert found.error == pytest.approx((0.5 + 3 * abs(0.9066667 - 2 / 3)) / 6)


def test_the_interval_is_wilson_s() -> None:
    from scipy.stats import binomtest

    low, high = wilson(np.array([0.3, 0.0, 1.0]), np.array([10.0, 4.0, 7.0]))
    for place, (k, n) in enumerate(((3, 10), (0, 4), (7, 7))):
        expected = binomtest(k, n).proportion_ci(method="wilson")
        assert (low[place], high[place]) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("dataset", ["moons", "iris"])
def test_numbers_are_those_of_summary_json(dataset: str, in_tmp: Path) -> None:
    words = ("trainer.epochs=40", "figures=none", f"dataset={dataset}")
    ended = inside(in_tmp, *words)
    assert ended.code == 0, ended.err
    final = json.loads((ended.run / "summary.json").read_text())["final"]
    table = read_csv(ended.run / "predictions.csv")
    classes = [name.partition(":")[2] for name in table if name.startswith("probability:")]
    for split in ("train", "test"):
        rows = table["split"] == split
        scores = np.column_stack([table[f"probability:{k}"][rows] for k in classes]).astype(float)
        labels, predicted = (
            np.array([classes.index(name) for name in table[column][rows]])
            for column in ("label", "predicted")
        )
        found = calibration(labels, predicted, scores, 1 if len(classes) == 2 else None)
        assert found.error == pytest.approx(final[f"{split}/calibration_error"], abs=1e-6)
        assert len(found.counts) == BINS
        areas = [roc(labels == k, scores[:, k]).value for k in range(len(classes))]
        expected = areas[1] if len(classes) == 2 else np.mean(areas)
        assert expected == pytest.approx(final[f"{split}/auroc"], abs=1e-6)
