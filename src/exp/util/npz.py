"""Arrays by name as the bytes of an npz file, and back: the same arrays give the same bytes.

`np.savez` writes the time of day into its file, and `np.load` makes an array as large as a file
says that it is.
"""

from __future__ import annotations

import io
import math
import pickletools
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MOST = 256 << 20
"""Bytes of all arrays that are read together."""
FAULTS = (
    zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, EOFError,
    OSError, LookupError, TypeError, SyntaxError, ArithmeticError, AttributeError,
    tokenize.TokenError,
)  # fmt: skip
"""What a zip file that is none, or an array's header, may raise besides ValueError."""
_LEVEL = 1  # of zlib: 6 takes twice as long and saves a tenth
_SMALL = 4096  # bytes that are not worth packing


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of an npz file of plain arrays, without pickles."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asanyarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # else it says on which one it was written
            data = content.getvalue()
            how = zipfile.ZIP_STORED if len(data) < _SMALL else zipfile.ZIP_DEFLATED
            archive.writestr(entry, data, how, _LEVEL)
    return target.getvalue()


def unpacked(
    data: bytes | BinaryIO, names: Iterable[str], *, most: int = MOST, objects: bool = False
) -> dict[str, NDArray[Any]]:
    """Arrays of an npz file that a stranger may have written.

    Args:
        data: the content of the file, or the open file.
        names: those that are wanted; one that is not there is left out.
        most: bytes of them together; more are refused before there is room for them.
        objects: whether arrays of Python's texts, numbers and None are read, too.

    Raises:
        ValueError: it is not an npz file, or contains more than plain arrays within the bound.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data) as archive:
            there = set(archive.namelist())
            wanted = {
                name: archive.getinfo(f"{name}.npy") for name in names if f"{name}.npy" in there
            }
            size = sum(entry.file_size for entry in wanted.values())
            if size > most:
                raise ValueError(f"its arrays have {size:,} bytes; at most {most:,}")
            return {name: _array(archive, entry, objects) for name, entry in wanted.items()}
    except FAULTS as error:
        raise ValueError(f"it is not an npz file: {error}") from error


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, objects: bool) -> NDArray[Any]:
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{entry.filename} is compressed in an unsupported way")
    whole = archive.read(entry)
    content = io.BytesIO(whole)
    if np.lib.format.read_magic(content) != (1, 0):
        raise ValueError(f"{entry.filename} has a header of another version")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(content)
    start = content.tell()
    if objects and dtype.kind == "O":
        return _objects(whole[start:], shape)
    if dtype.hasobject or len(whole) - start != dtype.itemsize * math.prod(shape):
        raise ValueError(f"the content of {entry.filename} does not match its header")
    order: Any = "F" if by_columns else "C"
    return np.frombuffer(whole, dtype=dtype, offset=start).reshape(shape, order=order)


PLAIN = (str, int, float, bool, type(None))
_VALUES = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Named:
    """Something that a pickle would have imported, called or made: only its state is kept."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: Any = None


def _objects(body: bytes, shape: tuple[int, ...]) -> NDArray[Any]:
    """An array of texts, numbers and None from its pickle, which is read and not run.

    Raises:
        ValueError: it is none, or holds anything else.
    """
    try:
        found = _read(body)
    except ValueError:
        raise
    except Exception as error:  # a damaged one: the stack is empty, a memo is not there
        raise ValueError(f"it is damaged: {type(error).__name__}") from error
    # version, shape, dtype, whether it lies column by column, values in the order of rows
    state = found.state if isinstance(found, _Named) else None
    if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[4], list):
        raise ValueError("it contains objects, expected an array of texts or numbers")
    values = state[4]
    if len(values) != math.prod(shape):
        raise ValueError("its content does not match its header")
    for value in values:
        if isinstance(value, _Named):
            raise ValueError(f"it contains objects of {value.name}, expected texts or numbers")
        if type(value) not in PLAIN:
            kind = type(value).__name__
            raise ValueError(f"it contains a {kind}, expected texts or numbers: y.astype(str)")
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(shape)


def _read(body: bytes) -> Any:
    """What a pickle holds, by its opcodes; whatever it would import or call is a `_Named`."""
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def marked() -> list[Any]:
        start = marks.pop()
        items = stack[start:]
        del stack[start:]
        return items

    argument: Any
    for opcode, argument, _ in pickletools.genops(body):
        name = opcode.name
        if name in _VALUES:
            stack.append(_VALUES[name])
        elif name.endswith(("UNICODE", "UNICODE8", "BYTES", "BYTES8", "STRING")) or name in (
            *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "INT", "LONG"),
            *("BINFLOAT", "FLOAT"),
        ):
            stack.append(argument)
        elif name == "MARK":
            marks.append(len(stack))
        elif name == "EMPTY_LIST":
            stack.append([])
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name in _TUPLES:
            size = _TUPLES[name]
            stack[-size:] = [tuple(stack[-size:])]
        elif name == "TUPLE":
            stack.append(tuple(marked()))
        elif name == "LIST":
            stack.append(marked())
        elif name in ("APPEND", "APPENDS"):
            items = [stack.pop()] if name == "APPEND" else marked()
            if isinstance(stack[-1], list):
                stack[-1].extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            if name == "SETITEM":
                del stack[-2:]
            else:
                marked()
        elif name == "GLOBAL":
            stack.append(_Named(argument.replace(" ", ".")))
        elif name == "STACK_GLOBAL":
            last, module = stack.pop(), stack.pop()
            stack.append(_Named(f"{module}.{last}"))
        elif name in ("REDUCE", "NEWOBJ"):
            stack.pop()
            stack.append(_Named(stack.pop().name))
        elif name == "BUILD":
            state = stack.pop()
            stack[-1].state = state
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "STOP":
            return stack.pop()
        elif name not in ("PROTO", "FRAME"):
            raise ValueError(f"it contains objects (opcode {name}), expected texts or numbers")
    raise ValueError("it is damaged")
