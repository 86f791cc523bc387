"""A trained model as one safetensors file: its weights, and all else that its answers need.

The metadata hold JSON: the parts of the config that the model is built from, and the preparation
of its rows. No pickle is written or read. Nothing of a file is executed: a model whose code is not
part of exp needs trust, as a run does.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field
from safetensors import safe_open

from exp.components.models.initial_weights import KEYS
from exp.config import plugins
from exp.config.plan import Plan, plan
from exp.engine import Job
from exp.engine.result import Predictor
from exp.runs.checkpoint import Expected, load, numbers_of, packed, raise_unlike
from exp.runs.file_schemas import fault_of
from exp.runs.stored_plan import plugins_of
from exp.runs.trained.load_model import job_without_rows
from exp.runs.trained.preparation import Part, Preparation
from exp.util.errors import ConfigError, DamagedError, ExpError
from exp.util.packages import installed

NAME = "model.safetensors"
REST = {
    "dataset": "moons", "split": "holdout", "features": "none", "optimizer": "sgd",
    "scheduler": "none", "trainer": "standard", "figures": "none",
}  # fmt: skip
"""Groups of a config that a model which has learned does not use."""


class ModelFile(Part):
    """What the metadata say.

    Attributes:
        format: of the file.
        exp: the version that has written it.
        name: of the run.
        config: what the model is built from: groups, seeds and plugins.
        components: where custom components come from, as run.json has it.
        preparation: of its rows, as `Preparation` has it.
    """

    format: Literal[1]
    exp: str
    name: str
    config: dict[str, Any]
    preparation: dict[str, Any]
    components: dict[str, Any] = Field(default_factory=dict)


def content(job: Job, predictor: Predictor, preparation: Preparation) -> bytes:
    """The bytes of the file of a model.

    Args:
        job: that the model was built for.
        predictor: the model with its weights.
        preparation: of its rows.
    """
    chosen = job.plan
    custom = preparation.mapping is not None and preparation.mapping.values is None
    groups = ("model", "loss", *(("features",) if custom else ()))
    dtype = str(job.device.dtype).removeprefix("torch.")
    config = {
        **{group: without_draws(chosen.config[group]) for group in groups},
        "device": {"name": "cpu", "dtype": dtype},
        "seed": chosen.seed,
        "seeds": {"init": chosen.seeds.init},
    }
    if origins := origins_of(chosen, groups):
        config["plugins"] = plugins_of(chosen.config)
    described = ModelFile(
        format=1,
        exp=installed("exp") or "",
        name=chosen.name,
        config=config,
        preparation=preparation.content,
        components=origins,
    )
    return packed(predictor.model.state(0), described.model_dump())


def model_of(path: Path, *, trust: bool) -> tuple[Job, Predictor, Preparation]:
    """The model in a file; the data of its job have no rows.

    Args:
        trust: whether the modules that it names may be imported.

    Raises:
        DamagedError: it is no file of a model, or it is corrupted.
        ExpError: its model needs modules that would be imported, or that have changed.
    """
    try:
        found = numbers_of(path)
        if "format" not in found:
            raise ValueError(
                "it contains weights only. exp export RUN --to safetensors writes a whole model"
            )
        if found["format"] != 1:
            raise ValueError("it needs a newer version of exp")
        if fault := fault_of(ModelFile, found):
            raise ValueError(fault)
        described = ModelFile.model_validate(found)
        preparation = Preparation.parsed(described.preparation)
    except OSError as error:
        raise ExpError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise DamagedError(f"{path} is not a model file of exp: {error}") from error
    chosen = plan_of(path, described, trust=trust)
    try:
        job = job_without_rows(chosen, preparation)
        fits(path, job)
        predictor = Predictor(job, None)
        tensors, _ = load(path, Expected(predictor.model.state(0)))
    except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise DamagedError(f"{path} is corrupted: {error}") from error
    predictor.model.load(0, tensors)
    return job, predictor, preparation


def plan_of(path: Path, described: ModelFile, *, trust: bool) -> Plan:
    """The plan of the model in a file.

    Raises:
        ExpError: it needs modules that would be imported, or that have changed, or its config is
            not valid.
    """
    config = described.config
    names = plugins_of(config)
    if names and not trust:
        raise ExpError(
            f"{path} needs modules that would be imported: {', '.join(names)}. If you trust "
            "whoever made the model, add --trust (in Python: trust=True)"
        )
    plugins.import_all(names)
    try:
        config = {**REST, "name": described.name, **config}
        # Else a stranger could have much drawn.
        found = plan({**config, "model": without_draws(config.get("model"))})
    except ConfigError as error:
        raise DamagedError(f"{path} is not a model file of exp: {error}") from error
    origins = origins_of(found, [group for group in config if group in found.chosen])
    if origins != described.components:
        changed = ", ".join(sorted({*origins, *described.components}))
        raise ExpError(f"{path} cannot be used: its components have changed since: {changed}")
    return found


def without_draws(value: Any) -> Any:
    """A part of a config without the parameters that only change the first weights of the models
    in it."""
    if isinstance(value, list):
        return [without_draws(item) for item in value]
    if not isinstance(value, dict):
        return value
    drawn = KEYS if value.get("name") in ("linear", "mlp") else ()
    return {key: without_draws(item) for key, item in value.items() if key not in drawn}


def origins_of(chosen: Plan, groups: Iterable[str]) -> dict[str, dict[str, str]]:
    """Where the custom components among those groups come from."""
    return plugins.origins([chosen[group] for group in groups])


def fits(path: Path, job: Job) -> None:
    """Compares the tensors of a file with those of its model, before room is made for them.

    Raises:
        ValueError: they are others.
    """
    model = job.plan["model"]
    if not model.packaged:
        return
    with safe_open(path, "np") as file:
        if sum(each.get("copies", 1) for each in model.params.get("members", ())) > len(
            file.keys()
        ):
            raise ValueError("it has fewer tensors than networks")
        with torch.device("meta"):
            module = model.build(job.data.inputs, job.outputs).to(job.device.dtype)
        raise_unlike(file, Expected(module.state_dict()))
