"""Sweeps over options: each run is judged by its own."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import exp
from commands import SMALL, Ended, inside

HERE = "sweep.n_jobs=1"


def sweep(where: Path, *words: str) -> Ended:
    return inside(where, "-m", *SMALL, HERE, "sweep.ranking=false", "sweep.dir=swept", *words)


def overrides(where: Path) -> list[list[str]]:
    """Of each run, without what all of them share."""
    runs = json.loads((where / "swept/sweep.json").read_text())["runs"]
    return [[word for word in run["overrides"] if word not in SMALL] for run in runs]


def rows(where: Path) -> list[dict[str, str]]:
    with (where / "swept/runs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_key_that_only_the_swept_options_have(in_tmp: Path) -> None:
    ended = sweep(in_tmp, "optimizer=adam,adamw", "optimizer.beta1=0.8")
    assert ended.code == 0, ended.err
    assert "left out" not in ended.out
    for row in rows(in_tmp):
        config = (in_tmp / "swept" / row["directory"] / "config.yaml").read_text()
        assert "beta1: 0.8" in config
    assert [row["optimizer"] for row in rows(in_tmp)] == ["adam", "adamw"]


def test_options_without_a_key_run_once(in_tmp: Path) -> None:
    ended = sweep(in_tmp, "dataset=moons,circles,blobs", "dataset.noise=0.1,0.2")
    assert ended.code == 0, ended.err
    line = "dataset.noise is left out of the runs whose options have no such key: dataset=blobs\n"
    assert ended.out.count(line) == 1
    assert "the same as an earlier one" not in ended.out
    assert overrides(in_tmp) == [
        *(
            [f"dataset={name}", f"dataset.noise={noise}"]
            for name in ("moons", "circles")
            for noise in (0.1, 0.2)
        ),
        ["dataset=blobs"],
    ]
    assert [row["dataset.noise"] for row in rows(in_tmp)] == ["0.1", "0.2", "0.1", "0.2", ""]


def test_a_fixed_key_that_one_swept_option_has(in_tmp: Path) -> None:
    ended = sweep(in_tmp, "optimizer.beta1=0.8", "optimizer=sgd,adam", "seed=1,2")
    assert ended.code == 0, ended.err
    assert "optimizer.beta1 is left out of the runs whose options have no such key: o" in ended.out
    assert overrides(in_tmp) == [
        ["optimizer=sgd", "seed=1"],
        ["optimizer=sgd", "seed=2"],
        ["optimizer.beta1=0.8", "optimizer=adam", "seed=1"],
        ["optimizer.beta1=0.8", "optimizer=adam", "seed=2"],
    ]


@pytest.mark.parametrize(
    "words",
    [
        ["optimizer=sgd,adam", "optimizer.beta3=0.8"],
        ["optimizer=sgd,adam", "optimizer.beta3=0.8,0.9"],
        ["optimizer=sgd", "optimizer.beta3=0.8", "seed=1,2"],
        ["dataset=moons,blobs", "optimizer.beta1=0.8"],
        ["optimizer=sgd,adam", "+optimizer.beta1=0.8"],
        ["dataset=moons,mons", "optimizer.beta9=0.8"],
    ],
)
def test_a_key_that_no_option_has_is_a_fault(in_tmp: Path, words: list[str]) -> None:
    ended = inside(in_tmp, "-m", *SMALL, HERE, *words)
    assert ended.code == 2
    assert "in the config; nothing was started\n" in ended.err
    assert "\n  optimizer" in ended.err
    assert "beta" in ended.err
    assert list(in_tmp.iterdir()) == []


def test_linked_keys_and_options(in_tmp: Path) -> None:
    words = ("optimizer=sgd,adam,adamw", "optimizer.beta1=0.7,0.8,0.9")
    ended = sweep(in_tmp, *words, "sweep.zip=[optimizer,optimizer.beta1]")
    assert ended.code == 0, ended.err
    assert overrides(in_tmp) == [
        ["optimizer=sgd"],
        ["optimizer=adam", "optimizer.beta1=0.8"],
        ["optimizer=adamw", "optimizer.beta1=0.9"],
    ]


def test_a_file_of_options_and_keys_of_the_command_line(in_tmp: Path) -> None:
    (in_tmp / "runs.txt").write_text("optimizer=sgd\noptimizer=adam\n")
    ended = sweep(in_tmp, "sweep.file=runs.txt", "optimizer.beta1=0.8,0.9")
    assert ended.code == 0, ended.err
    assert overrides(in_tmp) == [
        ["optimizer=sgd"],
        ["optimizer=adam", "optimizer.beta1=0.8"],
        ["optimizer=adam", "optimizer.beta1=0.9"],
    ]


def test_a_key_in_a_line_of_a_file_is_meant_for_that_line(in_tmp: Path) -> None:
    (in_tmp / "runs.txt").write_text(
        "optimizer=adam optimizer.beta1=0.8\noptimizer=sgd optimizer.beta1=0.9\n"
    )
    ended = sweep(in_tmp, "sweep.file=runs.txt")
    assert ended.code == 2
    assert "optimizer.beta1  optimizer has no key 'beta1'." in ended.err
    (in_tmp / "runs.txt").write_text("optimizer=adam,sgd optimizer.beta1=0.8\n")
    assert sweep(in_tmp, "sweep.file=runs.txt").code == 0
    assert overrides(in_tmp) == [["optimizer=adam", "optimizer.beta1=0.8"], ["optimizer=sgd"]]


def test_values_given_as_a_mapping_beside_swept_options(in_tmp: Path) -> None:
    ended = sweep(in_tmp, "optimizer=sgd,adam", "optimizer={lr: 0.05}")
    assert ended.code == 0, ended.err
    assert [words[0] for words in overrides(in_tmp)] == ["optimizer=sgd", "optimizer=adam"]
    for row in rows(in_tmp):
        config = (in_tmp / "swept" / row["directory"] / "config.yaml").read_text()
        assert "lr: 0.05" in config


def test_a_search_over_options(in_tmp: Path) -> None:
    ended = sweep(
        in_tmp, "hydra/sweeper=optuna", "hydra.sweeper.n_trials=6", "hydra.sweeper.sampler=grid",
        "optimizer=sgd,adam", "optimizer.beta1=0.7,0.8", "trainer.epochs=2,3",
    )  # fmt: skip
    assert ended.code in (0, 3), ended.err
    assert "optimizer.beta1 is left out of the runs whose options have no such key: o" in ended.out
    found = overrides(in_tmp)
    assert len(found) == 6
    for words in found:
        assert any("beta1" in word for word in words) is ("optimizer=adam" in words)


def test_from_python(in_tmp: Path) -> None:
    words = ["optimizer=sgd,adam", "optimizer.beta1=0.7,0.8", *SMALL, HERE, "sweep.dir=swept"]
    found = exp.sweep(words)
    assert [run.config["optimizer"].get("beta1") for run in found] == [None, 0.7, 0.8]
