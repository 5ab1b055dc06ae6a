"""Fixtures of reviews: those of labelling."""

from tests.rooms.labelling.conftest import shift

__all__ = ["shift"]
