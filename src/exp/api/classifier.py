"""`exp.Classifier`: the engine as a scikit-learn estimator."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from exp.api.classifier_parameters import planned
from exp.components.devices import Device
from exp.config import plugins
from exp.config.plan import Plan, plan
from exp.data.dataset import Data, Split
from exp.data.prepared import Prepared, Standardize
from exp.engine import Job, Predictor, check_job, train
from exp.engine.job import possible
from exp.engine.prepare import with_positive
from exp.registry.component import Chosen
from exp.runs.trained.predictor import Trained
from exp.util.errors import ExpError


class Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A scikit-learn estimator whose network is trained by exp's engine.

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

    def __init__(
        self,
        *,
        model: str | None = None,
        hidden: Any = None,
        activation: str | None = None,
        dropout: float | None = None,
        optimizer: str | None = None,
        lr: float | None = None,
        weight_decay: float | None = None,
        loss: str | None = None,
        scheduler: str | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        early_stopping: int | None = None,
        validation: float | None = None,
        standardize: Standardize | None = None,
        device: str | None = None,
        seed: int | None = None,
        overrides: Any = (),
    ) -> None:
        self.model = model
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.optimizer = optimizer
        self.lr = lr
        self.weight_decay = weight_decay
        self.loss = loss
        self.scheduler = scheduler
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation = validation
        self.standardize = standardize
        self.device = device
        self.seed = seed
        self.overrides = overrides

    def fit(self, X: Any, y: Any, groups: Any = None) -> Classifier:
        """Trains on rows `[rows, features]` with labels `[rows]`.

        Args:
            groups: [rows] numbers or texts, such as the patient of each row. Rows with the same
                value are never in both the training and the validation part.

        Raises:
            ValueError: invalid parameters, rows or labels; the message lists every error.
        """
        X, y = validate_data(self, X, y, dtype=(np.float64, np.float32))
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError("Classifier needs at least 2 classes; y has 1 class")
        with as_value_errors():
            chosen = planned(self.get_params(deep=False))
            texts = [str(name) for name in classes]
            prepared = self._prepared(chosen, X, codes, texts, groups)
            job = job_of(chosen, prepared)
            check_job(job)
            (result,) = train([job])
        self.classes_ = classes
        self.config_ = chosen.config
        self.weights_ = {name: tensor.numpy() for name, tensor in result.final_state.items()}
        self.history_ = result.history
        self.n_iter_, self.status_ = result.epochs, result.end_reason
        self._blank = without_rows(prepared)
        self._trained = trained(chosen, self._blank, self.weights_)
        if result.end_reason == "diverged":
            message = "the loss is no longer finite: a smaller lr or standardize=True usually helps"
            warnings.warn(message, ConvergenceWarning, stacklevel=2)
        return self

    def _prepared(
        self, chosen: Plan, X: NDArray[Any], codes: NDArray[Any], classes: list[str], groups: Any
    ) -> Prepared:
        """The rows of `fit`, prepared as those of a data set are."""
        names = getattr(self, "feature_names_in_", None)
        features = None if names is None else [str(name) for name in names]
        columns = {} if groups is None else {"groups": groups}
        data = Data.checked(X, codes, classes=classes, features=features, columns=columns)
        data = with_positive(data, chosen["dataset"].common.get("positive"))
        split = chosen["split"]
        if groups is not None:
            if "groups" not in split.component.declared:
                raise ValueError(f"split {split.name} does not support groups")
            split = Chosen(split.component, {**split.params, "groups": "groups"})
        parts = split.build(data.y, chosen.seeds.split, columns=data.columns)
        standardize = split.params.get("standardize", False)
        return Prepared.of(data, parts, standardize=standardize)

    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """Probabilities `[rows, classes]` for rows `[rows, features]`, in the order of `classes_`.

        Raises:
            ValueError: the rows do not match the training data.
        """
        answering, rows = self._ready(X)
        with as_value_errors():
            return answering.predict_proba(rows)

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable label of each row: `[rows, features]` to `[rows]`."""
        answering, rows = self._ready(X)
        with as_value_errors():
            labels: NDArray[Any] = self.classes_[answering.numbered(rows)]
        return labels

    def _ready(self, X: Any) -> tuple[Trained, NDArray[Any]]:
        """The model, and rows that scikit-learn has checked."""
        check_is_fitted(self)
        return self._trained, validate_data(self, X, reset=False, dtype=(np.float64, np.float32))

    def __getstate__(self) -> dict[str, Any]:
        """Without the model itself: it is built again from `config_` and `weights_`."""
        state: dict[str, Any] = dict(super().__getstate__())
        state.pop("_trained", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "weights_" in state:
            plugins.import_all(self.config_["plugins"])
            self._trained = trained(plan(self.config_), self._blank, self.weights_)


def job_of(chosen: Plan, prepared: Prepared) -> Job:
    """A job of rows that are in memory."""
    device: Device = chosen["device"].build()
    return Job(
        chosen,
        prepared,
        possible(chosen["loss"], prepared.class_sizes, prepared.data.classes),
        device,
    )


def without_rows(prepared: Prepared) -> Prepared:
    """Replaces the data by one row of zeros per class, so a fitted estimator stores no data."""
    data = prepared.data
    count = len(data.classes)
    X = np.zeros((count, data.X.shape[1]), data.X.dtype)
    y = np.arange(count, dtype=np.int64)
    blank = dataclasses.replace(data, X=X, y=y, columns={}, weights=None)
    return dataclasses.replace(prepared, data=blank, split=Split(np.arange(count, dtype=np.int64)))


def trained(chosen: Plan, blank: Prepared, weights: dict[str, NDArray[Any]]) -> Trained:
    """The model of these weights."""
    job = job_of(chosen, blank)
    state = {name: torch.from_numpy(array) for name, array in weights.items()}
    return Trained(job, Predictor(job, state))


@contextmanager
def as_value_errors() -> Iterator[None]:
    """Converts errors in parameters or rows to ValueError, as scikit-learn expects."""
    try:
        yield
    except ExpError as error:
        raise ValueError(str(error)) from error
