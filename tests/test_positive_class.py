"""Which of two classes counts as positive: in scores, rankings, figures, losses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn import metrics

from commands import Ended, inside, read_csv, runs
from exp.components.losses.classification_losses import BinaryCrossEntropy, Focal
from exp.data.dataset import Data
from exp.registry.registry import register
from exp.util.metric_names import positive_class

QUICK = ("figures=none", "optimizer=adam", "optimizer.lr=0.05", "trainer.print_every=null")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 payments, 5 % of them fraud, as texts and as numbers."""
    where = tmp_path_factory.mktemp("bank")
    rng = np.random.default_rng(0)
    fraud = np.arange(400) % 20 == 0
    X = rng.normal(size=(400, 2)) + 1.3 * fraud[:, None]
    for name, labels in (("texts", ("ok", "fraud")), ("numbers", ("0", "1"))):
        lines = [f"{a:.5f},{b:.5f},{labels[y]}" for (a, b), y in zip(X, fraud * 1, strict=True)]
        (where / f"{name}.csv").write_text("\n".join(["a,b,kind", *lines]) + "\n")
    return where


def rows(bank: Path, name: str) -> tuple[str, ...]:
    return ("dataset=csv", f"dataset.path={bank}/{name}.csv", "dataset.target=kind")


def summary(ended: Ended) -> dict[str, Any]:
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads((ended.run / "summary.json").read_text())
    return found


@pytest.mark.parametrize(
    ("classes", "counts", "positive"),
    [
        (("fraud", "ok"), (5, 95), "fraud"),
        (("fraud", "ok"), (95, 5), "ok"),
        (("no", "yes"), (50, 50), "yes"),
        (("0", "1"), (5, 95), "1"),
        (("-1", "1"), (95, 5), "1"),
        (("0.0", "1.0"), (5, 95), "1.0"),
        (("False", "True"), (5, 95), "True"),
        (("1", "2"), (5, 95), "1"),
        (("a", "b", "c"), (1, 2, 3), None),
    ],
)
def test_what_counts_as_positive(
    classes: tuple[str, ...], counts: tuple[int, ...], positive: str | None
) -> None:
    found = positive_class(classes, counts)
    assert (None if found is None else classes[found]) == positive


@pytest.mark.parametrize("name", ["fraud", "ok", None])
def test_scores_are_those_of_the_positive_class(bank: Path, in_tmp: Path, name: str | None) -> None:
    words = () if name is None else (f"dataset.positive={name}",)
    ended = inside(in_tmp, *rows(bank, "texts"), *QUICK, "trainer.epochs=20", *words)
    found = summary(ended)
    positive = name or "fraud"
    assert (found["average"], found["positive"]) == ("binary", positive)
    assert f"positive class: {positive}" in ended.out.splitlines()
    table = read_csv(ended.run / "predictions.csv")
    for split in ("train", "test"):
        some = table["split"] == split
        truth, predicted = table["label"][some], table["predicted"][some]
        chance = table[f"probability:{positive}"][some].astype(np.float32)
        for score, rule in (
            ("f1", metrics.f1_score),
            ("precision", metrics.precision_score),
            ("recall", metrics.recall_score),
        ):
            wanted = rule(truth, predicted, pos_label=positive, zero_division=0)
            assert found["final"][f"{split}/{score}"] == pytest.approx(wanted), score
        for score, rule in (
            ("auroc", metrics.roc_auc_score),
            ("average_precision", metrics.average_precision_score),
        ):
            wanted = rule(truth == positive, chance)
            assert found["final"][f"{split}/{score}"] == pytest.approx(wanted, abs=1e-6), score
        wanted = metrics.brier_score_loss(truth, chance, pos_label=positive)
        assert found["final"][f"{split}/brier"] == pytest.approx(wanted, abs=1e-6)


