"""exp: configuration-driven PyTorch classification experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exp.registry import register

__all__ = ["register"]


def __getattr__(name: str) -> Any:
    # `import exp` stays free of pydantic and all else until something is asked of it.
    if name == "register":
        import exp.components  # noqa: F401 - declares the kinds
        from exp.registry import register

        return register
    raise AttributeError(f"module 'exp' has no attribute {name!r}")
