"""Custom modules of a user, forgotten when a test is done with them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from exp.registry.registry import register


@contextlib.contextmanager
def forgotten(*modules: str) -> Iterator[None]:
    """Brings the registry, the modules and their search path back to what they were."""
    path, before = sys.path[:], set(sys.modules)
    try:
        yield
    finally:
        sys.path[:] = path
        strange = {
            name for name in set(sys.modules) - before if name.startswith(("components_", *modules))
        }
        for name in strange | set(modules):
            sys.modules.pop(name, None)
        for kind in register.kinds.values():
            for name, component in list(kind.components.items()):
                if component.module in strange:
                    del kind.components[name]