def test_results_rank_class_weights_in_the_same_way_by_text_and_by_number(
    bank: Path, in_tmp: Path
) -> None:
    """The issue's case: by f1 of the class that is last in the alphabet it came out reversed."""
    ranked = {}
    for name in ("texts", "numbers"):
        words = ("loss.class_weights=null,balanced", "seed=range(0,4)", "trainer.epochs=40")
        (in_tmp / name).mkdir()
        ended = inside(in_tmp / name, "-m", *rows(bank, name), *QUICK, *words)
        assert ended.code == 0, ended.err
        told = inside(in_tmp / name, "results", ".", "--metric", "f1", "--json", "-")
        found = json.loads(told.out)
        ranked[name] = {
            str(group["values"]["loss.class_weights"]): group["mean"] for group in found["groups"]
        }
        assert found["positive"] == ["fraud" if name == "texts" else "1"]
    assert list(ranked["texts"]) == list(ranked["numbers"])
    assert ranked["texts"] == pytest.approx(ranked["numbers"], abs=0.1)
    table = inside(in_tmp / "texts", "results", ".", "--metric", "f1").out
    assert table.startswith("test/f1 (higher is better; positive class fraud) of 8 runs")


def test_results_say_where_runs_count_different_classes(bank: Path, in_tmp: Path) -> None:
    words = ("dataset.positive=fraud,ok", "trainer.epochs=2")
    assert inside(in_tmp, "-m", *rows(bank, "texts"), *QUICK, *words).code == 0
    told = inside(in_tmp, "results", ".", "--metric", "f1").out
    assert "positive class fraud; positive class ok" in told
    assert "positive class" not in inside(in_tmp, "results", ".", "--metric", "auroc").out


def test_a_summary_without_a_positive_class_is_read(bank: Path, in_tmp: Path) -> None:
    """As older versions wrote it."""
    ended = inside(in_tmp, *rows(bank, "texts"), *QUICK, "trainer.epochs=2")
    content = summary(ended)
    for name in ("average", "positive"):
        del content[name]
    (ended.run / "summary.json").write_text(json.dumps(content))
    told = inside(in_tmp, "results", ".", "--metric", "f1")
    assert told.code == 0
    assert told.out.startswith("test/f1 (higher is better) of 1 run")


@pytest.mark.parametrize(
    ("value", "near"), [("frud", "Did you mean 'fraud'?"), ("1", "The classes are: fraud, ok")]
)
def test_a_class_that_is_not_there_is_one_fault(
    bank: Path, in_tmp: Path, value: str, near: str
) -> None:
    ended = inside(in_tmp, *rows(bank, "texts"), *QUICK, f"dataset.positive={value}")
    assert ended.code == 2
    assert "1 fault" in ended.err
    assert "dataset.positive" in ended.err
    assert near in ended.err
    assert not runs(in_tmp)


@pytest.mark.parametrize("dataset", ["iris", "line"])
def test_a_positive_class_needs_two_classes(in_tmp: Path, dataset: str) -> None:
    ended = inside(in_tmp, f"dataset={dataset}", *QUICK, "dataset.positive=1")
    assert ended.code == 2
    assert "dataset.positive names one of two classes" in ended.err


def test_generated_data_keep_class_1(in_tmp: Path) -> None:
    for words in (("dataset=moons", "dataset.n_samples=41"), ("dataset=breast_cancer",)):
        (in_tmp / words[0]).mkdir()
        ended = inside(in_tmp / words[0], *words, *QUICK, "trainer.epochs=1")
        assert summary(ended)["positive"] == ("1" if len(words) > 1 else "benign")


def test_more_classes_are_averaged_and_that_is_said(in_tmp: Path) -> None:
    ended = inside(in_tmp, "dataset=iris", *QUICK, "trainer.epochs=3")
    found = summary(ended)
    assert (found["average"], found["positive"]) == ("macro", None)
    assert "means over classes (macro): precision, recall, f1" in ended.out
    assert "mean over classes" in inside(in_tmp, "results", ".", "--metric", "f1").out


