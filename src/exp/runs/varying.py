"""What differs among configs, in as few keys as say it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from exp.runs.config_values import Scalar

_ABSENT = object()


def varying(configs: Sequence[dict[str, Scalar]]) -> list[str]:
    """The keys that are not the same in all configs, in the order of the configs.

    Of a component that differs by name only the name is told, and those of its parameters that
    differ among configs of one name. A seed that is `seed` everywhere is not told beside it, nor is
    what cannot change a result.

    Args:
        configs: as `values.leaves` gives them.
    """
    found = []
    for key in dict.fromkeys(key for config in configs for key in config):
        if presentation(key) or key.endswith(".name"):
            continue
        if key.startswith("seeds.") and all(c.get(key) == c.get("seed") for c in configs):
            continue
        # A type beside each: 1 and true are equal to Python.
        values = [(type(value := config.get(key, _ABSENT)) is bool, value) for config in configs]
        if len(set(values)) == 1:
            continue
        owners = [owner for owner in above(key) if any(f"{owner}.name" in c for c in configs)]
        seen: dict[tuple[object, ...], set[object]] = {}
        for config, value in zip(configs, values, strict=True):
            seen.setdefault(tuple(config.get(owner) for owner in owners), set()).add(value)
        if any(len(some) > 1 for some in seen.values()):
            found.append(key)
    return found


def above(key: str) -> list[str]:
    """The groups that a key lies in: `a` and `a.b` of `a.b.c`."""
    parts = key.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def presentation(key: str) -> bool:
    """Whether a key cannot change a result."""
    if key.startswith("trainer.prune"):
        return True  # a run that met no limit has the bits it would have had without
    group, _, rest = key.partition(".")
    inner = presented().get(group)
    return inner is not None and (inner == () or rest in inner)


@lru_cache(maxsize=1)
def presented() -> dict[str, tuple[str, ...]]:
    from exp.config.schema import PRESENTATION  # pydantic comes with it: a sweep's table needs none

    return dict(PRESENTATION)
