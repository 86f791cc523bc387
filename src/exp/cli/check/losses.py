"""What a loss promises: a number for each row, by itself, and the link to probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from exp.cli.check.finding import Checks, WrongError
from exp.cli.check.subject import Subject
from exp.cli.check.training import same, same_in_a_stack
from exp.components.losses import Loss
from exp.engine.objective import hyperparameters
from exp.util.errors import ImpossibleError

CHECKS = Checks()
RUNS, ROWS = 3, 32
CLASSES = (2, 3, 5)


def loss(subject: Subject, classes: int, runs: int = RUNS) -> Any:
    """The loss of so many runs, as the engine builds it; None where it says that it cannot be.

    Raises:
        WrongError: it is no `Loss`.
    """
    chosen = subject.chosen
    builder: Any = chosen.component.builder
    if not (isinstance(builder, type) and issubclass(builder, Loss)):
        raise WrongError("a builder that is no subclass of exp.components.losses.Loss")
    if builder.impossible(classes, chosen.params):
        return None
    own = hyperparameters(chosen, [chosen.declared] * runs, torch.device("cpu"))
    try:
        return chosen.component.make(classes, **own)
    except ImpossibleError:
        return None


def tried(subject: Subject) -> Iterator[tuple[Any, Tensor, Tensor, Tensor]]:
    """The loss for each number of classes, with logits [runs, outputs, rows], labels, targets."""
    for classes in CLASSES:
        found = loss(subject, classes)
        if found is None:
            continue
        source = torch.Generator().manual_seed(classes)
        scale = torch.tensor([0.5, 3.0, 40.0])[:, None, None]
        logits = torch.randn(RUNS, found.outputs, ROWS, generator=source) * scale
        labels = torch.randint(classes, (RUNS, ROWS), generator=source)
        yield found, logits, labels, found.targets(labels, torch.float32)


@CHECKS.add("loss", "an exp.components.losses.Loss for two classes or more", essential=True)
def gives_a_loss(subject: Subject) -> str | None:
    found = [loss(subject, classes) for classes in CLASSES]
    if all(each is None for each in found):
        return "none: it says that it is impossible for 2, 3 and 5 classes"
    for classes, each in zip(CLASSES, found, strict=True):
        if each is not None and each.outputs not in (1, classes):
            return f"{each.outputs} logits for {classes} classes"
    return None


@CHECKS.add(
    "per run and row", "losses [runs, rows] of logits [runs, outputs, rows]", essential=True
)
def per_row(subject: Subject) -> str | None:
    for found, logits, _, targets in tried(subject):
        losses = found.per_row(logits, targets)
        if losses.shape != (RUNS, ROWS):
            return f"shape {list(losses.shape)} where {[RUNS, ROWS]} is wanted"
    return None


@CHECKS.add("finite", "finite losses and gradients, of large logits too")
def finite(subject: Subject) -> str | None:
    for found, logits, _, targets in tried(subject):
        logits.requires_grad_()
        losses = found.per_row(logits, targets)
        (slope,) = torch.autograd.grad(losses.sum(), logits)
        for what, tensor in (("loss", losses), ("gradient", slope)):
            if not tensor.isfinite().all():
                return f"a {what} that is not finite"
    return None


@CHECKS.add("runs apart", "the same bits of a run's losses alone and in a stack")
def runs_apart(subject: Subject) -> str | None:
    for found, logits, _, targets in tried(subject):
        whole = found.per_row(logits, targets)
        single = loss(subject, found.classes, runs=1)
        for run in range(RUNS):
            part = slice(run, run + 1)
            if not same(whole[part], single.per_row(logits[part], targets[part])):
                return f"other losses in a stack, with {found.classes} classes"
    return None


@CHECKS.add("rows apart", "the loss of a row whatever the other rows are")
def rows_apart(subject: Subject) -> str | None:
    for found, logits, _, targets in tried(subject):
        whole = found.per_row(logits, targets)
        other = logits.clone()
        other[:, :, 1:] = 0.3
        far = (found.per_row(other, targets)[:, 0] - whole[:, 0]).abs().max().item()
        if not far <= 1e-5 * (1 + whole[:, 0].abs().max().item()):
            return f"a loss of row 0 that changes by {far:.2g} with other rows"
    return None


@CHECKS.add("input kept", "the logits and targets that it is given unchanged")
def input_kept(subject: Subject) -> str | None:
    for found, logits, _, targets in tried(subject):
        before = logits.clone(), targets.clone()
        found.per_row(logits, targets)
        found.probabilities(logits)
        if not (torch.equal(logits, before[0]) and torch.equal(targets, before[1])):
            return "logits or targets that it has changed"
    return None


@CHECKS.add("probabilities", "[runs, classes, rows] in 0..1 that sum to 1 in each row")
def probabilities(subject: Subject) -> str | None:
    for found, logits, _, _ in tried(subject):
        p = found.probabilities(logits)
        wanted = [RUNS, found.classes, ROWS]
        if list(p.shape) != wanted:
            return f"shape {list(p.shape)} where {wanted} is wanted"
        if not ((p >= 0) & (p <= 1)).all():
            return "a probability outside 0..1"
        total = p.sum(dim=1)
        if not torch.allclose(total, torch.ones_like(total), atol=1e-5):
            return f"a sum of {total.flatten()[(total - 1).abs().argmax()].item():.6g}"
    return None


@CHECKS.add("labels", "the likeliest class of each row, int64, and correct() to say the same")
def labels(subject: Subject) -> str | None:
    for found, logits, truth, targets in tried(subject):
        said = found.labels(logits)
        if said.shape != (RUNS, ROWS) or said.dtype != torch.int64:
            return f"{list(said.shape)} {said.dtype}"
        p = found.probabilities(logits)
        best = p.gather(1, said.clamp(0, found.classes - 1)[:, None])[:, 0]
        if not (said < found.classes).all() or not torch.equal(best, p.amax(dim=1)):
            return "labels that are not the likeliest class"
        if not torch.equal(found.correct(logits, targets), said == truth):
            return "correct() that differs from labels()"
    return None


@CHECKS.add("direction", "a right answer that costs less than a wrong one")
def direction(subject: Subject) -> str | None:
    for found, _, truth, targets in tried(subject):
        if found.outputs == 1:
            right = (2.0 * truth - 1)[:, None]
        else:
            right = torch.nn.functional.one_hot(truth, found.classes).float().movedim(2, 1)
        cost = [found.per_row(sign * right, targets).mean().item() for sign in (1, -1)]
        if not cost[0] < cost[1]:
            return f"{cost[0]:.4g} for right answers and {cost[1]:.4g} for wrong ones"
    return None


@CHECKS.add("stack", "the same bits of a run alone and in a stack")
def stack(subject: Subject) -> str | None:
    three = {"name": "blobs", "n_samples": 60, "centers": 3}
    for classes, dataset in ((2, None), (3, three)):
        if loss(subject, classes) is not None:
            found = same_in_a_stack(subject, **({"dataset": dataset} if dataset else {}))
            if found:
                return found
    return None
