"""Section 3 of a script: what the training minimizes, and how."""

from __future__ import annotations

from exp.script import loss_section, optimizer_section, schedule_section
from exp.script.section import Recipe, Section


def section(recipe: Recipe) -> Section:
    """Leaves `loss_function`, `optimizer`, and `scheduler` unless the rate is constant."""
    out = Section().add("# 3. The loss and the optimizer.")
    for make in (loss_section.section, optimizer_section.section, schedule_section.section):
        out.join(make(recipe))
    return out
