"""A user's own model, data set and presets, beside the user's work, through the command line."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

import custom_modules
from commands import SMALL, Ended, inside, process, read_csv

MINE = '''
import numpy as np
import torch
from torch import nn

from exp.data.dataset import Data
from exp.registry.registry import register


class Gated(nn.Module):
    """Not made of layers that are known to stack."""

    def __init__(self, features, outputs, width):
        super().__init__()
        self.value = nn.Linear(features, width)
        self.gate = nn.Linear(features, width)
        self.drop = nn.Dropout(0.1)
        self.last = nn.Linear(width, outputs)

    def forward(self, x):
        return self.last(self.drop(torch.tanh(self.value(x)) * torch.sigmoid(self.gate(x))))


@register.model("gated")
def gated(in_features, out_features, *, width: int = 16):
    """One layer gates another."""
    return Gated(in_features, out_features, width)


@register.model("flat")
def flat(in_features, out_features):
    """Forgets the dimension of rows."""
    return nn.Sequential(nn.Linear(in_features, out_features), nn.Flatten(0))


@register.model("still")
def still(in_features, out_features):
    """Has nothing to train."""
    return nn.AvgPool1d(in_features)


@register.model("number")
def number(in_features, out_features):
    """Is no module."""
    return 3


@register.dataset("ring")
def ring(seed, *, n_samples: int = 100) -> Data:
    """A disc in a ring."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_samples, 2))
    return Data.checked(X, np.hypot(*X.T) > 1.2, classes=["in", "out"], features=["a", "b"])


@register.dataset("pair")
def pair(seed):
    """Is no Data."""
    return 1, 2
