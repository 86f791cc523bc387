"""A module with a `forward` of its own as layers that train R runs at once.

`torch.fx` reads `forward` without running it on rows. It is understood if it is made of known
layers, activations, sums, products and concatenations of their outputs, and columns of its input;
if it does the same in training and in evaluation; and if nothing in it depends on the rows of a
batch but the layers themselves.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from exp.components.models.shortcuts import Shortcut
from exp.engine.layers import Elementwise, Embedding, Layer, Pass, known_layers

ACTIVATIONS: dict[Any, type[nn.Module]] = {
    torch.relu: nn.ReLU,
    F.relu: nn.ReLU,
    "relu": nn.ReLU,
    torch.tanh: nn.Tanh,
    F.tanh: nn.Tanh,
    "tanh": nn.Tanh,
    torch.sigmoid: nn.Sigmoid,
    F.sigmoid: nn.Sigmoid,
    "sigmoid": nn.Sigmoid,
    F.gelu: nn.GELU,
    F.silu: nn.SiLU,
    F.selu: nn.SELU,
    torch.selu: nn.SELU,
    F.elu: nn.ELU,
    F.leaky_relu: nn.LeakyReLU,
    F.softplus: nn.Softplus,
    F.mish: nn.Mish,
    F.relu6: nn.ReLU6,
    F.hardtanh: nn.Hardtanh,
}
"""Functions and methods -> the module that does the same, with the same parameters."""
SUMS = (operator.add, operator.iadd, torch.add, "add")
PRODUCTS = (operator.mul, operator.imul, torch.mul, "mul")
JOINS = (torch.cat, torch.concat, torch.hstack)
SAME = (torch.flatten, "flatten", "contiguous", "float", "clone")
"""What leaves rows of features as they are."""
WHOLE = ("long", "int", "to")
"""What makes whole numbers of a column, for an embedding."""


class UnknownStepError(Exception):
    """Something in a `forward` that cannot be stacked; its message says what."""


@dataclass(frozen=True)
class Sum:
    """The sum of two results."""

    def __call__(self, one: Tensor, other: Tensor) -> Tensor:
        return one + other


@dataclass(frozen=True)
class Product:
    """The product of two results, number by number."""

    def __call__(self, one: Tensor, other: Tensor) -> Tensor:
        return one * other


@dataclass(frozen=True)
class Join:
    """Some results below each other."""

    def __call__(self, *parts: Tensor) -> Tensor:
        return torch.cat(parts, dim=1)


@dataclass(frozen=True)
class Columns:
    """Some of the features."""

    start: int
    stop: int

    def __call__(self, x: Tensor) -> Tensor:
        return x[:, self.start : self.stop]


Operation = Sum | Product | Join | Columns


@dataclass(frozen=True)
class Step:
    """One step of a traced module.

    Attributes:
        does: a layer, of one result, or an operation on one or more.
        takes: the numbers of these results; 0 is the input of the module.
        gives: the number of its own.
    """

    does: Layer | Operation
    takes: tuple[int, ...]
    gives: int


@dataclass(frozen=True)
class Traced:
    """A module of several branches for R runs."""

    steps: tuple[Step, ...]

    def __call__(self, x: Tensor, tensors: dict[str, Tensor], now: Pass) -> Tensor:
        found = {0: x}
        for step in self.steps:
            given = [found[number] for number in step.takes]
            if isinstance(step.does, (Sum, Product, Join, Columns)):
                found[step.gives] = step.does(*given)
            else:
                found[step.gives] = step.does(given[0], tensors, now)
        return found[self.steps[-1].gives]


class Tracer(fx.Tracer):
    """Stops at layers that the engine knows, and at activations of the user's own."""

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        known = isinstance(module, Shortcut) or getattr(module, "elementwise", False)
        return known or super().is_leaf_module(module, name)


def attributes(module: nn.Module) -> dict[str, str]:
    """What a module and its parts remember besides tensors and layers: a step that depends on it
    would be read once, and then stay as it was."""
    return {
        f"{path}.{name}" if path else name: repr(value)
        for path, part in module.named_modules()
        for name, value in vars(part).items()
        if not name.startswith("_") and name != "training"
    }


def graph_of(module: nn.Module) -> fx.Graph:
    """The steps of a `forward`.

    Raises:
        UnknownStepError: they depend on numbers, or on whether it is trained.
    """
    training, before = module.training, attributes(module)
    try:
        graphs = [Tracer().trace(module.train(mode)) for mode in (True, False)]
    except Exception as error:  # of code that is not ours
        what = " ".join(str(error).split()) or type(error).__name__
        raise UnknownStepError(what) from error
    finally:
        module.train(training)
    after = attributes(module)
    if changed := [name for name in {**before, **after} if before.get(name) != after.get(name)]:
        raise UnknownStepError(f"forward, which changes self.{changed[0]}")
    one, other = (str(graph) for graph in graphs)
    if one != other:
        raise UnknownStepError("forward, which depends on self.training")
    return graphs[0]


def lifted(modules: Sequence[nn.Module]) -> list[Layer] | None:
    """The stacked layers of R modules of one architecture; None: something in it is not known."""
    try:
        return layers_of(modules)
    except UnknownStepError:
        return None


def unknown_step(modules: Sequence[nn.Module]) -> str | None:
    """What of these modules is not known, if anything."""
    try:
        layers_of(modules)
    except UnknownStepError as error:
        return str(error)
    return None


def layers_of(modules: Sequence[nn.Module]) -> list[Layer]:
    """As `lifted`.

    Raises:
        UnknownStepError: what is not known.
    """
    known = known_layers("", modules)
    return traced(modules) if known is None else known


