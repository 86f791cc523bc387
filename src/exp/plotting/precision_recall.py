"""Precision over recall for each threshold on a class's probability."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exp.plotting import one_against_rest
from exp.plotting.picture import Picture
from exp.plotting.scores import Curve, precision_recall


def draw(picture: Picture) -> Figure:
    """One curve for each class against the rest, train and test side by side."""
    return one_against_rest.draw(
        picture,
        precision_recall,
        _plot,
        labels=("recall", "precision"),
        value="average precision",
    )


def _plot(axes: Axes, curve: Curve, style: dict[str, Any]) -> None:
    from sklearn.metrics import PrecisionRecallDisplay  # its import takes a second

    # From the highest recall down, as scikit-learn has it: its steps go from right to left.
    display = PrecisionRecallDisplay(
        precision=curve.y[::-1], recall=curve.x[::-1], average_precision=curve.value
    )
    display.plot(ax=axes, curve_kwargs=style)
