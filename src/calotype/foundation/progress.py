"""How long work tells how far it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (what, done, total); total 0 means unknown."""


def silent(what: str, done: int, total: int) -> None:
    """Nobody listens."""
