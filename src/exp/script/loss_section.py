"""Section 3 of a script, first half: the loss."""

from __future__ import annotations

import inspect
from typing import Any

import torch

from exp.components.losses.custom_losses import Criteria
from exp.components.losses.loss import Loss
from exp.registry.component import Chosen
from exp.script.python import call, literal
from exp.script.section import Recipe, Section
from exp.script.users_code import called, refused

ROWS = {
    ("bce", 1): 'F.binary_cross_entropy_with_logits(logits, y{weight}, reduction="none")',
    ("cross_entropy", 2): 'F.cross_entropy(logits, y{smoothing}, reduction="none")',
    ("hinge", 1): "torch.relu({margin} - (2 * y - 1) * logits)",
    ("tanh_mse", 1): "(torch.tanh(logits) - (2 * y - 1)).square() / 2",
    ("mse", 0): "(logits - y).square()",
    ("l1", 0): "(logits - y).abs()",
    ("mse", 1): "(torch.sigmoid(logits) - y).square()",
    ("l1", 1): "(torch.sigmoid(logits) - y).abs()",
    ("mse", 2): "(torch.softmax(logits, dim=1) - wanted).square().mean(dim=1)",
    ("l1", 2): "(torch.softmax(logits, dim=1) - wanted).abs().mean(dim=1)",
}
"""Loss, and 0 for a number, 1 for one logit, 2 for one logit of each class -> the loss of each row.
"""
ABOUT = {
    "bce": "Binary cross entropy",
    "cross_entropy": "Cross entropy",
    "focal": "Cross entropy times (1 - p)^gamma, so that easy rows count less (Lin et al. 2017)",
    "hinge": "The loss of support vector machines: rows beyond the margin have loss 0",
    "tanh_mse": "Half the squared difference between tanh of the logit and -1 or 1",
    "mse": "The mean squared difference between probabilities and labels (Brier 1950)",
    "l1": "The mean absolute difference between probabilities and labels",
}


def form_of(recipe: Recipe) -> int:
    """0: the target is a number; 1: one logit for two classes; 2: one logit for each class."""
    return 0 if recipe.data.data.numeric else 1 if recipe.outputs == 1 else 2


def weighted(recipe: Recipe) -> bool:
    """Whether the rows have weights."""
    return recipe.data.data.weights is not None


def class_weights(recipe: Recipe) -> list[float] | None:
    found = recipe.loss.params.get("class_weights")
    return None if found is None else [float(each) for each in found]


def built(recipe: Recipe) -> Loss:
    """The loss as an object, for custom ones: it shows which form of targets they take."""
    classes = len(recipe.data.data.classes)
    found: Loss = recipe.loss.component.make(classes, **recipe.loss.declared)
    return found


def target(recipe: Recipe, name: str = "y") -> str:
    """Labels or numbers in the type that the loss takes."""
    if form_of(recipe) != 1:
        return name
    return f"{name}.double()" if recipe.device.dtype == torch.float64 else f"{name}.float()"


def value(recipe: Recipe, logits: str, y: str, w: str = "w") -> str:
    """The code that computes the loss of some rows, penalty included."""
    arguments = [logits, target(recipe, y)]
    if weighted(recipe):
        arguments.append(w)
    penalty = " + penalty(model)" if penalized(recipe) else ""
    return f"loss_function({', '.join(arguments)}){penalty}"


def divisor(recipe: Recipe, y: str, w: str = "w") -> str:
    """The code of what a mean over some rows divides by."""
    if class_weights(recipe) is not None:
        return (
            f"(class_weights[{y}] * {w}).sum()" if weighted(recipe) else f"class_weights[{y}].sum()"
        )
    return f"{w}.sum()" if weighted(recipe) else f"len({y})"


def penalized(recipe: Recipe) -> bool:
    return bool(recipe.loss.common["l1"] or recipe.loss.common["l2"])


def section(recipe: Recipe) -> Section:
    """Leaves `loss_function`, and `penalty` where there is one.

    Raises:
        ImpossibleError: a custom loss that cannot be part of a script.
    """
    out = Section({"import torch"})
    if recipe.loss.component.packaged:
        out.join(packaged(recipe))
    else:
        out.join(custom(recipe))
    return out.join(penalty(recipe)) if penalized(recipe) else out


