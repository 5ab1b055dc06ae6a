"""Calotype: images in, governed datasets out.

import calotype as ct

    ws = ct.open("streets")
    ds = ws.create("crossings")

What is named in `__all__` is the whole public interface; it is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from calotype.api.handles import Merge
    from calotype.api.releases import Release
    from calotype.api.workspace import Dataset, View, Workspace, telling
    from calotype.app.open_workspace import open
    from calotype.datasets.query import annotation_count, any_annotation, field
    from calotype.foundation.actor import Actor
    from calotype.foundation.errors import CalotypeError

__version__ = "0.1.0"

__all__ = [
    "Actor",
    "CalotypeError",
    "Dataset",
    "Merge",
    "Release",
    "View",
    "Workspace",
    "annotation_count",
    "any_annotation",
    "field",
    "open",
    "telling",
]

_FROM = {
    "Actor": "calotype.foundation.actor",
    "CalotypeError": "calotype.foundation.errors",
    "Dataset": "calotype.api.workspace",
    "Merge": "calotype.api.handles",
    "Release": "calotype.api.releases",
    "View": "calotype.api.workspace",
    "Workspace": "calotype.api.workspace",
    "annotation_count": "calotype.datasets.query",
    "any_annotation": "calotype.datasets.query",
    "field": "calotype.datasets.query",
    "open": "calotype.app.open_workspace",
    "telling": "calotype.api.workspace",
}


def __getattr__(name: str) -> Any:
    if name not in _FROM:
        raise AttributeError(f"module 'calotype' has no attribute {name!r}")
    return getattr(importlib.import_module(_FROM[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
