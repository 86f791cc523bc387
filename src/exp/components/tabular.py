"""Rows that were measured: scikit-learn's small classics, and a user's own csv file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from exp.cache import repeatable
from exp.data import Data
from exp.datafaults import repeated
from exp.errors import DataError, shown
from exp.registry import register
from exp.table import is_number, read_table

Text = Annotated[str, Field(min_length=1)]
Names = Annotated[list[Text], Field(min_length=1)]

CLASSES_FOR_SURE = 20
"""So many different labels are a classification even where each has one row."""


@register.dataset("iris")
@repeatable
def iris(seed: int) -> Data:
    """Measures of 150 iris flowers of 3 species (Fisher 1936, as in scikit-learn).

    Args:
        seed: not used.

    Returns:
        X [150, 4] in cm, 3 classes of 50 rows.
    """
    from sklearn.datasets import load_iris

    bunch = load_iris()
    features = [name.removesuffix(" (cm)") for name in bunch.feature_names]
    return bundled(bunch, features, units=["cm"] * len(features))


@register.dataset("wine")
@repeatable
def wine(seed: int) -> Data:
    """Chemical analyses of 178 wines of 3 growers (UCI, as in scikit-learn).

    The features differ in scale by a factor of a thousand: use `split.standardize=true`.

    Args:
        seed: not used.

    Returns:
        X [178, 13], 3 classes of 59, 71 and 48 rows.
    """
    from sklearn.datasets import load_wine

    return bundled(load_wine())


@register.dataset("breast_cancer")
@repeatable
def breast_cancer(seed: int) -> Data:
    """Shapes of cell nuclei in 569 tumours, malignant or benign (UCI, as in scikit-learn).

    The features differ in scale by a factor of a thousand: use `split.standardize=true`.

    Args:
        seed: not used.

    Returns:
        X [569, 30], 2 classes of 212 and 357 rows.
    """
    from sklearn.datasets import load_breast_cancer

    return bundled(load_breast_cancer())


@register.dataset("digits")
@repeatable
def digits(seed: int) -> Data:
    """1,797 handwritten digits of 8 x 8 pixels (UCI, as in scikit-learn).

    Args:
        seed: not used.

    Returns:
        X [1797, 64] of grey values from 0 to 16, row by row from the top left; 10 classes.
    """
    from sklearn.datasets import load_digits

    return bundled(load_digits())


def bundled(
    bunch: Any, features: Sequence[str] | None = None, units: Sequence[str | None] | None = None
) -> Data:
    """A scikit-learn `Bunch` as `Data`."""
    return Data.checked(
        bunch.data,
        bunch.target,
        classes=[str(name) for name in bunch.target_names],
        features=features or [str(name) for name in bunch.feature_names],
        units=units,
    )


def columns_apart(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    features = values["features"] or []
    for name, count in repeated(features).items():
        yield "features", f"names {shown(name)} {count} times"
    if values["target"] in features:
        yield "features", f"names {shown(values['target'])}, which is the target"


@register.dataset("csv", check=columns_apart)
def csv(
    seed: int,
    *,
    path: Text,
    target: Text,
    features: Names | None = None,
    delimiter: Literal[",", ";", "\t", "|", " "] = ",",
) -> Data:
    """Your own rows: a csv file in UTF-8 with a header line, numbers, and a column of labels.

    Args:
        seed: not used.
        path: of the file, relative to the working directory; ~ is the home.
        target: name of the column that holds the labels: text or integers. They are numbered in
            sorted order (as numbers, if all are), and keep their text as the names of the classes.
        features: names of the columns to learn from, in the order wanted; null takes all but the
            target. They hold numbers.
        delimiter: what stands between two fields.

    Returns:
        X [rows, features] in the order of the file; as many classes as there are labels.

    Raises:
        DataError: naming file, line and column of up to 10 faults.
    """
    table = read_table(path, target=target, features=features, delimiter=delimiter)
    rows = len(table.codes)
    if reason := not_classes(table.labels, rows):
        raise DataError(f"{path}, column {shown(target)} (the target): {reason}")
    order = in_order(table.labels)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    names = [table.labels[code] for code in order]
    return Data.checked(table.X, rank[table.codes], classes=names, features=table.features)


def not_classes(labels: Sequence[str], rows: int) -> str | None:
    """Why the labels met in so many rows cannot be classes, if they cannot."""
    count, example = len(labels), shown(labels[0], 40)
    if count == 1:
        return f"every row holds {example}; a classifier needs at least two classes"
    if all(is_number(label) for label in labels):
        by_value: dict[float, str] = {}
        for label in () if integers(labels) else labels:
            if (other := by_value.setdefault(float(label), label)) != label:
                return f"{shown(other)} and {shown(label)} are one number in two spellings"
        whole = all(float(label).is_integer() for label in labels)
        if 2 * count > rows and (count > CLASSES_FOR_SURE or not whole):
            found = f"{count} different numbers in {rows} rows"
            return f"it looks continuous ({found}, such as {example}): a classifier needs classes"
    elif 2 * count > rows and count > CLASSES_FOR_SURE:
        found = f"{count} different texts in {rows} rows"
        return f"it looks like a name of each row ({found}, such as {example}), not like classes"
    return None


def integers(labels: Sequence[str]) -> bool:
    """Whether all are whole numbers as Python writes them, so that the text says the number."""
    return all(re.fullmatch(r"0|-?[1-9][0-9]{0,299}", label) for label in labels)


def in_order(labels: Sequence[str]) -> list[int]:
    """Positions of the labels, sorted: as numbers if all are, else as text."""
    positions = range(len(labels))
    if integers(labels):
        return sorted(positions, key=lambda at: int(labels[at]))
    if all(is_number(label) for label in labels):
        return sorted(positions, key=lambda at: float(labels[at]))
    return sorted(positions, key=lambda at: labels[at])
