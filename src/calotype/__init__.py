"""Calotype: images in, governed datasets out.

import calotype as ct

    ws = ct.open("streets")
    ds = ws.create("crossings")

`__all__` is the whole public interface. Its names are imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from calotype.api.access import Access
    from calotype.api.annotate import Annotate
    from calotype.api.dataset import Dataset, View
    from calotype.api.labelling import Assignment, Batch, Work
    from calotype.api.merge import Merge
    from calotype.api.release import Release
    from calotype.api.workspace import Workspace, telling
    from calotype.app.open_workspace import open
    from calotype.datasets.query import annotation_count, any_annotation, field
    from calotype.exchange.conversion import convert
    from calotype.exchange.inspection import inspect
    from calotype.foundation.actor import Actor
    from calotype.foundation.errors import CalotypeError

__version__ = "0.1.0"

__all__ = [
    "Access",
    "Actor",
    "Annotate",
    "Assignment",
    "Batch",
    "CalotypeError",
    "Dataset",
    "Merge",
    "Release",
    "View",
    "Work",
    "Workspace",
    "annotation_count",
    "any_annotation",
    "convert",
    "field",
    "inspect",
    "open",
    "telling",
]

_MODULE_OF = {
    "Access": "calotype.api.access",
    "Annotate": "calotype.api.annotate",
    "Assignment": "calotype.api.labelling",
    "Batch": "calotype.api.labelling",
    "Work": "calotype.api.labelling",
    "Actor": "calotype.foundation.actor",
    "CalotypeError": "calotype.foundation.errors",
    "Dataset": "calotype.api.dataset",
    "Merge": "calotype.api.merge",
    "Release": "calotype.api.release",
    "View": "calotype.api.dataset",
    "Workspace": "calotype.api.workspace",
    "annotation_count": "calotype.datasets.query",
    "any_annotation": "calotype.datasets.query",
    "convert": "calotype.exchange.conversion",
    "field": "calotype.datasets.query",
    "inspect": "calotype.exchange.inspection",
    "open": "calotype.app.open_workspace",
    "telling": "calotype.api.workspace",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'calotype' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
