"""Arrays by name as the bytes of an npz file, and back: the same arrays give the same bytes.

`np.savez` writes the time of day into its file, and `np.load` makes an array as large as a file
says that it is.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 256 << 20
"""Bytes of all arrays that are read together."""
FAULTS = (
    zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, EOFError,
    OSError, LookupError, TypeError, SyntaxError, ArithmeticError, AttributeError,
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


def unpacked(data: bytes, names: Iterable[str], *, most: int = MOST) -> dict[str, NDArray[Any]]:
    """Arrays of an npz file that a stranger may have written.

    Args:
        names: those that are wanted; one that is not there is left out.
        most: bytes of them together; more are refused before there is room for them.

    Raises:
        ValueError: it is no npz file, or holds something else than plain arrays within the bound.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            there = set(archive.namelist())
            wanted = {
                name: archive.getinfo(f"{name}.npy") for name in names if f"{name}.npy" in there
            }
            size = sum(entry.file_size for entry in wanted.values())
            if size > most:
                raise ValueError(f"its arrays have {size:,} bytes; at most {most:,}")
            return {name: _array(archive, entry) for name, entry in wanted.items()}
    except FAULTS as error:
        raise ValueError(f"no npz file: {error}") from error


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{entry.filename} is packed in another way")
    content = io.BytesIO(archive.read(entry))
    if np.lib.format.read_magic(content) != (1, 0):
        raise ValueError(f"{entry.filename} has a header of another version")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(content)
    body = content.read()
    if dtype.hasobject or len(body) != dtype.itemsize * math.prod(shape):
        raise ValueError(f"{entry.filename} does not hold what its header says")
    order: Any = "F" if by_columns else "C"
    return np.frombuffer(body, dtype=dtype).reshape(shape, order=order)
