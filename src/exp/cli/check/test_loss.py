"""What a loss promises: a number for each row, by itself, and the link to probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from exp.cli.check.subject import Subject
from exp.cli.check.training import assert_same_in_a_stack, same
from exp.components.losses import Loss
from exp.engine.objective import hyperparameters
from exp.util.errors import ImpossibleError

RUNS, ROWS = 3, 32
CLASSES = (2, 3, 5)


@dataclass(frozen=True)
class Case:
    """The loss for a number of classes: logits [runs, outputs, rows], labels [runs, rows]."""

    loss: Any
    logits: Tensor
    labels: Tensor
    targets: Tensor


def built(subject: Subject, classes: int, runs: int = RUNS) -> Any:
    """The loss of so many runs, as the engine builds it; None where it says that it cannot be."""
    chosen = subject.chosen
    builder: Any = chosen.component.builder
    is_loss = isinstance(builder, type) and issubclass(builder, Loss)
    assert is_loss, "a builder that is not a subclass of exp.components.losses.Loss"
    if builder.impossible(classes, chosen.params):
        return None
    parameters = hyperparameters(chosen, [chosen.declared] * runs, torch.device("cpu"))
    try:
        return chosen.component.make(classes, **parameters)
    except ImpossibleError:
        return None


@pytest.fixture
def cases(subject: Subject) -> list[Case]:
    found = []
    for classes in CLASSES:
        loss = built(subject, classes)
        if loss is None:
            continue
        source = torch.Generator().manual_seed(classes)
        scale = torch.tensor([0.5, 3.0, 40.0])[:, None, None]
        logits = torch.randn(RUNS, loss.outputs, ROWS, generator=source) * scale
        labels = torch.randint(classes, (RUNS, ROWS), generator=source)
        found.append(Case(loss, logits, labels, loss.targets(labels, torch.float32)))
    return found


@pytest.mark.essential
def test_loss(subject: Subject) -> None:
    """an exp.components.losses.Loss for two classes or more"""
    found = {classes: built(subject, classes) for classes in CLASSES}
    possible = any(loss is not None for loss in found.values())
    assert possible, "none: the loss is declared impossible for 2, 3 and 5 classes"
    for classes, loss in found.items():
        fits = loss is None or loss.outputs in (1, classes)
        assert fits, f"{loss.outputs} logits for {classes} classes"


@pytest.mark.essential
def test_per_run_and_row(cases: list[Case]) -> None:
    """losses [runs, rows] of logits [runs, outputs, rows]"""
    for case in cases:
        shape = list(case.loss.per_row(case.logits, case.targets).shape)
        assert shape == [RUNS, ROWS], f"shape {shape} where {[RUNS, ROWS]} is expected"


def test_finite(cases: list[Case]) -> None:
    """finite losses and gradients, also for large logits"""
    for case in cases:
        case.logits.requires_grad_()
        losses = case.loss.per_row(case.logits, case.targets)
        (slope,) = torch.autograd.grad(losses.sum(), case.logits)
        for what, tensor in (("loss", losses), ("gradient", slope)):
            assert tensor.isfinite().all(), f"a {what} that is not finite"


def test_runs_apart(subject: Subject, cases: list[Case]) -> None:
    """the same bits of a run's losses alone and in a stack"""
    for case in cases:
        whole = case.loss.per_row(case.logits, case.targets)
        single = built(subject, case.loss.classes, runs=1)
        for run in range(RUNS):
            part = slice(run, run + 1)
            alone = single.per_row(case.logits[part], case.targets[part])
            where = f"with {case.loss.classes} classes"
            assert same(whole[part], alone), f"different losses in a stack, {where}"


def test_rows_apart(cases: list[Case]) -> None:
    """a loss of each row that does not depend on other rows"""
    for case in cases:
        whole = case.loss.per_row(case.logits, case.targets)[:, 0]
        other = case.logits.clone()
        other[:, :, 1:] = 0.3
        change = (case.loss.per_row(other, case.targets)[:, 0] - whole).abs().max().item()
        kept = change <= 1e-5 * (1 + whole.abs().max().item())
        assert kept, f"a loss of row 0 that changes by {change:.2g} with other rows"


def test_input_kept(cases: list[Case]) -> None:
    """its logits and targets unchanged"""
    for case in cases:
        before = case.logits.clone(), case.targets.clone()
        case.loss.per_row(case.logits, case.targets)
        case.loss.probabilities(case.logits)
        kept = torch.equal(case.logits, before[0]) and torch.equal(case.targets, before[1])
        assert kept, "logits or targets that it has changed"


def test_probabilities(cases: list[Case]) -> None:
    """[runs, classes, rows] in 0..1 that sum to 1 in each row"""
    for case in cases:
        p = case.loss.probabilities(case.logits)
        expected = [RUNS, case.loss.classes, ROWS]
        assert list(p.shape) == expected, f"shape {list(p.shape)} where {expected} is expected"
        assert ((p >= 0) & (p <= 1)).all(), "a probability outside 0..1"
        total = p.sum(dim=1).flatten()
        worst = total[(total - 1).abs().argmax()].item()
        assert torch.allclose(total, torch.ones_like(total), atol=1e-5), f"a sum of {worst:.6g}"


def test_labels(cases: list[Case]) -> None:
    """the most probable class of each row, int64, in agreement with correct()"""
    for case in cases:
        found = case.loss.labels(case.logits)
        fits = found.shape == (RUNS, ROWS) and found.dtype == torch.int64
        assert fits, f"{list(found.shape)} {found.dtype}"
        p = case.loss.probabilities(case.logits)
        best = p.gather(1, found.clamp(0, case.loss.classes - 1)[:, None])[:, 0]
        likeliest = (found < case.loss.classes).all() and torch.equal(best, p.amax(dim=1))
        assert likeliest, "labels that are not the most probable class"
        agrees = torch.equal(case.loss.correct(case.logits, case.targets), found == case.labels)
        assert agrees, "correct() that differs from labels()"


def test_direction(cases: list[Case]) -> None:
    """a smaller loss for a right answer than for a wrong one"""
    for case in cases:
        if case.loss.outputs == 1:
            right = (2.0 * case.labels - 1)[:, None]
        else:
            right = F.one_hot(case.labels, case.loss.classes).float().movedim(2, 1)
        good, bad = (case.loss.per_row(s * right, case.targets).mean().item() for s in (1, -1))
        assert good < bad, f"{good:.4g} for right answers and {bad:.4g} for wrong ones"


def test_stack(subject: Subject) -> None:
    """the same bits of a run alone and in a stack"""
    three = {"name": "blobs", "n_samples": 60, "centers": 3}
    if built(subject, 2) is not None:
        assert_same_in_a_stack(subject)
    if built(subject, 3) is not None:
        assert_same_in_a_stack(subject, dataset=three)
