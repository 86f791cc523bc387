"""Cross-validation: the seed of a run chooses its test fold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from exp.components.splits.group_splits import (
    ColumnName,
    Columns,
    check_groups_whole,
    columns_differ,
    folds_of_column,
    groups_of,
    groups_text,
)
from exp.components.splits.holdout import held_out, held_out_of
from exp.components.splits.time_splits import newest_last, only_time, window
from exp.data.cache import repeatable
from exp.data.dataset import Split
from exp.data.faults import TooFewRowsError, rows_text
from exp.data.prepared import Standardize
from exp.registry.registry import register
from exp.registry.types import Probability
from exp.util.errors import SplitError

Folds = Annotated[int, Field(ge=2, le=1000)]
Rows = NDArray[np.int64]


def values_fit(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from columns_differ(values)
    yield from only_time(values)
    if values["inner_folds"] is not None and values["validation"]:
        yield "inner_folds", "expected null with split.validation: set one of the two"


@register.split("kfold", check=values_fit)
@repeatable
def kfold(
    labels: Rows,
    seed: int,
    *,
    folds: Folds = 10,
    stratify: bool | Literal["auto"] = "auto",
    validation: Probability = 0.0,
    inner_folds: Folds | None = None,
    groups: ColumnName | None = None,
    column: ColumnName | None = None,
    time: ColumnName | None = None,
    standardize: Standardize = False,
    columns: Columns = None,
) -> Split:
    """Cross-validation: test on one fold and train on the others; the seed chooses the fold.

    The fold is `seeds.split` modulo `folds`, and the quotient is the seed of the shuffling. So
    `-m seed='range(0,10)'` tests on each of ten folds once, and `range(0,30)` does so three times
    with different folds. The folds equal those of scikit-learn's `StratifiedKFold(folds,
    shuffle=True, random_state=seed // folds)`, or of `KFold`; with groups, of
    `StratifiedGroupKFold` or `GroupKFold`.

    Args:
        labels: [rows] int64, or float32 if the target is a number.
        seed: seed of the fold and the shuffling.
        folds: number of folds.
        stratify: whether all folds have the same shares of the classes; auto: they have, unless the
            target is a number.
        validation: share of all rows (with groups: of all groups), rounded up, that is taken from
            the training part for validation, as in `holdout`; 0: no validation rows.
        inner_folds: nested cross-validation: the training part is divided into this many folds, and
            one of them is the validation part: the quotient modulo `inner_folds`. The rows are
            shuffled again after `folds * inner_folds` seeds. null: no validation rows.
        groups: name of a column of the data, such as the patient: all rows with the same value are
            in the same part.
        column: name of a column of the data that contains the fold of each row, as for
            `PredefinedSplit`: rows of fold -1 are training rows in every run. No row is shuffled.
        time: name of a column of the data of dates or numbers: the folds follow each other in time,
            and the training rows are all rows before the fold, as in `TimeSeriesSplit`. No row is
            shuffled, `stratify` has no effect, and `validation` is a share of the training part,
            its newest rows. Rows of equal time are in the same fold.
        standardize: true: scale each feature to mean 0 and standard deviation 1; minmax: to 0..1;
            both fitted on the training rows.
        columns: the columns of the data by name; `groups`, `column` and `time` are among them.

    Raises:
        SplitError: there are fewer rows, groups or times than folds, a fold has no rows, or the
            column has another number of folds.
        TooFewRowsError: with stratification, a class has fewer rows than folds.
    """
    group = groups_of(columns, groups)
    inner_count = inner_folds or 1
    round_number = seed // (folds * inner_count)
    rows = np.arange(len(labels), dtype=np.int64)
    even = labels.dtype.kind in "iu" if stratify == "auto" else stratify
    if time is not None:
        inner = None if inner_folds is None else (inner_folds, seed // folds % inner_folds)
        return in_time((columns or {})[time], time, (folds, seed % folds), inner, validation)

    def divided(among: Rows, count: int, what: str) -> list[Rows]:
        return folds_of(among, labels, group, count, round_number, what, stratify=even)

    if column is None:
        tested = divided(rows, folds, "folds")[seed % folds]
    else:
        tested = folds_of_column((columns or {})[column], column, folds)[seed % folds]
    train = np.setdiff1d(rows, tested)
    if group is not None and column is not None:
        check_groups_whole(group, columns, groups, Split(train, tested))
    if validation:
        train, validated = held_out_of(train, labels, group, validation, seed, even)
        return Split(train, tested, validated)
    if inner_folds is None:
        return Split(train, tested)
    validated = divided(train, inner_folds, "inner folds")[seed // folds % inner_folds]
    return Split(np.setdiff1d(train, validated), tested, validated)


def in_time(
    values: NDArray[Any],
    name: str,
    fold: tuple[int, int],
    inner: tuple[int, int] | None,
    validation: float,
) -> Split:
    """A fold and the rows before it.

    Args:
        values: [rows] the time of each row.
        name: of their column.
        fold: how many folds there are, and which of them is tested.
        inner: how many inner folds there are, and which of them is for validation.
        validation: share of the rows before the fold that are for validation.
    """
    rows = np.arange(len(values), dtype=np.int64)
    train, tested = window(rows, values, name, *fold)
    if inner is not None:
        train, validated = window(train, values, name, *inner)
        return Split(train, tested, validated)
    if not validation:
        return Split(train, tested)
    parts = newest_last(values[train], name, held_out(len(train), validation), 0)
    return Split(train[parts.train], tested, train[parts.test])


def folds_of(
    rows: Rows,
    labels: NDArray[Any],
    group: Rows | None,
    folds: int,
    seed: int,
    what: str,
    *,
    stratify: bool,
) -> list[Rows]:
    """The rows of each fold, as scikit-learn divides `rows`.

    Raises:
        SplitError: there are fewer rows or groups than folds, or a fold has no rows.
        TooFewRowsError: with stratification, a class has fewer rows than folds.
    """
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    counted = len(rows) if group is None else len(np.unique(group[rows]))
    if counted < folds:
        found = rows_text(counted) if group is None else groups_text(counted)
        unit = "row" if group is None else "group"
        raise SplitError(f"expected at least one {unit} per fold, found {folds} {what} of {found}")
    if stratify:
        counts = np.bincount(labels[rows], minlength=int(labels.max()) + 1)
        if small := np.flatnonzero(counts < folds).tolist():
            few = {label: int(counts[label]) for label in small}
            needed = f"stratify needs {folds} rows of each class for {folds} {what}"
            raise TooFewRowsError(few, needed)
    plain, grouped = (StratifiedKFold, StratifiedGroupKFold) if stratify else (KFold, GroupKFold)
    kind = plain if group is None else grouped
    divider = kind(folds, shuffle=True, random_state=seed)
    parts = divider.split(rows, labels[rows], None if group is None else group[rows])
    found_folds = [rows[tested] for _, tested in parts]
    for number, fold in enumerate(found_folds):
        if not len(fold):
            raise SplitError(
                f"fold {number} of {folds} {what} has no rows, because the groups "
                "have very different sizes. Use fewer folds, or split.stratify=false"
            )
    return found_folds
