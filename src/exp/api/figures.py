"""The figures of a run or a sweep, as a notebook shows them."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from exp.util.errors import ExpError, unknown
from exp.util.untrusted import read

TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}
"""What a notebook can show."""
SIZE = 64 << 20
"""Bytes of a figure that is read."""


@dataclass(frozen=True)
class Figure:
    """One figure: a file."""

    path: Path

    def _repr_png_(self) -> bytes | None:
        return content(self.path) if self.path.suffix == ".png" else None

    def _repr_html_(self) -> str | None:
        return None if self.path.suffix == ".png" else html(self.path)


class Figures(Mapping[str, Figure]):
    """Figures by name, such as `run.figures["boundary"]`; a notebook displays them all.

    Args:
        folder: the folder that contains them; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        shown = [path for path in files if not path.name.startswith(".") and path.is_file()]
        stems = [path.stem for path in shown]
        # A figure in several formats is listed by its whole file names.
        self._found = {p.stem if stems.count(p.stem) == 1 else p.name: p for p in shown}

    def __getitem__(self, name: str) -> Figure:
        if name not in self._found:
            raise KeyError(unknown("figure", name, list(self._found), "There are"))
        return Figure(self._found[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"<figures {', '.join(self) or 'none'} in {self.folder}>"

    def _repr_html_(self) -> str:
        parts = [
            f"<figure><figcaption>{escape(name)}</figcaption>{html(path)}</figure>"
            for name, path in self._found.items()
        ]
        return "<div>" + "".join(parts) + "</div>" if parts else "<div>no figures</div>"


def html(path: Path) -> str:
    """A figure as an HTML `img` element, so that no script in it can run."""
    kind = TYPES.get(path.suffix)
    if kind is None:
        return f"<code>{escape(path.name)}</code>"
    data = base64.b64encode(content(path)).decode()
    return f'<img alt="{escape(path.stem)}" style="max-width:100%" src="data:{kind};base64,{data}">'


def content(path: Path) -> bytes:
    """The bytes of a figure.

    Raises:
        ExpError: it cannot be read.
    """
    try:
        return read(path, SIZE)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ExpError(f"cannot read the figure {path}: {reason}") from error
