"""`exp bench`: its runs are those of `python -m exp`, its files the same bytes each time."""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import exp
from browser import chromium
from commands import Ended, inside
from custom_modules import forgotten
from exp.cli.bench import bench as benching
from exp.cli.bench.suite import Suite, suite
from exp.cli.bench.training import KEPT, read

SMALL = ("--datasets", "iris,wine", "--optimizers", "adam,sam,schedule_free_sgd", "--seeds", "3")
WORDS = ("trainer.epochs=4",)


def files(where: Path) -> dict[str, bytes]:
    """The content of every file below a folder that is the same each time."""
    found = {str(p.relative_to(where)): p for p in sorted(where.rglob("*")) if p.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name != "seconds.csv"}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    ended = inside(tmp_path_factory.mktemp("small"), "bench", *SMALL, *WORDS, "--jobs", "1")
    assert (ended.code, ended.err) == (0, "")
    return ended


def small_suite() -> Suite:
    return suite(["iris", "wine"], ["adam", "sam", "schedule_free_sgd"], seeds=3, words=WORDS)


def test_a_run_of_a_bench_is_that_of_the_command_line(small: Ended, in_tmp: Path) -> None:
    """To the bit, for drawn runs: every kept column of every epoch, the best epoch, the scores."""
    units = benching.units(small_suite(), small.where / "bench")
    drawn = random.Random(0).sample([(u, s) for u in units.values() for s in u.seeds], 5)
    assert len({unit.optimizer for unit, _ in drawn}) == 3
    for unit, seed in drawn:
        kept = read(Path(unit.path), unit.signature)
        assert kept is not None
        run = exp.run([*unit.words, f"optimizer.lr={kept.rate}", f"seed={seed}"])
        table_of_run = run.arrays("history")
        for column in KEPT:
            there = table_of_run[column].astype(np.float32)
            assert there.tobytes() == kept.history[column][seed].tobytes(), (unit, seed, column)
        assert run.summary["best"]["epoch"] == kept.epoch[kept.best_epoch[seed]]
        final = np.float32(run.summary["final"]["test/accuracy"])
        assert final == kept.score("test/accuracy")[seed]
    # The table has the same numbers.
    lines = table(small.where / "bench/results.csv")
    rows = {(r["dataset"], r["optimizer"], r["seed"]): r for r in lines}
    assert len(rows) == 18
    row = rows[unit.dataset, unit.optimizer, str(seed)]
    history = table(run.path / "metrics.csv")
    (line,) = (each for each in history if each["epoch"] == row["best_epoch"])
    for column in ("validation/loss", "validation/accuracy", "test/loss", "test/accuracy"):
        assert row[column] == line[column]
    assert float(row["lr"]) == kept.rate


def test_the_rate_with_the_lowest_mean_validation_loss_is_chosen(small: Ended) -> None:
    """Over runs with the tuning seeds, none of which counts."""
    units = benching.units(small_suite(), small.where / "bench")
    unit = units["iris", "adam"]
    assert not {*unit.seeds} & {*unit.tuning}
    kept = read(Path(unit.path), unit.signature)
    assert kept is not None
    losses = []
    for rate in unit.rates:
        words = (*unit.words, f"optimizer.lr={rate}", f"seed={unit.tuning.first}")
        losses.append(exp.run(words).summary["best"]["validation/loss"])
    assert kept.tuning[:, 0].tolist() == losses
    assert kept.rate == unit.rates[int(kept.tuning.mean(axis=1).argmin())]


def test_two_processes_and_one_make_the_same_bytes(small: Ended, in_tmp: Path) -> None:
    ended = inside(in_tmp, "bench", *SMALL, *WORDS, "--jobs", "2", "--out", "other")
    assert (ended.code, ended.err) == (0, "")
    assert files(in_tmp / "other") == files(small.where / "bench")


def test_a_bench_that_was_killed_does_only_what_is_missing(small: Ended, in_tmp: Path) -> None:
    command = [sys.executable, "-m", "exp", "bench", *SMALL, *WORDS, "--jobs", "1"]
    process = subprocess.Popen(command, cwd=in_tmp, stdout=subprocess.DEVNULL)
    kept = in_tmp / "bench/runs"
    for _ in range(1200):
        if process.poll() is not None or list(kept.glob("*.npz")):
            break
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.npz")}
    assert before
    (kept / "wine-adam.npz").write_bytes(b"damaged")  # is made again, as if it were missing
    before.pop("wine-adam.npz", None)
    ended = inside(in_tmp, "bench", *SMALL, *WORDS, "--jobs", "1")
    assert ended.code == 0
    assert {name: (kept / name).stat().st_mtime_ns for name in before} == before
    assert files(in_tmp / "bench") == files(small.where / "bench")


def test_other_settings_are_other_runs(small: Ended, in_tmp: Path) -> None:
    shutil.copytree(small.where / "bench", in_tmp / "bench")
    again = inside(in_tmp, "bench", *SMALL, *WORDS, "--jobs", "1")
    assert "to do" not in again.out
    changed = inside(in_tmp, "bench", *SMALL, "trainer.epochs=3", "--jobs", "1")
    # 3 seeds, and 5 seeds for each of 6 rates
    assert "198 runs to do" in changed.out


