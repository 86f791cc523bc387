"""What today's config files make of an old command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from hydra.version import setbase

from exp.config.compose import compose, resolved, resolvers
from exp.config.plan import plan
from exp.sweeps.hydra_setup import create, flags
from exp.util.errors import ExpError, Fault


def composed(words: list[str]) -> dict[str, Any] | None:
    """The resolved config, every default written out; None where it is not valid any more."""
    return _composed(words, lambda config, faults: plan(config, faults).stored)


def option_values(words: list[str]) -> dict[str, Any] | None:
    """The same as the option files have it, which takes no torch: nothing is validated, and what
    only a signature has as a default is missing."""
    return _composed(words, lambda config, faults: None if faults else config)


def _composed(
    words: list[str], finish: Callable[[dict[str, Any], list[Fault]], dict[str, Any] | None]
) -> dict[str, Any] | None:
    setbase("1.3")
    resolvers()
    setup_globals()
    try:
        hydra = create(flags().parse_args([]))
        config, faults = compose(hydra.config_loader, "config", words, RunMode.RUN)
        return finish(resolved(config, faults), faults)
    except ExpError:
        return None
    finally:
        GlobalHydra.instance().clear()
