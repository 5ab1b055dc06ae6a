"""A dataset that every test of the room may read, and one that a test may write."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.cities import ANA, Town, make_city

from calotype.datasets import service
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.ids import uuid7
from calotype.govern.rules import RoleRules
from calotype.store import Store
from calotype.store.store import create_workspace


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A workspace with the dataset `city`, only to be read."""
    store = create_workspace(ANA, tmp_path_factory.mktemp("shared") / "workspace", decider=RoleRules())
    make_city(ANA, store)
    yield store
    store.close()


@pytest.fixture(scope="session")
def city(shared: Store) -> Snapshot:
    """The working state of `city`, only to be read."""
    return service.read(ANA, "city", store=shared)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A workspace that tests write, each in a dataset of its own."""
    store = create_workspace(ANA, tmp_path_factory.mktemp("written") / "workspace", decider=RoleRules())
    yield store
    store.close()


@pytest.fixture
def town(written: Store) -> Town:
    """A new, empty dataset."""
    return Town(ANA, written, f"town-{uuid7()}")
