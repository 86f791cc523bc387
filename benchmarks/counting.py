"""Counts the seconds that named functions take."""

from __future__ import annotations

import functools
import importlib
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any


def counted(
    functions: Iterable[tuple[str, str]],
    spent: Counter[str],
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Has every function, given as module and path, add its seconds; a call inside another counts
    once."""
    inside = [False]

    def wrap(name: str, function: Any) -> Any:
        @functools.wraps(function)
        def timed(*args: Any, **more: Any) -> Any:
            if inside[0]:
                return function(*args, **more)
            inside[0] = True
            begun = clock()
            try:
                return function(*args, **more)
            finally:
                spent[name] += clock() - begun
                inside[0] = False

        return timed

    for module, path in functions:
        owner = importlib.import_module(module)
        *above, name = path.split(".")
        for part in above:
            owner = getattr(owner, part)
        setattr(owner, name, wrap(path, getattr(owner, name)))
