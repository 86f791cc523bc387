"""Losses against torch, for two classes and for more."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.components.losses.loss import Loss
from exp.components.losses.loss_choice import loss_for
from exp.components.stacking import stacked
from exp.registry.registry import register
from exp.util.errors import ConfigError

ROWS = 50


def build(classes: int, *each: dict[str, Any]) -> Loss:
    """One loss for as many runs as there are mappings."""
    chosen = [register.choose("loss", params) for params in each]
    params = stacked([choice.declared for choice in chosen])
    loss: Loss = chosen[0].component.builder(classes, **params)
    return loss


def rows(classes: int, runs: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(classes)
    outputs = 1 if classes == 2 else classes
    logits = 3 * torch.randn(runs, outputs, ROWS, generator=generator)
    return logits, torch.randint(classes, (runs, ROWS), generator=generator)


def mean(loss: Loss, logits: torch.Tensor, labels: torch.Tensor) -> list[float]:
    per_row = loss.per_row(logits, loss.targets(labels, logits.dtype))
    weights = loss.row_weights(labels, logits.dtype)
    divisor = torch.full((len(logits),), ROWS) if weights is None else weights.sum(-1)
    return [float(value) for value in per_row.sum(-1) / divisor]


@pytest.mark.parametrize("pos_weight", [None, 3.0])
def test_bce(pos_weight: float | None) -> None:
    logits, labels = rows(2)
    weight = None if pos_weight is None else torch.tensor(pos_weight)
    twin = F.binary_cross_entropy_with_logits(logits[0, 0], labels[0].float(), pos_weight=weight)
    loss = build(2, {"name": "bce", "pos_weight": pos_weight})
    assert mean(loss, logits, labels) == [pytest.approx(twin.item(), rel=1e-6)]


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 0.5], [0.0, 2.0, 0.5]])
def test_cross_entropy(smoothing: float, weights: list[float] | None) -> None:
    logits, labels = rows(3)
    weight = None if weights is None else torch.tensor(weights)
    twin = F.cross_entropy(logits[0].T, labels[0], weight=weight, label_smoothing=smoothing)
    loss = build(
        3, {"name": "cross_entropy", "label_smoothing": smoothing, "class_weights": weights}
    )
    assert mean(loss, logits, labels) == [pytest.approx(twin.item(), rel=1e-6)]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", ["bce", "cross_entropy", "focal", "hinge", "mse", "tanh_mse"])
def test_class_weights_are_a_weighted_mean(name: str, classes: int) -> None:
    if name in ("bce", "tanh_mse") and classes == 3:
        return
    runs = [[1.0, 3.0, 0.5][:classes], [2.0, 0.0, 7.0][:classes]]
    plain = build(classes, *[{"name": name}] * 2)
    loss = build(classes, *({"name": name, "class_weights": weights} for weights in runs))
    logits, labels = rows(classes, 2)
    if loss.outputs != logits.shape[1]:
        logits = torch.cat([logits, -logits], dim=1)
    each = plain.per_row(logits, plain.targets(labels, logits.dtype))
    for run, found in enumerate(mean(loss, logits, labels)):
        weights = torch.tensor(runs[run])[labels[run]]
        twin = float((weights * each[run]).sum() / weights.sum())
        assert found == pytest.approx(twin, rel=1e-6)


def test_cross_entropy_of_two_classes_has_two_logits() -> None:
    loss = build(2, {"name": "cross_entropy"})
    assert loss.outputs == 2
    logits = torch.tensor([[[0.0, 5.0], [1.0, -5.0]]])
    assert loss.labels(logits).tolist() == [[1, 0]]


@pytest.mark.parametrize("classes", [2, 3])
def test_focal_with_gamma_zero_is_cross_entropy(classes: int) -> None:
    logits, labels = rows(classes)
    twin = build(classes, {"name": "focal", "gamma": 0.0})
    plain = build(classes, {"name": "bce" if classes == 2 else "cross_entropy"})
    assert mean(twin, logits, labels) == pytest.approx(mean(plain, logits, labels), rel=1e-6)


def test_focal_by_its_formula() -> None:
    logits, labels = rows(2)
    p = torch.sigmoid(logits[0, 0].double())
    own = torch.where(labels[0] == 1, p, 1 - p)
    alpha = torch.where(labels[0] == 1, 0.25, 0.75)
    formula = -(alpha * (1 - own) ** 2 * own.log()).mean()
    loss = build(2, {"name": "focal", "gamma": 2.0, "alpha": 0.25})
    assert mean(loss, logits, labels) == [pytest.approx(formula.item(), rel=1e-5)]


def test_focal_has_a_finite_gradient_where_the_model_is_certain() -> None:
    logits = torch.tensor([[[200.0, -200.0]]], requires_grad=True)
    loss = build(2, {"name": "focal", "gamma": 0.5})
    loss.per_row(logits, torch.tensor([[1.0, 0.0]])).sum().backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_hinge_of_two_classes() -> None:
    logits, labels = rows(2)
    sign = 2.0 * labels[0] - 1
    twin = (1 - sign * logits[0, 0]).clamp_min(0).mean()
    assert mean(build(2, {"name": "hinge"}), logits, labels) == [pytest.approx(twin.item())]


def test_hinge_of_more_is_crammer_and_singers() -> None:
    logits, labels = rows(4)
    expected = []
    for z, y in zip(logits[0].T, labels[0], strict=True):
        others = [z[k] for k in range(4) if k != y]
        expected.append(max(0.0, float(2 - z[y] + max(others))))
    loss = build(4, {"name": "hinge", "margin": 2.0})
    assert mean(loss, logits, labels) == [pytest.approx(sum(expected) / ROWS, rel=1e-6)]


@pytest.mark.parametrize("classes", [2, 3])
def test_mse_is_the_brier_score(classes: int) -> None:
    logits, labels = rows(classes)
    loss = build(classes, {"name": "mse"})
    chances = loss.probabilities(logits)[0].T
    squares = (chances - F.one_hot(labels[0], classes)).square().mean(dim=1).mean()
    assert mean(loss, logits, labels) == [pytest.approx(squares.item(), rel=1e-5)]


def test_tanh_mse_is_the_playgrounds_square() -> None:
    logits, labels = rows(2)
    twin = ((torch.tanh(logits[0, 0]) - (2.0 * labels[0] - 1)).square() / 2).mean()
    loss = build(2, {"name": "tanh_mse"})
    assert mean(loss, logits, labels) == [pytest.approx(twin.item(), rel=1e-6)]
    chances = loss.probabilities(logits)[0, 1]
    assert chances.tolist() == pytest.approx(
        ((1 + torch.tanh(logits[0, 0])) / 2).tolist(), abs=1e-7
    )
    assert "Use loss=mse" in str(type(loss).impossible(3, {}))


@pytest.mark.parametrize("classes", [2, 5])
def test_probabilities_add_up_and_labels_are_the_likeliest(classes: int) -> None:
    logits, labels = rows(classes)
    for name in ("focal", "hinge", "mse", "cross_entropy"):
        loss = build(classes, {"name": name})
        z = logits if loss.outputs == logits.shape[1] else torch.cat([-logits, logits], dim=1)
        chances = loss.probabilities(z)
        torch.testing.assert_close(chances.sum(dim=1), torch.ones(1, ROWS))
        assert loss.labels(z).equal(chances.argmax(dim=1))
        right = loss.correct(z, loss.targets(labels, torch.float32))
        assert right.equal(chances.argmax(dim=1) == labels)


def test_each_run_of_a_stack_has_its_own_numbers() -> None:
    logits, labels = rows(3, runs=3)
    params = [{"name": "cross_entropy", "label_smoothing": s} for s in (0.1, 0.2, 0.3)]
    together = mean(build(3, *params), logits, labels)
    alone = [
        mean(build(3, p), logits[r : r + 1], labels[r : r + 1])[0] for r, p in enumerate(params)
    ]
    assert together == alone


@pytest.mark.parametrize(
    ("params", "classes", "reason"),
    [
        ({"name": "bce"}, 3, ("loss bce needs two classes, and these data have 3. "
         "Use loss=cross_entropy or loss=auto")),
        ({"name": "cross_entropy", "class_weights": [1.0, 2.0]}, 3,
         ("loss.class_weights has 2 numbers, and these data have 3 classes: give one number for "
         "each class")),
        ({"name": "cross_entropy", "class_weights": [0.0, 0.0]}, 2,
         "loss.class_weights are all 0: no row would count"),
        ({"name": "focal", "alpha": 0.25}, 3,
         ("loss.alpha of focal needs two classes, and these data have 3. Leave it null")),
    ],
)  # fmt: skip
def test_impossible_combinations_are_explained(
    params: dict[str, Any], classes: int, reason: str
) -> None:
    chosen = register.choose("loss", params)
    assert chosen.component.builder.impossible(classes, chosen.params) == reason


def test_auto_is_chosen_by_the_number_of_classes() -> None:
    chosen = register.choose("loss", {"name": "auto", "l2": 0.5})
    assert loss_for(chosen, [5, 5]).as_dict() == {
        "name": "bce", "pos_weight": None, "class_weights": None, "l1": 0.0, "l2": 0.5,
    }  # fmt: skip
    assert loss_for(chosen, [5, 5, 5]).name == "cross_entropy"


def test_faults_of_a_loss() -> None:
    with pytest.raises(ConfigError) as caught:
        register.choose("loss", {"name": "focal", "gamma": -1, "l1": "a", "alfa": 0.5})
    assert str(caught.value) == (
        "3 faults in the config; nothing was started\n"
        "  loss.alfa   unknown parameter of loss focal 'alfa'. Did you mean 'alpha'? "
        "It takes: gamma, alpha, class_weights, l1, l2\n"
        "  loss.gamma  expected a number greater than or equal to 0, found -1\n"
        "  loss.l1     expected a number, found 'a'"
    )
