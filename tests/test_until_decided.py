"""Sweeps that add seeds until it is decided which group is the best (`sweep.until=decided`)."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy

from commands import Ended, inside, read_csv
from exp.report.statistics.anytime import PRIOR, Race, half_width, least_half_width, look
from exp.runs.manifest import read_json
from test_sweep_again import started, until

QUICK = ("figures=none", "trainer.epochs=8", "optimizer=adam")
FEW = "dataset.n_samples=100"
LRS = "optimizer.lr=0.1,1e-06"
"""One that learns and one that does not, which eight seeds show."""
ALIKE = "optimizer.lr=0.1,0.1000001"
"""Two that give the same accuracy."""
DECIDED = ("sweep.until=decided", "sweep.n_jobs=1", "run.reuse=false")
SAME = (
    "metrics.csv", "predictions.csv", "summary.json", "config.yaml", ".hydra/overrides.yaml",
    ".hydra/config.yaml", "checkpoints/last.safetensors",
)  # fmt: skip


def sweep(where: Path, *words: str, name: str = "swept") -> Ended:
    """Of few rows, unless the words name a data set."""
    few = () if any(word.startswith("dataset=") for word in words) else (FEW,)
    return inside(where, "-m", *QUICK, *few, *DECIDED, f"sweep.dir={name}", *words)


def decision(where: Path, name: str = "swept") -> dict[str, Any]:
    found = (read_json(where / name / "sweep.json") or {})["until"]
    assert isinstance(found, dict)
    return found


def verdicts(where: Path, name: str = "swept") -> list[str]:
    return [group["verdict"] for group in decision(where, name)["groups"]]


def seeds(where: Path, name: str = "swept") -> list[int]:
    return [group["seeds"] for group in decision(where, name)["groups"]]


def ended(where: Path) -> int:
    """How many runs have their scores."""
    return len(list((where / "swept").glob("*/summary.json")))


# The rule.


def evidence(differences: np.ndarray, ratio: float) -> float:
    """The likelihood ratio of effects with variance PRIOR against none, of the direction of a
    vector: densities of normal vectors on the sphere, by their whole covariance matrices."""
    n = len(differences)
    found = 0.0
    for sign, shared in ((1, ratio + PRIOR), (-1, ratio)):
        covariance = np.eye(n) + shared * np.ones((n, n))
        squares = differences @ np.linalg.solve(covariance, differences)
        found += sign * (-np.linalg.slogdet(covariance)[1] - n * math.log(squares)) / 2
    return math.exp(found)


@pytest.mark.parametrize("ratio", [0.0, 1 / 9, 0.25, 1.0])
@pytest.mark.parametrize("n", [12, 20, 57])
def test_the_interval_ends_where_the_evidence_does(n: int, ratio: float) -> None:
    differences = np.random.default_rng(n).normal(0.3, 2.0, n)
    mean = differences.mean()
    half = half_width(n, float(((differences - mean) ** 2).sum()), 0.05, ratio)
    for end in (mean - half, mean + half):
        assert evidence(differences - end, ratio) == pytest.approx(20, rel=1e-9)
    assert evidence(differences - mean - half / 2, ratio) < 20


def test_of_independent_differences_it_is_the_anytime_valid_t_test() -> None:
    """The mixture of noncentral t distributions over a normal prior on the effect, by scipy."""
    n, squares = 12, 30.0
    t = half_width(n, squares, 0.05) / math.sqrt(squares / (n - 1) / n)

    def mixed(effect: float) -> float:
        density = scipy.stats.nct.pdf(t, n - 1, effect * math.sqrt(n))
        return float(density * scipy.stats.norm.pdf(effect, 0, math.sqrt(PRIOR)))

    found = scipy.integrate.quad(mixed, -8, 8, epsabs=1e-12, points=[0, t / math.sqrt(n)])[0]
    assert found / scipy.stats.t.pdf(t, n - 1) == pytest.approx(20, rel=1e-6)


def test_more_splits_of_one_table_come_to_a_limit() -> None:
    for ratio in (0.1, 0.25, 1.0):
        last = least_half_width(2.0, 0.05, ratio)
        assert half_width(10**9, 4.0 * 10**9, 0.05, ratio) == pytest.approx(last, rel=1e-6)
        assert all(half_width(n, 4.0 * n, 0.05, ratio) > last for n in (10, 100, 10_000))
        # Wider than that of a fixed number of splits, 1.96 standard deviations of the table's luck.
        assert 1.96 * 2.0 * math.sqrt(ratio) < last
    assert least_half_width(2.0, 0.05, 0.0) == 0.0


def test_differences_that_are_all_the_same() -> None:
    ones, zeros = np.ones(5), np.zeros(5)
    assert look(ones, zeros, 0.05).half == math.inf  # five coins fall alike once in 16
    assert look(np.ones(6), np.zeros(6), 0.05).half == 0.0
    assert look(np.full(6, 0.1 + 0.2), np.full(6, 0.3), 0.05).difference == 0.0  # rounding


def test_seeds_without_a_score_are_no_pairs() -> None:
    one, other = np.array([1.0, np.nan, 3.0, 5.0]), np.array([0.0, 1.0, np.nan, 3.0])
    found = look(one, other, 0.05)
    assert found.n == 2
    assert found.difference == 1.5


def test_groups_of_other_rows_are_not_compared() -> None:
    scores = np.array([[0.9], [0.1], [0.5], [0.4]]) + np.random.default_rng(0).normal(
        0, 0.01, (4, 9)
    )
    race = Race(["moons", "moons", "circles", "circles"], [0.0] * 4, None)
    race.look(scores)
    assert race.going == []
    found = race.result(scores, "")
    assert [each.verdict for each in found] == ["best", "worse", "best", "worse"]
    assert [each.against for each in found] == [None, 0, None, 2]


def test_wrong_decisions_are_few(capsys: pytest.CaptureFixture[str]) -> None:
    """The simulation of benchmarks/until_decided.py in small."""
    script = Path(__file__).parents[1] / "benchmarks/until_decided.py"
    spec = importlib.util.spec_from_file_location("until_decided", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["until_decided"] = module
    spec.loader.exec_module(module)
    rng = np.random.default_rng(3)
    for ratio, margin in ((0.0, 0.4), (0.25, 3.0)):
        ended = [
            module.sweep(module.normal(rng, [0.0, 0.0], ratio), [0.0, 0.0], margin, ratio)
            for _ in range(150)
        ]
        assert np.mean([each.wrong for each in ended]) <= 0.06
        assert np.mean([each.verdicts["equivalent"] for each in ended]) > 0.5


# Sweeps.


def test_a_group_that_is_worse_gets_no_more_seeds(in_tmp: Path) -> None:
    """Nor does it need more when the others go on: without a margin equal groups are undecided."""
    ended = sweep(in_tmp, f"{LRS},0.0999999", "sweep.max_seeds=16")
    assert ended.code == 0, ended.err
    found = decision(in_tmp)
    assert [group["verdict"] for group in found["groups"]] == ["best", "worse", "undecided"]
    assert found["metric"] == "test/accuracy"
    assert found["looks"][0] == 8
    worse = found["groups"][1]
    assert worse["seeds"] == 12
    assert found["groups"][0]["seeds"] == 16
    assert 0 < worse["low"] < worse["difference"] < worse["high"]
    table = read_csv(in_tmp / "swept/runs.csv")
    by_lr = dict(zip(table["optimizer.lr"], table["verdict"], strict=True))
    assert by_lr == {"0.1": "best", "1e-06": "worse", "0.0999999": "undecided"}
    assert set(table["verdict/seeds"]) == {"12", "16"}
    assert all("anytime" in rule for rule in table["verdict/rule"])
    assert "sweep.json has its verdicts" in inside(in_tmp, "results", "swept").out
    lines = ended.out.splitlines()
    assert any(line.startswith("0.1 ") and line.endswith("best") for line in lines)
    assert any("worse by " in line for line in lines)


def test_the_runs_are_those_of_a_fixed_design(in_tmp: Path) -> None:
    assert sweep(in_tmp, LRS, "sweep.max_seeds=12").code == 0
    count = seeds(in_tmp)[0]
    plain = ("-m", *QUICK, FEW, "sweep.n_jobs=1", "run.reuse=false", "sweep.dir=plain", LRS)
    assert inside(in_tmp, *plain, f"seed=range(0,{count})").code == 0

    def places(name: str) -> dict[tuple[str, ...], Path]:
        runs = (read_json(in_tmp / name / "sweep.json") or {})["runs"]
        return {tuple(run["overrides"]): in_tmp / name / run["directory"] for run in runs}

    until_decided, fixed = places("swept"), places("plain")
    assert until_decided.keys() == fixed.keys()
    for words, place in until_decided.items():
        other = fixed[words]
        assert place.name.partition("-")[2] == other.name.partition("-")[2]
        for name in SAME:
            assert (place / name).read_bytes() == (other / name).read_bytes(), name
        files = [{f.relative_to(p) for f in p.rglob("*") if f.is_file()} for p in (place, other)]
        assert files[0] == files[1]
        records = [json.loads((p / "run.json").read_text()) for p in (place, other)]
        assert records[0]["signature"] == records[1]["signature"]


@pytest.mark.parametrize(
    ("split", "looks", "kind"),
    [
        (("split=holdout",), (8, 12, 16, 20, 25, 31), "splits"),
        (("split=kfold", "split.folds=5"), (10, 15, 20, 25, 35, 45, 60), "folds"),
    ],
)
def test_splits_of_one_table_come_to_an_end(
    in_tmp: Path, split: tuple[str, ...], looks: tuple[int, ...], kind: str
) -> None:
    """Where more splits are not likely to decide; folds are added in whole rounds."""
    ended = sweep(in_tmp, "dataset=iris", "optimizer.lr=0.02,0.03", *split)
    assert ended.code == 0, ended.err
    found = decision(in_tmp)
    assert tuple(found["looks"]) == looks[: len(found["looks"])]
    assert all(design["kind"] == kind for design in found["designs"])
    assert all(design["overlap"] == pytest.approx(0.25) for design in found["designs"])
    (group,) = [each for each in found["groups"] if each["verdict"] != "best"]
    assert group["verdict"] == "undecided"
    assert group["reason"] == "more splits of this table cannot tell"
    assert seeds(in_tmp) == [found["looks"][-1]] * 2
    assert "resampled t-test over" in ended.out
    assert "equally often" not in ended.out  # more seeds complete the first round


def test_a_score_of_which_less_is_better(in_tmp: Path) -> None:
    assert sweep(in_tmp, LRS, "sweep.metric=loss", "split.validation=0.2").code == 0
    found = decision(in_tmp)
    assert found["metric"] == "validation/loss"
    assert verdicts(in_tmp) == ["best", "worse"]
    assert found["groups"][1]["difference"] > 0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), [*range(8)]),
        (("seed=5",), [*range(5, 13)]),
        (("seed=3,9,4",), [3, 9, 4, 10, 11, 12, 13, 14]),
        (("seed=range(0,10)",), [*range(10)]),
    ],
)
def test_the_first_seeds(in_tmp: Path, given: tuple[str, ...], expected: list[int]) -> None:
    assert sweep(in_tmp, LRS, *given).code == 0
    table = read_csv(in_tmp / "swept/runs.csv")
    assert table["seed"].tolist()[: len(expected)] == [str(seed) for seed in expected]


def test_undecided_at_the_last_seed(in_tmp: Path) -> None:
    ended = sweep(in_tmp, ALIKE, "sweep.max_seeds=9")
    assert ended.code == 0, ended.err
    found = decision(in_tmp)
    assert found["looks"] == [8, 9]
    assert [group["verdict"] for group in found["groups"]] == ["best", "undecided"]
    assert found["groups"][1]["reason"] == "sweep.max_seeds=9 reached"
    # More seeds go on where it ended.
    more = sweep(in_tmp, ALIKE, "sweep.max_seeds=10", "sweep.margin=0.01")
    assert verdicts(in_tmp) == ["best", "equivalent"]
    assert "16 of 16 runs are already finished" in more.out


def test_the_number_of_workers_changes_nothing(in_tmp: Path) -> None:
    words = (LRS, "sweep.margin=0.05")
    assert sweep(in_tmp, *words, name="one").code == 0
    assert sweep(in_tmp, *words, "sweep.n_jobs=2", "sweep.chunk=3", name="two").code == 0
    assert decision(in_tmp, "one") == decision(in_tmp, "two")


def test_killed_and_gone_on_with(in_tmp: Path) -> None:
    """kill -9 in the first batch, and again when a later one has begun: the end is the same."""
    words = ("-m", *QUICK, FEW, *DECIDED, ALIKE, "sweep.max_seeds=14", "trainer.epochs=300")
    assert inside(in_tmp, *words, "sweep.dir=whole").code == 0
    killed = 0
    for least in (3, 19):
        process = started(in_tmp, *words, "sweep.chunk=1", "sweep.dir=swept")
        until(lambda: ended(in_tmp) >= least, 60)  # noqa: B023 - called at once
        os.kill(process.pid, signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
    assert killed
    again = inside(in_tmp, "resume", "swept")
    assert again.code == 0, again.err
    assert decision(in_tmp) == decision(in_tmp, "whole")
    one, other = (read_csv(in_tmp / name / "runs.csv") for name in ("swept", "whole"))
    for column in one.keys() - {"seconds"}:
        assert one[column].tolist() == other[column].tolist(), column
    for place in (in_tmp / "whole").glob("*-*"):
        for name in SAME:
            assert (in_tmp / "swept" / place.name / name).read_bytes() == (
                place / name
            ).read_bytes()
    assert not list((in_tmp / "swept").rglob(".*.tmp"))


def test_interrupted_and_resumed(in_tmp: Path) -> None:
    words = ("-m", *QUICK, FEW, *DECIDED, ALIKE, "sweep.max_seeds=9", "trainer.epochs=3000")
    process = started(in_tmp, *words, "sweep.chunk=1", "sweep.dir=swept", out="out.txt")
    until(lambda: ended(in_tmp) >= 2, 60)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert "python -m exp resume swept" in (in_tmp / "out.txt").read_text()
    assert verdicts(in_tmp) == ["undecided", "undecided"]
    assert inside(in_tmp, "resume", "swept").code == 0
    assert verdicts(in_tmp) == ["best", "undecided"]


def test_groups_that_diverge_are_named_and_get_no_more_seeds(in_tmp: Path) -> None:
    rates = "optimizer.lr=0.1,1e30,0.1000001"
    ended = sweep(in_tmp, rates, "optimizer=sgd", "loss=mse", "sweep.max_seeds=10")
    found = decision(in_tmp)["groups"]
    assert ended.code == 3
    assert found[1]["verdict"] == "undecided"
    assert found[1]["reason"] == "8 of 8 runs have no score"
    assert found[1]["seeds"] == 8
    assert "8 of 8 runs have no score" in ended.out


# What is wrong with a command line.


@pytest.mark.parametrize(
    ("words", "key", "part"),
    [
        ((LRS, "sweep.until=soon"), "sweep.until", "decided"),
        ((LRS, "sweep.margin=0"), "sweep.margin", "greater than 0"),
        ((LRS, "sweep.max_seeds=1"), "sweep.max_seeds", "2"),
        ((LRS, "sweep.metric=test/acuracy"), "sweep.metric", "Did you mean 'test/accuracy'?"),
        ((LRS, "sweep.metric=validation/accuracy"), "sweep.metric", "set split.validation"),
        ((LRS, "seeds.init=0,1"), "seeds.init", "one value"),
        ((LRS, "seed=0,1", "sweep.zip=[seed,optimizer.lr]"), "sweep.zip", "advance"),
        ((LRS, "seed=0.5,1"), "seed", "expected an integer"),
        ((LRS, "seed=range(0,300)"), "sweep.max_seeds", "300"),
        ((), "sweep.until", "at least two groups"),
        (("dataset=moons,circles",), "sweep.until", "at least two groups"),
        ((LRS, "split=kfold", "sweep.max_seeds=9"), "sweep.max_seeds", "at least 10"),
        ((LRS, "split=kfold", "seed=3"), "seed", "whole rounds of 10"),
        (
            (LRS, "seeds.data=0", "seeds.split=0", "seeds.init=0", "seeds.shuffle=0"),
            "sweep.until",
            "changes nothing",
        ),
        ((LRS, "hydra/sweeper=optuna"), "sweep.until", "is for hydra/sweeper=grid"),
        ((LRS, "hydra/sweeper=basic"), "sweep.until", "is for hydra/sweeper=grid"),
    ],
)
def test_faults(in_tmp: Path, words: tuple[str, ...], key: str, part: str) -> None:
    ended = sweep(in_tmp, *words)
    assert ended.code == 2, ended.out
    (line,) = [each for each in ended.err.splitlines() if each.split()[:1] == [key]]
    assert part in line
    assert not (in_tmp / "swept").exists()


def test_a_line_of_a_file_sets_no_seed(in_tmp: Path) -> None:
    (in_tmp / "runs.txt").write_text("optimizer.lr=0.1\noptimizer.lr=0.2 seed=3\n")
    ended = sweep(in_tmp, "sweep.file=runs.txt")
    assert ended.code == 2
    assert "sweep.file" in ended.err
    assert "no line may set seed" in ended.err


def test_a_file_of_runs_and_linked_keys(in_tmp: Path) -> None:
    (in_tmp / "runs.txt").write_text("optimizer.lr=0.1\noptimizer.lr=0.000001\n")
    assert sweep(in_tmp, "sweep.file=runs.txt").code == 0
    assert verdicts(in_tmp) == ["best", "worse"]
    linked = ("optimizer.beta1=0.9,0.8", LRS, "sweep.zip=[optimizer.beta1,optimizer.lr]")
    assert sweep(in_tmp, *linked, name="linked").code == 0
    assert verdicts(in_tmp, "linked") == ["best", "worse"]


def test_another_launcher(in_tmp: Path) -> None:
    words = (LRS, "trainer.epochs=2", "sweep.max_seeds=3")
    assert sweep(in_tmp, *words, "hydra/launcher=basic").code == 0
    assert sweep(in_tmp, *words, name="stacked").code == 0
    assert verdicts(in_tmp) == ["best", "undecided"]
    assert decision(in_tmp) == decision(in_tmp, "stacked")
