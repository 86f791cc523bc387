"""What a split promises."""

from __future__ import annotations

import numpy as np
import pytest

from exp.cli.check.subject import Subject, global_states, globally_seeded
from exp.cli.check.training import assert_trains
from exp.data.dataset import Split

LABELS = np.arange(90, dtype=np.int64) % 3


@pytest.mark.essential
def test_split(subject: Subject) -> None:
    """an exp.data.Split"""
    found = subject.build(LABELS.copy(), 0)
    assert isinstance(found, Split), f"a {type(found).__name__}"


def test_seeded(subject: Subject) -> None:
    """the same parts from the same seed, for any state of the global generators"""
    found = []
    for number in (1, 2):
        with globally_seeded(number):
            found.append(subject.build(LABELS.copy(), 0).digest)
    assert found[0] == found[1], "other parts"


def test_global_generators(subject: Subject) -> None:
    """no change of a global random generator"""
    with global_states() as changed:
        subject.build(LABELS.copy(), 0)
    assert not changed, f"{' and '.join(changed)} changed"


def test_labels_kept(subject: Subject) -> None:
    """its labels unchanged"""
    labels = LABELS.copy()
    subject.build(labels, 0)
    assert np.array_equal(labels, LABELS), "labels that it has changed"


def test_trains(subject: Subject) -> None:
    """a short run with finite losses"""
    assert_trains(subject)
