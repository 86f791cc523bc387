"""Mistakes in a custom model that PyTorch does not report, found before it is trained.

A few rows go through the model as plain PyTorch runs it, so that an error of torch is shown in the
words of torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from exp.components.losses.loss import Loss
from exp.engine.job import Job
from exp.registry.user_code import changed, failed, lines_of, passed_on, seeded, states
from exp.util.errors import ComponentError, CustomCodeError, lines

CLOSE: dict[str, Any] = {"rtol": 1e-3, "atol": 1e-4}
GLOBAL = ("numpy.random", "Python's random")
"""Generators that exp does not seed while it trains."""
SEEDS = (1, 2)
LARGE = 5_000_000
"""Parameters: a larger model is built once for these checks, not several times."""
ROWS = 3
"""Rows that go through the model: enough that a result for each row differs from one number."""
LAST = {
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
    "LogSigmoid": "log-sigmoid",
    "LogSoftmax": "log-softmax",
}
"""Autograd's names of the operations that turn logits into probabilities."""
SHAPING = ("View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "T", "Transpose", "Clone")
"""Operations that do not change the numbers."""
STEPS = ("Round", "Sign", "Floor", "Ceil", "Trunc")
"""Operations whose slope is 0 wherever they have one."""
ADVICE = (
    "self.register_buffer({!r}, tensor) makes it a part of the model, so that it is moved and saved"
)


def check_output(job: Job) -> None:
    """Checks what the module computes for a few rows, as plain PyTorch runs it.

    Raises:
        CustomCodeError: an exception on the way.
        ComponentError: its outputs are not logits `[rows, outputs]` for this loss, or it keeps a
            tensor on another device than the run.
        MemoryError, RuntimeError: there is not enough memory.
    """
    name, module, place = job.plan["model"].name, job.module(), job.device.torch_device
    for kind, where, tensor in tensors(module):
        if tensor.is_meta and kind != "plain":
            raise ComponentError(
                f"model {name}: {where} is on the device meta and has no values. Build the model "
                "on the CPU: exp moves it to the device of the run"
            )
        if kind == "plain" and tensor.device.type != place.type:
            raise ComponentError(
                f"model {name} keeps {where} on {tensor.device.type}, and this run uses "
                f"{place.type}. {ADVICE.format(where.rpartition('.')[2])}"
            )
    x = torch.from_numpy(job.first_rows(ROWS)).to(place, job.device.dtype)
    module = module.to(place, job.device.dtype).eval()
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            logits = module(x)
    except (Exception, SystemExit) as error:
        if passed_on(error) or "allocate memory" in str(error):
            raise
        chosen = job.plan["model"]
        if not isinstance(error, RuntimeError) or chosen.at_fault != chosen.component.title:
            raise failed(chosen.at_fault, error) from error
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        what = f"model {name} cannot compute rows {list(x.shape)}: {reason}"
        raise CustomCodeError(lines(what, *lines_of(error).splitlines())) from error
    wanted = (len(x), job.outputs)
    if not isinstance(logits, Tensor) or logits.shape != wanted:
        found = list(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ComponentError(
            f"model {name} must map rows {list(x.shape)} to logits {list(wanted)}, found {found}"
            f"{hint(logits, job)}"
        )
    if (lost := without_gradient(logits, module)) is not None:
        raise ComponentError(
            f"model {name} cannot be trained: {lost}. Return the logits; exp turns them into "
            "probabilities and labels"
        )
    if (last := last_step(logits)) is not None and takes_logits(job):
        raise ComponentError(
            f"model {name} returns probabilities, because its last step is a {last}, but loss "
            f"{job.loss.name} takes logits. Remove the {last}"
            f"{why(last, job.outputs)}"
        )


def without_gradient(logits: Tensor, module: nn.Module) -> str | None:
    """How a model loses the gradient at its end, as one that returns labels does."""
    if not logits.requires_grad and any(p.requires_grad for p in module.parameters()):
        return "no gradient reaches its parameters, for example because of > 0.5 or argmax"
    step = last_operation(logits)
    if step in STEPS:
        return f"its last step is {step.lower()}, whose gradient is 0"
    return None


def why(last: str, outputs: int) -> str:
    """What is wrong with such a last step."""
    if last == "sigmoid":
        what = ": the probability is above 0.5 where the logit is above 0" if outputs == 1 else ""
    elif last == "log-sigmoid":
        what = ": it is never above 0, so no row would be predicted as the second class"
    elif outputs == 1:
        what = f": for one logit it is always {1 if last == 'softmax' else 0}"
    else:
        what = ": applied twice, it keeps the loss high"
    return what


def hint(logits: Any, job: Job) -> str:
    """The most frequent cause of a wrong shape."""
    if not isinstance(logits, Tensor):
        return ""
    if job.outputs == 1 and logits.dim() == 1:
        return ". Remove the squeeze: a loss needs [rows, 1], not [rows]"
    if job.data.data.numeric:
        return ". A regression model must return one output for each row"
    if job.outputs == 1 and logits.dim() == 2 and logits.shape[1] > 1:
        return (
            f". Loss {job.loss.name} takes one logit for two classes: return out_features logits, "
            "or use loss=cross_entropy, which takes one for each class"
        )
    if logits.dim() == 2:
        return ". A model must return out_features logits"
    return ""


def last_operation(logits: Tensor) -> str:
    """Autograd's name of the last operation that changed numbers, "" if there is none."""
    step: Any = logits.grad_fn
    while step is not None and step.name().partition("Backward")[0] in SHAPING:
        step = step.next_functions[0][0]
    return "" if step is None else str(step.name()).partition("Backward")[0]


def last_step(logits: Tensor) -> str | None:
    """What turns logits into probabilities at the end of a model, if autograd recorded it.

    A softmax of several logits is also found by its sums; a log-softmax of several does no harm.
    """
    last = LAST.get(last_operation(logits))
    outputs = logits.shape[1]
    if last == "log-softmax" and outputs > 1:
        return None
    if last is None and outputs > 1 and bool((logits >= 0).all()):
        total = logits.sum(dim=1)
        return "softmax" if torch.allclose(total, torch.ones_like(total), atol=1e-4) else None
    return last


def takes_logits(job: Job) -> bool:
    """Whether the loss computes probabilities by sigmoid or softmax; a custom loss may define what
    the outputs of a model mean."""
    builder: Any = job.loss.component.builder
    return builder.probabilities is Loss.probabilities


def tensors(module: nn.Module) -> Iterator[tuple[str, str, Tensor]]:
    """Every tensor of a module: its role (parameter, buffer, plain), its name and itself."""
    for name, parameter in module.named_parameters():
        yield "parameter", name, parameter
    for name, buffer in module.named_buffers():
        yield "buffer", name, buffer
    for name, part in module.named_modules():
        for key, value in vars(part).items():
            if isinstance(value, Tensor):
                yield "plain", f"{name}.{key}" if name else key, value


def check_repeatable(job: Job, x: Tensor) -> Tensor:
    """Runs a custom model on a few rows, in training and in evaluation mode.

    Args:
        x: `[rows, features]` on the device of the run.

    Returns:
        Its logits `[rows, outputs]` in evaluation mode.

    Raises:
        ComponentError: it seeds a generator, changes the rows, draws from generators that exp does
            not seed, or its output for a row depends on the other rows.
    """
    name = job.plan["model"].name
    if generator := seeded_by_model(job):
        raise ComponentError(
            f"model {name} seeds {generator} while it is built, so that every run would draw the "
            "same numbers. Remove that: exp seeds all generators with seeds.init"
        )
    evaluated = x
    large = sum(p.numel() for p in job.source().parameters()) > LARGE
    seeds = SEEDS[:1] if large else (*SEEDS, SEEDS[-1])
    for training in (True, False):
        mode = "training" if training else "evaluation"
        found, after = [], []
        for number in seeds:
            module = job.module().to(x.device, x.dtype).train(training)
            rows = x.clone()
            with torch.random.fork_rng(devices=[]), seeded(number), torch.no_grad():
                before = states()
                found.append((module, module(rows)))
                after.append(states())
            if not torch.equal(rows, x):
                raise ComponentError(
                    f"model {name} changes its input ({mode} mode): later epochs would use other "
                    "data. Do not change it in place (x -= ..., x.mul_(...), inplace=True in the "
                    "first layer)"
                )
            if drawn := [each for each in changed(before, after[-1]) if each in GLOBAL]:
                raise ComponentError(
                    f"model {name} uses {' and '.join(drawn)} in its forward pass. exp "
                    "does not seed it, so the run would not be repeatable. Draw random "
                    "numbers from torch (torch.rand, nn.Dropout)"
                )
        if not large and "torch" not in changed(after[0], after[1]):
            raise ComponentError(
                f"model {name} seeds torch's generator in its forward pass: dropout would drop the "
                "same units in every step. Remove torch.manual_seed"
            )
        (one, first), (other, second) = found[-2:] if not large else (found[0], found[0])
        unlike = different(one, other)
        if unlike is not None or not equal(first, second):
            what = "its outputs differ each time, with the same weights and the same seed"
            if unlike is not None:
                what = f"{unlike} differs each time it is built, with the same seed"
            raise ComponentError(
                f"model {name}: {what}. The run would not be repeatable: draw from torch's "
                "generator, which exp seeds"
            )
        if not training:
            evaluated = first
            if not equal(found[0][1], first):
                raise ComponentError(
                    f"model {name} draws at random in evaluation mode too: its predictions would "
                    "not be repeatable. Draw only if self.training is true, as nn.Dropout does"
                )
            with torch.no_grad():
                few = found[-1][0](x[:2].clone()) if len(x) > 2 else first[:2]
            if not torch.allclose(few, first[:2], equal_nan=True, **CLOSE):
                raise ComponentError(
                    f"model {name}: the output for a row depends on the other rows of "
                    "the batch, even in evaluation mode. In that mode, use statistics "
                    "of the training rows, as nn.BatchNorm1d does, or of the row alone"
                )
    return evaluated


def seeded_by_model(job: Job) -> str | None:
    """The global generator that the model's constructor seeds, if it does."""
    after = []
    for number in SEEDS:
        with torch.random.fork_rng(devices=[]), seeded(number):
            job.plan["model"].build(job.data.inputs, job.outputs)
            after.append(states())
    differ = changed(*after)
    return next((name for name in after[0] if name not in differ), None)


def different(one: torch.nn.Module, other: torch.nn.Module) -> str | None:
    """The first parameter or buffer that differs between two modules."""
    theirs = other.state_dict()
    return next((n for n, p in one.state_dict().items() if not equal(p, theirs[n])), None)


def equal(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors hold the same numbers; NaN is NaN."""
    same = one.shape == other.shape
    return same and bool(((one == other) | ((one != one) & (other != other))).all())


def check_layers(job: Job, plain: Tensor, stacked: Tensor) -> None:
    """
    Args:
        plain, stacked: logits `[rows, outputs]` by the module, and by the layers of the engine.

    Raises:
        ComponentError: they differ.
    """
    if not torch.allclose(plain.cpu().to(stacked.dtype), stacked, equal_nan=True, **CLOSE):
        raise ComponentError(
            f"model {job.plan['model'].name} computes different outputs in a stack of "
            "runs. An activation with `elementwise = True` must compute each number "
            "separately: otherwise remove that line"
        )
