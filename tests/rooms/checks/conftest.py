"""Fixtures of checks: a dataset to fill with images."""

from __future__ import annotations

import pytest
from tests.support.things import Things

from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.store import Store
from calotype.vision.ontology import Ontology


@pytest.fixture
def things(workspace: Store, owner: Actor) -> Things:
    """An empty dataset."""
    datasets.create(owner, "things", store=workspace)
    return Things(workspace, owner)


@pytest.fixture
def ontology() -> Ontology:
    """Two classes."""
    return Ontology().add("car").add("dog")
