"""What the settings of the trainer leave behind in a run directory."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import nn

from commands import SMALL, Ended, inside, read_csv, runs
from fork_server import Forked

QUICK = ("figures=none", "dataset.n_samples=40")


def column(ended: Ended, name: str) -> list[float]:
    return [float(text) for text in read_csv(ended.run / "metrics.csv")[name]]


def read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


def lines(ended: Ended) -> list[int]:
    """The epochs of the progress lines."""
    printed = [line for line in ended.out.splitlines() if line.startswith("Epoch: ")]
    return [int(line.split()[1]) for line in printed]


def test_early_stopping_ends_a_run_that_no_longer_improves(in_tmp: Path) -> None:
    words = ("trainer.early_stopping=3", "trainer.min_delta=100", "trainer.epochs=50")
    ended = inside(in_tmp, *QUICK, *words)
    summary = read(ended.run / "summary.json")
    # The first epoch improves on nothing; three more without improvement are the patience.
    assert (ended.code, summary["status"], summary["epochs"]) == (0, "stopped", 4)
    assert summary["best"]["epoch"] == 0
    assert read(ended.run / "run.json")["status"] == "done"
    assert column(ended, "epoch") == [0, 1, 2, 3]
    assert "stopped after 4 epochs" in ended.out


def test_early_stopping_follows_the_loss_that_monitor_names(in_tmp: Path) -> None:
    words = ("split.validation=0.2", "trainer.early_stopping=2", "optimizer.lr=3", "seed=5")
    ended = inside(in_tmp, *QUICK, *words, "trainer.monitor=test/loss", "trainer.epochs=200")
    losses = column(ended, "test/loss")
    best = int(np.argmin(losses))
    assert len(losses) == best + 3 < 200
    assert read(ended.run / "summary.json")["best"]["epoch"] == best


def test_without_a_test_part_the_columns_of_it_are_left_out(in_tmp: Path) -> None:
    ended = inside(in_tmp, *SMALL, "split.test=0")
    table = read_csv(ended.run / "metrics.csv")
    assert list(table) == ["epoch", "train/loss", "train/accuracy", "lr"]
    assert set(read_csv(ended.run / "predictions.csv")["split"]) == {"train"}


def test_batch_size_makes_more_steps_of_an_epoch(in_tmp: Path) -> None:
    """One batch of all rows is the full batch but for rounding, since only the order differs."""
    words = (*QUICK, "trainer.epochs=20", "optimizer.lr=0.05")
    places = [in_tmp / name for name in ("full", "whole", "small")]
    sizes = ("null", "32", "4")
    found = []
    for place, size in zip(places, sizes, strict=True):
        place.mkdir()
        found.append(column(inside(place, *words, f"trainer.batch_size={size}"), "train/loss"))
    full, whole, small = found
    assert whole == pytest.approx(full, abs=1e-5)
    assert small[-1] < full[-1] - 0.01


def test_eval_every_leaves_rows_out_and_never_the_last(in_tmp: Path) -> None:
    ended = inside(in_tmp, *QUICK, "trainer.epochs=9", "trainer.eval_every=3")
    assert column(ended, "epoch") == [0, 3, 6, 8]


@pytest.mark.parametrize(("every", "printed"), [("3", [0, 3, 6]), ("1", [*range(8)]), ("null", [])])
def test_print_every_sets_how_often_a_line_is_printed(
    in_tmp: Path, every: str, printed: list[int]
) -> None:
    ended = inside(in_tmp, *QUICK, "trainer.epochs=8", f"trainer.print_every={every}")
    assert lines(ended) == printed


def test_clip_norm_limits_a_step(in_tmp: Path) -> None:
    """A plain SGD step is no longer than lr * clip_norm."""
    ended = inside(in_tmp, *QUICK, "trainer.epochs=1", "trainer.clip_norm=0.001", "optimizer.lr=1")
    tensors = load_file(ended.run / "checkpoints/last.safetensors")
    torch.manual_seed(42)
    module = nn.Sequential(
        nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1)
    )  # fmt: skip
    steps = [
        torch.from_numpy(tensors[f"model.{name}"]) - value.detach()
        for name, value in module.named_parameters()
    ]
    length = float(torch.cat([step.flatten() for step in steps]).norm())
    assert length == pytest.approx(0.001, rel=1e-3)


def test_checkpoint_every_leaves_the_state_of_a_run_that_is_killed(in_tmp: Path) -> None:
    words = (*QUICK, "trainer.epochs=1000000", "trainer.checkpoint_every=50", "optimizer=adam")
    command = [sys.executable, "-m", "exp", *words]
    killed = Forked(command, in_tmp, os.environ)
    try:
        for _ in range(600):
            time.sleep(0.05)
            if runs(in_tmp) and (runs(in_tmp)[0] / "checkpoints/best.json").exists():
                break
    finally:
        killed.kill()
        killed.wait()
    (run,) = runs(in_tmp)
    last = read(run / "checkpoints/last.json")
    assert read(run / "run.json")["status"] == "running"
    assert last["epoch"] > 0
    assert last["epoch"] % 50 == 0
    tensors = load_file(run / "checkpoints/last.safetensors")
    assert tensors["model.0.weight"].shape == (8, 2)
    assert any(name.startswith("optimizer.") for name in tensors)
    assert np.isfinite(tensors["history"]).all()
    assert len(tensors["history"]) == last["epoch"]
    assert not (run / "metrics.csv").exists()


def test_a_run_that_diverges_ends_with_advice_and_finite_weights(in_tmp: Path) -> None:
    ended = inside(in_tmp, *QUICK, "optimizer.lr=1e30", "trainer.epochs=50")
    summary = read(ended.run / "summary.json")
    advice = (
        "The loss is no longer finite: the run has diverged. A smaller optimizer.lr usually helps "
        "(a tenth), or trainer.clip_norm=1, or split.standardize=true. The last finite weights "
        "were kept."
    )
    assert ended.code == 3
    assert read(ended.run / "run.json")["status"] == "diverged"
    assert summary["status"] == "diverged"
    assert summary["epochs"] < 50
    assert not np.isfinite([column(ended, "train/loss")[-1], column(ended, "test/loss")[-1]]).all()
    assert advice in ended.out
    assert advice in (ended.run / "exp.log").read_text()
    last = load_file(ended.run / "checkpoints/last.safetensors")
    best = load_file(ended.run / "checkpoints/best.safetensors")
    weights = {name: tensor for name, tensor in last.items() if name.startswith("model.")}
    assert len(weights) == len(best) == 6
    assert all(np.isfinite(tensor).all() for tensor in (*weights.values(), *best.values()))
    logits = read_csv(ended.run / "predictions.csv")["logit"].astype(float)
    assert np.isfinite(logits).all()
