"""The figures of a comparison over data sets, and of times to a target."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from exp.plotting import critical_difference, layout, performance_profile
from exp.plotting.metric import Metric
from exp.plotting.performance_profile import Curve
from exp.plotting.style import Theme, settings
from exp.report.across import Across
from exp.report.across_targets import TargetProfile
from exp.report.captions import caption, short
from exp.report.statistics import profiles
from exp.report.statistics.profiles import Profile
from exp.report.target_text import order, share, steps
from exp.report.time_to_target import TargetTimes
from exp.runs.config_values import written
from exp.util.files import write_whole
from exp.util.metric_names import SHARES
from exp.util.text_tables import count

MOST = 20
"""Methods that a figure shows: the best; of more, lines cannot be told apart."""


def draw(
    folder: Path,
    theme: str,
    *,
    across: Across | None = None,
    profile: TargetProfile | None = None,
    times: TargetTimes | None = None,
) -> list[Path]:
    """Draws the figures of what is given; the same numbers give the same bytes.

    Args:
        folder: made if missing; its parent must exist.
        theme: "light" or "dark".

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(exist_ok=True)
    paths = []
    with settings(theme) as colours:
        for name, figure in figures(colours, across, profile, times):
            path = folder / f"{name}.png"
            write_whole(path, layout.encode(figure, "png", dpi=120))
            paths.append(path)
    return paths


def figures(
    theme: Theme,
    across: Across | None = None,
    profile: TargetProfile | None = None,
    times: TargetTimes | None = None,
) -> Iterator[tuple[str, Figure]]:
    """Names and figures; draw and encode them within `style.settings`."""
    if across is not None:
        yield "critical_difference", diagram(across, theme)
        yield "performance_profile", score_profile(across, theme)
    if profile is not None:
        yield "target_profile", ratio_profile(profile, theme)
    if times is not None:
        yield "time_to_target", reached_over_epochs(times, theme)


def diagram(found: Across, theme: Theme) -> Figure:
    """The critical-difference diagram."""
    n, k = found.scores.shape
    shown = min(k, MOST)
    nemenyi = found.test == "nemenyi"
    bars = [(one, min(other, shown - 1)) for one, other in found.bars if one < shown - 1]
    figure = critical_difference.draw(
        [each.name for each in found.methods[:shown]],
        [each.mean_rank for each in found.methods[:shown]],
        bars,
        theme,
        difference=found.critical if nemenyi else None,
        note="bar: no difference shown between any two of its methods" if bars else "",
    )
    test = "Nemenyi's test" if nemenyi else "Wilcoxon's signed-rank test with Holm's correction"
    title = Metric(found.cells.metric, False).title
    few = f"the best {shown} of " if shown < k else ""
    layout.heading(
        figure,
        f"{title.capitalize()}: {few}{count(k, 'method')} on {count(n, found.cells.noun)}",
        remark=f"mean rank, 1 is the best; {test} at 5 %",
        above=0.14,
    )
    return figure


def score_profile(found: Across, theme: Theme) -> Figure:
    """The share of runs within a distance of the best mean score of their data set."""
    name = found.cells.metric
    metric = Metric(name, name.rpartition("/")[2] in SHARES)
    shown = list(zip(found.methods, found.gaps, strict=True))[:MOST]
    curves = [
        Curve(name=each.name, about=f"mean rank {each.mean_rank:.2f}", x=gap.x, share=gap.share)
        for each, gap in shown
    ]
    # Nine tenths of the runs of all methods, unless a few methods lie very far behind.
    ends = sorted(quantile(gap, 0.9) for _, gap in shown)
    middle = ends[len(ends) // 2]
    end = min(ends[-1], 3 * middle) or ends[-1] or 1.0
    noun = found.cells.noun
    note = f"each {noun} counts the same; a run above that mean counts as at distance 0"
    if len(found.methods) > len(shown):
        note = f"the best {len(shown)} of {len(found.methods)} methods; {note}"
    return performance_profile.draw(
        curves,
        theme,
        title=f"Performance profile: {metric.title}",
        x_label=f"distance to the best method's mean on the {noun}",
        y_label="share of runs within that distance",
        begin=0.0,
        end=1.03 * end,
        remark=f"{count(len(found.methods), 'method')} on {count(len(found.scores), noun)}; "
        "farther up is better",
        note=note,
    )


def ratio_profile(found: TargetProfile, theme: Theme) -> Figure:
    """The share of data sets on which a method is at most x times as slow as the fastest."""
    ratios = found.ratios
    curves = []
    for at in found.order[:MOST]:
        each = profiles.profile(ratios[:, at])
        about = (
            f"score {found.scores[at]:.2f}, reached on {int(found.reached[at])} of {len(ratios)}"
        )
        curves.append(Curve(name=found.names[at], about=about, x=each.x, share=each.share))
    solved = ratios[np.isfinite(ratios)]
    end = max(profiles.MOST_RATIO, float(solved.max(initial=1.0)) * 1.05)
    data_sets = count(len(found.data_sets), found.noun)
    return performance_profile.draw(
        curves,
        theme,
        title=f"Time to target: {found.target}",
        x_label=f"median epochs to the target, relative to the fastest method of the {found.noun}",
        y_label=f"share of {data_sets}",
        begin=1.0,
        end=min(end, 100.0),
        log=True,
        remark=f"{count(len(found.names), 'method')} on {data_sets}; farther up is better",
        note=f"score: mean height between 1 and {profiles.MOST_RATIO:g} times (AlgoPerf); "
        f"a {found.noun} where the median run never reaches the target is never counted",
    )


def reached_over_epochs(found: TargetTimes, theme: Theme) -> Figure:
    """The share of the runs of each group that have reached the target."""
    groups = sorted((each for each in found.groups if each.runs), key=order)
    varying = [at for at, values in enumerate(zip(*(each.values for each in groups), strict=True))
               if len(set(map(written, values))) > 1]  # fmt: skip
    names = short([found.by[at] for at in varying])
    curves, last = list[Curve](), 1.0
    for each in groups[:MOST]:
        curve: Profile = profiles.profile(each.epochs)
        last = max(last, float(curve.x.max(initial=0.0)))
        values = dict(zip(found.by, each.values, strict=True))
        about = f"{share(each)} reached, median {steps(each.epochs)}"
        name = caption(values, names) or "all runs"
        curves.append(Curve(name=name, about=about, x=curve.x, share=curve.share))
    few = f"the best {MOST} of {len(groups)} groups; " if len(groups) > MOST else ""
    return performance_profile.draw(
        curves,
        theme,
        title=f"Time to target: {found.target}",
        x_label="epoch",
        y_label="share of runs that have reached it",
        begin=0.0,
        end=last * 1.05,
        remark=f"{few}{count(sum(each.runs for each in groups), 'run')}",
        note="runs that failed or never reach the target are among the rest",
    )


def quantile(found: Profile, share: float) -> float:
    """Where a profile first comes to a share; 0 where it never does."""
    reached = np.flatnonzero(found.share >= share)
    return float(found.x[reached[0]]) if len(reached) else 0.0
