"""Comparisons that hold: the test follows the design of the runs, like is compared with like, and
every verdict is one of five words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from commands import SMALL, inside
from exp.report.comparisons import Ranked
from exp.report.design import overlap_of
from exp.report.results import Table, tables
from exp.report.scored import Scored
from exp.report.statistics.means import Mean
from exp.report.statistics.paired import paired
from exp.report.statistics.power import needed
from exp.report.statistics.verdicts import WORDS
from exp.runs.collection import Row, Runs
from exp.util.metric_names import bounds
from test_results import Run, results, rows, write_sweep

METRIC = "test/accuracy"


def row(seed: int, score: float, *, table: str = "t", test: str = "", **keys: Any) -> Row:
    """A run on 80 training and 20 test rows.

    Args:
        table, test: names of the rows of the data and of the test rows.
    """
    return Row(
        Path("none"), 0, "", "done", None, {**keys, "seed": seed}, {METRIC: score}, None, (),
        (seed,) * 4, data=(table, test), parts={"train": (80, f"not {test}"), "test": (20, test)},
    )  # fmt: skip


def only(found: Sequence[Row], *by: str, margin: float | None = None) -> Table:
    keys = tuple(dict.fromkeys(key for each in found for key in each.parameters))
    (table,) = tables(Runs((), keys, tuple(found)), by, METRIC, margin=margin)
    return table


def second(found: Sequence[Row], margin: float | None = None) -> Ranked:
    return only(found, "recipe", margin=margin).ranking.every[1]


def pair(one: Sequence[float], other: Sequence[float], **where: Any) -> list[Row]:
    """Two recipes over splits of one table, unless `where` says otherwise."""
    return [
        row(seed, score, recipe=name, **({"test": f"{seed}"} | where))
        for name, scores in (("a", one), ("b", other))
        for seed, score in enumerate(scores)
    ]


# What differed between the runs


CSV = "x1,x2,y\n" + "".join(f"{i % 7},{i % 5},{'ab'[i % 2]}\n" for i in range(60))
HEADS = {
    "new rows": (["dataset=moons", "seed=range(0,3)"],
                 "paired t-test over 3 seeds, each with new rows"),
    "splits": (["dataset=iris", "seed=range(0,3)"],
               "corrected resampled t-test over 3 splits of one table"),
    "splits of generated rows": (["dataset=moons", "seeds.split=range(0,3)"],
                                 "corrected resampled t-test over 3 splits of one table"),
    "folds": (["dataset=iris", "split=kfold", "split.folds=3", "seed=range(0,4)"],
              "corrected resampled t-test over 3 folds of one table"),
    "last rows": (["dataset=iris", "split=last", "seed=range(0,3)"],
                  "paired t-test over 3 seeds; it holds for these rows and this split only"),
    "initial weights": (["dataset=moons", "seeds.init=range(0,3)"],
                        "paired t-test over 3 seeds; it holds for these rows and this split only"),
    "a file of test rows": (
        ["dataset=csv", "dataset.path=rows.csv", "dataset.target=y", "dataset.test_path=rows.csv",
         "split.validation=0.2", "seed=range(0,3)"],
        ("paired t-test over 3 seeds, each with other training rows; it holds for these test rows "
         "only")),
}  # fmt: skip


@pytest.mark.parametrize("case", HEADS)
def test_the_head_names_the_test_that_the_runs_ask_for(in_tmp: Path, case: str) -> None:
    words, head = HEADS[case]
    (in_tmp / "rows.csv").write_text(CSV)
    small = [word for word in SMALL if not word.startswith("dataset")]
    ended = inside(in_tmp, "-m", *small, *words, "loss=cross_entropy,focal", "trainer.epochs=1",
                   "sweep.n_jobs=1", "sweep.dir=swept")  # fmt: skip
    assert ended.code == 0, ended.err
    found = results(in_tmp, "swept", "--metric", METRIC).out
    assert f"Against the best: {head}; two-sided\n" in found
    assert ("2 runs not used: a round of folds" in found) == (case == "folds")


def test_validation_scores_are_of_validation_rows() -> None:
    parts = {"train": 60.0, "validation": 10.0, "test": 30.0}
    assert overlap_of("test/accuracy", parts) == 0.5
    assert overlap_of("best/validation/loss", parts) == pytest.approx(1 / 6)
    assert overlap_of("train/accuracy", parts) == 1.5
    assert overlap_of("test/accuracy", {}) == 1.0


def test_seeds_with_the_same_rows_count_once() -> None:
    """Two data sets with five initial weights each: n is 2, and not 10."""
    rng = np.random.default_rng(0)
    scores = rng.random((2, 10))
    found = [
        row(seed, float(scores[at, seed]), recipe=name, table=f"{seed // 5}", test=f"{seed // 5}")
        for at, name in enumerate("ab")
        for seed in range(10)
    ]
    test = second(found).test
    assert test is not None
    means = (scores[0] - scores[1]).reshape(2, 5).mean(axis=1)
    assert test.n == 2
    assert test.p == pytest.approx(stats.ttest_1samp(means, 0).pvalue, rel=1e-9)


# The corrected test

ONE = (0.81, 0.79, 0.84, 0.80, 0.86, 0.77, 0.83, 0.85, 0.79, 0.82)
OTHER = (0.78, 0.80, 0.80, 0.77, 0.84, 0.78, 0.79, 0.82, 0.78, 0.77)
# from baycomp import two_on_single; from numpy import array as a
# two_on_single(a(OTHER), a(ONE), rope=rope, runs=runs), baycomp 1.0.3
BAYCOMP = {
    (0.0, 1): (0.01889997937993726, 0.9811000206200627),
    (0.01, 1): (0.0034111145590458173, 0.09776282606159015, 0.898826059379364),
    (0.01, 2): (0.011977996679780304, 0.14468793714076067, 0.843334066179459),
    (0.04, 2): (0.0002913656912949485, 0.9017014062726647, 0.09800722803604034),
}


@pytest.mark.parametrize(("rope", "runs"), BAYCOMP)
def test_the_correlated_t_test_of_baycomp(rope: float, runs: int) -> None:
    """Its posterior is the t distribution of the test: p and both one-sided tests are its tails."""
    left, *_, right = BAYCOMP[rope, runs]
    found = paired(ONE, OTHER, overlap=1 / (10 / runs - 1))
    if rope == 0:
        assert found.p == pytest.approx(2 * min(left, right), rel=1e-9)
    else:
        assert found.within(rope) == pytest.approx(max(left, right), rel=1e-9)


@pytest.mark.parametrize(("rope", "runs"), BAYCOMP)
def test_baycomp_still_says_so(rope: float, runs: int) -> None:
    baycomp = pytest.importorskip("baycomp")
    said = baycomp.two_on_single(np.array(OTHER), np.array(ONE), rope=rope, runs=runs)
    assert said == pytest.approx(BAYCOMP[rope, runs], rel=1e-9)


def test_equivalence_by_scipy() -> None:
    """Two one-sided tests are those of scipy, of independent pairs."""
    d = np.subtract(ONE, OTHER)
    upper = stats.ttest_1samp(d, 0.04, alternative="less").pvalue
    lower = stats.ttest_1samp(d, -0.04, alternative="greater").pvalue
    assert paired(ONE, OTHER).within(0.04) == pytest.approx(max(upper, lower), rel=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 40), st.floats(0.01, 2), st.integers(0, 99))
def test_interval_and_p_agree(n: int, overlap: float, seed: int) -> None:
    """The interval of the difference leaves out 0 where p is below 0.05; by formulas by hand."""
    one, other = np.random.default_rng(seed).random((2, n))
    found = paired(one.tolist(), other.tolist(), overlap=overlap)
    d = one - other
    error = d.std(ddof=1) * math.sqrt(1 / n + overlap)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(d.mean()) / error, n - 1), rel=1e-9)
    assert found.difference is not None
    assert found.difference.low is not None
    assert found.difference.high is not None
    assert (found.difference.low > 0 or found.difference.high < 0) == (found.p < 0.05)


def test_more_splits_may_never_tell() -> None:
    assert needed(0.5) == 34
    assert needed(0.5, overlap=0.25) is None
    assert needed(3.0, overlap=0.25) is not None
    rng = np.random.default_rng(3)
    a, b = 0.8 + 0.05 * rng.standard_normal((2, 30)) + np.array([[0.01], [0.0]])
    verdict = second(pair(a.tolist(), b.tolist())).verdict
    assert verdict.word == "undecided"
    assert verdict.needed is None
    assert verdict.text.endswith("; more splits of this table cannot tell")


def test_ranks_of_splits_are_not_compared(in_tmp: Path) -> None:
    runs = resplit(np.random.default_rng(0), 8)
    write_sweep(in_tmp / "swept", ["recipe", "seed"], runs)
    found = rows(results(in_tmp, "swept", "--test", "wilcoxon", "--csv", "-").out)[1]
    assert (found["p"], found["verdict"]) == ("", "")
    assert found["comparison"].startswith("not compared")


# The two cases that were measured


def resplit(rng: np.random.Generator, splits: int) -> list[Run]:
    """Two recipes over splits of one table of 100 rows: least squares on one half of the features,
    and on the other half, which are drawn alike. So neither is better."""
    y = rng.choice([-1.0, 1.0], 100)
    x = rng.standard_normal((100, 8))
    x[:, [0, 4]] += 0.5 * y[:, None]
    runs = []
    for seed in range(splits):
        order = rng.permutation(100)
        train, test = order[20:], order[:20]
        parts = {
            "train": {"rows": 80, "sha256": f"r{seed}"},
            "test": {"rows": 20, "sha256": f"s{seed}"},
        }
        data = {"fingerprint": "t", "split": f"s{seed}", "rows": 100, "features": [], "classes": [],
                "parts": parts}  # fmt: skip
        for name, half in (("left", x[:, :4]), ("right", x[:, 4:])):
            weights = np.linalg.lstsq(half[train], y[train], rcond=None)[0]
            score = float(np.mean(np.sign(half[test] @ weights) == y[test]))
            words = (f"recipe={name}", f"seed={seed}")
            runs.append({"words": words, "accuracy": score, "seed": seed, "data": data})
    return runs


def made(runs: Sequence[Run]) -> list[Row]:
    return [
        row(run["seed"], run["accuracy"], recipe=run["words"][0], test=run["data"]["split"])
        for run in runs
    ]


def test_equal_recipes_over_splits_of_one_table() -> None:
    """A plain t-test calls them different in a third of the tables and more."""
    rng = np.random.default_rng(19)
    plain, said = 0, 0
    for _ in range(100):
        found = made(resplit(rng, 30))
        scores = [[each.metrics[METRIC] for each in found[at::2]] for at in (0, 1)]
        plain += stats.ttest_rel(*scores).pvalue <= 0.05
        said += second(found).verdict.word in ("worse", "better")
    assert plain > 30
    assert said <= 8


def test_the_verdict_on_a_table_that_misleads_a_plain_test(in_tmp: Path) -> None:
    """One of these tables: the same verdict in the terminal, csv and JSON."""
    rng = np.random.default_rng(7)
    while True:
        runs = resplit(rng, 30)
        scores = [[run["accuracy"] for run in runs[at::2]] for at in (0, 1)]
        if 1e-4 < stats.ttest_rel(*scores).pvalue < 1e-3:
            break
    write_sweep(in_tmp / "swept", ["recipe", "seed"], runs)
    text = results(in_tmp, "swept").out
    assert "corrected resampled t-test over 30 splits of one table" in text
    assert "undecided: " in text
    (_, other) = rows(results(in_tmp, "swept", "--csv", "-").out)
    assert other["verdict"] == "undecided"
    assert other["comparison"] in text
    said = json.loads(results(in_tmp, "swept", "--json", "-").out)["groups"]
    assert [group["verdict"] for group in said] == ["best", "undecided"]
    assert said[1]["design"] == "splits"
    assert f"({said[1]['difference_low']:.2f} to {said[1]['difference_high']:.2f})" in text


def mixture() -> list[Run]:
    """Two losses that score the same on the data that both have; one has easy data too."""
    rng = np.random.default_rng(1)
    runs = []
    for loss, sets in (("bce", ("moons", "blobs")), ("hinge", ("moons", "spirals"))):
        for data in sets:
            for seed in range(8):
                level = {"moons": 0.9, "blobs": 0.99, "spirals": 0.6}[data]
                score = level + 0.01 * float(rng.standard_normal())
                if data == "moons":
                    score = 0.9 + 0.001 * seed
                words = (f"dataset={data}", f"loss={loss}", f"seed={seed}")
                runs.append({"words": words, "accuracy": score, "seed": seed})
    return runs


def test_losses_over_different_mixtures_of_data_sets(in_tmp: Path) -> None:
    write_sweep(in_tmp / "swept", ["dataset", "loss", "seed"], mixture())
    text = results(in_tmp, "swept", "--by", "loss").out
    assert "worse" not in text
    found = rows(results(in_tmp, "swept", "--by", "loss", "--margin", "0.01", "--csv", "-").out)
    said = {(each["dataset"], each["loss"]): (each["rank"], each["verdict"]) for each in found}
    assert said == {
        ("moons", "bce"): ("1", "best"), ("moons", "hinge"): ("2", "equivalent"),
        ("blobs", "bce"): ("1", "best"), ("spirals", "hinge"): ("1", "best"),
    }  # fmt: skip


# Like with like


def test_groups_are_compared_within_the_values_that_both_have() -> None:
    """One recipe lacks the easy rate: over their own means it would look worse."""
    easy, hard = ({s: level + 0.01 * s for s in range(6)} for level in (0.9, 0.5))
    found = [row(s, x, recipe="a", rate=1, table=f"{s}") for s, x in easy.items()]
    found += [row(s, x, recipe=r, rate=2, table=f"{s}") for r in "ab" for s, x in hard.items()]
    table = only(found, "recipe")
    assert table.ranking.cells == ((2,),)
    assert [each.score.mean for each in table.ranking.every if each.score] == pytest.approx(
        [0.525] * 2
    )
    assert table.ranking.every[1].verdict.word == "undecided"


def test_a_seed_counts_where_it_has_a_score_in_every_cell() -> None:
    """Balanced: the mean over rates of a seed that lacks one would be of other rates."""
    rng = np.random.default_rng(4)
    found, kept = [], {}
    for recipe in "ab":
        for seed in range(8):
            for rate in (1, 2, 3):
                if (recipe, seed, rate) != ("b", 5, 3):
                    score = rate / 4 + 0.05 * float(rng.standard_normal())
                    kept[recipe, seed, rate] = score
                    found.append(row(seed, score, recipe=recipe, rate=rate, table=f"{seed}"))
    table = only(found, "recipe")
    test = table.ranking.every[1].test
    seeds = [seed for seed in range(8) if seed != 5]
    d = np.array([sum(kept["a", s, r] - kept["b", s, r] for r in (1, 2, 3)) / 3 for s in seeds])
    assert test is not None
    assert test.n == 7
    assert test.p == pytest.approx(stats.ttest_1samp(d, 0).pvalue, rel=1e-9)
    assert table.ranking.uneven == 2


def test_a_cell_with_few_seeds_is_left_out() -> None:
    found = [
        row(seed, 0.5 + rate / 10, recipe=recipe, rate=rate, table=f"{seed}")
        for recipe in "ab"
        for rate in (1, 2, 3)
        for seed in range(10 if rate < 3 else 1)
    ]
    table = only(found, "recipe")
    assert table.ranking.cells == ((1,), (2,))
    assert table.ranking.every[1].test is not None
    assert table.ranking.every[1].test.n == 10


def test_groups_without_a_value_in_common_are_not_ranked(in_tmp: Path) -> None:
    runs = [
        {"words": (f"optimizer={o}", f"optimizer.lr={lr}", f"seed={s}"), "accuracy": lr, "seed": s}
        for o, rates in (("a", (0.1, 0.2)), ("b", (0.3, 0.4)))
        for lr in rates
        for s in range(3)
    ]
    write_sweep(in_tmp / "swept", ["optimizer", "optimizer.lr", "seed"], runs)
    text = results(in_tmp, "swept", "--by", "optimizer").out
    assert "No two groups have a value of optimizer.lr in common" in text
    found = rows(results(in_tmp, "swept", "--by", "optimizer", "--csv", "-").out)
    assert [(each["rank"], each["verdict"]) for each in found] == [("", "")] * 2


def test_what_is_left_out_is_named(in_tmp: Path) -> None:
    rates = {"a": (0.1, 0.2), "b": (0.2, 0.3)}
    runs = [
        {"words": (f"optimizer={o}", f"optimizer.lr={lr}", f"seed={s}"), "accuracy": lr, "seed": s}
        for o in "ab"
        for lr in rates[o]
        for s in range(6)
    ]
    write_sweep(in_tmp / "swept", ["optimizer", "optimizer.lr", "seed"], runs)
    text = results(in_tmp, "swept", "--by", "optimizer").out
    assert "Compared over the 1 of 3 values of optimizer.lr" in text
    assert "left out: optimizer.lr=0.1 (only a); optimizer.lr=0.3 (only b)." in text


# Verdicts


def test_intervals_stay_within_the_bounds_of_a_score(in_tmp: Path) -> None:
    runs = [
        {"words": ("optimizer=a", f"seed={s}"), "accuracy": x, "seed": s}
        for s, x in enumerate((0.5, 0.9))
    ]
    write_sweep(in_tmp / "swept", ["optimizer", "seed"], runs)
    (found,) = rows(results(in_tmp, "swept", "--csv", "-").out)
    assert (float(found["low"]), float(found["high"])) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("metric", "limits"),
    [("test/accuracy", (0, 1)), ("best/validation/auroc", (0, 1)), ("test/mcc", (-1, 1)),
     ("test/brier", (0, 2)), ("test/log_loss", (0, math.inf)), ("test/r2", (-math.inf, 1)),
     ("seconds", (0, math.inf)), ("test/mine", (-math.inf, math.inf))],
)  # fmt: skip
def test_bounds(metric: str, limits: tuple[float, float]) -> None:
    assert bounds(metric) == limits


def test_figures_have_the_intervals_of_the_table() -> None:
    found = pair((0.9, 0.95, 1.0, 0.99), (0.5, 0.6, 0.55, 0.5))
    (best, other) = only(found, "recipe").ranking.every
    scored = Scored(Runs((), ("recipe", "seed"), tuple(found)), METRIC)
    assert scored.over_seeds(range(4)) == best.score
    assert scored.over_seeds(range(4, 8)) == other.score
    assert best.score is not None
    assert best.score.high == 1.0


def test_cut_intervals_contain_the_mean_as_often() -> None:
    """Of accuracies on 50 test rows around 0.96, five seeds each."""
    rng = np.random.default_rng(0)
    inside_cut, inside_whole = 0, 0
    for scores in rng.binomial(50, 0.96, (400, 5)) / 50:
        cut, whole = Mean.of(scores.tolist(), bounds=(0, 1)), Mean.of(scores.tolist())
        assert cut.low is not None
        assert cut.high is not None
        assert 0 <= cut.low <= cut.high <= 1
        inside_cut += cut.low <= 0.96 <= cut.high
        assert whole.low is not None
        assert whole.high is not None
        inside_whole += whole.low <= 0.96 <= whole.high
    assert inside_cut == inside_whole
    assert inside_cut > 0.88 * 400


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=8),
    st.sampled_from([None, 0.01, 0.5]),
    st.booleans(),
)
def test_every_verdict_is_one_of_the_words(
    scores: list[tuple[float, float]], margin: float | None, fresh: bool
) -> None:
    one, other = zip(*scores, strict=True)
    where = {"table": "x"} if not fresh else {}
    found = only(pair(one, other, **where), "recipe", margin=margin).ranking.every
    assert found[0].verdict.word == "best"
    word, text = found[1].verdict.word, found[1].verdict.text
    assert word in WORDS[1:]
    assert re.match(rf"{word}( by|:)", text)
    assert margin is not None or word != "equivalent"


def test_a_margin_must_be_a_number_above_0(in_tmp: Path) -> None:
    write_sweep(in_tmp / "swept", ["recipe", "seed"], resplit(np.random.default_rng(0), 2))
    for word in ("0", "-1", "much", "nan"):
        ended = results(in_tmp, "swept", f"--margin={word}")
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("exp: --margin: ")


def test_the_closing_table_has_one_for_each_data_set(in_tmp: Path) -> None:
    ended = inside(in_tmp, "-m", *SMALL, "dataset=moons,blobs", "seed=range(0,2)",
                   "optimizer=sgd,adam", "sweep.n_jobs=1", "sweep.dir=swept")  # fmt: skip
    assert ended.code == 0, ended.err
    for name in ("moons", "blobs"):
        assert f"Best by test/accuracy over seeds, dataset={name}\n" in ended.out
    assert len(re.findall(r"^ +1  .* best$", ended.out, re.M)) == 2
    assert len(re.findall(r"^ +2  .* (undecided|worse|better)", ended.out, re.M)) == 2
