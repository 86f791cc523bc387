"""Mistakes of which PyTorch itself says nothing, or says it in words that do not help."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import SMALL, Ended, inside
from custom_modules import forgotten

MODULE = '''
import numpy as np
import torch
from torch import nn

from exp import register
from exp.components.losses.loss import Loss
from exp.data.dataset import Data


class Own(nn.Module):
    """Ends as it is told to; not made of layers that are known to stack."""

    def __init__(self, features, outputs, end):
        super().__init__()
        self.last = nn.Linear(features, outputs)
        self.end = end

    def forward(self, x):
        return self.end(self.last(x))


ENDS = {
    "sigmoid": torch.sigmoid,
    "softmax": lambda z: z.softmax(dim=1),
    "transposed": lambda z: z.T.softmax(dim=0).T,
    "by_hand": lambda z: z.exp() / z.exp().sum(dim=1, keepdim=True),
    "log_sigmoid": nn.functional.logsigmoid,
    "log_softmax": lambda z: z.log_softmax(dim=1),
    "bounded": lambda z: 5 * torch.tanh(z),
    "positive": torch.relu,
    "squeezed": lambda z: z.squeeze(1),
    "doubled": lambda z: torch.cat([z, z], dim=1),
    "broken": lambda z: z @ torch.ones(7, 1),
    "rounded": lambda z: torch.sigmoid(z).round(),
    "compared": lambda z: (z > 0).float(),
    "chosen": lambda z: z.argmax(dim=1, keepdim=True).float().expand_as(z),
}


@register.model("ends")
def ends(in_features: int, out_features: int, *, how: str = "bounded") -> nn.Module:
    """One linear layer and an end."""
    return Own(in_features, out_features, ENDS[how])


@register.model("sizes")
class Sizes(nn.Linear):
    """Of these two features and this one logit."""

    def __init__(self):
        super().__init__(2, 1)


@register.model("layers")
def layers(in_features: int, out_features: int, *, outputs: int = 1, inputs: int = 2) -> nn.Module:
    """Layers that are known to stack, and as many logits as it likes."""
    return nn.Sequential(nn.Linear(inputs, outputs))


@register.model("sequence")
def sequence(in_features: int, out_features: int) -> nn.Module:
    """Ends in a sigmoid, and is known to stack."""
    return nn.Sequential(nn.Linear(in_features, out_features), nn.Sigmoid())


@register.model("elsewhere")
def elsewhere(in_features: int, out_features: int, *, what: str = "plain") -> nn.Module:
    """Keeps a tensor where the run is not."""
    module = Own(in_features, out_features, nn.Identity())
    if what == "plain":
        module.mean = torch.zeros(in_features, device="meta")
    elif what == "buffer":
        module.register_buffer("mean", torch.zeros(in_features, device="meta"))
    elif what == "parameter":
        module.last = nn.Linear(in_features, out_features, device="meta")
    else:
        module.mean = torch.zeros(in_features)
    return module


@register.dataset("labelled")
def labelled(seed: int, *, kind: str = "int") -> Data:
    """Labels of a type or shape."""
    X = np.random.default_rng(seed).normal(size=(60, 2))
    y = X[:, 0] > 0
    kinds = {"float": y * 1.0, "half": y * 0.5, "column": y[:, None], "rare": X[:, 0] > 1.3,
             "from_one": y + 1, "texts": np.array(["no", "yes"])[y * 1]}
    if kind == "tuple":
        return X, y
    y = kinds.get(kind, y)
    return Data.checked(X, y, classes=["no", "yes"])


@register.loss("plain")
class Plain(Loss):
    """Takes probabilities, and says so."""

    def per_row(self, logits, targets):
        return (logits.squeeze(1) - targets).square()

    def probabilities(self, logits):
        return torch.cat([1 - logits, logits], dim=1)

    def labels(self, logits):
        return (logits.squeeze(1) > 0.5).long()

    def correct(self, logits, targets):
        return (logits.squeeze(1) > 0.5) == targets
'''
OPTIONS = {
    "model/ends": "name: ends\nhow: bounded\n",
    "model/layers": "name: layers\noutputs: 1\ninputs: 2\n",
    "model/sequence": "name: sequence\n",
    "model/elsewhere": "name: elsewhere\nwhat: plain\n",
    "dataset/labelled": "name: labelled\nkind: int\n",
    "loss/plain": "name: plain\n",
}
THREE = ("dataset=spirals", "figures=none", "trainer.epochs=2", "dataset.n_samples=60")


@pytest.fixture
def mine(in_tmp: Path) -> Iterator[Path]:
    (in_tmp / "slips.py").write_text(MODULE)
    for name, text in OPTIONS.items():
        file = in_tmp / "conf" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with forgotten("slips"):
        yield in_tmp


def trained(where: Path, *words: str) -> Ended:
    return inside(where, "plugins=[slips]", *words)


def probabilities(name: str, last: str, loss: str, why: str) -> str:
    return (
        f"model {name} returns probabilities, because its last step is a {last}, but loss {loss} "
        f"takes logits. Remove the {last}{why}"
    )


ABOVE = ": the probability is above 0.5 where the logit is above 0"
NEVER = ": it is never above 0, so no row would be predicted as the second class"
TWICE = ": applied twice, it keeps the loss high"
SHAPE = "model {} must map rows [3, 2] to logits [3, {}], found {}"
ONE = (
    ". Loss bce takes one logit for two classes: return out_features logits, or use "
    "loss=cross_entropy, which takes one for each class"
)
GIVE = ". Return the logits; exp turns them into probabilities and labels"
REFUSED = {
    ("model=ends", "model.how=sigmoid", *SMALL): probabilities("ends", "sigmoid", "bce", ABOVE),
    ("model=sequence", *SMALL): probabilities("sequence", "sigmoid", "bce", ABOVE),
    ("model=sequence", *THREE): probabilities("sequence", "sigmoid", "cross_entropy", ""),
    ("model=ends", "model.how=log_sigmoid", *SMALL): probabilities(
        "ends", "log-sigmoid", "bce", NEVER
    ),
    ("model=ends", "model.how=softmax", *SMALL): probabilities(
        "ends", "softmax", "bce", ": for one logit it is always 1"
    ),
    ("model=ends", "model.how=log_softmax", *SMALL): probabilities(
        "ends", "log-softmax", "bce", ": for one logit it is always 0"
    ),
    ("model=ends", "model.how=softmax", *THREE): probabilities(
        "ends", "softmax", "cross_entropy", TWICE
    ),
    ("model=ends", "model.how=transposed", *THREE): probabilities(
        "ends", "softmax", "cross_entropy", TWICE
    ),
    ("model=ends", "model.how=by_hand", *THREE): probabilities(
        "ends", "softmax", "cross_entropy", TWICE
    ),
    ("model=ends", "model.how=squeezed", *SMALL): SHAPE.format("ends", 1, [3])
    + ". Remove the squeeze: a loss needs [rows, 1], not [rows]",
    ("model=ends", "model.how=doubled", *SMALL): SHAPE.format("ends", 1, [3, 2]) + ONE,
    ("model=layers", "model.outputs=2", *SMALL): SHAPE.format("layers", 1, [3, 2]) + ONE,
    ("model=layers", "model.outputs=2", *THREE): SHAPE.format("layers", 3, [3, 2])
    + ". A model must return out_features logits",
    ("model=ends", "model.how=rounded", *SMALL): (
        "model ends cannot be trained: its last step is round, whose gradient is 0" + GIVE
    ),
    ("model=ends", "model.how=compared", *SMALL): (
        "model ends cannot be trained: no gradient reaches its parameters, for "
        "example because of > 0.5 or argmax" + GIVE
    ),
    ("model=ends", "model.how=chosen", *THREE): (
        "model ends cannot be trained: no gradient reaches its parameters, for "
        "example because of > 0.5 or argmax" + GIVE
    ),
    ("dataset=labelled", "dataset.kind=from_one", *SMALL[::2]): (
        "y contains labels 1..2, expected 0..K-1: y - 1"
    ),
    ("dataset=labelled", "dataset.kind=texts", *SMALL[::2]): (
        "y contains texts, expected integers 0..K-1: classes, y = np.unique(y, return_inverse=True)"
    ),
    ("model=elsewhere", *SMALL): (
        "model elsewhere keeps mean on meta, and this run uses cpu. "
        "self.register_buffer('mean', tensor) makes it a part of the model, so that it is "
        "moved and saved"
    ),
    ("model=elsewhere", "model.what=buffer", *SMALL): (
        "model elsewhere: mean is on the device meta and has no values. Build the model on the "
        "CPU: exp moves it to the device of the run"
    ),
    ("model=elsewhere", "model.what=parameter", *SMALL): (
        "model elsewhere: last.weight is on the device meta and has no values. Build the model on "
        "the CPU: exp moves it to the device of the run"
    ),
    ("dataset=labelled", "dataset.kind=float", *SMALL[::2]): (
        "y has dtype float64, expected integers 0..K-1. Labels are integers: use y.astype(int). "
        "The loss converts them itself"
    ),
    ("dataset=labelled", "dataset.kind=half", *SMALL[::2]): (
        "y has dtype float64, expected integers 0..K-1"
    ),
    ("dataset=labelled", "dataset.kind=column", *SMALL[::2]): (
        "X has shape [60, 2] and y [60, 1], expected [rows, features] and [rows]: y[:, 0]"
    ),
}  # fmt: skip


BROKEN = {
    ("model=layers", "model.inputs=3", *SMALL): (
        "model layers cannot compute rows [3, 2]: mat1 and mat2 shapes cannot be multiplied "
        "(3x2 and 3x1)"
    ),
    ("model=ends", "model.how=broken", *SMALL): (
        "model ends cannot compute rows [3, 2]: mat1 and mat2 shapes cannot be multiplied "
        "(3x1 and 7x1)"
    ),
    ("model=sizes", "dataset=iris", *SMALL[::2]): (
        "model sizes cannot compute rows [3, 4]: mat1 and mat2 shapes cannot be multiplied "
        "(3x4 and 2x1)"
    ),
}  # fmt: skip
"""An exception in the first forward pass: the message ends with the lines of code."""


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_a_mistake_is_told_before_there_is_a_directory(mine: Path, words: tuple[str, ...]) -> None:
    ended = trained(mine, *words)
    assert ended.err == f"exp: {REFUSED[words]}\n"
    assert ended.code == 2
    assert not (mine / "outputs").exists()


@pytest.mark.parametrize("words", BROKEN, ids=" ".join)
def test_an_exception_in_the_first_forward_pass_is_told_before_there_is_a_directory(
    mine: Path, words: tuple[str, ...]
) -> None:
    ended = trained(mine, *words)
    lines = ended.err.splitlines()
    assert lines[0] == f"exp: {BROKEN[words]}"
    assert lines[1].lstrip().startswith("File ")
    assert lines[-1].startswith("The run's overrides: ")
    assert ended.code == 1
    assert not (mine / "outputs").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("model=ends", "model.how=bounded", *SMALL),
        ("model=ends", "model.how=positive", *SMALL),
        ("model=ends", "model.how=log_softmax", *THREE),
        ("model=ends", "model.how=sigmoid", "loss=plain", *SMALL),
        ("model=layers", "model.outputs=2", "loss=cross_entropy", *SMALL),
        ("model=elsewhere", "model.what=here", *SMALL),
        ("dataset=labelled", *SMALL[::2]),
        ("dataset=labelled", "dataset.kind=tuple", *SMALL[::2]),
        ("model=sizes", *SMALL),
    ],
    ids=" ".join,
)
def test_what_is_no_mistake_runs(mine: Path, words: tuple[str, ...]) -> None:
    ended = trained(mine, *words)
    assert (ended.code, ended.err) == (0, "")


def test_check_says_so_too(mine: Path) -> None:
    said = inside(mine, "check", "slips").out.splitlines()
    expected = "expected logits, not probabilities: no sigmoid or softmax at the end"
    assert f"FAIL  model=sequence  logits: {expected}, found a sigmoid as the last step" in said


def test_check_names_a_tensor_that_stays_behind(mine: Path) -> None:
    text = (mine / "slips.py").read_text()
    (mine / "slips.py").write_text(text.replace('what: str = "plain"', 'what: str = "here"'))
    (mine / "conf/model/elsewhere.yaml").write_text("name: elsewhere\nwhat: here\n")
    said = inside(mine, "check", "slips", "--name", "elsewhere").out.splitlines()
    (told,) = [line for line in said if line.startswith("FAIL")]
    assert told == (
        "FAIL  model=elsewhere  tensors: expected every tensor as a parameter or buffer, "
        "which is moved with the model and saved, found a plain tensor mean"
    )


RARE = "a model that always predicts"


def test_a_class_that_most_rows_have_is_told_with_its_share(mine: Path) -> None:
    rare = trained(mine, "dataset=labelled", "dataset.kind=rare", *SMALL[::2])
    labels = [row.split(",")[4] for row in (rare.run / "predictions.csv").read_text().splitlines()]
    test = labels[-12:]
    assert (
        f"{test.count('no') / 12:.1%} of the 12 test rows belong to class no: {RARE} no has this "
        in (rare.out)
    )


def test_even_classes_are_not_worth_a_word(mine: Path) -> None:
    assert RARE not in trained(mine, *SMALL).out


FLAT = ("figures=none", "trainer.print_every=null", "trainer.eval_every=2", "trainer.epochs=200")
STOPPING = ("trainer.early_stopping=2", "trainer.min_delta=0.1")
PLATEAU = "A plateau: "
APART = "split.standardize=true, since the features have very different scales"


@pytest.mark.parametrize(
    ("words", "moves"),
    [
        (("dataset=circles", "model=linear"), "another optimizer.lr, optimizer=adam, "),
        (
            ("dataset=wine", "optimizer=adam", "optimizer.lr=1e-6"),
            f"{APART}, another optimizer.lr, more units (model.hidden), ",
        ),
    ],
)
def test_a_plateau_is_told_with_what_may_move_it(
    in_tmp: Path, words: tuple[str, ...], moves: str
) -> None:
    ended = inside(in_tmp, *words, *FLAT)
    assert ended.code == 0
    right = json.loads((ended.run / "summary.json").read_text())["final"]["train/accuracy"]
    assert 0.2 < right < 0.6
    (told,) = [line for line in ended.out.splitlines() if line.startswith(PLATEAU)]
    last = (ended.run / "metrics.csv").read_text().splitlines()[-1].split(",")[2]
    assert told == (
        "A plateau: over the last 40 epochs the training loss has hardly decreased, with "
        f"{1 - float(last):.1%} of the training rows wrong. Unless the classes overlap, this may "
        f"help: {moves}another seeds.init, more trainer.epochs"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("dataset=blobs",),  # all but all right
        ("dataset=moons",),  # on its way
        ("dataset=circles", "model=linear", "trainer.epochs=199"),  # too short to tell
        ("dataset=circles", "model=linear", *STOPPING),  # has stopped for that very reason
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_plateau_where_there_is_none(in_tmp: Path, words: tuple[str, ...]) -> None:
    ended = inside(in_tmp, *FLAT, *words)
    assert ended.code == 0
    assert PLATEAU not in ended.out


def test_in_a_sweep_only_the_log_of_the_run_tells(in_tmp: Path) -> None:
    ended = inside(
        in_tmp, "-m", "dataset=circles", "model=linear", "seed=1,2", *FLAT, "sweep.n_jobs=1"
    )
    assert PLATEAU not in ended.out
    logs = [path.read_text() for path in in_tmp.glob("multirun/*/*/*/exp.log")]
    assert [text.count(PLATEAU) for text in logs] == [1, 1]
    assert not logging.getLogger("exp").handlers
