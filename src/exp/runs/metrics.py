"""torchmetrics' functions for classification, without what they do not need.

`import torchmetrics` takes a second: its plots import matplotlib, its audio metrics scipy.signal.
The functions themselves need neither. They are imported by themselves, as if the packages above
them were empty; what was put in those packages' places is taken away again, so that whoever
imports torchmetrics later gets the whole of it.
"""

from __future__ import annotations

import importlib
import logging
import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

WHOLE = "torchmetrics.functional.classification"
PARTS = (
    "accuracy", "precision_recall", "f_beta", "auroc", "calibration_error", "confusion_matrix",
)  # fmt: skip


class Absent(ModuleType):
    """Stands for a module of plots: whatever is imported from it is of no use."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return object


@lru_cache(maxsize=1)
def functions() -> Any:
    """An object with `binary_accuracy`, `multiclass_auroc` and so on."""
    if "torchmetrics" in sys.modules:
        return importlib.import_module(WHOLE)
    try:
        return by_themselves()
    except Exception:  # another version, put together in another way
        return importlib.import_module(WHOLE)


def by_themselves() -> SimpleNamespace:
    spec = find_spec("torchmetrics")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    try:
        for name in ("torchmetrics", "torchmetrics.functional", WHOLE):
            package = ModuleType(name)
            package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
            sys.modules[name] = package
        sys.modules["torchmetrics"]._logger = logging.getLogger("torchmetrics")  # type: ignore[attr-defined]
        sys.modules["torchmetrics.utilities.plot"] = Absent("torchmetrics.utilities.plot")
        found: dict[str, Any] = {}
        for part in PARTS:
            module = importlib.import_module(f"{WHOLE}.{part}")
            found |= {k: v for k, v in vars(module).items() if k.startswith(("binary", "multicl"))}
        return SimpleNamespace(**found)
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchmetrics"]:
            del sys.modules[name]
