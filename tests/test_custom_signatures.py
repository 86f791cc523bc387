"""Components of a user's own with the signatures that people write."""

from __future__ import annotations

import enum
import functools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

import exp.registry.kinds  # noqa: F401 - declares the kinds
from commands import inside, runs
from custom_modules import forgotten
from exp.registry.component import Chosen
from exp.registry.registry import register
from exp.util.errors import ConfigError, CustomCodeError


@pytest.fixture(autouse=True)
def unregistered() -> Iterator[None]:
    """What a test registers is forgotten after it."""
    yield
    for kind in register.kinds.values():
        kind.components.pop("tried", None)


def chosen(kind: str, builder: Any, **params: Any) -> Chosen:
    """The component, registered and chosen with these values of a config."""
    getattr(register, kind)("tried")(builder)
    return register.choose(kind, {"name": "tried", **params})


def faults(kind: str, builder: Any, **params: Any) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        chosen(kind, builder, **params)
    return {fault.path: fault.message for fault in caught.value.faults}


class Maker:
    """A callable object."""

    def __call__(self, n: int = 3, *, seed: int) -> tuple[int, int]:
        return n, seed


def first(seed, n=3):  # type: ignore[no-untyped-def]
    return n, seed


def last(n=3, seed=0):  # type: ignore[no-untyped-def]
    return n, seed


def keyword(*, n: int = 3, seed: int) -> tuple[int, int]:
    return n, seed


def state(n=3, random_state=None):  # type: ignore[no-untyped-def]
    return n, random_state


def positional(seed, /, n=3):  # type: ignore[no-untyped-def]
    return n, seed


def any_keywords(n=3, **more):  # type: ignore[no-untyped-def]
    return n, more["seed"]


def between(n, seed, k=0):  # type: ignore[no-untyped-def]
    return n, seed


@pytest.mark.parametrize(
    "builder",
    [
        first, last, keyword, state, positional, any_keywords, Maker(), between,
        functools.partial(between, k=2), lambda n=3, seed=0: (n, seed),
    ],
)  # fmt: skip
def test_a_seed_is_passed_by_its_name_wherever_it_stands(builder: Any) -> None:
    assert chosen("dataset", builder, n=5).build(7) == (5, 7)
    assert "seed" not in chosen("dataset", builder, n=5).params
    if builder is not between and not isinstance(builder, functools.partial):
        assert chosen("dataset", builder).build(7)[1] == 7


def test_any_positions_take_what_has_no_name() -> None:
    assert chosen("model", lambda *sizes, width=8: (sizes, width), width=9).build(2, 1) == (
        (2, 1),
        9,
    )


def test_a_component_need_not_take_what_exp_passes() -> None:
    assert chosen("dataset", lambda n=3: n).build(7) == 3
    assert chosen("model", lambda: "net").build(2, 1) == "net"
    assert chosen("split", lambda y, share=0.5: (y, share)).build("labels", 1) == ("labels", 0.5)


def test_a_model_takes_its_sizes_by_name() -> None:
    def net(hidden=8, in_features=2, out_features=1):  # type: ignore[no-untyped-def]
        return hidden, in_features, out_features

    assert chosen("model", net).build(30, 3) == (8, 30, 3)


def test_a_required_parameter_by_another_name_is_to_be_renamed() -> None:
    found = faults("model", lambda inputs, out_features: None)
    assert list(found) == ["model.inputs"]
    assert "rename this parameter to 'in_features'" in found["model.inputs"]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Box:
    width: float = 1.0
    height: int = 2


def annotated(  # type: ignore[no-untyped-def]
    seed,
    centers: np.ndarray = None,  # type: ignore[assignment]
    n: int = None,  # type: ignore[assignment]  # noqa: RUF013
    limit: float = math.inf,
    colour: Colour = Colour.RED,
    box: Box = Box(),  # noqa: B008
    path: Path = Path("here"),
    widths: tuple[int, ...] = (4, 2),
    names: set[str] = frozenset(),  # type: ignore[assignment]
    rate=np.float32(0.5),  # noqa: B008
    mode: Literal["a", "b"] = "a",
    points: NDArray[np.float64] = np.zeros((1, 2)),  # noqa: B008
    act=np.tanh,
    **_,
):
    return locals()


