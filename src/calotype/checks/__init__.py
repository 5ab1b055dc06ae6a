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
    "BoxErrors": "boxes.errors",
    "Consensus": "consensus",
    "ErrorSlice": "slices",
    "ImageQuality": "image_quality",
    "LabelErrors": "label_errors",
    "MaskErrors": "masks.errors",
    "NearDuplicates": "near_duplicates",
    "box_errors": "boxes.errors",
    "consensus": "consensus",
    "embed": "embedding",
    "find_slices": "slices",
    "image_quality": "image_quality",
    "label_errors": "label_errors",
    "label_errors_from_embeddings": "label_errors",
    "mask_errors": "masks.errors",
    "near_duplicates": "near_duplicates",
}
"""Public name -> its module in `analysis`."""

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
    if name not in _FROM:
        raise AttributeError(f"module 'calotype.checks' has no attribute {name!r}")
    return getattr(importlib.import_module(f"calotype.analysis.{_FROM[name]}"), name)
