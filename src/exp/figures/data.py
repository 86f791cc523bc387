"""The data: every split's rows in one panel."""

from __future__ import annotations

from matplotlib.figure import Figure

from exp.figures import rows
from exp.figures.panel import Panel
from exp.figures.picture import TEST, TRAIN, VALIDATION, Picture
from exp.figures.sheet import Sheet
from exp.figures.ticks import linear

_SPLITS = ((TRAIN, "train, filled"), (VALIDATION, "validation, pale"), (TEST, "test, hollow"))


def figure(picture: Picture) -> Figure:
    """Train rows filled, validation rows pale, test rows hollow."""
    sheet = Sheet(picture, panels=[4.6], height=4.1, note=picture.note)
    theme, total = sheet.theme, len(picture.labels)
    limits = rows.window(picture)
    remark = f"{total:,} rows, {len(picture.classes)} classes"
    panel = Panel(sheet, 0, limits, "data", remark)
    panel.ticks(linear(*limits[:2]), linear(*limits[2:]), grid=True)
    panel.labels(*picture.axes)
    shown = 0
    for split, _ in _SPLITS:
        rows.scatter(panel, picture, split)
        shown += len(rows.drawn(picture, split))
    if shown < total:
        panel.corner(f"{shown:,} of {total:,} rows drawn")
    if not total:
        panel.empty("no rows")

    y = rows.legend(sheet, picture, top=sheet.top - 0.09, floor=sheet.bottom + 0.8) - 0.12
    for split, name in _SPLITS:
        count = int((picture.split == split).sum())
        if count or split != VALIDATION:
            fill = {TRAIN: theme.muted, VALIDATION: theme.faint, TEST: theme.page}[split]
            sheet.line(
                [sheet.key + 0.06], [y], linestyle="none", marker="o", markersize=6.2,
                markerfacecolor=fill, markeredgecolor=theme.muted, markeredgewidth=1.2,
            )  # fmt: skip
            sheet.text(sheet.key + 0.19, y - 0.044, f"{name}: {count:,}", colour=theme.muted)
            y -= 0.215
    return sheet.figure
