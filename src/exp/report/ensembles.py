"""The ensemble of a sweep: the runs of its best group, taken together."""

from __future__ import annotations

from exp.plotting import ensemble
from exp.plotting.board import Board, Look
from exp.plotting.numbers import percent
from exp.report.captions import counted
from exp.report.ensemble_answers import ensemble_accuracy
from exp.report.maps import Maps, one_plane, resampled
from exp.report.scored import Scored

MEMBERS = 100
"""Runs of an ensemble: more hardly change it."""


def over_seeds(scored: Scored, maps: Maps, look: Look) -> Board | None:
    """The mean map of the best group that has several, and its spread."""
    for group in scored.ranked:
        done = [place for place in group.members if scored.rows[place].status == "done"]
        found = {place: maps[place] for place in done[:MEMBERS]}
        there = {place: each for place, each in found.items() if each is not None}
        if len(there) > 1:
            break
    else:
        return None
    every = list(there.values())
    fields = resampled(every) if one_plane(every) else None
    if fields is None:
        return None
    accuracy = ensemble_accuracy([scored.rows[place].path for place in there])
    if accuracy is None:
        told = "the runs were tested on different rows: no accuracy of them together"
    else:
        together, alone = map(percent, accuracy)
        told = f"test accuracy {together} together, {alone} on average alone"
    capped = f" ({len(there)} of {len(done)})" if len(there) < len(done) else ""
    about = "each map resampled, bilinear, to the window that all of them share"
    return ensemble.sheet(
        fields, look, classes=every[0].classes, axes=every[0].axes,
        heading=f"{counted(len(there), 'run')} together{capped}"
        + (f": {group.name}" if group.name else ""),
        remark=told, note="; ".join(note for note in (every[0].note, about) if note),
    )  # fmt: skip
