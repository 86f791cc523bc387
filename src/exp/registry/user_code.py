"""Code that is not exp's, imported and called: an error inside it is shown with its own lines."""

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

from exp.util.errors import ExpError, OwnCodeError, lines

Result = TypeVar("Result")
OURS = str(Path(__file__).resolve().parents[1])


class PluginError(ExpError):
    """A module of components cannot be imported: its own error, with its own frames."""


def imported(what: str, work: Callable[[], Result]) -> Result:
    """What `work`, an import, gives.

    Args:
        what: is imported, and who named it.

    Raises:
        PluginError: whatever the code of others raises, `sys.exit` included.
    """
    try:
        return work()
    except (Exception, SystemExit) as error:
        shown = own_traceback(error).splitlines()
        raise PluginError(lines(f"{what} cannot be imported", *shown)) from error


@contextmanager
def calling(who: str) -> Iterator[None]:
    """Within this, code of a user's runs.

    Args:
        who: kind and name of the component, such as `dataset rings`.

    Raises:
        OwnCodeError: for whatever it raises, `sys.exit` included. Errors of exp, and too little
            memory, stay what they are.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        if passed_on(error):
            raise
        raise failed(who, error) from error


def passed_on(error: BaseException) -> bool:
    """Whether an error says by itself what to do: one of exp's own, or a lack of memory."""
    return isinstance(error, (ExpError, MemoryError)) or "out of memory" in str(error)


def failed(who: str, error: BaseException) -> OwnCodeError:
    """The error that is shown for one in a user's code."""
    if isinstance(error, SystemExit):
        what = f"called sys.exit({'' if error.code is None else repr(error.code)})"
    else:
        what = f"raised {''.join(traceback.format_exception_only(error)).strip()}"
    return OwnCodeError(lines(*f"{who} {what}".splitlines(), *lines_of(error).splitlines()))


def lines_of(error: BaseException) -> str:
    """The lines of a user's code on the way to an error; the last ones of a library where there
    are none."""
    found = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame in found if is_own(frame.filename)]
    if not frames:
        frames = [frame for frame in found if not of_machinery(frame.filename)][-2:]
    return "".join(traceback.format_list(frames)).rstrip()


@contextmanager
def seeded(number: int) -> Iterator[None]:
    """Within this, the global generators of Python, NumPy and torch start from a seed; then they
    are what they were. So code that draws from them gives the same for the same seed."""
    before = states()
    random.seed(number)
    for name, library in (("numpy", "random"), ("torch", "default_generator")):
        if name in sys.modules:
            generator = getattr(sys.modules[name], library)
            (generator.seed if name == "numpy" else generator.manual_seed)(number)
    try:
        yield
    finally:
        put_back(before)


def states() -> dict[str, Any]:
    """The states of the global generators, of the libraries that are imported."""
    found: dict[str, Any] = {"Python's random": random.getstate()}
    if "numpy" in sys.modules:
        found["numpy.random"] = sys.modules["numpy"].random.get_state()
    if "torch" in sys.modules:
        found["torch"] = sys.modules["torch"].default_generator.get_state()
    return found


def put_back(before: Mapping[str, Any]) -> None:
    """Brings the global generators back to what they were."""
    random.setstate(before["Python's random"])
    if "numpy.random" in before:
        sys.modules["numpy"].random.set_state(before["numpy.random"])
    if "torch" in before:
        sys.modules["torch"].default_generator.set_state(before["torch"])


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The generators that have been drawn from, or seeded, between two `states`."""
    return [name for name, state in before.items() if not same_state(state, after[name])]


def same_state(one: Any, other: Any) -> bool:
    if hasattr(one, "equal"):  # a tensor, of which the text shows a part
        return bool(one.equal(other))
    return repr(one) == repr(other)


@lru_cache
def libraries() -> tuple[str, ...]:
    """Where Python and installed packages lie."""
    paths = sysconfig.get_paths()
    keys = ("stdlib", "platstdlib", "purelib", "platlib")
    places = {str(Path(paths[key]).resolve()) for key in keys}
    return tuple(f"{place}{os.sep}" for place in places)


def is_own(file: str) -> bool:
    """Whether a file of Python code is a user's: neither exp's, nor Python's, nor a package's."""
    if file.startswith("<") or of_machinery(file):
        return file.startswith(("<ipython", "<stdin", "<string"))
    where = f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}"
    resolved = str(Path(file).resolve())
    return not resolved.startswith(libraries()) and not any(part in resolved for part in where)


def own_traceback(error: BaseException) -> str:
    """The traceback of an error without the frames of exp and of Python's import system."""
    told = traceback.TracebackException.from_exception(error)
    told.stack[:] = [frame for frame in told.stack if not of_machinery(frame.filename)]
    return "".join(told.format()).rstrip()


def of_machinery(file: str) -> bool:
    inside = file.startswith("<frozen importlib") or file.endswith("importlib/__init__.py")
    return inside or file.startswith(f"{OURS}/") or "importlib/metadata/" in file
