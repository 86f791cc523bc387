"""What is printed: control characters are shown, not sent, and a reader who leaves ends nothing.

A name in a file from somebody else may hold `ESC [ 2 J`, or a character that turns the rest of a
line around. A terminal would obey. So all that exp prints goes through streams that write such
characters as `\\x1b` or `\\u202e`; `streams` puts them in place for a whole command.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

CONTROL = re.compile(
    "(?!\r\n)["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # the direction of text
    "\u2028\u2029\ufff9-\ufffb"  # line and paragraph separators, annotations
    "\ud800-\udfff"  # single surrogates: bytes of a file name that are not UTF-8, for one
    "\U000e0000-\U000e007f"  # tags, which nothing shows
    "]"
)


def printable(text: str) -> str:
    """A text with `\\x1b`, `\\u202e` and so on in place of characters that control a terminal.

    Tabs and line ends stay. What it gives is not changed by doing it again.
    """
    return text if text.isascii() and text.isprintable() else CONTROL.sub(escaped, text)


def one_line(text: str) -> str:
    """A text of somebody else within a line: printable, and with `\\n` and `\\t` in place of line
    ends and tabs, so that it cannot begin a line of its own."""
    if text.isascii() and text.isprintable():
        return text
    shown = printable(text.replace("\r\n", "\\r\n"))
    return shown.replace("\n", "\\n").replace("\t", "\\t")


def indented(text: str) -> str:
    """A text of somebody else that may have several lines: all but the first begin with a bar, so
    that none passes for one of exp's."""
    first, *rest = text.splitlines() or [""]
    return "\n".join([one_line(first), *(f"  | {one_line(line)}" for line in rest)])


def escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class Printed:
    """A text stream that writes what is printable to another.

    Once that cannot be written to, the rest is dropped in silence: work goes on, and its results
    are kept.

    Args:
        stream: any that has `write` and `flush`.

    Attributes:
        dropped: it could not be written to.
        fault: why; None where its reader has left, as `head` does.
    """

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.dropped = False
        self.fault: OSError | None = None

    def write(self, text: str) -> int:
        self.write_exact(printable(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def write_exact(self, text: str) -> None:
        """Writes a text as it is."""
        try:
            self._try(self.stream.write, text)
        except UnicodeEncodeError as error:
            code = error.encoding
            self._try(self.stream.write, text.encode(code, "backslashreplace").decode(code))

    def flush(self) -> None:
        self._try(self.stream.flush)

    def _try(self, function: Callable[..., object], *text: str) -> None:
        if self.dropped:
            return
        try:
            function(*text)
        except OSError as error:
            self.dropped = True
            self.fault = None if isinstance(error, BrokenPipeError) else error
            # What waits in the buffers of this process goes nowhere too.
            with contextlib.suppress(OSError, AttributeError, ValueError):
                number = self.stream.fileno()
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, number)
                os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def raw(stream: Any) -> Any:
    """The stream itself, for a library that writes codes of its own, such as colours."""
    return raw(stream.stream) if isinstance(stream, Printed) else stream


@contextlib.contextmanager
def streams() -> Iterator[None]:
    """Within this, all that is written to `sys.stdout` and `sys.stderr`, by `print` for one, is
    printable."""
    before = sys.stdout, sys.stderr
    install()
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def install() -> None:
    """Puts printable streams in place for good."""
    for name in ("stdout", "stderr"):
        if not isinstance(stream := getattr(sys, name), Printed):
            setattr(sys, name, Printed(stream))


def open_closed() -> None:
    """Opens standard streams that this process was started without (`exp ... >&-`): else the next
    file that is opened takes their number, and what is printed is written into it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def write_data(text: str) -> None:
    """Writes what a command was asked to give on stdout: as it is into a file or a pipe, printable
    on a terminal."""
    stream: Any = sys.stdout
    if isinstance(stream, Printed) and not stream.isatty():
        stream.write_exact(text)
    else:
        stream.write(text)


def not_written() -> OSError | None:
    """Why what was printed to stdout could not be written; None where it could, or where the reader
    has left."""
    stream: Any = sys.stdout
    stream.flush()
    return stream.fault if isinstance(stream, Printed) else None
