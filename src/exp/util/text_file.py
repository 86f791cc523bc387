"""A file that a user named, and its text, or why it cannot be had."""

from __future__ import annotations

import codecs
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exp.util.errors import DataError, nearest, shown


def content(path: str) -> bytes:
    """The bytes of a file that is UTF-8 text.

    Raises:
        DataError: it is not there, no file, not readable, empty or no such text.
    """
    place = place_of(path, "a csv file")
    try:
        raw = place.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {shown(path)}: {error.strerror or error}") from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path} is UTF-16 text, expected UTF-8: save it as UTF-8")
    if b"\0" in raw:
        line = line_of(raw, raw.index(b"\0"))
        raise DataError(f"{path}, line {line}: a NUL byte, so this is not a text file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = line_of(raw, error.start)
        found = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        raise DataError(f"{path}, line {line}: {found}; save the file as UTF-8") from error
    if not text or text.isspace():
        raise DataError(f"{path} is empty, expected a header line and rows")
    return raw


def text_place(path: str) -> Path:
    """The file of that name, of which all is UTF-8 text; it is read through, but not kept.

    Raises:
        DataError: as for `content`.
    """
    place = place_of(path, "a csv file")
    decoder, something = codecs.getincrementaldecoder("utf-8-sig")(), False
    try:
        with place.open("rb") as file:
            while block := file.read(1 << 20):
                text = decoder.decode(block)
                something = something or bool(text and not text.isspace())
                if b"\0" in block:
                    something = False
                    break
            decoder.decode(b"", final=True)
    except (OSError, UnicodeDecodeError):
        something = False
    if not something:
        content(path)  # says what is wrong with it
    return place


class _Start:
    """Where relative paths of data begin; None: in the working directory."""

    folder: Path | None = None


@contextmanager
def found_from(folder: Path | None) -> Iterator[None]:
    """Within this, relative paths of data begin in that folder, which is not entered for it."""
    before, _Start.folder = _Start.folder, folder
    try:
        yield
    finally:
        _Start.folder = before


def place_of(path: str, expected: str) -> Path:
    """The file of that name; ~ is the home.

    Args:
        expected: what it should be, for the message.

    Raises:
        DataError: it is not there, or no file.
    """
    try:
        place = Path(path).expanduser()
        if _Start.folder is not None:
            place = _Start.folder / place
        if place.is_dir():
            raise DataError(f"{shown(path)} is a directory, expected {expected}")
        if not place.exists():
            raise DataError(not_there(path, place))
        if not place.is_file():
            raise DataError(f"{shown(path)} is not a regular file, expected {expected}")
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read {shown(path)}: {reason}") from error
    return place


def not_there(path: str, place: Path) -> str:
    whole = Path(os.path.abspath(place))
    text = f"no such file: {shown(path)}"
    if not place.is_absolute():
        text += f", which is {shown(str(whole), 300)} from the working directory"
    if not whole.parent.is_dir():
        return f"{text}; its directory does not exist either"
    with os.scandir(whole.parent) as entries:
        names = [entry.name for entry in itertools.islice(entries, 1000)]
    return f"{text}.{hint}" if (hint := nearest(whole.name, names)) else text


def line_of(raw: bytes, position: int) -> int:
    return len((raw[:position] + b"x").splitlines())
