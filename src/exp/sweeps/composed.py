"""The composed config of one run, and the files of its .hydra folder."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

from exp.sweeps.grid import Words
from exp.util.serialize import yaml_text

TASK, DIRNAME, ID, NUMBER, OUTPUT = MARKS = tuple(
    f"exp-{secrets.token_hex(8)}-{name}" for name in ("task", "dirname", "id", "number", "output")
)
"""Stand in the text of hydra.yaml for what differs from run to run."""


@dataclass(frozen=True)
class Composed:
    """The config of one run.

    Attributes:
        plain: resolved values by top-level key, Hydra's own node left out.
        subdir: of the run, within the sweep's directory.
        texts: the content of .hydra/config.yaml, in pieces that runs share.
        hydra: the content of .hydra/hydra.yaml, with the placeholders of this module.
        dirname: Hydra's override_dirname.
    """

    plain: dict[str, Any]
    subdir: str
    texts: tuple[str, ...]
    hydra: str
    dirname: str


def hydra_files(
    texts: tuple[str, ...], template: str, words: Words, *, number: int, dirname: str, output: str
) -> dict[str, str]:
    """The files of a run's .hydra folder, by name."""
    values = dict(zip(MARKS, (list(words), dirname, str(number), number, output), strict=True))
    filled = re.sub(
        "|".join(MARKS), lambda mark: json.dumps(values[mark[0]], ensure_ascii=False), template
    )
    overrides = yaml_text(list(words))
    return {"config.yaml": "".join(texts), "hydra.yaml": filled, "overrides.yaml": overrides}
