"""The callback by which long-running work reports progress."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (what, done, total); total 0 means unknown."""


def silent(what: str, done: int, total: int) -> None:
    """Ignore progress."""