MINE = """
from exp import register
from exp.components.optimizers import Optimizer

@register.optimizer("mine")
def mine(params, *, lr: float = 0.1):
    "Plain gradient descent."
    import torch
    return torch.optim.SGD(params, lr=lr)
"""


def test_an_optimizer_of_your_own_takes_part(in_tmp: Path) -> None:
    (in_tmp / "mine.py").write_text(MINE)
    words = ("plugins=[mine]", "--datasets", "iris", "--optimizers", "sgd,mine", "--seeds", "2")
    with forgotten("mine"):
        ended = inside(in_tmp, "bench", *words, "trainer.epochs=2", "--jobs", "1")
    assert (ended.code, ended.err) == (0, "")
    lines = table(in_tmp / "bench/tuning.csv")
    rates = [float(each["lr"]) for each in lines if each["optimizer"] == "mine"]
    assert rates == [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        (("--datasets", "iriss"), ["--datasets", "Did you mean 'iris'?"]),
        (("--optimizers", "adm"), ["--optimizers", "Did you mean 'adam'?"]),
        (("--seeds", "1"), ["--seeds", "found 1"]),
        (("--jobs", "0"), ["--jobs", "found 0"]),
        (("seed=3",), ["seed", "--seeds"]),
        (("optimizer.lr=3",), ["optimizer.lr", "tuned"]),
        (("--datasets", "line", "split.stratify=false"), ["--datasets line", "accuracies"]),
        (("--datasets", "iris", "split.validation=0"), ["split.validation", "0.2"]),
        (("--datasets", "iris", "trainer.epoch=3"), ["trainer.epoch", "trainer.epochs"]),
    ],
)
def test_a_mistake_is_one_error_and_starts_nothing(
    in_tmp: Path, words: tuple[str, ...], faults: list[str]
) -> None:
    ended = inside(in_tmp, "bench", *words)
    assert (ended.code, ended.out) == (2, "")
    for part in faults:
        assert part in ended.err
    assert not list(in_tmp.iterdir())


def test_the_list_names_every_data_set_and_optimizer(in_tmp: Path) -> None:
    ended = inside(in_tmp, "bench", "--list")
    assert ended.code == 0
    assert "20 data sets x 15 optimizers x 100 seeds = 30,000 runs" in ended.out
    assert "schedule_free_adamw" in ended.out


def test_the_numbers_of_the_page_are_those_of_the_runs(small: Ended) -> None:
    """Means, tests and times, computed here from results.csv by pandas and scipy."""
    runs = pd.read_csv(small.where / "bench/results.csv")
    summary = pd.read_csv(small.where / "bench/summary.csv").set_index(["dataset", "optimizer"])
    means = runs.groupby(["dataset", "optimizer"])["test/accuracy"].mean()
    assert np.allclose(summary["test/accuracy"], means.loc[summary.index], rtol=1e-6)
    ranks = means.groupby("dataset").rank(ascending=False)
    assert np.allclose(summary["rank"], ranks.loc[summary.index])
    budget = {"iris": 3 * 4, "wine": 4 * 4}
    for (dataset, optimizer), row in summary.iterrows():
        each = runs[(runs["dataset"] == dataset) & (runs["optimizer"] == optimizer)]
        steps = each["steps_to_target"].fillna(np.inf)
        assert (steps[np.isfinite(steps)] <= budget[dataset]).all()
        median = float(steps.median()) * (2 if optimizer == "sam" else 1)
        assert row["reached"] == np.isfinite(steps).mean()
        assert row["gradients_to_target"] == median or (np.isinf(median) and row.isna().any())


def test_one_run_at_the_target_is_where_its_history_says(small: Ended) -> None:
    unit = benching.units(small_suite(), small.where / "bench")["iris", "adam"]
    kept = read(Path(unit.path), unit.signature)
    assert kept is not None
    accuracy = kept.history["validation/accuracy"]
    target = float(accuracy[0, 2])
    first = next(epoch for epoch, value in enumerate(accuracy[0]) if value >= target)
    assert kept.steps_to(target)[0] == (first + 1) * 3  # 90 rows in batches of 32
    assert np.isinf(kept.steps_to(1.1)).all()


@pytest.mark.parametrize(("width", "scheme"), [(420, "dark"), (1280, "light")])
def test_the_page_is_whole_offline(small: Ended, width: int, scheme: str) -> None:
    requests: list[str] = []
    with chromium() as browser:
        size = {"width": width, "height": 900}
        context = browser.new_context(offline=True, viewport=size, color_scheme=scheme)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: pytest.fail(message.text))
        page.goto((small.where / "bench/index.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        images = "[...document.images].map(image => image.complete && image.naturalWidth)"
        assert all(page.evaluate(images))
        assert page.locator("figure").count() == 3
        assert page.locator("#accuracy ~ div").first.locator("tbody tr").count() == 2
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == {"dark": "rgb(13, 17, 23)", "light": "rgb(255, 255, 255)"}[scheme]
        assert "What this can tell, and what not" in page.inner_text("body")
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
