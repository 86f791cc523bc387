"""What a model of a user's own shows before it is trained: mistakes that PyTorch says nothing of.

A few rows go through the model as plain PyTorch has it, so that what torch itself finds wrong is
told in its own words, not in those of a stack.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from exp.components.losses import Loss
from exp.engine.job import Job
from exp.registry.user_code import failed, lines_of, passed_on
from exp.util.errors import ComponentError, OwnCodeError, lines

ROWS = 3
"""So many go through the model: enough to tell rows from a single number."""
LAST = {
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
    "LogSigmoid": "log-sigmoid",
    "LogSoftmax": "log-softmax",
}
"""What autograd calls the operations that make probabilities of logits."""
SHAPING = ("View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "T", "Transpose", "Clone")
"""Operations that leave the numbers as they are."""
STEPS = ("Round", "Sign", "Floor", "Ceil", "Trunc")
"""Operations whose slope is 0 wherever they have one."""
ADVICE = "self.register_buffer({!r}, tensor) makes it a part of the model: moved with it, and saved"


def probed(job: Job) -> None:
    """Lets the plain module answer a few rows.

    Raises:
        OwnCodeError: an exception on the way.
        ComponentError: its answers are no logits `[rows, outputs]` of this loss, or it keeps a
            tensor where the run does not compute.
        MemoryError, RuntimeError: there is not enough memory.
    """
    name, module, place = job.plan["model"].name, job.module(), job.device.torch_device
    for kind, where, tensor in tensors(module):
        if tensor.is_meta and kind != "plain":
            raise ComponentError(
                f"model {name} keeps no numbers in {where}, which stands on the device meta. Build "
                "it on the CPU: a run moves its model to its own device"
            )
        if kind == "plain" and tensor.device.type != place.type:
            raise ComponentError(
                f"model {name} keeps {where} on {tensor.device.type}, and this run computes on "
                f"{place.type}. {ADVICE.format(where.rpartition('.')[2])}"
            )
    x = torch.from_numpy(job.data.X[:ROWS].copy()).to(place, job.device.dtype)
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
        what = f"model {name} cannot answer rows {list(x.shape)}: {reason}"
        raise OwnCodeError(lines(what, *lines_of(error).splitlines())) from error
    wanted = (len(x), job.outputs)
    if not isinstance(logits, Tensor) or logits.shape != wanted:
        found = list(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ComponentError(
            f"model {name} must map rows {list(x.shape)} to logits {list(wanted)}, found {found}"
            f"{hint(logits, job)}"
        )
    if (lost := without_gradient(logits, module)) is not None:
        raise ComponentError(
            f"model {name} gives nothing to train by: {lost}. Give the logits themselves; exp "
            "makes probabilities and labels of them"
        )
    if (last := last_step(logits)) is not None and takes_logits(job):
        raise ComponentError(
            f"model {name} gives probabilities, as its last step is a {last}; loss "
            f"{job.loss.name} takes logits and does that itself. Leave the {last} out"
            f"{why(last, job.outputs)}"
        )


def without_gradient(logits: Tensor, module: nn.Module) -> str | None:
    """How a model loses the gradient at its end, as one that gives labels does."""
    if not logits.requires_grad and any(p.requires_grad for p in module.parameters()):
        return "no gradient leads from its answers to its parameters, as after > 0.5 or argmax"
    step = last_operation(logits)
    if step in STEPS:
        return f"its last step is {step.lower()}, whose gradient is 0"
    return None


def why(last: str, outputs: int) -> str:
    """What is lost by such a last step."""
    if last == "sigmoid":
        what = ": the probability is above 0.5 where the logit is above 0" if outputs == 1 else ""
    elif last == "log-sigmoid":
        what = ": it is never above 0, so that no row would be of the second class"
    elif outputs == 1:
        what = f": of one logit it is always {1 if last == 'softmax' else 0}"
    else:
        what = ": done twice, it keeps the loss from falling"
    return what


def hint(logits: Any, job: Job) -> str:
    """What most often lies behind a wrong shape."""
    if not isinstance(logits, Tensor):
        return ""
    if job.outputs == 1 and logits.dim() == 1:
        return ". Leave the squeeze out: a loss keeps [rows, 1] and [rows] apart"
    if job.data.data.numeric:
        return ". The target is a number: one output for each row"
    if job.outputs == 1 and logits.dim() == 2 and logits.shape[1] > 1:
        return (
            f". Loss {job.loss.name} takes one logit for two classes: give out_features of them, "
            "or use loss=cross_entropy, which takes one for each class"
        )
    if logits.dim() == 2:
        return ". A model is to give out_features logits"
    return ""


def last_operation(logits: Tensor) -> str:
    """What autograd calls the last operation that changed numbers; nothing if it saw none."""
    step: Any = logits.grad_fn
    while step is not None and step.name().partition("Backward")[0] in SHAPING:
        step = step.next_functions[0][0]
    return "" if step is None else str(step.name()).partition("Backward")[0]


def last_step(logits: Tensor) -> str | None:
    """What makes probabilities of logits at the end of a model, if autograd saw it: a softmax of
    several logits is also told by its sums; a log-softmax of several does no harm."""
    last = LAST.get(last_operation(logits))
    outputs = logits.shape[1]
    if last == "log-softmax" and outputs > 1:
        return None
    if last is None and outputs > 1 and bool((logits >= 0).all()):
        total = logits.sum(dim=1)
        return "softmax" if torch.allclose(total, torch.ones_like(total), atol=1e-4) else None
    return last


def takes_logits(job: Job) -> bool:
    """Whether the loss makes probabilities itself, by sigmoid or softmax; one of a user's own may
    take the model's numbers for something else."""
    builder: Any = job.loss.component.builder
    return builder.probabilities is Loss.probabilities


def tensors(module: nn.Module) -> Iterator[tuple[str, str, Tensor]]:
    """Every tensor of a module: what it is there (parameter, buffer, plain), its name, itself."""
    for name, parameter in module.named_parameters():
        yield "parameter", name, parameter
    for name, buffer in module.named_buffers():
        yield "buffer", name, buffer
    for name, part in module.named_modules():
        for key, value in vars(part).items():
            if isinstance(value, Tensor):
                yield "plain", f"{name}.{key}" if name else key, value