def traced(modules: Sequence[nn.Module]) -> list[Layer]:
    """The layers of R modules with a `forward` of their own.

    Args:
        modules: the same module of each run.

    Raises:
        UnknownStepError: what of it cannot be stacked.
    """
    first = modules[0]
    direct = [each for each, _ in first.named_parameters(recurse=False)]
    direct += [each for each, _ in first.named_buffers(recurse=False)]
    if direct:
        raise UnknownStepError(f"{direct[0]}, a tensor that belongs to none of its layers")
    reader = Reader(modules)
    for node in graph_of(first).nodes:
        reader.read(node)
    steps = reader.steps
    if not steps or reader.result != steps[-1].gives:
        raise UnknownStepError("an output that is not its last step")
    chain = all(step.takes == (number,) for number, step in enumerate(steps))
    layers = [step.does for step in steps]
    if chain and not any(isinstance(each, (Sum, Product, Join, Columns)) for each in layers):
        return layers  # type: ignore[return-value]
    return [Traced(tuple(steps))]


class Reader:
    """Reads a graph of torch.fx node by node."""

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self.modules = modules
        self.steps: list[Step] = []
        self.single: set[fx.Node] = set()  # one column as a vector [rows], for an embedding
        self.numbers: dict[fx.Node, int] = {}
        self.result: int | None = None

    def read(self, node: fx.Node) -> None:
        """
        Raises:
            UnknownStepError: it is none that can be stacked.
        """
        if node.op == "placeholder":
            if self.numbers:
                raise UnknownStepError("more than one input")
            self.numbers[node] = 0
        elif node.op == "call_module":
            self.module(node)
        elif node.op in ("call_function", "call_method"):
            self.function(node)
        elif node.op == "output":
            (value,) = node.args
            if not isinstance(value, fx.Node):
                raise UnknownStepError("more than one output")
            self.result = self.numbers[value]
        else:
            raise UnknownStepError(f"{node.target}, a tensor that belongs to none of its layers")

    def add(self, node: fx.Node | None, does: Any, *takes: int) -> int:
        number = len(self.steps) + 1
        self.steps.append(Step(does, takes, number))
        if node is not None:
            self.numbers[node] = number
        return number

    def number(self, value: Any, *, single: bool = False) -> int:
        """The number of a result.

        Args:
            single: whether it must be one column as a vector, and not rows.
        """
        if not isinstance(value, fx.Node):
            raise UnknownStepError(f"a calculation with {value!r}")
        if (value in self.single) != single:
            raise UnknownStepError("a column x[:, number] that goes into no embedding")
        return self.numbers[value]

    def module(self, node: fx.Node) -> None:
        path = str(node.target)
        if len(node.args) != 1 or node.kwargs:
            raise UnknownStepError(f"layer {path} with more than one input")
        parts = [module.get_submodule(path) for module in self.modules]
        layers = known_layers(f"{path}.", parts)
        if layers is None:
            raise UnknownStepError(f"layer {path}, a {type(parts[0]).__name__}")
        embeds = isinstance(layers[0], Embedding) if layers else False
        number = self.number(node.args[0], single=embeds)
        for layer in layers:
            number = self.add(None, layer, number)
        self.numbers[node] = number

    def function(self, node: fx.Node) -> None:
        target, args = node.target, node.args
        what = target if isinstance(target, str) else getattr(target, "__name__", str(target))
        if target in ACTIVATIONS:
            more = {k: v for k, v in node.kwargs.items() if k != "inplace"}
            if any(isinstance(value, fx.Node) for value in (*args[1:], *more.values())):
                raise UnknownStepError(f"{what} with a computed parameter")
            made = ACTIVATIONS[target](*args[1:], **more)
            self.add(node, Elementwise(made.forward), self.number(args[0]))
        elif target in SUMS and len(args) == 2 and not node.kwargs:
            self.add(node, Sum(), *map(self.number, args))
        elif target in PRODUCTS and len(args) == 2 and not node.kwargs:
            self.add(node, Product(), *map(self.number, args))
        elif target in JOINS:
            given: Any = args[0]
            dim = args[1] if len(args) > 1 else node.kwargs.get("dim", node.kwargs.get("axis", 0))
            if dim not in (1, -1) and target is not torch.hstack:
                raise UnknownStepError(f"{what} along dimension {dim}, the dimension of the rows")
            self.add(node, Join(), *map(self.number, given))
        elif target is operator.getitem:
            self.columns(node)
        elif target in WHOLE and node.args and node.args[0] in self.single:
            if list(args[1:]) not in ([], [torch.long], [torch.int64]) or node.kwargs:
                raise UnknownStepError(f"the operation {what}")
            self.numbers[node] = self.number(args[0], single=True)
            self.single.add(node)
        elif target in SAME and list(args[1:]) in ([], [1]) and not node.kwargs:
            self.numbers[node] = self.number(args[0])
        else:
            raise UnknownStepError(f"the operation {what}")

    def columns(self, node: fx.Node) -> None:
        """`x[:, 2:5]` of the input."""
        given: Any = node.args[0]
        index: Any = node.args[1]
        every = isinstance(index, tuple) and len(index) == 2 and index[0] == slice(None)
        if self.number(given) == 0 and every and type(index[1]) is int and index[1] >= 0:
            self.add(node, Columns(index[1], index[1] + 1), 0)
            self.single.add(node)
            return
        if self.number(given) != 0 or not every or not isinstance(index[1], slice):
            raise UnknownStepError("an index other than x[:, start:stop]")
        span = index[1]
        if span.step not in (None, 1) or any(
            isinstance(end, fx.Node) or (end is not None and end < 0)
            for end in (span.start, span.stop)
        ):
            raise UnknownStepError("an index other than x[:, start:stop]")
        stop = span.stop if span.stop is not None else 2**31 - 1
        self.add(node, Columns(span.start or 0, stop), 0)
