"""`exp.Classifier`: the engine as a scikit-learn classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from exp.api.estimator import Estimator, as_value_errors, counting
from exp.data.dataset import Data


class Classifier(ClassifierMixin, Estimator):  # type: ignore[misc]
    """A scikit-learn classifier whose network is trained by exp's engine.

    Each parameter sets one key of the config. None, the default, keeps the value of the config
    files (including your `./conf`), so `Classifier()` trains the same model as `python -m exp`.
    Nothing is written to disk.

    Args:
        model: `model`, the name of an option.
        hidden: `model.hidden`, units of each hidden layer.
        activation: `model.activation`.
        dropout: `model.dropout`.
        optimizer: `optimizer`.
        lr: `optimizer.lr`.
        weight_decay: `optimizer.weight_decay`.
        loss: `loss`.
        scheduler: `scheduler`.
        epochs: `trainer.epochs`.
        batch_size: `trainer.batch_size`; None: all training rows.
        early_stopping: `trainer.early_stopping`.
        validation: `split.validation`, the share of the rows of `fit` that are validation rows
            for early stopping.
        standardize: `split.standardize`.
        device: `device`.
        seed: `seed` for the split, the initial weights and the shuffling.
        random_state: scikit-learn's name for `seed`, which its ensembles set: an integer, or a
            RandomState that draws one. If it is given, `seed` is not used. None: `seed`, or that
            of the config, so that the same rows give the same model.
        overrides: further overrides, such as `("optimizer.momentum=0.9",)`.

    Attributes:
        classes_: the labels, sorted.
        n_features_in_: number of columns of X.
        feature_names_in_: names of the columns, if X had names.
        config_: the resolved config.
        weights_: name -> array, the weights of the last epoch (after divergence, the last finite
            ones), or of the best epoch with early stopping (`trainer.restore_best`).
        history_: the columns of metrics.csv.
        n_iter_: number of trained epochs.
        status_: done, stopped (early) or diverged; divergence also raises a ConvergenceWarning.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Classifier:
        """Trains on rows `[rows, features]` with labels `[rows]`.

        Args:
            sample_weight: [rows] numbers of at least 0, how much each row counts in the loss. Rows
                of weight 0 are left out.
            groups: [rows] numbers or texts, such as the patient of each row. Rows with the same
                value are never in both the training and the validation part.

        Raises:
            ValueError: invalid parameters, rows or labels; the message lists every error.
        """
        X, y = self._checked(X, y)
        check_classification_targets(y)
        rows, _ = counting(sample_weight, len(y))
        classes = np.unique(y[rows])
        if len(classes) < 2:
            raise ValueError("Classifier needs at least 2 classes; y has 1 class")
        texts = [str(name) for name in classes]

        def data_of(rows: NDArray[np.intp], **options: Any) -> Data:
            return Data.checked(
                X[rows], np.searchsorted(classes, y[rows]), classes=texts, **options
            )

        self._train(data_of, y, sample_weight, groups)
        self.classes_ = classes
        return self

    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """Probabilities `[rows, classes]` for rows `[rows, features]`, in the order of `classes_`.

        Raises:
            ValueError: the rows do not match the training data.
        """
        model, rows = self._ready(X)
        with as_value_errors():
            return model.predict_proba(rows)

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable label of each row: `[rows, features]` to `[rows]`."""
        model, rows = self._ready(X)
        with as_value_errors():
            labels: NDArray[Any] = self.classes_[model.numbered(rows)]
        return labels
