"""Fixtures of findings: a dataset to fill with images."""

from __future__ import annotations

import pytest
from tests.support.things import Things

from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.store import Store


@pytest.fixture
def things(workspace: Store, owner: Actor) -> Things:
    """An empty dataset."""
    datasets.create(owner, "things", store=workspace)
    return Things(workspace, owner)
