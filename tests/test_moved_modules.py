"""Components of users import modules under the names that they had: those work, with a warning."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from commands import SMALL, inside, process
from exp.components.losses.loss import Loss
from exp.components.losses.loss_choice import loss_for
from exp.components.losses.regression_losses import SquaredError
from exp.registry.component import Chosen, Component
from exp.registry.registry import register
from exp.util.moved_modules import MOVED

OLD = """
from exp import register
from exp.check import failures
from exp.components.numbers import NumberLoss
from exp.components.parameters import Parameters
from exp.data import Data
from exp.errors import ConfigError
from exp.loggers.logger import Logger
from exp.schema import NonNegative, Rows


@register.dataset("old")
def old(seed: int, *, n_samples: Rows = 40, noise: NonNegative = 0.1) -> Data:
    "Two points."
    y = [row % 2 for row in range(n_samples)]
    return Data.checked([[float(each)] for each in y], y, classes=["a", "b"])
"""


@pytest.mark.parametrize("name", MOVED)
def test_it_is_the_same_module_and_the_warning_names_the_new_one(name: str) -> None:
    sys.modules.pop(name, None)
    with pytest.warns(DeprecationWarning, match=f"{name} is now {MOVED[name]}$") as warned:
        found = importlib.import_module(name)
    assert found is importlib.import_module(MOVED[name])
    assert found.__name__ == MOVED[name]
    assert len(warned) >= 1


def test_the_warning_is_about_the_line_of_the_user(in_tmp: Path) -> None:
    (in_tmp / "mine.py").write_text("\nfrom exp.errors import ExpError\n")
    done = subprocess.run(
        [sys.executable, "mine.py"], cwd=in_tmp, capture_output=True, text=True, check=True
    )
    assert "mine.py:2: DeprecationWarning: exp.errors is now exp.util.errors\n" in done.stderr


def test_a_component_with_old_imports_trains(in_tmp: Path) -> None:
    (in_tmp / "old_imports.py").write_text(OLD)
    ended = process(in_tmp, "plugins=[old_imports]", "dataset=old", *SMALL)
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.filterwarnings("ignore:exp.loggers is now")
def test_what_never_was_is_not_found(in_tmp: Path) -> None:
    for name in ("exp.nowhere", "exp.loggers.nothing"):
        with pytest.raises(ModuleNotFoundError, match=r"nothing|nowhere"):
            importlib.import_module(name)
    assert inside(in_tmp, "list", "--plugins", "exp.nowhere").code == 2


def test_the_old_name_of_the_regression_form_of_a_loss_works() -> None:
    class Old(Loss):
        numbers = SquaredError

    chosen = Chosen(Component(register.kinds["loss"], "old", Old), {})
    assert loss_for(chosen, ()).component.builder is SquaredError


def test_the_old_name_of_metrics_of_numbers_works() -> None:
    metrics = register.kinds["metric"].components
    try:
        register.metric("old", higher_is_better=False, numbers=True)(lambda y, z: 0.0)
        assert metrics["old"].builder.regression
    finally:
        metrics.pop("old", None)
