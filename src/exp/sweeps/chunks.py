"""The runs of a sweep in chunks that train together, enough of them for every worker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exp.sweeps.planner import Planned, Runs

MIXED = -1


def seconds_of(runs: Sequence[Planned], found: Runs) -> float:
    """Roughly how many seconds runs take if one process does them all."""
    return sum(found.stacks[run.stack].seconds for run in runs)


def chunks(
    runs: Sequence[Planned], found: Runs, *, workers: int, most: int | None
) -> Iterator[list[Planned]]:
    """The runs in pieces that train together.

    Args:
        workers: how many there are.
        most: the user's own limit, instead of what fits the cache.
    """
    stacks: dict[tuple[int, int | None], list[Planned]] = {}
    for run in runs:  # those that go on stack where they go on after the same epoch
        kind = MIXED if found.stacks[run.stack].mixes else run.stack
        stacks.setdefault((kind, found.going_on.get(run.number)), []).append(run)
    broken_off = sum(epoch is not None for _, epoch in stacks)
    for (_, epoch), members in stacks.items():
        info = found.stacks[members[0].stack]
        limit = 1 if info.alone else (most or info.size)
        # Stacks that were broken off are enough for all workers where there was one for each.
        among = 1 if epoch is not None and broken_off >= workers else workers
        share = -(-len(members) // among)
        pieces = max(1, -(-len(members) // min(limit, share)))
        # As many for each worker, and of like size: the last would otherwise be waited for.
        pieces = min(len(members), -(-pieces // among) * among)
        size = -(-len(members) // pieces)
        for start in range(0, len(members), size):
            yield members[start : start + size]
