"""Accounts, teams and grants: who may change whom, and what a person may then do."""

from __future__ import annotations

import pytest
from tests.support.refusals import assert_refused

from calotype.datasets import service as datasets
from calotype.foundation.actor import ROLES, WORKSPACE, Actor, Permission, RoleOn
from calotype.foundation.clock import now_us
from calotype.foundation.errors import CalotypeError, NotPermitted
from calotype.govern import service as govern
from calotype.govern.rules import RoleRules
from calotype.people import invitations, service, signing_in
from calotype.people.model import end_of
from calotype.store import Store

PASSWORD = "a lamp, a lens, a plate"


def join(store: Store, secret: str, **more: str) -> Actor:
    """Accept an invitation and sign in."""
    person = invitations.accept_invitation(secret, store=store, password=PASSWORD, **more)
    return signed_in(store, person.email)


def signed_in(store: Store, email: str) -> Actor:
    """The actor of a new session."""
    found = signing_in.from_session(signing_in.sign_in(email, PASSWORD, store=store), store=store)
    assert found is not None
    return found.actor


@pytest.fixture
def first(workspace) -> Actor:
    """The first owner."""
    secret = invitations.first_owner_secret(workspace)
    assert secret is not None
    return join(workspace, secret, name="Ana", email="Ana@Example.org")


def invite(workspace: Store, by: Actor, email: str, **more: str) -> Actor:
    _, secret = service.add_person(by, email, email.partition("@")[0], store=workspace, **more)
    return join(workspace, secret)


def may(store: Store, actor: Actor, permission: Permission, dataset: str = WORKSPACE) -> bool:
    return store.guard.allows(actor, permission, dataset=dataset)


def test_each_role_that_can_be_granted_is_known_to_the_rules():
    rules = RoleRules()
    for role in ROLES:
        account = Actor(
            "person:1", "bo", "service" if role == "service" else "person", (), (RoleOn(role, "streets"),)
        )
        needed = Permission.WORK_DO if role == "vendor-annotator" else Permission.DATASET_READ
        assert rules.decide(account, needed, "streets").allowed, role
    stranger = Actor("person:1", "bo", "person", (), (RoleOn("unknown", "streets"),))
    assert not rules.decide(stranger, Permission.DATASET_READ, "streets").allowed


def test_the_first_owner_comes_by_a_link_that_works_once(workspace, first):
    assert first.name == "ana@example.org"
    assert may(workspace, first, Permission.GRANT_MANAGE)
    assert invitations.first_owner_secret(workspace) is None


def test_a_new_link_for_the_first_owner_ends_the_one_before(workspace):
    before, after = (invitations.first_owner_secret(workspace) for _ in range(2))
    assert before and after
    with pytest.raises(CalotypeError) as refused:
        join(workspace, before, name="Eve", email="eve@example.org")
    assert_refused(refused, "invitation-invalid", fix="new one")
    assert join(workspace, after, name="Ana", email="ana@example.org").kind == "person"
    with pytest.raises(CalotypeError):
        join(workspace, after, name="Eve", email="eve@example.org")


def test_an_invited_person_without_a_role_sees_nothing(workspace, owner, first):
    datasets.create(owner, "streets", store=workspace)
    bo = invite(workspace, first, "bo@example.org")
    assert datasets.datasets(bo, store=workspace) == []
    with pytest.raises(NotPermitted):
        datasets.create(bo, "mine", store=workspace)


def test_a_role_on_one_dataset_holds_there_only(workspace, owner, first):
    for name in ("streets", "workspace", "night"):
        datasets.create(owner, name, store=workspace)
    invite(workspace, first, "bo@example.org")
    service.grant_role(
        first, "bo@example.org", "owner", store=workspace, on="dataset:workspace", reason="pilot"
    )
    bo = signed_in(workspace, "bo@example.org")
    assert [item.name for item in datasets.datasets(bo, store=workspace)] == ["workspace"]
    assert may(workspace, bo, Permission.DATASET_EDIT, "workspace")
    assert not any(
        may(workspace, bo, permission) for permission in set(Permission) - {Permission.ACCOUNT_OWN}
    )
    assert not may(workspace, bo, Permission.DATASET_READ, "night")


def test_a_team_gives_its_members_their_role_on_its_datasets(workspace, owner, first):
    for name in ("streets", "night"):
        datasets.create(owner, name, store=workspace)
    service.add_team(first, "vision", store=workspace)
    invite(workspace, first, "bo@example.org", team="vision", role="curator")
    invite(workspace, first, "chi@example.org")
    team = service.own_datasets(first, "vision", ["streets"], store=workspace)
    assert (team.members[0].role, team.datasets) == ("curator", ("streets",))
    bo = signed_in(workspace, "bo@example.org")
    assert may(workspace, bo, Permission.DATASET_EDIT, "streets")
    assert not may(workspace, bo, Permission.DATASET_READ, "night")
    service.grant_role(first, "chi@example.org", "ml-engineer", store=workspace, on="team:vision")
    assert may(workspace, signed_in(workspace, "chi@example.org"), Permission.EXPORT, "streets")
    service.remove_member(first, "vision", "bo@example.org", store=workspace)
    assert not may(workspace, signed_in(workspace, "bo@example.org"), Permission.DATASET_READ, "streets")