def test_defaults_are_what_the_code_says() -> None:
    built = chosen("dataset", annotated).build(0)
    assert built["centers"] is None
    assert built["n"] is None
    assert built["limit"] == math.inf
    assert (built["colour"], built["path"]) == (Colour.RED, Path("here"))
    assert built["box"] == Box()
    assert built["widths"] == (4, 2)
    assert built["names"] == set()
    assert built["rate"] == 0.5
    assert built["points"].tolist() == [[0, 0]]
    assert built["act"] is np.tanh


def test_values_of_a_config_become_what_the_annotation_says() -> None:
    values = {
        "centers": [[0, 1], [2, 3]], "n": 4, "limit": 2.5, "colour": "BLUE", "path": "there",
        "box": {"height": 7}, "widths": [1, 2, 3], "names": ["b", "a"], "mode": "b",
        "points": [[1.5, 2]],
    }  # fmt: skip
    found = chosen("dataset", annotated, **values)
    built = found.build(0)
    assert isinstance(built["centers"], np.ndarray)
    assert built["centers"].tolist() == [[0, 1], [2, 3]]
    assert built["colour"] is Colour.BLUE
    assert built["box"] == Box(1.0, 7)
    assert built["path"] == Path("there")
    assert built["widths"] == (1, 2, 3)
    assert built["names"] == {"a", "b"}
    assert built["points"].tolist() == [[1.5, 2]]
    # The config of a run is plain, and gives the same component again.
    written = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    again = register.choose("dataset", written)
    assert json.loads(json.dumps(again.as_dict())) == written
    assert again.build(0)["box"] == Box(1.0, 7)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"colour": "green"}, "expected 'red' or 'blue', found 'green'"),
        ({"centers": "x"}, "expected a list of numbers, or of lists of equal length, found 'x'"),
        ({"n": "x"}, "expected an integer, found 'x'"),
        ({"limit": math.nan}, "expected a finite number, found nan"),
        ({"mode": "c"}, "expected 'a' or 'b', found 'c'"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_one_fault(value: dict[str, Any], expected: str) -> None:
    (key,) = value
    assert faults("dataset", annotated, **value) == {f"dataset.{key}": expected}


def test_a_default_that_no_config_can_hold_is_no_key() -> None:
    assert "act" not in chosen("dataset", annotated).params
    assert "dataset.act" in faults("dataset", lambda seed, act=np.tanh: 0, act="sin")


def test_names_that_pydantic_uses_itself_are_ordinary_parameters() -> None:
    def odd(  # type: ignore[no-untyped-def]
        seed, model_config=1, copy=2, json=3, schema=4, register=5, model_fields=6, _hidden=7
    ):
        return model_config, copy, json, schema, register, model_fields, _hidden

    assert chosen("dataset", odd).build(0) == (1, 2, 3, 4, 5, 6, 7)
    assert chosen("dataset", odd, model_config=9, copy=8).build(0)[:2] == (9, 8)
    assert faults("dataset", odd, jsn=1)["dataset.jsn"].startswith(
        "unknown parameter of dataset tried 'jsn'. Did you mean 'json'?"
    )


def test_a_parameter_called_name_is_to_be_renamed() -> None:
    assert "rename this parameter" in faults("dataset", lambda seed, name: 0)["dataset.name"]


def test_annotations_as_texts_may_use_local_names() -> None:
    Size = Literal["small", "large"]  # noqa: F841 - named in a text below

    def sized(seed, size="small", other="x", odd=1):  # type: ignore[no-untyped-def]
        return size

    sized.__annotations__ = {"size": "Size", "other": "Nowhere", "odd": "int"}
    register.dataset("tried")(sized)
    assert register.choose("dataset", {"name": "tried", "other": [1]}).build(0) == "small"
    with pytest.raises(ConfigError) as caught:
        register.choose("dataset", {"name": "tried", "size": "huge", "odd": 1.5})
    assert {fault.path: fault.message for fault in caught.value.faults} == {
        "dataset.size": "expected 'small' or 'large', found 'huge'",
        "dataset.odd": "expected an integer, found 1.5",
    }


async def later(seed: int) -> None:
    """Is not a component."""


@pytest.mark.parametrize(
    ("kind", "builder", "message"),
    [
        ("dataset", later, "an async function cannot be a component"),
        ("dataset", 3, "register a function or a class, found a int"),
        ("loss", "bce", "register a function or a class, found a str"),
    ],
)
def test_what_can_be_no_component_is_refused_when_it_is_registered(
    kind: str, builder: Any, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        getattr(register, kind)("tried")(builder)


@pytest.mark.parametrize(("kind", "name"), [("dataset", "moons"), ("scheduler", "step")])
def test_the_name_of_a_packaged_component_is_taken(kind: str, name: str) -> None:
    with pytest.raises(ValueError, match=rf"registered twice: in exp\..*\.py, line.*{__name__}"):
        getattr(register, kind)(name)(lambda seed=0: seed)


def test_an_exception_is_told_with_the_users_own_lines() -> None:
    def broken(seed):  # type: ignore[no-untyped-def]
        return 1 / seed

    with pytest.raises(CustomCodeError) as caught:
        chosen("dataset", broken).build(0)
    lines = str(caught.value).splitlines()
    assert lines[0] == "dataset tried raised ZeroDivisionError: division by zero"
    assert lines[1].endswith("in broken")
    assert lines[2].strip() == "return 1 / seed"
    assert len([line for line in lines if line.lstrip().startswith("File ")]) == 1


MODULE = """
import sys
import numpy as np
from torch import nn
from exp import register


@register.dataset("rings")
def rings(n_samples=60, seed=0, bad=-1):
    if seed == bad:
        raise ValueError("this seed is bad")
    X = np.random.default_rng(seed).normal(size=(n_samples, 2))
    return X, np.where(np.hypot(*X.T) > 1.2, "out", "in")


@register.model("net")
class Net(nn.Module):
    def __init__(self, hidden=4, in_features=2, out_features=1, leave=False):
        super().__init__()
        if hidden == 3:
            raise KeyError("three")
        if leave:
            sys.exit()
        self.layers = nn.Sequential(nn.LazyLinear(hidden), nn.Tanh(), nn.LazyLinear(out_features))
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        if len(self.layers) == 9 or self.calls > 50 and self.layers[0].out_features == 5:
            raise IndexError("late")
        return self.layers(x)
"""


@pytest.fixture
def mine(in_tmp: Path) -> Iterator[Path]:
    (in_tmp / "rooms.py").write_text(MODULE)
    with forgotten("rooms"):
        yield in_tmp


WORDS = ("plugins=[rooms]", "dataset=rings", "model=net", "figures=none", "trainer.epochs=40")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("dataset.bad=42", "dataset rings raised ValueError: this seed is bad"),
        ("model.hidden=3", "model net raised KeyError: 'three'"),
        ("model.leave=true", "model net called sys.exit()"),
        ("model.hidden=5", "model net raised IndexError: 'late'"),
    ],
)
def test_an_exception_ends_a_run_with_1_and_its_overrides(mine: Path, word: str, told: str) -> None:
    ended = inside(mine, *WORDS, word)
    assert ended.code == 1
    lines = ended.err.splitlines()
    assert lines[0].startswith(f"exp: {told}".replace("'late'", "late"))
    files = [line for line in lines if line.lstrip().startswith("File ")]
    assert files
    assert all("rooms.py" in line for line in files)
    title, _, overrides = lines[-1].partition(": ")
    assert title == "The run's overrides"
    assert sorted(overrides.split()) == sorted((*WORDS, word))


