"""The scripts of Plotly and DataTables, which the page carries in itself."""

from __future__ import annotations

from dataclasses import dataclass

from exp.util.errors import ExpError

INSTALL = "pip install 'exp[report]'"


@dataclass(frozen=True)
class Libraries:
    """Texts of scripts.

    Attributes:
        charts: Plotly, a script.
        table: DataTables, a module as itables ships it.
    """

    charts: str
    table: str


def libraries() -> Libraries:
    """What the page needs, from the packages plotly and itables.

    Raises:
        ExpError: one of them is not installed.
    """
    try:
        from itables.utils import read_package_file
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise ExpError(
            f"exp report needs the packages plotly and itables ({error}): {INSTALL}"
        ) from error
    return Libraries(
        charts=get_plotlyjs(),
        table=read_package_file("html", "dt_bundle.js"),
    )
