"""`exp code [KEY=VALUE...]` and `exp code RUN`: the plain PyTorch script of a config or a run."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import click
from hydra.types import RunMode

from exp.cli.options import OUTPUT, trust_option
from exp.config.compose import compose, resolved
from exp.config.plan import Plan, plan
from exp.runs.record import RunRecord
from exp.sweeps.from_python import composer
from exp.sweeps.hydra_checks import misplaced
from exp.sweeps.hydra_setup import HydraApp, as_faults
from exp.util.errors import ExpError, shown
from exp.util.files import reason_of, write_through
from exp.util.folders import existing
from exp.util.terminal import write_data


@click.command("code", context_settings={"ignore_unknown_options": True})
@click.argument("words", metavar="[KEY=VALUE...] | RUN", nargs=-1)
@click.option("--output", metavar="FILE", type=OUTPUT, help="Write the script to this file.")
@trust_option
def command(words: tuple[str, ...], output: str | None, trust: bool) -> int:
    """Print the plain PyTorch script of a config, or of a finished run.

    The script contains the data, the model, the loss and the training loop, with no part of exp,
    and gives the same numbers. Without arguments it is the script of the default config.
    """
    text = script_of(list(words), trust=trust)
    if output is None:
        write_data(text)
        return 0
    try:
        write_through(Path(output), text.encode())
    except OSError as error:
        raise ExpError(f"exp code: cannot write {output}: {reason_of(error)}") from error
    print(f"{output}: run it with python {output}")
    return 0


def script_of(words: list[str], *, trust: bool) -> str:
    """The script of overrides, or of a run directory.

    Raises:
        ExpError: they are neither, or both; the config is not valid; a part of it cannot be
            written as a plain script.
    """
    if flags := [word for word in words if word.startswith("-")]:
        sweep = flags[0] in ("-m", "--multirun")
        why = ": a script is of one run, not of a sweep" if sweep else ""
        raise ExpError(f"exp code: no such option {shown(flags[0])}{why}. See exp code --help")
    directories = [word for word in words if "=" not in word and not word.startswith("~")]
    if directories and len(words) > 1:
        found = shown(" ".join(words))
        raise ExpError(f"exp code: expected overrides or one run directory, found {found}")
    from exp.runs import code  # torch

    if directories:
        run = RunRecord.at(existing(directories[0]))
        run.check()
        return code.of_run(run, trust=trust)
    with composer(words, quiet=True) as (hydra, args):
        return code.of_plan(planned(hydra, args), words)


@as_faults()
def planned(hydra: HydraApp, args: Namespace) -> Plan:
    """The plan of a command line.

    Raises:
        ConfigError: it is not valid.
    """
    config, faults = compose(hydra.config_loader, "config", args.overrides, RunMode.RUN)
    faults = [*faults, *misplaced(args.overrides, RunMode.RUN)]
    return plan(resolved(config, faults), faults)
