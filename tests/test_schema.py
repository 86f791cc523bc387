"""`exp schema`: JSON Schema that accepts every config of exp, and refuses what exp refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from hydra.version import setbase
from jsonschema import Draft202012Validator

from commands import inside
from conftest import DEFAULTS
from custom_modules import forgotten
from exp.cli.schema_command import schema
from exp.config.compose import compose, resolved, resolvers
from exp.config.plan import GROUPS, plan
from exp.registry.registry import register
from exp.sweeps.hydra_setup import create, flags
from exp.util.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = sorted((ROOT / "conf").glob("*/*.yaml"))


@pytest.fixture(scope="module")
def whole() -> Draft202012Validator:
    found = schema()
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found)


def composed(*words: str) -> dict[str, Any]:
    """The resolved config of a command line."""
    setbase("1.3")
    resolvers()
    try:
        loader = create(flags().parse_args([])).config_loader
        config, faults = compose(loader, "config", list(words), RunMode.RUN)
        assert faults == []
        return resolved(config, [])
    finally:
        GlobalHydra.instance().clear()


@pytest.mark.parametrize("path", OPTIONS, ids=lambda path: f"{path.parent.name}={path.stem}")
def test_every_composition_of_a_packaged_option_is_valid(
    path: Path, whole: Draft202012Validator
) -> None:
    group = {"activation": "model.activation"}.get(path.parent.name, path.parent.name)
    words = [f"{group}={path.stem}"]
    if path.stem in ("csv", "parquet", "npz"):
        words.append("dataset.path=some.file")
    if path.stem in ("csv", "parquet"):
        words.append("dataset.target=label")
    config = composed(*words)
    assert [error.message for error in whole.iter_errors(config)] == []


@pytest.mark.parametrize("path", OPTIONS, ids=lambda path: f"{path.parent.name}={path.stem}")
def test_every_file_is_valid_as_it_is_written(path: Path, whole: Draft202012Validator) -> None:
    group, content = path.parent.name, yaml.safe_load(path.read_text())
    valid = whole if group == "experiment" else Draft202012Validator(schema(group))
    assert [error.message for error in valid.iter_errors(content)] == []


def test_the_primary_config_is_valid_as_it_is_written(whole: Draft202012Validator) -> None:
    content = yaml.safe_load((ROOT / "conf/config.yaml").read_text())
    assert [error.message for error in whole.iter_errors(content)] == []


CHANGES: dict[str, Mapping[str, Any]] = {
    "an unknown key": {"sed": 1},
    "an unknown name": {"dataset": {"name": "moonz"}},
    "an unknown parameter": {"dataset": {"name": "moons", "nose": 0.1}},
    "a parameter of another": {"dataset": {"name": "moons", "factor": 0.5}},
    "a value out of range": {"dataset": {"name": "moons", "noise": -1}},
    "a value that is not below 1": {"optimizer": {"name": "sgd", "momentum": 1}},
    "a text for a number": {"optimizer": {"name": "sgd", "lr": "fast"}},
    "a fraction for a count": {"trainer": {"name": "standard", "epochs": 2.5}},
    "a truth for a number": {"seed": True},
    "a negative seed": {"seed": -1},
    "an unknown activation": {"model": {"name": "mlp", "activation": "relo"}},
    "a nested parameter": {"model": {"name": "mlp", "activation": {"name": "elu", "alpha": 0}}},
    "an unknown choice": {"figures": {"name": "standard", "theme": "blue"}},
    "too many layers": {"model": {"name": "mlp", "hidden": [4] * 65}},
    "a module that is none": {"plugins": ["no module"]},
    "an unknown setting of a sweep": {"sweep": {"n_job": 2}},
    "an unknown seed": {"seeds": {"date": 1}},
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_exp_refuses_is_refused(change: str, whole: Draft202012Validator) -> None:
    config = {group: {"name": option} for group, option in DEFAULTS.items()} | {"seed": 1}
    plan(config)
    assert whole.is_valid(config)
    wrong = {**config, **CHANGES[change]}
    with pytest.raises(ConfigError):
        plan(wrong)
    assert not whole.is_valid(wrong)


def test_it_tells_what_parameters_are_with_defaults_and_ranges() -> None:
    found = schema()
    noise = found["$defs"]["dataset.moons"]["properties"]["noise"]
    assert noise["description"].startswith("standard deviation of the Gaussian noise")
    assert noise["default"] == 0.03
    assert noise["anyOf"][0] == {"type": "number", "minimum": 0, "maximum": 3e38}
    # Said by the class that it inherits from.
    dpi = found["$defs"]["figures.all"]["properties"]["dpi"]
    assert dpi["description"] == "pixels per inch of PNG files."
    names = found["$defs"]["optimizer"]["properties"]["name"]["enum"]
    assert names == register.kinds["optimizer"].names()
    assert list(found["properties"])[-len(GROUPS) :] == list(GROUPS)


def test_the_command_writes_it_the_same_each_time(in_tmp: Path) -> None:
    printed = inside(in_tmp, "schema").out
    ended = inside(in_tmp, "schema", "--output", "exp.schema.json")
    assert ended.out == "exp.schema.json: JSON Schema of the config\n"
    assert (in_tmp / "exp.schema.json").read_text() == printed
    assert json.loads(printed)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert inside(in_tmp, "schema", "--output", "exp.schema.json").code == 0


def test_it_overwrites_nothing_else(in_tmp: Path) -> None:
    (in_tmp / "notes.json").write_text("{}\n")
    ended = inside(in_tmp, "schema", "--output", "notes.json")
    told = "notes.json exists and is not a JSON Schema written by exp: it is not overwritten"
    assert ended.err == f"exp: exp schema: {told}\n"
    assert (in_tmp / "notes.json").read_text() == "{}\n"
    assert inside(in_tmp, "schema", "--output", "no/where.json").code == 2
    ended = inside(in_tmp, "schema", "--group", "optimiser")
    assert ended.err.startswith(
        "exp: exp schema: unknown group 'optimiser'. Did you mean 'optimizer'?"
    )


def test_components_of_ones_own_are_in_it(in_tmp: Path) -> None:
    inside(in_tmp, "new", "dataset", "spots")
    with forgotten("spots"):
        ended = inside(in_tmp, "schema", "--group", "dataset", "--plugins", "spots")
    valid = Draft202012Validator(json.loads(ended.out))
    content = yaml.safe_load((in_tmp / "conf/dataset/spots.yaml").read_text())
    assert valid.is_valid(content)
    assert not valid.is_valid({**content, "noise": -1})