def test_a_grant_ends_by_itself_and_by_being_revoked(workspace, first, monkeypatch):
    invite(workspace, first, "bo@example.org")
    soon = service.grant_role(
        first, "bo@example.org", "curator", store=workspace, until_us=now_us() + 3_600_000_000
    )
    bo = signed_in(workspace, "bo@example.org")
    assert may(workspace, bo, Permission.DATASET_EDIT)
    later = now_us() + 3_700_000_000
    monkeypatch.setattr("calotype.govern.rules.now_us", lambda: later)
    assert not may(workspace, bo, Permission.DATASET_EDIT)
    monkeypatch.undo()
    service.revoke_grant(first, soon.id, store=workspace)
    assert not may(workspace, signed_in(workspace, "bo@example.org"), Permission.DATASET_EDIT)
    assert [grant.who for grant in service.grants(first, store=workspace)] == ["ana@example.org"]


def test_nobody_raises_their_own_rights(workspace, first):
    head = invite(workspace, first, "head@example.org", role="head-of-dataops")
    service.add_team(first, "vision", store=workspace)
    tries = (
        lambda: service.grant_role(head, "head@example.org", "curator", store=workspace),
        lambda: service.grant_role(first, "ana@example.org", "auditor", store=workspace),
        lambda: service.add_member(head, "vision", "head@example.org", store=workspace, role="curator"),
    )
    for attempt in tries:
        with pytest.raises(CalotypeError) as refused:
            attempt()
        assert_refused(refused, "own-rights", fix="another person")


def test_only_owners_give_or_take_governing_roles(workspace, first):
    head = invite(workspace, first, "head@example.org", role="head-of-dataops")
    invite(workspace, first, "bo@example.org")
    (grant, *_) = service.grants(first, store=workspace, who="ana@example.org")
    tries = (
        lambda: service.grant_role(head, "bo@example.org", "owner", store=workspace),
        lambda: service.add_person(head, "x@example.org", "X", store=workspace, role="owner"),
        lambda: service.revoke_grant(head, grant.id, store=workspace),
        lambda: service.invite_again(head, "ana@example.org", store=workspace),
        lambda: service.disable_person(head, "ana@example.org", store=workspace),
    )
    for attempt in tries:
        with pytest.raises(CalotypeError) as refused:
            attempt()
        assert_refused(refused, "rights-too-high", "head@example.org", fix="owner")
    assert service.grant_role(head, "bo@example.org", "curator", store=workspace).role == "curator"


def test_the_last_owner_stays(workspace, first):
    (grant,) = service.grants(first, store=workspace)
    for attempt in (
        lambda: service.revoke_grant(first, grant.id, store=workspace),
        lambda: service.disable_person(first, "ana@example.org", store=workspace),
    ):
        with pytest.raises(CalotypeError) as refused:
            attempt()
        assert_refused(refused, "last-owner", "ana@example.org", fix="somebody else")
    invite(workspace, first, "bo@example.org", role="owner")
    assert service.disable_person(first, "ana@example.org", store=workspace).state == "disabled"


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"owner", "head-of-dataops"}))
def test_other_roles_cannot_manage_people(workspace, first, role):
    bo = invite(workspace, first, "bo@example.org", role=role)
    for attempt in (
        lambda: service.add_person(bo, "x@example.org", "X", store=workspace),
        lambda: service.grant_role(bo, "ana@example.org", "curator", store=workspace),
        lambda: service.add_team(bo, "mine", store=workspace),
        lambda: service.invite_again(bo, "ana@example.org", store=workspace),
    ):
        with pytest.raises(NotPermitted):
            attempt()


@pytest.mark.parametrize(
    ("email", "code"),
    [("ana@example.org", "person-exists"), ("ANA@EXAMPLE.ORG ", "person-exists"), ("ana", "email-invalid"),
     ("a b@example.org", "email-invalid"), ("x@" + "y" * 300, "email-invalid"), ("a@b\r\nc", "email-invalid")],
)  # fmt: skip
def test_an_address_is_checked_and_taken_once(workspace, first, email, code):
    with pytest.raises(CalotypeError) as refused:
        service.add_person(first, email, "Ana", store=workspace)
    assert refused.value.code == code


def test_what_does_not_exist_is_named(workspace, first):
    for attempt, code in (
        (lambda: service.grant_role(first, "no@example.org", "curator", store=workspace), "person-not-found"),
        (lambda: service.add_member(first, "no", "ana@example.org", store=workspace), "team-not-found"),
        (lambda: service.revoke_grant(first, "no", store=workspace), "grant-not-found"),
        (lambda: service.grant_role(first, "ana@example.org", "king", store=workspace), "role-unknown"),
    ):
        with pytest.raises(CalotypeError) as refused:
            attempt()
        assert refused.value.code == code
    invite(workspace, first, "bo@example.org")
    for place in ("dataset:none", "team:", "planet", ""):
        with pytest.raises(CalotypeError) as refused:
            service.grant_role(first, "bo@example.org", "curator", store=workspace, on=place)
        assert refused.value.code in ("grant-place-invalid", "team-not-found")
    for day in ("2020-01-01", "tomorrow", "9999-12-31T99"):
        with pytest.raises(CalotypeError) as refused:
            end = end_of(day)
            service.grant_role(first, "bo@example.org", "curator", store=workspace, until_us=end)
        assert refused.value.code == "end-invalid"


def test_the_audit_trail_names_the_person_and_holds_no_secret(workspace, first):
    _, secret = service.add_person(first, "bo@example.org", "Bo", store=workspace, role="curator")
    join(workspace, secret)
    events = govern.audit(first, store=workspace)
    verbs = [event.verb for event in events]
    assert {"person.add", "person.accept-invitation", "person.sign-in"} <= set(verbs)
    assert [event.actor for event in events if event.verb == "person.add"] == [first.id]
    assert secret not in repr(events) and PASSWORD not in repr(events) and "argon2" not in repr(events)
    assert govern.chain_problems(first, store=workspace) == []
