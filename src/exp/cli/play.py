"""`exp play [KEY=VALUE...]` and `exp play RUN`: a page that trains the network in the browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from exp.cli.code import planned
from exp.cli.options import OUTPUT, trust_option
from exp.runs.record import RunRecord
from exp.runs.stored_plan import plan_of, start_folder
from exp.sweeps.from_python import composer
from exp.util.errors import ExpError, shown
from exp.util.files import no_link, write_output
from exp.util.folders import existing
from exp.util.terminal import one_line
from exp.util.text_file import found_from

NAME = "play.html"


@click.command("play", context_settings={"ignore_unknown_options": True})
@click.argument("words", metavar="[KEY=VALUE...] | RUN", nargs=-1)
@click.option(
    "--output",
    metavar="FILE",
    type=OUTPUT,
    help=f"Page to write. Default: {NAME} here, or in the directory of the run.",
)
@click.option("--open", "open_it", is_flag=True, help="Open the page in your browser.")
@trust_option
def command(words: tuple[str, ...], output: str | None, open_it: bool, trust: bool) -> int:
    """Write a page that trains the network in your browser while you watch and change it.

    The page is one file and works without a network. It starts from your config, or from that of a
    finished run: the same rows, first weights and losses. Data, layers, activation, optimizer and
    points can be changed in it. Without arguments it starts from the default config.
    """
    check(words)
    run = None if not words or "=" in words[0] or words[0].startswith("~") else words[0]
    place = Path(NAME) if run is None else Path(run) / NAME
    path = Path(output) if output is not None else no_link(place, "--output")
    whole = path.absolute()  # a trusted run is read from the folder that it was started in
    data = page_of(run, list(words), trust=trust).encode()
    write_output(whole, data)
    print(f"{one_line(str(path))} ({len(data) / 1e6:.1f} MB): open it in a browser")
    if open_it and not webbrowser.open(whole.as_uri()):
        raise ExpError(f"exp play: no browser was found. Open {path} yourself")
    return 0


def check(words: tuple[str, ...]) -> None:
    """
    Raises:
        ExpError: the words are neither overrides nor one run.
    """
    if flags := [word for word in words if word.startswith("-")]:
        why = ": a page starts from one run, not from a sweep" if flags[0] in SWEEP else ""
        raise ExpError(f"exp play: no such option {shown(flags[0])}{why}. See exp play --help")
    if len(words) > 1 and any("=" not in word and word[0:1] != "~" for word in words):
        found = shown(" ".join(words))
        raise ExpError(f"exp play: expected overrides or one run directory, found {found}")


SWEEP = ("-m", "--multirun")


def page_of(run: str | None, overrides: list[str], *, trust: bool) -> str:
    """The page of a run directory, or of overrides.

    Raises:
        ExpError: the run cannot be read, or the config is not valid or cannot be played.
    """
    from exp.play import page  # torch, matplotlib

    if run is None:
        with composer(overrides, quiet=True) as (hydra, args):
            return page.page_of(planned(hydra, args))
    record = RunRecord.at(existing(run))
    record.check()
    if "fit" in record.record:
        raise ExpError(f"{run} is the ensemble of exp fit: exp play starts from a single network")
    plan = plan_of(record, trust=trust)
    with found_from(None if trust else start_folder(record)):
        return page.page_of(plan)
