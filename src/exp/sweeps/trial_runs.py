"""How a trial has ended: its runs, one for each seed, and their mean score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from exp.runs.collection import files, finite, part
from exp.sweeps.search_curves import curve
from exp.util.metric_names import HEADLINES

if TYPE_CHECKING:
    from exp.sweeps.search_study import Trial


@dataclass(frozen=True)
class RunEnd:
    """How one run of a trial has ended.

    Attributes:
        state: COMPLETE, PRUNED or FAIL.
        score: its final score; None: there is none.
        curve: trained epochs -> the score then.
        message: why it has failed.
    """

    state: str
    score: float | None = None
    curve: dict[int, float] = field(default_factory=dict)
    message: str = ""


def end_of(run: Path, metric: str, epochs: int | None) -> RunEnd | None:
    """How a run has ended, by its directory; None: it has not.

    Args:
        metric: the score of the search.
        epochs: those of its config, if the curve is needed.
    """
    found, summary = files(run)
    status = found.record.get("status")
    if status not in ("done", "diverged", "failed"):
        return None
    scores = {} if epochs is None else curve(run, metric, epochs)
    score = finite(part(summary, "final").get(metric))
    if status == "done" and score is not None:
        pruned = summary.get("status") == "pruned"
        return RunEnd("PRUNED" if pruned else "COMPLETE", score, scores)
    why = "diverged" if status == "diverged" else f"there is no {metric}"
    return RunEnd("FAIL", None, scores, str(found.record.get("message") or why))


def finish(trial: Trial, directories: Sequence[str], ends: Sequence[RunEnd], sign: int) -> None:
    """Sets how a trial has ended: the mean of its runs, or that one of them has failed.

    Args:
        directories: of its runs.
        ends: of the same runs.
        sign: 1 if a lower score is better, else -1.
    """
    trial.directories = list(directories)
    shared = set.intersection(*(set(each.curve) for each in ends))
    at = {step: [each.curve[step] for each in ends] for step in sorted(shared)}
    trial.curve = {step: fmean(values) for step, values in at.items()}
    trial.worst = {step: sign * max(sign * v for v in values) for step, values in at.items()}
    if failed := [each for each in ends if each.state == "FAIL"]:
        few = f"{len(failed)} of {len(ends)} runs: " if len(ends) > 1 else ""
        trial.state, trial.message = "FAIL", f"{few}{failed[0].message}"
        return
    trial.scores = [each.score for each in ends if each.score is not None]
    trial.score = fmean(trial.scores)
    trial.state = "PRUNED" if any(each.state == "PRUNED" for each in ends) else "COMPLETE"


def other_scores(runs: Sequence[Path], metric: str) -> str:
    """The means of the other important scores of these runs, in parentheses."""
    finals = [part(files(run)[1], "final") for run in runs]
    known = [f"{split}/{score}" for score in HEADLINES for split in ("validation", "test")]
    others = [
        f"{name} {fmean(float(final[name]) for final in finals):.4f}"
        for name in known
        if name != metric and all(finite(final.get(name)) is not None for final in finals)
    ]
    return f" ({', '.join(others)})" if others else ""
