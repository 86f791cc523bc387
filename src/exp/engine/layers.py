"""Layers that train R runs at once, each the counterpart of one layer of `torch.nn`.

Feature-major: activations are `[runs, features, rows]`, parameters carry a leading `runs`
dimension. A layer reads its parameters from tensors that the model owns; it holds none itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from exp.components.models.shortcuts import Shortcut
from exp.util.errors import ComponentError


@dataclass
class Pass:
    """What one forward pass knows besides the activations.

    Attributes:
        mask: `[runs, rows]`, 1 for real rows and 0 for padding.
        training: whether dropout draws and batch norm learns.
        generators: one for each run, for dropout.
        counting: whether running statistics become the mean over the passes since they were reset.
    """

    mask: Tensor
    training: bool
    generators: Sequence[torch.Generator]
    counting: bool = False


Layer = Callable[[Tensor, dict[str, Tensor], Pass], Tensor]


@dataclass(frozen=True)
class Linear:
    """`nn.Linear` for R runs: one batched matrix product."""

    weight: str
    bias: str | None

    def __call__(self, x: Tensor, tensors: dict[str, Tensor], now: Pass) -> Tensor:
        weight = tensors[self.weight]
        if weight.shape[-1] == 1:
            # As a matrix product its gradient has other bits in a stack of one (MKL, AVX-512).
            product = weight * x
            return product if self.bias is None else product + tensors[self.bias]
        if self.bias is None:
            return torch.bmm(weight, x)
        return torch.baddbmm(tensors[self.bias], weight, x)


@dataclass(frozen=True)
class Elementwise:
    """An activation: the function of the module, since it treats each number by itself."""

    function: Callable[[Tensor], Tensor]

    def __call__(self, x: Tensor, tensors: dict[str, Tensor], now: Pass) -> Tensor:
        return self.function(x)


@dataclass(frozen=True)
class Dropout:
    """`nn.Dropout` with a rate and a generator for each run."""

    rates: str

    def __call__(self, x: Tensor, tensors: dict[str, Tensor], now: Pass) -> Tensor:
        if not now.training:
            return x
        draws = torch.empty_like(x)
        for run, generator in enumerate(now.generators):
            torch.rand(x.shape[1:], generator=generator, out=draws[run])
        rates = tensors[self.rates]
        return x * (draws >= rates) / (1 - rates)


@dataclass(frozen=True)
class BatchNorm:
    """`nn.BatchNorm1d`: statistics over the real rows of each run."""

    prefix: str
    momentum: float | None
    eps: float
    affine: bool
    tracking: bool

    def __call__(self, x: Tensor, tensors: dict[str, Tensor], now: Pass) -> Tensor:
        if now.training or not self.tracking:
            mask = now.mask[:, None]
            rows = mask.sum(dim=-1, keepdim=True)
            mean = (x * mask).sum(dim=-1, keepdim=True) / rows
            variance = ((x - mean) * mask).square().sum(dim=-1, keepdim=True) / rows
            if now.training and self.tracking:
                self.learn(tensors, mean.detach(), variance.detach(), rows, now.counting)
        else:
            mean = tensors[self.prefix + "running_mean"][:, :, None]
            variance = tensors[self.prefix + "running_var"][:, :, None]
        x = (x - mean) / (variance + self.eps).sqrt()
        if not self.affine:
            return x
        return x * tensors[self.prefix + "weight"] + tensors[self.prefix + "bias"]

    def learn(
        self,
        tensors: dict[str, Tensor],
        mean: Tensor,
        variance: Tensor,
        rows: Tensor,
        counting: bool,
    ) -> None:
        """Moves the running statistics; the variance is the unbiased one, as torch has it."""
        count = tensors[self.prefix + "num_batches_tracked"].add_(1)
        fixed = None if counting else self.momentum
        share = fixed if fixed is not None else (1 / count)[:, None]
        unbiased = variance * rows / (rows - 1).clamp_min(1)
        for name, seen in (("running_mean", mean), ("running_var", unbiased)):
            running = tensors[self.prefix + name]
            running.add_(share * (seen[:, :, 0] - running))


@dataclass(frozen=True)
class Joined:
    """`Shortcut` for R runs: the outputs of some layers below their inputs."""

    layers: tuple[Layer, ...]

    def __call__(self, x: Tensor, tensors: dict[str, Tensor], now: Pass) -> Tensor:
        made = x
        for layer in self.layers:
            made = layer(made, tensors, now)
        return torch.cat([x, made], dim=1)


@dataclass(frozen=True)
class LayerNorm:
    """`nn.LayerNorm` over the features of each row."""

    prefix: str
    eps: float
    weight: bool
    bias: bool

    def __call__(self, x: Tensor, tensors: dict[str, Tensor], now: Pass) -> Tensor:
        mean = x.mean(dim=1, keepdim=True)
        variance = (x - mean).square().mean(dim=1, keepdim=True)
        x = (x - mean) / (variance + self.eps).sqrt()
        if self.weight:
            x = x * tensors[self.prefix + "weight"]
        return x + tensors[self.prefix + "bias"] if self.bias else x


@dataclass(frozen=True)
class Embedding:
    """`nn.Embedding` of one column that holds the numbers of categories."""

    weight: str

    def __call__(self, x: Tensor, tensors: dict[str, Tensor], now: Pass) -> Tensor:
        weight = tensors[self.weight]  # [runs, categories, numbers]
        numbers = x[:, 0].long()
        # A GPU checks it itself; to look there would end a recorded step.
        if x.device.type == "cpu":
            least, most = int(numbers.min()), int(numbers.max())
            if least < 0 or most >= weight.shape[1]:
                raise ComponentError(
                    f"{self.weight} has the categories 0 to {weight.shape[1] - 1}, and the rows "
                    f"have {least} to {most} in that column"
                )
        places = numbers[:, :, None].expand(-1, -1, weight.shape[-1])
        return weight.gather(1, places).transpose(1, 2)


ELEMENTWISE = (
    nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Softplus, nn.Sigmoid, nn.Tanh,
    nn.Identity, nn.ReLU6, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.Mish, nn.Softsign,
    nn.LogSigmoid, nn.CELU, nn.Tanhshrink, nn.Softshrink, nn.Hardshrink, nn.Threshold,
)  # fmt: skip


def known_layers(name: str, modules: Sequence[nn.Module]) -> list[Layer] | None:
    """The stacked layers of R modules of one architecture, or None where one is not known.

    Args:
        name: prefix of the parameters' names, as in `named_parameters()`.
        modules: the same module of each run.
    """
    first = modules[0]
    kind = type(first)
    if kind is nn.Sequential or kind is Shortcut:
        layers: list[Layer] = []
        for key in dict(first.named_children()):
            part = known_layers(f"{name}{key}.", [module.get_submodule(key) for module in modules])
            if part is None:
                return None
            layers.extend(part)
        return layers if kind is nn.Sequential else [Joined(tuple(layers))]
    if kind is nn.Linear:
        return [Linear(name + "weight", name + "bias" if first.bias is not None else None)]
    if isinstance(first, nn.Dropout) and kind is nn.Dropout:
        return [Dropout(name + "rates")]
    if isinstance(first, nn.BatchNorm1d) and kind is nn.BatchNorm1d:
        track = first.track_running_stats
        return [BatchNorm(name, first.momentum, first.eps, first.affine, track)]
    if isinstance(first, nn.LayerNorm) and kind is nn.LayerNorm:
        affine = first.elementwise_affine
        known = LayerNorm(name, first.eps, affine, affine and first.bias is not None)
        return [known] if len(first.normalized_shape) == 1 else None
    if isinstance(first, nn.Embedding) and kind is nn.Embedding:
        plain = first.padding_idx is None and first.max_norm is None and not first.sparse
        return [Embedding(name + "weight")] if plain and not first.scale_grad_by_freq else None
    bare = next(first.parameters(), None) is None and next(first.buffers(), None) is None
    if bare and (kind in ELEMENTWISE or getattr(first, "elementwise", False)):
        # Not the module itself: its hooks cost more than a small activation takes.
        return [Elementwise(first.forward)]
    return None
