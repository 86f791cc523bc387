"""Section 5 of a script: the scores of the trained model, by torchmetrics."""

from __future__ import annotations

from exp.script.loss_section import form_of
from exp.script.python import WIDTH, bracketed, text
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
SHOWN = ("accuracy", "f1", "auroc", "rmse", "mae", "r2")
"""The scores that a script ends with; the others are for `trainer.monitor`."""
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
    """The lines that make `probability`, and `y` what it is compared with, of `logits` and `y`; on
    the CPU, where the metrics are."""
    lines = compared(recipe)
    if recipe.device.torch_device.type != "cpu":
        lines.append("probability, y = probability.cpu(), y.cpu()")
    return lines


def compared(recipe: Recipe) -> list[str]:
    """The same on the device of the model."""
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


def section(recipe: Recipe) -> Section:
    """Leaves `scores`: split -> name -> number."""
    kind = module(recipe)
    found = {name: each for name, each in table(recipe).items() if name in SHOWN}
    out = Section({"import torch", "from torchmetrics import MetricCollection"})
    for each in found.values():
        out.use(f"from torchmetrics.{kind} import {each.partition('(')[0]}")
    out.add("# 5. Scores of the trained model, by torchmetrics.")
    listed = "{" + ", ".join(f'"{name}": {each}' for name, each in found.items()) + "}"
    if len(listed) <= WIDTH - 4:
        out.add(bracketed([listed], "metrics = MetricCollection(", ")"))
    else:
        inner = (f'        "{name}": {each},' for name, each in found.items())
        out.add("metrics = MetricCollection(", "    {", *inner, "    }", ")")
    splits = [name for name in ("train", "validation", "test") if name in recipe.data.split.parts]
    rows = [f'("{name}", X_{name}, y_{name})' for name in splits]
    whole = f"for split, X, y in ({rows[0]},):"
    if len(rows) > 1:
        whole = bracketed(rows, "for split, X, y in (", "):")
    out.add("scores = {}", "model.eval()", whole)
    lines = [
        "with torch.no_grad():",
        "    logits = model(X)" + (".squeeze(1)" if recipe.outputs == 1 else ""),
        *probabilities(recipe),
        "found = metrics(probability, y)",
        "scores[split] = {name: value.item() for name, value in found.items()}",
        'print(split, ", ".join(f"{name} {value:.4f}" for name, value in scores[split].items()))',
    ]
    if form_of(recipe) == 0:
        lines = [line.replace("probability", "predicted") for line in lines]
    return out.add(*(f"    {line}" for line in lines))
