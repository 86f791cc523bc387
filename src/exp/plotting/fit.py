"""The fit of a model whose target is a number: a line, a surface, or what it leaves over."""

from __future__ import annotations

from typing import Any

import numpy as np
from contourpy import contour_generator
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from exp.plotting import decision_map, layout, points
from exp.plotting.numbers import number
from exp.plotting.picture import TEST, TRAIN, VALIDATION, Picture
from exp.plotting.style import THEMES, Colour, Theme, wrapped

_SIDE = 4.1  # inches, as of the boundary's panels
_LINES = 8  # contours at most
# As cividis, from blue over grey to yellow, without the colours that are as dark as the page.
_DARK = LinearSegmentedColormap.from_list("exp", ["#4478e8", "#7b8696", "#ffe14d"])
_RINGS = {TRAIN: "train", VALIDATION: "validation, pale ring", TEST: "test, ringed"}
_COLUMNS = ((TRAIN, "train"), (TEST, "test"))
_SPLITS = tuple(split for split, _ in points.SPLITS)

Values = NDArray[np.float64]
Range = tuple[float, float]


def draw(picture: Picture) -> Figure:
    """The fitted line of one feature, the surface over two, the residuals of more."""
    if picture.features == 1:
        return _line(picture)
    return _surface(picture) if picture.features == 2 else _residuals(picture)


def draw_data(picture: Picture) -> Figure:
    """The rows by themselves: the target over one feature, as a colour over two."""
    if picture.features == 1:
        return _line(picture, fitted=False)
    figure, scale, theme = layout.figure(), _scale(picture), THEMES[picture.theme]
    ((axes,),) = layout.panels(figure, [_SIDE], [_SIDE])
    axes.grid(True)
    for split in _SPLITS:
        _coloured(axes, picture, split, scale)
    points.thinned(axes, picture, *_SPLITS)
    points.show_window(axes, picture)
    red, green, blue = to_rgb(theme.muted)
    entries = [
        points.handle(f"{name}: {count:,}", **_ringed(6.2, split, (red, green, blue), theme))
        for split, name in _RINGS.items()
        if (count := int(np.count_nonzero(picture.split == split)))
    ]
    layout.legend(axes, entries)
    _bar(figure, scale, theme, "target of a row")
    layout.note(figure, picture.note)
    return figure


def _line(picture: Picture, *, fitted: bool = True) -> Figure:
    """The target over the one feature, with what the model predicts everywhere."""
    figure, theme = layout.figure(), THEMES[picture.theme]
    ((axes,),) = layout.panels(figure, [5.2], [3.6])
    if fitted:
        layout.title(axes, "fit", f"{len(picture.targets):,} rows")
    axes.grid(True)
    entries: list[Line2D] = []
    for split, name in points.SPLITS:
        kept, colour = points.drawn(picture, split), _split_colour(split, theme)
        x, y = picture.points[kept, 0], picture.targets[kept]
        axes.plot(x, y, zorder=4, **points.look(colour, split, points.size(picture), theme))
        if count := int(np.count_nonzero(picture.split == split)):
            drawn = points.look(colour, split, 6.2, theme)
            entries.append(points.handle(f"{name}: {count:,}", **drawn))
    points.thinned(axes, picture, *_SPLITS)
    if fitted and len(picture.xs):
        line = picture.probabilities[0, 0].astype(np.float64)
        shown = np.where(np.isfinite(line), line, np.nan)
        style: dict[str, Any] = {"color": theme.ink, "linewidth": 1.6}
        axes.plot(picture.xs, shown, zorder=5, **style)
        entries.append(points.handle("the model", **style))
        if not np.isfinite(line).all():
            layout.corner(axes, "no line: the prediction of the model is not finite")
    axes.set(xlim=points.window(picture)[:2], ylim=_padded(picture.targets))
    axes.set_xlabel(wrapped(picture.axes[0], 56, 2))
    axes.set_ylabel("target")
    layout.legend(axes, entries)
    return figure


def _surface(picture: Picture) -> Figure:
    """The model's value as a colour with contours, and the rows in the colours of their targets."""
    figure, theme, scale = layout.figure(), THEMES[picture.theme], _scale(picture)
    row = layout.panels(figure, [_SIDE, _SIDE], [_SIDE])[0]
    field = picture.probabilities[0].astype(np.float64) if picture.mapped else np.zeros((0, 0))
    finite = np.isfinite(field)
    # Lighter than the rows' colours, so that rows stand out where the fit is good.
    image = _colours(field, scale, theme)
    image = image + (np.array(to_rgb(theme.page)) - image) * 0.25
    image = np.where(finite[..., None], image, decision_map.striped(finite.shape, theme))
    contours: list[Values] = []
    if finite.any():
        masked = np.ma.masked_array(field, ~finite)
        seeker: Any = contour_generator(x=picture.xs, y=picture.ys, z=masked)
        contours = [line for level in _levels(scale) for line in seeker.lines(level)]
    for axes, (split, name) in zip(row, _COLUMNS, strict=True):
        layout.title(axes, name, _error(picture, split))
        if picture.mapped:
            decision_map.fill(axes, picture, image)
            style = {"colors": [theme.ink], "linewidths": 0.8, "alpha": 0.75}
            decision_map.lines(axes, contours, **style)
        _coloured(axes, picture, split, scale)
        points.thinned(axes, picture, split)
        points.show_window(axes, picture)
    layout.join(*row)
    _bar(figure, scale, theme, "target of a row;\nprediction of the model\n(lines: contours)")
    notes = [picture.note, picture.map_note]
    if not finite.all():
        notes.append("striped grey: the prediction is not finite")
    layout.note(figure, *notes)
    return figure


