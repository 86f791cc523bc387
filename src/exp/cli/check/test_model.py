"""What a model promises: rows to logits, weights from the seed, and nothing shared."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from exp.cli.check.subject import Subject, global_states, globally_seeded
from exp.cli.check.training import assert_same_again, assert_same_in_a_stack
from exp.engine.model_checks import last_step, tensors
from exp.engine.tracing import lifted

SHAPES = ((2, 1), (2, 3), (5, 4))
"""Features and logits: two classes have one logit, K have K."""
ROWS = 7


def built(subject: Subject, features: int = 2, outputs: int = 1, seed: int = 0) -> nn.Module:
    with global_states():
        torch.manual_seed(seed)
        found = subject.build(features, outputs)
    assert isinstance(found, nn.Module), f"a {type(found).__name__}"
    return found


@pytest.fixture
def module(subject: Subject) -> nn.Module:
    return built(subject)


def inputs(features: int = 2, rows: int = ROWS) -> Tensor:
    return torch.randn(rows, features, generator=torch.Generator().manual_seed(0))


@pytest.mark.essential
def test_module(subject: Subject) -> None:
    """an nn.Module with parameters to train"""
    for features, outputs in SHAPES:
        found = built(subject, features, outputs)
        assert any(p.requires_grad for p in found.parameters()), "nothing to train"


@pytest.mark.essential
def test_shapes(subject: Subject) -> None:
    """rows [rows, in_features] to logits [rows, out_features]"""
    for features, outputs in SHAPES:
        logits = built(subject, features, outputs).eval()(inputs(features))
        assert isinstance(logits, Tensor), f"a {type(logits).__name__}"
        shape, expected = list(logits.shape), [ROWS, outputs]
        given = f"from rows {[ROWS, features]}"
        assert shape == expected, f"logits {shape} where {expected} are expected {given}"


def test_logits(subject: Subject) -> None:
    """logits, not probabilities: no sigmoid or softmax at the end"""
    for features, outputs in SHAPES:
        last = last_step(built(subject, features, outputs).eval()(inputs(features)))
        assert last is None, f"a {last} as the last step"


def test_tensors(module: nn.Module) -> None:
    """every tensor as a parameter or buffer, which is moved with the model and saved"""
    plain = [name for kind, name, _ in tensors(module) if kind == "plain"]
    assert not plain, f"a plain tensor {plain[0]}"


def test_dtype(subject: Subject) -> None:
    """logits in the type of its rows, float32 and float64"""
    for kind in (torch.float32, torch.float64):
        found = built(subject).to(kind).eval()(inputs().to(kind)).dtype
        assert found == kind, f"{found} from {kind}"


def test_seeded(subject: Subject) -> None:
    """the same weights from the same seed of torch, for any other seeds"""
    found = []
    for number in (1, 2):
        with globally_seeded(number):
            found.append(built(subject).state_dict())
    other = [name for name, tensor in found[0].items() if not torch.equal(tensor, found[1][name])]
    assert not other, f"other {other[0]}"


def test_global_generators(subject: Subject) -> None:
    """no seeding, and no generator other than torch's"""
    after = []
    for seed in (1, 2):
        with global_states() as changed:
            torch.manual_seed(seed)
            subject.build(2, 1)
            after.append(torch.get_rng_state())
        others = [name for name in changed if not name.startswith("torch")]
        assert not others, f"{' and '.join(others)} changed"
    assert not torch.equal(*after), "torch's generator seeded by it"


def test_no_shared_state(subject: Subject) -> None:
    """new weights for each module"""
    one, other = built(subject, seed=1), built(subject, seed=2)
    known = {tensor.data_ptr() for tensor in one.state_dict().values() if tensor.numel()}
    shared = [name for name, each in other.state_dict().items() if each.data_ptr() in known]
    assert not shared, f"{shared[0]} shared by two modules"


def test_rows_kept(module: nn.Module) -> None:
    """its rows unchanged"""
    for training in (True, False):
        x = inputs()
        with torch.no_grad():
            module.train(training)(x)
        assert torch.equal(x, inputs()), "rows that it has changed"


def test_evaluation(module: nn.Module) -> None:
    """in evaluation mode, independent logits for each row, the same each time"""
    x = inputs()
    with torch.no_grad(), global_states():
        module.eval()
        whole, second = module(x), module(x)
        assert torch.equal(whole, second), "different logits the second time"
        alone = torch.cat([module(x[i : i + 1]) for i in range(len(x))])
    change = (whole - alone).abs().max().item()
    assert change < 1e-4, f"logits of a row that change by {change:.2g} with other rows"


def test_gradients(module: nn.Module) -> None:
    """finite gradients"""
    module.eval()(inputs()).square().mean().backward()
    for name, parameter in module.named_parameters():
        finite = parameter.grad is None or parameter.grad.isfinite().all()
        assert finite, f"a gradient of {name} that is not finite"


def test_repeatable(subject: Subject) -> None:
    """the same bits when a run is trained again after another run"""
    assert_same_again(subject)


def test_stack(subject: Subject, module: nn.Module) -> None:
    """the same bits alone and in a stack (one by one if it cannot be stacked)"""
    if lifted([module]) is not None:  # otherwise it trains by itself, through the same loop
        assert_same_in_a_stack(subject)
