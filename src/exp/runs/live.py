"""A training that is watched: by a live figure in a notebook, by a bar on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from exp.engine import Hook, Job
from exp.runs.console import progress_bar
from exp.runs.live_figure import LiveFigure
from exp.util import command_line, notebook


@contextmanager
def watched(job: Job) -> Iterator[list[Hook]]:
    """What the training is to call so that it can be watched."""
    if not command_line.progress:
        yield []
    elif (output := notebook.output()) is not None:
        yield [LiveFigure(job, output)]
    else:
        with progress_bar(job) as hooks:
            yield hooks
