"""A component of one's own without an option file: its signature says all that a file would say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import custom_modules
import exp
from commands import completions, inside, process, runs

MINE = '''
import numpy as np
from torch import nn

from exp import register
from exp.components.optimizers.optimizer import Optimizer
from exp.data.dataset import Data
from exp.registry.types import Activation


@register.dataset("mine")
def mine(seed, *, n_samples: int = 60):
    """Two clouds."""
    y = np.arange(n_samples) % 2
    X = np.random.default_rng(seed).normal(size=(n_samples, 2)) + y[:, None]
    return Data.checked(X, y, classes=["low", "high"])


@register.model("mine")
def net(in_features, out_features, *, width: int = 16, activation: Activation = "tanh"):
    """One hidden layer."""
    return nn.Sequential(
        nn.Linear(in_features, width), activation.build(), nn.Linear(width, out_features)
    )


@register.model("odd")
def odd(in_features, out_features, *, widths: tuple[int, ...] = (4, 2), path: str = "${nowhere}"):
    """Defaults that YAML has not, or has with another meaning."""
    assert isinstance(widths, tuple) and path == "${nowhere}"
    return nn.Linear(in_features, out_features)


@register.model("objects")
def objects(in_features, out_features, *, layer: type = nn.Linear):
    """A default that no config can hold."""
    return layer(in_features, out_features)


@register.model("needy")
def needy(in_features, out_features, *, width: int):
    """A width must be given."""
    return net(in_features, out_features, width=width)


@register.model("strange")
def strange(inputs, outputs, *, width: int = 4):
    """Other names for what it is handed."""
    return nn.Linear(inputs, outputs)


@register.activation("wave")
class Wave(nn.Tanh):
    """A tanh."""

    def __init__(self, *, slope: float = 2.0):
        super().__init__()


@register.split("halves")
def halves(labels, seed, *, test: float = 0.5):
    """The first rows train."""
    from exp.data.dataset import Split

    rows = np.arange(len(labels))
    return Split(train=rows[: len(rows) // 2], validation=rows[:0], test=rows[len(rows) // 2 :])

'''
WORDS = ("plugins=[mine]", "dataset=mine", "model=mine", "trainer.epochs=2", "figures=none")


@pytest.fixture
def here(in_tmp: Path) -> Iterator[Path]:
    """What issue 6 has in an empty folder: a Python file, and a file for the data set alone."""
    (in_tmp / "mine.py").write_text(MINE)
    (in_tmp / "conf/dataset").mkdir(parents=True)
    (in_tmp / "conf/dataset/mine.yaml").write_text("name: mine\nn_samples: 80\n")
    with custom_modules.forgotten("mine"):
        yield in_tmp


def configs(where: Path) -> list[dict[str, object]]:
    return [yaml.safe_load((run / "config.yaml").read_text()) for run in runs(where)]


def test_a_new_users_command_line_trains(in_tmp: Path) -> None:
    (in_tmp / "mine.py").write_text(MINE)
    (in_tmp / "conf/dataset").mkdir(parents=True)
    (in_tmp / "conf/dataset/mine.yaml").write_text("name: mine\nn_samples: 80\n")
    ended = process(in_tmp, "plugins=[mine]", "dataset=mine", "model=mine")
    assert ended.code == 0, ended.err
    (config,) = configs(in_tmp)
    assert config["dataset"] == {"name": "mine", "n_samples": 80, "positive": None}
    assert config["model"] == {"name": "mine", "width": 16, "activation": {"name": "tanh"}}
    assert (ended.run / "figures/boundary.png").exists()


def test_each_of_its_defaults_is_a_key(here: Path) -> None:
    ended = inside(here, *WORDS, "model.width=5", "activation=wave", "model.activation.slope=3")
    assert ended.code == 0, ended.err
    (config,) = configs(here)
    wave = {"name": "wave", "slope": 3}
    assert config["model"] == {"name": "mine", "width": 5, "activation": wave}


def test_a_file_wins_over_the_signature(here: Path) -> None:
    (here / "conf/model").mkdir()
    (here / "conf/model/mine.yaml").write_text("name: mine\nwidth: 7\n")
    assert "width: 7" in inside(here, "--cfg", "job", *WORDS).out
    (here / "more/model").mkdir(parents=True)
    (here / "more/model/needy.yaml").write_text("name: needy\nwidth: 9\n")
    words = (*WORDS, "model=needy")
    assert "width: ???" in inside(here, "--cfg", "job", *words).out
    assert "width: 9" in inside(here, "--config-dir", "more", "--cfg", "job", *words).out
    assert "width: 9" in inside(here, "--cfg", "job", *words, "hydra.searchpath=[more]").out


def test_a_preset_can_choose_it(here: Path) -> None:
    (here / "conf/experiment").mkdir()
    preset = "# @package _global_\ndefaults:\n  - override /model: mine\nmodel:\n  width: 3\n"
    (here / "conf/experiment/own.yaml").write_text(preset)
    said = inside(here, "--cfg", "job", "plugins=[mine]", "experiment=own").out
    assert "model:\n  name: mine\n  width: 3\n" in said


def test_defaults_that_no_file_can_hold_are_the_signatures(here: Path) -> None:
    ended = inside(here, *WORDS, "model=odd", "model.widths=[1,2,3]")
    assert ended.code == 0, ended.err
    (run,) = runs(here)
    assert "  widths:\n  - 1\n  - 2\n  - 3\n" in (run / "config.yaml").read_text()


TOLD = {
    ("model=needy",): "model.width  expected a value, found none: set model.width=VALUE",
    ("model=mine", "model.width=x"): "model.width  expected an integer, found 'x'",
    ("model=mine", "model.with=3"): (
        "model.with  model has no key 'with'. Did you mean model.width=3? "
        "Known: name, width, activation"
    ),
    ("model=mime",): (
        "model  unknown option 'mime'. Did you mean 'mine'? There are: linear, mine, mlp, needy, "
        "objects, odd, strange"
    ),
    ("model=objects", "model.layer=Linear"): (
        "model.layer  model has no key 'layer'. Known: name"
    ),
    ("model=strange",): (
        "model.inputs   exp passes 'in_features' to each model: rename this parameter to "
        "'in_features', or give it a default\n"
        "  model.outputs  exp passes 'out_features' to each model: rename this parameter to "
        "'out_features', or give it a default"
    ),
}  # fmt: skip


@pytest.mark.parametrize("words", TOLD)
def test_what_is_wrong_with_it_is_told(here: Path, words: tuple[str, ...]) -> None:
    ended = inside(here, *WORDS, *words)
    assert ended.code == 2
    assert "\n".join(ended.err.splitlines()[1:]).strip() == TOLD[words]
    assert runs(here) == []


def test_it_is_swept_with_others_and_again(here: Path) -> None:
    words = (*WORDS[:2], *WORDS[3:], "model=mine,mlp", "split=holdout,halves", "sweep.n_jobs=1")
    ended = inside(here, "-m", *words)
    assert ended.code == 0, ended.err
    found = configs(here)
    pairs = [(each["model"]["name"], each["split"]["name"]) for each in found]  # type: ignore[index]
    assert sorted(pairs) == [
        ("mine", "halves"), ("mine", "holdout"), ("mlp", "halves"), ("mlp", "holdout"),
    ]  # fmt: skip
    run = next(run for run, pair in zip(runs(here), pairs, strict=True) if pair[0] == "mine")
    again = inside(here, "rerun", str(run), "--trust", "--into", "again")
    assert again.out.splitlines()[-1] == "bit-identical", again.err


def test_it_is_listed_and_completed(here: Path) -> None:
    assert completions("exp model=mi") == []  # nothing says that mine.py is to be run
    assert (
        "model: linear, mine, mlp, needy, objects, odd, strange\n"
        in inside(here, "--help", WORDS[0]).out
    )
    lines = {
        "exp plugins=[mine] model=mi": ["model=mine"],
        "exp 'plugins=[mine]' model=mine model.wi": ["model.width="],
        "exp --components ": [],
    }
    for line, wanted in lines.items():
        assert completions(line) == wanted, line


def test_a_folder_on_the_line_is_completed(here: Path) -> None:
    (here / "parts").mkdir()
    os.rename(here / "mine.py", here / "parts/mine.py")
    for word in ("--components parts", "--components=parts", "plugins=[parts/]"):
        assert completions(f"exp {word} model=mi") == ["model=mine"], word


def test_from_python(here: Path) -> None:
    run: exp.Run = exp.run(WORDS)
    assert run.config["model"]["width"] == 16
    own_one = exp.Classifier(model="mine", epochs=2, overrides=("plugins=[mine]",))
    own_one.fit([[0.0, 1], [1, 0], [2, 2], [3, 1]] * 5, ["a", "b", "a", "b"] * 5)
    assert own_one.config_["model"]["name"] == "mine"
