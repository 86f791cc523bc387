"""No logger: what `logger=none` names."""

from __future__ import annotations

from exp.registry.registry import register


@register.logger("none")
def none() -> None:
    """No logger."""
