"""Quick composing gives what Hydra gives, for every run of any sweep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hydra._internal.hydra import Hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from hydra.version import setbase
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from exp.config.compose import compose, resolved, resolvers
from exp.sweeps.composer import Composer, SharedConfig, hydra_files
from exp.sweeps.grid import parsed
from exp.sweeps.hydra_setup import create, flags
from exp.util.errors import ConfigError

VALUES = (
    "seed=1", "seed=7", "seeds.init=3", "++seeds.data=${seed}", "optimizer.lr=0.5", "name=mine",
    "optimizer.lr=${seeds.split}", "model.hidden=[4]", "model.hidden=[]", "trainer.epochs=3",
    "optimizer.momentum=0.9", "dataset.noise=0", "dataset={noise: 0.5}", "figures.dpi=50",
    "trainer.batch_size=null", "split.stratify=true", "+extra=1", "~split.stratify", "sed=1",
    "optimizer=3", "name=${nowhere}", "name=${hydra:job.num}", "model.activation.name=tanh",
    "++trainer.epochs=5", "dataset.path='a b=c,d'",
)  # fmt: skip
CHOICES = (
    "dataset=moons", "dataset=spirals", "optimizer=adam", "activation=leaky_relu", "model=linear",
    "experiment=blog_spirals", "loss=hinge", "optimizer=adm",
)  # fmt: skip
Words = tuple[str, ...]


@pytest.fixture(scope="module")
def hydra() -> Iterator[Hydra]:
    setbase("1.3")
    resolvers()
    setup_globals()
    made = create(flags().parse_args([]))
    yield made
    GlobalHydra.instance().clear()


def plainly(hydra: Hydra, master: Any, words: Words) -> Any:
    """What Hydra makes of a run, or None where it makes nothing."""
    try:
        config = hydra.config_loader.load_sweep_config(master, list(words))
        config.hydra.job.num = 0
        from hydra.core.hydra_config import HydraConfig

        HydraConfig.instance().cfg = config
        return resolved(config, [])
    except Exception:
        return None


words = st.tuples(
    st.lists(st.sampled_from(CHOICES), max_size=2, unique_by=lambda w: w.split("=")[0]),
    st.lists(st.sampled_from(VALUES), max_size=4, unique_by=lambda w: w.split("=")[0]),
).map(lambda parts: (*parts[0], *parts[1]))


@settings(max_examples=5, deadline=None, derandomize=True)
@given(runs=st.lists(words, min_size=1, max_size=4))
@example(runs=[("dataset.noise=0", "dataset={noise: 0.5}"), ("dataset.noise=0", "seed=1")])
@example(runs=[("seed=1", "seeds.init=3"), ("seeds.init=3", "seed=7"), ("seeds.init=3",)])
@example(
    runs=[("optimizer.lr=0.5", "seed=1"), ("optimizer.lr=0.5", "seeds.data=${seed}", "seed=7")]
)
@example(runs=[("name=${hydra:job.num}", "seed=1"), ("seed=1", "name=mine")])
def test_like_hydra(hydra: Hydra, runs: list[Words]) -> None:
    master, _ = compose(hydra.config_loader, "config", [], RunMode.MULTIRUN)
    composer = Composer(hydra.config_loader, master)
    # The same number for all, as a run may name it; and each run twice, as values that were met
    # before are not composed again.
    for _, given_words, composed in composer.all([(0, run) for run in [*runs, *runs]]):
        expected = plainly(hydra, master, given_words)
        if expected is None:
            assert isinstance(composed, ConfigError), given_words
        else:
            assert not isinstance(composed, ConfigError), (given_words, composed)
            assert composed.plain == expected, given_words
            written = OmegaConf.create(composed.written)
            config = hydra.config_loader.load_sweep_config(master, list(given_words))
            for key in written:
                assert written._get_node(key) == config._get_node(key), (given_words, key)


def test_the_files_of_hydra_s_folder(hydra: Hydra) -> None:
    master, _ = compose(hydra.config_loader, "config", [], RunMode.MULTIRUN)
    run = ("optimizer=adam", "seed=3", "name='a: \"b\"'")
    ((_, _, composed),) = Composer(hydra.config_loader, master).all([(5, run)])
    assert not isinstance(composed, ConfigError)
    files = hydra_files(
        composed.written, composed.hydra, run, number=5, dirname=composed.dirname, output="/a 'b'"
    )
    config = hydra.config_loader.load_sweep_config(master, list(run))
    saved = OmegaConf.create(files["config.yaml"])
    expected = OmegaConf.to_container(config, resolve=False, enum_to_str=True)
    assert isinstance(expected, dict)
    node = expected.pop("hydra")
    assert OmegaConf.to_container(saved, resolve=False) == expected
    ours = OmegaConf.to_container(OmegaConf.create(files["hydra.yaml"]), resolve=False)["hydra"]  # type: ignore[call-overload,index]
    assert ours["overrides"]["task"] == list(run)
    assert ours["job"].pop("num") == 5
    assert ours["job"].pop("id") == "5"
    assert ours["runtime"].pop("output_dir") == "/a 'b'"
    node["mode"] = "MULTIRUN"
    for name in ("num", "id"):
        node["job"].pop(name)
    node["runtime"].pop("output_dir")
    assert ours == node


def test_a_folder_with_an_odd_name(hydra: Hydra) -> None:
    master, _ = compose(hydra.config_loader, "config", [], RunMode.MULTIRUN)
    run = ("seed=3", "name=exp-sweep-n")
    ((_, _, composed),) = Composer(hydra.config_loader, master).all([(5, run)])
    assert not isinstance(composed, ConfigError)
    place = "/home/exp-sweep-notes/exp-sweep-id"
    files = hydra_files(
        composed.written, composed.hydra, run, number=5, dirname=composed.dirname, output=place
    )
    node = OmegaConf.to_container(OmegaConf.create(files["hydra.yaml"]), resolve=False)["hydra"]  # type: ignore[call-overload,index]
    assert node["runtime"]["output_dir"] == place
    assert node["overrides"]["task"] == list(run)


def test_a_conf_that_reads_hydra_s_own_node(hydra: Hydra) -> None:
    apart = "hydra.job.config.override_dirname.exclude_keys=[name]"
    master, _ = compose(hydra.config_loader, "config", [apart], RunMode.MULTIRUN)
    words = ("name=r-${hydra.job.override_dirname}",)
    shared = SharedConfig(hydra.config_loader, master, words)
    for word in ("seed=1", "seed=2"):
        assert shared.composed(0, (word,), [parsed(word)]).plain["name"] == f"r-{word}"
