"""The verbs of the command line: their names, and the one place that imports them.

A verb is imported when it is used: `exp --help` lists them all, and imports none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

VERBS = {
    "list": "what a config can name, with parameters and defaults",
    "new": "write the first version of a component: code, option file, test",
    "check": "test your components",
    "schema": "the config as JSON Schema, for editors",
    "resume": "continue a run or a sweep that was interrupted",
    "rerun": "train a run or a sweep again and compare the results",
    "compare": "what differs between two runs",
    "results": "rank the runs of a sweep, with statistics",
    "reproduce": "repeat published results",
    "report": "one HTML page of a sweep or a run",
    "figures": "draw figures of runs that have ended",
    "predict": "predictions of a trained model for new rows",
    "export": "a trained model as a file for other programs",
    "log": "write finished runs into a tracker",
}
"""Verb -> what it does, in the order of `exp --help`."""


def command(name: str) -> click.Command | None:
    """The command of a verb; None: there is no such verb."""
    found: click.Command
    match name:
        case "list":
            from exp.cli.list import list_command as found
        case "new":
            from exp.cli.new import new as found
        case "check":
            from exp.cli.check.command import check as found
        case "schema":
            from exp.cli.schema_command import schema_command as found
        case "resume":
            from exp.cli.resume import resume as found
        case "rerun":
            from exp.cli.rerun import rerun_command as found
        case "compare":
            from exp.cli.compare import compare as found
        case "results":
            from exp.cli.results import results_command as found
        case "reproduce":
            from exp.cli.reproduce.command import reproduce_command as found
        case "report":
            from exp.cli.report import report as found
        case "figures":
            from exp.cli.figures import figures as found
        case "predict":
            from exp.cli.predict import predict as found
        case "export":
            from exp.cli.export import export as found
        case "log":
            from exp.cli.log import log_command as found
        case _:
            return None
    return found


def usage() -> str:
    """How `exp --help` begins."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {name:<{width}}  {about}" for name, about in VERBS.items())
    return (
        "Usage: exp [key=value ...]       train one run\n"
        "       exp -m key=v1,v2 ...      train a sweep: every combination of the values\n"
        "       exp VERB ...              one of the verbs below; exp VERB --help says more\n"
        "\n"
        f"Verbs:\n{verbs}\n"
    )
