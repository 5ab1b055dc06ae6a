"""The verbs of staffing."""

from __future__ import annotations

from calotype.staffing.figures import batch_figures

__all__ = ["batch_figures"]
