"""docs/seeds.md: its numbers are those of the sweep that it describes.

On another processor a seed at the very edge may fall the other way, so counts may differ by two.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import nn

from commands import inside, read_csv
from reading import Typed, steps

PAGE = Path(__file__).resolve().parents[1] / "docs" / "seeds.md"
GOAL = 0.96


def table(heading: str) -> list[list[str]]:
    """The rows of the table of the page whose first column is headed so."""
    (found,) = re.findall(
        rf"^\| {re.escape(heading)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE.read_text(), re.M
    )
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in found.splitlines()]


class Ran:
    """The runs of a sweep over initial weights, by their seed."""

    def __init__(self, where: Path, *words: str) -> None:
        ended = inside(
            where, "-m", "experiment=blog_moons", *words, "figures=none", "sweep.n_jobs=1",
            "trainer.print_every=1000", "run.reuse=false", "sweep.dir=seeds",
        )  # fmt: skip
        self.where = where
        assert (ended.code, ended.err) == (0, "")
        self.accuracy: dict[int, np.ndarray] = {}
        self.loss: dict[int, np.ndarray] = {}
        self.weights: dict[int, dict[str, np.ndarray]] = {}
        for path in where.glob("seeds/*/metrics.csv"):
            found = re.search(r"seeds\.init=(\d+)", path.parent.name)
            assert found is not None
            columns = read_csv(path)
            self.accuracy[int(found[1])] = columns["test/accuracy"].astype(float)
            self.loss[int(found[1])] = columns["train/loss"].astype(float)
            self.weights[int(found[1])] = load_file(path.parent / "checkpoints/last.safetensors")
        self.rows = read_csv(path.parent / "predictions.csv")

    def passed(self, seed: int) -> int | None:
        """The first epoch with more than the goal."""
        above = np.flatnonzero(self.accuracy[seed] > GOAL + 1e-9)
        return int(above[0]) if len(above) else None


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return Ran(tmp_path_factory.mktemp("hundred"), "seeds.init=range(0,100)")


def test_how_many_pass_and_the_table_of_all(hundred: Ran) -> None:
    (recipe,) = [row for row in table("settings") if row[1] == "(nothing)"]
    passing = sum(hundred.passed(seed) is not None for seed in range(100))
    assert passing == pytest.approx(int(recipe[2]), abs=2)
    final = np.array([hundred.accuracy[seed][-1] for seed in range(100)])
    mean, sd = (float(number) / 100 for number in re.findall(r"[\d.]+", recipe[3]))
    assert final.mean() == pytest.approx(mean, abs=0.003)
    assert final.std(ddof=1) == pytest.approx(sd, abs=0.003)


def test_two_kinds_of_runs_and_little_between(hundred: Ran) -> None:
    final = np.array([hundred.accuracy[seed][-1] for seed in range(100)])
    stuck = np.array([hundred.passed(seed) is None for seed in range(100)])
    assert final[stuck].mean() == pytest.approx(0.897, abs=0.005)
    assert final[~stuck].mean() == pytest.approx(0.997, abs=0.003)
    # The loss of those that are stuck hardly moves any more: a plateau.
    late = np.array([hundred.loss[seed][-200] / hundred.loss[seed][-1] for seed in range(100)])
    assert np.median(late[stuck]) < 1.05
    assert np.median(late[~stuck]) > 1.5


def test_those_that_pass_are_folded_at_both_tips(hundred: Ran) -> None:
    passing = np.array([hundred.passed(seed) is not None for seed in range(100)])
    both = np.array([folded_at_both_tips(hundred.weights[seed]) for seed in range(100)])
    (_, seeds, passed), (_, rest, few) = table("steep folds of the first layer")
    assert (int(seeds) + int(rest), int(passed) + int(few)) == (100, 73)
    assert both.sum() == pytest.approx(int(seeds), abs=2)
    assert passing[both].sum() == pytest.approx(int(passed), abs=3)
    assert passing[~both].sum() == pytest.approx(int(few), abs=2)


def folded_at_both_tips(weights: dict[str, np.ndarray]) -> bool:
    across, up = weights["model.0.weight"].T
    steep = np.abs(across) > np.abs(up)
    at = -(weights["model.0.bias"] + 0.25 * up)[steep] / across[steep]
    return bool((np.abs(at) < 0.5).any() and (np.abs(at - 1) < 0.5).any())


def test_folds_before_the_first_step(hundred: Ran) -> None:
    train = hundred.rows["split"] == "train"
    X = np.column_stack([hundred.rows[name][train].astype(np.float32) for name in ("x1", "x2")])
    folds = np.array([folds_of(seed, torch.from_numpy(X)) for seed in range(100)])
    passing = np.array([hundred.passed(seed) is not None for seed in range(100)])
    rows = table("units whose fold crosses the rows")
    assert sum(int(row[1]) for row in rows) == 100
    for number, seeds, passed, _ in rows:
        least, _, most = number.removesuffix(" of 8").partition(" to ")
        here = (int(least) <= folds) & (folds <= int(most or least))
        assert here.sum() == int(seeds), number
        assert passing[here].sum() == pytest.approx(int(passed), abs=2), number
    shares = [int(passed) / int(seeds) for _, seeds, passed, _ in rows]
    assert shares == sorted(shares)


def folds_of(seed: int, X: torch.Tensor) -> int:
    """How many units of the first layer are on for some rows and off for others, untrained."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        on = nn.Linear(2, 8)(X) > 0
    return int((on.any(dim=0) & ~on.all(dim=0)).sum())


