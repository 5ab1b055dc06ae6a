"""A dataset with a branch beside main, in a workspace that all tests of the room write."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.cities import ANA, Town, sample

from calotype.datasets.change import Change
from calotype.foundation.ids import uuid7
from calotype.govern.rules import RoleRules
from calotype.store import Store
from calotype.store.store import create_workspace


class Forked(Town):
    """Samples s0 and s1, committed on main, and a branch `fix` from there."""

    def __init__(self, store: Store) -> None:
        super().__init__(ANA, store, f"forked-{uuid7()}")
        self.first = self.commit("s0", "s1", message="first")
        self.do("branch", "fix")

    def put(self, sample_id: str, *, on: str = "", **values: object) -> None:
        """Give a sample other values, as a commit."""
        change = Change(put_samples=[sample(sample_id, f"{sample_id}.jpg", **values)])
        self.do("apply", change, on=on)
        self.do("commit", f"{sample_id} on {on or 'main'}", on=on)

    def conflict(self) -> None:
        """Give s0 another split on either side, and s1 another licence."""
        for on, split, licence in (("fix", "train", "CC0-1.0"), ("main", "val", "CC-BY-4.0")):
            changed = [sample("s0", "s0.jpg", split=split), sample("s1", "s1.jpg", licence=licence)]
            self.do("apply", Change(put_samples=changed), on=on)
            self.do("commit", f"both on {on}", on=on)

    def splits(self, on: str = "") -> dict[str, str]:
        """Split by sample."""
        return {row.sample_id: row.split for row in self.do("read", on=on).iter_samples()}


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A workspace that tests write, each in a dataset of its own."""
    store = create_workspace(ANA, tmp_path_factory.mktemp("versions") / "workspace", decider=RoleRules())
    yield store
    store.close()


@pytest.fixture
def forked(written: Store) -> Forked:
    """A dataset with two branches."""
    return Forked(written)


@pytest.fixture
def torn(forked: Forked) -> Forked:
    """The same with a merge of `fix` into main that waits: two conflicts."""
    forked.conflict()
    assert forked.do("merge", "fix").is_open
    return forked


@pytest.fixture(scope="session")
def shared_fork(written: Store) -> Forked:
    """A dataset with two branches, for tests that leave it as it is."""
    return Forked(written)


@pytest.fixture(scope="session")
def shared_torn(written: Store) -> Forked:
    """A dataset with a merge that waits, for tests that leave it as it is."""
    town = Forked(written)
    town.conflict()
    town.do("merge", "fix")
    return town
