"""Code of users and other packages, imported and called: its errors are shown with its lines."""

from __future__ import annotations

import os
import random
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from exp.util.errors import CustomCodeError, ExpError, lines

Result = TypeVar("Result")
OURS = str(Path(__file__).resolve().parents[1])


class PluginError(ExpError):
    """A module of components cannot be imported: shows its error and its lines."""


def imported(what: str, work: Callable[[], Result]) -> Result:
    """The result of `work`, an import.

    Args:
        what: what is imported, and who named it, for the message.

    Raises:
        PluginError: whatever the imported code raises, `sys.exit` included.
    """
    try:
        return work()
    except (Exception, SystemExit) as error:
        shown = users_traceback(error).splitlines()
        raise PluginError(lines(f"{what} cannot be imported", *shown)) from error


@contextmanager
def calling(who: str) -> Iterator[None]:
    """A context in which code of a user runs.

    Args:
        who: kind and name of the component, such as `dataset rings`.

    Raises:
        CustomCodeError: whatever it raises, `sys.exit` included. Errors of exp, and of too little
            memory, pass through.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        if passed_on(error):
            raise
        raise failed(who, error) from error


def passed_on(error: BaseException) -> bool:
    """Whether an error says by itself what to do: one of exp, or too little memory."""
    return isinstance(error, (ExpError, MemoryError)) or "out of memory" in str(error)


def failed(who: str, error: BaseException) -> CustomCodeError:
    """The error that is shown for an exception in the code of a user."""
    if isinstance(error, SystemExit):
        what = f"called sys.exit({'' if error.code is None else repr(error.code)})"
    else:
        what = f"raised {''.join(traceback.format_exception_only(error)).strip()}"
    return CustomCodeError(lines(*f"{who} {what}".splitlines(), *lines_of(error).splitlines()))


def lines_of(error: BaseException) -> str:
    """The lines of the user's code that led to an error; the last ones of a library if there are
    none."""
    found = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame in found if is_users(frame.filename)]
    if not frames:
        frames = [frame for frame in found if not of_machinery(frame.filename)][-2:]
    return "".join(traceback.format_list(frames)).rstrip()


@contextmanager
def seeded(number: int) -> Iterator[None]:
    """A context in which the global generators of Python, NumPy and torch start from a seed, and
    after which they are restored: code that draws from them is repeatable."""
    before = states()
    random.seed(number)
    for name, library in (("numpy", "random"), ("torch", "default_generator")):
        if name in sys.modules:
            generator = getattr(sys.modules[name], library)
            (generator.seed if name == "numpy" else generator.manual_seed)(number)
    try:
        yield
    finally:
        restore(before)


def states() -> dict[str, Any]:
    """The states of the global generators, of the libraries that are imported."""
    found: dict[str, Any] = {"Python's random": random.getstate()}
    if "numpy" in sys.modules:
        found["numpy.random"] = sys.modules["numpy"].random.get_state()
    if "torch" in sys.modules:
        found["torch"] = sys.modules["torch"].default_generator.get_state()
    return found


def restore(before: Mapping[str, Any]) -> None:
    """Restores the states of the global generators."""
    random.setstate(before["Python's random"])
    if "numpy.random" in before:
        sys.modules["numpy"].random.set_state(before["numpy.random"])
    if "torch" in before:
        sys.modules["torch"].default_generator.set_state(before["torch"])


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The generators that were used or seeded between two `states`."""
    return [name for name, state in before.items() if not same_state(state, after[name])]


def same_state(one: Any, other: Any) -> bool:
    if hasattr(one, "equal"):  # a tensor: its repr shows only a part
        return bool(one.equal(other))
    return repr(one) == repr(other)


@lru_cache
def libraries() -> tuple[str, ...]:
    """The folders of Python and of installed packages."""
    paths = sysconfig.get_paths()
    keys = ("stdlib", "platstdlib", "purelib", "platlib")
    places = {str(Path(paths[key]).resolve()) for key in keys}
    return tuple(f"{place}{os.sep}" for place in places)


def is_users(file: str) -> bool:
    """Whether a file of code is the user's: not one of exp, Python or an installed package."""
    if file.startswith("<") or of_machinery(file):
        return file.startswith(("<ipython", "<stdin", "<string"))
    where = f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}"
    resolved = str(Path(file).resolve())
    return not resolved.startswith(libraries()) and not any(part in resolved for part in where)


def users_traceback(error: BaseException) -> str:
    """The traceback of an error without the frames of exp and of Python's import system."""
    found = traceback.TracebackException.from_exception(error)
    found.stack[:] = [frame for frame in found.stack if not of_machinery(frame.filename)]
    return "".join(found.format()).rstrip()


def of_machinery(file: str) -> bool:
    inside = file.startswith("<frozen importlib") or file.endswith("importlib/__init__.py")
    return inside or file.startswith(f"{OURS}/") or "importlib/metadata/" in file
