"""Milliseconds per epoch of one run, both splits evaluated, exp against its peers.

    python benchmarks/epoch.py [CASE ...]

For some networks (`CASES`), alone and in stacks of 16 and 64: JAX (`jit(vmap(scan))`, its first
call apart) and torch.func's vmap, both of which share one data set among the runs of a stack, while
each run of exp has its own. For the default run by itself also the hand-written loop with
torchmetrics, skorch and Lightning, without their progress output, checkpoints and loggers.

Everything is on one thread, and CPU time is what counts, the least of several rounds taken in turn:
so a busy machine hurts all alike. What a run costs but for its epochs is taken off: of exp and the
loops by the difference of two lengths, of JAX as it is compiled beforehand.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

os.environ.setdefault("MKL_CBWR", "AUTO")
if hasattr(os, "sched_setaffinity"):  # JAX starts as many threads as there are cores
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
warnings.simplefilter("ignore")

import torch
from hand_written import build, data, loop
from vmapped import Task, with_jax, with_torch_func

from exp.config.plan import GROUPS, plan
from exp.engine import Job, train
from exp.util.compiled import form

ROUNDS = 4
LEAST = 0.15
"""CPU seconds of a measurement, about."""
STACKS = (1, 16, 64)
Run = Callable[[int], object]
"""Trains that many epochs."""


@dataclass(frozen=True)
class Case:
    hidden: tuple[int, ...]
    dataset: str = "moons"
    batch: int | None = None

    def jobs(self, runs: int, epochs: int) -> list[Job]:
        names = dict.fromkeys(GROUPS, "standard") | {
            "dataset": self.dataset, "split": "holdout", "features": "none", "model": "mlp",
            "optimizer": "sgd", "loss": "auto", "scheduler": "none", "device": "cpu",
            "figures": "none",  # its frames would be drawn after some epochs
        }  # fmt: skip
        parts: dict[str, dict[str, object]] = {
            group: {"name": name} for group, name in names.items()
        }
        parts["split"]["standardize"] = self.dataset != "moons"
        parts["model"]["hidden"] = list(self.hidden)
        parts["trainer"] |= {"epochs": epochs, "batch_size": self.batch}
        return [Job.of(plan({"seed": 42 + seed, **parts})) for seed in range(runs)]

    def task(self) -> Task:
        (job,) = self.jobs(1, 1)
        X, labels, split = job.data.X, job.data.data.y, job.data.split
        train, test = (
            (X[rows].astype("float32"), labels[rows].astype("float32"))
            for rows in (split.train, split.test)
        )
        return Task(train, test, self.hidden, self.batch)


CASES = {
    "8-8": Case((8, 8)),
    "16-16": Case((16, 16)),
    "64-64": Case((64, 64)),
    "30 features, 128-128": Case((128, 128), "breast_cancer"),
    "8-8, batches of 32": Case((8, 8), batch=32),
}


def ours(case: Case, runs: int) -> Run:
    made: dict[int, list[Job]] = {}

    def run(epochs: int) -> None:
        if epochs not in made:
            made[epochs] = case.jobs(runs, epochs)
        train(made[epochs])

    return run


def hand_written() -> Run:
    parts = data()
    return lambda epochs: loop(build(), parts, epochs, say=False)  # type: ignore[return-value]


def with_skorch() -> Run:
    from skorch import NeuralNetBinaryClassifier
    from skorch.callbacks import EpochScoring
    from skorch.dataset import Dataset
    from skorch.helper import predefined_split

    X_train, X_test, y_train, y_test = data()

    def run(epochs: int) -> None:
        net = NeuralNetBinaryClassifier(
            build(),
            optimizer=torch.optim.SGD,
            lr=0.1,
            max_epochs=epochs,
            batch_size=-1,
            train_split=predefined_split(Dataset(X_test, y_test)),
            callbacks=[EpochScoring("accuracy", on_train=True, lower_is_better=False)],
            verbose=0,
        )
        net.fit(X_train, y_train)

    return run


def with_lightning() -> Run:
    import lightning
    from torch.utils.data import DataLoader, TensorDataset
    from torchmetrics import Accuracy

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    X_train, X_test, y_train, y_test = data()

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = build()
            self.accuracy, self.test = Accuracy(task="binary"), Accuracy(task="binary")

        def step(self, batch: list[torch.Tensor], name: str, metric: Accuracy) -> torch.Tensor:
            logits = self.model(batch[0]).squeeze(1)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, batch[1])
            metric(torch.sigmoid(logits), batch[1].int())
            self.log_dict({f"{name}_loss": loss, f"{name}_acc": metric}, on_epoch=True)
            return loss

        def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
            return self.step(batch, "train", self.accuracy)

        def validation_step(self, batch: list[torch.Tensor], _: int) -> None:
            self.step(batch, "val", self.test)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    def run(epochs: int) -> None:
        trainer = lightning.Trainer(
            max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
        )  # fmt: skip
        trainer.fit(
            Module(),
            DataLoader(TensorDataset(X_train, y_train), batch_size=len(X_train)),
            DataLoader(TensorDataset(X_test, y_test), batch_size=len(X_test)),
        )

    return run


@dataclass
class Peer:
    """
    Attributes:
        constant: whether a call costs more than its epochs.
        first: CPU seconds of the first call.
        long, short: the least CPU seconds of so many epochs, and of a fifth of them.
    """

    name: str
    runs: int
    run: Run
    constant: bool
    epochs: int = 0
    first: float = 0.0
    long: float = float("inf")
    short: float = float("inf")

    def begin(self) -> None:
        """The first call, and how many epochs are worth measuring."""
        self.first = spent(self.run, 5)
        again = min(
            spent(self.run, 25) - (spent(self.run, 5) if self.constant else 0) for _ in range(2)
        )
        each = max(again, 1e-4) / (20 if self.constant else 25)
        self.epochs = max(10, min(2000, int(LEAST / each) // 5 * 5))
        if not self.constant:  # compiled for each number of epochs
            self.first = max(self.first, spent(self.run, self.epochs))

    def measure(self) -> None:
        self.long = min(self.long, spent(self.run, self.epochs))
        if self.constant:
            self.short = min(self.short, spent(self.run, self.epochs // 5))

    @property
    def milliseconds(self) -> float:
        """Of an epoch of one run."""
        if not self.constant:
            return 1000 * self.long / self.epochs / self.runs
        return 1000 * (self.long - self.short) / (self.epochs - self.epochs // 5) / self.runs


def spent(run: Run, epochs: int) -> float:
    """CPU seconds of all threads."""
    begun = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        run(epochs)
    return time.process_time() - begun


def peers(name: str, case: Case, runs: int) -> list[Peer]:
    task = case.task()
    found = [Peer("exp", runs, ours(case, runs), True)]
    if find_spec("jax"):
        found.append(Peer("JAX", runs, with_jax(task, runs), False))
    found.append(Peer("torch.func", runs, with_torch_func(task, runs), True))
    if name == "8-8" and runs == 1:
        found.append(Peer("hand-written with torchmetrics", 1, hand_written(), True))
        if find_spec("skorch"):
            found.append(Peer("skorch", 1, with_skorch(), True))
        if find_spec("lightning"):
            found.append(Peer("Lightning", 1, with_lightning(), True))
    return found


def main() -> None:
    torch.set_num_threads(1)
    absent = [name for name in ("jax", "skorch", "lightning") if not find_spec(name)]
    print(f"exp trains by {form() or 'torch'}; not installed: {', '.join(absent) or 'none'}")
    print(f"{'':<22}{'runs':>5}  {'':<32}{'ms/epoch':>10}{'exp takes':>11}{'first call':>12}")
    for name in sys.argv[1:] or CASES:
        for runs in STACKS:
            rivals = peers(name, CASES[name], runs)
            for peer in rivals:
                peer.begin()
            for _ in range(ROUNDS):
                for peer in rivals:
                    peer.measure()
            for peer in rivals:
                ratio = f"{rivals[0].milliseconds / peer.milliseconds:.3f}x"
                first = f"{peer.first:.2f} s" if peer.name == "JAX" else ""
                cells = f"{peer.milliseconds:>10.4f}{ratio:>11}{first:>12}"
                print(f"{name:<22}{runs:>5}  {peer.name:<32}{cells}", flush=True)


if __name__ == "__main__":
    main()
