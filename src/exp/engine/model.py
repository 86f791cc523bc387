"""The model of a stack: R runs of one architecture, or one `nn.Module` with the same interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from exp.components.optimizers.parameter_buffer import Parameters
from exp.engine.layers import Layer, Pass
from exp.engine.tracing import lifted
from exp.util.errors import ComponentError

LANES = 32
# Private, as `torch.autograd.grad` looks at its arguments for 30 us, a tenth of a small epoch, and
# imports sympy, which takes half a second.
ENGINE: Any = torch.autograd.Variable._execution_engine


def padded(count: int) -> int:
    """`count` rounded up to whole vector lanes, at least one."""
    return max(LANES, -(-count // LANES) * LANES)


def seed(number: int, device: torch.device) -> None:
    """Seeds torch's generators as `torch.manual_seed` does, but those of this device only: to look
    for every kind of accelerator takes as long as building a small model."""
    torch.default_generator.manual_seed(number)
    if device.type == "cuda":
        torch.cuda.manual_seed(number)
    elif device.type == "mps":
        torch.mps.manual_seed(number)


class Model:
    """R runs of one architecture, parameters in one buffer.

    Args:
        modules: the run's modules as plain PyTorch initialised them, on the CPU, R of them.
        outputs: logits of each row.
        dtype, device: of the stack.
        generators: one for each run, for dropout.
        known: whether the modules are looked through for layers that the engine knows.
    """

    def __init__(
        self,
        modules: Sequence[nn.Module],
        *,
        outputs: int,
        dtype: torch.dtype,
        device: torch.device,
        generators: Sequence[torch.Generator],
        known: bool = True,
    ) -> None:
        self.modules = list(modules)
        self.outputs = outputs
        self.generators = list(generators)
        first = modules[0]
        self.shapes = {name: p.shape for name, p in first.named_parameters()}
        self.trainable = {name for name, p in first.named_parameters() if p.requires_grad}
        self.layers: list[Layer] | None = lifted(modules) if known else None
        if self.layers is None and len(modules) > 1:
            raise ValueError("a module of unknown layers cannot share a stack")
        self.places: dict[str, slice] = {}
        width = 0
        for name, shape in self.shapes.items():
            self.places[name] = slice(width, width + padded(shape.numel()))
            width = self.places[name].stop
        values = torch.zeros(len(modules), width, dtype=dtype, device=device)
        for run, module in enumerate(modules):
            for (_, part), (_, parameter) in zip(
                self.slices(values), module.named_parameters(), strict=True
            ):
                part[run] = parameter.detach().to(values)
        self._ones: Tensor | None = None
        self.buffers = self._buffers(dtype, device)
        self._adopt(values)

    @property
    def weight_places(self) -> dict[str, slice]:
        """Where the trained weights, but no biases, stand in a buffer `[runs, P]`, with the zeros
        behind each: a sum over them has the same bits in a stack of any size."""
        return {
            name: place
            for name, place in self.places.items()
            if len(self.shapes[name]) >= 2 and name in self.trainable
        }

    def slices(self, flat: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Views `[runs, *shape]` into a buffer `[runs, P]`, by parameter name."""
        for name, shape in self.shapes.items():
            start = self.places[name].start
            yield name, flat[:, start : start + shape.numel()].view(-1, *shape)

    def _buffers(self, dtype: torch.dtype, device: torch.device) -> dict[str, Tensor]:
        """Buffers of the modules, and dropout's rates, each with a leading `runs` dimension."""
        buffers: dict[str, Tensor] = {}
        for name, buffer in self.modules[0].named_buffers():
            kind = dtype if buffer.is_floating_point() else buffer.dtype
            every = [module.get_buffer(name) for module in self.modules]
            buffers[name] = torch.stack(every).to(device=device, dtype=kind)
        for name, layer in self.modules[0].named_modules():
            if isinstance(layer, nn.Dropout) and self.layers is not None:
                rates = [float(module.get_submodule(name).p) for module in self.modules]  # type: ignore[arg-type]
                prefix = f"{name}." if name else ""
                buffers[prefix + "rates"] = torch.tensor(rates, dtype=dtype, device=device)[
                    :, None, None
                ]
        return buffers

    def _adopt(self, values: Tensor) -> None:
        """Makes `values` the storage of all parameters, with a gradient buffer beside it."""
        gradients = torch.zeros_like(values)
        leaves, self.tensors = [], dict(self.buffers)
        # What autograd differentiates by, and where it puts what it finds.
        self.inputs: tuple[Tensor, ...] = ()
        self.outlets: list[Tensor] = []
        self.weights: list[Tensor] = []
        for (name, value), (_, gradient) in zip(
            self.slices(values), self.slices(gradients), strict=True
        ):
            leaf = value.detach()
            leaves.append(leaf)
            # The forward pass takes a vector of H numbers as a column [runs, H, 1].
            column = self.layers is not None and leaf.dim() == 2
            tensor = value.detach()[:, :, None] if column else value.detach()
            self.tensors[name] = tensor
            if name in self.trainable:
                leaf.requires_grad_()
                leaf.grad = gradient
                tensor.requires_grad_()
                self.inputs += (tensor,)
                self.outlets.append(gradient[:, :, None] if column else gradient)
                if len(self.shapes[name]) >= 2:
                    self.weights.append(tensor)
        self.parameters = Parameters(values, gradients, leaves)
        if self.layers is None:
            self._share()

    def _share(self) -> None:
        """Lets the one module compute on the stack's storage."""
        module = self.modules[0]
        named = dict(module.named_parameters())
        for name, parameter in named.items():
            parameter.data = self.tensors[name].detach()[0]
        self.inputs = tuple(named[name] for name in named if name in self.trainable)
        self.outlets = [outlet[0] for outlet in self.outlets]
        self.weights = [
            named[n] for n, shape in self.shapes.items() if len(shape) >= 2 and n in self.trainable
        ]
        for name in list(dict(module.named_buffers())):
            owner, _, key = name.rpartition(".")
            setattr(module.get_submodule(owner), key, self.buffers[name][0])

    def backward(self, losses: Tensor) -> None:
        """Fills `parameters.gradients` with the gradients of `losses.sum()`; losses are `[runs]`.

        By torch's engine, as `torch.autograd.grad` does it. `backward()` warns of a `.grad` that
        is a view with gaps.
        """
        if self._ones is None or self._ones.shape != losses.shape:
            self._ones = torch.ones_like(losses)
        found: tuple[Tensor | None, ...] = ENGINE.run_backward(
            (losses,), (self._ones,), False, False, self.inputs, True, accumulate_grad=False
        )
        for outlet, gradient in zip(self.outlets, found, strict=True):
            if gradient is None:
                outlet.zero_()
            else:
                outlet.copy_(gradient)

    @property
    def size(self) -> int:
        """Parameters of each run."""
        return sum(shape.numel() for shape in self.shapes.values())

    @property
    def runs(self) -> int:
        return self.parameters.values.shape[0]

    def __call__(
        self, x: Tensor, mask: Tensor, training: bool, *, counting: bool = False
    ) -> Tensor:
        """Logits `[runs, outputs, rows]` of rows `[runs, features, rows]`."""
        if self.layers is None:
            return self._module_logits(x, mask, training)
        now = Pass(mask, training, self.generators, counting)
        for layer in self.layers:
            x = layer(x, self.tensors, now)
        return x

    def _module_logits(self, x: Tensor, mask: Tensor, training: bool) -> Tensor:
        """Logits of the single module on its real rows; it draws from the generator of its run."""
        module = self.modules[0].train(training)
        rows = int(mask.count_nonzero())
        with torch.random.fork_rng(enabled=training):
            if training:
                draw = torch.randint(2**62, (), generator=self.generators[0], device=x.device)
                seed(int(draw), x.device)
            logits = module(x[0, :, :rows].T)
        wanted = (rows, self.outputs)
        if not isinstance(logits, Tensor) or logits.shape != wanted:
            found = list(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise ComponentError(
                f"model {type(module).__name__} must map rows [{rows}, {x.shape[1]}] to logits "
                f"[{rows}, {self.outputs}], found {found}"
            )
        return nn.functional.pad(logits.T, (0, x.shape[-1] - rows))[None]

    def select(self, keep: Tensor) -> None:
        """Keeps the runs at these positions, in this order."""
        if self.layers is None:
            return
        self.buffers = {name: tensor[keep] for name, tensor in self.buffers.items()}
        self.modules = [self.modules[i] for i in keep.tolist()]
        self.generators = [self.generators[i] for i in keep.tolist()]
        self._adopt(self.parameters.values[keep])

    def state(self, run: int) -> dict[str, Tensor]:
        """A copy of one run's parameters and buffers, named as the module names them."""
        state = {name: part[run].clone() for name, part in self.slices(self.parameters.values)}
        for name, buffer in self.buffers.items():
            if not name.endswith("rates"):
                state[name] = buffer[run].clone()
        return state

    def load(self, run: int, state: dict[str, Tensor]) -> None:
        """Writes one run's parameters and buffers back in place."""
        with torch.no_grad():
            for name, part in self.slices(self.parameters.values):
                part[run] = state[name].to(part)
            for name, buffer in self.buffers.items():
                if not name.endswith("rates"):
                    buffer[run] = state[name].to(buffer)
