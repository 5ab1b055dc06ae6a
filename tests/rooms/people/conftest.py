"""Passwords that cost little to hash; one test looks at what they cost in earnest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from calotype.app import workspaces
from calotype.foundation.actor import Actor
from calotype.people import secret
from calotype.store import Store


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cheap hash for the passwords of tests."""
    monkeypatch.setattr(secret, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def workspace(tmp_path: Path, owner: Actor) -> Iterator[Store]:
    """A fresh workspace under the rules of `govern`."""
    store = workspaces.create(owner, tmp_path / "workspace")
    yield store
    store.close()
