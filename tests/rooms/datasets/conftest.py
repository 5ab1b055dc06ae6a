"""A dataset that every test of the room may read, and one that a test may write."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.cities import make_city

from calotype.datasets import service
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.store import Store
from calotype.store.store import create_workspace

ANA = Actor(id="test:ana", name="ana")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A workspace with the dataset `city`, only to be read."""
    store = create_workspace(ANA, tmp_path_factory.mktemp("shared") / "workspace")
    make_city(ANA, store)
    yield store
    store.close()


@pytest.fixture(scope="session")
def city(shared: Store) -> Snapshot:
    """The working state of `city`, only to be read."""
    return service.read(ANA, "city", store=shared)
