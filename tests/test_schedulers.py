"""Every schedule against torch.optim.lr_scheduler, and what it says of wrong parameters."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from torch.optim import lr_scheduler as reference

import exp.registry.kinds  # noqa: F401 - declares the kinds
from exp.components.schedulers.plateau import Plateau
from exp.components.schedulers.scheduler import Progress, Scheduler, Warmup, scheduler
from exp.registry.registry import register
from exp.util.errors import ConfigError

CONF = Path(__file__).parents[1] / "conf" / "scheduler"
BASE, EPOCHS = 0.37, 60
Reference = Callable[[torch.optim.Optimizer], reference.LRScheduler]


def chosen(name: str, **params: object) -> Scheduler:
    return scheduler(register.choose("scheduler", {"name": name, **params}))


def rates(schedule: Scheduler, epochs: int = EPOCHS, steps: int = 1) -> list[float]:
    """What the engine would ask for: once per epoch, or once per step."""
    asked = range(steps) if schedule.within_epoch else range(1)
    return [
        schedule.rate(BASE, Progress(e, epochs, s, steps)) for e in range(epochs) for s in asked
    ]


def torch_rates(make: Reference, count: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=BASE)
    schedule = make(optimizer)
    found = []
    for _ in range(count):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def assert_same(ours: list[float], theirs: list[float]) -> None:
    assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-12 * BASE)


EPOCHWISE: dict[str, tuple[dict[str, object], Reference]] = {
    "none": ({}, lambda o: reference.ConstantLR(o, 1.0)),
    "step": ({"step_size": 7, "gamma": 0.5}, lambda o: reference.StepLR(o, 7, 0.5)),
    "multistep": (
        {"milestones": [30, 12, 12], "gamma": 0.3},
        lambda o: reference.MultiStepLR(o, [30, 12, 12], 0.3),
    ),
    "exponential": ({"gamma": 0.93}, lambda o: reference.ExponentialLR(o, 0.93)),
    "cosine": ({"eta_min": 0.01}, lambda o: reference.CosineAnnealingLR(o, EPOCHS, 0.01)),
}


def test_inverse_is_scikit_learns_invscaling() -> None:
    """`learning_rate_init / (t + 1) ** power_t`, where t counts the rows that were seen."""
    theirs = [BASE / (150 * epoch + 1) ** 0.7 for epoch in range(EPOCHS)]
    assert_same(rates(chosen("inverse", decay=150.0, power=0.7)), theirs)


@pytest.mark.parametrize("name", EPOCHWISE)
def test_epochwise(name: str) -> None:
    params, make = EPOCHWISE[name]
    assert_same(rates(chosen(name, **params)), torch_rates(make, EPOCHS))


def test_cosine_rises_again_after_t_max() -> None:
    ours = rates(chosen("cosine", t_max=23))
    assert_same(ours, torch_rates(lambda o: reference.CosineAnnealingLR(o, 23), EPOCHS))
    assert ours[23] == 0.0
    assert ours[46] == pytest.approx(BASE)


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize("pct_start", [0.0, 0.3, 0.5])
def test_one_cycle(steps: int, strategy: str, three_phase: bool, pct_start: float) -> None:
    if three_phase and pct_start == 0:
        pytest.skip("torch.optim divides by zero")
    params = {"pct_start": pct_start, "three_phase": three_phase, "anneal_strategy": strategy}

    def make(optimizer: torch.optim.Optimizer) -> reference.LRScheduler:
        return reference.OneCycleLR(
            optimizer, BASE, EPOCHS * steps, cycle_momentum=False, div_factor=10.0, **params
        )

    ours = rates(chosen("one_cycle", div_factor=10.0, **params), steps=steps)
    assert_same(ours, torch_rates(make, EPOCHS * steps))


def test_one_cycle_peaks_at_the_optimizers_rate_unless_told() -> None:
    assert max(rates(chosen("one_cycle", pct_start=0.5))) == pytest.approx(BASE, rel=1e-2)
    assert max(rates(chosen("one_cycle", max_lr=2.0))) == pytest.approx(2.0, rel=1e-2)


@pytest.mark.parametrize("epochs", [1, 2, 3, 4])
@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize("pct_start", [0.0, 0.25, 0.5])
def test_one_cycle_of_a_few_steps_is_finite(
    epochs: int, three_phase: bool, pct_start: float
) -> None:
    schedule = chosen("one_cycle", pct_start=pct_start, three_phase=three_phase)
    assert all(0 < rate <= BASE for rate in rates(schedule, epochs))


BEHIND: dict[str, tuple[dict[str, object], Reference]] = {
    **EPOCHWISE,
    "cosine": ({}, lambda o: reference.CosineAnnealingLR(o, EPOCHS - 9)),
    "one_cycle": (
        {},
        lambda o: reference.OneCycleLR(o, BASE, EPOCHS - 9, cycle_momentum=False),
    ),
}


@pytest.mark.parametrize("name", BEHIND)
def test_warmup_is_sequential(name: str) -> None:
    params, make = BEHIND[name]

    def sequential(optimizer: torch.optim.Optimizer) -> reference.LRScheduler:
        rise = reference.LinearLR(optimizer, start_factor=0.2, total_iters=9)
        return reference.SequentialLR(optimizer, [rise, make(optimizer)], [9])

    theirs = torch_rates(sequential, EPOCHS)
    if name == "one_cycle":
        # OneCycleLR overwrites the initial rate that LinearLR starts from; ours rises to the base.
        theirs[:9] = torch_rates(lambda o: reference.LinearLR(o, 0.2, total_iters=9), 9)
    assert_same(rates(chosen(name, warmup=9, warmup_start=0.2, **params)), theirs)


def test_warmup_rises_with_every_step_of_an_epoch() -> None:
    ours = rates(chosen("none", warmup=3, warmup_start=0.25), epochs=5, steps=4)
    rise = torch_rates(lambda o: reference.LinearLR(o, 0.25, total_iters=12), 20)
    assert_same(ours, rise)
    assert ours[12:] == [BASE] * 8


def test_warmup_of_the_whole_run_and_longer() -> None:
    assert len(rates(chosen("cosine", warmup=EPOCHS))) == EPOCHS
    assert max(rates(chosen("cosine", warmup=2 * EPOCHS))) < BASE


def losses(count: int) -> list[float]:
    """A loss that falls, stalls, jumps and is NaN now and then."""
    noise = torch.rand(count, generator=torch.Generator().manual_seed(3)).tolist()
    found = [max(0.3, 1 - i / 40) + 0.02 * x for i, x in enumerate(noise)]
    return [math.nan if i % 37 == 5 else loss for i, loss in enumerate(found)]


@pytest.mark.parametrize("mode", ["rel", "abs"])
@pytest.mark.parametrize("cooldown", [0, 3])
@pytest.mark.parametrize("min_lr", [0.0, 0.02])
def test_plateau(mode: str, cooldown: int, min_lr: float) -> None:
    params = {"factor": 0.4, "patience": 2, "threshold": 0.01, "cooldown": cooldown}
    schedule = chosen("plateau", threshold_mode=mode, min_lr=min_lr, **params)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=BASE)
    theirs = reference.ReduceLROnPlateau(optimizer, threshold_mode=mode, min_lr=min_lr, **params)
    changes = set()
    for epoch, loss in enumerate(losses(300)):
        now = schedule.rate(BASE, Progress(epoch, 300))
        assert now == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
        changes.add(now)
        theirs.step(loss)
        schedule.observe(loss)
    assert len(changes) > 3


@pytest.mark.parametrize("warmup", [0, 20])
def test_plateau_goes_on_from_its_state(warmup: int) -> None:
    params = {"factor": 0.5, "patience": 1, "cooldown": 2, "warmup": warmup}
    whole, half = chosen("plateau", **params), chosen("plateau", **params)
    expected, found = [], []
    for epoch, loss in enumerate(losses(120)):
        if epoch == 60:
            saved = json.loads(json.dumps(half.state, allow_nan=False))
            half = chosen("plateau", **params)
            half.state = saved
        expected.append(whole.rate(BASE, Progress(epoch, 120)))
        found.append(half.rate(BASE, Progress(epoch, 120)))
        whole.observe(loss)
        half.observe(loss)
    assert found == expected
    assert expected[-1] < expected[warmup]


def test_plateau_counts_nothing_while_warming_up() -> None:
    schedule = chosen("plateau", patience=0, warmup=5)
    assert isinstance(schedule, Warmup)
    assert isinstance(schedule.after, Plateau)
    for epoch in range(5):
        schedule.rate(BASE, Progress(epoch, 10))
        schedule.observe(1.0)
    assert schedule.after.changes == 0
    assert schedule.rate(BASE, Progress(5, 10)) == BASE


def test_what_the_engine_may_skip() -> None:
    plain = {name: chosen(name) for name in register.kinds["scheduler"].names()}
    warm = {name: chosen(name, warmup=1) for name in plain}
    assert [name for name, schedule in plain.items() if schedule.constant] == ["none"]
    assert [name for name, schedule in plain.items() if schedule.within_epoch] == ["one_cycle"]
    assert [name for name, schedule in plain.items() if schedule.observes] == ["plateau"]
    assert not any(schedule.constant for schedule in warm.values())
    assert all(schedule.within_epoch for schedule in warm.values())
    assert [name for name, schedule in warm.items() if schedule.observes] == ["plateau"]


@pytest.mark.parametrize("name", ["exponential", "step", "multistep"])
def test_a_growing_rate_stays_a_number(name: str) -> None:
    own = {"step": {"step_size": 1}, "multistep": {"milestones": [1, 2]}}.get(name, {})
    assert rates(chosen(name, gamma=3e38, **own))[-1] == pytest.approx(3e38)


def test_a_stateless_schedule_takes_no_foreign_state() -> None:
    schedule = chosen("cosine")
    schedule.state = {}
    with pytest.raises(ValueError, match=r"Cosine has no state, found \['best'\]"):
        schedule.state = {"best": 1.0}


@pytest.mark.parametrize("name", register.kinds["scheduler"].names())
def test_yaml_states_the_defaults(name: str) -> None:
    written = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    component = register.choose("scheduler", name)
    assert written == component.as_dict()
    assert register.choose("scheduler", written).params == component.params


def test_every_yaml_is_a_schedule() -> None:
    assert sorted(p.stem for p in CONF.glob("*.yaml")) == register.kinds["scheduler"].names()


FAULTS = {
    "cosin": "scheduler  unknown scheduler 'cosin'. Did you mean 'cosine'? "
    "Known: cosine, exponential, inverse, multistep, none, one_cycle, plateau, step",
    "step_size": "scheduler.step_size  expected a number greater than or equal to 1, found 0",
    "gama": "scheduler.gama  unknown parameter of scheduler exponential 'gama'. Did you mean "
    "'gamma'? It takes: gamma, warmup, warmup_start",
    "warmup": "scheduler.warmup  expected an integer, found 1.5",
    "warmup_start": "scheduler.warmup_start  expected a number greater than 0, found 0.0",
    "pct_start": "scheduler.pct_start  expected at most 0.5 with three_phase, found 0.6: the rise "
    "and the first fall each take this share",
    "anneal_strategy": "scheduler.anneal_strategy  expected 'cos' or 'linear', found 'cosine'. "
    "Did you mean 'cos'?",
    "eta_min": "scheduler.eta_min  expected a finite number, found nan",
}
WRONG: dict[str, object] = {
    "cosin": "cosin",
    "step_size": {"name": "step", "step_size": 0},
    "gama": {"name": "exponential", "gama": 0.9},
    "warmup": {"name": "cosine", "warmup": 1.5},
    "warmup_start": {"name": "cosine", "warmup_start": 0.0},
    "pct_start": {"name": "one_cycle", "pct_start": 0.6, "three_phase": True},
    "anneal_strategy": {"name": "one_cycle", "anneal_strategy": "cosine"},
    "eta_min": {"name": "cosine", "eta_min": math.nan},
}


@pytest.mark.parametrize("case", FAULTS)
def test_faults(case: str) -> None:
    with pytest.raises(ConfigError) as caught:
        register.choose("scheduler", WRONG[case])
    assert str(caught.value) == f"1 fault in the config; nothing was started\n  {FAULTS[case]}"
