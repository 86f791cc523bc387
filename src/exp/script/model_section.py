"""Section 2 of a script: the model with its first weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exp.components.models import mlp
from exp.registry.component import Chosen
from exp.script.activation_code import activation
from exp.script.section import Recipe, Section
from exp.script.users_code import called
from exp.util.errors import ImpossibleError

SHORTCUT = '''\
class Shortcut(nn.Sequential):
    """Layers whose outputs are appended to their inputs: each layer receives those of all earlier
    ones."""

    def forward(self, rows):
        return torch.cat([rows, super().forward(rows)], dim=1)'''

DROPOUT = '''\
class Dropout(nn.Module):
    """nn.Dropout, except that it draws as exp does: from a generator of its own, one unit after the
    other, for a multiple of 32 rows."""

    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        rows = -(-len(x) // 32) * 32
        draws = torch.rand(x.shape[1], rows, generator=dropper, dtype=x.dtype, device=x.device)
        kept = draws.t()[: len(x)] >= self.p
        return x * kept / (1 - self.p)'''

GENERATOR = '''\
def generator(seed, purpose, device="cpu"):
    """A generator as exp seeds it: purpose 0 is the order of the rows, 1 is dropout."""
    state = np.random.SeedSequence([seed, purpose]).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state >> 1))'''

REPLACED = """\
for module in list(model.modules()):
    for name, child in module.named_children():
        if type(child) is nn.Dropout:
            setattr(module, name, Dropout(child.p))  # draws as exp does"""

SPREADS = {
    "normal": "nn.init.normal_(layer.weight{std})",
    "uniform": "nn.init.uniform_(layer.weight, -{scale}, {scale})",
    "glorot_normal": "nn.init.xavier_normal_(layer.weight{gain})",
    "glorot_uniform": "nn.init.xavier_uniform_(layer.weight{gain})",
    "he_normal": "nn.init.kaiming_normal_(layer.weight)",
    "he_uniform": "nn.init.kaiming_uniform_(layer.weight)",
}
"""model.init -> the line that draws the weights of a layer."""
SCALED = ("normal", "uniform", "glorot_normal", "glorot_uniform")
"""Those of them whose function takes the scale."""

SKLEARN = """\
        bound = (6 / (layer.in_features + layer.out_features)) ** 0.5
        weight = random.uniform(-bound, bound, (layer.in_features, layer.out_features))
        layer.weight.copy_(torch.from_numpy(weight.T))"""
SKLEARN_BIAS = """\
        layer.bias.copy_(torch.from_numpy(random.uniform(-bound, bound, layer.out_features)))"""


def section(recipe: Recipe) -> Section:
    """Leaves `model`.

    Raises:
        ImpossibleError: the model cannot be written as a part of a script.
    """
    chosen, out = recipe.plan["model"], opening(recipe)
    if has_batch_norm(recipe) and one_row(recipe):
        raise ImpossibleError(
            "a batch of one row cannot be written as a script: torch's BatchNorm1d refuses it. "
            "Choose another trainer.batch_size"
        )
    if chosen.component.module == mlp.__name__:
        out.join(perceptron(recipe))
    elif chosen.component.packaged:
        raise ImpossibleError(
            f"model {chosen.name} cannot be written as a script: exp fit makes it of parts that "
            "are fitted to the data. Use exp export"
        )
    else:
        out.join(custom(recipe))
    return out.join(moved(recipe))


def moved(recipe: Recipe) -> Section:
    """What brings the model to the precision and the device of the run."""
    out = Section()
    if recipe.device.dtype.itemsize == 8:
        out.add("model.double()")
    if recipe.device.torch_device.type != "cpu":
        out.add("model.to(device)")
    return out


def opening(recipe: Recipe) -> Section:
    """What stands before the class of the model."""
    out = Section({"import torch", "from torch import nn"})
    out.add("# 2. The model: rows of features to " + answers(recipe) + ".")
    if recipe.device.torch_device.type != "cpu":
        out.join(on_device(recipe)).add("", "")
    if draws(recipe) or has_dropout(recipe) or recipe.plan.trainer.batch_size is not None:
        out.use("import numpy as np").add(GENERATOR, "", "")
    if has_dropout(recipe) or draws(recipe):
        device = recipe.device.torch_device.type
        place = "" if device == "cpu" else f', "{device}"'
        seed = recipe.plan.seeds.shuffle
        out.add(f"dropper = generator({seed}, 1{place})", "", "")
        if not recipe.alone:
            out.add(DROPOUT, "", "")
    return out


def on_device(recipe: Recipe) -> Section:
    """`device`, with the rows on it."""
    out = Section().add(f'device = torch.device("{recipe.device.torch_device.type}")')
    weights = recipe.data.data.weights is not None
    for part in recipe.data.split.parts:
        names = [f"{letter}_{part}" for letter in ("Xyw" if weights else "Xy")]
        out.add(f"{', '.join(names)} = {', '.join(f'{name}.to(device)' for name in names)}")
    return out


def answers(recipe: Recipe) -> str:
    """What the model gives for each row."""
    if recipe.data.data.numeric:
        return "one number for each row"
    if recipe.outputs == 1:
        return "one logit for each row"
    return "one logit for each class"


