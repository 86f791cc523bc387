"""The pictures of a sweep: which runs and groups each of them shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from exp.plotting.board import Board, Look
from exp.report.effects import against_parameters, heat_map
from exp.report.ensembles import over_seeds
from exp.report.lines import curves
from exp.report.maps import Maps
from exp.report.scored import Scored
from exp.report.tiles import contact_sheet
from exp.runs.collection import Runs

PICTURES: dict[str, Callable[[Scored, Maps, Look], Board | None]] = {
    "contact_sheet": contact_sheet,
    "curves": curves,
    "parameters": against_parameters,
    "heat_map": heat_map,
    "ensemble": over_seeds,
}
"""In the order in which they are drawn."""


def draw(
    runs: Runs,
    folder: Path,
    *,
    metric: str | None = None,
    theme: str = "light",
    format: Sequence[str] = ("png",),  # noqa: A002 - as figures.format
    dpi: int = 120,
) -> list[Path]:
    """Draws what there is to see of some runs; the same runs give the same bytes.

    `contact_sheet` of their decision maps, `curves` of groups over seeds, the metric against
    `parameters`, a `heat_map` of two of them, and the `ensemble` of the best group. Those for which
    there is nothing to show are left out.

    Args:
        folder: made if missing; its parent must exist.
        metric: what runs are judged by, as `exp results` takes it; None: accuracy.
        theme, format, dpi: as of `exp.plotting.board.Look`.

    Returns:
        The paths, `<name>.<format>`.

    Raises:
        ValueError: an unknown theme or format, or a resolution out of range.
        OSError: a file cannot be written.
    """
    from exp.plotting.draw import encoded
    from exp.plotting.style import settings
    from exp.util.files import write_whole

    look = Look(theme=theme, format=tuple(format), dpi=dpi)
    scored = Scored(runs, metric)
    maps = Maps(scored.rows)
    folder.mkdir(exist_ok=True)
    paths = []
    with settings():
        for name, picture in PICTURES.items():
            board = picture(scored, maps, look)
            if board is None:
                continue
            for suffix in look.format:
                path = folder / f"{name}.{suffix}"
                write_whole(path, encoded(board, suffix))
                paths.append(path)
    return paths
