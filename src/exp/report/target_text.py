"""Time to target as text."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from exp.report.across_targets import TargetProfile
from exp.report.statistics import profiles
from exp.report.time_to_target import TargetTimes, Times
from exp.util.text_tables import aligned, cell, count, number


def text(found: TargetTimes) -> list[str]:
    """A line for each group; on each data set, those first that reach the target first."""
    lines = [f"Time to target {cell(str(found.target))}: {count(total(found.groups), 'run')}", ""]
    data = [at for at, key in enumerate(found.by) if key.split(".")[0] == "dataset"]
    places = {of(each, data): at for at, each in reversed(list(enumerate(found.groups)))}
    groups = sorted(found.groups, key=lambda each: (places[of(each, data)], order(each)))
    header = [*map(cell, found.by), "reached", "median epochs", "median seconds"]
    rows = [
        [*map(cell, each.values), share(each), steps(each.epochs), time(each.known_seconds)]
        for each in groups
    ]
    right = range(len(found.by), len(header))
    return [*lines, *aligned([header, *rows], right), "", *notes(found.groups)]


def profile_text(found: TargetProfile) -> list[str]:
    """A line for each method over the data sets, the best profile first."""
    title = (
        f"Time to target {cell(str(found.target))}: {count(found.runs, 'run')} of "
        f"{count(len(found.names), 'method')} on {count(len(found.data_sets), found.noun)}"
    )
    header = [
        "method",
        "runs reached",
        f"{found.noun}s reached",
        "profile (epochs)",
        "profile (seconds)",
    ]
    rows = [
        [
            cell(found.names[at]),
            f"{found.shares[:, at].mean():.0%}".replace("%", " %"),
            f"{int(found.reached[at])} of {len(found.data_sets)}",
            number(found.scores[at]),
            number(found.second_scores[at]),
        ]
        for at in found.order
    ]
    about = (
        f"A {found.noun} is reached where the median run reaches the target; a run that never does "
        f"counts as infinite. Profile: AlgoPerf's score, the mean share of {found.noun}s within 1 "
        f"to {profiles.MOST_RATIO:g} times the time of the fastest method."
    )
    more = [
        about,
        *(
            f"Left out: {name}, without a run of {', '.join(some)}."
            for name, some in found.left_out.items()
        ),
    ]
    return [
        title,
        "",
        *aligned([header, *rows], range(1, len(header))),
        "",
        *more,
        *waiting(found.waiting),
    ]


def total(groups: tuple[Times, ...]) -> int:
    return sum(each.runs for each in groups)


def of(each: Times, places: list[int]) -> tuple[str, ...]:
    """Some values of a group."""
    return tuple(cell(each.values[at]) for at in places)


def order(each: Times) -> tuple[float, float]:
    """Sorts those first that reach it in fewer epochs, or more often."""
    median = profiles.median(each.epochs)
    return math.inf if math.isnan(median) else median, -each.share if each.runs else 0.0


def share(each: Times) -> str:
    return f"{each.reached} of {each.runs}"


def steps(epochs: list[float]) -> str:
    """The median number of epochs."""
    found = profiles.median(epochs)
    if math.isnan(found):
        return "-"
    return "not reached" if math.isinf(found) else f"{found:g}"


def time(seconds: list[float]) -> str:
    found = profiles.median(seconds)
    if math.isnan(found):
        return "-"
    return "not reached" if math.isinf(found) else number(found)


def notes(groups: tuple[Times, ...]) -> Iterator[str]:
    yield (
        "Medians are over all runs of a group; one that never reaches the target counts as "
        "infinite. Seconds are a run's share of the training time of its stack."
    )
    found: Counter[str] = Counter()
    for each in groups:
        found += each.waiting
    yield from waiting(found)
    if unreadable := sum(each.unreadable for each in groups):
        yield f"Not counted: {count(unreadable, 'run')} whose metrics.csv cannot be used."


def waiting(found: Counter[str]) -> Iterator[str]:
    if found:
        listed = ", ".join(f"{number} {status}" for status, number in sorted(found.items()))
        yield f"Not counted, as they may still reach it: {listed}."
