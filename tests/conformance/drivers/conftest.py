"""Every driver is tested with what it runs with outside the tests."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def quick_catalogs() -> None:
    """Catalogs are migrated here as everywhere outside the tests."""