def _residuals(picture: Picture) -> Figure:
    """How far each target is from its prediction, over the prediction."""
    residuals = picture.targets - picture.fitted
    kept = np.isfinite(residuals) & np.isfinite(picture.fitted)
    figure, theme = layout.figure(), THEMES[picture.theme]
    row = layout.panels(figure, [_SIDE, _SIDE], [_SIDE])[0]
    style: dict[str, Any] = {"color": theme.ink, "linewidth": 1.2}
    for axes, (split, name) in zip(row, _COLUMNS, strict=True):
        layout.title(axes, name, _error(picture, split))
        axes.grid(True)
        axes.axhline(0.0, zorder=3, **style)
        shown = points.drawn(picture, split)
        shown = shown[kept[shown]]
        look = points.look(_split_colour(split, theme), split, points.size(picture), theme)
        axes.plot(picture.fitted[shown], residuals[shown], zorder=4, **look)
        points.thinned(axes, picture, split)
        axes.set(xlim=_padded(picture.fitted[kept]), ylim=_padded(np.append(residuals[kept], 0.0)))
        axes.set(xlabel="prediction", ylabel="residual: target \N{MINUS SIGN} prediction")
    layout.join(*row)
    layout.legend(row[-1], [points.handle("target = prediction", **style)])
    lost = int((~kept).sum())
    layout.note(figure, f"{lost:,} predictions are not finite" if lost else "")
    return figure


def _split_colour(split: int, theme: Theme) -> Colour:
    names = {TRAIN: theme.train, VALIDATION: theme.validation, TEST: theme.test}
    red, green, blue = to_rgb(names[split])
    return red, green, blue


def _padded(values: Values) -> Range:
    """Ends of an axis that shows these values, with a margin."""
    finite = values[np.abs(values) < 1e300]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    margin = (high - low) * 0.08 or max(abs(high) * 0.1, 0.5)
    return low - margin, high + margin


def _scale(picture: Picture) -> Range:
    """The targets at the two ends of the colours."""
    if not len(picture.targets):
        return 0.0, 1.0
    low, high = float(picture.targets.min()), float(picture.targets.max())
    return (low, high) if high > low else _padded(picture.targets)


def _levels(scale: Range) -> list[float]:
    """Round numbers between the ends of the colours."""
    places = MaxNLocator(_LINES - 1).tick_values(*scale)
    return [float(place) for place in places if scale[0] <= place <= scale[1]]


def _colours(values: NDArray[Any], scale: Range, theme: Theme) -> Values:
    """RGB `[..., 3]`; values beyond the scale have the colours of its ends."""
    share = np.clip((values - scale[0]) / (scale[1] - scale[0]), 0.0, 1.0)
    colours = _DARK if theme is THEMES["dark"] else colormaps["cividis"]
    return np.asarray(colours(np.nan_to_num(share, nan=0.0)))[..., :3]


def _coloured(axes: Axes, picture: Picture, split: int, scale: Range) -> None:
    """The rows of one split, each in the colour of its target."""
    kept, theme = points.drawn(picture, split), THEMES[picture.theme]
    x, y = picture.points[kept].T
    look = _ringed(points.size(picture), split, (0.0, 0.0, 0.0), theme)
    axes.scatter(
        x, y, c=_colours(picture.targets[kept], scale, theme), s=look["markersize"] ** 2, zorder=4,
        edgecolors=look["markeredgecolor"], linewidths=look["markeredgewidth"],
    )  # fmt: skip


def _ringed(size: float, split: int, colour: Colour, theme: Theme) -> dict[str, Any]:
    """How a row is drawn that has the colour of its target: its edge shows its split."""
    edge, thickness = {TRAIN: (theme.page, 0.45), VALIDATION: (theme.muted, 0.9)}.get(
        split, (theme.ink, 0.7)
    )
    drawn = points.look(colour, TRAIN, size, theme)
    return drawn | {"markeredgecolor": edge, "markeredgewidth": thickness}


def _error(picture: Picture, split: int) -> str:
    """How many rows a split has, and how far its targets are from their predictions."""
    members = picture.split == split
    if not members.any():
        return "no rows"
    apart = picture.fitted[members] - picture.targets[members]
    with np.errstate(over="ignore", invalid="ignore"):
        error = float(np.sqrt(np.square(apart).mean()))
    written = number(error, places=True) if np.isfinite(error) else "not finite"
    return f"{int(members.sum()):,} rows, RMSE {written}"


def _bar(figure: Figure, scale: Range, theme: Theme, caption: str) -> None:
    """The colours and their numbers."""
    low, high = scale
    strip = _colours(np.linspace(low, high, 64)[:, None], scale, theme)
    marks = [((place - low) / (high - low), number(place)) for place in _levels(scale)]
    layout.scale(figure, strip, marks, caption, height=1.8)
