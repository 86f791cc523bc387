"""The job of the default run as one would write it by hand, the way the course does.

Moons, 2-8-8-1 ReLU, BCE with logits, SGD 0.1, 1,000 epochs with TorchMetrics accuracy on both
splits, then final metrics, predictions, checkpoint and the same four figures.

    python benchmarks/hand_written.py FOLDER
"""

import csv
import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import make_moons
from sklearn.inspection import DecisionBoundaryDisplay  # noqa: F401 - as such scripts have it
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split
from torch import nn
from torchmetrics import AUROC, Accuracy, CalibrationError, F1Score, Precision, Recall


def data() -> tuple[torch.Tensor, ...]:
    X, y = make_moons(1000, noise=0.03, random_state=42)
    X, y = torch.from_numpy(X).float(), torch.from_numpy(y).float()
    return train_test_split(X, y, test_size=0.2, random_state=42)


def build() -> nn.Module:
    torch.manual_seed(42)
    return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))


def loop(model: nn.Module, parts: tuple[torch.Tensor, ...], epochs: int, say: bool = True) -> list:
    """The training loop of the course; one row of numbers for each epoch."""
    X_train, X_test, y_train, y_test = parts
    loss_fn = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    accuracy = Accuracy(task="binary")
    history = []
    for epoch in range(epochs):
        model.train()
        logits = model(X_train).squeeze()
        loss = loss_fn(logits, y_train)
        acc = accuracy(torch.round(torch.sigmoid(logits)), y_train.int())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.eval()
        with torch.inference_mode():
            test_logits = model(X_test).squeeze()
            test_loss = loss_fn(test_logits, y_test)
            test_acc = accuracy(torch.round(torch.sigmoid(test_logits)), y_test.int())
        history.append((epoch, loss.item(), acc.item(), test_loss.item(), test_acc.item()))
        if say and epoch % 10 == 0:
            print(
                f"Epoch: {epoch} | Loss: {loss:.4f} | Acc: {acc:.2%} | "
                f"Test loss: {test_loss:.4f} | Test acc: {test_acc:.2%}"
            )
    return history


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    parts = data()
    X_train, X_test, y_train, y_test = parts
    model = build()
    history = loop(model, parts, 1000)

    final = {}
    with torch.inference_mode():
        for name, X, y in (("train", X_train, y_train), ("test", X_test, y_test)):
            chances = torch.sigmoid(model(X).squeeze())
            for metric in (Accuracy, Precision, Recall, F1Score, AUROC, CalibrationError):
                final[f"{name}/{metric.__name__}"] = float(metric(task="binary")(chances, y.int()))
    (folder / "summary.json").write_text(json.dumps(final))
    with open(folder / "metrics.csv", "w", newline="") as file:
        csv.writer(file).writerows(history)
    with torch.inference_mode(), open(folder / "predictions.csv", "w", newline="") as file:
        writer = csv.writer(file)
        for X, y in ((X_train, y_train), (X_test, y_test)):
            logits = model(X).squeeze()
            chances = torch.sigmoid(logits)
            writer.writerows(
                zip(*X.T.tolist(), y.tolist(), logits.tolist(), chances.tolist(), strict=True)
            )
    torch.save(model.state_dict(), folder / "model.pt")
    figures(folder, model, parts, np.array(history))


def figures(folder: Path, model: nn.Module, parts: tuple, history: np.ndarray) -> None:
    X_train, X_test, y_train, y_test = parts
    plt.figure(figsize=(7, 5))
    plt.scatter(*X_train.T, c=y_train, cmap="RdYlBu", s=20)
    plt.savefig(folder / "data.png", dpi=120)
    plt.figure(figsize=(12, 5))
    for place, (title, X, y) in enumerate(
        (("Train", X_train, y_train), ("Test", X_test, y_test)), start=1
    ):
        plt.subplot(1, 2, place)
        plt.title(title)
        (x0, y0), (x1, y1) = X.min(0).values - 0.1, X.max(0).values + 0.1
        xx, yy = np.meshgrid(np.linspace(x0, x1, 200), np.linspace(y0, y1, 200))
        grid = torch.from_numpy(np.column_stack([xx.ravel(), yy.ravel()])).float()
        with torch.inference_mode():
            z = torch.round(torch.sigmoid(model(grid))).reshape(xx.shape)
        plt.contourf(xx, yy, z, cmap="RdYlBu", alpha=0.7)
        plt.scatter(*X.T, c=y, cmap="RdYlBu", s=20)
    plt.savefig(folder / "boundary.png", dpi=120)
    _, axes = plt.subplots(1, 2, figsize=(12, 5))
    axes[0].plot(history[:, 0], history[:, [1, 3]], label=["train", "test"])
    axes[1].plot(history[:, 0], history[:, [2, 4]], label=["train", "test"])
    axes[0].legend()
    plt.savefig(folder / "curves.png", dpi=120)
    _, axes = plt.subplots(1, 2, figsize=(10, 5))
    with torch.inference_mode():
        for ax, X, y in ((axes[0], X_train, y_train), (axes[1], X_test, y_test)):
            guess = torch.round(torch.sigmoid(model(X).squeeze()))
            ConfusionMatrixDisplay.from_predictions(y, guess, ax=ax)
    plt.savefig(folder / "confusion.png", dpi=120)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
