"""The final scores of a run, computed again by scikit-learn from its predictions.csv."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from commands import SMALL, inside, read_csv

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
        options: dict[str, Any] = {"average": "binary" if classes == 2 else "macro"}
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(
            y, guesses, **options, zero_division=0
        )
        expected = {
            "accuracy": metrics.accuracy_score(y, guesses),
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "auroc": auroc(y, chances),
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
    undefined = ("precision", "recall", "f1", "auroc")
    assert [final[f"test/{name}"] for name in undefined] == [None] * 4
    assert None not in [final[f"train/{name}"] for name in undefined]
    shown = {line.split()[0]: line.split()[-1] for line in ended.out.splitlines() if line.split()}
    assert [shown[name] for name in undefined] == ["-"] * 4


def test_torchmetrics_is_whole_for_others() -> None:
    """Its functions come without its plots and audio; a later import gets everything."""
    program = (
        "import sys\n"
        "from exp.runs.metrics import functions\n"
        "found = functions()\n"
        "assert not {'matplotlib', 'scipy.signal', 'torchmetrics'} & set(sys.modules)\n"
        "import torch, torchmetrics\n"
        "one, other = torch.tensor([1, 0, 1, 1]), torch.tensor([1, 1, 1, 0])\n"
        "whole = torchmetrics.functional.classification.binary_f1_score(one, other)\n"
        "assert found.binary_f1_score(one, other) == whole\n"
        "assert torchmetrics.Accuracy(task='binary')(one, other) == 0.5\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
