"""ROC curves: what each threshold finds of a class, over what it wrongly takes for it."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from exp.plotting import one_against_rest
from exp.plotting.picture import Picture
from exp.plotting.scores import Curve, roc


def draw(picture: Picture) -> Figure:
    """One curve for each class against the rest, train and test side by side."""
    return one_against_rest.draw(
        picture,
        roc,
        _plot,
        labels=("false positive rate", "true positive rate"),
        value="area under the curve",
    )


def _plot(axes: Axes, curve: Curve, style: dict[str, Any]) -> None:
    from sklearn.metrics import RocCurveDisplay  # its import takes a second

    display = RocCurveDisplay(fpr=curve.x, tpr=curve.y, roc_auc=curve.value)
    first = not axes.lines
    chance = {"color": axes.xaxis.label.get_color(), "linewidth": 0.8, "linestyle": (0, (2, 3))}
    display.plot(ax=axes, curve_kwargs=style, plot_chance_level=first, chance_level_kw=chance)
