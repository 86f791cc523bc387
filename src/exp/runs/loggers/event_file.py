"""The event file of a run, written by TensorBoard's writer of records."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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

from exp.runs.config_values import flat
from exp.runs.loggers.finished_run import FinishedRun


def place(path: Path) -> Path:
    """The folder of a run's event file: its directory, as seen from the working directory."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path.relative_to(path.anchor)


def content(run: FinishedRun) -> bytes:
    """The bytes of an event file; the same for the same run."""
    buffer = io.BytesIO()
    writer = RecordWriter(buffer)
    writer.write(Event(wall_time=run.started, file_version="brain.Event:2").SerializeToString())
    for step, wall, summary in summaries(run):
        writer.write(Event(wall_time=wall, step=step, summary=summary).SerializeToString())
    return buffer.getvalue()


def summaries(run: FinishedRun) -> Iterator[tuple[int, float, Any]]:
    """Step, time and summary of everything that is written of a run."""
    yield 0, run.started, opening(run)
    for epoch, values in run.rows:
        scalars = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        # When each epoch was is not recorded: they are spread evenly.
        share = epoch / run.last if run.last else 0.0
        yield epoch, run.started + share * (run.ended - run.started), Summary(value=scalars)
    final = [Summary.Value(tag=curve_of(name), simple_value=x) for name, x in run.scores.items()]
    yield run.last, run.ended, Summary(value=final)
    for name, path in run.figures.items():
        yield run.last, run.ended, picture(f"figures/{name}", path)
    yield run.last, run.ended, described(run)
    yield run.last, run.ended, closing(run)


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


def opening(run: FinishedRun) -> Any:
    """The hyperparameters, for TensorBoard's own table of them."""
    # Runs that differ only in a seed are rows of their own: each is its own group.
    info = SessionStartInfo(start_time_secs=run.started, group_name=place(run.path).as_posix())
    text = run.params
    for key, value in flat(run.config) if run.config else ():
        if isinstance(value, bool):
            info.hparams[key].bool_value = value
        elif isinstance(value, (int, float)):
            info.hparams[key].number_value = value
        else:
            info.hparams[key].string_value = text[key]
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
