"""How large a page may become, and what has to stay out of it."""

from __future__ import annotations

MB = 1_000_000
SMALL, LARGE = 9 * MB, 23 * MB
"""Bytes of a page of up to `FEW` runs, and of a larger one."""
FEW = 1_000
NARROW = 4 / 3
"""What base64 makes of a byte."""


class Budget:
    """Bytes of a page that are left.

    Args:
        runs: how many the page has.
        spent: bytes that are on it in any case.
    """

    def __init__(self, runs: int, spent: int) -> None:
        self.left = (SMALL if runs <= FEW else LARGE) - spent

    def take(self, size: int) -> bool:
        """Whether so many bytes of base64 still fit; then they are taken."""
        needed = round(size * NARROW)
        if needed > self.left:
            return False
        self.left -= needed
        return True
