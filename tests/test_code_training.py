"""`exp code`: a script trains as exp does, without exp: every component and option once."""

from __future__ import annotations

import builtins
import contextlib
import io
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from exp.cli.code import planned, script_of
from exp.components.final_scores import errors, scores
from exp.engine import Job, train
from exp.engine.result import Result
from exp.registry.registry import register
from exp.runs.code import of_job
from exp.sweeps.from_python import composer
from exp.util.errors import ImpossibleError

ROOT = Path(__file__).parents[1]
SMALL = ("figures=none", "dataset.n_samples=80", "trainer.epochs=12")
ACTIVATIONS = {
    "leaky_relu": "model.activation={name:leaky_relu,negative_slope:0.2}",
    "elu": "model.activation={name:elu,alpha:0.7}",
    "softplus": "model.activation={name:softplus,beta:2.0}",
}
"""Those with parameters."""
MODELS = (
    "model=linear",
    "model=linear model.init=sklearn model.bias=false",
    "model.dropout=0.3 trainer.batch_size=20",
    "model.batch_norm=true",
    "model.shortcuts=true",
    "model.init=normal model.init_scale=0.3",
    "model.init=uniform model.init_scale=0.4 model.init_bias=0.1",
    "model.init=glorot_normal",
    "model.init=glorot_uniform model.init_scale=2.0",
    "model.init=he_normal",
    "model.init=he_uniform model.init_scale=0.5",
    "model.init=sklearn",
    "device.dtype=float64 trainer.batch_size=32 model.dropout=0.2 loss.class_weights=[1,3]",
)
LOSSES = (
    "loss=bce loss.pos_weight=3.0",
    "loss=bce loss.pos_weight=3.0 loss.class_weights=balanced dataset.positive=0",
    "loss=cross_entropy",
    "loss=cross_entropy dataset=blobs loss.class_weights=[1,3,2,1] loss.label_smoothing=0.1",
    "loss=focal dataset=blobs",
    "loss=focal loss.alpha=0.25 dataset.positive=0 loss.class_weights=[1,3]",
    "loss=hinge dataset=blobs",
    "loss=hinge loss.margin=0.5 loss.class_weights=[1,3] trainer.batch_size=32",
    "loss=mse",
    "loss=mse dataset=blobs loss.class_weights=[1,2,3,1]",
    "loss=l1",
    "loss=l1 dataset=blobs",
    "loss=tanh_mse",
    "loss=auto dataset=blobs",
    "loss=auto dataset=plane split.standardize_target=true",
    "loss=l1 dataset=line",
    "loss.l1=0.001 loss.l2=0.01",
)
OPTIMIZERS = (
    "optimizer=sgd optimizer.momentum=0.9 optimizer.nesterov=true optimizer.weight_decay=0.01",
    "optimizer=sgd optimizer.momentum=0.9 optimizer.dampening=0.1",
    "optimizer=sgd optimizer.momentum=0.9 optimizer.classical=true scheduler=cosine",
    "optimizer=adam optimizer.amsgrad=true optimizer.weight_decay=0.01",
    "optimizer=adamw",
    "optimizer=nadam optimizer.decoupled_weight_decay=true optimizer.weight_decay=0.01",
    "optimizer=radam",
    "optimizer=rmsprop optimizer.centered=true optimizer.momentum=0.5",
    "optimizer=adagrad optimizer.lr_decay=0.1 optimizer.initial_accumulator_value=0.1",
    "optimizer=adadelta",
    "optimizer=rprop",
    "optimizer=lion optimizer.weight_decay=0.1",
    "optimizer=muon",
    "optimizer=muon optimizer.adjust_lr_fn=original optimizer.nesterov=false",
    # With hidden layers its matrices of statistics have no single eigenbasis: rounding decides.
    "optimizer=soap model=linear trainer.batch_size=16 optimizer.precondition_frequency=3",
    "optimizer=sam optimizer.base=adam optimizer.lr=0.02 trainer.clip_norm=1.0",
    "optimizer=sam model.batch_norm=true trainer.batch_size=16 trainer.accumulate=2",
    "optimizer=schedule_free_sgd",
    "optimizer=schedule_free_adamw model.batch_norm=true trainer.batch_size=32",
    # Its many iterations in a step multiply rounding, so in float64.
    "optimizer=lbfgs optimizer.max_iter=2 optimizer.lr=0.1 device.dtype=float64",
    "optimizer=torch optimizer.algorithm=ASGD optimizer.options={weight_decay:0.01}",
)
SCHEDULES = (
    "scheduler=step scheduler.step_size=5",
    "scheduler=multistep scheduler.milestones=[3,8]",
    "scheduler=exponential scheduler.gamma=0.9",
    "scheduler=cosine scheduler.t_max=5 scheduler.eta_min=0.01",
    "scheduler=one_cycle trainer.batch_size=32",
    "scheduler=one_cycle scheduler.three_phase=true scheduler.anneal_strategy=linear",
    "scheduler=inverse scheduler.decay=0.5",
    "scheduler=plateau scheduler.patience=1 scheduler.threshold=0.1",
    "scheduler=none scheduler.warmup=5",
    "scheduler=cosine scheduler.warmup=4 trainer.batch_size=32",
    "scheduler=plateau scheduler.warmup=4 scheduler.patience=1 scheduler.threshold=0.5",
)
TRAINERS = (
    "trainer.batch_size=16 trainer.accumulate=3",
    "trainer.clip_norm=0.01",
    "trainer.early_stopping=2 trainer.min_delta=0.02 split.validation=0.2",
    "trainer.monitor=validation/auroc split.validation=0.2 trainer.early_stopping=3",
    "trainer.restore_best=true trainer.monitor=test/accuracy",
    "trainer.prune={test/loss:[[5,0.5]],train/accuracy:[[7,0.99]]} trainer.eval_every=4",
    "trainer.average=ema trainer.average_decay=0.9 trainer.average_start=4 trainer.batch_size=32",
    "trainer.average=swa model.batch_norm=true trainer.average_start=5 trainer.restore_best=true",
    "trainer.eval_every=5 trainer.print_every=null",
)
PLUGIN = "plugins=[code_plugin] "
CUSTOM = tuple(
    PLUGIN + words
    for words in (
        "model=gated model.width=8 trainer.batch_size=32",
        "model=sorted",
        "loss=smoothed",
        "loss=logistic",
        "loss=huber dataset=line",
        "optimizer=built scheduler=steps scheduler.step_size=5",
        "activation=sine",
        "model.activation={name:powered,power:1.3}",
    )
)


