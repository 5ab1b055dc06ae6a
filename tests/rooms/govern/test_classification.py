"""What kind of data a dataset holds: who says so, what the rules make of it, and what a hold keeps."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from tests.support.images import folder_of_images

from calotype.acquire import service as acquire
from calotype.acquire.model import ImageOptions
from calotype.app import wiring, workspaces
from calotype.contracts.classification import Classification, held_datasets
from calotype.curate import vectors
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.refs import DatasetNotFound
from calotype.foundation.actor import ROLES, Actor, Permission, RoleOn
from calotype.foundation.errors import NotPermitted
from calotype.govern import cedar, organisation, service
from calotype.govern.model import MODELS, Changes, ClassificationInvalid, DatasetClassUnknown
from calotype.people import access
from calotype.people import service as people
from calotype.release import exporting
from calotype.release import service as release
from calotype.release.model import ReleaseSpec
from calotype.reliability import service as reliability
from calotype.store import Store
from calotype.store.catalog import schema

PERSONAL = Changes(data_class="personal")


@pytest.fixture
def store(tmp_path, owner):
    """A workspace under the rules of `govern`, with the datasets streets and night."""
    created = workspaces.create(owner, tmp_path / "ws")
    for name in ("streets", "night"):
        datasets.create(owner, name, store=created)
    yield created
    created.close()


def bo(*grants: RoleOn) -> Actor:
    return Actor("person:1", "bo", roles=(), grants=grants)


def with_image(store: Store, owner: Actor, tmp_path) -> None:
    """One image in streets, committed."""
    files = folder_of_images(tmp_path / "images", 1)
    acquire.add(owner, "streets", list(map(str, files)), ImageOptions(), store=store)
    datasets.commit(owner, "streets", "first", store=store)


def released(store: Store, actor: Actor, version: str, purpose: str = ""):
    return release.release(
        actor,
        "streets",
        version,
        ReleaseSpec(purpose=purpose),
        store=store,
        gatekeeper=wiring.gatekeeper(store),
        splitter=wiring.splitter,
    )


def test_a_dataset_begins_as_internal_and_keeps_what_is_not_mentioned(store, owner):
    assert service.classification(owner, "streets", store=store) == Classification("internal")
    service.classify(owner, "streets", Changes(data_class="personal", licence="CC-BY-4.0"), store=store)
    service.classify(owner, "streets", Changes(purposes=("training", "training ")), store=store)
    expected = Classification("personal", "CC-BY-4.0", ("training",), "")
    assert service.classification(owner, "streets", store=store) == expected
    assert service.classification(owner, "night", store=store) == Classification()
    event = service.audit(owner, store=store, subject="streets", limit=1)[0]
    assert (event.verb, event.details["to"]["purposes"]) == ("dataset.classify", ["training"])


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("model", MODELS)
def test_owners_and_the_head_of_dataops_classify_in_every_organisation(store, owner, model, role):
    service.set_organisation(owner, model, store=store)
    actor = bo(RoleOn(role))
    may = role in ("owner", "head-of-dataops")
    assert store.guard.allows(actor, Permission.DATASET_CLASSIFY, dataset="streets") == may
    if not may:
        with pytest.raises(NotPermitted):
            service.classify(actor, "streets", PERSONAL, store=store)


def test_what_is_invalid_is_refused_before_anything_is_written(store, owner):
    wrong: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"data_class": "secret"}, DatasetClassUnknown),
        ({"licence": "x" * 201}, ClassificationInvalid),
        ({"hold": "two\nlines"}, ClassificationInvalid),
        ({"purposes": (" ",)}, ClassificationInvalid),
        ({"purposes": tuple(map(str, range(21)))}, ClassificationInvalid),
    ]
    for changes, error in wrong:
        with pytest.raises(error):
            Changes(**changes)
    with pytest.raises(DatasetNotFound):
        service.classify(owner, "absent", PERSONAL, store=store)


class TestPersonal:
    """Export and release of personal data need a role for that on the dataset itself."""

    @pytest.mark.parametrize("action", [Permission.EXPORT, Permission.RELEASE_CREATE])
    @pytest.mark.parametrize("role", ["owner", "curator", "data-engineer"])
    def test_a_role_on_the_whole_workspace_is_not_enough(self, store, owner, role, action):
        service.classify(owner, "streets", PERSONAL, store=store)
        everywhere, here = bo(RoleOn(role)), bo(RoleOn(role, "streets"))
        with pytest.raises(NotPermitted, match=r"guard-personal.*personal data is exported"):
            store.guard.require(everywhere, action, dataset="streets")
        assert store.guard.allows(here, action, dataset="streets")
        assert store.guard.allows(everywhere, action, dataset="night")
        assert store.guard.allows(everywhere, Permission.DATASET_READ, dataset="streets")

    @pytest.mark.parametrize("role", ["service", "ml-engineer"])
    def test_programs_and_engineers_export_what_they_have_a_grant_for(self, store, owner, role):
        service.classify(owner, "streets", PERSONAL, store=store)
        with pytest.raises(NotPermitted, match="guard-personal"):
            exporting.may_export(bo(RoleOn(role)), "streets", store=store)
        exporting.may_export(bo(RoleOn(role), RoleOn(role, "streets")), "streets", store=store)

    def test_a_role_here_that_takes_nothing_out_does_not_help_one_on_the_workspace(self, store, owner):
        service.classify(owner, "streets", PERSONAL, store=store)
        mixed = bo(RoleOn("curator"), RoleOn("annotator", "streets"))
        assert not store.guard.allows(mixed, Permission.EXPORT, dataset="streets")

    def test_whoever_has_the_folder_is_not_kept_from_their_own_disk(self, store, owner):
        service.classify(owner, "streets", PERSONAL, store=store)
        exporting.may_export(owner, "streets", store=store)

    def test_the_reason_and_the_grant_that_helps_are_named(self, store, owner):
        people.add_person(owner, "mei@example.org", "Mei", store=store)
        people.grant_role(owner, "mei@example.org", "ml-engineer", store=store)
        service.classify(owner, "streets", PERSONAL, store=store)
        answer = access.why(owner, "mei@example.org", "dataset.export", "dataset:streets", store=store)
        assert (answer.allowed, answer.rule) == (False, "guard-personal")
        assert ("ml-engineer", "dataset:streets") in answer.would_allow
        assert all(place != "workspace" for _, place in answer.would_allow)


class TestPurposes:
    """A release names one of the purposes that the dataset lists."""

    def test_a_release_for_another_purpose_is_refused(self, store, owner, tmp_path):
        with_image(store, owner, tmp_path)
        service.classify(owner, "streets", Changes(purposes=("training",)), store=store)
        for purpose in ("", "sale"):
            with pytest.raises(NotPermitted, match="guard-purpose"):
                released(store, owner, "1.0.0", purpose)
        assert released(store, owner, "1.0.0", "training").spec.purpose == "training"

    def test_whether_somebody_may_release_at_all_does_not_depend_on_a_purpose(self, store, owner):
        service.classify(owner, "streets", Changes(purposes=("training",)), store=store)
        assert store.guard.allows(bo(RoleOn("curator")), Permission.RELEASE_CREATE, dataset="streets")


class TestHold:
    """Under a hold nothing of a dataset is deleted, and its class is not lowered."""

    def test_nobody_lowers_the_class_until_the_hold_is_released(self, store, owner):
        service.classify(owner, "streets", Changes(data_class="confidential", hold="case 12"), store=store)
        with pytest.raises(NotPermitted, match="guard-hold"):
            service.classify(owner, "streets", Changes(data_class="public"), store=store)
        with pytest.raises(NotPermitted, match="guard-hold"):
            service.classify(owner, "streets", Changes(data_class="public", hold=""), store=store)
        service.classify(owner, "streets", PERSONAL, store=store)
        service.classify(owner, "streets", Changes(hold=""), store=store)
        service.classify(owner, "streets", Changes(data_class="public"), store=store)

    def test_vectors_are_not_removed(self, store, owner):
        service.classify(owner, "streets", Changes(hold="case 12"), store=store)
        with pytest.raises(NotPermitted, match="guard-hold"):
            vectors.remove_vectors(owner, "streets", ["x"], store=store)

    def test_gc_keeps_what_it_would_remove(self, store, owner, tmp_path):
        with_image(store, owner, tmp_path)
        service.classify(owner, "streets", Changes(hold="case 12"), store=store)
        with store.catalog.read() as conn:
            assert len(held_datasets(conn)) == 1
        sample = datasets.read(owner, "streets", store=store).ids()[0]
        remove(owner, store, sample)
        for _ in range(2):
            kept = reliability.gc(owner, store=store, grace_s=0.0)
        assert sum(kept.removed.values()) == 0
        assert _journal(store) == 1
        service.classify(owner, "streets", Changes(hold=""), store=store)
        reliability.gc(owner, store=store, grace_s=0.0)
        assert _journal(store) == 0


def _journal(store: Store) -> int:
    """Edits that can be undone."""
    with store.catalog.read() as conn:
        return len(conn.execute(schema.edits.select()).all())


def remove(owner: Actor, store: Store, sample: str) -> None:
    """Remove a sample from the working state."""
    datasets.apply(
        owner, "streets", lambda _state: Change(remove_samples=[sample]), store=store, verb="samples.remove"
    )


def test_another_process_sees_it_when_its_memory_is_old(store, owner, monkeypatch):
    curator = bo(RoleOn("curator"))
    with closing(workspaces.open_at(store.root)) as other:
        assert other.guard.allows(curator, Permission.EXPORT, dataset="streets")
        service.classify(owner, "streets", PERSONAL, store=store)
        monkeypatch.setattr(organisation, "MEMO_S", 0.0)
        assert not other.guard.allows(curator, Permission.EXPORT, dataset="streets")


def test_policies_see_every_attribute():
    about = Classification("personal", "CC-BY-4.0", ("training",), "case 12")
    question = cedar.Question(Permission.EXPORT, frozenset(), "dataset", about=about)
    attributes = {entity["uid"]["type"]: entity["attrs"] for entity in cedar._entities(question)}
    assert attributes["Dataset"] == {
        "class": "personal",
        "licence": "CC-BY-4.0",
        "purposes": ["training"],
        "restricted": True,
        "hold": True,
    }
    assert attributes["Workspace"] == attributes["Team"] == {}
