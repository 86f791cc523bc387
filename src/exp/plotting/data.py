"""The data: every split's rows in one panel."""

from __future__ import annotations

from exp.plotting import fit, rows
from exp.plotting.panel import Panel, beside
from exp.plotting.picture import TEST, TRAIN, VALIDATION, Picture
from exp.plotting.sheet import Sheet
from exp.plotting.ticks import linear

_SIDE = 4.1  # inches, as in the boundary's panels: rows lie at the same places
_SPLITS = ((TRAIN, "train, filled"), (VALIDATION, "validation, pale"), (TEST, "test, hollow"))


def sheet(picture: Picture) -> Sheet:
    """Train rows filled, validation rows pale, test rows hollow."""
    if picture.numeric:
        return fit.data_sheet(picture)
    limits = rows.window(picture)
    across, up = linear(*limits[:2], room=_SIDE), linear(*limits[2:])
    aside = beside(up)
    page = Sheet(picture, panels=[_SIDE], height=_SIDE, left=aside + 0.24, note=picture.note)
    theme, total = page.theme, len(picture.labels)
    remark = f"{total:,} rows, {len(picture.classes)} classes"
    panel = Panel(page, 0, limits, "data", remark)
    panel.ticks(across, up, grid=True)
    panel.labels(*picture.axes, beside=aside)
    shown = 0
    for split, _ in _SPLITS:
        rows.scatter(panel, picture, split)
        shown += len(rows.drawn(picture, split))
    if shown < total:
        panel.corner(f"{shown:,} of {total:,} rows drawn")
    if not total:
        panel.empty("no rows")

    y = rows.legend(page, picture, top=page.top - 0.09, floor=page.bottom + 0.8) - 0.12
    for split, name in _SPLITS:
        count = int((picture.split == split).sum())
        if count or split != VALIDATION:
            fill = {TRAIN: theme.muted, VALIDATION: theme.faint, TEST: theme.page}[split]
            page.marker(
                page.key + 0.06, y, shape="o", size=6.2, fill=fill, edge=theme.muted, thickness=1.2
            )
            page.text(page.key + 0.19, y - 0.044, f"{name}: {count:,}", colour=theme.muted)
            y -= 0.215
    return page
