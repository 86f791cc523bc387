"""Completion in bash, zsh and fish: click's for verbs and their options, Hydra's for overrides.

click's own script for bash knows no `python -m exp`, and bash hands it `key=value` in pieces.
"""

from __future__ import annotations

import os
import re
import shlex

import yaml
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
)
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.plugins.completion_plugin import DefaultCompletionPlugin
from hydra.version import setbase

from exp.cli.group import group
from exp.cli.verbs import VERBS
from exp.config import plugins
from exp.config.compose import resolvers
from exp.config.hydra_errors import BROKEN
from exp.registry import entry_points
from exp.sweeps.hydra_setup import create, flags
from exp.util.errors import ExpError

VARIABLE = "_EXP_COMPLETE"
"""Of the environment: `bash_complete` and so on, as click has it."""
INVOKED = re.compile(r"^\s*(?:\S*python[\d.]*\s+(?:-P\s+)?-m\s+exp|\S+)(?:\s+|$)")
FOLDER = "--components"
SCRIPT = r"""_exp_complete() {
    local words=($COMP_LINE) called line="${COMP_LINE:0:$COMP_POINT}" word found
    case "${words[0]##*/}" in
        python*) [[ "$COMP_LINE" =~ ^[^\ ]+(\ +-P)?\ +-m\ +exp\  ]] || return 0
                 called="${BASH_REMATCH[0]}" ;;
        *) called="${words[0]}" ;;
    esac
    word="${line##* }"
    found=$(COMP_LINE="$line" _EXP_COMPLETE=bash_complete $called 2>/dev/null) || return 0
    COMPREPLY=($(compgen -W "$found" -- "$word"))
    # Bash puts in only what follows the last of these.
    local before="${word%"${word##*[=:]}"}"
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
}
complete -o nospace -o default -F _exp_complete exp
for _exp_python in python python3; do
    complete -p $_exp_python >/dev/null 2>&1 ||
        complete -o nospace -o default -F _exp_complete $_exp_python
done
unset _exp_python"""


class Completions(ShellComplete):
    """After a verb click knows what can follow; all else are overrides."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        if args and args[0] in VERBS:
            return super().get_completions(args, incomplete)
        verbs = [name for name in VERBS if not args and name.startswith(incomplete)]
        return [CompletionItem(each) for each in [*verbs, *overrides(args, incomplete)]]


class Bash(Completions, BashComplete):
    """Both `exp` and `python -m exp`, from the line as it is typed."""

    def source(self) -> str:
        return SCRIPT

    def get_completion_args(self) -> tuple[list[str], str]:
        return whole_words(after_command(os.environ.get("COMP_LINE", "")))

    def format_completion(self, item: CompletionItem) -> str:
        # Where there is nothing else, bash completes files and folders by itself.
        return str(item.value) if item.type == "plain" else ""


class Zsh(Completions, ZshComplete):
    # No space after a word, since most are to be continued: `dataset.`, `optimizer=`.
    source_template = ZshComplete.source_template.replace("compadd -U", "compadd -S '' -U")


class Fish(Completions, FishComplete):
    pass


SHELLS = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def main(words: list[str]) -> int:
    """Answers a shell.

    Args:
        words: of the command line: `--shell-completion install=SHELL` prints what a shell is to
            evaluate; otherwise `_EXP_COMPLETE` says what the shell wants.
    """
    wanted = os.environ.get(VARIABLE, "")
    if words:
        wanted = f"{words[1].removeprefix('install=')}_source"
    shell, _, instruction = wanted.partition("_")
    if shell not in SHELLS:
        raise ExpError(f"{VARIABLE}: no completion for {shell!r}. One of: {', '.join(SHELLS)}")
    answering = SHELLS[shell](group, {}, "exp", VARIABLE)
    print(answering.source() if instruction == "source" else answering.complete())
    return 0


def after_command(line: str) -> str:
    """What has been typed after `exp` or `python -m exp`."""
    return INVOKED.sub("", line, count=1)


def whole_words(rest: str) -> tuple[list[str], str]:
    """The words that are typed to their end, without quotes, and the beginning of the next one."""
    head, _, last = rest.rpartition(" ")
    try:
        return shlex.split(head), last
    except ValueError:  # a quote that is still open
        return head.split(), last


def overrides(words: list[str], last: str) -> list[str]:
    """Groups, options and keys of the config that can follow these words, as Hydra has them.

    Modules and folders that the words name are imported, as in a run; installed packages only where
    nothing else fits, as importing torch takes longer than one likes to wait.

    Args:
        words: before the one that is being typed.
        last: what is typed of it so far.
    """
    setbase("1.3")
    resolvers()
    if words and words[-1] == FOLDER:
        return []  # the shell's own completion of files
    words, folders = without_folders(words)
    try:
        words = plugins.with_folders(words, folders)
        plugins.load(words)
        loader = create(flags().parse_args([])).config_loader
        loader.extend()
        line = " ".join([*words, last])
        return query(loader, line) or (query(loader, line) if entry_points.load() else [])
    except (ExpError, *BROKEN, yaml.YAMLError):
        return []  # what is typed so far cannot be composed
    finally:
        GlobalHydra.instance().clear()


def query(loader: ConfigLoader, line: str) -> list[str]:
    """Hydra's answers for a line."""
    # What subclasses of Hydra's public class answer from; there is no public name for it.
    found: list[str] = DefaultCompletionPlugin(loader)._query(config_name="config", line=line)
    return found


def without_folders(words: list[str]) -> tuple[list[str], list[str]]:
    """The words without `--components DIR`, and the folders that it names."""
    rest: list[str] = []
    folders: list[str] = []
    waiting = iter(words)
    for word in waiting:
        flag, equals, folder = word.partition("=")
        if flag == FOLDER:
            folders.append(folder if equals else next(waiting, ""))
        else:
            rest.append(word)
    return rest, [folder for folder in folders if folder]
