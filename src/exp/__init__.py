"""exp: configuration-driven PyTorch classification experiments."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from exp.util import moved_modules

if TYPE_CHECKING:
    from exp.api.boundary import plot_boundary
    from exp.api.classifier import Classifier
    from exp.api.fit import fit
    from exp.api.load import load
    from exp.api.regressor import Regressor
    from exp.api.start import run, sweep
    from exp.api.tables import results
    from exp.registry.registry import register

__all__ = [
    "Classifier",
    "Regressor",
    "fit",
    "load",
    "plot_boundary",
    "register",
    "results",
    "run",
    "sweep",
]

_PLACES = {
    "Classifier": "exp.api.classifier",
    "Regressor": "exp.api.regressor",
    "fit": "exp.api.fit",
    "load": "exp.api.load",
    "plot_boundary": "exp.api.boundary",
    "register": "exp.registry.kinds",
    "results": "exp.api.tables",
    "run": "exp.api.start",
    "sweep": "exp.api.start",
}

moved_modules.install()


def __getattr__(name: str) -> Any:
    # `import exp` imports nothing heavy; what is used is imported when it is used.
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'exp' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
