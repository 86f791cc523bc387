"""The five steps of the loop of a script: with all rows, with a batch, with several batches."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from exp.script.loss_section import divisor, form_of, value, weighted
from exp.script.model_section import draws, has_batch_norm
from exp.script.optimizer_section import needs_closure
from exp.script.schedule_section import schedule, steps_per_epoch, warmup_lines
from exp.script.section import Recipe


def indented(lines: Iterable[str]) -> list[str]:
    """Lines one level further in."""
    return [textwrap.indent(line, "    ") for text in lines for line in text.split("\n")]


def logits(recipe: Recipe, x: str, model: str = "model") -> str:
    """The code of a forward pass."""
    return f"{model}({x})" + (".squeeze(1)" if recipe.outputs == 1 else "")


def whole(recipe: Recipe) -> list[str]:
    """The five steps with all training rows."""
    return [
        *warmup(recipe, "epoch"),
        *forward(recipe, "X_train", "y_train", "w_train", "all training rows"),
        *backward(recipe),
        *step(recipe, closure(recipe, "X_train", "y_train", "w_train", "")),
        *after_step(recipe),
    ]


def batches(recipe: Recipe) -> list[str]:
    """The five steps with each mini-batch."""
    trainer, number = recipe.plan.trainer, "number, " if schedule(recipe).warmup else ""
    device = "" if recipe.device.torch_device.type == "cpu" else ".to(device)"
    lines = [
        f"order = torch.randperm(len(X_train), generator=shuffler){device}",
        "losses, outputs = [], []",
    ]
    parts = f"order.split({trainer.batch_size})"
    if trainer.accumulate > 1:
        return lines + accumulated(recipe, parts, number)
    names = "X=X, y=y, w=w" if weighted(recipe) else "X=X, y=y"
    inner = [
        *counted(recipe),
        *some_rows(recipe),
        *warmup(recipe, "step"),
        *forward(recipe, "X", "y", "w", "the rows of a batch"),
        *backward(recipe),
        *step(recipe, closure(recipe, "X", "y", "w", names)),
        *after_step(recipe),
        *noted(recipe),
    ]
    head = f"enumerate({parts})" if number else parts
    return [*lines, f"for {number}rows in {head}:", *indented(inner)]


def accumulated(recipe: Recipe, parts: str, number: str) -> list[str]:
    """The steps if each is made with several batches."""
    count = recipe.plan.trainer.accumulate
    places = f"range(0, len(parts), {count})"
    total = divisor(recipe, "y_train[together]", "w_train[together]")
    each = [
        *some_rows(recipe),
        *forward(recipe, "X", "y", "w", "the rows of a batch"),
        "# 4. Backward pass: the gradients of the batches add up to that of all their rows.",
        f"(loss * {divisor(recipe, 'y')} / total).backward()",
        *noted(recipe),
    ]
    inner = [
        *counted(recipe),
        *warmup(recipe, "step"),
        f"group = parts[first : first + {count}]",
        "together = torch.cat(group)",
        f"total = {total.replace('len(y_train[together])', 'len(together)')}",
        f"# 3. Set the gradients of the step before to zero. A step takes {count} batches.",
        "model.zero_grad()",
        "for rows in group:",
        *indented(each),
        *clip(recipe),
        *step(recipe, again_with_all(recipe)),
        *after_step(recipe),
    ]
    head = f"enumerate({places})" if number else places
    return [f"parts = {parts}", f"for {number}first in {head}:", *indented(inner)]


def counted(recipe: Recipe) -> list[str]:
    """The number of a step, from 0, where it is needed."""
    if not schedule(recipe).warmup:
        return []
    return [f"step = epoch * {steps_per_epoch(recipe)} + number"]


def some_rows(recipe: Recipe) -> list[str]:
    """The rows of a batch."""
    more = ["w = w_train[rows]"] if weighted(recipe) else []
    return ["X, y = X_train[rows], y_train[rows]", *more]


def noted(recipe: Recipe) -> list[str]:
    """What a batch adds to the scores of its epoch."""
    return [
        f"losses.append(loss.detach() * {divisor(recipe, 'y')})",
        "outputs.append(logits.detach())",
    ]


def warmup(recipe: Recipe, number: str) -> list[str]:
    """What sets the rate of a step in the warm-up."""
    return warmup_lines(recipe, number) if schedule(recipe).warmup else []


def seeded(recipe: Recipe) -> list[str]:
    """What a custom model draws from in a pass: torch's generator, seeded by another."""
    if not draws(recipe):
        return []
    return ["torch.manual_seed(int(torch.randint(2**62, (), generator=dropper)))"]


