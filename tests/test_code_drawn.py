"""`exp code`: configs drawn at random over everything, trained by exp and by their scripts.

`DRAWN_SCRIPTS=60 pytest tests/test_code_drawn.py` draws more of them.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from exp.cli.code import planned
from exp.engine import Job, train
from exp.engine.result import Result
from exp.runs.code import of_job
from exp.sweeps.from_python import composer
from exp.util.errors import ExpError

COUNT = int(os.environ.get("DRAWN_SCRIPTS", "6"))
CHOICES = {
    "dataset": (
        "moons", "circles", "blobs dataset.centers=3", "spirals", "xor dataset.noise=0.1",
        "gaussians", "playground_circle dataset.noise=0.2", "playground_spiral", "checkerboard",
        "two_spirals", "iris", "wine", "breast_cancer", "line", "plane", "bumps",
        "sklearn dataset.generator=make_classification",
    ),
    "split": (
        "", "split.validation=0.2", "split.stratify=true", "split=kfold split.folds=5",
        "split=kfold split.inner_folds=3", "split.test=0.3 split.validation=0.1",
    ),
    "scale": ("", "split.standardize=true", "split.standardize=minmax"),
    "features": (
        "", "", "features=polynomial", "features=fourier features.n_components=20",
        "features=quantile", "features=piecewise", "features=playground",
    ),
    "model": (
        "model.hidden=[8]", "model.hidden=[5,7]", "model=linear",
        "model.hidden=[6] model.batch_norm=true", "model.dropout=0.1", "model.init=glorot_uniform",
        "model.shortcuts=true",
    ),
    "activation": tuple(
        f"activation={name}" for name in (
            "relu", "tanh", "sigmoid", "gelu", "silu", "elu", "selu", "softplus", "leaky_relu",
            "tanh_from_exp",
        )
    ),
    "loss": (
        "", "", "loss=cross_entropy", "loss=bce", "loss=focal", "loss=hinge", "loss=mse", "loss=l1",
        "loss.class_weights=balanced", "loss.l2=0.01", "loss.l1=0.001",
    ),
    "optimizer": (
        "optimizer=sgd", "optimizer=sgd optimizer.momentum=0.9 optimizer.nesterov=true",
        "optimizer=adam", "optimizer=adamw optimizer.weight_decay=0.1", "optimizer=nadam",
        "optimizer=radam", "optimizer=rmsprop", "optimizer=adagrad", "optimizer=adadelta",
        "optimizer=lion", "optimizer=muon", "optimizer=sam", "optimizer=schedule_free_sgd",
        "optimizer=schedule_free_adamw",
    ),
    "scheduler": (
        "", "", "scheduler=cosine", "scheduler=step scheduler.step_size=9", "scheduler=one_cycle",
        "scheduler=exponential scheduler.gamma=0.95", "scheduler=none scheduler.warmup=5",
        "scheduler=plateau scheduler.patience=3",
    ),
    "trainer": (
        "", "", "trainer.batch_size=32", "trainer.clip_norm=1.0", "trainer.early_stopping=4",
        "trainer.average=ema trainer.batch_size=50", "trainer.batch_size=20 trainer.accumulate=2",
        "trainer.eval_every=5",
    ),
}  # fmt: skip
UNDECIDED = {"model.batch_norm=true", "optimizer=lion"}
"""The gradient of a bias before batch normalization is 0, and lion takes its sign: rounding decides
in any precision. So it does for the eigenbases of soap, which is not drawn."""
RUNNER = """
import contextlib, io, json, sys
sys.modules["exp"] = None  # as on a machine without it
for name in sys.argv[1:]:
    names = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(open(name).read(), name, "exec"), names)
    names["plt"].close("all") if "plt" in names else None
    print(json.dumps(names["history"]))
"""


Drawn = tuple[str, Job]
"""A command line, and its job."""


def drawn(count: int, seed: int) -> Iterator[Drawn]:
    """So many command lines that exp can train."""
    chance = random.Random(seed)
    while count:
        parts = [chance.choice(choices) for choices in CHOICES.values()]
        if set(" ".join(parts).split()) >= UNDECIDED:
            continue
        words = f"dataset={' '.join(parts)} figures=none trainer.epochs=30 seed={count}"
        try:
            found = planned_job(words)
        except ExpError:  # a combination that is impossible
            continue
        count -= 1
        yield found


def planned_job(words: str) -> Drawn:
    with composer(words.split(), quiet=True) as (hydra, args):
        return " ".join(words.split()), Job.of(planned(hydra, args))


def histories(configs: list[Drawn], folder: Path) -> list[list[dict[str, float]]]:
    """What the scripts of these configs measure, in a process that cannot import exp."""
    folder.mkdir()
    names = [f"script_{number:03}.py" for number in range(len(configs))]
    for name, (words, job) in zip(names, configs, strict=True):
        (folder / name).write_text(of_job(job, words.split()))
    ran = subprocess.run(
        [sys.executable, "-c", RUNNER, *names],
        cwd=folder, capture_output=True, text=True, env={**os.environ, "MPLBACKEND": "agg"},
    )  # fmt: skip
    assert not ran.returncode, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def differences(result: Result, history: list[dict[str, float]]) -> tuple[float, float]:
    """By how much a script differs from metrics.csv: in the first row, and at most. Relative to
    numbers larger than 1."""
    assert [row["epoch"] for row in history] == result.history["epoch"].tolist()
    first, most = 0.0, 0.0
    for column, wanted in result.history.items():
        if column not in ("epoch", "lr"):
            found = np.array([row[column.replace("/", "_")] for row in history])
            apart = np.abs(found - wanted) / np.maximum(1, np.abs(wanted))
            first, most = max(first, float(apart[0])), max(most, float(apart.max()))
    return first, most


def unequal(configs: list[Drawn], folder: Path) -> list[str]:
    """The configs whose scripts differ from exp by more than 1e-6 in the first row of metrics.csv,
    or by more than 1e-3 in a later one."""
    found = []
    for (words, job), history in zip(configs, histories(configs, folder), strict=True):
        first, most = differences(train([job])[0], history)
        print(f"{first:.1e} {most:.1e} {words}")
        if first > 1e-6 or most > 1e-3:
            found.append(words)
    return found


def test_scripts_of_drawn_configs_give_the_numbers_of_exp(tmp_path: Path) -> None:
    chaotic = unequal(list(drawn(COUNT, 21)), tmp_path / "drawn")
    assert len(chaotic) <= COUNT // 4, chaotic
    # Where rounding grows, as an optimizer divides by gradients that are almost 0, it is too small
    # to matter in float64: then the numbers have to agree.
    precise = [planned_job(f"{words} device.dtype=float64") for words in chaotic]
    assert not unequal(precise, tmp_path / "precise")
    config = ["--config", str(Path(__file__).parents[1] / "pyproject.toml")]
    for command in (["check", "-q"], ["format", "--diff", "-q"]):
        checked = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *config, str(tmp_path)],
            capture_output=True, text=True,
        )  # fmt: skip
        assert not checked.returncode, checked.stdout
