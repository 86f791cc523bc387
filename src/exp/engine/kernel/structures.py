"""What kernel.h declares, in ctypes, and the numbers by which it knows each kind."""

from __future__ import annotations

from ctypes import POINTER, Structure, c_double, c_float, c_int32, c_int64, c_void_p

from torch import Tensor, nn

from exp.components.activations import TanhFromExp

OPERATIONS = (
    "linear", "dropout", "join", "sum", "product", "columns", "layer_norm", "batch_norm",
    "identity", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "sigmoid", "tanh",
    "tanh_from_exp", "clamp",
)  # fmt: skip
LOSSES = (
    "bce", "cross_entropy", "focal", "hinge", "tanh_mse", "mse", "l1", "squared", "absolute",
)  # fmt: skip
OPTIMIZERS = (
    "sgd", "adam", "nadam", "radam", "rmsprop", "adagrad", "adadelta", "rprop", "lion",
)  # fmt: skip
GOES_ON, DIVERGED, STOPPED = range(3)


class Op(Structure):
    _fields_ = (
        *((name, c_int32) for name in ("kind", "first", "second", "out", "inputs", "outputs")),
        *((name, c_int32) for name in ("weight", "bias", "which", "own", "more", "more2")),
        ("a", c_float),
        ("b", c_float),
    )


class Program(Structure):
    _fields_ = (
        ("op", POINTER(Op)),
        ("ops", c_int64),
        ("lines", c_int64),
        ("starts", POINTER(c_int64)),
        *((name, c_int64) for name in ("last", "block", "parameters", "drawn", "dropouts")),
    )


class Loss(Structure):
    _fields_ = tuple((name, c_int64) for name in ("kind", "outputs", "positive", "scores"))


class Split(Structure):
    _fields_ = (
        *((name, c_void_p) for name in ("x", "y", "weight", "spread", "units")),
        *((name, c_int64) for name in ("rows", "width", "features", "by_row")),
    )


class Optimizer(Structure):
    _fields_ = (
        *((name, c_int64) for name in ("kind", "flags", "numbers")),
        ("number", c_void_p),
        ("vectors", c_void_p * 4),
        ("scalars", c_void_p * 4),
        ("gain", c_void_p),
    )


class Statistics(Structure):
    _fields_ = (
        *((name, c_void_p * 4) for name in ("mean", "variance", "batches")),
        ("outputs", c_int64),
        ("momentum", c_double),
    )


class Stack(Structure):
    _fields_ = (
        ("program", Program),
        ("loss", Loss),
        ("split", Split * 3),
        ("optimizer", Optimizer),
        *((name, c_void_p) for name in ("loss_number", "l1", "l2", "penalized")),
        ("penalties", c_int64),
        *((name, c_void_p) for name in ("clip", "rates", "statistics")),
        ("norms", c_int64),
        *((name, c_void_p) for name in ("values", "gradients", "best", "now", "before")),
        *((name, c_int64) for name in ("runs", "epoch", "count", "batch", "eval_every", "epochs")),
        ("lr", c_void_p),
        ("changes", c_int64),
        ("order", c_void_p),
        ("draws", c_void_p),
        ("draw_width", c_int64),
        ("sign", c_double),
        ("column", c_int64),
        *((name, c_void_p) for name in ("min_delta", "patience", "best_value")),
        *((name, c_void_p) for name in ("best_epoch", "waited", "row")),
        ("columns", c_int64),
        ("ended", c_void_p),
        ("done", c_void_p),
    )


def activation(module: nn.Module) -> tuple[str, float, float] | None:
    """The operation of an activation of torch, with its two numbers; None: there is none."""
    kind = type(module)
    if kind is nn.Softplus:
        return "softplus", float(module.beta), float(module.threshold)  # type: ignore[arg-type]
    if kind is nn.LeakyReLU:
        return "leaky_relu", float(module.negative_slope), 0.0  # type: ignore[arg-type]
    if kind is nn.ELU:
        return "elu", float(module.alpha), 0.0  # type: ignore[arg-type]
    if kind is nn.Hardtanh or kind is nn.ReLU6:
        return "clamp", float(module.min_val), float(module.max_val)  # type: ignore[arg-type]
    if kind is nn.GELU and module.approximate != "none":
        return None
    names = {
        nn.Identity: "identity",
        nn.ReLU: "relu",
        nn.SELU: "selu",
        nn.GELU: "gelu",
        nn.SiLU: "silu",
        nn.Sigmoid: "sigmoid",
        nn.Tanh: "tanh",
        TanhFromExp: "tanh_from_exp",
    }
    return (names[kind], 0.0, 0.0) if kind in names else None


def address(tensor: Tensor | None) -> int | None:
    """Where the numbers of a contiguous tensor on the CPU stand."""
    if tensor is None:
        return None
    assert tensor.is_contiguous()
    assert tensor.device.type == "cpu"
    return tensor.data_ptr()
