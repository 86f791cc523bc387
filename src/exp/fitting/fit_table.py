"""`fit`: from settings to a finished run directory."""

from __future__ import annotations

import datetime
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exp.fitting.portfolio import portfolio
from exp.fitting.rounds import Done, Key, Rounds
from exp.fitting.run_directory import Chosen, FitAnswers, candidates_text, first_job, result_of
from exp.fitting.selection import calibrate, scorer, select, tempered
from exp.fitting.settings import FitSettings, Progress, metric_of
from exp.fitting.table import Table
from exp.fitting.training import Trained
from exp.plotting import FigureWorker
from exp.runs import provenance
from exp.runs.directory import RunDirectory
from exp.runs.log import close_log, run_log
from exp.runs.signals import DelayedSignals, delayed_signals
from exp.runs.writer import RunWriter
from exp.util.errors import ExpError
from exp.util.metric_names import higher_is_better

FILES, SECONDS, EACH = 0.08, 2.0, 5e-5
"""What is kept of the budget for the ensemble and its files: a share, seconds at least, and seconds
for each row."""
ELSEWHERE = ("directory", "workers")
ADVICE = "a fit cannot be continued: start it again"


def fit(
    settings: FitSettings,
    on_progress: Progress | None = None,
    *,
    repeat: Sequence[Key] | None = None,
    extra: dict[str, Any] | None = None,
) -> Path:
    """Fits an ensemble to a table and writes its run directory.

    Where this process may be copied (a command line on Linux, see `exp.runs.processes.forked`),
    its workers are copies; programs that have computed with threads before set
    `exp.util.command_line.python`.

    Args:
        settings: the table and what to do with it.
        on_progress: called after each candidate.
        repeat: what an earlier fit has trained (`fit.trained` of its run.json): exactly this is
            trained, whatever time it takes.
        extra: what else run.json is to say.

    Returns:
        The run directory.

    Raises:
        ExpError: the settings or the rows cannot be used, or nothing could be trained in time.
        Interrupted: a signal ended it; the directory says so.
    """
    begun = time.monotonic()
    table = Table(settings)
    metric = metric_of(settings, numeric=table.prepared.data.numeric)
    directory = RunDirectory(settings.directory or new_place())
    directory.claim()
    log = run_log(directory.log)
    said = {**(extra or {}), "fit": {"settings": plain(settings), "metric": metric}}
    # It imports matplotlib while the candidates are trained.
    worker = FigureWorker() if table.plan["figures"].name != "none" else None
    writer = RunWriter(
        first_job(table), directory, log=log, origin=provenance.origin(), worker=worker, extra=said
    )
    try:
        with delayed_signals() as signals:
            try:
                writer.begin()
                finish(writer, table, metric, begun, on_progress, repeat, signals)
            except BaseException as error:
                writer.fail(error, advice=ADVICE)
                raise
    finally:
        if worker is not None:
            worker.close()
        directory.release()
        close_log(log)
    return directory.path


def finish(
    first: RunWriter,
    table: Table,
    metric: str,
    begun: float,
    on_progress: Progress | None,
    repeat: Sequence[Key] | None,
    signals: DelayedSignals,
) -> None:
    """Trains the candidates and writes the directory of their ensemble.

    Args:
        first: has begun the directory.
        begun: when the fit began, by `time.monotonic`.
    """
    settings, data = table.settings, table.prepared.data
    candidates = portfolio(table.shape, settings.candidates, settings.seed)
    positive = table.prepared.positive

    def measure(found: list[Trained]) -> float:
        rows, answers = joined(table, found)
        value = scorer(metric, data.y[rows], positive)(answers)
        return value if np.isfinite(value) else float("inf")

    sign = -1.0 if higher_is_better(metric) else 1.0

    def progress(done: Done) -> None:
        signals.raise_between_epochs()
        if on_progress is not None:
            best = min(rounds.scores.values(), default=None)
            shown = None if best is None or not np.isfinite(best) else sign * best
            count = len({number for number, _ in done.trained})
            on_progress(count, len(candidates), shown, time.monotonic() - begun)

    kept = max(SECONDS, FILES * settings.budget) + EACH * len(data.y)
    kept = min(kept, 0.5 * settings.budget)
    rounds = Rounds(
        table,
        candidates,
        measure,
        deadline=float("inf") if repeat else begun + settings.budget - kept,
        progress=progress,
        recorded=repeat or (),
    )
    done = rounds.run(settings.workers)
    if done.failed:
        count, reason = len(done.failed), next(iter(done.failed.values()))
        text = f"{count} of {len(candidates)} candidates could not be trained: {reason}"
        if count >= len(candidates) - 1:  # all but the one that is not trained
            raise ExpError(text)
        first.log.warning("%s", text)
    chosen = chosen_of(table, rounds, metric)
    job, result = result_of(table, chosen, history_of(table, rounds))
    # The same directory goes on, now that its model is known.
    writer = RunWriter(job, first.directory, log=first.log, origin={}, worker=first.worker)
    writer.record = {**first.record, "signature": job.signature}
    writer.record["fit"] |= {
        "trained": [list(key) for key in done.order],
        "folds": len(table.folds),
    }
    writer.started = first.started
    writer.begin()
    first.record = writer.record
    writer.finish(
        result,
        time.monotonic() - begun,
        answers=FitAnswers(result, chosen),
        more={"candidates.csv": candidates_text(rounds, chosen)},
    )


