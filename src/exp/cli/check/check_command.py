"""`exp check MODULE [--name NAME]`: tests the components of a module."""

from __future__ import annotations

import click

from exp.cli.check import outcomes


@click.command("check")
@click.argument("module")
@click.option("--name", help="Only the components of this name.")
def command(module: str, name: str | None) -> int:
    """Test the components that a module registers.

    MODULE is a module, or, with a / in it, a folder of modules; its code runs. Each kind of
    component has its tests, which pytest runs; the exit code is 1 if one fails.
    """
    found = outcomes(module, name, lambda outcome: print(outcome.line, flush=True))
    failed = sum(outcome.found is not None for outcome in found)
    print(f"{len(found)} checks, {failed} failed")
    return 1 if failed else 0
