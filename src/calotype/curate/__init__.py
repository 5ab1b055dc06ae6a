"""Assign samples to splits, select samples, and search them by vectors.

`select` can be called without a workspace, with NumPy arrays; it is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from calotype.selection.select import Selected, select

__all__ = ["Selected", "select"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'calotype.curate' has no attribute {name!r}")
    return getattr(importlib.import_module("calotype.selection.select"), name)
