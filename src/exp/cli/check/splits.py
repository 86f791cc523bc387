"""What a split promises."""

from __future__ import annotations

import numpy as np

from exp.cli.check.finding import Checks
from exp.cli.check.subject import Subject, global_states, globally_seeded
from exp.cli.check.training import finite
from exp.data.dataset import Split

CHECKS = Checks()
LABELS = np.arange(90, dtype=np.int64) % 3


@CHECKS.add("split", "an exp.data.dataset.Split", essential=True)
def gives_a_split(subject: Subject) -> str | None:
    found = subject.build(LABELS.copy(), 0)
    return None if isinstance(found, Split) else f"a {type(found).__name__}"


@CHECKS.add("seeded", "the same parts from the same seed, whatever the global generators are")
def seeded(subject: Subject) -> str | None:
    found = []
    for number in (1, 2):
        with globally_seeded(number):
            found.append(subject.build(LABELS.copy(), 0).digest)
    return None if found[0] == found[1] else "other parts"


@CHECKS.add("global generators", "no global random state touched")
def global_generators(subject: Subject) -> str | None:
    with global_states() as changed:
        subject.build(LABELS.copy(), 0)
    return f"{' and '.join(changed)} changed" if changed else None


@CHECKS.add("labels kept", "the labels that it was handed unchanged")
def labels_kept(subject: Subject) -> str | None:
    handed = LABELS.copy()
    subject.build(handed, 0)
    return None if np.array_equal(handed, LABELS) else "labels that it has changed"


@CHECKS.add("trains", "a short run with finite losses")
def trains(subject: Subject) -> str | None:
    return finite(subject)
