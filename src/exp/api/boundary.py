"""`exp.plot_boundary`: where any model separates the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import pyplot
from numpy.typing import NDArray

from exp.api.any_model import Answers, Outputs, array, ask, text
from exp.api.boundary_rows import rows_of
from exp.api.run import Run
from exp.plotting import Picture, any_boundary
from exp.plotting.picture import TEST, TRAIN, VALIDATION
from exp.plotting.style import THEMES, settings
from exp.util.errors import ExpError, shown, unknown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPLITS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
MOST_CLASSES = 100
SIZE = (6.4, 4.6)
"""Inches of a new figure."""


def plot_boundary(
    model: Any,
    X: Any = None,
    y: Any = None,
    *,
    features: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    outputs: Outputs | None = None,
    ax: Axes | None = None,
    theme: str = "light",
    resolution: int = 200,
) -> Axes:
    """Draws what a model predicts everywhere in the plane, its decision boundary, and rows.

    Each class has a colour, the stronger the more probable the class is. Rows that the model
    gets wrong are crossed out. Rows with more than two features are shown in the plane of their
    first two principal components, or of two features.

    Args:
        model: what `run.model`, `exp.run` and `exp.load` give, any other `torch.nn.Module`, a
            fitted classifier of scikit-learn, or a function. A module and a function get rows as
            they are in X: give a module the rows that it was trained on (`run.inputs(X)`); a run
            prepares raw rows itself.
        X: rows `[rows, features]`: an array, a tensor or a DataFrame. Of a run it may be left out,
            with y: these are its own rows then.
        y: the class of each row, `[rows]`: texts or numbers.
        features: names of the two columns to draw (of an array x1, x2, ...). All others then have
            their median, and texts their most frequent value.
        classes: names of the classes, in the order of the model's outputs.
        outputs: logits or probabilities, what a module or a function gives. None: found out where
            that is certain. A single output is that of the second class.
        ax: matplotlib's axes to draw in; None: a new figure of pyplot.
        theme: light or dark.
        resolution: points of the map along each side.

    Returns:
        The axes; `.figure` is the figure.

    Raises:
        ExpError: the model, the rows and the classes do not fit together; the message says how.
    """
    if theme not in THEMES:
        raise ExpError(unknown("theme", theme, list(THEMES), "There are"))
    if not isinstance(resolution, int) or not 2 <= resolution <= 2000:
        raise ExpError(f"resolution: expected a number from 2 to 2000, found {shown(resolution)}")
    X, y, split = given(model, X, y)
    rows = rows_of(X, features)
    labels = labels_of(y, len(rows.values))
    names = tuple(dict.fromkeys(sorted(map(text, labels.tolist()), key=order)))
    xs, ys, grid = rows.grid(resolution)
    found = ask(model, grid, outputs, names)
    there = ask(model, rows.given, outputs, names)
    known, numbers = matched(labels, names, found, there, classes)
    count = len(known)
    picture = Picture(
        dataset="", model="", optimizer="", seed="", metric="", classes=known,
        axes=rows.plane.axes, note=rows.plane.note, map_note=rows.plane.map_note,
        points=rows.points, labels=numbers, predicted=there.probabilities.argmax(axis=1),
        split=np.zeros(len(numbers)) if split is None else split, xs=xs, ys=ys,
        probabilities=widened(found, count).T.reshape(count, resolution, resolution), theme=theme,
    )  # fmt: skip
    with settings(theme) as look:
        beside = ax is None
        if ax is None:
            _, ax = pyplot.subplots(figsize=SIZE, facecolor=look.page, layout="constrained")
        any_boundary.draw(ax, picture, certain=found.certain, beside=beside)
    return ax


def given(model: Any, X: Any, y: Any) -> tuple[Any, Any, NDArray[np.intp] | None]:
    """The rows, their classes, and of a run's own rows the split of each.

    Raises:
        ExpError: some are missing.
    """
    if X is None and y is None and isinstance(model, Run):
        table = model.predictions
        if not model.predictor.classes:
            raise ExpError("this run is a regression: a boundary needs classes")
        split = np.array([SPLITS[each] for each in table["split"]], np.intp)
        return table[list(model.predictor.features)], table["label"], split
    if X is None or y is None:
        missing = "X and y" if X is None and y is None else "X" if X is None else "y"
        raise ExpError(
            f"{missing} missing: plot_boundary(model, X, y) needs rows and their classes"
        )
    return X, y, None


def labels_of(y: Any, rows: int) -> NDArray[Any]:
    """The classes `[rows]`.

    Raises:
        ExpError: they are no classes, or not of so many rows.
    """
    labels = array(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (rows,):
        raise ExpError(f"y: expected {rows} classes, one for each row, found {list(labels.shape)}")
    if np.issubdtype(labels.dtype, np.floating):
        if np.isnan(labels).any():
            raise ExpError(f"y: the class of row {int(np.isnan(labels).argmax())} is missing")
        if (labels % 1 != 0).any():
            count = len(np.unique(labels))
            raise ExpError(f"y has {count:,} different numbers: a boundary needs classes")
    if (count := len(set(map(str, labels.tolist())))) > MOST_CLASSES:
        raise ExpError(f"y has {count:,} different values: at most {MOST_CLASSES} classes")
    return labels


def order(name: str) -> tuple[float, str]:
    """Numbers by their size, and then texts."""
    try:
        return float(name), name
    except ValueError:
        return float("inf"), name


def matched(
    labels: NDArray[Any],
    names: tuple[str, ...],
    found: Answers,
    there: Answers,
    classes: Sequence[str] | None,
) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """The names of all classes, in the order of the model's outputs, and the rows' places in it.

    Args:
        names: of the classes of the rows.
        found, there: what the model says of the map and of the rows.
        classes: as the user names them; None: as the model or the rows do.

    Raises:
        ExpError: they do not fit together.
    """
    count = max(found.probabilities.shape[1], there.probabilities.shape[1])
    longest = max((each.classes or () for each in (found, there)), key=len)
    if isinstance(classes, str):
        raise ExpError(f"classes: expected a list of names, found {shown(classes)}")
    if classes is not None and len(classes) != count:
        raise ExpError(f"classes: expected {count} names, found {len(classes)}")
    if len(names) > count:
        listing = ", ".join(names[:10])
        raise ExpError(f"y has {len(names)} classes ({listing}), and the model only {count}")
    places = tuple(map(str, range(count)))
    by_order = names if not longest and len(names) == count else ()
    shown_as = tuple(map(str, classes or longest))
    if not shown_as:
        shown_as = places if {*names} <= {*places} else by_order
    if not shown_as:
        raise ExpError(
            f"y has {len(names)} classes ({', '.join(names)}), and the model {count}: name all "
            "of them in the order of the model's outputs with classes=[...]"
        )
    for known in (longest, shown_as, places, by_order):
        if {*names} <= {*known}:
            place = {name: at for at, name in enumerate(known)}
            numbers = [place[text(each)] for each in labels.tolist()]
            return shown_as, np.array(numbers, np.intp)
    wrong = next(name for name in names if name not in shown_as)
    raise ExpError(f"y: {unknown('class', wrong, shown_as, 'The model knows')}")


def widened(found: Answers, count: int) -> NDArray[np.float64]:
    """The probabilities `[rows, count]`: a class that a model does not name on the map has 0."""
    missing = count - found.probabilities.shape[1]
    return np.pad(found.probabilities, ((0, 0), (0, missing)))
