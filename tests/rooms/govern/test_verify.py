"""Roles decide, events are chained, and `verify` finds what is missing or was changed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from PIL import Image

from calotype.acquire import service as acquire
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.errors import NotPermitted
from calotype.govern import service
from calotype.govern.rules import GRANTS, RoleRules


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


def test_a_whole_workspace_verifies(shop, owner):
    found = service.verify(owner, store=shop, deep=True)
    assert (found.ok, found.commits, found.media) == (True, 1, 3)


def test_a_missing_and_a_changed_picture_are_found(shop, owner):
    first, second, _ = (s.media_sha256 for s in datasets.read(owner, "shop", store=shop).iter_samples())
    shop.media.path(first).unlink()
    assert [first[:8] in problem for problem in service.verify(owner, store=shop).problems] == [True]
    changed = shop.media.path(second)
    changed.chmod(0o644)
    changed.write_bytes(b"something else")
    assert len(service.verify(owner, store=shop, deep=True).problems) == 2


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET actor = 'nobody' WHERE seq = 2", "DELETE FROM audit WHERE seq = 2",
     "UPDATE audit SET details = '{}' WHERE seq = 3"],
)  # fmt: skip
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


def test_roles_get_what_they_need_and_unknown_ones_nothing():
    rules = RoleRules()
    assert not any(rules.allows(Actor("x", "x", roles=("stranger",)), p, "shop") for p in Permission)
    assert all(rules.allows(Actor("x", "x", roles=("owner",)), p, "shop") for p in Permission)
    assert {role for role, granted in GRANTS.items() if Permission.AUDIT_READ in granted} == {
        "owner", "head-of-dataops", "auditor"}  # fmt: skip