def joined(table: Table, found: list[Trained]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The validation rows of some folds, and the answers of a candidate for them."""
    rows = np.concatenate([table.folds[each.fold].validation for each in found])
    answers = np.concatenate([each.answers for each in found]).astype(np.float64)
    return rows, answers


def chosen_of(table: Table, rounds: Rounds, metric: str) -> Chosen:
    """The ensemble of the candidates that were trained in full.

    Raises:
        ExpError: there is none.
    """
    full = [(n, f) for n, f in rounds.done.full().items() if np.isfinite(rounds.scores[n, 2])]
    if not full:
        raise ExpError(
            f"no candidate could be trained within {table.settings.budget:g} seconds: "
            "use a larger budget"
        )
    full.sort()
    data = table.prepared.data
    rows, _ = joined(table, full[0][1])
    answers = [joined(table, found)[1] for _, found in full]
    seed = table.settings.seed
    selection = select(answers, metric, data.y[rows], table.prepared.positive, seed)
    temperature = 1.0
    found = selection.answers
    if not data.numeric:
        temperature = calibrate(found, data.y[rows], seed)
        found = tempered(found, temperature)
    members = [
        (rounds.candidates[full[at][0]], full[at][1], weight)
        for at, weight in selection.weights.items()
    ]
    return Chosen(members, temperature, rows, found)


def history_of(table: Table, rounds: Rounds) -> dict[str, NDArray[Any]]:
    """After each training, the losses of the best candidate so far."""
    data, best = table.prepared.data, float("inf")
    score = "rmse" if data.numeric else "accuracy"
    found: dict[str, list[float]] = {
        name: [] for name in ("train/loss", "validation/loss", f"validation/{score}")
    }
    for number, level in rounds.done.order:
        folds = rounds.done.trained[number, level]
        loss = float(np.mean([each.loss for each in folds]))
        if loss < best:
            best = loss
            rows, answers = joined(table, folds)
            value = scorer(score, data.y[rows], table.prepared.positive)(answers)
            if not data.numeric:
                value = float((answers.argmax(axis=1) == data.y[rows]).mean())
            now = [float(np.mean([each.train_loss for each in folds])), loss, value]
        if np.isfinite(best):
            for column, number_ in zip(found.values(), now, strict=True):
                column.append(number_)
    columns = {name: np.array(values, np.float32) for name, values in found.items()}
    return {"epoch": np.arange(len(columns["train/loss"]), dtype=np.int64), **columns}


def plain(settings: FitSettings) -> dict[str, Any]:
    """Settings as they stand in run.json: without those that can be other ones in a repetition."""
    found = {key: value for key, value in asdict(settings).items() if key not in ELSEWHERE}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()}


def new_place() -> Path:
    """Where a new run goes, as `hydra.run.dir` has it."""
    now = datetime.datetime.now()
    return Path(f"outputs/{now:%Y-%m-%d}/{now:%H-%M-%S}-{secrets.token_hex(3)}-fit")
