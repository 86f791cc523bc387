"""Command lines that nobody would think of: each ends in a result or in one clear error.

    python benchmarks/command_lines.py 10000 --seed 0

They are drawn from a grammar of flags, overrides, sweeps, verbs and odd values, and changed by
chance; training is real and tiny, all in this process. Each that ends in a traceback, with a wrong
exit code, or not within ten seconds of CPU time (or a minute) is printed with its number: `--only
NUMBER` does it again. Composing takes nearly all of the time: give each core a seed of its own.
"""

from __future__ import annotations

import argparse
import collections
import gc
import os
import random
import shlex
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

os.environ.setdefault("MKL_CBWR", "AUTO")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from commands import Ended, inside
from random_command_lines import command_line, prepared, wrong

CPU_SECONDS, SECONDS = 10, 60
"""A command line that takes longer is taken to hang. A busy machine does not make CPU time longer;
whoever waits uses none."""


class TooLong(BaseException):
    pass


def stop(*_: object) -> None:
    raise TooLong


def stop_after(cpu_seconds: float, seconds: float) -> None:
    """Raises `TooLong` in this process then; 0: never."""
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    root = Path(tempfile.mkdtemp(prefix="exp-lines-"))
    os.environ["EXP_CACHE"] = str(root / "cache")
    os.environ["LOKY_MAX_CPU_COUNT"] = "1"
    model = root / "model"
    model.mkdir()
    prepared(model)
    codes: collections.Counter[int] = collections.Counter()
    kinds: collections.Counter[str] = collections.Counter()
    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGPROF, stop)
    gc.collect()
    gc.freeze()  # torch's many objects stay: they need not be looked through again
    begun, used, slowest = time.monotonic(), time.process_time(), (0.0, "")
    numbers = range(args.count) if args.only is None else [args.only]
    for number in numbers:
        words = command_line(random.Random(f"{args.seed} {number}"))
        where = root / str(number) / "a" / "b"
        shutil.copytree(model, where)
        started = time.process_time()
        stop_after(CPU_SECONDS, SECONDS)
        try:
            ended = inside(where, *words)
            stop_after(0, 0)
            what = wrong(words, ended)
            codes[ended.code] += 1
        except TooLong:
            stop_after(0, 0)
            ended, what = Ended(-1, "", "", where), "it hangs"
        except BaseException as error:
            stop_after(0, 0)
            ended = Ended(-1, "", traceback.format_exc(), where)
            what = f"{type(error).__name__}: {error}"[:200]
        slowest = max(slowest, (time.process_time() - started, shlex.join(words)[:200]))
        if what is not None or args.only is not None:
            if what is not None:
                kinds[what[:60]] += 1
            print(f"{number}: {what}\n  {shlex.join(words)[:600]!r}")
            print("  " + "\n  ".join((ended.err or ended.out).splitlines()[-12:]), flush=True)
        shutil.rmtree(root / str(number), ignore_errors=True)
        if number % 100 == 99:
            print(f"{number + 1} done, {sum(kinds.values())} wrong, {dict(codes)}", flush=True)
    seconds = time.monotonic() - begun
    shutil.rmtree(root, ignore_errors=True)
    print(
        f"{len(numbers)} command lines in {seconds:.0f} s "
        f"({time.process_time() - used:.0f} s of CPU time): "
        f"exit codes {dict(sorted(codes.items()))}"
    )
    print(f"slowest {slowest[0]:.1f} s of CPU time: {slowest[1]!r}")
    print(f"{sum(kinds.values())} ended wrong: {dict(kinds)}")
    return 1 if kinds else 0


if __name__ == "__main__":
    raise SystemExit(main())
