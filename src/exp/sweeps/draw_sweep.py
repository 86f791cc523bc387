"""The pictures of a sweep that has ended, in its folder `figures`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exp.plotting.frames import SWEEP_FRAMES, SWEEP_GRID
from exp.plotting.names import OF_SWEEP
from exp.runs.collection import gather

if TYPE_CHECKING:  # workers import this module, and plan nothing
    from exp.sweeps.planner import Planned

FOLDER = "figures"
MOST = 2000
"""Runs of a sweep that is drawn by default: reading more would take seconds."""


def settings(runs: Iterable[Planned]) -> dict[str, Any] | None:
    """How the first run that has figures wants them; None where no run wants any."""
    wanted = (run.config["figures"] for run in runs)
    return next((figures for figures in wanted if figures["name"] != "none"), None)


def of_each_run(config: dict[str, Any]) -> dict[str, Any]:
    """The config of a run of a sweep: where it names no figures, those that each run draws, and
    where it gives no number of decision maps, few and small ones."""
    usual = {"draw": list(OF_SWEEP), "frames": SWEEP_FRAMES, "frame_resolution": SWEEP_GRID}
    figures = config["figures"]
    given = {key: usual.get(key) if value is None else value for key, value in figures.items()}
    return {**config, "figures": given}


def draw(sweep: Path, figures: dict[str, Any], *, runs: int) -> str:
    """Draws what there is to see of a sweep.

    Args:
        sweep: its directory.
        figures: theme, format and dpi, as of the config group.
        runs: how many it has.

    Returns:
        One line that says where they are, or what kept them from being drawn: by then every run is
        done, so nothing that happens here may be the sweep's end.
    """
    if runs > MOST:
        return (
            f"No figures were drawn, because the sweep has more than {MOST:,} runs: exp "
            f"results {sweep} --figures draws them"
        )
    try:
        from exp.report import sweep_figures  # imports matplotlib

        look = {key: figures[key] for key in ("theme", "format", "dpi") if key in figures}
        paths = sweep_figures.draw(gather([sweep]), sweep / FOLDER, **look)
        # What an earlier part of this sweep had and the whole has not.
        for name in sweep_figures.PICTURES:
            for path in {sweep / FOLDER / f"{name}.{suffix}" for suffix in look["format"]}:
                if path not in paths:
                    path.unlink(missing_ok=True)
    except Exception as error:
        text = (error.strerror if isinstance(error, OSError) else None) or str(error)
        reason = " ".join(text.split()) or type(error).__name__
        return f"The pictures of the sweep could not be drawn: {reason}"
    names = dict.fromkeys(path.stem for path in paths)
    if not names:
        return "This sweep has nothing to draw"
    return f"Pictures of the sweep: {sweep / FOLDER}/ ({', '.join(names)})"
