"""Every stacked rule against torch.optim and against itself in stacks; the adapter; the schema."""

import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.components.optimizers.nested_state import flatten, unflatten
from exp.components.optimizers.optimizer import Optimizer, Rule
from exp.components.optimizers.parameter_buffer import Parameters
from exp.components.optimizers.torch_optimizer import TorchOptimizer
from exp.components.optimizers.torch_options import algorithms
from exp.components.stacking import stacked, structure
from exp.registry.registry import register
from exp.util.errors import ConfigError, ImpossibleError
from reference_optimizers import REFERENCES

CONF = Path(__file__).parents[1] / "conf" / "optimizer"
STEPS = 200
SHAPES = ((5, 3), (5,), (40, 2), (2,))

ALGORITHMS = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "rprop": torch.optim.Rprop,
}
SETTINGS: list[dict[str, Any]] = [
    {"name": "sgd"},
    {"name": "sgd", "lr": 0.03, "momentum": 0.9, "weight_decay": 0.01},
    {"name": "sgd", "momentum": 0.5, "dampening": 0.3},
    {"name": "sgd", "lr": 0.02, "momentum": 0.8, "nesterov": True},
    {"name": "adam"},
    {"name": "adam", "lr": 0.03, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.02},
    {"name": "adam", "amsgrad": True, "eps": 1e-4, "beta1": 0.0},
    {"name": "adamw"},
    {"name": "adamw", "lr": 0.05, "beta2": 0.95, "weight_decay": 0.3, "amsgrad": True},
    {"name": "adamw", "weight_decay": 0.0},
    {"name": "nadam"},
    {"name": "nadam", "lr": 0.01, "weight_decay": 0.02, "momentum_decay": 0.05},
    {"name": "nadam", "weight_decay": 0.1, "decoupled_weight_decay": True, "momentum_decay": 0.0},
    {"name": "radam"},
    {"name": "radam", "lr": 0.02, "beta2": 0.9, "weight_decay": 0.02},
    {"name": "radam", "weight_decay": 0.1, "beta2": 0.5, "decoupled_weight_decay": True},
    {"name": "rmsprop"},
    {"name": "rmsprop", "lr": 2e-3, "alpha": 0.9, "momentum": 0.7, "weight_decay": 0.01},
    {"name": "rmsprop", "centered": True, "eps": 1e-3},
    {"name": "rmsprop", "centered": True, "eps": 1e-2, "momentum": 0.5},
    {"name": "adagrad"},
    {"name": "adagrad", "lr": 0.2, "lr_decay": 0.05, "weight_decay": 0.02},
    {"name": "adagrad", "initial_accumulator_value": 0.3, "eps": 1e-6},
    {"name": "adadelta"},
    {"name": "adadelta", "lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.05},
    {"name": "rprop"},
    {"name": "rprop", "lr": 0.1, "eta_minus": 0.3, "eta_plus": 1.5, "step_size_max": 0.4},
]
# Those that torch.optim has not got, or only for matrices.
PUBLISHED: list[dict[str, Any]] = [
    {"name": "lion"},
    {"name": "lion", "lr": 2e-3, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.3},
    {"name": "schedule_free_sgd", "lr": 0.1},
    {"name": "schedule_free_sgd", "lr": 0.3, "momentum": 0.6, "weight_decay": 0.02},
    {"name": "schedule_free_adamw"},
    {"name": "schedule_free_adamw", "lr": 0.02, "beta2": 0.95, "weight_decay": 0.1, "eps": 1e-6},
    {"name": "soap", "precondition_frequency": 7},
    {"name": "soap", "lr": 3e-3, "beta1": 0.9, "weight_decay": 0.2, "precondition_frequency": 1},
    {"name": "muon"},
    {"name": "muon", "lr": 0.02, "adjust_lr_fn": "original", "nesterov": False, "ns_steps": 3},
]
EVERY = [*SETTINGS, *PUBLISHED]
EVERY_NAME = ["-".join(str(v) for v in setting.values()) for setting in EVERY]
NAMES = ["-".join(str(v) for v in setting.values()) for setting in SETTINGS]


def config(setting: dict[str, Any], run: int) -> dict[str, Any]:
    """The parameters of one run: every number that is not 0 a little different from run to run."""
    params = dict(register.choose("optimizer", setting).declared)
    for index, (key, value) in enumerate(params.items()):
        if isinstance(value, float) and value > 0:
            scale = 1 + 0.07 * math.sin(1 + index + 3 * run)
            share = key in ("momentum", "dampening", "beta1", "beta2", "alpha", "rho", "eta_minus")
            params[key] = 1 - (1 - value) * scale if share else value * scale
    if params.get("eta_plus", 2) <= 1:
        params["eta_plus"] = 1.1
    return params


def to_torch(params: dict[str, Any]) -> dict[str, Any]:
    """The same parameters in torch.optim's words."""
    params = {key: value for key, value in params.items() if key != "classical"}
    for ours, theirs in (
        (("beta1", "beta2"), "betas"),
        (("eta_minus", "eta_plus"), "etas"),
        (("step_size_min", "step_size_max"), "step_sizes"),
    ):
        if ours[0] in params:
            params[theirs] = tuple(params.pop(key) for key in ours)
    return params


def parameters(
    runs: int, dtype: torch.dtype = torch.float32, seed: int = 0, shapes: Any = SHAPES
) -> Parameters:
    """R runs of some parameters as the engine lays them out; a run's values follow its index."""
    sizes = [math.prod(shape) for shape in shapes]
    places = [0]
    for size in sizes:
        places.append(places[-1] + -(-size // 32) * 32)
    values = torch.zeros(runs, places[-1], dtype=dtype)
    gradients = torch.zeros_like(values)
    leaves = []
    for place, size, shape in zip(places, sizes, shapes, strict=False):
        for run in range(runs):
            generator = torch.Generator().manual_seed(1000 * seed + 7 * run + place)
            values[run, place : place + size] = torch.randn(size, generator=generator)
        leaf = values[:, place : place + size].view(runs, *shape).requires_grad_()
        leaf.grad = gradients[:, place : place + size].view(runs, *shape)
        leaves.append(leaf)
    return Parameters(values, gradients, leaves)


def slope(values: Tensor, step: int, start: Tensor) -> Tensor:
    """The gradient of a smooth loss, lane by lane: zero lanes stay zero.

    Most of it is a wave in time: a steep bowl would make Adam oscillate, and then two roundings of
    one formula part company exponentially.
    """
    return start * torch.cos(step / 5 + 3 * start) + 0.05 * values


def build(setting: dict[str, Any], runs: list[int], held: Parameters) -> Rule:
    component = register.choose("optimizer", setting).component
    rule = component.builder(held, **stacked([config(setting, run) for run in runs]))
    assert isinstance(rule, Rule)
    return rule


def column(rates: list[float]) -> Tensor:
    return torch.tensor(rates, dtype=torch.float64)[:, None]


def decaying(lr: float, step: int) -> float:
    """A schedule, so that each step has its own rate."""
    return lr * (1 - step / (2 * STEPS))


@pytest.fixture
def float64() -> Iterator[None]:
    """torch.optim keeps some numbers in the default dtype."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def trained(setting: dict[str, Any], runs: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Values after 200 steps, ours and those of a torch.optim run for each row."""
    held = parameters(runs, dtype)
    start = held.values.clone()
    rule = build(setting, list(range(runs)), held)
    configs = [config(setting, run) for run in range(runs)]
    rows = [row.clone().requires_grad_() for row in start]
    theirs = [
        ALGORITHMS[setting["name"]]([row], **to_torch(params))
        for row, params in zip(rows, configs, strict=True)
    ]
    for step in range(STEPS):
        rates = [decaying(params["lr"], step) for params in configs]
        held.gradients.copy_(slope(held.values, step, start))
        rule.step(column(rates))
        for row, optimizer, rate, begin in zip(rows, theirs, rates, start, strict=True):
            row.grad = slope(row.detach(), step, begin)
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
    return held.values, torch.stack([row.detach() for row in rows])


@pytest.mark.parametrize("runs", [1, 5])
@pytest.mark.parametrize("setting", SETTINGS, ids=NAMES)
def test_float32_is_torch_optim(setting: dict[str, Any], runs: int) -> None:
    ours, theirs = trained(setting, runs, torch.float32)
    # Rounding differs between processors; the test in float64 is the exact one.
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=2e-6)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("runs", [1, 5])
@pytest.mark.parametrize("setting", SETTINGS, ids=NAMES)
def test_float64_is_torch_optim(setting: dict[str, Any], runs: int) -> None:
    ours, theirs = trained(setting, runs, torch.float64)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
def test_classical_momentum_is_scikit_learns(nesterov: bool) -> None:
    """Each step keeps its own rate, here one that falls to half."""
    from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

    setting = {"name": "sgd", "momentum": 0.9, "nesterov": nesterov, "classical": True}
    held = parameters(1, torch.float64)
    start = held.values.clone()
    theirs = start[0].numpy().copy()
    twin = SGDOptimizer([theirs], momentum=0.9, nesterov=nesterov)
    component = register.choose("optimizer", setting).component
    rule = component.builder(held, **stacked([register.choose("optimizer", setting).declared]))
    for step in range(STEPS):
        rate = decaying(0.1, step)
        held.gradients.copy_(slope(held.values, step, start))
        gradient = slope(torch.from_numpy(theirs), step, start[0]).numpy()
        rule.step(column([rate]))
        twin.learning_rate = rate
        twin.update_params([theirs], [gradient])
    torch.testing.assert_close(held.values[0], torch.from_numpy(theirs), rtol=1e-12, atol=1e-12)


def test_what_classical_momentum_needs() -> None:
    for more, said in (({}, "momentum greater than 0"), ({"dampening": 0.1}, "dampening 0")):
        setting = {"name": "sgd", "momentum": 0.9 if more else 0.0, "classical": True, **more}
        with pytest.raises(ConfigError, match=f"optimizer.classical .*{said}"):
            register.choose("optimizer", setting)


def chosen(held: Parameters, keep: Tensor) -> Parameters:
    """A copy of some runs, laid out as the engine does it."""
    values, gradients = held.values[keep].clone(), held.gradients[keep].clone()
    leaves = [
        values.as_strided((len(values), *leaf.shape[1:]), leaf.stride(), leaf.storage_offset())
        for leaf in held.leaves
    ]
    for leaf in leaves:
        leaf.requires_grad_()
    return Parameters(values, gradients, leaves)


# -- the papers ------------------------------------------------------------------------------------


def weights_of(held: Parameters, run: int) -> list[Tensor]:
    return [leaf.detach()[run].clone() for leaf in held.leaves]


class TorchMuon:
    """`torch.optim.Muon` of the matrices and `torch.optim.AdamW` of the rest."""

    def __init__(self, weights: list[Tensor], **options: Any) -> None:
        self.weights, self.decay = weights, options["weight_decay"]
        matrices = [weight for weight in weights if weight.dim() == 2]
        rest = [weight for weight in weights if weight.dim() != 2]
        names = ("momentum", "nesterov", "ns_steps", "adjust_lr_fn", "weight_decay")
        betas = (options["beta1"], options["beta2"])
        self.parts = (
            torch.optim.Muon(matrices, **{name: options[name] for name in names}),
            torch.optim.AdamW(rest, betas=betas, eps=options["eps"], weight_decay=self.decay),
        )

    def step(self, gradients: list[Tensor], lr: float) -> None:
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.grad = gradient
        for part in self.parts:
            part.param_groups[0]["lr"] = lr
            part.step()


def for_paper(setting: dict[str, Any], runs: int, dtype: torch.dtype) -> Parameters:
    """Of square matrices for SOAP: others have gradients without a unique eigenbasis, so that two
    roundings of one formula part company at once."""
    square = setting["name"] == "soap"
    return parameters(runs, dtype, shapes=((4, 4), (4,), (3, 3)) if square else SHAPES)


def beside_the_paper(setting: dict[str, Any], runs: int, dtype: torch.dtype) -> Iterator[Any]:
    """Ours and the reference of each run, after each of 200 steps."""
    held = for_paper(setting, runs, dtype)
    start = held.values.clone()
    rule = build(setting, list(range(runs)), held)
    configs = [config(setting, run) for run in range(runs)]
    kind: Any = TorchMuon if setting["name"] == "muon" else REFERENCES[setting["name"]]
    theirs = [kind(weights_of(held, run), **configs[run]) for run in range(runs)]
    starts = [weights_of(held, run) for run in range(runs)]
    for step in range(STEPS):
        rates = [decaying(params["lr"], step) for params in configs]
        held.gradients.copy_(slope(held.values, step, start))
        rule.step(column(rates))
        for reference, rate, begin in zip(theirs, rates, starts, strict=True):
            pairs = zip(reference.weights, begin, strict=True)
            reference.step([slope(weight, step, each) for weight, each in pairs], rate)
    yield from ((held, rule, run, reference) for run, reference in enumerate(theirs))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("runs", [1, 5])
@pytest.mark.parametrize("setting", PUBLISHED, ids=EVERY_NAME[len(SETTINGS) :])
def test_float64_is_the_paper(
    setting: dict[str, Any], runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # torch makes matrices orthogonal in bfloat16, which is all that differs.
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    for held, rule, run, reference in beside_the_paper(setting, runs, torch.float64):
        for ours, theirs in zip(weights_of(held, run), reference.weights, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
        if rule.averages:
            for leaf, theirs in zip(held.leaves, reference.x, strict=True):
                ours = rule.averaged.as_strided(leaf.shape, leaf.stride(), leaf.storage_offset())
                torch.testing.assert_close(ours[run], theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("setting", PUBLISHED, ids=EVERY_NAME[len(SETTINGS) :])
def test_float32_is_near_the_paper(
    setting: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    for held, _, run, reference in beside_the_paper(setting, 2, torch.float32):
        for ours, theirs in zip(weights_of(held, run), reference.weights, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_muon_is_near_that_of_torch_in_bfloat16() -> None:
    for held, _, run, reference in beside_the_paper({"name": "muon"}, 1, torch.float32):
        start = weights_of(parameters(1), 0)
        moved = zip(weights_of(held, run), reference.weights, start, strict=True)
        for ours, theirs, begin in moved:
            assert (ours - theirs).norm() < 0.05 * (theirs - begin).norm()


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("name", "package", "algorithm"),
    [
        ("schedule_free_sgd", "schedulefree", "SGDScheduleFree"),
        ("schedule_free_adamw", "schedulefree", "AdamWScheduleFree"),
        ("lion", "pytorch_optimizer", "Lion"),
        ("soap", "pytorch_optimizer", "SOAP"),
    ],
)
def test_published_packages(name: str, package: str, algorithm: str) -> None:
    kind = getattr(pytest.importorskip(package), algorithm)
    held = for_paper({"name": name}, 1, torch.float64)
    start, weights, starts = held.values.clone(), weights_of(held, 0), weights_of(held, 0)
    rule = build({"name": name}, [0], held)
    options: dict[str, Any] = config({"name": name}, 0)
    options.pop("max_precond_dim", None)
    if "beta1" in options:
        options["betas"] = (options.pop("beta1"), options.pop("beta2"))
    theirs = kind([weight.requires_grad_() for weight in weights], **options)
    if rule.averages:
        theirs.train()
    for step in range(STEPS):
        theirs.param_groups[0]["lr"] = decaying(options["lr"], step)
        held.gradients.copy_(slope(held.values, step, start))
        rule.step(column([decaying(options["lr"], step)]))
        for weight, begin in zip(weights, starts, strict=True):
            weight.grad = slope(weight.detach(), step, begin)
        theirs.step()
    if rule.averages:
        theirs.eval()
        held.values.copy_(rule.averaged)
    # pytorch_optimizer makes the bases of SOAP in float32.
    limit = 1e-4 if name == "soap" else 1e-9
    for ours, weight in zip(weights_of(held, 0), weights, strict=True):
        torch.testing.assert_close(ours, weight.detach(), rtol=limit, atol=limit)


SAM_BASES = ("sgd", "adam", "schedule_free_sgd")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("base", SAM_BASES)
def test_sam_is_its_paper(base: str) -> None:
    """Foret et al. 2021, algorithm 1: the gradient at w + rho g / |g|, with which w is changed."""
    held, plain = parameters(3, torch.float64), parameters(3, torch.float64)
    start = held.values.clone()
    setting = {"name": "sam", "base": {"name": base, "lr": 0.02}, "rho": 0.1}
    values = [register.choose("optimizer", setting).declared for _ in range(3)]
    for run, each in enumerate(values):
        each["rho"] = 0.1 * (run + 1)
    rule = register.choose("optimizer", setting).component.builder(held, **stacked(values))
    other = build_plain({"name": base, "lr": 0.02}, plain)
    for step in range(STEPS):

        def closure(step: int = step) -> Tensor:
            held.gradients.copy_(slope(held.values, step, start))
            return torch.zeros(())

        closure()
        rule.step(rule.lr * (1 - step / 400), closure)
        for run in range(3):
            gradient = slope(plain.values[run], step, start[run])
            far = plain.values[run] + 0.1 * (run + 1) * gradient / gradient.norm()
            plain.gradients[run] = slope(far, step, start[run])
        other.step(other.lr * (1 - step / 400))
    torch.testing.assert_close(held.values, plain.values, rtol=1e-9, atol=1e-9)
    assert (rule.averaged is None) == (base != "schedule_free_sgd")


def build_plain(setting: dict[str, Any], held: Parameters) -> Rule:
    found = register.choose("optimizer", setting)
    rule = found.component.builder(held, **stacked([found.declared] * len(held.values)))
    assert isinstance(rule, Rule)
    return rule


def test_the_rate_of_sam_is_that_of_its_base_unless_it_has_one() -> None:
    for lr, found in ((None, 0.01), (0.3, 0.3)):
        chosen = register.choose("optimizer", {"name": "sam", "base": "adam", "lr": lr})
        rule = chosen.component.builder(parameters(2), **stacked([chosen.declared] * 2))
        assert rule.lr.tolist() == [[found], [found]]


@pytest.mark.parametrize("base", ["lbfgs", "torch", "sam"])
def test_what_sam_cannot_wrap(base: str) -> None:
    with pytest.raises(ConfigError, match=f"optimizer.base  expected an optimizer .*found {base}"):
        register.choose("optimizer", {"name": "sam", "base": base})


def noise(run: int, step: int, shape: torch.Size) -> Tensor:
    """A gradient of one run that no other run has, over many magnitudes."""
    generator = torch.Generator().manual_seed(100_003 * run + step)
    size = torch.randn(shape, generator=generator)
    return size * torch.exp(3 * torch.randn(shape, generator=generator))


def with_noise(
    setting: dict[str, Any], runs: list[int], bad: tuple[int, ...] = ()
) -> dict[int, Any]:
    """Values and state of each run after 12 steps of noise."""
    held = chosen(parameters(max(runs) + 1), torch.tensor(runs))
    rule = build(setting, runs, held)
    for step in range(12):
        for row, run in enumerate(runs):
            held.gradients[row] = noise(run, step, held.values[row].shape)
            if run in bad:
                held.gradients[row, step::5] = (math.nan, math.inf, -math.inf)[(run + step) % 3]
        rule.step(rule.lr * (1 - step / 50))
    return {
        run: (held.values[row], {key: value[row] for key, value in rule.state.items()})
        for row, run in enumerate(runs)
    }


@pytest.mark.parametrize("setting", EVERY, ids=EVERY_NAME)
def test_same_bits_alone_and_in_any_stack(setting: dict[str, Any]) -> None:
    alone = {run: with_noise(setting, [run])[run] for run in (0, 1, 6, 33, 63)}
    stacks = [[1, 0], [6, 5, 4, 3, 2, 1, 0], list(range(64))]
    for stack in stacks:
        found = with_noise(setting, stack, bad=(2, 3, 40, 41, 62))
        for run in set(stack) & set(alone):
            values, state = alone[run]
            assert torch.equal(found[run][0], values)
            for key, value in state.items():
                assert torch.equal(found[run][1][key], value), key


def steps(rule: Optimizer, held: Parameters, start: Tensor, span: range) -> None:
    for step in span:
        held.gradients.copy_(slope(held.values, step, start))
        rule.step(rule.lr * (1 - step / 100))


@pytest.mark.parametrize(
    "keep", [torch.tensor([3, 0, 4]), torch.tensor([True, False, True, False, True])]
)
@pytest.mark.parametrize("setting", EVERY, ids=EVERY_NAME)
def test_select_keeps_runs_as_they_are(setting: dict[str, Any], keep: Tensor) -> None:
    whole, part = parameters(5), parameters(5)
    start = whole.values.clone()
    rule, fewer = build(setting, list(range(5)), whole), build(setting, list(range(5)), part)
    steps(rule, whole, start, range(20))
    steps(fewer, part, start, range(10))
    left = chosen(part, keep)
    fewer.select(left, keep)
    steps(fewer, left, start[keep], range(10, 20))
    assert torch.equal(left.values, whole.values[keep])
    assert torch.equal(fewer.lr, rule.lr[keep])


@pytest.mark.parametrize("setting", EVERY, ids=EVERY_NAME)
def test_goes_on_exactly_from_its_state(setting: dict[str, Any]) -> None:
    whole, half = parameters(3), parameters(3)
    start = whole.values.clone()
    steps(build(setting, [0, 1, 2], whole), whole, start, range(20))
    first = build(setting, [0, 1, 2], half)
    steps(first, half, start, range(10))
    # One run leaves the stack for a checkpoint and goes on alone.
    alone = chosen(half, torch.tensor([1]))
    second = build(setting, [1], alone)
    second.state = {key: value[1].clone() for key, value in first.state.items()}
    steps(second, alone, start[1:2], range(10, 20))
    assert torch.equal(alone.values, whole.values[1:2])


@pytest.mark.parametrize("setting", EVERY, ids=EVERY_NAME)
def test_idle_lanes_stay_zero(setting: dict[str, Any]) -> None:
    held = parameters(2)
    start = held.values.clone()
    steps(build(setting, [0, 1], held), held, start, range(20))
    assert torch.equal(held.values == 0, start == 0)
    assert torch.isfinite(held.values).all()


@pytest.mark.parametrize("setting", EVERY, ids=EVERY_NAME)
def test_frozen_parameters_stay(setting: dict[str, Any]) -> None:
    held = parameters(2)
    start = held.values.clone()
    held.leaves[1].requires_grad_(False)
    frozen = range(32, 64)  # the lanes of the second parameter
    rule = build(setting, [0, 1], held)
    for step in range(5):
        held.gradients.copy_(slope(held.values, step, start))
        held.gradients[:, frozen] = 0
        rule.step(rule.lr)
    assert torch.equal(held.values[:, frozen], start[:, frozen])
    assert not torch.equal(held.values[:, :32], start[:, :32])


def test_the_gradient_is_left_as_it_was() -> None:
    for setting in EVERY:
        held = parameters(2)
        held.gradients.normal_(generator=torch.Generator().manual_seed(0))
        before = held.gradients.clone()
        rule = build(setting, [0, 1], held)
        rule.step(rule.lr)
        assert torch.equal(held.gradients, before)


def test_a_rule_says_which_state_does_not_fit() -> None:
    rule = build({"name": "sgd", "momentum": 0.9}, [0], parameters(1))
    with pytest.raises(ValueError, match=r"not a state of SGD: .*\['momentum_buffer'\]"):
        rule.state = {}


def test_centered_rmsprop_survives_rounding() -> None:
    held = parameters(1)
    rule = build({"name": "rmsprop", "centered": True, "alpha": 0.0}, [0], held)
    for step in range(50):
        held.gradients.copy_(noise(0, step, held.values.shape))
        rule.step(rule.lr)
    assert torch.isfinite(held.values).all()


def test_a_rate_of_zero_changes_nothing() -> None:
    for setting in EVERY:
        if setting["name"] == "rprop":
            continue
        held = parameters(2)
        start = held.values.clone()
        rule = build(setting, [0, 1], held)
        held.gradients.copy_(noise(0, 0, held.values.shape))
        rule.step(torch.zeros_like(rule.lr))
        assert torch.equal(held.values, start), setting


def test_rules_do_not_pay_for_torch_optim() -> None:
    """Its first constructor imports torch._dynamo, which takes longer than a small run."""
    code = (
        "import sys, torch, exp.registry.kinds\n"
        "from exp.components.optimizers.parameter_buffer import Parameters\n"
        "from exp.registry.registry import register\n"
        "for name in register.kinds['optimizer'].names():\n"
        "    chosen = register.choose('optimizer', name)\n"
        "    if chosen.component.builder.stackable:\n"
        "        held = Parameters(torch.zeros(2, 32), torch.ones(2, 32), [])\n"
        "        rule = chosen.component.builder(held, **chosen.declared)\n"
        "        rule.step(rule.lr, lambda: torch.zeros(()))\n"
        "sys.exit('torch._dynamo' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# -- stacking -----------------------------------------------------------------------------------


def test_stacked() -> None:
    first = {"a": 0.1, "zero": 0.0, "n": 3, "flag": True, "none": None, "w": [1.0, 2.0]}
    second = {"a": 0.2, "zero": 0.0, "n": 3, "flag": True, "none": None, "w": [3.0, 0.0]}
    found = stacked([first, second])
    assert found["a"].tolist() == [[0.1], [0.2]]
    assert found["a"].dtype == torch.float64
    assert found["w"].tolist() == [[1.0, 2.0], [3.0, 0.0]]
    assert (found["zero"], found["n"], found["flag"], found["none"]) == (0.0, 3, True, None)
    assert structure(first) == structure(second)
    hash(structure(first))


def test_stacked_components() -> None:
    leaky = [register.choose("activation", {"name": "elu", "alpha": x}) for x in (0.1, 0.2)]
    found = stacked([{"activation": each} for each in leaky])["activation"]
    assert found.params["alpha"].tolist() == [[0.1], [0.2]]
    assert structure({"x": leaky[0]}) == structure({"x": leaky[1]})
    relu = register.choose("activation", "relu")
    assert structure({"x": leaky[0]}) != structure({"x": relu})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0.0, 0.1),
        (None, 0.1),
        (1, 2),
        (1, True),
        (1, 1.0),
        ("a", "b"),
        ([1.0], [1.0, 2.0]),
        ([8, 8], [8, 9]),
        ({"eps": 0.1}, {"eps": 0.2}),
    ],
)
def test_what_cannot_share_a_stack(one: object, other: object) -> None:
    assert structure({"x": one}) != structure({"x": other})
    with pytest.raises(ValueError, match=r"x differs in kind: "):
        stacked([{"x": one}, {"x": other}])
    with pytest.raises(ValueError, match=r"keys differ: \['y'\]"):
        stacked([{"x": one}, {"x": one, "y": one}])


# -- torch.optim itself ---------------------------------------------------------------------------


def bowl(held: Parameters, start: Tensor) -> Tensor:
    """A curved loss that keeps L-BFGS busy; refills the gradients as the engine does."""
    held.gradients.zero_()
    flat = torch.cat([leaf.reshape(-1) for leaf in held.leaves])
    loss = (flat[1:] - flat[:-1] ** 2).square().sum() + 0.1 * (1 - flat).square().sum()
    loss.backward()
    return loss.detach()


ADAPTED: list[dict[str, Any]] = [
    {"name": "lbfgs", "lr": 0.3, "max_iter": 4, "history_size": 6},
    {"name": "lbfgs", "line_search_fn": "strong_wolfe", "max_iter": 5},
    *({"name": "torch", "algorithm": name, "lr": 1e-2} for name in algorithms() if name != "Muon"),
    {"name": "torch", "algorithm": "ASGD", "options": {"t0": 3.0, "lambd": 0.01}},
]
ADAPTED_NAMES = ["-".join(str(v) for v in setting.values()) for setting in ADAPTED]


def adapt(setting: dict[str, Any], held: Parameters) -> TorchOptimizer:
    chosen = register.choose("optimizer", setting)
    optimizer = chosen.component.builder(held, **stacked([chosen.declared]))
    assert isinstance(optimizer, TorchOptimizer)
    return optimizer


def follow(optimizer: Optimizer, held: Parameters, start: Tensor, span: range) -> None:
    for step in span:
        bowl(held, start)
        optimizer.step(optimizer.lr * (1 - step / 100), lambda: bowl(held, start))


def plain(setting: dict[str, Any], start: Parameters, count: int) -> list[Tensor]:
    """torch.optim used as everybody uses it."""
    chosen = register.choose("optimizer", setting).declared
    weights = [leaf.detach()[0].clone().requires_grad_() for leaf in start.leaves]
    algorithm = chosen.pop("algorithm", "LBFGS")
    lr, options = chosen.pop("lr"), chosen.pop("options", None) or {}
    kind = getattr(torch.optim, algorithm)
    optimizer = kind(weights, lr=lr, **options, **chosen)

    def closure() -> Tensor:
        optimizer.zero_grad()
        flat = torch.cat([weight.reshape(-1) for weight in weights])
        loss = (flat[1:] - flat[:-1] ** 2).square().sum() + 0.1 * (1 - flat).square().sum()
        loss.backward()
        return loss

    for step in range(count):
        optimizer.param_groups[0]["lr"] = lr * (1 - step / 100)
        if algorithm != "LBFGS":
            closure()
        optimizer.step(*([closure] if algorithm == "LBFGS" else []))
    return [weight.detach() for weight in weights]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("setting", ADAPTED, ids=ADAPTED_NAMES)
def test_the_adapter_is_torch_optim_and_goes_on_exactly(
    setting: dict[str, Any], dtype: torch.dtype
) -> None:
    whole, half = parameters(1, dtype), parameters(1, dtype)
    whole.values.mul_(0.3)
    half.values.mul_(0.3)
    start = whole.values.clone()
    expected = plain(setting, half, 16)

    follow(adapt(setting, whole), whole, start, range(16))
    first = adapt(setting, half)
    follow(first, half, start, range(8))
    saved = {key: value.clone() for key, value in first.state.items()}
    assert all(isinstance(value, Tensor) for value in saved.values())
    with torch.no_grad():
        again = parameters(1, dtype)
        again.values.copy_(half.values)
    second = adapt(setting, again)
    second.state = saved
    follow(second, again, start, range(8, 16))

    assert not torch.equal(whole.values, start)
    assert torch.equal(again.values, whole.values)
    for leaf, weight in zip(whole.leaves, expected, strict=True):
        assert torch.equal(leaf.detach()[0], weight)


def test_muon_sees_matrices_and_says_so_where_there_are_none() -> None:
    held = parameters(1, shapes=((4, 3), (2, 4)))
    optimizer = adapt({"name": "torch", "algorithm": "Muon"}, held)
    before = held.values.clone()
    follow(optimizer, held, before, range(3))
    assert not torch.equal(held.values, before)
    with pytest.raises(ImpossibleError) as caught:
        adapt({"name": "torch", "algorithm": "Muon"}, parameters(1))
    assert str(caught.value) == (
        "optimizer Muon of torch.optim cannot train this model: Muon only supports 2D parameters "
        "whereas we found a parameter with size: torch.Size([5])"
    )


def test_the_adapter_holds_one_run() -> None:
    with pytest.raises(ValueError, match="optimizer LBFGS trains a single run, found 2 runs"):
        adapt({"name": "lbfgs"}, parameters(2))
    assert not TorchOptimizer.stackable
    assert Rule.stackable


def test_the_adapter_leaves_frozen_parameters_alone() -> None:
    held = parameters(1)
    held.leaves[1].requires_grad_(False).grad = None
    start = held.values.clone()
    held.gradients.fill_(1)
    optimizer = adapt({"name": "torch", "options": {"weight_decay": 0.1}}, held)
    optimizer.step(optimizer.lr)
    assert torch.equal(held.values[:, 32:64], start[:, 32:64])
    assert not torch.equal(held.values, start)


def test_the_adapter_follows_its_run_into_new_parameters() -> None:
    whole, part = parameters(1), parameters(1)
    whole.values.mul_(0.3)
    part.values.mul_(0.3)
    start = whole.values.clone()
    follow(adapt({"name": "lbfgs"}, whole), whole, start, range(6))
    optimizer = adapt({"name": "lbfgs"}, part)
    follow(optimizer, part, start, range(3))
    moved = parameters(1)
    moved.values.copy_(part.values)
    optimizer.select(moved, torch.tensor([0]))
    follow(optimizer, moved, start, range(3, 6))
    assert torch.equal(moved.values, whole.values)


def test_flat_state_keeps_everything() -> None:
    nest = [
        None,
        {"step": torch.tensor(3.0), "al": [None, torch.arange(3)], "pair": (1, -0.0, 1e-323)},
        {"text": "é", "flag": True, "inf": math.inf, "empty": torch.zeros(0, 2), "list": []},
    ]
    flat = flatten(nest, torch.device("cpu"))
    assert all(isinstance(value, Tensor) for value in flat.values())
    back = unflatten(flat, torch.device("cpu"))
    assert repr(back) == repr(nest)
    assert back[1]["al"][1] is not nest[1]["al"][1]  # type: ignore[index]
    with pytest.raises(TypeError, match=r"state\.a is a set, which a checkpoint cannot store"):
        flatten({"a": set()}, torch.device("cpu"))


# -- configs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", register.kinds["optimizer"].names())
def test_yaml_states_the_defaults(name: str) -> None:
    written = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    component = register.choose("optimizer", name)
    assert set(written) == set(component.as_dict())
    assert register.choose("optimizer", written).as_dict() == component.as_dict()


def test_every_yaml_is_an_optimizer() -> None:
    assert sorted(p.stem for p in CONF.glob("*.yaml")) == register.kinds["optimizer"].names()


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
def test_defaults_are_those_of_torch(name: str) -> None:
    own = to_torch(register.choose("optimizer", name).declared)
    theirs = ALGORITHMS[name]([torch.zeros(1)]).defaults
    ours = {key for key, value in own.items() if theirs[key] != value}
    assert ours == ({"lr"} if name in ("sgd", "adam") else set())


LISTED = ", ".join(algorithms())
FAULTS: list[tuple[object, str]] = [
    (
        "adm",
        (
            "optimizer  unknown optimizer 'adm'. Did you mean 'adam'? Known: adadelta, adagrad, "
            "adam, adamw, lbfgs, lion, muon, nadam, radam, rmsprop, rprop, sam, "
            "schedule_free_adamw, schedule_free_sgd, sgd, soap, torch"
        ),
    ),
    ({"name": "sgd", "lr": math.nan}, "optimizer.lr  expected a finite number, found nan"),
    ({"name": "sgd", "lr": 0.0}, "optimizer.lr  expected a number greater than 0, found 0.0"),
    ({"name": "adam", "lr": "0.1"}, "optimizer.lr  expected a number, found '0.1'"),
    ({"name": "adam", "eps": 0.0}, "optimizer.eps  expected a number of at least 1e-30, found 0.0"),
    ({"name": "adam", "beta1": 1.0}, "optimizer.beta1  expected a number less than 1, found 1.0"),
    (
        {"name": "adam", "betas": [0.9, 0.99]},
        (
            "optimizer.betas  unknown parameter of optimizer adam 'betas'. Did you mean 'beta2'? "
            "It takes: lr, beta1, beta2, eps, weight_decay, amsgrad"
        ),
    ),
    (
        {"name": "sgd", "nesterov": True},
        "optimizer.nesterov  expected a momentum greater than 0 with nesterov, found momentum 0",
    ),
    (
        {"name": "sgd", "nesterov": True, "momentum": 0.9, "dampening": 0.1},
        "optimizer.nesterov  expected dampening 0 with nesterov, found 0.1",
    ),
    (
        {"name": "rprop", "step_size_min": 2.0, "step_size_max": 1.0},
        "optimizer.step_size_min  expected at most step_size_max, which is 1.0, found 2.0",
    ),
    (
        {"name": "lbfgs", "line_search_fn": "armijo"},
        "optimizer.line_search_fn  expected 'strong_wolfe', found 'armijo'",
    ),
    (
        {"name": "torch", "algorithm": "adamax"},
        (
            "optimizer.algorithm  unknown optimizer of torch.optim 'adamax'. Did you mean "
            f"'Adamax'? Known: {LISTED}"
        ),
    ),
    (
        {"name": "torch", "algorithm": "SparseAdam"},
        "optimizer.algorithm  SparseAdam needs sparse gradients, and no model here has them",
    ),
    (
        {"name": "torch", "algorithm": "Optimizer"},
        "optimizer.algorithm  Optimizer is the base class of the others: choose one of them",
    ),
    (
        {"name": "torch", "options": {"beta": 1.0}},
        (
            "optimizer.options.beta  unknown option of torch.optim.Adamax 'beta'. Did you mean "
            "'betas'? It takes: betas, eps, weight_decay, maximize"
        ),
    ),
    (
        {"name": "torch", "options": {"eps": math.inf}},
        "optimizer.options.eps  expected a finite number, found inf",
    ),
    (
        {"name": "torch", "options": {"maximize": 1}},
        (
            "optimizer.options.maximize  expected a boolean, found 1. Did you mean "
            "optimizer.options.maximize=true?"
        ),
    ),
    (
        {"name": "torch", "options": {"betas": [0.9]}},
        "optimizer.options.betas  expected at least 2 items, found [0.9]",
    ),
    (
        {"name": "torch", "options": {"betas": [0.9, 1.5]}},
        (
            "optimizer.options  torch.optim.Adamax refuses them: Invalid beta parameter at index "
            "1: 1.5"
        ),
    ),
]


@pytest.mark.parametrize(("value", "fault"), FAULTS, ids=range(len(FAULTS)))
def test_faults(value: object, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        register.choose("optimizer", value)
    assert str(caught.value) == f"1 fault in the config; nothing was started\n  {fault}"


def test_all_faults_at_once() -> None:
    wrong = {"name": "adam", "lr": -1.0, "weight_decay": math.inf, "amsgrad": "yes", "beta": 0.9}
    with pytest.raises(ConfigError) as caught:
        register.choose("optimizer", wrong)
    assert [fault.path for fault in caught.value.faults] == [
        "optimizer.amsgrad",
        "optimizer.beta",
        "optimizer.lr",
        "optimizer.weight_decay",
    ]
