"""What can go wrong, in words a person can act on.

Everything a user may run into is an `ExpError`: `exp.cli.main` prints its text and leaves with its
`exit_code`. Any other exception that reaches the top is a bug in exp and keeps its traceback.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from exp.util.terminal import one_line


class Lines(str):
    """A message of several lines, all of which exp has begun: made by `lines`."""

    __slots__ = ()


def lines(*texts: str) -> Lines:
    """A message with each text on a line of its own: a line end within one, as a path of somebody
    else may hold, is shown as `\\n` and begins none."""
    return Lines("\n".join(text if isinstance(text, Lines) else one_line(text) for text in texts))


class ExpError(Exception):
    """Base of every error that is shown as one message without a traceback.

    Args:
        message: one line, in which line ends and control characters are shown as `\\n` and so on;
            or what `lines` gives.
    """

    exit_code = 2

    def __str__(self) -> str:
        # From Python too, where a traceback ends with it: it may hold text of a stranger.
        return lines(self.args[0] if len(self.args) == 1 else super().__str__())


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong with a config: the key path it stands at, and what is wrong there."""

    path: str
    message: str


class ConfigError(ExpError):
    """Every fault of one config, reported together.

    Args:
        faults: at least one; shown sorted by key path, duplicates once.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(set(faults))
        count = len(self.faults)
        heading = "1 fault" if count == 1 else f"{count} faults"
        width = min(max((len(fault.path) for fault in self.faults), default=0), 32)
        listed = (
            Lines(f"  {one_line(fault.path):<{width}}  {lines(fault.message)}")
            for fault in self.faults
        )
        super().__init__(lines(f"{heading} in the config; nothing was started", *listed))


class DataError(ExpError):
    """The rows cannot be used: says which file, row and column where that is known."""


class SplitError(DataError):
    """The rows cannot be split as the config says.

    Args:
        wrong: what is wrong; the message of the error has the key path before it.
        path: the key path of the config.
    """

    def __init__(self, wrong: str, path: str = "split") -> None:
        self.wrong, self.path = wrong, path
        super().__init__(f"{path}: {wrong}")


class ImpossibleError(ExpError):
    """A combination that a component declares impossible, such as `bce` with three classes."""


class ComponentError(ExpError):
    """A custom component broke the contract of its kind."""


class CustomCodeError(ComponentError):
    """An exception inside a component of a user's: its type, its text and the user's lines."""

    exit_code = 1

    def of(self, overrides: Iterable[object]) -> CustomCodeError:
        """The same error, with the overrides of its run."""
        words = " ".join(map(str, overrides))
        return CustomCodeError(lines(str(self), f"The run's overrides: {words or 'none'}"))


class DeviceError(ExpError):
    """The requested device does not exist here."""


class RunDirectoryError(ExpError):
    """A run directory cannot be made, read or written."""


class DamagedError(RunDirectoryError):
    """A file of a run directory is corrupted."""


class Interrupted(KeyboardInterrupt):
    """A signal asked the process to end.

    Args:
        code: the exit code that says which signal it was.
        between: whether training stood between two epochs, where a state can be saved.
    """

    def __init__(self, code: int = 130, *, between: bool = False) -> None:
        super().__init__("interrupted")
        self.code, self.between = code, between


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """` Did you mean 'x'?`, or nothing where no known word is close."""
    close = closest(word, known, cutoff)
    return f" Did you mean {close!r}?" if close is not None else ""


def offer(*words: str) -> str:
    """` Did you mean WORDS?`, quoted for a shell; nothing where a terminal cannot show them."""
    text = shlex.join(words)
    return f" Did you mean {text}?" if text.isprintable() and len(text) <= 200 else ""


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that is another spelling of a word, or else the most similar one.

    Args:
        cutoff: the least similarity, from 0 to 1.
    """
    names = [str(name) for name in known]
    same = next((name for name in names if simple(word) and simple(name) == simple(word)), None)
    if same is not None:
        return same
    for text in (word, word.lower()):
        if close := difflib.get_close_matches(text, names, n=1, cutoff=cutoff):
            return close[0]
    return None


def simple(word: str) -> str:
    """A word without case and punctuation: `AdamW`, `adam_w` and `adam-w` are one."""
    return "".join(character for character in word.lower() if character.isalnum())


def unknown(
    what: str, word: object, known: Sequence[str], allowed: str = "Known", hint: str | None = None
) -> str:
    """The sentence for a name that does not exist: what, the nearest match, all that exist.

    Args:
        hint: in place of the nearest match.
    """
    listing = ", ".join(known) if known else "none"
    hint = nearest(str(word), known) if hint is None else hint
    return f"unknown {what} {shown(word)}.{hint} {allowed}: {listing}"


def shown(value: object, limit: int = 80) -> str:
    """`repr` of a value, printable and cut to `limit` characters."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python turns into text
        text = f"a {type(value).__name__} that is too long to show"
    return text if len(text) <= limit else text[: limit - 3] + "..."
