"""Fixtures of staffing: those of labelling."""

from tests.rooms.labelling.conftest import shift

__all__ = ["shift"]
