"""Section 4 of a script: the loop, in five steps, and what is measured after each epoch."""

from __future__ import annotations

from exp.script.loop_ends import (
    after_epoch,
    after_evaluation,
    after_loop,
    averaging,
    before_loop,
    follow,
    followed_line,
    key_of,
    network,
)
from exp.script.loop_steps import batches, indented, logits, whole
from exp.script.loss_section import divisor, form_of, value, weighted
from exp.script.optimizer_section import averages
from exp.script.python import WIDTH
from exp.script.schedule_section import schedule
from exp.script.section import Recipe, Section


def section(recipe: Recipe) -> Section:
    """Leaves `history`, and `model` with the weights that are the result."""
    out = Section({"import torch"}).add("# 4. Training.")
    out.join(measures(recipe)).join(follow(recipe)).add("", "")
    out.join(before_loop(recipe))
    if recipe.plan.trainer.clip_norm is not None:
        out.use("from torch import nn")
    out.add("history = []", f"for epoch in range({recipe.plan.trainer.epochs}):")
    out.add(*indented(epoch(recipe)))
    return out.add(*after_loop(recipe))


def measures(recipe: Recipe) -> Section:
    """The functions that measure a split."""
    out = Section({"import torch"})
    if form_of(recipe) == 0:
        scaled = "" if recipe.data.target_scale is None else " * target_scale"
        out.add(
            "def measured(split, loss, logits, y):",
            '    """The loss, root mean squared error, mean absolute error and R^2 of a split."""',
            "    errors = logits - y",
            "    spread = (y - y.mean()).square().sum()",
            "    return {",
            '        f"{split}_loss": loss.item(),',
            f'        f"{{split}}_rmse": errors.square().mean().sqrt().item(){scaled},',
            f'        f"{{split}}_mae": errors.abs().mean().item(){scaled},',
            '        f"{split}_r2": (1 - errors.square().sum() / spread).item(),',
            "    }",
        )
    else:
        label = "(logits > 0)" if form_of(recipe) == 1 else "logits.argmax(dim=1)"
        out.add(
            "def measured(split, loss, logits, y):",
            '    """The loss of a split, and the accuracy: the share of rows that are right."""',
            f"    accuracy = ({label} == y).float().mean()",
            '    return {f"{split}_loss": loss.item(), f"{split}_accuracy": accuracy.item()}',
        )
    model = network(recipe)
    arguments = "split, X, y, w" if weighted(recipe) else "split, X, y"
    if averaging(recipe):
        arguments = f"{model}, {arguments}"
    loss = value(recipe, "logits", "y").replace("penalty(model)", f"penalty({model})")
    returned = [f"    return measured(split, {loss}, logits, y)"]
    if len(returned[0]) > WIDTH:
        returned = [f"    loss = {loss}", "    return measured(split, loss, logits, y)"]
    return out.add(
        "",
        "",
        "@torch.no_grad()",
        f"def evaluated({arguments}):",
        '    """The same for the model as it is now, in evaluation mode."""',
        f"    {model}.eval()",
        f"    logits = {logits(recipe, 'X', model)}",
        *returned,
    )


def epoch(recipe: Recipe) -> list[str]:
    """The body of the loop over epochs."""
    trainer, found = recipe.plan.trainer, schedule(recipe)
    lines = ["if epoch > 0:", "    optimizer.training()"] if averages(recipe) else []
    lines.append("model.train()")
    lines += whole(recipe) if trainer.batch_size is None else batches(recipe)
    if not found.constant and not found.by_step and not found.follows:
        line = "scheduler.step()"
        lines += [f"if epoch >= {found.warmup}:", f"    {line}"] if found.warmup else [line]
    lines += after_epoch(recipe)
    inner, last = evaluation(recipe), trainer.epochs - 1
    if trainer.eval_every > 1:
        when = f"if epoch % {trainer.eval_every} == 0 or epoch == {last}:"
        return [*lines, "", when, *indented(inner)]
    return [*lines, "", *inner]


def evaluation(recipe: Recipe) -> list[str]:
    """The lines that measure an epoch, write it into the history and print it."""
    parts, lines, first = list[str](), list[str](), ""
    parts_there = recipe.data.split.parts
    splits: list[str] = [name for name in ("test", "validation") if name in parts_there]
    found = schedule(recipe)
    if averages(recipe) or averaging(recipe):
        splits = ["train", *splits]  # the steps were made with other weights
    elif recipe.plan.trainer.batch_size is not None:
        total = divisor(recipe, "y_train", "w_train").replace("len(y_train)", "len(order)")
        lines.append(f"loss = sum(losses) / {total}")
        first = ', **measured("train", loss, torch.cat(outputs), y_train[order])'
    else:
        first = ', **measured("train", loss, logits, y_train)'
    for name in splits:
        model = "network, " if averaging(recipe) else ""
        w = f", w_{name}" if weighted(recipe) else ""
        parts.append(f'row |= evaluated({model}"{name}", X_{name}, y_{name}{w})')
    lines += [f'row = {{"epoch": epoch{first}}}', *parts]
    lines += [*followed_line(recipe), "history.append(row)", *printed(recipe)]
    if found.follows:
        line = f'scheduler.step(row["{key_of(recipe.plan.monitor)}"])'
        lines += [f"if epoch >= {found.warmup}:", f"    {line}"] if found.warmup else [line]
    return lines + after_evaluation(recipe)


def printed(recipe: Recipe) -> list[str]:
    """The lines that print an epoch, as exp does."""
    every = recipe.plan.trainer.print_every
    if not every:
        return []
    score, form, short = ("accuracy", ".2%", "acc")
    if form_of(recipe) == 0:
        score, form, short = ("rmse", ".4f", "RMSE")
    pieces = []
    for split in ("train", "validation", "test"):
        if split in recipe.data.split.parts:
            title = "" if split == "train" else f"{split.capitalize()} "
            names = [f"{title}loss", f"{title}{short}"]
            names = [name[0].upper() + name[1:] for name in names]
            pieces.append(f"{names[0]}: {{row['{split}_loss']:.4f}}")
            pieces.append(f"{names[1]}: {{row['{split}_{score}']:{form}}}")
    together = 1 if "validation" in recipe.data.split.parts else 2
    parts = [" | ".join(pieces[i : i + together]) for i in range(0, len(pieces), together)]
    texts = ['f"Epoch: {epoch} | "', *(f'f"{part} | "' for part in parts[:-1]), f'f"{parts[-1]}"']
    body = ["print(", *(f"    {text}" for text in texts), ")"]
    on_one_line = f'print(f"Epoch: {{epoch}} | {" | ".join(parts)}")'
    # Behind `for epoch`, `if epoch % every`, and `if` of the evaluation.
    depth = 1 + (every > 1) + (recipe.plan.trainer.eval_every > 1)
    if 4 * depth + len(on_one_line) <= WIDTH:
        body = [on_one_line]
    return [f"if epoch % {every} == 0:", *indented(body)] if every > 1 else body