'''
CONF = {
    "model/gated": "name: gated\nwidth: 12\n",
    "model/flat": "name: flat\n",
    "model/still": "name: still\n",
    "model/number": "name: number\n",
    "dataset/ring": "name: ring\nn_samples: 80\n",
    "dataset/pair": "name: pair\n",
    "dataset/mine": "name: moons\nn_samples: 60\nnoise: 0.1\n",
    "optimizer/sgd": "name: sgd\nlr: 0.25\nmomentum: 0.5\n",
    "experiment/both": "# @package _global_\ndefaults:\n  - override /model: gated\n"
    "  - override /dataset: ring\nseed: 5\nname: both\ntrainer:\n  epochs: 3\n",
}
PLUGIN = "plugins=[mine]"
RUN = (PLUGIN, "model=gated", "model.width=6", "dataset=ring", "seed=3", "figures=none")
EPOCHS = "trainer.epochs=40"


def work(where: Path) -> Path:
    """What a user has in the working directory."""
    (where / "mine.py").write_text(MINE)
    for name, text in CONF.items():
        file = where / "conf" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return where


forgotten = partial(custom_modules.forgotten, "mine")


def mine(where: Path, *words: str) -> Ended:
    with forgotten():
        return inside(work(where), *words)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A run of the user's model on the user's rows, in a process of its own."""
    return process(work(tmp_path_factory.mktemp("own")), *RUN, EPOCHS)


def test_a_module_of_ones_own_trains_like_any_other(ended: Ended) -> None:
    assert ended.code == 0, ended.err
    losses = read_csv(ended.run / "metrics.csv")["train/loss"].astype(float)
    assert losses[-1] < losses[0]
    assert ended.out.startswith(
        "ring-gated-sgd: 80 rows (64 train, 16 test), 2 features, 2 classes"
    )
    config = yaml.safe_load((ended.run / "config.yaml").read_text())
    assert config["model"] == {"name": "gated", "width": 6}
    assert config["plugins"] == ["mine"]
    assert (ended.run / "summary.json").exists()


def test_its_weights_are_those_of_the_module(ended: Ended) -> None:
    """Put into the user's own class, they give the logits of predictions.csv."""
    space: dict[str, type[torch.nn.Module]] = {}
    exec(MINE.split("@register")[0], space)
    module = space["Gated"](2, 1, 6).eval()
    tensors = load_file(ended.run / "checkpoints/last.safetensors")
    weights = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
    module.load_state_dict(weights)
    table = read_csv(ended.run / "predictions.csv")
    rows = np.stack([table["a"], table["b"]], axis=1).astype(np.float32)
    logits = module(torch.from_numpy(rows))[:, 0].detach().numpy()
    assert logits == pytest.approx(table["logit"].astype(float), abs=1e-5)
    assert set(table["label"]) == {"in", "out"}


def test_it_gives_the_same_bytes_again(ended: Ended, in_tmp: Path) -> None:
    again = mine(in_tmp, *RUN, EPOCHS)
    names = ("metrics.csv", "predictions.csv", "checkpoints/last.safetensors")
    for name in names:
        assert (again.run / name).read_bytes() == (ended.run / name).read_bytes(), name


def test_a_config_of_ones_own_joins_the_packaged_ones(in_tmp: Path) -> None:
    ended = mine(in_tmp, "dataset=mine", "figures=none", "trainer.epochs=1")
    config = yaml.safe_load((ended.run / "config.yaml").read_text())
    assert config["dataset"] == {
        "name": "moons", "n_samples": 60, "noise": 0.1, "positive": None,
    }  # fmt: skip
    # A file of the same name wins over the packaged one.
    assert config["optimizer"]["lr"] == 0.25
    assert config["optimizer"]["momentum"] == 0.5


def test_a_preset_of_ones_own_changes_groups_and_numbers(in_tmp: Path) -> None:
    ended = mine(in_tmp, PLUGIN, "experiment=both", "figures=none", "model.width=4")
    config = yaml.safe_load((ended.run / "config.yaml").read_text())
    assert (config["model"]["name"], config["dataset"]["name"]) == ("gated", "ring")
    assert config["seeds"] == {"data": 5, "split": 5, "init": 5, "shuffle": 5}
    assert (config["trainer"]["epochs"], config["model"]["width"]) == (3, 4)
    assert json.loads((ended.run / "run.json").read_text())["name"] == "both"


def test_another_directory_of_configs_can_be_named(in_tmp: Path) -> None:
    (in_tmp / "more/dataset").mkdir(parents=True)
    (in_tmp / "more/dataset/few.yaml").write_text("name: circles\nn_samples: 20\n")
    ended = inside(in_tmp, "--config-dir", "more", *SMALL, "dataset=few")
    assert ended.code == 0, ended.err
    assert ended.out.startswith("circles-mlp-sgd: 40 rows")


REFUSED = {
    ("model=gated",): (
        "1 fault in the config; nothing was started\n  model.name  unknown model 'gated'. Known: "
        "linear, mlp"
    ),
    (PLUGIN, "model=gated", "model.width=0.5", "dataset=rings"): (
        "2 faults in the config; nothing was started\n"
        "  dataset      unknown option 'rings'. Did you mean 'ring'? There are: blobs, "
        "breast_cancer, bumps, checkerboard, circles, csv, digits, gaussians, iris, line, mine, "
        "moons, npz, pair, parquet, plane, playground_circle, playground_spiral, ring, sklearn, "
        "spirals, two_spirals, wine, xor\n"
        "  model.width  expected an integer, found 0.5"
    ),
    (PLUGIN, "model=flat"): (
        "model flat must map rows [3, 2] to logits [3, 1], found [3]. Remove the squeeze: a "
        "loss needs [rows, 1], not [rows]"
    ),
    (PLUGIN, "model=still"): "model still has no parameters to train",
    (PLUGIN, "model=number"): "model number must build an nn.Module, found int",
    (PLUGIN, "dataset=pair"): (
        "dataset pair: y has shape [], expected [rows]"
    ),
    ("plugins=[mine,more.nope]",): (
        "1 fault in the config; nothing was started\n  plugins  no module 'more.nope' in {here} "
        "or among the installed packages"
    ),
}  # fmt: skip


@pytest.mark.parametrize("words", REFUSED)
def test_a_component_that_breaks_its_contract_is_told_before_there_is_a_directory(
    in_tmp: Path, words: tuple[str, ...]
) -> None:
    ended = mine(in_tmp, *words, "figures=none")
    assert ended.err == f"exp: {REFUSED[words].replace('{here}', str(in_tmp))}\n"
    assert ended.code == 2
    assert not (in_tmp / "outputs").exists()


def test_an_error_inside_a_plugin_is_shown_in_full(in_tmp: Path) -> None:
    (in_tmp / "broken.py").write_text("import a_module_that_is_nowhere\n")
    with forgotten():
        ended = inside(in_tmp, "plugins=[broken]", *SMALL)
    assert ended.code == 2
    assert ended.err == (
        "exp: module broken of plugins cannot be imported\n"
        "Traceback (most recent call last):\n"
        f'  File "{in_tmp}/broken.py", line 1, in <module>\n'
        "    import a_module_that_is_nowhere\n"
        "ModuleNotFoundError: No module named 'a_module_that_is_nowhere'\n"
    )
    assert not (in_tmp / "outputs").exists()