def test_a_run_that_fails_leaves_the_rest_of_its_sweep_be(mine: Path) -> None:
    words = (*WORDS, "dataset.bad=2", "model.hidden=3,4,5", "seed=1,2")
    ended = inside(mine, "-m", *words, "sweep.dir=all", "sweep.n_jobs=1")
    assert ended.code == 1
    found = {}
    for run in runs(mine / "all"):
        record = json.loads((run / "run.json").read_text())
        found[run.name.partition("-")[2]] = (record["status"], record.get("message", ""))
    statuses = {name: status for name, (status, _) in found.items()}
    assert [statuses[name] for name in sorted(statuses)].count("done") == 1, found
    assert len(found) == 6
    messages = [message.splitlines()[0] for _, message in found.values() if message]
    assert sorted(set(messages)) == [
        "dataset rings raised ValueError: this seed is bad",
        "model net raised IndexError: late",
        "model net raised KeyError: 'three'",
    ]
    assert all("rooms.py" in message for _, message in found.values() if message)
    assert ended.out.count("rooms.py") >= 5


PARTS = """
import numpy as np
import torch
from torch import nn

from exp import register
from exp.data.feature_map import FeatureMap


def fail(bad):
    if bad:
        raise ValueError("this one is bad")


@register.loss("my_loss")
class MyLoss(nn.Module):
    def __init__(self, bad: bool = False):
        super().__init__()
        self.bad = bad

    def forward(self, logits, target):
        fail(self.bad)
        return nn.functional.binary_cross_entropy_with_logits(logits, target)


@register.optimizer("my_sgd")
class MySGD(torch.optim.SGD):
    def __init__(self, params, lr: float = 0.1, bad: bool = False):
        super().__init__(params, lr=lr)
        self.bad = bad

    def step(self, closure=None):
        fail(self.bad)
        return super().step(closure)


@register.scheduler("my_rate")
class MyRate(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, bad: bool = False):
        self.bad = bad
        super().__init__(optimizer)

    def get_lr(self):
        fail(self.bad and self.last_epoch > 0)
        return [group["lr"] for group in self.optimizer.param_groups]


@register.features("my_features")
def my_features(names, seed, *, bad: bool = False):
    def squares(X):
        fail(bad)
        return np.square(X)

    return FeatureMap("my_features", tuple(names), squares)


@register.activation("my_function")
def my_function(z, bad: bool = False):
    fail(bad)
    return torch.tanh(z)


@register.activation("my_module")
class MyModule(nn.Module):
    def __init__(self, bad: bool = False):
        super().__init__()
        self.bad = bad

    def forward(self, z):
        fail(self.bad)
        return torch.tanh(z)


@register.metric("my_score", higher_is_better=True)
def my_score(truth, predicted):
    fail(truth.sum() > 0)
    return 0.0


@register.model("my_net")
class MyNet(nn.Module):
    def __init__(self, in_features, out_features, *, width: int = 4):
        super().__init__()
        self.first = nn.Linear(in_features, 4)
        self.last = nn.Linear(width, out_features)

    def forward(self, x):
        return self.last(torch.tanh(self.first(x)))


@register.optimizer("no_lr")
class NoLr(torch.optim.Optimizer):
    def __init__(self, params, power: float = 0.1):
        super().__init__(params, {"power": power})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter -= group["power"] * parameter.grad
"""
# A metric is computed of every run: the module without it is for the runs that shall be well.
WITHOUT_METRIC = PARTS.replace('@register.metric("my_score", higher_is_better=True)\n', "")


