"""The comparison over data sets, and times to a target, for other programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from exp.report.across import TESTS, Across, Method, pairs_of
from exp.report.across_targets import TargetProfile
from exp.report.statistics import profiles
from exp.report.time_to_target import TargetTimes, Times

METHOD = (
    "mean_rank", "first", "wins", "ties", "losses", "difference", "difference_low",
    "difference_high", "prediction_low", "prediction_high", "between_data_sets", "interquartile",
    "interquartile_low", "interquartile_high", "p", "p_equivalent", "data_sets_needed", "verdict",
    "comparison",
)  # fmt: skip
"""Columns of a method after its keys. Differences are positive where the best method is better;
p values are corrected for all pairs of methods."""
TARGET = ("target", "target_runs", "target_reached", "median_epochs", "median_seconds")
"""Columns of a group with `--target`: medians are empty where the target was not reached."""
PROFILE = (
    "target", "target_share", "target_data_sets", "profile_epochs", "profile_seconds",
)  # fmt: skip
"""Columns of a method with `--across` and `--target`."""


def method_figures(each: Method) -> dict[str, Any]:
    """All numbers of a method, with all digits."""
    effect, middle = each.effect, each.middle
    ends = effect.interval() if effect else None
    next_one = effect.prediction() if effect else None
    values = (
        each.mean_rank, each.first, each.wins if effect else None, each.ties if effect else None,
        each.losses if effect else None, effect.mean if effect else None,
        *(ends or (None, None)), *(next_one or (None, None)), effect.tau if effect else None,
        *((middle.value, middle.low, middle.high) if middle else (None, None, None)),
        each.p, each.p_within, each.verdict.needed, each.verdict.word or None,
        each.verdict.text or None,
    )  # fmt: skip
    return dict(zip(METHOD, values, strict=True))


def across_columns(found: Across, profile: TargetProfile | None) -> dict[str, list[Any]]:
    """Name -> values, one for each method; a key that is named like a figure becomes `by:key`."""
    rows = []
    for each in found.methods:
        named = dict(zip(found.cells.by, each.values, strict=True))
        more = profile_figures(profile, each.values) if profile is not None else {}
        rows.append({**keyed(named), "metric": found.cells.metric, **method_figures(each), **more})
    return {name: [row[name] for row in rows] for name in rows[0]}


def keyed(values: dict[str, Any]) -> dict[str, Any]:
    """Keys as names of columns."""
    taken = {"metric", *METHOD, *TARGET, *PROFILE}
    return {f"by:{key}" if key in taken else key: value for key, value in values.items()}


def across_json(found: Across, profile: TargetProfile | None) -> dict[str, Any]:
    """Everything: methods, pairs, and the score, rank and design of each on each data set."""
    made, names = found.cells, [each.name for each in found.methods]
    f = found.friedman
    content: dict[str, Any] = {
        "across": list(made.unit),
        "by": list(made.by),
        "within": list(made.other),
        "metric": made.metric,
        "higher_is_better": made.higher,
        "test": TESTS[found.test],
        "margin": found.margin,
        "friedman": None if f is None else {
            "chi2": f.chi2, "p": f.p, "f": finite(f.f), "p_f": f.p_f,
        },
        "critical_difference": found.critical,
        "bars": [[names[at] for at in range(one, other + 1)] for one, other in found.bars],
        "methods": [
            {
                "name": each.name,
                "values": dict(zip(made.by, each.values, strict=True)),
                **method_figures(each),
                **(profile_figures(profile, each.values) if profile is not None else {}),
            }
            for each in found.methods
        ],
        "pairs": pairs_of(found),
        "data_sets": [
            {
                "name": block.name,
                "design": block.design.kind,
                "units": len(block.scores),
                "settings": block.settings,
                "scores": dict(zip(names, scores.tolist(), strict=True)),
                "ranks": dict(zip(names, ranks.tolist(), strict=True)),
                "unused": block.unused,
            }
            for block, scores, ranks in zip(made.blocks, found.scores, found.ranks, strict=True)
        ],
        "left_out": {name: list(lacking) for name, lacking in made.left_out.items()},
        "without_score": list(made.without),
    }  # fmt: skip
    return content


def profile_figures(found: TargetProfile, method: tuple[Any, ...]) -> dict[str, Any]:
    """The numbers of a method over the data sets; empty where it has no run."""
    if method not in found.methods:
        return dict.fromkeys(PROFILE, None) | {"target": str(found.target)}
    at = found.methods.index(method)
    values = (
        str(found.target), float(found.shares[:, at].mean()), int(found.reached[at]),
        found.scores[at], found.second_scores[at],
    )  # fmt: skip
    return dict(zip(PROFILE, values, strict=True))


def profile_json(found: TargetProfile) -> dict[str, Any]:
    """The median times of each method on each data set; null where the target was not reached."""
    return {
        "target": str(found.target),
        "data_sets": [
            {
                "name": name,
                "median_epochs": dict(zip(found.names, map(finite, epochs), strict=True)),
                "median_seconds": dict(zip(found.names, map(finite, seconds), strict=True)),
                "share_reached": dict(zip(found.names, shares.tolist(), strict=True)),
            }
            for name, epochs, seconds, shares in zip(
                found.data_sets, found.epochs.tolist(), found.seconds.tolist(), found.shares,
                strict=True,
            )
        ],
        "left_out": {name: list(lacking) for name, lacking in found.left_out.items()},
        "not_counted": dict(found.waiting),
    }  # fmt: skip


def target_figures(each: Times | None, target: str) -> dict[str, Any]:
    """The numbers of a group."""
    if each is None:
        return dict.fromkeys(TARGET, None) | {"target": target}
    medians = (profiles.median(each.epochs), profiles.median(each.known_seconds))
    return dict(zip(TARGET, (target, each.runs, each.reached, *map(finite, medians)), strict=True))


def target_columns(
    columns: dict[str, list[Any]], groups: Sequence[tuple[Any, ...]], found: TargetTimes
) -> dict[str, list[Any]]:
    """The columns of `exp results` with those of the target.

    Args:
        groups: the values of the keys of each row.
    """
    known = {typed(each.values): each for each in found.groups}
    more = [target_figures(known.get(typed(values)), str(found.target)) for values in groups]
    return {**columns, **{name: [each[name] for each in more] for name in TARGET}}


def target_json(found: TargetTimes) -> dict[str, Any]:
    """The times of every run; null for those that never reach the target."""
    return {
        "target": str(found.target),
        "groups": [
            {
                "values": dict(zip(found.by, each.values, strict=True)),
                **target_figures(each, str(found.target)),
                "epochs": list(map(finite, each.epochs)),
                "seconds": list(map(finite, each.seconds)),
                "not_counted": dict(each.waiting),
            }
            for each in found.groups
        ],
    }


def typed(values: tuple[Any, ...]) -> tuple[tuple[bool, Any], ...]:
    """Values that are equal only if their types are: 1 == True in Python."""
    return tuple((isinstance(value, bool), value) for value in values)


def finite(value: float) -> float | None:
    """None in place of a number that JSON does not have."""
    return value if math.isfinite(value) else None
