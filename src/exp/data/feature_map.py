"""Feature maps: new features computed from the given ones, before the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.data.faults import not_finite, raise_any
from exp.util.errors import ComponentError

Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """A fixed map from rows to the inputs of a model.

    NumPy computes the map once before training, and again for figures, so a run has the same inputs
    alone and in a stack. Each row must be mapped separately.

    Attributes:
        name: name of the component, for messages.
        names: a name for each mapped feature.
        function: from [rows, features] float64 to [rows, len(names)] float64.
        values: what its formula computes with, such as the frequencies of cosines: arrays, numbers
            and texts by name, from which exp can build the map again. None: a custom map.
    """

    name: str
    names: tuple[str, ...]
    function: Function
    values: Mapping[str, Any] | None = None

    def __call__(self, X: NDArray[np.floating]) -> NDArray[np.float32]:
        """[rows, features] to [rows, mapped features] float32.

        Raises:
            DataError: a mapped value that float32 cannot hold.
            ComponentError: the function gives another shape.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            found = np.asarray(self.function(X.astype(np.float64)))
            wanted = (len(X), len(self.names))
            if found.shape != wanted:
                raise ComponentError(
                    f"features {self.name} must return [rows, features] of shape {list(wanted)}, "
                    f"found {list(found.shape)}"
                )
            out = np.ascontiguousarray(found, dtype=np.float32)
        raise_any([*not_finite(out, found, self.names)], f"features {self.name}")
        return out
