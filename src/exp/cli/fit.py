"""`exp fit FILE --target COLUMN`: one's own table, with one command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from exp.cli.options import DIRECTORY, FILE
from exp.util.errors import ExpError, shown, unknown
from exp.util.metric_names import EVERY
from exp.util.terminal import one_line
from exp.util.text_file import place_of

UNITS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600}


class Seconds(click.ParamType):  # type: ignore[type-arg]
    """A time: 90, 90s, 2m, 1.5h."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?) *([a-z]*)", str(value).strip(), re.ASCII)
        if found is None or found[2] not in UNITS or not float(found[1]):
            self.fail(f"expected a time such as 90, 90s or 2m, found {shown(value)}", param, ctx)
        return float(found[1]) * UNITS[found[2]]


class Metric(click.ParamType):  # type: ignore[type-arg]
    """A score, by its name."""

    name = "score"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        known = [name for name in EVERY if name != "loss"]
        if value not in known:
            self.fail(unknown("score", value, known), param, ctx)
        return str(value)


@click.command("fit")
@click.argument("file", type=FILE)
@click.option("--target", metavar="COLUMN", help="Column to predict: classes or a number.")
@click.option(
    "--budget",
    type=Seconds(),
    default="2m",
    show_default=True,
    metavar="TIME",
    help="Time for training: 90, 90s, 2m.",
)
@click.option(
    "--metric",
    type=Metric(),
    metavar="SCORE",
    help="Score by which the model is chosen. Default: log_loss, or rmse for a number.",
)
@click.option("--groups", metavar="COLUMN", help="Rows with the same value stay together.")
@click.option("--weights", metavar="COLUMN", help="Weight of each row in training.")
@click.option("--time", metavar="COLUMN", help="The newest rows are the test rows.")
@click.option("--exclude", metavar="COLUMN", multiple=True, help="Leave this column out.")
@click.option("--keep", metavar="COLUMN", multiple=True, help="Do not leave this column out.")
@click.option(
    "--test",
    type=float,
    default=0.2,
    show_default=True,
    metavar="SHARE",
    help="Share of the rows that are test rows.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all random draws.")
@click.option("--output", type=DIRECTORY, metavar="DIR", help="Directory of the run, a new one.")
@click.option(
    "--config", "overrides", metavar="KEY=VALUE", multiple=True,
    help="A key of the config, such as dataset.decimal=comma.",
)  # fmt: skip
def command(file: str, target: str | None, output: str | None, **options: Any) -> int:
    """Fit a model to a table (csv or Parquet).

    The command shows what it takes each column for, trains many small networks within the budget,
    and joins the best into one model. --exclude, --keep and --config may be repeated.
    docs/fit.md explains the output.
    """
    place_of(file, "a csv or Parquet file")
    from exp.fitting import from_table  # torch

    if target is None:
        raise ExpError(from_table.no_target(file))
    directory = None if output is None else Path(output).absolute()
    wanted = from_table.Wanted(target=target, directory=directory, **options)
    made = from_table.fit_file(file, wanted, lambda text: print(text, flush=True))
    print(f"\nThe run: {one_line(str(made))}")
    return 0
