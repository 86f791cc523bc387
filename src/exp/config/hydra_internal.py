"""What exp uses of Hydra's private modules: all of it is named here, each with its reason, and
counted in docs/architecture.md.

`hydra-core<1.5` in pyproject.toml bounds the versions that these names have to hold for.
"""

from __future__ import annotations

# Hydra has no other way to call callbacks of a config around a run.
from hydra._internal.callbacks import Callbacks

# To look at a config before Hydra uses it, and to leave out what a preset gives to an option that
# was replaced (`_compose_config_from_defaults_list`).
from hydra._internal.config_loader_impl import ConfigLoaderImpl

# To check files before they are parsed, and to add registered components as options.
from hydra._internal.config_repository import ConfigRepository

# To let a preset choose a launcher or sweeper although the primary config names one.
from hydra._internal.defaults_list import Overrides

# The functions of the override grammar, of which exp mends some (exp.config.grammar).
from hydra._internal.grammar import grammar_functions

# Hydra's flags, as hydra.main has them.
from hydra._internal.utils import get_args_parser

__all__ = [
    "Callbacks",
    "ConfigLoaderImpl",
    "ConfigRepository",
    "Overrides",
    "get_args_parser",
    "grammar_functions",
]
