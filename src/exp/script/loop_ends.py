"""What the loop of a script needs only with some options: before it, after an evaluation, after it.

Early stopping, the best weights, pruning, averages of the weights, a score that is computed for the
monitor only.
"""

from __future__ import annotations

from exp.script.model_section import has_batch_norm
from exp.script.optimizer_section import averages
from exp.script.python import literal
from exp.script.scores import metric_of, probabilities
from exp.script.section import Recipe, Section
from exp.util.metric_names import CURVES

UPDATE = "torch.optim.swa_utils.update_bn(X_train.split(16384), {})"
"""Computes the running statistics of batch norm again."""


def key_of(column: str) -> str:
    """A column of metrics.csv in the history of a script: `test/loss` is `test_loss`."""
    return column.replace("/", "_")


def averaging(recipe: Recipe) -> bool:
    """Whether the script averages weights beside the optimizer."""
    return recipe.plan.trainer.average is not None


def network(recipe: Recipe) -> str:
    """What the script calls the model that it evaluates."""
    return "network" if averaging(recipe) else "model"


def average_start(recipe: Recipe) -> int:
    """The first epoch whose weights are averaged."""
    trainer = recipe.plan.trainer
    first = 0 if trainer.average == "ema" else trainer.epochs * 3 // 4
    return int(first if trainer.average_start is None else trainer.average_start)


def stopping(recipe: Recipe) -> bool:
    """Whether the best epoch matters."""
    return recipe.plan.trainer.early_stopping is not None or recipe.plan.restores_best


def before_loop(recipe: Recipe) -> Section:
    """What is there before the first epoch."""
    trainer, out = recipe.plan.trainer, Section()
    if trainer.batch_size is not None:
        out.add(f"shuffler = generator({recipe.plan.seeds.shuffle}, 0)")
    if trainer.average == "ema":
        decay = f"torch.optim.swa_utils.get_ema_multi_avg_fn({trainer.average_decay})"
        out.add(
            "averaged = torch.optim.swa_utils.AveragedModel(",
            f"    model, multi_avg_fn={decay}",
            ")",
        )
    elif trainer.average == "swa":
        out.add("averaged = torch.optim.swa_utils.AveragedModel(model)")
    if stopping(recipe):
        sign = "-" if recipe.plan.higher_is_better(recipe.plan.monitor) else ""
        out.use("import math")
        out.add(f"best, waited = {sign}math.inf, 0")
    if recipe.plan.restores_best:
        out.use("import copy").add("best_weights = copy.deepcopy(model.state_dict())")
    if limits := limits_of(recipe):
        out.add(literal(limits, "limits = ", "  # column, epochs, value that it needs by then"))
    return out


def limits_of(recipe: Recipe) -> list[tuple[str, float, float]]:
    """The limits of `trainer.prune`."""
    found = recipe.plan.trainer.prune or {}
    return [
        (key_of(column), epochs, value)
        for column, limits in found.items()
        for epochs, value in limits
    ]


def follow(recipe: Recipe) -> Section:
    """`followed()`: the score that only the monitor needs; nothing if the history has it."""
    split, _, name = recipe.plan.monitor.partition("/")
    out = Section()
    if name in CURVES:
        return out
    metric, arguments = metric_of(recipe, name)
    out.use("import torch", *metric.imports)
    model = network(recipe)
    return out.add(
        "",
        "",
        "@torch.no_grad()",
        f"def followed({model}):",
        f'    """The score that decides which epoch is the best: {recipe.plan.monitor}."""',
        f"    {model}.eval()",
        f"    y = y_{split}",
        f"    logits = {model}(X_{split})" + (".squeeze(1)" if recipe.outputs == 1 else ""),
        *(f"    {line}" for line in probabilities(recipe)),
        *(f"    {line}" for line in metric.lines),
        f"    return float({arguments})",
    )


def followed_line(recipe: Recipe) -> list[str]:
    """The line that adds that score to a row."""
    if recipe.plan.monitor.partition("/")[2] in CURVES:
        return []
    return [f'row["{key_of(recipe.plan.monitor)}"] = followed({network(recipe)})']


def after_epoch(recipe: Recipe) -> list[str]:
    """What puts averages in place of the trained weights."""
    trainer, norm = recipe.plan.trainer, has_batch_norm(recipe)
    if averages(recipe):
        return ["optimizer.average()", *([UPDATE.format("model")] if norm else [])]
    if not averaging(recipe):
        return []
    start = average_start(recipe)
    inner = ["averaged.update_parameters(model)"] if trainer.average == "swa" else []
    inner += [UPDATE.format("averaged.module")] if norm else []
    if not start:
        return [*inner, "network = averaged.module"]
    lines = ["network = model"]
    inner.append("network = averaged.module")
    return [*lines, f"if epoch >= {start}:", *(f"    {line}" for line in inner)]


def after_evaluation(recipe: Recipe) -> list[str]:
    """What may end the training."""
    trainer, lines = recipe.plan.trainer, list[str]()
    if stopping(recipe):
        higher = recipe.plan.higher_is_better(recipe.plan.monitor)
        sign, change = (">", "+") if higher else ("<", "-")
        than = f"best {change} {trainer.min_delta}" if trainer.min_delta else "best"
        column = f'row["{key_of(recipe.plan.monitor)}"]'
        lines += [f"if {column} {sign} {than}:", f"    best, waited = {column}, 0"]
        if recipe.plan.restores_best:
            lines.append(f"    best_weights = copy.deepcopy({network(recipe)}.state_dict())")
        if trainer.early_stopping is not None:
            lines += ["else:", "    waited += 1"]
    if limits_of(recipe):
        lines += prune_lines(recipe)
    if trainer.early_stopping is not None:
        lines += [f"if waited >= {trainer.early_stopping}:", "    break"]
    return lines


def prune_lines(recipe: Recipe) -> list[str]:
    """What ends a run that is worse than a limit."""
    columns = recipe.plan.trainer.prune or {}
    higher = [recipe.plan.higher_is_better(column) for column in columns]
    worse = "max(values) < value" if all(higher) else "min(values) > value"
    lines = [
        'before = history[-2]["epoch"] + 1 if len(history) > 1 else 0',
        "pruned = False",
        "for column, epochs, value in limits:",
        "    values = [row[column] for row in history]",
    ]
    if any(higher) and not all(higher):
        names = [key_of(column) for column, up in zip(columns, higher, strict=True) if up]
        lines.append(f"    higher = column in {literal(names)}")
        worse = "worse"
        lines.append("    worse = max(values) < value if higher else min(values) > value")
    return [
        *lines,
        f"    pruned = pruned or (before < epochs <= epoch + 1 and {worse})",
        "if pruned:",
        "    break",
    ]


def after_loop(recipe: Recipe) -> list[str]:
    """What makes the weights that are the result those of `model`."""
    if recipe.plan.restores_best:
        return ["model.load_state_dict(best_weights)"]
    return ["model = network"] if averaging(recipe) else []
