"""Settings as keywords of `exp.run` and `exp.sweep`: each value arrives as it was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import exp
from commands import inside
from exp import register
from exp.data.dataset import Data
from exp.util.errors import ConfigError, ExpError

QUICK: dict[str, Any] = {
    "figures": "none", "progress": False, "trainer": {"epochs": 1}, "model": {"hidden": []}
}  # fmt: skip
SPECIAL = "\\'\"${}[],:=()#~ .1\n\t"
TEXTS = st.text(
    st.sampled_from(SPECIAL) | st.characters(exclude_categories=["Cs", "Cc"]), max_size=12
).filter(lambda text: text != "???")
WORDS = st.sampled_from(["null", "true", "1e5", "a,b", "${seed}", r"\${seed}", "range(0,3)", "a'"])
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXTS | WORDS
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
arrived: list[dict[str, Any]] = []


@pytest.fixture(scope="module", autouse=True)
def _keeps_what_arrives() -> None:
    def arriving(
        seed: int,
        *,
        anything: Any = 0,
        text: str = "",
        number: float = 0.0,
        texts: list[str] = [],  # noqa: B006
    ) -> Data:
        """Two rows."""
        arrived.append({"anything": anything, "text": text, "number": number, "texts": texts})
        X = np.array([[0.0, 0.0], [1.0, 1.0]] * 5)
        return Data.checked(X, np.array([0, 1] * 5), classes=["a", "b"])

    register.dataset("arriving")(arriving)


def same(found: Any, wanted: Any) -> bool:
    """Equal, and of the same types all the way down: True is not 1."""
    if isinstance(wanted, dict):
        return all(same(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    return type(found) is type(wanted) and repr(found) == repr(wanted)


@settings(
    max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    st.fixed_dictionaries({
        "anything": SCALARS | NUMBERS | st.lists(SCALARS | NUMBERS, max_size=8),
        "text": TEXTS | WORDS,
        "number": NUMBERS,
        "texts": st.lists(TEXTS | WORDS, max_size=8),
    })
)  # fmt: skip
def test_values_arrive_as_they_are(in_tmp: Path, values: dict[str, Any]) -> None:
    arrived.clear()
    run = exp.run(dataset={"name": "arriving", **values}, **QUICK)
    assert same(arrived[0], values), arrived[0]
    assert same(run.config["dataset"], values)  # as it was stored


def test_a_sweep_tries_each_value_of_a_list(in_tmp: Path) -> None:
    found = exp.sweep(
        "trainer.epochs=1", "figures=none",
        seed=range(2), model={"hidden": [[3], [2, 2]]}, name=["a"], progress=False,
        optimizer={"name": np.array(["sgd", "adam"]), "lr": [np.float64(1e-3)]},
        sweep={"n_jobs": 1, "zip": ["seed", "model.hidden"]},
    )  # fmt: skip
    tried = [
        (run.config["seed"], run.config["model"]["hidden"], run.config["optimizer"]["name"])
        for run in found
    ]
    assert sorted(tried) == [
        (0, [3], "adam"), (0, [3], "sgd"), (1, [2, 2], "adam"), (1, [2, 2], "sgd")
    ]  # fmt: skip
    assert {run.config["optimizer"]["lr"] for run in found} == {0.001}


def test_words_and_keywords_are_one_command_line(in_tmp: Path) -> None:
    """The command in run.json repeats it, and keywords have the last word."""
    run = exp.run(
        "optimizer.lr=0.5", ["trainer.epochs=2"], dataset="moons", figures="none", progress=False,
        **{"optimizer.lr": 0.25, "split.standardize": True},
    )  # fmt: skip
    assert run.record["command"][3:] == [
        "optimizer.lr=0.5", "trainer.epochs=2", "dataset=moons", "figures=none",
        "optimizer.lr=0.25", "split.standardize=true",
    ]  # fmt: skip
    assert run.config["optimizer"]["lr"] == 0.25
    ended = inside(in_tmp, *run.record["command"][3:], "hydra.run.dir=again")
    assert ended.code == 0, ended.err
    assert (in_tmp / "again/metrics.csv").read_bytes() == (run.path / "metrics.csv").read_bytes()


@pytest.mark.parametrize(
    ("call", "key", "says"),
    [
        (lambda: exp.run(datset="moons"), "datset", "Did you mean dataset=moons?"),
        (lambda: exp.run(seed=[1, 2]), "seed", "exp.sweep takes lists of values to try"),
        (lambda: exp.sweep(model={"hidden": [8, 8]}), "model.hidden", "write [[8, 8]]"),
        (lambda: exp.sweep(seed=[]), "seed", "no value to try"),
        (lambda: exp.run(name="???"), "name", "means a missing value"),
        (lambda: exp.run(optimizer={"lr": 1j}), "optimizer.lr", "of type complex"),
        (lambda: exp.run(dataset={"kwargs": {"a": [{"b c": 1}]}}), "dataset.kwargs", "'b c'"),
    ],
)
def test_what_cannot_be_a_setting(in_tmp: Path, call: Any, key: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        call()
    assert key in [fault.path for fault in error.value.faults]
    assert says in str(error.value)
    assert not list(in_tmp.iterdir())


def test_a_table_is_no_setting(in_tmp: Path) -> None:
    with pytest.raises(ConfigError, match=r"exp\.fit\(table, 'column'\) trains on one"):
        exp.run(dataset=pd.DataFrame({"a": [1]}))
    with pytest.raises(ExpError, match="expected overrides such as 'optimizer=adam'"):
        exp.run({"optimizer": "adam"})  # type: ignore[arg-type]
