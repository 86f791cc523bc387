"""How runs are named in figures: by the values that distinguish them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from exp.runs.collection import Row
from exp.runs.config_values import Scalar, written


def short(keys: Sequence[str]) -> dict[str, str]:
    """Key path -> its last part where that is unique, else the path."""
    ends = Counter(key.rpartition(".")[2] for key in keys)
    return {
        key: last if ends[last := key.rpartition(".")[2]] == 1 and last != "name" else key
        for key in keys
    }


def caption(parameters: Mapping[str, Scalar], names: Mapping[str, str]) -> str:
    """Values as on a command line: `optimizer=adam, lr=0.1`.

    Args:
        names: key -> how it is shown, in this order; other keys are left out.
    """
    return ", ".join(f"{name}={brief(parameters.get(key))}" for key, name in names.items())


def brief(value: Scalar) -> str:
    """A value as on a command line, a long number in four digits."""
    text = written(value)
    return f"{value:.4g}" if isinstance(value, float) and len(text) > 7 else text


def problems(rows: Sequence[Row]) -> str:
    """The number of runs that are not done, by status: `2 diverged, 1 failed`; may be empty."""
    counts = Counter(row.status for row in rows if row.status != "done")
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
