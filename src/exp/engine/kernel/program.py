"""A model of known layers as the list of operations that the kernel runs."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import nn

from exp.engine.kernel import structures
from exp.engine.kernel.structures import OPERATIONS, activation
from exp.engine.layers import BatchNorm, Dropout, Elementwise, Joined, Layer, LayerNorm, Linear
from exp.engine.model import Model
from exp.engine.tracing import Columns, Join, Operation, Product, Sum, Traced

CACHE = 98_304
"""Bytes of activations and gradients that one block of rows takes, about."""
LEAST = 192
"""Rows of the smallest block."""


class NotKnownError(Exception):
    """A layer that the kernel does not have; its message names it."""


@dataclass
class Program:
    """Operations on slots; slot 0 are the features, each other the lines of one result.

    Attributes:
        struct: what the kernel is given; it points to the next two.
        dropouts: names of the tensors with the rates, in the order of the layers.
        norms: the layers of batch norm.
    """

    struct: structures.Program
    ops: ctypes.Array[structures.Op]
    places: ctypes.Array[ctypes.c_int64]
    dropouts: list[str]
    norms: list[BatchNorm]
    drawn: int


@dataclass
class Compiler:
    """Turns layers into operations.

    Args:
        offsets: where each parameter stands among the numbers of a run.
        shapes: of the parameters.
    """

    offsets: dict[str, int]
    shapes: dict[str, Sequence[int]]
    widths: list[int]
    ops: list[structures.Op] = field(default_factory=list)
    dropouts: list[str] = field(default_factory=list)
    norms: list[BatchNorm] = field(default_factory=list)
    drawn: int = 0

    def add(self, kind: str, first: int, outputs: int, *, second: int = 0, **more: float) -> int:
        """An operation; returns the slot of its result."""
        self.widths.append(outputs)
        out = len(self.widths) - 1
        self.ops.append(
            structures.Op(
                kind=OPERATIONS.index(kind),
                first=first,
                second=second,
                out=out,
                inputs=self.widths[first],
                outputs=outputs,
                **more,
            )
        )
        return out

    def layer(self, layer: Layer, slot: int) -> int:
        """The operations of one layer on a slot; returns the slot of its result."""
        width = self.widths[slot]
        if isinstance(layer, Linear):
            outputs, inputs = self.shapes[layer.weight]
            if inputs != width:
                raise NotKnownError("a layer of another width")
            bias = -1 if layer.bias is None else self.offsets[layer.bias]
            return self.add("linear", slot, outputs, weight=self.offsets[layer.weight], bias=bias)
        if isinstance(layer, Dropout):
            self.dropouts.append(layer.rates)
            self.drawn += width
            return self.add("dropout", slot, width, which=len(self.dropouts) - 1)
        if isinstance(layer, Joined):
            made = slot
            for inner in layer.layers:
                made = self.layer(inner, made)
            return self.add("join", slot, width + self.widths[made], second=made)
        if isinstance(layer, Traced):
            slots = {0: slot}
            for step in layer.steps:
                given = [slots[number] for number in step.takes]
                if isinstance(step.does, (Sum, Product, Join, Columns)):
                    slots[step.gives] = self.operation(step.does, given)
                else:
                    slots[step.gives] = self.layer(step.does, given[0])
            return slots[layer.steps[-1].gives]
        if isinstance(layer, LayerNorm):
            places = [self.offsets.get(layer.prefix + name, -1) for name in ("weight", "bias")]
            self.widths.append(2)  # mean and 1 / deviation of each row
            own = len(self.widths) - 1
            return self.add(
                "layer_norm", slot, width, own=own, weight=places[0], bias=places[1], a=layer.eps
            )
        if isinstance(layer, BatchNorm):
            if not layer.tracking:
                raise NotKnownError("BatchNorm without running statistics")
            places = [self.offsets.get(layer.prefix + name, -1) for name in ("weight", "bias")]
            self.widths.append(-(-2 * width // LEAST))  # mean and 1 / deviation of each feature
            self.norms.append(layer)
            return self.add(
                "batch_norm", slot, width, which=len(self.norms) - 1, own=len(self.widths) - 1,
                weight=places[0], bias=places[1], a=layer.eps,
            )  # fmt: skip
        if isinstance(layer, Elementwise):
            module = getattr(layer.function, "__self__", None)
            known = activation(module) if isinstance(module, nn.Module) else None
            if known is not None:
                kind, a, b = known
                return self.add(kind, slot, width, a=a, b=b)
            raise NotKnownError(type(module).__name__)
        raise NotKnownError(type(layer).__name__)

    def operation(self, does: Operation, slots: Sequence[int]) -> int:
        """The operations of one that is no layer."""
        first, width = slots[0], self.widths[slots[0]]
        if isinstance(does, Columns):
            outputs = len(range(width)[does.start : does.stop])
            if first != 0 or outputs == 0:
                raise NotKnownError("a part of a result")
            return self.add("columns", first, outputs, which=does.start)
        for second in slots[1:]:
            if isinstance(does, Join):
                first = self.add(
                    "join", first, self.widths[first] + self.widths[second], second=second
                )
                continue
            if self.widths[second] != width:
                raise NotKnownError("a sum of results of several widths")
            kind = "sum" if isinstance(does, Sum) else "product"
            first = self.add(kind, first, width, second=second)
        return first


def program(model: Model, features: int, batch: int) -> Program:
    """
    Args:
        batch: rows of a training step.

    Raises:
        NotKnownError: a layer of the model is none that the kernel has.
    """
    if model.layers is None:
        raise NotKnownError(type(model.modules[0]).__name__)
    offsets = {name: place.start for name, place in model.places.items()}
    compiler = Compiler(offsets, dict(model.shapes), [features])
    slot = 0
    for layer in model.layers:
        slot = compiler.layer(layer, slot)
    if slot == 0 or compiler.widths[slot] != model.outputs:
        raise NotKnownError("a network without layers")
    # From the last operation back: does a result count, and has it got a gradient already?
    needed, reached = {slot}, set[int]()
    for op in reversed(compiler.ops[:]):
        if op.out not in needed:
            compiler.ops.remove(op)
            continue
        needed.add(op.first)
        op.more = op.first in reached
        reached.add(op.first)
        if OPERATIONS[op.kind] in ("join", "sum", "product"):
            op.more2 = op.second in reached
            reached.add(op.second)
            needed.add(op.second)
    starts = [0]  # slot 0 has no lines of its own
    for width in compiler.widths[1:]:
        starts.append(starts[-1] + width)
    lines = starts.pop()
    starts = [0, *starts]
    block = max(LEAST, min(1008, CACHE // (8 * lines) // 48 * 48))
    if compiler.norms:  # which take the mean over all rows of a step
        block = max(block, -(-batch // 48) * 48)
    ops = (structures.Op * len(compiler.ops))(*compiler.ops)
    places = (ctypes.c_int64 * len(starts))(*starts)
    struct = structures.Program(
        op=ops,
        ops=len(ops),
        lines=lines,
        starts=places,
        last=slot,
        block=block,
        parameters=model.parameters.values.shape[1],
        drawn=compiler.drawn,
        dropouts=len(compiler.dropouts),
    )
    return Program(struct, ops, places, compiler.dropouts, compiler.norms, compiler.drawn)
