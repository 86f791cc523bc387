"""Errors inside custom components while a stack trains."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from exp.engine.job import Job
from exp.registry.user_code import failed, is_users, of_machinery, passed_on

CALLS = (
    ("optimizer", r"optimizer\.step|torch\.step"),
    ("scheduler", r"schedul|\.rate\("),
    ("loss", r"loss|objective|criterion"),
    ("model", r"model|module|layer|function"),
)
"""A kind of component, and how a line of the engine looks that calls one."""


@contextmanager
def attributed(jobs: Sequence[Job]) -> Iterator[None]:
    """Within this a stack trains; an exception in a custom component names the component.

    Raises:
        CustomCodeError: such an exception, `sys.exit` included.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        chosen = jobs[0].plan.chosen
        custom = [kind for kind, each in chosen.items() if not each.packaged]
        if not custom or passed_on(error):
            raise
        frames = traceback.extract_tb(error.__traceback__)
        first = next((n for n, frame in enumerate(frames) if is_users(frame.filename)), None)
        if first is None and (not frames or of_machinery(frames[-1].filename)):
            raise
        calls = [f for f in frames[:first] if of_machinery(f.filename)]
        line = (calls[-1].line or "") if calls else ""
        kind = next((kind for kind, pattern in CALLS if re.search(pattern, line)), None)
        if first is None or kind not in custom:
            kind = custom[0] if len(custom) == 1 else None
        titles = " and ".join(chosen[each].at_fault for each in ([kind] if kind else custom))
        raise failed(titles, error) from error
