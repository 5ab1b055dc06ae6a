"""Empty workspaces on a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calotype.foundation.actor import Actor
from calotype.store import Store
from calotype.store.store import create_workspace


@pytest.fixture
def owner() -> Actor:
    """Somebody who may do everything."""
    return Actor(id="test:ana", name="ana")


@pytest.fixture
def workspace(tmp_path: Path, owner: Actor) -> Iterator[Store]:
    """A fresh workspace in a folder of its own, closed afterwards."""
    store = create_workspace(owner, tmp_path / "workspace")
    yield store
    store.close()
