"""The command line: the first word is a verb of exp, or else everything goes to Hydra.

Nothing heavy is imported here: `--help`, `--cfg` and completion answer without torch.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

from exp.cli.verbs import VERBS, usage
from exp.util import command_line, terminal
from exp.util.errors import ExpError, Interrupted, shown
from exp.util.files import reason_of

COMPLETION = "_EXP_COMPLETE"
"""Environment variable of click: a shell wants completions."""
INSTALL = (["install=bash"], ["install=zsh"], ["install=fish"])
OVERRIDES = set("=+~-")
"""Characters of overrides and flags: a word without any of them is for no one but exp."""


_exit_codes: list[int] = []
"""That with which `leave` ends this process."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Runs a command line and leaves the process with its exit code.

    0 done, 1 a bug or a comparison that failed, 2 an error that the user can mend, 3 a run that
    diverged, 130 interrupted.
    """
    # Set before torch is imported: with it MKL gives the same bits at any memory alignment.
    os.environ.setdefault("MKL_CBWR", "AUTO")
    # NumPy's products here are small, and their bits are then those of a sweep's workers.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Helper processes find no modules in the working directory: it may be a stranger's.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    signal.signal(signal.SIGTERM, terminated)
    # Nothing that imports and composing make is garbage: a tenth of the time goes into looking.
    gc.set_threshold(50_000)
    words = list(sys.argv[1:] if argv is None else argv)
    terminal.open_closed()
    terminal.install()  # for good: what Python itself prints at the end too
    leave(guarded(lambda: dispatch(words)))


def terminated(*_: object) -> NoReturn:
    """SIGTERM ends the process as Ctrl-C does, with another exit code."""
    raise Interrupted(143)


def dispatch(words: list[str]) -> int:
    # Each imports more than all others need: Hydra, click.
    command_line.words = words
    folder_exists()
    if COMPLETION in os.environ or is_install(words):
        from exp.cli.completion import main as completion

        return completion(words if is_install(words) else [])
    if words and words[0] in VERBS:
        from exp.cli.group import run

        return run(words)
    if words and words[0] and not OVERRIDES & {*words[0], *"".join(words[1:])}:
        from exp.config import suggestions

        hint = suggestions.of_word(words[0], words[1:], list(VERBS))
        known = f"An override is key=value; verbs: {', '.join(VERBS)}"
        raise ExpError(f"no verb or override {shown(words[0])}.{hint} {known}")
    from exp.sweeps.run_or_sweep import main as app

    return app(words, usage=usage())


def is_install(words: list[str]) -> bool:
    """Whether the completion script of a shell is wanted; Hydra handles all other uses."""
    return words[:1] in (["-sc"], ["--shell-completion"]) and words[1:] in INSTALL


def folder_exists() -> None:
    """
    Raises:
        ExpError: the current folder is gone, or no file of a run could hold its name.
    """
    try:
        os.getcwd().encode()
    except FileNotFoundError:
        raise ExpError("the current folder was removed: change to one that exists") from None
    except UnicodeEncodeError:
        what = "the name of the current folder is not UTF-8, so the files of a run cannot store it"
        raise ExpError(f"{what}: start from another folder") from None


def guarded(work: Callable[[], int]) -> int:
    """The exit code of `work`; an ExpError is printed without a traceback.

    Control characters are printed as text, and the reader of a pipe may stop reading."""
    with terminal.streams():
        code = ended(work)
        fault = terminal.not_written()
        if fault is not None:
            print(f"exp: cannot write to stdout: {reason_of(fault)}", file=sys.stderr)
        return code if fault is None else code or 2


def ended(work: Callable[[], int]) -> int:
    """The exit code of `work`, after its error is printed."""
    environment = sys.modules.get("exp.config.environment")
    if environment is not None:  # not the first command of this process
        environment.forget()
    try:
        return work()
    except ExpError as error:
        sys.stdout.flush()
        if os.environ.get("HYDRA_FULL_ERROR", "0") not in ("", "0"):
            traceback.print_exc()
        environment = sys.modules.get("exp.config.environment")
        text = str(error) if environment is None else environment.unshown(str(error))
        print(f"exp: {text}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as error:
        print("exp: interrupted", file=sys.stderr)
        return int(getattr(error, "code", 130))
    except SystemExit as error:
        if not isinstance(error.code, int | None):
            raise
        return error.code or 0


def leave(code: int) -> NoReturn:
    """Ends the process; with torch without freeing what it has imported, which takes longer than a
    small training does."""
    _exit_codes.append(code)
    sys.exit(code)


@atexit.register  # before all others, so the last that is called: joblib's removes its folders
def leave_at_once() -> None:
    if _exit_codes and "torch" in sys.modules:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_exit_codes[-1])
