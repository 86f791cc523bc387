"""The figures of a sweep: which runs and groups each of them shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from exp.plotting.layout import encode
from exp.plotting.picture import FORMATS
from exp.plotting.style import THEMES, Theme, settings
from exp.report.effects import against_parameters, heat_map
from exp.report.map_figures import contact_sheet, ensemble_map
from exp.report.maps import Maps
from exp.report.scored import Scored
from exp.report.sweep_curves import curves
from exp.runs.collection import Runs
from exp.util.files import write_whole

PICTURES: dict[str, Callable[[Scored, Maps, Theme], Figure | None]] = {
    "contact_sheet": contact_sheet,
    "curves": curves,
    "parameters": against_parameters,
    "heat_map": heat_map,
    "ensemble": ensemble_map,
}
"""Every figure of a sweep, in the order in which they are drawn."""


def draw(
    runs: Runs,
    folder: Path,
    *,
    metric: str | None = None,
    theme: str = "light",
    format: Sequence[str] = ("png",),  # noqa: A002 - as figures.format
    dpi: int = 120,
) -> list[Path]:
    """Draws all figures of some runs for which there is data; the same runs give the same bytes.

    Args:
        folder: made if missing; its parent must exist.
        metric: the score, as in `exp results`; None: accuracy, or RMSE where there is none.
        theme: "light" or "dark".
        format: some of `FORMATS`.
        dpi: pixels per inch.

    Returns:
        The paths, `<name>.<format>`.

    Raises:
        ValueError: an unknown theme or format, or a resolution out of range.
        OSError: a file cannot be written.
    """
    if theme not in THEMES:
        raise ValueError(f"theme: expected one of {', '.join(THEMES)}, found {theme!r}")
    for unknown in set(format) - set(FORMATS):
        raise ValueError(f"format: expected some of {', '.join(FORMATS)}, found {unknown!r}")
    if not 20 <= dpi <= 2000:
        raise ValueError(f"dpi: expected 20..2000, found {dpi}")
    scored = Scored(runs, metric)
    maps = Maps(scored.rows)
    folder.mkdir(exist_ok=True)
    paths = []
    with settings(theme) as colours:
        for name, picture in PICTURES.items():
            figure = picture(scored, maps, colours)
            if figure is None:
                continue
            for suffix in format:
                path = folder / f"{name}.{suffix}"
                write_whole(path, encode(figure, suffix, dpi=dpi))
                paths.append(path)
    return paths
