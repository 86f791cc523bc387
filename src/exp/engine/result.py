"""What a trained run is: its history, its weights, and its answers for any rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exp.data.prepared import Matrix
from exp.engine.job import Job
from exp.engine.kernel.network import Network
from exp.engine.kernel.support import why_not
from exp.engine.layers import Elementwise, Embedding, Joined, Linear, Pass
from exp.engine.model import LANES, Model, padded
from exp.engine.objective import Objective
from exp.engine.recorder import Recording
from exp.engine.rows import CHUNK, Split, Tally

CPU = torch.device("cpu")
BLOCK = 512
"""Rows are answered in multiples of this: libraries have other code, with other last bits, for
products of few columns (MKL up to 160, with two features)."""

FEW = 1 << 22
"""Numbers of rows that are answered at a time, about."""


class Predictor:
    """A model with given weights, computing as it did in training: the engine's own bits.

    Args:
        job: the run it belongs to.
        state: parameters and buffers by name, as `Model.state` gives them; None for the
            untrained model.
    """

    def __init__(self, job: Job, state: dict[str, Tensor] | None) -> None:
        self.device, self.restored = job.device, job.data.restored
        self.model = Model(
            [job.source()],
            outputs=job.outputs,
            dtype=job.device.dtype,
            device=job.device.torch_device,
            generators=[torch.Generator()],
            known=job.unknown_step is None,
        )
        if state is not None:
            self.model.load(0, state)
        self.objective = Objective([job])
        self.network: Network | None = None
        if why_not(job, self.model, self.objective.loss) is None:
            self.network = Network(self.model, self.objective, job.shapes.features, job.batch)

    def logits(self, X: Matrix) -> np.ndarray:
        """Logits `[rows, outputs]` of rows `[rows, features]`; the bits of a row do not depend on
        how many there are."""
        some = min(CHUNK, max(1, FEW // max(1, X.shape[1]) // BLOCK) * BLOCK)
        starts = range(0, max(1, X.shape[0]), some)
        return np.concatenate([self._logits(X[start : start + some]) for start in starts])

    def _logits(self, X: np.ndarray) -> np.ndarray:
        """The same of at most `CHUNK` rows."""
        if self.network is not None:
            return self.network.logits(torch.from_numpy(X.T.copy())).T.contiguous().numpy()
        with self.as_in_training():
            pieces = [self.model(x, mask, False)[0] for x, mask in self._unlabelled(X, BLOCK)]
            return torch.cat(pieces, dim=1)[:, : len(X)].T.contiguous().cpu().numpy()

    def loss(self, X: Matrix, labels: np.ndarray, weights: np.ndarray | None = None) -> float:
        """The mean loss on rows `[rows, features]` with labels `[rows]`, penalty included.

        Args:
            labels: as the model learns them (`Prepared.targets`).
            weights: `[rows]` how much each row counts; None: all the same.
        """
        place, dtype = self.device.torch_device, self.device.dtype
        if self.network is not None:
            place, dtype = CPU, torch.float32
        given = None if weights is None else [weights]
        rows = Split([X], [labels], self.objective.loss, weights=given, dtype=dtype, device=place)
        if self.network is not None:
            return self.network.loss(rows)
        tally = Tally(self.objective.loss)
        with self.as_in_training():
            for batch in rows.chunks():
                logits = self.model(batch.x, batch.mask, False)
                tally.add(self.objective(logits, batch, self.model), None, batch)
            return tally.loss().item()

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """`[rows, classes]` from logits `[rows, outputs]`, or numbers `[rows, 1]` in the units of
        the target. Padded as in training: the last bits of a row must not depend on how many
        rows there are."""
        count = len(logits)
        stacked = torch.zeros(1, logits.shape[1], padded(count), dtype=self.device.dtype)
        stacked[0, :, :count] = torch.from_numpy(logits).T
        with self.as_in_training():
            found = self.objective.loss.probabilities(stacked)
        return self.restored(found[0, :, :count].T.contiguous().numpy())

    def labels(self, logits: np.ndarray) -> np.ndarray:
        """The likeliest class `[rows]` int64 of logits `[rows, outputs]`, or the number in the
        units of the target."""
        return self.restored(
            self.objective.loss.labels(torch.from_numpy(logits).T[None])[0].numpy()
        )

    def hidden(self, X: np.ndarray) -> list[np.ndarray] | None:
        """What each hidden layer gives after its activation, `[rows, units]` each, for rows
        `[rows, features]`; None for a module whose layers are not known."""
        if self.model.layers is None:
            return None
        places = [i for i, each in enumerate(self.model.layers) if isinstance(each, Elementwise)]
        found: dict[int, list[Tensor]] = {place: [] for place in places}
        with self.as_in_training():
            for x, mask in self._unlabelled(X, LANES):
                now = Pass(mask, False, self.model.generators)
                for place, layer in enumerate(self.model.layers):
                    x = layer(x, self.model.tensors, now)
                    if place in found:
                        found[place].append(x[0])
        whole = [torch.cat(pieces, dim=1)[:, : len(X)] for pieces in found.values()]
        return [units.T.cpu().numpy() for units in whole]

    def weights(self) -> list[np.ndarray] | None:
        """The weights `[units, inputs]` of the linear layers, from the first to the last; None for
        a network that is not a chain of linear layers with an activation between two of them."""
        layers = [
            each for each in self.model.layers or () if isinstance(each, Linear | Elementwise)
        ]
        others = [each for each in self.model.layers or () if isinstance(each, Joined | Embedding)]
        linear, state = layers[::2], self.model.state(0)
        chain = all(isinstance(each, Linear) for each in linear) and len(layers) % 2 == 1
        if others or not chain or not all(isinstance(each, Elementwise) for each in layers[1::2]):
            return None
        named = [each.weight for each in linear if isinstance(each, Linear)]
        return [state[name].float().cpu().numpy() for name in named]

    def _unlabelled(self, X: np.ndarray, block: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows `[1, features, columns]` with their mask, in pieces; padded to whole blocks by rows
        of zeros that count as rows."""
        width = -(-max(len(X), 1) // block) * block
        whole = np.zeros((1, X.shape[1], width), X.dtype)
        whole[0, :, : len(X)] = X.T
        device, dtype = self.device.torch_device, self.device.dtype
        stacked = torch.from_numpy(whole).to(device=device, dtype=dtype)
        mask = torch.ones(1, width, dtype=dtype, device=device)
        for start in range(0, width, CHUNK):
            span = slice(start, start + CHUNK)
            yield stacked[:, :, span], mask[:, span]

    @contextmanager
    def as_in_training(self) -> Iterator[None]:
        """On as many threads as in training, without gradients."""
        threads = torch.get_num_threads()
        torch.set_num_threads(self.device.threads)
        try:
            with torch.no_grad():
                yield
        finally:
            torch.set_num_threads(threads)


@dataclass(frozen=True)
class Result:
    """One run after training.

    Attributes:
        end_reason: done, stopped (early), pruned (worse than a limit of `trainer.prune`) or
            diverged.
        epochs: how many were trained.
        history: the columns of metrics.csv, `epoch` among them.
        state: the last weights by name (the last finite ones if it diverged).
        best_state: the weights after `best_epoch`, the epoch of the best monitored score; the last
            ones where it never was a number.
        checkpoint: tensors and numbers from which the run could go on.
        recording: what its pictures need besides.
    """

    job: Job
    end_reason: str
    epochs: int
    history: dict[str, np.ndarray]
    state: dict[str, Tensor]
    best_state: dict[str, Tensor]
    best_epoch: int
    checkpoint: tuple[dict[str, Tensor], dict[str, Any]]
    recording: Recording

    @property
    def weights(self) -> str:
        """Which weights are the result, and so what scores, answers and figures are of: `best` or
        `last`, as the checkpoints are called."""
        return "best" if self.job.plan.restores_best else "last"

    @property
    def final_state(self) -> dict[str, Tensor]:
        """The weights that are the result."""
        return self.best_state if self.weights == "best" else self.state

    @cached_property
    def predictor(self) -> Predictor:
        return Predictor(self.job, self.final_state)
