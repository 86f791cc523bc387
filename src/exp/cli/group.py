"""The click group behind the verbs: usage, help, errors. It imports a verb when it is used."""

from __future__ import annotations

from importlib import import_module

import click

from exp.cli.verbs import VERBS
from exp.util.errors import ExpError, nearest


class Verbs(click.Group):
    """The verbs of `VERBS`, the only place where modules of verbs are imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        command: click.Command = import_module(VERBS[name].module).command
        return command


group = Verbs("exp", context_settings={"help_option_names": ["-h", "--help"]})


def run(words: list[str]) -> int:
    """Runs a verb; returns its exit code.

    Args:
        words: the verb and what follows it.

    Raises:
        ExpError: a wrong option or argument.
    """
    try:
        # Not `group.main`: it would take KeyboardInterrupt and broken pipes for itself.
        with group.make_context("exp", list(words), max_content_width=100) as context:
            code: int = group.invoke(context)
            return code
    except click.exceptions.Exit as ended:  # after --help
        return ended.exit_code
    except click.UsageError as error:
        where = f"exp {words[0]}"
        raise ExpError(f"{where}: {sentence(error)} See {where} --help") from None


def sentence(error: click.UsageError) -> str:
    """What is wrong, with the nearest option in place of a wrong one."""
    if isinstance(error, click.NoSuchOption):
        known = [
            name
            for parameter in (error.ctx.command.params if error.ctx is not None else [])
            for name in parameter.opts
        ]
        return f"no such option {error.option_name}.{nearest(error.option_name, known)}"
    text = error.format_message()
    return text if text.endswith((".", "?")) else f"{text}."
