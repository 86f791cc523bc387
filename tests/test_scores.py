"""The final scores of a run, computed again by scikit-learn from its predictions.csv."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from commands import SMALL, inside, read_csv
from exp.components.final_scores import scores

RUNS: dict[str, tuple[str, ...]] = {
    "two classes": ("dataset=moons", "dataset.noise=0.4", "split.validation=0.2"),
    "three classes": ("dataset=spirals", "dataset.noise=0.5", "loss=cross_entropy"),
    "four classes by hinge": ("dataset=blobs", "dataset.cluster_std=3", "loss=hinge"),
    "a class without test rows": ("dataset=csv", "dataset.path=rare.csv", "dataset.target=kind"),
}
BINS = 15


@pytest.fixture(scope="module", params=RUNS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("scores")
    random = np.random.default_rng(3)
    kinds = ["a", "b", *random.choice(["a", "b"], 78), "rare"]
    lines = [f"{u:.4f},{kind}" for u, kind in zip(random.normal(size=81), kinds, strict=True)]
    (where / "rare.csv").write_text("\n".join(["u,kind", *lines]) + "\n")
    words = RUNS[request.param]
    size = () if "dataset=csv" in words else ("dataset.n_samples=120",)
    ended = inside(where, "figures=none", "trainer.epochs=15", *size, *words)
    assert ended.code == 0, ended.err
    return ended.run


def splits(run: Path) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Of each split: labels, predicted labels and probabilities [rows, classes]."""
    table = read_csv(run / "predictions.csv")
    chances = [name for name in table if name.startswith("probability:")]
    names = [name.removeprefix("probability:") for name in chances]
    y, guesses = (
        np.array([names.index(label) for label in table[column]])
        for column in ("label", "predicted")
    )
    probabilities = np.stack([table[name].astype(float) for name in chances], axis=1)
    found = {}
    for split in np.unique(table["split"]):
        of_it = table["split"] == split
        found[str(split)] = (y[of_it], guesses[of_it], probabilities[of_it])
    return found


def auroc(y: np.ndarray, chances: np.ndarray) -> float:
    """Of class 1 against class 0, or the mean over the classes met, each against the others."""
    if chances.shape[1] == 2:
        return float(metrics.roc_auc_score(y, chances[:, 1]))
    met = [k for k in range(chances.shape[1]) if (y == k).any()]
    return float(np.mean([metrics.roc_auc_score(y == k, chances[:, k]) for k in met]))


def average_precision(y: np.ndarray, chances: np.ndarray) -> float:
    """Likewise."""
    present = [1] if chances.shape[1] == 2 else np.unique(y)
    areas = [metrics.average_precision_score(y == k, chances[:, k]) for k in present]
    return float(np.mean(areas))


