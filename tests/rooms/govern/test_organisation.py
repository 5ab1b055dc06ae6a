"""The model of the organisation: one setting, guarded, audited, seen by every decision; and the matrix of decisions."""

from __future__ import annotations

from contextlib import closing

import pytest

from calotype.app import workspaces
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor, Permission, RoleOn
from calotype.foundation.errors import NotPermitted
from calotype.govern import organisation, service
from calotype.govern.matrix import difference, matrix, rows
from calotype.govern.model import MODELS, ModelUnknown
from calotype.store import Store

CURATOR = Actor("person:1", "bo", roles=(), grants=(RoleOn("curator"),))


@pytest.fixture
def store(tmp_path, owner):
    """A workspace under the rules of `govern`."""
    created = workspaces.create(owner, tmp_path / "ws")
    yield created
    created.close()


def may_edit(store: Store) -> bool:
    return store.guard.allows(CURATOR, Permission.DATASET_EDIT, dataset="streets")


def test_a_workspace_begins_as_central_and_a_change_acts_at_once(store, owner):
    assert service.organisation(owner, store=store).model == "central"
    assert may_edit(store)
    service.set_organisation(owner, "decentral", store=store)
    assert not may_edit(store)
    event = service.audit(owner, store=store, subject="workspace", limit=1)[0]
    assert (event.verb, event.details) == ("organisation.set", {"from": "central", "to": "decentral"})


def test_another_process_sees_the_change_when_its_memory_is_old(store, owner, monkeypatch):
    with closing(workspaces.open_at(store.root)) as other:
        assert may_edit(other)
        service.set_organisation(owner, "decentral", store=store)
        monkeypatch.setattr(organisation, "MEMO_S", 0.0)
        assert not may_edit(other)


@pytest.mark.parametrize("role", ["head-of-dataops", "curator", "auditor"])
def test_only_owners_set_it(store, role):
    actor = Actor("person:1", "bo", roles=(), grants=(RoleOn(role),))
    with pytest.raises(NotPermitted, match="guard-governing-rights"):
        service.set_organisation(actor, "hybrid", store=store)
    assert service.organisation(actor, store=store).model == "central"


def test_an_unknown_model_is_refused(store, owner):
    for attempt in (
        lambda: service.set_organisation(owner, "flat", store=store),
        lambda: service.access_matrix(owner, store=store, model="flat"),
        lambda: service.access_matrix(owner, store=store, diff="flat"),
    ):
        with pytest.raises(ModelUnknown, match="flat"):
            attempt()


def test_the_rule_of_the_model_stands_in_the_refusal(store, owner):
    datasets.create(owner, "streets", store=store)
    service.set_organisation(owner, "hybrid", store=store)
    with pytest.raises(NotPermitted, match=r"dataset\.edit on streets; rule: no-permit"):
        store.guard.require(CURATOR, Permission.DATASET_EDIT, dataset="streets")


class TestMatrix:
    """All decisions for one role at a time."""

    @pytest.mark.parametrize("model", MODELS)
    def test_a_team_and_the_parts_of_a_dataset_answer_as_the_dataset(self, model):
        cells = {(c.role, c.held, c.action, c.kind): c.allowed for c in matrix(model)}
        for (role, held, action, kind), allowed in cells.items():
            if kind not in ("workspace", "dataset"):
                assert allowed == cells[role, held, action, "dataset"]

    def test_a_difference_is_a_decision_that_changed(self):
        changed = difference("central", "decentral")
        assert changed and all(item.before.allowed != item.after.allowed for item in changed)
        assert {d.before for d in changed} == {d.after for d in difference("decentral", "central")}
        assert difference("hybrid", "hybrid") == ()

    def test_a_row_says_where_a_role_must_be_held(self):
        cells = [cell for cell in matrix("decentral") if cell.kind == "dataset"]
        shown = {action: words for action, *words in rows(cells)}
        roles = [cell.role for cell in cells if (cell.action, cell.held) == ("dataset.edit", "team")]
        edit = dict(zip(roles, shown["dataset.edit"], strict=True))
        assert (edit["owner"], edit["curator"], edit["auditor"]) == ("yes", "team", "no")

    def test_it_is_shown_for_the_model_in_force(self, store, owner):
        service.set_organisation(owner, "hybrid", store=store)
        shown = service.access_matrix(owner, store=store)
        assert (shown.model, shown.cells) == ("hybrid", matrix("hybrid"))
        against = service.access_matrix(owner, store=store, model="central", diff="hybrid").to_dict()
        assert against["items"][0].keys() >= {"before", "rule_before", "allowed", "rule"}
