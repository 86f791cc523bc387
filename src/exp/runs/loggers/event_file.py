"""The event files of a run, written by TensorBoard's writer of records."""

from __future__ import annotations

import io
import math
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.plugins.hparams.plugin_data_pb2 import (
    HParamsPluginData,
    SessionEndInfo,
    SessionStartInfo,
)
from tensorboard.plugins.text.metadata import create_summary_metadata
from tensorboard.summary.writer.record_writer import RecordWriter

from exp.runs.config_values import leaves, written
from exp.runs.loggers.finished_run import EvaluatedEpoch, FinishedRun, StartedRun


def place(path: Path) -> Path:
    """The folder of a run's event file: its directory, as seen from the working directory."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path.relative_to(path.anchor)


class Growing:
    """An event file to which epochs are added while their run trains.

    Args:
        path: of the file; it is new.
        started: when the run was, in seconds since 1970.
    """

    def __init__(self, path: Path, started: float) -> None:
        self.file = path.open("xb")
        self.writer = RecordWriter(self.file)
        self.writer.write(beginning(started))
        self.file.flush()

    def write(self, step: int, wall: float, summary: Any) -> None:
        self.writer.write(Event(wall_time=wall, step=step, summary=summary).SerializeToString())
        self.file.flush()

    def epochs(self, rows: Iterable[EvaluatedEpoch]) -> None:
        for row in rows:
            event = Event(wall_time=row.time, step=row.epoch, summary=scalars(row.values))
            self.writer.write(event.SerializeToString())
        self.file.flush()

    def close(self) -> None:
        self.file.close()


def last_epoch(path: Path) -> int:
    """The last epoch with scalars in an event file; -1: none. A cut-off end is left out."""
    last = -1
    for data in RawEventFileLoader(str(path)).Load():
        event = Event.FromString(data)
        if any(value.HasField("simple_value") for value in event.summary.value):
            last = max(last, event.step)
    return last


def content(run: FinishedRun, after: int | None = None, texts: Collection[str] = ()) -> bytes:
    """The bytes of an event file; the same for the same run.

    Args:
        after: the last epoch that other files have of it; None: there are none.
        texts: as of `opening`.
    """
    buffer = io.BytesIO()
    writer = RecordWriter(buffer)
    writer.write(beginning(run.started))
    for step, wall, summary in summaries(run, after, texts):
        writer.write(Event(wall_time=wall, step=step, summary=summary).SerializeToString())
    return buffer.getvalue()


def beginning(started: float) -> bytes:
    return bytes(Event(wall_time=started, file_version="brain.Event:2").SerializeToString())


def summaries(
    run: FinishedRun, after: int | None, texts: Collection[str]
) -> Iterator[tuple[int, float, Any]]:
    """Step, time and summary of everything that is written of a run."""
    if after is None:
        yield 0, run.started, opening(run, texts)
    for row in run.evaluated(-1 if after is None else after):
        yield row.epoch, row.time, scalars(row.values)
    if run.scores:
        yield run.last, run.ended, scalars({curve_of(name): x for name, x in run.scores.items()})
    for name, path in run.figures.items():
        yield run.last, run.ended, picture(f"figures/{name}", path)
    yield run.last, run.ended, described(run)
    yield run.last, run.ended, closing(run)


def scalars(values: dict[str, float]) -> Any:
    return Summary(value=[Summary.Value(tag=tag, simple_value=x) for tag, x in values.items()])


def curve_of(name: str) -> str:
    """`final/test/f1` as `test_final/f1`: pages have tags in their order, and the curves of a split
    are to come first, then a dot for each of its final scores."""
    final, _, rest = name.partition("/")
    split, slash, score = rest.partition("/")
    return f"{split}_{final}/{score}" if slash else name


def picture(tag: str, path: Path) -> Any:
    """The very bytes of a PNG file."""
    data = path.read_bytes()
    # The size stands at a fixed place, behind the signature and the name of the first chunk.
    width, height = (int.from_bytes(data[at : at + 4]) for at in (16, 20))
    image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=data)
    return Summary(value=[Summary.Value(tag=tag, image=image)])


def opening(run: StartedRun, texts: Collection[str] = ()) -> Any:
    """The hyperparameters, for TensorBoard's own table of them.

    Args:
        texts: keys whose values are written as texts, since TensorBoard finds no run by a key that
            is a number in some runs and a text in others.
    """
    # Runs that differ only in a seed are rows of their own: each is its own group.
    info = SessionStartInfo(start_time_secs=run.started, group_name=place(run.path).as_posix())
    values = leaves(run.config)
    for key, value in values.items():
        group, dot, last = key.rpartition(".")
        if dot and last == "name" and group in values:
            continue  # the group has the same value
        if key in texts:
            info.hparams[key].string_value = written(value)
        elif isinstance(value, bool):
            info.hparams[key].bool_value = value
        elif isinstance(value, (int, float)) and math.isfinite(value):
            info.hparams[key].number_value = value
        else:
            info.hparams[key].string_value = written(value)
    return hidden(
        hparams.SESSION_START_INFO_TAG,
        hparams.create_summary_metadata(HParamsPluginData(session_start_info=info)),
    )


def closing(run: FinishedRun) -> Any:
    """How the run ended, for the same table."""
    well = api_pb2.STATUS_SUCCESS if run.status == "done" else api_pb2.STATUS_FAILURE
    info = SessionEndInfo(status=well, end_time_secs=run.ended)
    return hidden(
        hparams.SESSION_END_INFO_TAG,
        hparams.create_summary_metadata(HParamsPluginData(session_end_info=info)),
    )


def hidden(tag: str, metadata: Any) -> Any:
    """A summary whose metadata says it all."""
    return Summary(value=[Summary.Value(tag=tag, metadata=metadata, tensor=hparams.NULL_TENSOR)])


def described(run: FinishedRun) -> Any:
    """The tags of a run as a table in Markdown."""
    cells = [(name, value.replace("|", "\\|").split("\n")[0]) for name, value in run.tags.items()]
    lines = ["| tag | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in cells)]
    tensor = TensorProto(dtype=DT_STRING, string_val=["\n".join(lines).encode()])
    metadata = create_summary_metadata(display_name="", description="")
    return Summary(value=[Summary.Value(tag="run", metadata=metadata, tensor=tensor)])