@pytest.fixture
def rings() -> Iterator[None]:
    """A data set of one's own, which has never heard of positive classes."""

    @register.dataset("two_kinds")
    def two_kinds(seed: int) -> Data:
        X = np.arange(40.0)[:, None] % 7
        return Data.checked(X, np.arange(40) % 4 > 0, classes=["rare", "usual"])

    yield
    del register.kinds["dataset"].components["two_kinds"]


def test_a_data_set_of_ones_own_has_one_without_declaring_it(rings: None, in_tmp: Path) -> None:
    for words, positive in (((), "rare"), (("dataset.positive=usual",), "usual")):
        where = in_tmp / positive
        where.mkdir()
        ended = inside(where, "dataset=two_kinds", *QUICK, "trainer.epochs=1", *words)
        assert summary(ended)["positive"] == positive


@pytest.mark.parametrize("positive", [0, 1])
def test_weights_of_the_positive_class_are_its_own(positive: int) -> None:
    """loss.pos_weight and the alpha of focal: what counts as positive, not what is class 1."""
    logits = torch.linspace(-2, 2, 8)[None, None]
    labels = torch.tensor([[0, 1] * 4])
    chance = torch.sigmoid(logits[:, 0])
    own = torch.where(labels == 1, chance, 1 - chance)
    heavy = torch.where(labels == positive, 3.0, 1.0)
    bce = BinaryCrossEntropy(2)
    bce.pos_weight, bce.positive = torch.tensor([[3.0]]), positive
    torch.testing.assert_close(bce.per_row(logits, labels.float()), -heavy * own.log())
    share = torch.where(labels == positive, 0.9, 0.1)
    focal = Focal(2, gamma=0.0, alpha=0.9)
    focal.positive = positive
    torch.testing.assert_close(focal.per_row(logits, labels.float()), -share * own.log())
    reference = F.binary_cross_entropy_with_logits(
        logits[0, 0], labels[0].float(), pos_weight=torch.tensor(3.0), reduction="none"
    )
    if positive == 1:
        torch.testing.assert_close(bce.per_row(logits, labels.float())[0], reference)


def test_pos_weight_finds_more_of_the_rare_class(bank: Path, in_tmp: Path) -> None:
    recall = {}
    for weight in ("null", "19.0"):
        where = in_tmp / weight
        where.mkdir()
        words = ("loss=bce", f"loss.pos_weight={weight}", "trainer.epochs=60")
        final = summary(inside(where, *rows(bank, "texts"), *QUICK, *words))["final"]
        recall[weight] = final["train/recall"]
    assert recall["19.0"] > recall["null"] + 0.3


@pytest.mark.parametrize("figure", ["roc", "precision_recall", "calibration"])
def test_figures_name_the_positive_class(bank: Path, in_tmp: Path, figure: str) -> None:
    words = (f"figures.draw=[{figure}]", "figures.format=[svg]", "trainer.epochs=2")
    ended = inside(in_tmp, *rows(bank, "texts"), *QUICK[1:], *words)
    assert ended.code == 0, ended.err
    text = (ended.run / "figures" / f"{figure}.svg").read_text()
    wanted = "class fraud" if figure == "calibration" else "positive class: fraud"
    assert wanted in text


def test_class_weights_by_name_are_those_in_order(bank: Path, in_tmp: Path) -> None:
    found = {}
    for name, weights in (
        ("list", "[19.0,1.0]"),
        ("names", "{fraud:19}"),
        ("both", "{ok:1,fraud:19}"),
    ):
        where = in_tmp / name
        where.mkdir()
        words = (f"loss.class_weights={weights}", "trainer.epochs=5")
        found[name] = summary(inside(where, *rows(bank, "texts"), *QUICK, *words))["final"]
    assert found["list"] == found["names"] == found["both"]
    swept = "loss.class_weights={fraud:19},[19.0,1.0],{1:2}"
    ended = inside(in_tmp, "-m", *rows(bank, "numbers"), *QUICK, "trainer.epochs=1", swept)
    assert ended.code == 2
    assert "loss.class_weights" in ended.err
    assert "unknown class 'fraud'" in ended.err
