"""`exp bench`: optimizers compared on many data sets, over many seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from exp.cli.bench.suite import Suite, suite
from exp.cli.options import DIRECTORY
from exp.config import plugins
from exp.util.errors import ConfigError, Fault
from exp.util.text_tables import aligned


@click.command("bench")
@click.argument("overrides", metavar="[KEY=VALUE...]", nargs=-1)
@click.option(
    "--out",
    metavar="DIR",
    type=DIRECTORY,
    default="bench",
    show_default=True,
    help="Folder of the results. Finished results in it are kept.",
)
@click.option("--datasets", metavar="A,B", help="Only these data sets. Default: all of --list.")
@click.option("--optimizers", metavar="A,B", help="Only these optimizers. Default: all of --list.")
@click.option("--seeds", type=int, metavar="N", help="Runs for each result. Default: 100.")
@click.option("--jobs", type=int, metavar="N", help="Worker processes. Default: one for each core.")
@click.option(
    "--list",
    "listing",
    is_flag=True,
    help="Print the data sets, the optimizers and their settings.",
)
def command(
    overrides: tuple[str, ...],
    out: str,
    datasets: str | None,
    optimizers: str | None,
    seeds: int | None,
    jobs: int | None,
    listing: bool,
) -> int:
    """Compare optimizers on many data sets.

    exp first tunes the learning rate of each optimizer on each data set, with separate seeds.
    Then each optimizer trains with every seed. The results are tables and an HTML page. Overrides
    apply to all runs. You can name your own optimizers and data sets:
    exp bench plugins=[mine] --optimizers adam,mine
    """
    plugins.load(overrides)
    chosen = suite(names(datasets), names(optimizers), seeds=seeds, words=overrides)
    if jobs is not None and jobs < 1:
        raise ConfigError([Fault("--jobs", f"expected at least 1, found {jobs}")])
    if listing:
        print(described(chosen))
        return 0
    from exp.cli.bench import measured  # torch

    return measured.bench(chosen, Path(out), jobs)


def names(text: str | None) -> Sequence[str]:
    return [] if text is None else [name for each in text.split(",") if (name := each.strip())]


def described(chosen: Suite) -> str:
    """What a bench consists of, as aligned text."""
    datasets = [
        (each.name, str(each.epochs), "-" if each.target is None else str(each.target),
         " ".join(map(quoted, each.words)))
        for each in chosen.datasets
    ]  # fmt: skip
    factors = ", ".join(f"{factor:g}" for factor in chosen.factors)
    optimizers = [
        (each.name, f"its own, times {factors}" if each.rates is None else rates(each.rates),
         " ".join(map(quoted, each.words)))
        for each in chosen.optimizers
    ]  # fmt: skip
    runs = len(datasets) * len(optimizers) * chosen.seeds.count
    size = f"{len(datasets)} data sets x {len(optimizers)} optimizers x {chosen.seeds.count} seeds"
    tuning = f"{chosen.tuning.count} for each learning rate, seeds {chosen.tuning.first} and later"
    return "\n".join(
        [
            *aligned([("data set", "epochs", "target", "overrides"), *datasets], (1, 2)),
            "",
            *aligned([("optimizer", "learning rates", "overrides"), *optimizers]),
            "",
            f"every run: {' '.join(map(quoted, (*chosen.every, *chosen.user)))}",
            f"{size} = {runs:,} runs, and {tuning}",
        ]
    )


def rates(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def quoted(word: str) -> str:
    """An override as a shell takes it."""
    return f"'{word}'" if set(word) & set(" {}[]") else word