def draws(recipe: Recipe) -> bool:
    """Whether the model may draw from torch's global generator in the passes of training."""
    return recipe.alone and (has_dropout(recipe) or not recipe.plan["model"].component.packaged)


def has_dropout(recipe: Recipe) -> bool:
    """Whether the model has layers of dropout."""
    return any(type(part).__name__ == "Dropout" for part in recipe.model.modules())


def has_batch_norm(recipe: Recipe) -> bool:
    """Whether the model has running statistics."""
    return any(getattr(m, "running_mean", None) is not None for m in recipe.model.modules())


def one_row(recipe: Recipe) -> bool:
    """Whether a batch of training has one row."""
    rows, size = len(recipe.data.split.train), recipe.plan.trainer.batch_size
    return bool(rows == 1 or (size is not None and (size == 1 or rows % size == 1)))


def perceptron(recipe: Recipe) -> Section:
    """The class of `linear` and `mlp`, and its instance with first weights."""
    params, out = recipe.plan["model"].declared, Section()
    text = ""
    if isinstance(params.get("activation"), Chosen):
        text, needed = activation(params["activation"])
        if needed.lines:
            out.join(needed).add("", "")
    if params.get("shortcuts"):
        out.add(SHORTCUT, "", "")
    kind = "nn.Dropout" if recipe.alone else "Dropout"
    layers = layers_of(recipe.data.inputs, recipe.outputs, params, text, kind)
    out.add(
        "class Model(nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        "        self.layers = nn.Sequential(",
        *(f"            {layer}," for layer in layers),
        "        )",
        "",
        "    def forward(self, x):",
        "        return self.layers(x)",
        "",
        "",
        *threads(recipe),
        f"torch.manual_seed({recipe.plan.seeds.init})",
        "model = Model()",
    )
    return out.join(first_weights(recipe, params))


def threads(recipe: Recipe) -> list[str]:
    """The number of threads, on which the order of long sums depends."""
    if recipe.device.torch_device.type != "cpu":
        return []
    count = recipe.device.threads
    why = "  # the fastest for small models" if count == 1 else ""
    return [f"torch.set_num_threads({count}){why}"]


def layers_of(
    inputs: int, outputs: int, params: dict[str, Any], activation: str, dropout: str
) -> Iterator[str]:
    """The layers of a model as calls, of which some are several lines.

    Args:
        activation: the call that builds one.
        dropout: the class of dropout.
    """
    width, bias = inputs, "" if params.get("bias", True) else ", bias=False"
    for units in params.get("hidden", ()):
        block = [f"nn.Linear({width}, {units})"]
        block += [f"nn.BatchNorm1d({units})"] if params["batch_norm"] else []
        block += [activation]
        block += [f"{dropout}({params['dropout']})"] if params["dropout"] > 0 else []
        if params["shortcuts"]:
            inner = "".join(f"                {layer},\n" for layer in block)
            yield f"Shortcut(\n{inner}            )"
            width += units
        else:
            yield from block
            width = units
    yield f"nn.Linear({width}, {outputs}{bias})"


def first_weights(recipe: Recipe, params: dict[str, Any]) -> Section:
    """What changes the weights that torch has drawn; nothing by default."""
    init, scale, bias = params["init"], params["init_scale"], params["init_bias"]
    out, lines = Section(), list[str]()
    if init == "sklearn":
        out.use("import numpy as np")
        out.add(f"random = np.random.RandomState({recipe.plan.seeds.init % 2**32})")
        lines.append(SKLEARN)
        lines += [SKLEARN_BIAS] if params.get("bias", True) else []
    elif init != "torch":
        gain = "" if scale == 1 else f", gain={scale}"
        std = "" if scale == 1 else f", std={scale}"
        lines.append("        " + SPREADS[init].format(scale=scale, gain=gain, std=std))
    if scale != 1 and init not in SCALED:
        lines.append(f"        layer.weight.mul_({scale})")
    if bias is not None and params.get("bias", True):
        lines.append(f"        nn.init.constant_(layer.bias, {bias})")
    if not lines:
        return out
    drawn = any("copy_" in line or "mul_" in line for line in lines)
    body = [
        "for layer in model.modules():",
        "    if isinstance(layer, nn.Linear):",
        *(line for text in lines for line in text.split("\n")),
    ]
    if drawn:
        body = ["with torch.no_grad():", *(f"    {line}" for line in body)]
    return out.add(*body)


def custom(recipe: Recipe) -> Section:
    """A user's model: its source, and the call that builds it."""
    chosen, seed = recipe.plan["model"], recipe.plan.seeds.init
    code, out = called(chosen, recipe.data.inputs, recipe.outputs, **chosen.declared)
    out.add("", "")
    if "import numpy as np" in out.imports:
        out.add(f"np.random.seed({seed})")
    out.use("import torch")
    out.add(*threads(recipe), f"torch.manual_seed({seed})", f"model = {code.text}")
    if has_dropout(recipe) and not recipe.alone:
        out.add(REPLACED)
    return out