def packaged(recipe: Recipe) -> Section:
    """A loss of exp: a class of torch where that computes the same, else a function."""
    name, form, params = recipe.loss.name, form_of(recipe), recipe.loss.params
    weights, out = class_weights(recipe), Section()
    options: list[str] = []
    if weights is not None:
        out.add(literal(weights, "class_weights = torch.tensor(", tensor_end(recipe)))
    if not weighted(recipe):
        module = ""
        if name == "cross_entropy":
            module = "nn.CrossEntropyLoss"
            options += ["weight=class_weights"] if weights is not None else []
            smoothing = params["label_smoothing"]
            options += [f"label_smoothing={smoothing}"] if smoothing else []
        elif name == "bce" and weights is None and not flipped(recipe):
            module = "nn.BCEWithLogitsLoss"
            number = params["pos_weight"]
            options += [f"pos_weight=torch.tensor({number}{tensor_end(recipe)}"] if number else []
        elif form == 0:
            module = {"mse": "nn.MSELoss", "l1": "nn.L1Loss"}[name]
        if module:
            out.use("from torch import nn")
            return out.add(call(module, options, "loss_function = "))
    return out.add(*(["", ""] if out.lines else [])).join(function(recipe))


def tensor_end(recipe: Recipe) -> str:
    """What ends a call of `torch.tensor`."""
    dtype = ", dtype=torch.float64" if recipe.device.dtype == torch.float64 else ""
    device = "" if recipe.device.torch_device.type == "cpu" else ", device=device"
    return f"{dtype}{device})"


def flipped(recipe: Recipe) -> bool:
    """Whether class 0 has the weight of the positive class."""
    return recipe.data.positive == 0 and recipe.loss.params.get("pos_weight") is not None


def function(recipe: Recipe) -> Section:
    """`loss_function` as a function: the loss of each row, and its mean."""
    name, form, params = recipe.loss.name, form_of(recipe), recipe.loss.params
    out = Section({"import torch"})
    lines: list[str] = []
    if name in ("mse", "l1") and form == 2:
        out.use("import torch.nn.functional as F")
        lines.append("wanted = F.one_hot(y, logits.shape[1])")
    if name == "focal":
        out.use("import torch.nn.functional as F")
        lines += focal(form, params)
    elif name == "hinge" and form == 2:
        lines += [
            "true = logits.gather(1, y[:, None])[:, 0]",
            "others = logits.scatter(1, y[:, None], -torch.inf).amax(dim=1)",
            f"rows = torch.relu({params['margin']} - true + others)",
        ]
    elif name == "bce" and flipped(recipe):
        out.use("import torch.nn.functional as F")
        lines += [
            f"pos_weight = torch.tensor({params['pos_weight']}{tensor_end(recipe)}",
            "# The positive class is class 0, and torch weighs the rows whose target is 1.",
            "rows = F.binary_cross_entropy_with_logits(",
            '    -logits, 1 - y, pos_weight=pos_weight, reduction="none"',
            ")",
        ]
    else:
        text = ROWS[name, form]
        if "F." in text:
            out.use("import torch.nn.functional as F")
        number = params.get("pos_weight")
        weight = "" if number is None else ", pos_weight=pos_weight"
        if number is not None:
            lines.append(f"pos_weight = torch.tensor({number}{tensor_end(recipe)}")
        smoothing = params.get("label_smoothing") or 0
        smoothed = f", label_smoothing={smoothing}" if smoothing else ""
        if name == "cross_entropy" and class_weights(recipe) is not None:
            smoothed = ", class_weights" + smoothed
        text = text.format(weight=weight, smoothing=smoothed, margin=params.get("margin"))
        lines += wrapped_rows(text)
    lines += mean_of_rows(recipe)
    arguments = "logits, y, w" if weighted(recipe) else "logits, y"
    out.add(f"def loss_function({arguments}):", f'    """{about(recipe)}."""')
    return out.add(*(f"    {line}" for line in lines))


def wrapped_rows(text: str) -> list[str]:
    """`rows = ...` on as many lines as it takes."""
    whole = f"rows = {text}"
    if len(whole) <= 96:
        return [whole]
    opening, _, inner = whole.partition("(")
    return [f"{opening}(", f"    {inner[:-1]}", ")"]


def about(recipe: Recipe) -> str:
    """What the loss is."""
    form, name = form_of(recipe), recipe.loss.name
    if form == 0:
        return "The mean squared error" if name == "mse" else "The mean absolute error"
    return ABOUT[name]


