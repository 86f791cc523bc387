"""A million rows, 32-32 hidden units, batches of 4,096: rows per second and peak memory.

    python benchmarks/million_rows.py [EPOCHS]

exp and a plain PyTorch loop train in processes of their own, in turn, on the same arrays (made
before either starts and read from disk) and as many threads. Both shuffle each epoch, step, and
evaluate loss and accuracy on the held-out fifth; the best of three rounds counts.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROWS, FEATURES, BATCH = 1_000_000, 2, 4096
SEEDS = 42


def plain(folder: Path, epochs: int) -> dict[str, float]:
    import torch
    from torch import nn

    torch.set_num_threads(1)
    X_train, y_train, X_test, y_test = (
        torch.from_numpy(np.load(folder / f"{name}.npy"))
        for name in ("X_train", "y_train", "X_test", "y_test")
    )
    y_train, y_test = y_train.float(), y_test.float()
    torch.manual_seed(SEEDS)
    model = nn.Sequential(
        nn.Linear(FEATURES, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss_of = nn.BCEWithLogitsLoss()
    begun = time.perf_counter()
    for _ in range(epochs):
        order = torch.randperm(len(X_train))
        total, right = 0.0, 0
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            targets = y_train[rows]
            logits = model(X_train[rows]).squeeze(1)
            loss = loss_of(logits, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
            right += int(((logits > 0) == (targets > 0.5)).sum())
        with torch.inference_mode():
            logits = model(X_test).squeeze(1)
            test = loss_of(logits, y_test).item()
            accuracy = float(((logits > 0) == (y_test > 0.5)).float().mean())
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "rows": len(X_train), "loss": test, "accuracy": accuracy}


def ours(folder: Path, epochs: int) -> dict[str, float]:
    from exp import register
    from exp.config.plan import plan
    from exp.data.dataset import Data, Split
    from exp.engine import Job, Stack, Training

    parts = [np.load(folder / f"{n}.npy") for n in ("X_train", "y_train", "X_test", "y_test")]
    X = np.concatenate([parts[0], parts[2]])
    y = np.concatenate([parts[1], parts[3]]).astype(np.int64)
    count = len(parts[0])
    del parts

    @register.dataset("arrays")
    def arrays(seed: int) -> Data:
        return Data(X, y, ("0", "1"), ("x1", "x2"), (None, None))

    @register.split("given")
    def given(labels: np.ndarray, seed: int) -> Split:
        return Split(np.arange(count), np.arange(count, len(y)))

    config = {
        "dataset": "arrays", "split": "given", "model": {"name": "mlp", "hidden": [32, 32]},
        "optimizer": "sgd", "loss": "auto", "scheduler": "none", "device": "cpu",
        "trainer": {"name": "standard", "epochs": epochs, "batch_size": BATCH}, "figures": "none",
    }  # fmt: skip
    job = Job.of(plan({"seed": SEEDS, **config}))
    training = Training(Stack([job]))
    begun = time.perf_counter()
    training.run()
    seconds = time.perf_counter() - begun
    last = {name: float(column[-1]) for name, column in training.stack.history.table(0).items()}
    return {
        "seconds": seconds, "rows": count, "loss": last["test/loss"],
        "accuracy": last["test/accuracy"],
    }  # fmt: skip


def measured(who: str, folder: str, epochs: int) -> dict[str, float]:
    command = [sys.executable, __file__, who, folder, str(epochs)]
    env = {**os.environ, "MKL_CBWR": "AUTO"} if who == "ours" else dict(os.environ)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def main(epochs: int) -> None:
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    with tempfile.TemporaryDirectory() as folder:
        X, y = make_moons(ROWS, noise=0.3, random_state=SEEDS)
        parts = train_test_split(X.astype(np.float32), y, test_size=0.2, random_state=SEEDS)
        for name, part in zip(("X_train", "X_test", "y_train", "y_test"), parts, strict=True):
            np.save(Path(folder, name), part)
        best: dict[str, dict[str, float]] = {}
        for _ in range(3):
            for who in ("plain", "ours"):
                found = measured(who, folder, epochs)
                if who not in best or found["seconds"] < best[who]["seconds"]:
                    best[who] = found
    print(f"{'':<8}{'rows/s':>12}{'peak MB':>10}{'test loss':>12}{'test acc':>10}")
    for who, found in best.items():
        speed = epochs * found["rows"] / found["seconds"]
        print(
            f"{who:<8}{speed:>12,.0f}{found['peak'] / 1024:>10.0f}"
            f"{found['loss']:>12.4f}{found['accuracy']:>10.4f}"
        )
    speed = best["plain"]["seconds"] / best["ours"]["seconds"]
    memory = best["ours"]["peak"] / best["plain"]["peak"]
    print(f"exp: {speed:.2f}x the rows per second, {memory:.2f}x the peak memory")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        run = plain if sys.argv[1] == "plain" else ours
        result = run(Path(sys.argv[2]), int(sys.argv[3]))
        result["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps(result))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
