"""How runs stand, and why they ended."""

from __future__ import annotations

STATUSES = ("done", "diverged", "failed", "interrupted", "crashed", "running", "pending")
"""How a run may stand. Two of them are in no file: crashed, whose run.json says "running" although
its process is gone, and pending, which has no run.json yet."""
STORED = tuple(status for status in STATUSES if status not in ("crashed", "pending"))
"""What the `status` in run.json may be."""
ENDED = ("done", "diverged")
"""Of a run that was trained to its end."""
WENT_WRONG = ("diverged", "failed", "interrupted", "crashed")
"""Of a run that did not end well."""
UNFINISHED = ("running", "interrupted", "pending", "crashed")
"""Of a run that has not come to an end, and may go on to one."""
END_REASONS = ("done", "stopped", "pruned", "diverged")
"""Why a run that was trained to its end has ended, which is the `status` in summary.json: after its
last epoch, early, worse than a limit of `trainer.prune`, or with a loss that is not finite."""
