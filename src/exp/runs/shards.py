"""What is missing of a sweep in shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from exp.util.statuses import UNFINISHED
from exp.util.terminal import one_line


def missing(path: Path, content: Mapping[str, Any], statuses: Sequence[str]) -> list[str]:
    """Lines on shards that have not started or are not finished; none of a sweep without shards.

    Args:
        path: the directory of the sweep.
        content: its manifest.
        statuses: of its runs, in the order of the manifest.
    """
    parts = content.get("shards", [])
    if not parts:
        return []
    of, sizes = parts[0]["of"], parts[0]["sizes"]
    started = {part["number"] for part in parts}
    waiting = [number for number in range(1, of + 1) if number not in started]
    waiting = [number for number in waiting if sizes[number - 1]]
    left = Counter(
        run["shard"]
        for run, status in zip(content["runs"], statuses, strict=True)
        if status in UNFINISHED
    )
    lines = []
    name = one_line(path.name)
    if waiting:
        runs = sum(sizes[number - 1] for number in waiting)
        lines.append(
            f"{name}: {len(waiting)} of {of} shards have not started ({ranges(waiting)}); "
            f"their {runs} runs are missing here."
        )
    if left:
        lines.append(
            f"{name}: {len(left)} of {of} shards are not finished ({ranges(sorted(left))}); "
            f"{left.total()} of their runs have no result yet."
        )
    return lines


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers in short: `1-3, 7`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][-1] == number - 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ", ".join("-".join(map(str, span)) for span in spans)
