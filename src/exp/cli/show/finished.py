"""`exp show RUN`: what a run was, its scores, its decision boundary, and where it is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.cli.show.answers import answers
from exp.cli.show.plane_picture import PlanePicture
from exp.cli.show.shown import show
from exp.plotting.frames import Frames
from exp.plotting.names import EVERY
from exp.runs.collection import part
from exp.runs.config_values import leaves, plain_key, written
from exp.runs.directory import PAGE
from exp.runs.predictions import Predictions
from exp.runs.record import RunRecord
from exp.runs.score_table import score_table
from exp.sweeps.recompose import option_values
from exp.util.errors import ExpError, RunDirectoryError
from exp.util.terminal import indented, one_line
from exp.util.text_tables import aligned, cell, count

CHANGES = 20
"""Settings that are listed; a table of candidates, or a model made of many, has hundreds."""
PATIENCE = 5.0
"""Seconds to wait for the desktop: as a rule it starts a program and ends at once."""
MOST = 16 << 20
"""Bytes of a figure that is shown."""
LEFT_OUT = ("name", "seeds", "figures", "logger", "run", "sweep", "plugins", "written")
"""Keys of the config that cannot change a result, or follow from others."""


def show_run(path: Path, *, open_it: bool) -> None:
    """Prints a run; `open_it` also opens its page or its figure.

    Raises:
        RunDirectoryError: there is no run.
        DamagedError: one of its files is corrupted.
        ExpError: nothing can be opened.
    """
    run = RunRecord.at(path)
    figure = figure_of(path)
    print("\n".join(heading(run)))
    if (path / "summary.json").is_file():
        print("\n".join(["", *score_table(run.summary())]))
    print("\n".join(["", *changes(run), ""]))
    predictions = run.predictions() if run.directory.predictions.is_file() else None
    if predictions is not None and not predictions.numeric:
        print("\n".join([*answers(predictions), ""]))
    picture = boundary(run, predictions)
    if isinstance(picture, str):
        print(picture)
    else:
        png = None if figure is None else run.figure(figure.name, MOST)
        show(picture, png if figure is not None and figure.suffix == ".png" else None)
    print()
    for each in (figure, page_of(path)):
        if each is not None:
            print(relative(each))
    print(f"{relative(path)}/")
    if open_it:
        opened(path, figure)


def heading(run: RunRecord) -> Iterator[str]:
    """The name of a run, how it ended, its rows, and its command."""
    record, summary = run.record, run.valid_summary()
    seconds = part(record, "timings").get("total")
    took = f" in {seconds:.1f} s" if isinstance(seconds, (int, float)) else ""
    after = f" after {summary['epochs']} epochs{took}" if "epochs" in summary else ""
    begun = f", started {str(record['started'])[:16].replace('T', ' ')} UTC" if run.began else ""
    yield one_line(f"{record.get('name') or run.path.name}: {run.status}{after}{begun}")
    if record.get("message"):
        yield indented(str(record["message"]))
    data = part(record, "data")
    if "rows" in data:
        parts = [f"{each['rows']} {name}" for name, each in part(data, "parts").items()]
        of = f", {count(len(data['classes']), 'class')}" if data.get("classes") else ""
        features = count(len(data.get("features", ())), "feature")
        shown = f"{data['rows']} rows ({', '.join(parts)}), {features}{of}"
        yield one_line(shown.replace("classs", "classes"))
    command = record.get("command")
    if isinstance(command, list):
        yield one_line(" ".join(map(str, command)))


def changes(run: RunRecord) -> list[str]:
    """The settings that are not exp's defaults, with these."""
    try:
        overrides = run.overrides()
    except RunDirectoryError:
        overrides = []  # a run that Hydra did not start
    found = differences(run.config(), overrides)
    if not found:
        return ["config: all defaults"]
    rows = [[key, cell(written(value)), cell(written(default))] for key, value, default in found]
    more = len(rows) - CHANGES
    table = aligned([["differs from the defaults", "", "default"], *rows[:CHANGES]])
    return [*table, *([f"and {more} more: config.yaml has them all"] if more > 0 else [])]


