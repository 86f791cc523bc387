"""The content of the page, as blocks of data and sentences on what was left out."""

from __future__ import annotations

import base64
import json
import shlex
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

from exp.plotting.style import THEMES, palette
from exp.report.groups import direction
from exp.report.page.libraries import Libraries
from exp.report.page.page_curves import curves
from exp.report.page.page_figures import figures
from exp.report.page.page_pictures import FEW, Budget, pictures
from exp.report.page.page_scripts import scripts
from exp.report.page.ranking import Ranking
from exp.report.page.summary import cut
from exp.report.page.thumbnails import SIDE, STEPS
from exp.runs.collection import Row, Runs
from exp.runs.record import RunRecord
from exp.util.errors import RunDirectoryError
from exp.util.serialize import finite

NAME = 200
"""Characters of a run's name."""
CONFIG_SIZE = 64 << 10
"""Bytes of a config that is shown; beyond it is named only."""
ALL, POINTS, FEWER = 1_000, 60, 24
"""Points of the learning curve of a single run, those on a page of several, and of more than `FEW`
runs."""
LINES = 2_000
"""Most lines of parallel coordinates: more cannot be distinguished."""
RAMPS = {"light": np.linspace(0.85, 0.0, 32), "dark": np.linspace(0.25, 1.0, 32)}
"""From a low score to a high one: the best stand out from the page."""
CLASSES = 24
"""Colours the page has; the classes beyond them begin again."""


@dataclass(frozen=True)
class Content:
    """
    Attributes:
        blocks: name -> base64, of zlib, which holds nothing that could be taken for HTML.
        notes: what was thinned or left out, and which shards of a sweep are missing.
        figures: HTML, those of a single run.
    """

    blocks: dict[str, str]
    notes: tuple[str, ...]
    figures: str = ""


def content(runs: Runs, ranking: Ranking, libraries: Libraries, typed: Path) -> Content:
    """Everything the page shows.

    Args:
        typed: the directory as the user has typed it; those of the runs are shown relative to it.
    """
    rows, many = runs.rows, len(runs.rows) > FEW
    notes = list(runs.notes)
    blocks = {"charts": packed(libraries.charts.encode())}
    if len(rows) > 1:
        blocks["table"] = packed(libraries.table.encode())
    blocks["runs"] = json_block(table(runs, ranking))
    paths = [named(row.path, typed) for row in rows]
    blocks["details"] = json_block([details(*each) for each in zip(rows, paths, strict=True)])
    ranked = [(place, rows[place]) for place in ranking.order]
    blocks["scripts"] = json_block(scripts([(place, row, paths[place]) for place, row in ranked]))
    points = FEWER if many else POINTS if len(rows) > 1 else ALL
    drawn = [curves(row.path, points) for row in rows]
    blocks["curves"] = json_block([found for found, _ in drawn])
    if any(thinned for _, thinned in drawn):
        notes.append(f"Learning curves show at most {points:,} evenly spaced epochs of a run.")
    if len(rows) > LINES:
        notes.append(f"Parallel coordinates show the best {LINES:,} runs.")
    budget = Budget(len(rows), sum(map(len, blocks.values())))
    drawings = ""
    if len(rows) == 1:
        drawings, missing = figures(RunRecord(rows[0].path), paths[0], budget)
        notes += missing
    found = pictures(ranked, budget)
    small = found.thumbnails
    known = {"places": list(small), "classes": [each.classes for each in small.values()]}
    blocks["thumbnails"] = json_block({"side": SIDE, "steps": STEPS, **known})
    blocks["thumbnail-maps"] = packed(b"".join(each.pixels for each in small.values()))
    blocks["frames"] = json_block(found.frames)
    blocks["stills"] = json_block(found.stills)
    return Content(blocks, (*notes, *found.notes), drawings)


def packed(data: bytes) -> str:
    """Base64 of the zlib stream of `data`: letters, digits, `+`, `/` and `=` only."""
    return base64.b64encode(zlib.compress(data)).decode("ascii")


def json_block(value: Any) -> str:
    """A packed JSON text; numbers that are not finite become null."""
    text = json.dumps(finite(value), ensure_ascii=False, separators=(",", ":"))
    # A single surrogate, which JSON from a stranger can hold, has no UTF-8.
    return packed(text.encode("utf-8", "backslashreplace"))


def table(runs: Runs, ranking: Ranking) -> dict[str, Any]:
    """The columns of the table, `[runs]` each, and which of them are shown how."""
    rows = runs.rows
    metrics = ranking.metrics
    return {
        "number": [row.number for row in rows],
        "name": [row.name[:NAME] for row in rows],
        "status": [row.status for row in rows],
        "message": {i: cut(row.message) for i, row in enumerate(rows) if row.message},
        "seconds": [None if row.seconds is None else round(row.seconds, 3) for row in rows],
        "keys": list(runs.keys),
        "parameters": [[row.parameters.get(key) for row in rows] for key in runs.keys],
        "metrics": list(metrics),
        "scores": [[short(row.metrics.get(name)) for row in rows] for name in metrics],
        "main": ranking.metric,
        "dataKeys": list(ranking.data),
        "lower": [name for name in metrics if not direction(rows, name)],
        "order": ranking.order,
        "lines": LINES,
        "colours": {name: shades(name) for name in THEMES},
    }


def details(row: Row, path: str) -> dict[str, Any]:
    """What is shown of a run only once it is selected."""
    try:
        config = RunRecord(row.path).config_text(CONFIG_SIZE).decode("utf-8", "replace")
    except RunDirectoryError as error:
        config = f"(config.yaml cannot be shown: {error})"
    command = shlex.join(["python", "-m", "exp", *row.overrides]) if row.overrides else None
    rerun = shlex.join(["exp", "rerun", path])
    return {"directory": path, "config": config, "rerun": rerun, "command": command}


def named(path: Path, typed: Path) -> str:
    """A directory below the one that was typed, in the same words."""
    root = typed.absolute()
    return str(typed / path.relative_to(root)) if path.is_relative_to(root) else str(path)


def short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def shades(name: str) -> dict[str, Any]:
    """The colours of a decision map in one theme, as the figures have them."""
    theme = THEMES[name]
    return {
        "page": theme.page,
        "ink": theme.ink,
        "muted": theme.muted,
        "faint": theme.faint,
        "tint": theme.tint,
        "ramp": [to_hex(colour) for colour in colormaps["cividis"](RAMPS[name])],
        "classes": {
            str(count): [to_hex(colour) for colour in palette(count, theme)]
            for count in (6, 10, CLASSES)
        },
    }
