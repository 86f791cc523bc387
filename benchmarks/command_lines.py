"""Command lines that nobody would think of: each ends in a result or in one clear error.

    python benchmarks/command_lines.py 10000 --seed 0

They are drawn from a grammar of flags, overrides, sweeps, verbs and odd values, and changed by
chance; training is real and tiny, all in this process. Each that ends in a traceback, with a wrong
exit code, or not within a minute is printed with its number: `--only NUMBER` does it again.
"""

from __future__ import annotations

import argparse
import collections
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
from drawn import command_line, prepared, wrong

SECONDS = 60
"""A command line that takes longer is taken to hang."""


class TooLong(BaseException):
    pass


def stop(*_: object) -> None:
    raise TooLong


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
    begun, slowest = time.monotonic(), (0.0, "")
    numbers = range(args.count) if args.only is None else [args.only]
    for number in numbers:
        words = command_line(random.Random(f"{args.seed} {number}"))
        where = root / str(number) / "a" / "b"
        shutil.copytree(model, where)
        started = time.monotonic()
        signal.alarm(SECONDS)
        try:
            ended = inside(where, *words)
            signal.alarm(0)
            what = wrong(words, ended)
            codes[ended.code] += 1
        except TooLong:
            ended, what = Ended(-1, "", "", where), "it hangs"
        except BaseException as error:
            signal.alarm(0)
            ended = Ended(-1, "", traceback.format_exc(), where)
            what = f"{type(error).__name__}: {error}"[:200]
        slowest = max(slowest, (time.monotonic() - started, shlex.join(words)[:200]))
        if what is not None or args.only is not None:
            kinds[str(what)[:60]] += 1
            print(f"{number}: {what}\n  {shlex.join(words)[:600]!r}")
            print("  " + "\n  ".join((ended.err or ended.out).splitlines()[-12:]), flush=True)
        shutil.rmtree(root / str(number), ignore_errors=True)
    seconds = time.monotonic() - begun
    shutil.rmtree(root, ignore_errors=True)
    print(
        f"{len(numbers)} command lines in {seconds:.0f} s: exit codes {dict(sorted(codes.items()))}"
    )
    print(f"slowest {slowest[0]:.1f} s: {slowest[1]!r}")
    print(f"{sum(kinds.values())} ended wrong: {dict(kinds)}")
    return 1 if kinds else 0


if __name__ == "__main__":
    raise SystemExit(main())