def packaged(kind: str) -> list[str]:
    """The components of exp, without those of users that other tests register."""
    names = register.kinds[kind].names()
    return [name for name in names if register.kinds[kind].components[name].packaged]


EVERY = (
    *(ACTIVATIONS.get(name, f"activation={name}") for name in packaged("activation")),
    *MODELS, *LOSSES, *OPTIMIZERS, *SCHEDULES, *TRAINERS, *CUSTOM,
)  # fmt: skip


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The custom components can be imported."""
    monkeypatch.syspath_prepend(ROOT / "tests")


@cache
def written(words: str) -> tuple[Job, str]:
    """The job of a command line, and its script."""
    overrides = [*SMALL, *words.split()]
    with composer(overrides, quiet=True) as (hydra, args):
        job = Job.of(planned(hydra, args))
    return job, of_job(job, overrides)


def refusing(
    name: str, given: Any = None, local: Any = None, names: Any = (), level: int = 0
) -> ModuleType:
    """`__import__` of a machine without exp."""
    if name.partition(".")[0] == "exp":
        raise ModuleNotFoundError(name)
    return builtins.__import__(name, given, local, names, level)


def executed(text: str) -> dict[str, Any]:
    """The names that a script leaves."""
    names: dict[str, Any] = {"__builtins__": {**vars(builtins), "__import__": refusing}}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(text, "script.py", "exec"), names)
    return names


def compare(result: Result, history: list[dict[str, float]]) -> None:
    """The history of a script has the numbers of metrics.csv."""
    assert [row["epoch"] for row in history] == result.history["epoch"].tolist()
    for column, wanted in result.history.items():
        if column not in ("epoch", "lr"):
            found = [row[column.replace("/", "_")] for row in history]
            np.testing.assert_allclose(found[:3], wanted[:3], rtol=1e-6, atol=1e-6, err_msg=column)
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5, err_msg=column)


@pytest.mark.parametrize("words", EVERY)
def test_a_script_trains_as_exp_does(words: str) -> None:
    job, text = written(words)
    training = text.partition("\n# 5. ")[0]
    assert training != text
    compare(train([job])[0], executed(training)["history"])


def test_every_packaged_component_is_tried() -> None:
    tried = " ".join(EVERY)
    for kind in ("loss", "optimizer", "scheduler"):
        for name in packaged(kind):
            assert f"{kind}={name} " in f"{tried} ", f"{kind} {name} is not tried"


def test_ruff_finds_nothing_in_the_scripts(tmp_path: Path) -> None:
    for number, words in enumerate(EVERY):
        (tmp_path / f"script_{number}.py").write_text(written(words)[1])
    for command in (["check", "-q"], ["format", "--diff", "-q"]):
        config = ["--config", str(ROOT / "pyproject.toml")]
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *config, str(tmp_path)],
            capture_output=True, text=True,
        )  # fmt: skip
        assert not ran.returncode, ran.stdout


@pytest.mark.parametrize(
    "words",
    [
        "trainer.restore_best=true dataset.positive=0 dataset.noise=0.4 dataset.n_samples=200",
        "dataset=blobs trainer.average=swa split.validation=0.2",
        "dataset=plane split.standardize_target=true",
        "loss=tanh_mse",
    ],
)
def test_the_scores_of_a_script_are_those_of_the_run(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    job, text = written(words)
    result, found = train([job])[0], executed(text)["scores"]
    for split, rows in job.data.split.parts.items():
        logits = result.predictor.logits(job.data.X[rows])
        chances, labels = result.predictor.probabilities(logits), result.predictor.labels(logits)
        y = job.data.y[rows]
        if job.data.data.numeric:
            wanted = errors(labels, y)
        else:
            wanted = scores(chances, labels, y, job.data.positive)
        assert found[split] == pytest.approx({k: wanted[k] for k in found[split]}, abs=1e-5)
    assert (tmp_path / "boundary.png").stat().st_size > 10_000


def test_the_whole_script_of_the_default_config_runs_by_itself(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(script_of(["trainer.epochs=11"], trust=False))
    code = "import runpy, sys; sys.modules['exp'] = None; runpy.run_path('script.py')"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("Epoch: 0 | Loss: 0.7")
    assert "Epoch: 10 | Loss" in ran.stdout
    assert "\ntest accuracy " in ran.stdout
    assert not ran.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("loss=stacked", "loss stacked cannot be written as a script: it is an exp.components"),
        ("model=helped", "model helped cannot be written as a script: it uses make of exp."),
        ("model.batch_norm=true trainer.batch_size=9", "a batch of one row cannot be written"),
        ("trainer.monitor=toll", "trainer.monitor=toll cannot be written as a script"),
    ],
)
def test_what_cannot_be_written_is_one_error(words: str, why: str) -> None:
    with pytest.raises(ImpossibleError, match=why):
        written(PLUGIN + words)
