"""The figures of decision maps: the contact sheet of a sweep, and its best group's ensemble."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from exp.plotting import contact_sheet as sheet
from exp.plotting import ensemble, layout
from exp.plotting.numbers import percent
from exp.plotting.style import Theme
from exp.report.captions import brief, problems
from exp.report.ensemble_accuracy import ensemble_accuracy
from exp.report.maps import Map, Maps, one_plane, resampled
from exp.report.scored import Group, Scored
from exp.runs.config_values import written
from exp.util.text_tables import count

TILES = 100
"""Runs of a contact sheet."""
MEMBERS = 100
"""Runs of an ensemble: more hardly change it."""


def contact_sheet(scored: Scored, maps: Maps, theme: Theme) -> Figure | None:
    """The maps of all runs, or of the best ones, by group and seed."""
    shown = set(scored.best(TILES))
    found = {place: maps[place] for place in shown}
    drawn = [each for each in found.values() if each is not None]
    if not drawn:
        return None
    several = any(len(group.members) > 1 for group in scored.groups)
    sections: list[sheet.Section] = []
    single: dict[str, list[sheet.Tile]] = {}  # of groups of one run, by plane
    for group in scored.groups:
        members = [place for place in group.members if place in shown]
        if not members:
            continue
        tiles = [tile(scored, place, found[place]) for place in members]
        plane = plane_of(scored, members[0])
        if several:
            about = remark(scored, group, len(members))
            sections.append(section(group.name, tiles, plane, about))
        else:
            single.setdefault(plane, []).extend(tiles)
    sections += [section(plane, tiles, plane) for plane, tiles in single.items()]
    classes, axes = {each.classes for each in drawn}, {each.axes for each in drawn}
    figure = sheet.draw(
        sections, theme,
        classes=classes.pop() if len(classes) == 1 else (),
        axes=axes.pop() if len(axes) == 1 else ("", ""),
        note=plane_note(drawn),
        rows=" or ".join(sorted({f"{each.split} rows" for each in drawn if each.split})),
    )  # fmt: skip
    total, only = len(scored.rows), scored.groups[0]
    runs = f"the best {len(shown)} of {total:,} runs" if len(shown) < total else count(total, "run")
    about = f"{scored.metric.title} below each"
    if len(scored.groups) == 1 and not np.isnan(only.mean):
        about += f", mean {scored.metric.text(only.mean)}"
    if bad := problems(scored.rows):
        about += f"; {bad}"
    layout.heading(figure, f"Decision boundaries of {runs}", remark=about, above=0.15)
    return figure


def section(title: str, tiles: Sequence[sheet.Tile], plane: str, remark: str = "") -> sheet.Section:
    return sheet.Section(title=title, tiles=tuple(tiles), plane=plane, remark=remark)


def remark(scored: Scored, group: Group, shown: int) -> str:
    parts = []
    if group.name and not np.isnan(group.mean):
        parts.append(f"mean {scored.metric.text(group.mean)}")
    if shown < len(group.members):
        parts.append(f"{shown} of {len(group.members)} runs")
    return ", ".join(parts)


def tile(scored: Scored, place: int, found: Map | None) -> sheet.Tile:
    row = scored.rows[place]
    score, good = float(scored.scores[place]), row.status == "done"
    text = row.status if not good else "no value" if np.isnan(score) else scored.metric.text(score)
    if len(scored.groups) == len(scored.rows):
        caption = ", ".join(brief(row.parameters.get(key)) for key in scored.keys)
    else:
        caption = scored.seed_of(place)
    field, dots = (found.field, found.dots) if found else (None, None)
    return sheet.Tile(caption=caption or row.name, value=text, field=field, dots=dots, bad=not good)


def plane_of(scored: Scored, place: int) -> str:
    """Maps are comparable where this is the same: the data set, where that varies."""
    varies = "dataset" in scored.keys
    return written(scored.rows[place].parameters.get("dataset")) if varies else ""


def plane_note(maps: Sequence[Map]) -> str:
    notes = list(dict.fromkeys(each.note for each in maps))
    if len(notes) > 1:
        return "the planes are not the same for all runs"
    if notes[0] and not one_plane(maps):
        return f"{notes[0]}; the plane of each run comes from that run's training rows"
    return notes[0]


def ensemble_map(scored: Scored, maps: Maps, theme: Theme) -> Figure | None:
    """The mean map of the best group with several maps, and its spread."""
    for group in scored.ranked:
        done = [place for place in group.members if scored.rows[place].status == "done"]
        found = {p: each for p in done[:MEMBERS] if (each := maps[p]) is not None}
        if len(found) > 1:
            break
    else:
        return None
    every = list(found.values())
    fields = resampled(every) if one_plane(every) else None
    if fields is None:
        return None
    note = "each map resampled, bilinear, to the window that all of them share"
    figure = ensemble.draw(
        fields, theme, classes=every[0].classes, axes=every[0].axes,
        note="; ".join(text for text in (every[0].note, note) if text),
    )  # fmt: skip
    accuracy = ensemble_accuracy([scored.rows[place].path for place in found])
    if accuracy is None:
        about = "the runs were tested on different rows, so they have no accuracy together"
    else:
        together, single = map(percent, accuracy)
        about = f"test accuracy {together} together, {single} on average alone"
    heading = f"{count(len(found), 'run')} together"
    if len(found) < len(done):
        heading += f" ({len(found)} of {len(done)})"
    layout.heading(figure, heading + (f": {group.name}" if group.name else ""), remark=about)
    return figure
