"""Completion in a shell: Hydra's answers, the verbs of exp, and both ways to call it.

Hydra's own script for bash knows no `python -m`, and changes how every other command completes.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable

INVOKED = re.compile(r"^\s*(?:\S*python[\d.]*\s+(?:-P\s+)?-m\s+exp|\S+)(?:\s+|$)")
FOLDER = "--components"
BASH = r"""_exp_complete() {
    local words=($COMP_LINE) called line="${COMP_LINE:0:$COMP_POINT}" word found
    case "${words[0]##*/}" in
        python*) [[ "$COMP_LINE" =~ ^[^\ ]+(\ +-P)?\ +-m\ +exp\  ]] || return 0
                 called="${BASH_REMATCH[0]}" ;;
        *) called="${words[0]}" ;;
    esac
    word="${line##* }"
    found=$(COMP_LINE="$line" $called --shell-completion query=bash 2>/dev/null) || return 0
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


def after_command(line: str) -> str:
    """What has been typed after `exp` or `python -m exp`."""
    return INVOKED.sub("", line, count=1)


def main(words: list[str], verbs: Iterable[str]) -> int:
    """`--shell-completion install=bash|query=bash`; all else is Hydra's own.

    Args:
        verbs: of exp.
    """
    if words[1:] == ["install=bash"]:
        print(BASH)
    elif words[1:] == ["query=bash"] and "COMP_LINE" in os.environ:
        print(" ".join(answer(os.environ["COMP_LINE"], verbs)))
    else:
        from exp.sweeps.app import main as app

        return app(words)
    return 0


def answer(line: str, verbs: Iterable[str]) -> list[str]:
    """What can follow a line as it is typed so far, its first word too."""
    rest = after_command(line)
    words = rest.split()
    verb = words[0] if words else ""
    if verb in verbs and rest != verb:
        if verb == "reproduce":
            from exp.cli.reproduce.table import names

            return names()
        return of_list(words, rest) if verb == "list" else []
    first = rest == verb
    return [*(name for name in verbs if first and name.startswith(verb)), *of_config(rest)]


def of_config(rest: str) -> list[str]:
    """Groups, options and keys of the config, as Hydra has them.

    Modules and folders that whole words of the line name are imported, as in a run; installed
    packages only where nothing else fits, as importing torch takes longer than one likes to wait.
    """
    import yaml
    from hydra._internal.core_plugins.bash_completion import BashCompletion
    from hydra.core.global_hydra import GlobalHydra
    from hydra.version import setbase

    from exp.config import plugins
    from exp.config.compose import resolvers
    from exp.config.hydra_errors import BROKEN
    from exp.registry import entry_points
    from exp.sweeps.app import create, flags
    from exp.util.errors import ExpError

    setbase("1.3")
    resolvers()
    words, last = whole_words(rest)
    if words and words[-1] == FOLDER:
        return []  # the shell's own completion of files
    folders = [folder for folder in map(named_folder, words) if folder]
    words = plugins.with_folders([word for word in words if not named_folder(word)], folders)
    plugins.load(words)
    line = " ".join([*words, last])
    try:
        loader = create(flags().parse_args([])).config_loader
        loader.extend()
        hydras = BashCompletion(loader)
        found: list[str] = hydras._query(config_name="config", line=line)
        if not found and entry_points.load():
            found = hydras._query(config_name="config", line=line)
        return found
    except (ExpError, *BROKEN, yaml.YAMLError):
        return []  # what is typed so far cannot be composed
    finally:
        GlobalHydra.instance().clear()


def whole_words(rest: str) -> tuple[list[str], str]:
    """The words that are typed to their end, without quotes, and the beginning of the next one.
    `--components DIR` is one word, `--components=DIR`."""
    head, _, last = rest.rpartition(" ")
    try:
        words = shlex.split(head)
    except ValueError:  # a quote that is still open
        words = head.split()
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == FOLDER:
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined, last


def named_folder(word: str) -> str:
    """The folder of a word `--components=DIR`; nothing of any other word."""
    flag, _, folder = word.partition("=")
    return folder if flag == FOLDER else ""


def of_list(words: list[str], rest: str) -> list[str]:
    """What can follow `list`: a group, then one of its components."""
    from exp.cli.list import options
    from exp.config import presets
    from exp.registry.registry import register

    whole = words[1:] if rest.endswith(" ") else words[1:-1]
    if not whole:
        return sorted([*register.kinds, presets.GROUP])
    if whole == [presets.GROUP]:
        return list(presets.presets())
    kind = register.kinds.get(whole[0])
    return options(kind) if kind is not None and len(whole) == 1 else []
