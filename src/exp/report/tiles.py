"""The contact sheet of a sweep: which maps it shows, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exp.plotting import contact
from exp.plotting.board import Board, Look
from exp.report.captions import brief, counted, troubles
from exp.report.maps import Map, Maps, one_plane
from exp.report.scored import Scored
from exp.runs.config_values import written

TILES = 100
"""Runs on a contact sheet."""


def contact_sheet(scored: Scored, maps: Maps, look: Look) -> Board | None:
    """The maps of all runs, or of the best; ordered by group and seed."""
    shown = set(scored.best(TILES))
    there = {place: maps[place] for place in shown}
    drawn = [each for each in there.values() if each is not None]
    if not drawn:
        return None
    several = any(len(group.members) > 1 for group in scored.groups)
    sections: list[contact.Section] = []
    loose: dict[str, list[contact.Tile]] = {}
    for group in scored.groups:
        members = [place for place in group.members if place in shown]
        tiles = {place: tile(scored, place, there[place]) for place in members}
        plane = plane_of(scored, members[0]) if members else ""
        if several and members:
            about = (
                []
                if np.isnan(group.mean) or not group.name
                else [f"mean {scored.metric.text(group.mean)}"]
            )
            if len(members) < len(group.members):
                about.append(f"{len(members)} of {len(group.members)} runs")
            sections.append(
                contact.Section(
                    title=group.name,
                    remark=", ".join(about),
                    plane=plane,
                    tiles=tuple(tiles.values()),
                )
            )
        elif members:
            loose.setdefault(plane, []).extend(tiles.values())
    sections += [
        contact.Section(title=plane, plane=plane, tiles=tuple(tiles))
        for plane, tiles in loose.items()
    ]
    classes = {each.classes for each in drawn}
    axes = {each.axes for each in drawn}
    total = len(scored.rows)
    what = (
        f"the best {len(shown)} of {total:,} runs" if len(shown) < total else counted(total, "run")
    )
    lone = scored.groups[0]
    told = (
        ""
        if len(scored.groups) > 1 or np.isnan(lone.mean)
        else (f", mean {scored.metric.text(lone.mean)}")
    )
    return contact.sheet(
        sections, look,
        heading=f"Decision boundaries of {what}",
        remark=f"{scored.metric.title} below each{told}" + about_trouble(scored),
        classes=next(iter(classes)) if len(classes) == 1 else (),
        axes=next(iter(axes)) if len(axes) == 1 else ("", ""),
        note=plane_note(drawn),
    )  # fmt: skip


def tile(scored: Scored, place: int, found: Map | None) -> contact.Tile:
    row = scored.rows[place]
    score, good = float(scored.scores[place]), row.status == "done"
    text = row.status if not good else "no value" if np.isnan(score) else scored.metric.text(score)
    alone = len(scored.groups) == len(scored.rows)
    caption = ", ".join(brief(row.parameters.get(key)) for key in scored.keys) if alone else (
        scored.seed_of(place)
    )  # fmt: skip
    return contact.Tile(
        caption=caption or row.name, value=text, field=found.field if found else None, bad=not good
    )


def plane_of(scored: Scored, place: int) -> str:
    """What a run's map can be compared with others by: the data set, where that varies."""
    key = "dataset" if "dataset" in scored.keys else ""
    return written(scored.rows[place].parameters.get(key)) if key else ""


def plane_note(maps: Sequence[Map]) -> str:
    notes = list(dict.fromkeys(each.note for each in maps))
    if len(notes) > 1:
        return "the planes are not the same for all runs"
    if notes[0] and not one_plane(maps):
        return f"{notes[0]}; each run's training rows have a plane of their own"
    return notes[0]


def about_trouble(scored: Scored) -> str:
    found = troubles(scored.rows)
    return f"; {found}" if found else ""
