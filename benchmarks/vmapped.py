"""Stacks of networks as one would train them without exp: JAX's and torch.func's vmap.

Multilayer perceptrons with ReLU for two classes, plain gradient descent at 0.1, loss and accuracy
of both splits in each epoch. The runs of a stack share their rows, and differ in their weights and
in the order of their batches.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = tuple[NDArray[np.float32], NDArray[np.float32]]
"""X [rows, features] and the labels, 0 or 1, [rows]."""


@dataclass(frozen=True)
class Task:
    """
    Attributes:
        hidden: units of each hidden layer.
        batch: rows of a step; None: all. It divides the number of training rows.
    """

    train: Rows
    test: Rows
    hidden: tuple[int, ...]
    batch: int | None

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Of the weights, [outputs, inputs]."""
        sizes = (self.train[0].shape[1], *self.hidden, 1)
        return list(zip(sizes[1:], sizes[:-1], strict=True))

    def weights(self, runs: int) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Weights [runs, outputs, inputs] and biases [runs, outputs, 1], as nn.Linear does."""
        rng, drawn = np.random.default_rng(42), []
        for outputs, inputs in self.shapes:
            bound = inputs**-0.5
            pair = [rng.uniform(-bound, bound, (runs, outputs, n)) for n in (inputs, 1)]
            drawn.append((pair[0].astype(np.float32), pair[1].astype(np.float32)))
        return drawn

    def orders(self, runs: int, epochs: int) -> NDArray[np.int32]:
        """The order of the training rows, [runs, epochs, steps, batch]; empty without batches."""
        if self.batch is None:
            return np.zeros((runs, epochs, 0, 0), np.int32)
        rows = len(self.train[0])
        order = np.tile(np.arange(rows, dtype=np.int32), (runs * epochs, 1))
        order = np.random.default_rng(0).permuted(order, axis=1)
        return order.reshape(runs, epochs, -1, self.batch)


def with_jax(task: Task, runs: int) -> Callable[[int], float]:
    """All epochs in one jitted scan; a call returns the mean of the last test accuracies."""
    # Before its first import: JAX on one thread of the CPU, as the others.
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    import jax
    import jax.numpy as jnp

    (X, y), (X_test, y_test) = (
        (jnp.asarray(a), jnp.asarray(b)) for a, b in (task.train, task.test)
    )
    # Feature-major is the faster of the two for full batches.
    columns, test_columns = (
        jnp.asarray(np.asarray(X).T.copy()),
        jnp.asarray(np.asarray(X_test).T.copy()),
    )

    def loss(layers, x, labels):  # type: ignore[no-untyped-def]
        for weight, bias in layers[:-1]:
            x = jax.nn.relu(weight @ x + bias)
        logits = (layers[-1][0] @ x + layers[-1][1])[0]
        each = jnp.maximum(logits, 0) - logits * labels + jnp.log1p(jnp.exp(-jnp.abs(logits)))
        return each.mean(), ((logits > 0) == labels).mean()

    def step(layers, rows):  # type: ignore[no-untyped-def]
        found, slopes = jax.value_and_grad(loss, has_aux=True)(layers, *rows)
        return jax.tree.map(lambda w, slope: w - 0.1 * slope, layers, slopes), found

    def epoch(layers, order):  # type: ignore[no-untyped-def]
        if task.batch is None:
            layers, train = step(layers, (columns, y))
        else:
            layers, steps = jax.lax.scan(
                lambda layers, rows: step(layers, (X[rows].T, y[rows])), layers, order
            )
            train = jax.tree.map(jnp.mean, steps)
        return layers, (train, loss(layers, test_columns, y_test))

    def run(layers, orders):  # type: ignore[no-untyped-def]
        return jax.lax.scan(epoch, layers, orders)

    jitted = jax.jit(jax.vmap(run))
    weights = task.weights(runs)

    def call(epochs: int) -> float:
        _, history = jitted(weights, task.orders(runs, epochs))
        return float(np.asarray(history[1][1])[:, -1].mean())

    return call


def with_torch_func(task: Task, runs: int) -> Callable[[int], float]:
    """A loop around a vmapped gradient; a call returns the mean of the last test accuracies."""
    import torch
    from torch.func import grad_and_value, vmap
    from torch.nn.functional import binary_cross_entropy_with_logits, linear, relu

    (X, y), (X_test, y_test) = (
        (torch.from_numpy(a), torch.from_numpy(b)) for a, b in (task.train, task.test)
    )

    def loss(layers, x, labels):  # type: ignore[no-untyped-def]
        for weight, bias in layers[:-1]:
            x = relu(linear(x, weight, bias[:, 0]))
        logits = linear(x, layers[-1][0], layers[-1][1][:, 0])[:, 0]
        hits = ((logits > 0) == (labels > 0)).float().mean()
        return binary_cross_entropy_with_logits(logits, labels), hits

    shared = task.batch is None
    learn = vmap(
        grad_and_value(loss, has_aux=True), in_dims=(0, *((None, None) if shared else (0, 0)))
    )
    measure = vmap(loss, in_dims=(0, None, None))
    weights = task.weights(runs)

    def call(epochs: int) -> float:
        layers = [tuple(torch.from_numpy(part.copy()) for part in pair) for pair in weights]
        orders = torch.from_numpy(task.orders(runs, epochs))
        for number in range(epochs):
            steps = []
            for step in range(1 if shared else orders.shape[2]):
                order = None if shared else orders[:, number, step].long()
                rows = (X, y) if order is None else (X[order], y[order])
                slopes, found = learn(layers, *rows)
                for pair, by in zip(layers, slopes, strict=True):
                    for part, slope in zip(pair, by, strict=True):
                        part.sub_(slope, alpha=0.1)
                steps.append(torch.stack(found))
            _ = torch.stack(steps).mean(dim=0).tolist()
            with torch.no_grad():
                test = torch.stack(measure(layers, X_test, y_test)).tolist()
        return float(np.mean(test[1]))

    return call