def focal(form: int, params: dict[str, Any]) -> list[str]:
    if form == 1:
        lines = ['entropy = F.binary_cross_entropy_with_logits(logits, y, reduction="none")']
    else:
        lines = ['entropy = F.cross_entropy(logits, y, reduction="none")']
    if not params["gamma"]:
        return [*lines, "rows = entropy"]
    return [
        *lines,
        "miss = -torch.expm1(-entropy)  # 1 - p of the true class",
        "miss = miss.clamp_min(torch.finfo(miss.dtype).tiny)  # a finite gradient where p is 1",
        f"rows = miss**{params['gamma']} * entropy",
    ]


def mean_of_rows(recipe: Recipe) -> list[str]:
    """The lines that return the mean of `rows`."""
    lines: list[str] = []
    alpha, positive = recipe.loss.params.get("alpha"), recipe.data.positive
    if alpha is not None:
        one, zero = (alpha, 1 - alpha) if positive != 0 else (1 - alpha, alpha)
        lines.append(f"rows = rows * ({one} * y + {zero} * (1 - y))")
    some, weights = weighted(recipe), class_weights(recipe)
    if weights is not None:
        labels = "y.long()" if form_of(recipe) == 1 else "y"
        lines.append(f"of_class = class_weights[{labels}]")
        if recipe.loss.name != "cross_entropy":
            lines.append("rows = rows * of_class")
        if some:
            return [*lines, "return (rows * w).sum() / (of_class * w).sum()"]
        return [*lines, "return rows.sum() / of_class.sum()"]
    return [*lines, "return (rows * w).sum() / w.sum()" if some else "return rows.mean()"]


def penalty(recipe: Recipe) -> Section:
    """`penalty(model)`."""
    l1, l2 = recipe.loss.common["l1"], recipe.loss.common["l2"]
    parts = [f"{l1} * sum(w.abs().sum() for w in weights)"] if l1 else []
    parts += [f"{l2} / 2 * sum(w.square().sum() for w in weights)"] if l2 else []
    formula = " + ".join(
        ([f"{l1} * sum |w|"] if l1 else []) + ([f"{l2} / 2 * sum w^2"] if l2 else [])
    )
    return Section().add(
        "",
        "",
        "def penalty(model):",
        f'    """{formula} over the weights, not the biases."""',
        "    weights = [w for w in model.parameters() if w.requires_grad and w.dim() >= 2]",
        *(
            [f"    return {parts[0]}"]
            if len(parts) == 1
            else [f"    l1 = {parts[0]}", f"    l2 = {parts[1]}", "    return l1 + l2"]
        ),
        "",
    )


def custom(recipe: Recipe) -> Section:
    """A user's loss on (logits, target), called as in plain PyTorch."""
    chosen: Chosen = recipe.loss
    loss = built(recipe)
    if not isinstance(loss, Criteria):
        raise refused(chosen.component, "it is an exp.components.losses.Loss, which needs exp")
    if weighted(recipe):
        raise refused(chosen.component, "the rows of these data have weights")
    known = inspect.getclosurevars(type(loss).criterion).nonlocals
    values, place = dict(chosen.declared), known["injected"]
    if place is not None:
        values[place] = len(recipe.data.data.classes)
    code, out = called(chosen, **values)
    made = code.text
    if known["direct"]:
        made = code.function if code.direct else partial_of(code.function, values)
        out.imports |= set() if code.direct else {"from functools import partial"}
    if out.lines:
        out.add("", "")
    column = recipe.outputs == 1 and getattr(loss, "column", True)
    each = gives_rows(loss, recipe)
    if not column and not each:
        return out.add(f"loss_function = {made}")
    mean = ".mean()" if each else ""
    arguments = "logits[:, None], y[:, None]" if column else "logits, y"
    return out.add(
        f"criterion = {made}",
        "",
        "",
        "def loss_function(logits, y):",
        '    """The loss of a batch."""',
        f"    return criterion({arguments}){mean}",
    )


def partial_of(function: str, values: dict[str, Any]) -> str:
    """A function with some of its arguments."""
    return call("partial", [function], **values)


def gives_rows(loss: Criteria, recipe: Recipe) -> bool:
    """Whether a custom loss gives a number for each row, of which the mean is taken."""
    logits = torch.zeros(3, recipe.outputs)
    y = torch.zeros(3, dtype=torch.int64 if form_of(recipe) == 2 else torch.float32)
    return bool(loss.loss(*loss.rows_of(logits, y)).numel() > 1)
