"""A conformance suite for components: what a kind promises, tried on one's own.

from exp.cli.check import failures
assert failures("rings") == []
"""

from __future__ import annotations

from exp.cli.check.suite import failures

__all__ = ["failures"]
