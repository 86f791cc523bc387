"""Weights & Biases: a run for each run, grouped by sweep, through its client."""

from __future__ import annotations

import netrc
import os
import shutil
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from exp.registry.registry import register
from exp.runs.loggers.finished_run import EvaluatedEpoch, FinishedRun, FinishedSweep, StartedRun
from exp.runs.loggers.logger import Logger, Text

SERVER = "https://api.wandb.ai"
DONE, LAST = "done", "last_epoch"
"""Files of exp beside those of wandb: the digest of the run that was logged, and the last epoch
that was logged while it trained."""


@register.logger("wandb")
@dataclass(kw_only=True)
class WandB(Logger):
    """Metrics, config, tags, figures and files in Weights & Biases, with a group for each sweep.

    Attributes:
        project: made if it is not there.
        entity: user or team; null: the one of the key.
        mode: online, offline; auto: as WANDB_MODE of the environment says, else online where
            there is a key, in WANDB_API_KEY or .netrc, else offline: `wandb sync` sends it later.
        dir: where its folder wandb/ is made.
        files: whether the files of the run's directory are sent; else only its figures.
    """

    project: Text = "exp"
    entity: Text | None = None
    mode: Literal["auto", "online", "offline"] = "auto"
    dir: Text = "."
    files: bool = True

    NEEDS = "wandb"

    def begin(self, sweep: FinishedSweep | None) -> None:
        # Reports of its own errors would be sent to its makers.
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        self.sweep = sweep
        import wandb  # optional

        self.wandb: Any = wandb
        self.training: dict[Path, Any] = {}
        Path(self.dir).mkdir(parents=True, exist_ok=True)

    @property
    def way(self) -> str:
        """`mode`, decided."""
        if self.mode != "auto":
            return self.mode
        return os.environ.get("WANDB_MODE") or ("online" if has_key() else "offline")

    def folders(self, run: StartedRun) -> list[Path]:
        """The folders of wandb in which a run was logged; a run that was resumed has several."""
        return sorted(Path(self.dir).glob(f"wandb/*run-*-{run.identity}"))

    def opened(self, run: StartedRun) -> Any:
        """The run in wandb, new or continued."""
        known = {key: run.tags[key] for key in run.tags.keys() - {"seed"}}
        return self.wandb.init(
            project=self.project,
            entity=self.entity,
            id=run.identity,
            name=run.name[:128],
            group=self.sweep.name[:128] if self.sweep else None,
            tags=[run.status],
            config={**run.config, "run": known},
            mode=self.way,
            # wandb itself says that it continues no run offline; its folders are sent in order.
            resume="allow" if self.way == "online" else None,
            # Absolute: wandb's own process stays where it was started.
            dir=str(Path(self.dir).absolute()),
            reinit="create_new",
            settings=self.wandb.Settings(
                silent=True, console="off", save_code=False, disable_git=True,
                disable_job_creation=True, x_disable_meta=True, x_disable_stats=True,
                x_save_requirements=False,
                # Offline only this machine is waited for, which may be busy.
                init_timeout=30 if self.way == "online" else 300,
            ),
        )  # fmt: skip

    def last(self, run: StartedRun) -> int:
        """The last epoch that was logged of a run that has not ended; -1: none."""
        found = [folder / LAST for folder in self.folders(run)]
        return max((int(path.read_text()) for path in found if path.exists()), default=-1)

    def start(self, run: StartedRun) -> int:
        last = self.last(run) if run.resumed else -1
        self.training[run.path] = self.opened(run)
        return last

    def epochs(self, run: StartedRun, rows: Sequence[EvaluatedEpoch]) -> None:
        made = self.training[run.path]
        for row in rows:
            made.log({"epoch": row.epoch, **row.values, "_timestamp": row.time}, step=row.epoch)
        folder(made).joinpath(LAST).write_text(str(rows[-1].epoch))

    def log(self, run: FinishedRun) -> bool:
        done = [folder / DONE for folder in self.folders(run)]
        if any(path.exists() and path.read_text() == run.digest for path in done):
            return False
        last = self.last(run)
        made = self.training.pop(run.path, None) or self.opened(run)
        for row in run.evaluated(after=last):
            made.log({"epoch": row.epoch, **row.values, "_timestamp": row.time}, step=row.epoch)
        if run.figures:
            # The row of the last epoch is open until another begins.
            pictures = {f"figures/{n}": self.wandb.Image(str(p)) for n, p in run.figures.items()}
            made.log(pictures, step=run.last)
        made.summary.update(run.scores)
        made.config.update({"run": dict(run.tags)}, allow_val_change=True)
        for name, path in run.files.items():
            if self.files or name.startswith("figures/"):
                # A copy: what it would link to may be gone by the time of `wandb sync`.
                copy = Path(made.dir) / "run" / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
                made.save(str(copy), base_path=made.dir, policy="now", glob=False)
        self.close(made, run)
        folder(made).joinpath(DONE).write_text(run.digest)
        return True

    def stopped(self, run: FinishedRun | FinishedSweep) -> bool:
        if isinstance(run, FinishedSweep):
            return True
        made = self.training.pop(run.path, None)
        if made is None:  # its process is gone, which wandb sees by itself
            return bool(self.folders(run))
        self.close(made, run)
        return True

    def close(self, made: Any, run: FinishedRun) -> None:
        made.tags = (run.status,)
        made.finish(exit_code=0 if run.status == "done" else 1)

    @property
    def look(self) -> str:
        if self.way != "offline":
            return f"{os.environ.get('WANDB_BASE_URL', SERVER)}, project {self.project}"
        return f"wandb sync {Path(self.dir) / 'wandb'}/offline-run-*"


def folder(made: Any) -> Path:
    """The folder of a run of wandb."""
    return Path(made.dir).parent


def has_key() -> bool:
    """Whether wandb would find a key, without asking anybody for it."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urllib.parse.urlsplit(os.environ.get("WANDB_BASE_URL", SERVER)).hostname
    try:
        return (
            host is not None
            and netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None
        )
    except (OSError, netrc.NetrcParseError):
        return False