def differences(config: Mapping[str, Any], overrides: Sequence[str]) -> list[tuple[str, Any, Any]]:
    """Key, value and default; the parameters of another component are compared with its own
    defaults.

    Args:
        overrides: of the run. A key that no option file has is listed if one of them sets it.
    """
    default = option_values([]) or {}
    found = [
        (group, node["name"], named(default[group]))
        for group, node in config.items()
        if group not in LEFT_OUT and group in default
        and isinstance(node, dict) and isinstance(node.get("name"), str)
        and node["name"] != named(default[group])
    ]  # fmt: skip
    base = option_values([f"{group}={name}" for group, name, _ in found]) or default
    typed = {plain_key(word.partition("=")[0]) for word in overrides}
    values, defaults = leaves(config), leaves(base)
    for key, value in values.items():
        if key.partition(".")[0] in LEFT_OUT or key.endswith(".name"):
            continue
        if defaults.get(key, value) != value or (key in typed and key not in defaults):
            found.append((key, value, defaults.get(key)))
    return found


def named(node: Any) -> Any:
    """The name of a component, which a config may give as a text or in a mapping."""
    return node.get("name") if isinstance(node, dict) else node


def boundary(run: RunRecord, predictions: Predictions | None) -> PlanePicture | str:
    """What the model predicts in the plane, with the test rows; or why there is no such picture."""
    if predictions is None:
        return f"the run is {run.status}: it has no predictions"
    if predictions.numeric:
        return "the target is a number: there is no decision boundary"
    if not run.directory.frames.is_file():
        return f"no decision boundary was recorded: exp figures {relative(run.path)} draws it"
    frames = run.frames_of_result()
    chances = frames.map(len(frames) - 1)
    split = "test" if "test" in predictions.split else "train"
    chosen = predictions.split == split
    points = in_plane(predictions, frames, run.config())
    if points is None:
        chosen[:] = False
        points = np.zeros((len(chosen), 2))
    return PlanePicture(
        points=points[chosen],
        labels=predictions.truth[chosen],
        wrong=(predictions.truth != predictions.predicted)[chosen],
        classes=tuple(map(one_line, frames.classes)),
        axes=(one_line(frames.axes[0]), one_line(frames.axes[1])),
        xs=frames.xs, ys=frames.ys, probabilities=chances,
    )  # fmt: skip


def in_plane(
    predictions: Predictions, frames: Frames, config: Mapping[str, Any]
) -> NDArray[Any] | None:
    """Where the rows lie in the plane of the map, `[rows, 2]`; None where that is not a plane of
    two features as they came."""
    features = predictions.features
    plane = part(dict(config), "figures").get("plane")
    names = plane if isinstance(plane, list) and len(plane) == 2 else list(features)
    if len(names) != 2 or not all(name in features for name in names):
        return None
    columns = [features[name] for name in names]
    if any(each.dtype.kind != "f" or not np.isfinite(each).all() for each in columns):
        return None
    return np.stack(columns, axis=1)


def figure_of(path: Path) -> Path | None:
    """The most telling figure that was drawn: the boundary, the fit, or the first there is."""
    for name in dict.fromkeys(["boundary", "fit", *EVERY]):
        for suffix in (".png", ".svg", ".pdf"):
            file = path / "figures" / f"{name}{suffix}"
            if file.is_file() and not file.is_symlink():
                return file
    return None


def page_of(path: Path) -> Path | None:
    """The page that `exp report` has written, if it has."""
    page = path / PAGE
    return page if page.is_file() and not page.is_symlink() else None


def opened(path: Path, figure: Path | None) -> None:
    """Opens the page of a run, or its figure, with the program of the desktop.

    Raises:
        ExpError: there is neither, or no program to open it.
    """
    file = page_of(path) or figure
    if file is None:
        raise ExpError(f"--open: {path} has no figure. exp figures {path} draws some")
    command = ["open" if sys.platform == "darwin" else "xdg-open", os.fspath(file)]
    nowhere = subprocess.DEVNULL
    try:
        viewer = subprocess.Popen(
            command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
        )
        code = viewer.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        return  # it shows the file until its window is closed
    except OSError as error:
        raise ExpError(f"--open: cannot start {command[0]}: {error.strerror}") from error
    if code != 0:
        raise ExpError(f"--open: {command[0]} found no program to open {file}")


def relative(path: Path) -> str:
    """A path from the working directory where it lies below that."""
    below = path.is_relative_to(Path.cwd())
    return one_line(os.path.relpath(path) if below else str(path))
