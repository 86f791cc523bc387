"""What today's config files make of an old command line."""

from __future__ import annotations

from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from hydra.version import setbase

from exp.config.compose import compose, resolved, resolvers
from exp.config.plan import plan
from exp.sweeps.hydra_setup import create, flags
from exp.util.errors import ExpError


def composed(words: list[str]) -> dict[str, Any] | None:
    """The resolved config, every default written out; None where it is not valid any more."""
    setbase("1.3")
    resolvers()
    setup_globals()
    try:
        hydra = create(flags().parse_args([]))
        config, faults = compose(hydra.config_loader, "config", words, RunMode.RUN)
        return plan(resolved(config, faults), faults).stored
    except ExpError:
        return None
    finally:
        GlobalHydra.instance().clear()
