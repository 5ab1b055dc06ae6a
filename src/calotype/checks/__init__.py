"""Data tests: what is wrong with a dataset, and may it be released?

The methods can be called without a workspace, with NumPy arrays or paths; each is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from calotype.analysis.boxes.errors import BoxErrors, box_errors
    from calotype.analysis.consensus import Consensus, consensus
    from calotype.analysis.embedding import embed
    from calotype.analysis.image_quality import ImageQuality, image_quality
    from calotype.analysis.label_errors import (
        LabelErrors,
        label_errors,
        label_errors_from_embeddings,
    )
    from calotype.analysis.masks.errors import MaskErrors, mask_errors
    from calotype.analysis.near_duplicates import NearDuplicates, near_duplicates
    from calotype.analysis.slices import ErrorSlice, find_slices

_FROM = {
    "boxes.errors": ("BoxErrors", "box_errors"),
    "consensus": ("Consensus", "consensus"),
    "embedding": ("embed",),
    "image_quality": ("ImageQuality", "image_quality"),
    "label_errors": ("LabelErrors", "label_errors", "label_errors_from_embeddings"),
    "masks.errors": ("MaskErrors", "mask_errors"),
    "near_duplicates": ("NearDuplicates", "near_duplicates"),
    "slices": ("ErrorSlice", "find_slices"),
}
"""Module in `analysis` -> its public names."""

__all__ = [
    "BoxErrors",
    "Consensus",
    "ErrorSlice",
    "ImageQuality",
    "LabelErrors",
    "MaskErrors",
    "NearDuplicates",
    "box_errors",
    "consensus",
    "embed",
    "find_slices",
    "image_quality",
    "label_errors",
    "label_errors_from_embeddings",
    "mask_errors",
    "near_duplicates",
]


def __getattr__(name: str) -> Any:
    for module, names in _FROM.items():
        if name in names:
            return getattr(importlib.import_module(f"calotype.analysis.{module}"), name)
    raise AttributeError(f"module 'calotype.checks' has no attribute {name!r}")
