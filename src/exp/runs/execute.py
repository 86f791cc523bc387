"""From jobs to finished run directories: one run, or several that train as stacks."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence

from exp.engine import Hook, Result, train
from exp.runs.resume_state import recording_before
from exp.runs.signals import delayed_signals
from exp.runs.training_hooks import Checkpoints, EndOnSignal, LogLines
from exp.runs.writer import RunWriter
from exp.util.errors import Interrupted


def execute(writer: RunWriter, *, hooks: Sequence[Hook] = ()) -> Result:
    """One run, from its first file to its last.

    Args:
        hooks: what else happens while it trains.

    Raises:
        BaseException: what went wrong, after it was recorded as failed or interrupted.
    """
    with delayed_signals() as signals:
        end = EndOnSignal(signals)
        try:
            (result,), seconds = begin_and_train([writer], [*hooks, end])
            writer.finish(result, seconds)
        except BaseException as error:
            record_end(writer, error, end)
            raise
        finally:
            writer.directory.release()
    return result


def execute_stack(writers: Sequence[RunWriter], *, on_finish: Callable[[RunWriter], None]) -> None:
    """Several runs; those of one shape train as one stack. If one fails, the others go on.

    Args:
        on_finish: called for each run once its directory is complete, or its failure recorded.
    """
    with delayed_signals() as signals:
        end = EndOnSignal(signals)
        unfinished = list(writers)
        try:
            try:
                results, seconds = begin_and_train(writers, [end])
            except Exception as error:
                # Which run is at fault shows when each trains by itself, to the same bits.
                for writer in writers:
                    unfinished.remove(writer)
                    if len(writers) == 1:
                        record_end(writer, error, end)
                        writer.directory.release()
                    else:
                        with contextlib.suppress(Exception):
                            execute(writer)
                    on_finish(writer)
                return
            for writer in writers:
                try:
                    # Each result is let go once it is written.
                    writer.finish(results.pop(0), seconds, len(writers))
                except Exception as error:
                    record_end(writer, error, end)
                unfinished.remove(writer)
                writer.directory.release()
                on_finish(writer)
        except BaseException as error:
            for writer in unfinished:
                record_end(writer, error, end)
                writer.directory.release()
            raise


def begin_and_train(
    writers: Sequence[RunWriter], hooks: Sequence[Hook]
) -> tuple[list[Result], float]:
    """The results of runs, and the seconds that their training took."""
    for writer in writers:
        writer.begin()
    begun = time.perf_counter()
    start = {i: writer.start for i, writer in enumerate(writers) if writer.start is not None}
    recordings = {
        i: recording_before(writers[i].directory, numbers["epoch"])
        for i, (_, numbers) in start.items()
    }
    by_job = {id(writer.job): writer for writer in writers}
    results = train(
        [writer.job for writer in writers],
        start=start,
        recordings=recordings,
        hooks=[LogLines(by_job), Checkpoints(by_job), *hooks],
    )
    return results, time.perf_counter() - begun


def record_end(writer: RunWriter, error: BaseException, end: EndOnSignal) -> None:
    """Records that a run has failed or was interrupted."""
    between = isinstance(error, Interrupted) and error.between
    writer.fail(error, end.live(writer.job) if between else None)
