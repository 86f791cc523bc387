"""Which keys vary among configs."""

from __future__ import annotations

from collections.abc import Sequence

from exp.runs.config_values import Scalar

_ABSENT = object()


def varying(configs: Sequence[dict[str, Scalar]]) -> list[str]:
    """The keys that are not the same in all configs, in the order of the configs.

    Of components of different names only the names count, with those parameters that vary among
    components of one name. A seed that always equals `seed` is left out, and so is what cannot
    change a result.

    Args:
        configs: flat, as `config_values.leaves` makes them.
    """
    found = []
    for key in dict.fromkeys(key for config in configs for key in config):
        if presentation(key) or key.endswith(".name"):
            continue
        if key.startswith("seeds.") and all(c.get(key) == c.get("seed") for c in configs):
            continue
        owners = [owner for owner in above(key) if any(f"{owner}.name" in c for c in configs)]
        values: dict[tuple[object, ...], set[object]] = {}
        for config in configs:
            value = config.get(key, _ABSENT)
            names = tuple(config.get(owner) for owner in owners)
            # With the type, as 1 == True in Python.
            values.setdefault(names, set()).add((type(value) is bool, value))
        if any(len(some) > 1 for some in values.values()):
            found.append(key)
    return found


def above(key: str) -> list[str]:
    """The groups that contain a key: `a` and `a.b` of `a.b.c`."""
    parts = key.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def presentation(key: str) -> bool:
    """Whether a key cannot change a result."""
    from exp.config.plan import PRESENTATION  # with pydantic: a single sweep does not need it

    if key.startswith("trainer.prune"):
        return True  # a run within the limit has the same bits as without
    group, _, rest = key.partition(".")
    inner = PRESENTATION.get(group)
    return inner is not None and (inner == () or rest in inner)