FEW = ("plugins=[parts]", "figures=none", "trainer.epochs=3", "dataset.n_samples=40")


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("loss", "my_loss"),
        ("optimizer", "my_sgd"),
        ("scheduler", "my_rate"),
        ("features", "my_features"),
    ],
)
def test_an_exception_while_training_fails_one_run_of_a_sweep(
    in_tmp: Path, group: str, name: str
) -> None:
    (in_tmp / "parts.py").write_text(WITHOUT_METRIC)
    swept = (f"{group}={name}", f"{group}.bad=false,true", "sweep.dir=all", "sweep.n_jobs=1")
    with forgotten("parts"):
        ended = inside(in_tmp, "-m", *FEW, *swept)
    assert ended.code == 1
    found = [json.loads((run / "run.json").read_text()) for run in runs(in_tmp / "all")]
    assert [record["status"] for record in found] == ["done", "failed"]
    lines = found[1]["message"].splitlines()
    assert lines[0] == f"{group} {name} raised ValueError: this one is bad"
    files = [line for line in lines if line.lstrip().startswith("File ")]
    assert files
    assert all("parts.py" in line for line in files)


@pytest.mark.parametrize(
    ("swept", "told", "where"),
    [
        (
            ("model.activation={name:my_function,bad:false},{name:my_function,bad:true}",),
            "activation my_function raised ValueError: this one is bad",
            "in my_function",
        ),
        (
            ("model.activation={name:my_module,bad:false},{name:my_module,bad:true}",),
            "activation my_module raised ValueError: this one is bad",
            "in forward",
        ),
        (
            ("model=my_net", "model.width=4,5"),
            "model my_net raised RuntimeError: mat1 and mat2 shapes cannot be multiplied",
            "self.last(torch.tanh(self.first(x)))",
        ),
    ],
)
def test_an_exception_in_a_forward_pass_fails_one_run_of_a_sweep(
    in_tmp: Path, swept: tuple[str, ...], told: str, where: str
) -> None:
    (in_tmp / "parts.py").write_text(WITHOUT_METRIC)
    with forgotten("parts"):
        ended = inside(in_tmp, "-m", *FEW, *swept, "sweep.dir=all", "sweep.n_jobs=1")
    assert ended.code == 1
    found = [json.loads((run / "run.json").read_text()) for run in runs(in_tmp / "all")]
    assert [record["status"] for record in found] == ["done", "failed"]
    assert found[1]["message"].startswith(told)
    assert where in found[1]["message"]
    # The run is named with its overrides where the sweep reports it.
    (line,) = [line for line in ended.out.splitlines() if line.startswith("run 1 failed: ")]
    assert set(FEW) <= set(line.split())


