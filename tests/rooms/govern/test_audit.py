"""Roles decide, and events are chained."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from PIL import Image

from calotype.acquire import service as acquire
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.foundation.errors import NotPermitted
from calotype.govern import service


@pytest.fixture
def shop(workspace, owner, tmp_path):
    """A dataset of three images with one commit."""
    datasets.create(owner, "shop", store=workspace)
    (tmp_path / "in").mkdir()
    for at in range(3):
        Image.new("RGB", (9, 9), (at, 0, 0)).save(tmp_path / "in" / f"{at}.png")
    acquire.add(owner, "shop", [tmp_path / "in"], store=workspace)
    datasets.commit(owner, "shop", "three", store=workspace)
    return workspace


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "UPDATE audit SET details = '{}' WHERE seq = 3",
    ],
)
def test_an_event_that_was_changed_or_removed_breaks_the_chain(shop, owner, statement):
    assert service.chain_problems(owner, store=shop) == []
    engine = sa.create_engine(f"sqlite:///{shop.folder / 'catalog.sqlite'}")
    with engine.begin() as conn:
        conn.execute(sa.text(statement))
    engine.dispose()
    assert service.chain_problems(owner, store=shop) != []


def test_the_trail_names_who_did_what(shop, owner):
    verbs = [event.verb for event in service.audit(owner, store=shop, subject="shop")]
    assert verbs == ["dataset.commit", "images.add", "dataset.create"]
    with pytest.raises(NotPermitted):
        service.audit(Actor("x", "x", roles=("annotator",)), store=shop)
