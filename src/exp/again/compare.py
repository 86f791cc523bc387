"""`exp compare A B`: what differs in the configs of two runs, and in what came out."""

from __future__ import annotations

import json
from typing import Any

from exp.again.differences import AGREED, changed_files, metrics_differ, surroundings, unlike
from exp.again.saved import SavedRun
from exp.arguments import Parser, place
from exp.errors import RunDirectoryError


def main(words: list[str]) -> int:
    """Prints what differs.

    Returns:
        0 if the results are the same bytes, else 1.

    Raises:
        RunDirectoryError: one of them is no run directory, or a file is not what was written.
    """
    parser = Parser(prog="exp compare", description="What differs between two runs.")
    parser.add_argument("one", help="directory of a run")
    parser.add_argument("other", help="directory of another")
    args = parser.parse_args(words)
    one, other = (SavedRun.at(place(path)) for path in (args.one, args.other))
    for run in (one, other):
        run.check()
    print(f"A  {one.directory.path}  ({one.status})")
    print(f"B  {other.directory.path}  ({other.status})")
    section("config", unlike(one.config(), other.config()))
    section("environment", unlike(surroundings(one.record), surroundings(other.record)))
    section("data", unlike(one.record.get("data"), other.record.get("data")))
    section("results", unlike(final(one), final(other)))
    files = changed_files(one, other)
    first, _ = metrics_differ(one, other)
    if first:
        print(f"\n{first}")
    print(f"\n{AGREED[0] if not files else 'not the same bytes: ' + ', '.join(files)}")
    return 1 if files else 0


def section(title: str, rows: list[tuple[str, Any, Any]]) -> None:
    """A table of key, A, B."""
    if not rows:
        print(f"\n{title}: the same")
        return
    cells = [(key, text(a), text(b)) for key, a, b in rows]
    widths = [max(len(row[i]) for row in [*cells, (title, "A", "B")]) for i in range(3)]
    print()
    for row in [(title, "A", "B"), *cells]:
        print(
            "  ".join(part.ljust(width) for part, width in zip(row, widths, strict=True)).rstrip()
        )


def text(value: Any) -> str:
    return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def final(run: SavedRun) -> dict[str, Any]:
    """The final scores of a run, without the confusion matrices."""
    try:
        scores = json.loads(run.directory.summary.read_bytes())["final"]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError) as error:
        raise RunDirectoryError(f"cannot read {run.directory.summary}: {error}") from error
    return {key: value for key, value in scores.items() if not key.endswith("/confusion")}