def calibration_error(y: np.ndarray, chances: np.ndarray) -> float:
    """Mean gap between confidence and success over 15 bins, weighted by their rows (Guo 2017);
    of two classes, between the probability of class 1 and its share."""
    if chances.shape[1] == 2:
        confidence, success = chances[:, 1], y == 1
    else:
        confidence, success = chances.max(axis=1), chances.argmax(axis=1) == y
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(confidence[bins == b].mean() - success[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    return float(np.sum(gaps))


def test_every_score_is_what_scikit_learn_says(run: Path) -> None:
    final = json.loads((run / "summary.json").read_text())["final"]
    for split, (y, guesses, chances) in splits(run).items():
        classes = chances.shape[1]
        chances = chances.astype(np.float32)  # as the model gave them
        pos = 1 if classes == 2 else None
        options: dict[str, Any] = {"average": "binary" if classes == 2 else "macro"}
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(
            y, guesses, **options, zero_division=0
        )
        expected = {
            "accuracy": metrics.accuracy_score(y, guesses),
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "balanced_accuracy": metrics.balanced_accuracy_score(y, guesses),
            "mcc": metrics.matthews_corrcoef(y, guesses),
            "auroc": auroc(y, chances),
            "average_precision": average_precision(y, chances),
            "log_loss": metrics.log_loss(y, chances, labels=range(classes)),
            "brier": metrics.brier_score_loss(y, chances, labels=range(classes), pos_label=pos),
            "calibration_error": calibration_error(y, chances),
        }
        told = {name: final[f"{split}/{name}"] for name in expected}
        assert told == pytest.approx(expected, abs=1e-6), split
        confusion = metrics.confusion_matrix(y, guesses, labels=range(classes))
        assert final[f"{split}/confusion"] == confusion.tolist()


def test_the_loss_is_that_of_the_probabilities(in_tmp: Path) -> None:
    ended = inside(in_tmp, *SMALL, "dataset=spirals", "loss=cross_entropy")
    final = json.loads((ended.run / "summary.json").read_text())["final"]
    for split, (y, _, chances) in splits(ended.run).items():
        loss = metrics.log_loss(y, chances.astype(np.float32), labels=range(3))
        assert final[f"{split}/loss"] == pytest.approx(loss, abs=1e-6)


def test_auroc_is_null_where_a_split_lacks_one_of_two_classes(in_tmp: Path) -> None:
    ended = inside(in_tmp, *SMALL, "dataset.n_samples=4", "split.test=0.2")
    final = json.loads((ended.run / "summary.json").read_text())["final"]
    assert final["test/auroc"] is None
    assert final["train/auroc"] is not None
    (line,) = (line for line in ended.out.splitlines() if line.startswith("auroc"))
    assert line.split()[-1] == "-"


def test_what_is_not_defined_is_null(in_tmp: Path) -> None:
    """Test rows of class 0 only, as a file of one's own can have them."""
    lines = [f"{(-1) ** i + 0.01 * i},{'ab'[i % 2]}" for i in range(20)]
    (in_tmp / "rows.csv").write_text("\n".join(["u,kind", *lines]) + "\n")
    (in_tmp / "test.csv").write_text("u,kind\n1,a\n1.1,a\n")
    words = ("dataset=csv", "dataset.path=rows.csv", "dataset.target=kind", "optimizer=adam")
    more = ("dataset.test_path=test.csv", "figures=none", "trainer.epochs=200")
    ended = inside(in_tmp, *words, *more, "optimizer.lr=0.1")
    assert ended.code == 0, ended.err
    final = json.loads((ended.run / "summary.json").read_text())["final"]
    assert final["test/accuracy"] == 1
    undefined = ("precision", "recall", "f1", "auroc", "average_precision")
    assert [final[f"test/{name}"] for name in undefined] == [None] * 5
    assert final["test/balanced_accuracy"] == 1
    assert final["test/mcc"] == 0  # as scikit-learn has it
    assert None not in [final[f"train/{name}"] for name in undefined]
    shown = {line.split()[0]: line.split()[-1] for line in ended.out.splitlines() if line.split()}
    assert [shown[name] for name in undefined] == ["-"] * 5


@st.composite
def drawn(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities [rows, classes], predicted and true labels; with ties and absent classes."""
    classes = draw(st.integers(2, 4))
    rows = draw(st.integers(1, 30))
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows))
    parts = draw(
        st.lists(
            st.lists(st.integers(0, 5), min_size=classes, max_size=classes).filter(any),
            min_size=rows, max_size=rows,
        )
    )  # fmt: skip
    chances = np.array(parts, np.float64)
    chances /= chances.sum(axis=1, keepdims=True)
    return chances, chances.argmax(axis=1), np.array(labels)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
@settings(deadline=None)
@given(drawn(), st.integers(0, 1))
def test_scores_of_drawn_rows_are_those_of_scikit_learn(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray], positive: int
) -> None:
    chances, predicted, labels = rows
    classes = chances.shape[1]
    binary = classes == 2
    found = scores(chances, predicted, labels, positive if binary else None)
    options: dict[str, Any] = {"average": "macro"}
    if binary:
        options = {"average": "binary", "pos_label": positive, "labels": [0, 1]}
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predicted, **options, zero_division=0
    )
    here = labels == positive if binary else np.ones(len(labels), bool)
    there = here | (predicted == positive) if binary else here
    present = [positive] if binary else np.unique(labels)
    wanted = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "precision": precision if there.any() else None,
        "recall": recall if here.any() else None,
        "f1": f1 if there.any() else None,
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "mcc": metrics.matthews_corrcoef(labels, predicted),
        "auroc": None,
        "average_precision": None,
        "log_loss": metrics.log_loss(labels, chances, labels=range(classes)),
        "brier": metrics.brier_score_loss(
            labels, chances, labels=range(classes), pos_label=1 if binary else None
        ),
    }
    if len(np.unique(labels)) > 1:
        areas = [metrics.roc_auc_score(labels == k, chances[:, k]) for k in present]
        wanted["auroc"] = np.mean(areas)
    if here.any():
        areas = [metrics.average_precision_score(labels == k, chances[:, k]) for k in present]
        wanted["average_precision"] = np.mean(areas)
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)


def test_macro_scores_are_those_that_scikit_learn_gives_whole(in_tmp: Path) -> None:
    """Where every class has rows, scikit-learn has one function for all classes."""
    rng = np.random.default_rng(1)
    labels = np.array([0, 1, 2, *rng.integers(0, 3, 60)])
    chances = rng.dirichlet([1, 1, 1], len(labels))
    found = scores(chances, chances.argmax(axis=1), labels)
    auroc = metrics.roc_auc_score(labels, chances, multi_class="ovr")
    assert found["auroc"] == pytest.approx(auroc)
    average = metrics.average_precision_score(labels, chances)
    assert found["average_precision"] == pytest.approx(average)
