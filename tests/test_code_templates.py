"""The plain PyTorch script that the page of `exp play` writes is that of `exp code`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from browser import chromium
from exp.cli.code import planned
from exp.engine import Job
from exp.play.payload import settings
from exp.play.script_texts import script_texts
from exp.runs.code import of_job
from exp.sweeps.from_python import composer

WORDS = (
    "",
    "model.activation=tanh_from_exp model.hidden=[8,8,8] optimizer=adam",
    "optimizer=adam optimizer.beta1=0.8 optimizer.eps=1e-7 optimizer.amsgrad=true optimizer.lr=1",
    "model.dropout=0.2 trainer.batch_size=32 loss.l1=0.001 loss.l2=0.01 trainer.clip_norm=1",
    "dataset=blobs loss=cross_entropy loss.label_smoothing=0.1",
    "loss=focal loss.alpha=0.3 dataset.positive=0",
    "dataset=spirals optimizer=rprop activation=leaky_relu",
    "model=linear loss=hinge features=playground features.use=[x,y,x2,y2,xy,sin_x,sin_y]",
    "features=playground features.use=[x2,xy] loss=tanh_mse optimizer=nadam",
    "model.init=uniform model.init_scale=0.3 model.init_bias=0.1 optimizer.momentum=0.9",
    "optimizer.momentum=0.9 optimizer.classical=true dataset=circles dataset.noise=0.2",
    "optimizer=lion optimizer.weight_decay=0.1 dataset=xor seeds.init=7 seeds.shuffle=8",
    "loss=mse dataset=playground_spiral model.hidden=[] optimizer=rmsprop trainer.epochs=300",
)

BY_HAND = "dataset=csv dataset.path=points.csv dataset.target=label split.column=part"
POINTS = "x1,x2,label,part\n" + "".join(
    f"{row / 7},{row % 3},{'abc'[row % 3]},{'test' if row > 8 else 'train'}\n" for row in range(12)
)


def job_of(words: str) -> Job:
    with composer(["figures=none", *words.split()], quiet=True) as (hydra, args):
        return Job.of(planned(hydra, args))


def seen(job: Job, command: str) -> dict[str, Any]:
    """What the page shows if it starts from this config."""
    features, optimizer = job.plan["features"], job.plan["optimizer"]
    return {
        **settings(job.plan, job),
        "terms": features.params["use"] if features.name == "playground" else None,
        "optimizer": {"name": optimizer.name, **optimizer.declared},
        "epochs": job.plan.trainer.epochs,
        "classes": list(job.data.data.classes),
        "positive": job.data.positive,
        "features": list(job.data.features),
        "parts": list(job.data.split.parts),
        "command": command,
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


def test_the_page_writes_the_script_of_exp_code(browser: Any, in_tmp: Path) -> None:
    source = (files("exp.play") / "assets" / "python-script.js").read_text("utf-8")
    texts = json.dumps(script_texts(job_of("").plan))
    assert len(texts) < 150_000  # bytes of the page
    page = browser.new_page()
    (in_tmp / "points.csv").write_text(POINTS)
    for words in (*WORDS, BY_HAND, f"{BY_HAND} features=playground features.use=[x2,y]"):
        job, overrides = job_of(words), words.split()
        shown = seen(job, shlex.join(["exp", *overrides]))
        if "csv" in words:
            shown["dataset"] = "points"
        given = json.dumps(shown)
        made = f"{source}; new PythonScript({texts}, {given}).text"
        assert page.evaluate(f"eval({json.dumps(made)})") == of_job(job, overrides)
