"""Weights & Biases: a run for each run, grouped by sweep, through its client."""

from __future__ import annotations

import netrc
import os
import shutil
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from exp.registry.registry import register
from exp.runs.loggers.finished_run import FinishedRun, FinishedSweep
from exp.runs.loggers.logger import Logger, Text

SERVER = "https://api.wandb.ai"


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
        Path(self.dir).mkdir(parents=True, exist_ok=True)

    @property
    def way(self) -> str:
        """`mode`, decided."""
        if self.mode != "auto":
            return self.mode
        return os.environ.get("WANDB_MODE") or ("online" if has_key() else "offline")

    def log(self, run: FinishedRun) -> bool:
        identity = run.digest[:16]
        if list(Path(self.dir).glob(f"wandb/*run-*-{identity}/done")):
            return False
        import wandb  # optional

        known = {key: run.tags[key] for key in run.tags.keys() - {"seed"}}
        with wandb.init(
            project=self.project,
            entity=self.entity,
            id=identity,
            name=run.name[:128],
            group=self.sweep.name[:128] if self.sweep else None,
            tags=[run.status],
            config={**run.config, "run": known},
            mode=self.way,  # type: ignore[arg-type]
            # Absolute: wandb's own process stays where it was started.
            dir=str(Path(self.dir).absolute()),
            reinit="create_new",
            settings=wandb.Settings(
                silent=True, console="off", save_code=False, disable_git=True,
                disable_job_creation=True, x_disable_meta=True, x_disable_stats=True,
                x_save_requirements=False,
                # Offline only this machine is waited for, which may be busy.
                init_timeout=30 if self.way == "online" else 300,
            ),
        ) as made:  # fmt: skip
            folder = Path(made.dir).parent
            for epoch, values in steps(run, wandb.Image):
                made.log(values, step=epoch)
            made.summary.update(run.scores)
            for name, path in run.files.items():
                if self.files or name.startswith("figures/"):
                    # A copy: what it would link to may be gone by the time of `wandb sync`.
                    copy = Path(made.dir) / "run" / name
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, copy)
                    made.save(str(copy), base_path=made.dir, policy="now", glob=False)
            made.finish(exit_code=0 if run.status == "done" else 1)
        (folder / "done").touch()
        return True

    @property
    def look(self) -> str:
        if self.way != "offline":
            return f"{os.environ.get('WANDB_BASE_URL', SERVER)}, project {self.project}"
        return f"wandb sync {Path(self.dir) / 'wandb'}/offline-run-*"


def steps(run: FinishedRun, image: Callable[[str], Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Epoch and values of each row, the figures with the last.

    Args:
        image: makes of a path what wandb shows.
    """
    figures = {f"figures/{name}": image(str(path)) for name, path in run.figures.items()}
    for epoch, values in run.rows:
        whole: dict[str, Any] = {"epoch": epoch, **values}
        yield epoch, {**whole, **figures} if epoch == run.last else whole
    if not run.rows and figures:
        yield 0, figures


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
