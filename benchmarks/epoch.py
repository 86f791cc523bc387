"""Milliseconds per epoch of the default run, both splits evaluated, exp against its peers.

    python benchmarks/epoch.py [EPOCHS]

skorch and Lightning evaluate accuracy and loss on both splits each epoch, with their progress
output, checkpoints and loggers switched off. Every peer runs on one thread, as exp does. The
figure is the best of several rounds taken in turn, so that a busy machine hurts all alike.
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

os.environ.setdefault("MKL_CBWR", "AUTO")
warnings.simplefilter("ignore")

import torch
from hand_written import build, data, loop

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
ROUNDS = 5


def ours() -> Callable[[int], None]:
    from exp.config.schema import GROUPS, plan
    from exp.engine import Job, train

    defaults = dict.fromkeys(GROUPS, "standard") | {
        "dataset": "moons", "split": "holdout", "features": "none", "model": "mlp",
        "optimizer": "sgd", "loss": "auto", "scheduler": "none", "device": "cpu",
    }  # fmt: skip

    def run(epochs: int) -> None:
        trainer = {"name": "standard", "epochs": epochs}
        parts = {name: {"name": option} for name, option in defaults.items()}
        train([Job.of(plan({"seed": 42, **parts, "trainer": trainer}))])

    return run


def hand_written() -> Callable[[int], None]:
    parts = data()
    return lambda epochs: loop(build(), parts, epochs, say=False)  # type: ignore[return-value]


def with_skorch() -> Callable[[int], None]:
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


def with_lightning() -> Callable[[int], None]:
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


def seconds(run: Callable[[int], None], epochs: int) -> float:
    begun = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        run(epochs)
    return time.perf_counter() - begun


def main() -> None:
    torch.set_num_threads(1)
    peers = {"exp": ours(), "hand-written with torchmetrics": hand_written()}
    for name, make in (("skorch", with_skorch), ("Lightning", with_lightning)):
        try:
            peers[name] = make()
        except ImportError as error:
            print(f"{name}: not installed ({error})")
    best = dict.fromkeys(peers, float("inf"))
    for run in peers.values():
        seconds(run, 5)
    for _ in range(ROUNDS):
        for name, run in peers.items():
            # Two lengths: their difference is free of what is done once.
            long, short = seconds(run, EPOCHS), seconds(run, EPOCHS // 5)
            best[name] = min(best[name], (long - short) / (EPOCHS - EPOCHS // 5))
    print(f"{'':<32}{'ms/epoch':>10}{'exp takes':>12}")
    for name, value in best.items():
        print(f"{name:<32}{1000 * value:>10.3f}{best['exp'] / value:>11.3f}x")


if __name__ == "__main__":
    main()
