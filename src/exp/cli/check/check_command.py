"""`exp check MODULE [--name NAME]`: tests the components of a module."""

from __future__ import annotations

import click

from exp.cli.check import outcomes


@click.command("check")
@click.argument("module")
@click.option("--name", help="Only the components of this name.")
def command(module: str, name: str | None) -> int:
    """Test the components that a module registers.

    MODULE is the name of a module, or a folder of modules if it contains a /. Its code is executed.
    pytest runs the tests of each component. The exit code is 1 if a test fails.
    """
    found = outcomes(module, name, lambda outcome: print(outcome.line, flush=True))
    failed = sum(outcome.found is not None for outcome in found)
    print(f"{len(found)} checks, {failed} failed")
    return 1 if failed else 0
