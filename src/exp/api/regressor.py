"""`exp.Regressor`: the engine as a scikit-learn regressor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from exp.api.estimator import Estimator, as_value_errors
from exp.data.dataset import Data


class Regressor(RegressorMixin, Estimator):  # type: ignore[misc]
    """A scikit-learn regressor whose network is trained by exp's engine.

    Parameters and attributes are those of `Classifier`, without `classes_`. The network is
    trained on a target with mean 0 and standard deviation 1, so that targets in any unit can be
    learned; predictions and the errors in `history_` are in the target's own units. With
    `overrides=("split.standardize_target=false",)` it learns the target as it is, and is the same
    model as a run of `python -m exp` with these rows.
    """

    defaults: ClassVar[dict[str, Any]] = {"split.standardize_target": True}

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Regressor:
        """Trains on rows `[rows, features]` with targets `[rows]`.

        Args:
            sample_weight, groups: as for `Classifier.fit`.

        Raises:
            ValueError: invalid parameters, rows or targets; the message lists every error.
        """
        X, y = self._checked(X, y, y_numeric=True)

        def data_of(rows: NDArray[np.intp], **options: Any) -> Data:
            return Data.numbers(X[rows], y[rows], **options)

        self._train(data_of, y, sample_weight, groups)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """The number of each row in the units of the target: `[rows, features]` to `[rows]`.

        Raises:
            ValueError: the rows do not match the training data.
        """
        model, rows = self._ready(X)
        with as_value_errors():
            return model.numbered(rows).astype(np.float64)
