"""What `sweep.shard=3/20` does: one part of a sweep, as a task of a job array.

Every shard plans the whole sweep and deals the runs in the same way. It trains only those that it
gets, so that shards need not talk to each other.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from exp.config.settings import OF_THE_SWEEP
from exp.config.unresolved import unresolved
from exp.sweeps import runs_table
from exp.sweeps.chunks import chunks, seconds_of
from exp.sweeps.grid import Words
from exp.sweeps.hydra_task import swept
from exp.sweeps.planner import Planned, Runs
from exp.sweeps.progress import interrupted
from exp.sweeps.shard_directory import ShardDirectory, digest
from exp.sweeps.sweep_directory import SweepDirectory
from exp.sweeps.sweeper import Sweep
from exp.util.errors import Fault
from exp.util.terminal import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_plugins.exp_sweeps.grid_sweeper import GridSweeper

MOVING = re.compile(r"\$\{(now|exp\.id)\b")
"""What gives each process another directory."""


class ShardedSweep(Sweep):
    """One shard of a sweep.

    Args:
        sweeper: set up by Hydra.
    """

    directory: ShardDirectory

    def __init__(self, sweeper: GridSweeper) -> None:
        super().__init__(sweeper)
        number, _, of = str(self.settings.shard).partition("/")
        self.number, self.parts = int(number), int(of)
        self.words: list[str] = []
        self.part: dict[str, Any] = {}
        if self.number > self.parts:
            wanted = f"expected a shard from 1/{of} to {of}/{of}, found {self.settings.shard}"
            self.faults.append(Fault("sweep.shard", wanted))
        if self.settings.backend == "submitit":
            what = "is for job arrays; sweep.backend=submitit submits jobs by itself"
            self.faults.append(Fault("sweep.shard", what))
        if sweeper.task_function is not swept:
            self.faults.append(Fault("sweep.shard", "divides runs of exp only"))
        key, text = "sweep.dir", written(self.config, "sweep.dir")
        if text is None:
            key, text = "hydra.sweep.dir", written(self.config, "hydra.sweep.dir")
        if MOVING.search(str(text)):
            what = f"{key}={text} is another directory for each shard: add sweep.dir=DIR"
            self.faults.append(Fault("sweep.shard", what))

    def expanded(self, words: list[str]) -> list[Words]:
        own = [
            word for word in words if re.split(r"[.=]", word.lstrip("+~"))[0] not in OF_THE_SWEEP
        ]
        self.words = own
        return super().expanded(words)

    def directory_at(self, path: Path) -> SweepDirectory:
        return ShardDirectory(path, self.number, self.parts)

    def check(self, found: Runs) -> None:
        """Keeps the runs of this shard.

        Raises:
            RunDirectoryError: the other shards in the directory belong to another sweep.
        """
        super().check(found)
        whole = found.planned
        hands = dealt(found, self.parts)
        self.part = {
            "number": self.number,
            "of": self.parts,
            "sizes": [len(hand) for hand in hands],
            "words": self.words,
            "runs": digest([[run.number, run.subdir, run.signature] for run in whole]),
            "dealt": digest([[run.number for run in hand] for hand in hands]),
        }
        found.planned = hands[self.number - 1]
        self.directory.compare(self.part)
        count = f"{len(found.planned)} of {len(whole)} runs"
        print(f"shard {self.number} of {self.parts}: {count}", flush=True)

    def save(self) -> None:
        """Writes the manifest, and looks once more at the shards that have started meanwhile.

        Raises:
            RunDirectoryError: they belong to another sweep.
        """
        first = not self.directory.manifest.is_file()
        super().save()
        try:
            self.directory.compare(self.part)
        except BaseException:
            if first:
                self.directory.manifest.unlink()
            raise

    def more(self) -> dict[str, Any]:
        return {"shard": self.part}

    def closing(self, results: runs_table.Results) -> str:
        where = one_line(shlex.quote(str(self.directory.path)))
        return (
            f"{super().closing(results)}\n"
            f"This is shard {self.number} of {self.parts}. Of all shards: exp sweep status {where} "
            f"shows how far they are, exp results {where} ranks their runs"
        )

    def interrupted(self, statuses: Counter[str]) -> str:
        again = "the same command (exp resume continues all shards, one after the other)"
        return interrupted(statuses, self.directory.path, again)

    def draw(self, runs: Sequence[Planned], directory: SweepDirectory, count: int) -> None:
        """A shard draws no figures of the sweep: it does not have all runs."""


def dealt(found: Runs, shards: int) -> list[list[Planned]]:
    """The runs of each shard.

    Runs that train as one stack stay together, as far as every shard gets a like share of the
    work. Every shard on machines of one kind comes to the same division.
    """
    pieces = list(chunks(found.planned, found, workers=shards, most=None))
    pieces.sort(key=lambda piece: (-seconds_of(piece, found), piece[0].number))
    loads = [0.0] * shards
    hands: list[list[Planned]] = [[] for _ in loads]
    for piece in pieces:  # the largest first, each to the shard that has the least
        least = loads.index(min(loads))
        loads[least] += seconds_of(piece, found)
        hands[least] += piece
    return [sorted(hand, key=lambda run: run.number) for hand in hands]


def written(config: Any, key: str) -> Any:
    """A value of a config as it is written, with its interpolations."""
    folder, _, last = key.rpartition(".")
    return unresolved(OmegaConf.select(config, folder)).get(last)
