"""The base of `exp.Classifier` and `exp.Regressor`: the engine behind scikit-learn's interface."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from exp.api.estimator_parameters import planned
from exp.config import plugins
from exp.config.plan import Plan, plan
from exp.data.dataset import Data
from exp.data.prepared import Prepared, Standardize
from exp.engine import Predictor, check_job, train
from exp.engine.prepare import prepared_by, with_positive
from exp.registry.component import Chosen
from exp.runs.trained.load_model import job_with, job_without_rows
from exp.runs.trained.predictor import Trained
from exp.runs.trained.preparation import Preparation
from exp.util.errors import ExpError, shown

LARGEST_SEED = 2**31 - 1


class Estimator(BaseEstimator):  # type: ignore[misc]
    """What a classifier and a regressor have in common.

    Attributes:
        defaults: keys of the config that this kind of estimator sets unless its `overrides` do.
    """

    defaults: ClassVar[dict[str, Any]] = {}

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
        random_state: int | np.random.RandomState | None = None,
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
        self.random_state = random_state
        self.overrides = overrides

    def _checked(self, X: Any, y: Any, **options: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        """Rows and targets of `fit` that scikit-learn has checked."""
        with texts_explained(X):
            return validate_data(self, X, y, dtype=(np.float64, np.float32), **options)  # type: ignore[no-any-return]

    def _train(
        self, data_of: Callable[..., Data], y: NDArray[Any], sample_weight: Any, groups: Any
    ) -> None:
        """Trains the network, and sets the attributes that both kinds of estimators have.

        Args:
            data_of: makes the data of the rows that count, from their indices and keyword arguments
                of `Data.checked`.
            y: [rows] the targets.
            sample_weight, groups: of `fit`.

        Raises:
            ValueError: invalid parameters, rows or targets; the message lists every error.
        """
        rows, weights = counting(sample_weight, len(y))
        columns = {} if groups is None else {"groups": vector(groups, "groups", len(y))[rows]}
        names = getattr(self, "feature_names_in_", None)
        features = None if names is None else [str(name) for name in names]
        with as_value_errors():
            chosen = planned(self._parameters(), self.defaults)
            data = data_of(rows, features=features, columns=columns, weights=weights)
            job = job_with(chosen, prepared(chosen, data))
            check_job(job)
            (result,) = train([job])
        self.config_ = chosen.config
        self.weights_ = {name: tensor.numpy() for name, tensor in result.final_state.items()}
        self.history_ = result.history
        self.n_iter_, self.status_ = result.epochs, result.end_reason
        self._preparation = Preparation.of(job.data)
        self._trained = trained(chosen, self._preparation, self.weights_)
        if result.end_reason == "diverged":
            message = "the loss is no longer finite: a smaller lr or standardize=True usually helps"
            warnings.warn(message, ConvergenceWarning, stacklevel=3)

    def _parameters(self) -> dict[str, Any]:
        """The parameters, with `random_state` as `seed`.

        Raises:
            ValueError: it is none.
        """
        found: dict[str, Any] = self.get_params(deep=False)
        state = found.pop("random_state")
        if isinstance(state, np.random.RandomState):
            found["seed"] = int(state.randint(LARGEST_SEED))
        elif state is not None:
            if isinstance(state, bool) or not isinstance(state, (int, np.integer)):
                raise ValueError(
                    f"random_state: expected an integer, a RandomState or None; found {state!r}"
                )
            found["seed"] = int(state)
        return found

    def _ready(self, X: Any) -> tuple[Trained, NDArray[Any]]:
        """The model, and rows that scikit-learn has checked."""
        check_is_fitted(self)
        with texts_explained(X):
            rows = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return self._trained, rows

    def __getstate__(self) -> dict[str, Any]:
        """Without the model itself: it is built again from `config_` and `weights_`."""
        state: dict[str, Any] = dict(super().__getstate__())
        state.pop("_trained", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "weights_" in state:
            plugins.import_all(self.config_["plugins"])
            self._trained = trained(plan(self.config_), self._preparation, self.weights_)


def prepared(chosen: Plan, data: Data) -> Prepared:
    """The rows of `fit`, prepared as those of a data set are."""
    data = with_positive(data, chosen["dataset"].common.get("positive"))
    split = chosen["split"]
    if data.columns:
        if "groups" not in split.component.declared:
            raise ValueError(f"split {split.name} does not support groups")
        split = Chosen(split.component, {**split.params, "groups": "groups"})
    parts = split.build(data.y, chosen.seeds.split, columns=data.columns)
    features, seed = chosen["features"], chosen.seeds.init
    return prepared_by(split, data, parts, features=features, init_seed=seed)


def trained(chosen: Plan, preparation: Preparation, weights: dict[str, NDArray[Any]]) -> Trained:
    """The model of these weights."""
    job = job_without_rows(chosen, preparation)
    state = {name: torch.from_numpy(array) for name, array in weights.items()}
    return Trained(job, Predictor(job, state), preparation)


def counting(sample_weight: Any, count: int) -> tuple[NDArray[np.intp], NDArray[np.float64] | None]:
    """The rows that count, those with a weight above 0, and their weights, whose mean is near 1;
    None: all rows count the same.

    Raises:
        ValueError: weights that are negative or not finite, or all of them are 0.
    """
    rows = np.arange(count)
    if sample_weight is None:
        return rows, None
    weights = vector(sample_weight, "sample_weight", count, dtype=np.float64)
    if (weights < 0).any():
        row = int(np.argmax(weights < 0))
        raise ValueError(
            f"Negative values in sample_weight: row {row} has the weight {weights[row]:g}; weights "
            "are at least 0"
        )
    rows = np.flatnonzero(weights)
    if not len(rows):
        raise ValueError("sample_weight: all weights are zero, so that no row would count")
    weights = weights[rows]
    if (weights == weights[0]).all():
        return rows, None
    # By a power of two, which changes no digit: float32 holds neither 1e-50 nor 1e50.
    return rows, weights * 2.0 ** -np.round(np.log2(weights.mean()))


def vector(values: Any, name: str, count: int, dtype: Any = None) -> NDArray[Any]:
    """One value for each row, [rows].

    Raises:
        ValueError: another shape, or missing values.
    """
    if np.isscalar(values):
        values = np.full(count, values)
    found: NDArray[Any] = check_array(values, ensure_2d=False, dtype=dtype, input_name=name)
    if found.shape != (count,):
        raise ValueError(
            f"{name} has shape {found.shape}, expected ({count},): one value for each row"
        )
    return found


@contextmanager
def texts_explained(X: Any) -> Iterator[None]:
    """Names the column of a DataFrame that scikit-learn cannot convert to numbers."""
    try:
        yield
    except (TypeError, ValueError) as error:
        for name in getattr(X, "columns", ()):
            values = np.asarray(X[name])
            texts = [value for value in values if isinstance(value, (str, np.datetime64))]
            if texts or values.dtype.kind in "mM":
                example = shown(str(texts[0] if texts else values[0]), 40)
                raise type(error)(
                    f"column {shown(str(name), 40)} contains texts or dates, such as {example}: "
                    "convert it to numbers first, for example with a ColumnTransformer. exp.fit "
                    "and data sets from files (dataset=csv) do so by themselves"
                ) from error
        raise


@contextmanager
def as_value_errors() -> Iterator[None]:
    """Converts errors in parameters or rows to ValueError, as scikit-learn expects."""
    try:
        yield
    except ExpError as error:
        raise ValueError(str(error)) from error
