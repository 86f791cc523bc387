"""Section 5 of a script: the scores of the trained model, by torchmetrics."""

from __future__ import annotations

from exp.script.loss_section import form_of, weighted
from exp.script.python import text
from exp.script.section import Recipe, Section
from exp.util.errors import ImpossibleError

BINARY = {
    "accuracy": "BinaryAccuracy()",
    "precision": "BinaryPrecision()",
    "recall": "BinaryRecall()",
    "f1": "BinaryF1Score()",
    "auroc": "BinaryAUROC()",
    "average_precision": "BinaryAveragePrecision()",
    "mcc": "BinaryMatthewsCorrCoef()",
    "calibration_error": "BinaryCalibrationError()",
}
"""Score of two classes -> what computes it from the probability of the positive class."""
SEVERAL = {
    "accuracy": 'MulticlassAccuracy({count}, average="micro")',
    "precision": "MulticlassPrecision({count})",
    "recall": "MulticlassRecall({count})",
    "f1": "MulticlassF1Score({count})",
    "auroc": "MulticlassAUROC({count})",
    "average_precision": "MulticlassAveragePrecision({count})",
    "mcc": "MulticlassMatthewsCorrCoef({count})",
    "calibration_error": "MulticlassCalibrationError({count})",
}
"""Score of more classes -> what computes it from their probabilities; means over the classes."""
NUMBERS = {
    "rmse": "MeanSquaredError(squared=False)",
    "mae": "MeanAbsoluteError()",
    "r2": "R2Score()",
}


def slope_of(recipe: Recipe) -> float:
    """The factor of a single logit before the sigmoid."""
    return float(getattr(recipe.loss.component.builder, "slope", 1.0))


def two_classes(recipe: Recipe) -> bool:
    return len(recipe.data.data.classes) == 2


def table(recipe: Recipe) -> dict[str, str]:
    """Score -> the call that builds what computes it."""
    if form_of(recipe) == 0:
        return NUMBERS
    bins = {"calibration_error": "n_bins=15"}
    count = str(len(recipe.data.data.classes))
    found = BINARY if two_classes(recipe) else SEVERAL
    calls = {name: call.replace("{count}", count) for name, call in found.items()}
    for name, more in bins.items():
        calls[name] = calls[name].replace(")", f", {more})").replace("(, ", "(")
    return calls


def module(recipe: Recipe) -> str:
    """The module of torchmetrics that has them."""
    return "regression" if form_of(recipe) == 0 else "classification"


def probabilities(recipe: Recipe) -> list[str]:
    """The lines that make `probability`, and `y` what it is compared with, of `logits` and `y`."""
    if form_of(recipe) == 0:
        return restored(recipe)
    if not two_classes(recipe):
        return ["probability = torch.softmax(logits, dim=1)"]
    positive = recipe.data.positive
    if recipe.outputs == 2:
        lines = [f"probability = torch.softmax(logits, dim=1)[:, {positive}]"]
    else:
        slope = f"{slope_of(recipe):g} * " if slope_of(recipe) != 1 else ""
        minus = "-" if positive == 0 else ""
        lines = [f"probability = torch.sigmoid({minus}{slope}logits)"]
    if positive == 0:
        name = recipe.data.data.classes[0]
        lines.append(f"y = 1 - y  # the positive class is {text(str(name))}")
    return lines


def restored(recipe: Recipe) -> list[str]:
    """Predictions in the units of the target."""
    if recipe.data.target_scale is None:
        return ["probability = logits"]
    return [
        "# In the units of the target again.",
        "probability, y = (each * target_scale + target_mean for each in (logits, y))",
    ]


def metric_of(recipe: Recipe, name: str) -> tuple[Section, str]:
    """One score of `probability` and `y`: lines that it needs, and the expression.

    Raises:
        ImpossibleError: a metric that is not one of exp's.
    """
    found = table(recipe)
    out = Section()
    if name in found:
        kind = module(recipe)
        return out.use(f"from torchmetrics import {kind}"), f"{kind}.{found[name]}(probability, y)"
    if name == "balanced_accuracy":
        out.use("from torchmetrics import classification")
        if two_classes(recipe):
            return out, "classification.MulticlassRecall(2)((probability > 0.5).long(), y)"
        return (
            out,
            f"classification.MulticlassRecall({len(recipe.data.data.classes)})(probability, y)",
        )
    if name == "brier":
        if two_classes(recipe):
            return out, "(probability - y).square().mean()"
        out.add(f"wanted = torch.eye({len(recipe.data.data.classes)})[y]")
        return out, "(probability - wanted).square().sum(dim=1).mean()"
    if name == "log_loss":
        chance = "torch.where(y == 1, probability, 1 - probability)"
        if not two_classes(recipe):
            chance = "probability.gather(1, y[:, None])"
        out.add("smallest = torch.finfo(probability.dtype).eps", f"p = {chance}")
        return out, "-p.clamp(smallest, 1 - smallest).log().mean()"
    raise ImpossibleError(
        f"trainer.monitor={name} cannot be written as a script: it is a custom metric"
    )


def weights(recipe: Recipe, split: str) -> str:
    """The weights of the rows of a split as one more argument."""
    return f", w_{split}" if weighted(recipe) else ""


def section(recipe: Recipe) -> Section:
    """Leaves `scores`: split -> name -> number."""
    found, regression = table(recipe), form_of(recipe) == 0
    out = Section({"import torch", "from torchmetrics import MetricCollection"})
    out.use(f"from torchmetrics import {module(recipe)}")
    out.add("# 5. Scores of the trained model, by torchmetrics.")
    out.add("metrics = MetricCollection(", "    {")
    out.add(
        *(f'        "{name}": {module(recipe)}.{call},' for name, call in found.items()),
        "    }",
        ")",
    )
    splits = [name for name in ("train", "validation", "test") if name in recipe.data.split.parts]
    rows = [f'("{name}", X_{name}, y_{name}{weights(recipe, name)})' for name in splits]
    names = "split, X, y, w" if weighted(recipe) else "split, X, y"
    whole = f"for {names} in ({', '.join(rows)}):"
    if len(rows) == 1:
        whole = f"for {names} in ({rows[0]},):"
    if len(whole) <= 100:
        out.add(whole)
    else:
        out.add(f"for {names} in (", *(f"    {row}," for row in rows), "):")
    lines = [
        *(["loss = evaluated(" + ("model, " if recipe.plan.trainer.average else "") + names + ")"]),
        "with torch.no_grad():",
        "    logits = model(X)" + (".squeeze(1)" if recipe.outputs == 1 else ""),
        *probabilities(recipe),
        'scores[split] = {"loss": loss[f"{split}_loss"]}',
        "for name, value in metrics(probability, y).items():",
        "    scores[split][name] = value.item()",
        'print(split, ", ".join(f"{name} {value:.4f}" for name, value in scores[split].items()))',
    ]
    if regression:
        lines = [line.replace("probability", "predicted") for line in lines]
    body = [f"    {line}" for line in lines]
    place = next(i for i, line in enumerate(out.lines) if line.startswith("for "))
    out.lines.insert(place, "scores = {}")
    return out.add(*body)