def forward(recipe: Recipe, x: str, y: str, w: str, rows: str) -> list[str]:
    """Steps 1 and 2."""
    what = "predictions" if form_of(recipe) == 0 else "logits"
    return [
        *seeded(recipe),
        f"# 1. Forward pass: the {what} of {rows}.",
        f"logits = {logits(recipe, x)}",
        "# 2. Loss: how far they are from the truth.",
        f"loss = {value(recipe, 'logits', y, w)}",
    ]


def backward(recipe: Recipe) -> list[str]:
    """Steps 3 and 4."""
    owner = "model" if recipe.plan["optimizer"].name == "sam" else "optimizer"
    return [
        "# 3. Set the gradients of the step before to zero.",
        f"{owner}.zero_grad()",
        "# 4. Backward pass: the gradient of the loss for each weight.",
        "loss.backward()",
        *clip(recipe),
    ]


def clip(recipe: Recipe) -> list[str]:
    """The largest norm of a gradient."""
    limit = recipe.plan.trainer.clip_norm
    return [] if limit is None else [f"nn.utils.clip_grad_norm_(model.parameters(), {limit})"]


def step(recipe: Recipe, closure: list[str]) -> list[str]:
    """Step 5, perhaps with a closure."""
    if not needs_closure(recipe):
        return ["# 5. Step: the optimizer changes the weights.", "optimizer.step()"]
    return [*closure, "optimizer.step(closure)"]


def after_step(recipe: Recipe) -> list[str]:
    """What follows a step: the schedule, and a running mean of the weights."""
    trainer, found = recipe.plan.trainer, schedule(recipe)
    lines: list[str] = []
    if found.by_step and not found.constant:
        line = "scheduler.step()"
        lines += [f"if epoch >= {found.warmup}:", f"    {line}"] if found.warmup else [line]
    if trainer.average == "ema":
        start, line = trainer.average_start or 0, "averaged.update_parameters(model)"
        lines += [f"if epoch >= {start}:", f"    {line}"] if start else [line]
    return lines


def closure(recipe: Recipe, x: str, y: str, w: str, names: str) -> list[str]:
    """A function that computes loss and gradients again, for optimizers that need it."""
    return around(
        recipe,
        f"def closure({names}):",
        [
            *seeded(recipe),
            f"loss = {value(recipe, logits(recipe, x), y, w)}",
            "loss.backward()",
        ],
        "loss",
    )


def again_with_all(recipe: Recipe) -> list[str]:
    """The same for a step of several batches."""
    loss = value(recipe, logits(recipe, "X_train[rows]"), "y", "w_train[rows]")
    inner = [
        "y = y_train[rows]",
        f"share = {divisor(recipe, 'y', 'w_train[rows]')} / total",
        *seeded(recipe),
        f"loss = share * ({loss})" if " + " in loss else f"loss = share * {loss}",
        "loss.backward()",
        "whole = whole + loss.detach()",
    ]
    body = ["whole = 0.0", "for rows in group:", *indented(inner)]
    return around(recipe, "def closure(group=group, total=total):", body, "whole")


def around(recipe: Recipe, head: str, body: list[str], result: str) -> list[str]:
    """A closure with this body."""
    sam = recipe.plan["optimizer"].name == "sam"
    keep, put_back = list[str](), list[str]()
    if sam and has_batch_norm(recipe):
        keep = ["kept = [buffer.clone() for buffer in model.buffers()]"]
        put_back = [
            "for buffer, before in zip(model.buffers(), kept, strict=True):",
            "    buffer.copy_(before)",
        ]
    lines = [*keep, "model.zero_grad()", *body, *(clip(recipe) if sam else []), *put_back]
    return [
        "",
        "# 5. Step: the optimizer changes the weights; it needs the gradient at other weights too.",
        head,
        *indented([*lines, f"return {result}"]),
        "",
    ]