def test_an_exception_in_a_metric_fails_each_run_that_it_is_computed_of(in_tmp: Path) -> None:
    (in_tmp / "parts.py").write_text(PARTS)
    with forgotten("parts"):
        ended = inside(in_tmp, "-m", *FEW, "seed=0,1", "sweep.dir=all", "sweep.n_jobs=1")
    assert ended.code == 1
    found = [json.loads((run / "run.json").read_text()) for run in runs(in_tmp / "all")]
    assert [record["status"] for record in found] == ["failed", "failed"]
    for record in found:
        lines = record["message"].splitlines()
        assert lines[0] == "metric my_score raised ValueError: this one is bad"
        assert "in my_score" in record["message"]


@pytest.mark.parametrize(
    "words", [("dataset=rings", "dataset.bad=0", "seed=0"), ("model=net", "model.hidden=3")]
)
def test_a_lone_run_whose_parts_cannot_be_made_has_no_directory(
    mine: Path, words: tuple[str, ...]
) -> None:
    ended = inside(mine, "plugins=[rooms]", "figures=none", *words, "hydra.run.dir=one")
    assert ended.code == 1
    assert "rooms.py" in ended.err
    assert "The run's overrides: " in ended.err
    assert not (mine / "one").exists()


@pytest.mark.parametrize("word", ["scheduler=cosine", "scheduler.warmup=2"])
def test_an_optimizer_without_lr_and_a_schedule_are_refused(in_tmp: Path, word: str) -> None:
    (in_tmp / "parts.py").write_text(WITHOUT_METRIC)
    with forgotten("parts"):
        assert inside(in_tmp, *FEW, "optimizer=no_lr", "hydra.run.dir=well").code == 0
        ended = inside(in_tmp, *FEW, "optimizer=no_lr", word, "hydra.run.dir=one")
    assert ended.code == 2
    (line,) = ended.err.splitlines()
    assert line.startswith("exp: optimizer no_lr cannot follow a schedule: ")
    assert not (in_tmp / "one").exists()


@pytest.mark.parametrize("order", ["none,cosine", "cosine,none"])
def test_a_sweep_leaves_schedules_out_that_an_optimizer_does_not_take(
    in_tmp: Path, order: str
) -> None:
    (in_tmp / "parts.py").write_text(WITHOUT_METRIC)
    swept = ("optimizer=no_lr", f"scheduler={order}", "sweep.dir=all", "sweep.n_jobs=1")
    with forgotten("parts"):
        ended = inside(in_tmp, "-m", *FEW, *swept)
    assert ended.code == 0
    (run,) = runs(in_tmp / "all")
    assert run.name.endswith("scheduler=none")
    assert "optimizer no_lr cannot follow a schedule" in ended.out
