"""Interpolations, bounded: `b: ${a}${a}`, `c: ${b}${b}` and so on never comes to an end.

OmegaConf has no such bound, so what it looks up is counted while a config is resolved.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from omegaconf import Container, ValueNode
from omegaconf.errors import InterpolationResolutionError

LOOKUPS = 10_000
CHARACTERS = 10_000_000


class _Left:
    lookups: int | None = None
    characters = 0
    exceeded = False


_original = Container._resolve_node_interpolation


def _counted(self: Any, *args: Any, **kwargs: Any) -> Any:
    if _Left.lookups is None:
        return _original(self, *args, **kwargs)
    _Left.lookups -= 1
    found = _original(self, *args, **kwargs)
    _Left.characters -= len(str(found)) if isinstance(found, ValueNode) else 0
    if _Left.lookups < 0 or _Left.characters < 0:
        _Left.exceeded = True
        raise InterpolationResolutionError(
            f"its interpolations expand to more than {LOOKUPS:,} values or "
            f"{CHARACTERS:,} characters"
        )
    return found


# A private name: OmegaConf calls nothing that is public for each interpolation.
setattr(Container, "_resolve_node_interpolation", _counted)  # noqa: B010 - mypy knows a method


@contextmanager
def bounded() -> Iterator[None]:
    """Within this, resolving a config that goes beyond the bounds is an error of OmegaConf's."""
    before = _Left.lookups, _Left.characters
    if before[0] is None:
        _Left.lookups, _Left.characters, _Left.exceeded = LOOKUPS, CHARACTERS, False
    try:
        yield
    finally:
        _Left.lookups, _Left.characters = before


def exceeded() -> bool:
    """Whether a value has gone beyond the bounds since the outermost `bounded` began."""
    return _Left.exceeded
