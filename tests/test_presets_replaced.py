"""Presets: what they give to an option that is replaced, and what they say of a sweep."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

import exp
from commands import Ended, inside

QUICK = ("figures=none", "trainer.epochs=2", "trainer.eval_every=1", "dataset.n_samples=60")


def preset(where: Path, name: str, text: str) -> None:
    folder = where / "conf" / "experiment"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(f"# @package _global_\n{text}")


def config(where: Path, *words: str) -> dict:
    ended = inside(where, "--cfg", "job", *words)
    assert ended.code == 0, ended.err
    return yaml.safe_load(ended.out)


def quick(where: Path, *words: str) -> Ended:
    return inside(where, *QUICK, *words)


def sweep(where: Path, *words: str) -> Ended:
    return quick(where, "sweep.n_jobs=1", "sweep.ranking=false", *words)


def saved(run: Path) -> dict:
    return yaml.safe_load((run / "config.yaml").read_text())


def test_a_rate_stays_with_its_optimizer(in_tmp: Path) -> None:
    ended = quick(in_tmp, "experiment=cs231n_net", "optimizer=adam")
    assert ended.code == 0, ended.err
    line = "experiment=cs231n_net: optimizer.lr=1.0 is for optimizer=sgd and left out with "
    assert ended.out.startswith(f"{line}optimizer=adam\n")
    default = config(in_tmp, "optimizer=adam")["optimizer"]
    assert saved(ended.run)["optimizer"] == default
    assert default["lr"] == 0.01


@pytest.mark.parametrize(
    ("words", "group"),
    [
        (["experiment=cs231n_net", "model=linear"], "model"),
        (["experiment=cs231n_net", "loss=hinge"], "loss"),
        (["experiment=playground_spiral", "dataset=moons"], "dataset"),
        (["experiment=playground_spiral_solved", "model=linear"], "model"),
    ],
)
def test_every_group(in_tmp: Path, words: list[str], group: str) -> None:
    assert config(in_tmp, *words)[group] == config(in_tmp, words[1])[group]


def test_an_option_that_is_not_replaced_keeps_its_values(in_tmp: Path) -> None:
    for words in (["experiment=cs231n_net"], ["experiment=cs231n_net", "optimizer=sgd"]):
        ended = inside(in_tmp, "--cfg", "job", *words)
        assert yaml.safe_load(ended.out)["optimizer"]["lr"] == 1.0
        assert ended.err == ""
    words = ["experiment=cs231n_net", "optimizer=adam", "optimizer.lr=0.5"]
    assert config(in_tmp, *words)["optimizer"]["lr"] == 0.5


def test_a_preset_that_names_no_option_is_for_any(in_tmp: Path) -> None:
    preset(in_tmp, "small", "dataset: {n_samples: 30}\noptimizer: {lr: 0.25}\n")
    found = config(in_tmp, "experiment=small", "optimizer=adam", "dataset=circles")
    assert (found["optimizer"]["lr"], found["dataset"]["n_samples"]) == (0.25, 30)


def test_a_preset_that_swaps_the_option_of_another(in_tmp: Path) -> None:
    preset(in_tmp, "mine", "defaults: [cs231n_net, override /optimizer: adam, _self_]\n")
    found = config(in_tmp, "experiment=mine")
    assert found["optimizer"] == config(in_tmp, "optimizer=adam")["optimizer"]
    assert found["trainer"]["epochs"] == 10000
    preset(
        in_tmp,
        "ours",
        "defaults: [cs231n_net, _self_, override /optimizer: adam]\noptimizer: {lr: 0.125}\n",
    )
    assert config(in_tmp, "experiment=ours")["optimizer"]["lr"] == 0.125
    assert config(in_tmp, "experiment=ours", "optimizer=adamw")["optimizer"]["lr"] == 0.001
    again = config(in_tmp, "experiment=ours", "optimizer=sgd")["optimizer"]["lr"]
    assert again == 1.0  # what the included preset has for it


def test_each_run_of_a_sweep(in_tmp: Path) -> None:
    words = ("experiment=cs231n_net", "optimizer=sgd,adam", "seed=1,2", "sweep.dir=swept")
    ended = sweep(in_tmp, "-m", *words)
    assert ended.code in (0, 3), ended.err
    assert ended.out.count("optimizer.lr=1.0 is for optimizer=sgd and left out") == 1
    rates = [saved(run.parent)["optimizer"]["lr"] for run in sorted(in_tmp.rglob("run.json"))]
    assert rates == [1.0, 1.0, 0.01, 0.01]


def test_a_sweep_that_a_preset_asks_for(in_tmp: Path) -> None:
    params = "{seed: 'range(0,2)', optimizer: 'sgd,adam'}"
    preset(in_tmp, "many", f"hydra:\n  mode: MULTIRUN\n  sweeper:\n    params: {params}\n")
    ended = sweep(in_tmp, "experiment=many")
    assert ended.code == 0, ended.err
    assert "4 runs to do in multirun/" in ended.out
    ended = sweep(in_tmp, "experiment=many", "seed=7,8,9", "optimizer=sgd")
    assert "3 runs to do in multirun/" in ended.out
    (in_tmp / "conf/experiment/many.yaml").unlink()
    ended = sweep(in_tmp, "hydra.mode=MULTIRUN", "seed=4,5")
    assert "2 runs to do in multirun/" in ended.out
    with pytest.raises(exp.util.errors.ConfigError, match=r"use exp\.sweep"):
        exp.run(["hydra.mode=MULTIRUN", "figures=none"])


@pytest.mark.parametrize("words", [("experiment=many",), ("hydra.mode=MULTIRUN", "seed=0,1")])
def test_a_sweep_without_m_goes_on(in_tmp: Path, words: tuple[str, ...]) -> None:
    preset(in_tmp, "many", "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params: {seed: '0,1'}\n")
    assert sweep(in_tmp, *words, "sweep.dir=swept").code == 0
    gone = in_tmp / "swept/1-seed=1"
    before = (gone / "metrics.csv").read_bytes()
    for _ in range(2):  # its sweep.json is still one that can go on
        shutil.rmtree(gone)
        ended = inside(in_tmp, "resume", "swept")
        assert ended.code == 0, ended.err
        assert "1 of 2 runs are already finished" in ended.out
        assert (gone / "metrics.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("defaults: [override /hydra/launcher: basic]\n", "hydra/launcher"),
        ("defaults: [override /hydra/sweeper: optuna]\n", "hydra/sweeper"),
        ("sweep: {dir: elsewhere}\n", "sweep"),
        ("hydra: {sweep: {dir: elsewhere}}\n", "hydra.sweep.dir"),
    ],
)
def test_a_swept_preset_cannot_set_what_holds_for_all(in_tmp: Path, text: str, path: str) -> None:
    preset(in_tmp, "here", "seed: 1\n")
    preset(in_tmp, "there", text)
    ended = sweep(in_tmp, "-m", "experiment=here,there")
    assert ended.code == 2
    assert f"\n  {path}  a swept option sets this key" in ended.err
    assert [each.name for each in in_tmp.iterdir()] == ["conf"]


def test_a_preset_chooses_the_launcher(in_tmp: Path) -> None:
    preset(in_tmp, "there", "defaults: [override /hydra/launcher: basic]\n")
    ended = sweep(in_tmp, "-m", "experiment=there", "seed=1,2")
    assert ended.code == 0, ended.err
    assert "a stack of 2" not in ended.out
    assert ended.out.count("Untrained model") == 2
    ended = sweep(in_tmp, "-m", "experiment=there", "seed=3,4", "hydra/launcher=stacked")
    assert "a stack of 2" in ended.out


def test_directories_that_mean_nothing_here(in_tmp: Path) -> None:
    ended = sweep(in_tmp, "-m", "seed=1,2", "hydra.run.dir=out")
    assert ended.code == 2
    assert "hydra.run.dir  sets the directory of a single run" in ended.err
    for word in ("hydra.sweep.dir=out", "sweep.dir=out"):
        ended = quick(in_tmp, word)
        assert ended.code == 2
        assert f"{word.partition('=')[0]}  is for sweeps" in ended.err
    assert list(in_tmp.iterdir()) == []