def test_the_course_s_own_two_seeds(tmp_path: Path) -> None:
    for name in ("slow", "fast"):
        (tmp_path / name).mkdir()
    slow = Ran(tmp_path / "slow", "seeds.init=42,199425794")
    assert slow.passed(42) == pytest.approx(589, abs=5)
    assert slow.passed(199425794) is None
    assert slow.accuracy[199425794][-1] == pytest.approx(0.88, abs=0.01)
    fast = Ran(tmp_path / "fast", "seeds.init=42,199425794", "optimizer.lr=1")
    assert fast.passed(199425794) == pytest.approx(198, abs=5)
    text = " ".join(PAGE.read_text().split())
    assert "epoch 589" in text
    assert "epoch 198" in text


def test_the_commands_of_the_page(hundred: Ran) -> None:
    """Those about the 100 runs say what is shown; the pictures are drawn of a short training, and
    of the 200 wider runs there are four."""
    todo = (step for step in steps(PAGE.read_text()) if isinstance(step, Typed))
    first, *rest = (step for step in todo if not step.inline)
    assert first.words[1:] == [
        "-m", "experiment=blog_moons", "seeds.init=range(0,100)", "sweep.dir=seeds",
    ]  # fmt: skip
    for step in rest:
        words = step.words[1:]
        if words[0] == "-m":
            words = [word.replace("range(0,100)", "0,1") for word in [*words, "sweep.n_jobs=1"]]
        elif words[0] != "results":
            words = [*words, "trainer.epochs=3", "figures.dpi=40"]
        ended = inside(hundred.where, *words)
        assert (ended.code, ended.err) == (0, ""), words
        if words[:2] == ["results", "seeds"] and "wider" not in words:
            alike(ended.out, step.output)
        elif words[0] == "results":
            shown, said = step.output.splitlines(), ended.out.splitlines()
            assert said[0].split(", ")[1:] == shown[0].split(", ")[1:]
            assert said[1] == shown[1].replace("100 seeds", "2 seeds")
            assert said[3].split() == shown[3].split()
            assert {line.split()[1] for line in said[4:7]} == {"[8,8]", "[16,16]", "[32,32]"}


def alike(said: str, shown: str) -> None:
    """The same lines to the last that is shown; counts may differ by two, scores by 0.005."""
    number = r"\d+(?:\.\d+)?"
    for one, other in zip(said.splitlines(), shown.splitlines(), strict=False):
        assert re.sub(number, "#", one).split() == re.sub(number, "#", other).split()
        for a, b in zip(re.findall(number, one), re.findall(number, other), strict=True):
            assert float(a) == pytest.approx(float(b), abs=0.005 if "." in b else 2)
    assert len(said.splitlines()) >= len(shown.splitlines())
