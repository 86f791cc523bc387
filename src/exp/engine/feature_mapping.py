"""The feature map of a config, and what is checked of a custom one."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np

from exp.data.dataset import Floats
from exp.data.feature_map import FeatureMap
from exp.data.prepared import Prepared
from exp.registry.component import Chosen
from exp.registry.user_code import seeded
from exp.util.errors import ComponentError, ImpossibleError


def is_fitted(features: Chosen) -> bool:
    """Whether a feature map is fitted on the training rows."""
    return "training_rows" in features.component.injected.values()


def mapping(
    features: Chosen, names: tuple[str, ...], seed: int, training_rows: Floats | None = None
) -> FeatureMap | None:
    """The feature map of a config for features of these names.

    Args:
        training_rows: [training rows, features], for a map that is fitted on them.

    Raises:
        ImpossibleError: the map needs training rows, and there are none.
    """
    if is_fitted(features) and training_rows is None:
        raise ImpossibleError(
            f"features {features.name} is fitted on the training rows, which a model file does not "
            "contain: use the run directory"
        )
    with nullcontext() if features.component.packaged else seeded(seed):
        found = features.build(names, seed, training_rows=training_rows)
    if found is not None and not isinstance(found, FeatureMap):
        kind = type(found).__name__
        raise ComponentError(
            f"features {features.name} must return an exp.data.FeatureMap or None, found {kind}"
        )
    return found


def mapped_alone(prepared: Prepared, name: str) -> None:
    """Maps the rows by a feature map of a user's.

    Raises:
        ComponentError: it changes the rows that it is given, or maps a row by other rows.
    """
    before = prepared.scaled.copy()
    whole = prepared.X
    if not np.array_equal(before, prepared.scaled):
        raise ComponentError(f"features {name} changes its input rows: transform a copy")
    few = prepared.mapped(prepared.scaled[: max(1, len(before) // 2)])
    if not np.allclose(few, whole[: len(few)], rtol=1e-4, atol=1e-5):
        raise ComponentError(
            f"features {name} maps a row differently when other rows change, so training "
            "would use the test rows. Map each row separately"
        )
