"""`exp list activations --plot`: every activation with its derivative, as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from exp.plotting.activation_plot import LIMITS, Function, apart, draw
from exp.plotting.layout import encode
from exp.plotting.picture import FORMATS
from exp.plotting.style import settings
from exp.registry.component import Component
from exp.registry.registry import register
from exp.util.errors import ConfigError, Fault
from exp.util.files import write_output

POINTS = 801
"""Of each curve; 0 is one of them, where kinks are."""
SAME = ("tanh", "tanh_from_exp")
"""The course's exercise 6 makes one from the other."""
STARTS = {"png": (b"\x89PNG\r\n\x1a\n",), "svg": (b"<?xml", b"<svg"), "pdf": (b"%PDF",)}


def plot(file: str, theme: str) -> list[str]:
    """Draws all activations that need no parameter.

    Args:
        file: the picture, its ending says the format; a picture that is there is replaced.
        theme: light or dark.

    Returns:
        What there is to say of it.

    Raises:
        ConfigError: the file cannot be a picture, or is something else already.
        RunDirectoryError: it cannot be written.
    """
    path = Path(file)
    suffix = ending(path)
    components = register.kinds["activation"]
    drawn = {name: function(components.components[name]) for name in components.names()}
    shown = {name: found for name, found in drawn.items() if found is not None}
    same = [shown[name] for name in SAME if name in shown]
    others = [found for name, found in shown.items() if name not in SAME]
    with settings(theme) as colours:
        data = encode(draw(others, colours, same=same), suffix, dpi=120)
    write_output(path, data)
    lines = [f"{path}: {len(shown)} activations with their derivatives"]
    left_out = [name for name in drawn if name not in shown]
    lines += [f"not drawn, since a parameter has no default: {name}" for name in left_out]
    values, slopes = apart(*same)
    lines.append(
        f"{SAME[0]} and {SAME[1]} differ by at most {values:.1e} (derivatives {slopes:.1e}) "
        f"at {POINTS} points from {LIMITS[0]:g} to {LIMITS[1]:g}, in float32"
    )
    return lines


def ending(path: Path) -> str:
    """The format of a picture that may be written to `path`.

    Raises:
        ConfigError: there is none, or what stands there is no such picture.
    """
    suffix = path.suffix.removeprefix(".").lower()
    if suffix not in FORMATS:
        raise ConfigError([Fault("--plot", f"{path}: expected a name in .png, .svg or .pdf")])
    try:
        if path.is_dir():
            raise ConfigError([Fault("--plot", f"{path} is a folder")])
        start = b""
        if path.exists():
            with path.open("rb") as there:
                start = there.read(8)
    except OSError as error:
        why = error.strerror or error
        raise ConfigError([Fault("--plot", f"cannot write {path}: {why}")]) from error
    if start and not start.startswith(STARTS[suffix]):
        what = f"{path} exists and is no {suffix} picture: it is not overwritten"
        raise ConfigError([Fault("--plot", what)])
    return suffix


def function(component: Component) -> Function | None:
    """An activation with its defaults and its derivative by autograd; None: it has no defaults."""
    required = [p for p in component.parameters.values() if p.default is p.empty]
    if required:
        return None
    module = register.choose("activation", {"name": component.name}).build()
    x = torch.from_numpy(np.linspace(*LIMITS[:2], POINTS).astype(np.float32)).requires_grad_()
    y = module(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    about = ", ".join(f"{name}={p.default:g}" for name, p in component.parameters.items())
    arrays = {"x": x, "y": y, "slope": slope}
    content = {name: tensor.detach().numpy() for name, tensor in arrays.items()}
    return Function(name=component.name, about=about, **content)
