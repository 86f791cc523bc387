"""How two runs differ: in their configs, their machines and their results."""

from __future__ import annotations

import math
from typing import Any

from exp.runs.collection import part
from exp.runs.config_values import flat
from exp.runs.record import RunRecord
from exp.util.errors import DamagedError, RunDirectoryError
from exp.util.terminal import one_line

RECORDED = ("preparation.json", "frames.npz", "norms.csv")
"""Files that not every run leaves: only if its figures want them, or if its version of exp did."""
RESULTS = (
    "metrics.csv", "summary.json", "predictions.csv", "checkpoints/", "figures/", *RECORDED,
)  # fmt: skip
"""Files that hold what came out, by how their names begin; the most informative first."""
TOLERANCE = 1e-4
"""Of losses and accuracies, relative to the larger where that is more than 1."""
AGREED = "bit-identical", "equal within tolerance", "different"


def unlike(one: Any, other: Any) -> list[tuple[str, Any, Any]]:
    """Key paths where two nested mappings differ, with both values; None for a missing one."""
    left, right = dict(flat(one)), dict(flat(other))
    keys = dict.fromkeys([*left, *right])
    return [(k, left.get(k), right.get(k)) for k in keys if left.get(k) != right.get(k)]


def surroundings(record: dict[str, Any]) -> dict[str, Any]:
    """What the bits of a run depend on besides its config."""
    code = part(record, "git")
    found = {key: record.get(key) for key in ("versions", "device")}
    if record.get("components"):
        found["components"] = record["components"]
    return {**found, "git": {key: code.get(key) for key in ("commit", "diff_sha256")}}


def results(run: RunRecord) -> dict[str, str]:
    """Name -> sha256, of the files as they are, of what came out."""
    found = run.directory.digests()
    return {name: digest for name, digest in found.items() if name.startswith(RESULTS)}


def changed_files(one: RunRecord, other: RunRecord) -> list[str]:
    """Names of result files that are not the same in both, the most informative first.
    Files that only one of them was configured to record do not count."""
    left, right = results(one), results(other)
    shared = {**left, **right}.keys() - (set(RECORDED) - (left.keys() & right.keys()))
    names = [name for name in shared if left.get(name) != right.get(name)]
    return sorted(names, key=lambda name: (rank(name), name))


def rank(name: str) -> int:
    return next(i for i, start in enumerate(RESULTS) if name.startswith(start))


def metrics_differ(one: RunRecord, other: RunRecord) -> tuple[str | None, float]:
    """Where metrics.csv differs first, and the largest difference of all.

    Returns:
        A sentence, or None where the tables are the same; the difference is infinite where they
        cannot be compared.
    """
    try:
        left, right = one.history_texts(), other.history_texts()
    except DamagedError as error:
        return str(error), math.inf
    except RunDirectoryError:
        return "metrics.csv is not in both", math.inf
    counts = len(left["epoch"]), len(right["epoch"])
    if counts[0] != counts[1]:
        return f"metrics.csv has {counts[0]} rows and {counts[1]}", math.inf
    if left.keys() != right.keys():
        only = ", ".join(name for name in [*left, *right] if not (name in left and name in right))
        return f"columns in only one metrics.csv: {one_line(only)}", math.inf
    first, largest = None, 0.0
    for at, epoch in enumerate(left["epoch"]):
        for column, texts in left.items():
            a, b = texts[at], right[column][at]
            if a != b:
                first = first or one_line(
                    f"first in metrics.csv at epoch {epoch}, {column}: {a} and {b}"
                )
                largest = max(largest, distance(a, b))
    return first, largest


def distance(one: str, other: str) -> float:
    """Between two numbers as text, relative to the larger where that is more than 1."""
    if not (one and other):
        return math.inf
    a, b = float(one), float(other)
    if math.isnan(a) and math.isnan(b):
        return 0.0
    found = abs(a - b) / max(1.0, abs(a), abs(b))
    return math.inf if math.isnan(found) else found


def verdict(one: RunRecord, other: RunRecord) -> tuple[str, list[str]]:
    """Whether two runs came out the same, and the lines that say where not."""
    files = changed_files(one, other)
    if not files:
        return AGREED[0], []
    first, largest = metrics_differ(one, other)
    lines = [first] if first else []
    names = one_line(", ".join(files[:8]))
    lines.append(f"not the same bytes: {names}" + (", ..." if len(files) > 8 else ""))
    # The same metrics with other weights, say, are no rounding: something was changed.
    close = first is not None and largest <= TOLERANCE
    if close:
        lines.append(f"metrics differ by at most {largest:.2g}")
    return AGREED[1] if close else AGREED[2], lines
