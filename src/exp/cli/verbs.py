"""The verbs of the command line: what each does, and the module that holds its command."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """A verb of `exp`.

    Attributes:
        about: what it does.
        module: imported when the verb is used; its `command` is a click command.
    """

    about: str
    module: str


VERBS = {
    "fit": Verb("fit a model to a table of yours", "exp.cli.fit"),
    "play": Verb("watch a network learn: a page that trains in your browser", "exp.cli.play"),
    "show": Verb("show a run, or the rows of a data set", "exp.cli.show.show_command"),
    "list": Verb("list components with their parameters, or runs", "exp.cli.list"),
    "code": Verb("print the plain PyTorch script of a config or a run", "exp.cli.code"),
    "new": Verb("write the first version of a component: code, option file, test", "exp.cli.new"),
    "check": Verb("test your components", "exp.cli.check.check_command"),
    "schema": Verb("print the config as JSON Schema, for editors", "exp.cli.schema_command"),
    "sweep": Verb("show how far a sweep is: exp sweep status DIR", "exp.cli.sweep_command"),
    "resume": Verb("continue a run or a sweep that was interrupted", "exp.cli.resume"),
    "rerun": Verb("train a run or a sweep again and compare the results", "exp.cli.rerun"),
    "compare": Verb("show the differences between two runs", "exp.cli.compare"),
    "results": Verb("rank the runs of a sweep, with statistics", "exp.cli.results_command"),
    "reproduce": Verb("repeat published results", "exp.cli.reproduce.reproduce_command"),
    "bench": Verb("compare optimizers on many data sets", "exp.cli.bench.bench_command"),
    "report": Verb("write an HTML page of a sweep or a run", "exp.cli.report"),
    "figures": Verb("draw figures of finished runs", "exp.cli.figures_command"),
    "predict": Verb("predict new rows with a trained model", "exp.cli.predict"),
    "export": Verb("write a trained model as a file for other programs", "exp.cli.export"),
    "log": Verb("send finished runs to a tracker", "exp.cli.log_command"),
}
"""Name -> verb, in the order of `exp --help`."""


def usage() -> str:
    """How `exp --help` begins."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {name:<{width}}  {verb.about}" for name, verb in VERBS.items())
    return (
        "Usage: exp [key=value ...]       train one run\n"
        "       exp -m key=v1,v2 ...      train a sweep: every combination of the values\n"
        "       exp VERB ...              one of the verbs below; exp VERB --help says more\n"
        "\n"
        f"Verbs:\n{verbs}\n"
    )
