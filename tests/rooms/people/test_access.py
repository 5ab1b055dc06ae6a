"""Who has access and why, asked by those who may know, against what people can really do."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calotype.datasets import service as datasets
from calotype.datasets.refs import DatasetNotFound
from calotype.foundation.actor import ACTIONS, ROLES, WORKSPACE, Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.errors import CalotypeError, NotPermitted
from calotype.people import access, holdings, repository, service
from calotype.people.model import TeamNotFound
from calotype.store import Store

NAMES = ("bo", "chi", "dee")


@pytest.fixture
def team(workspace: Store, owner: Actor) -> Store:
    """Two datasets, a team that owns one of them, and three people without roles."""
    for name in ("streets", "night"):
        datasets.create(owner, name, store=workspace)
    service.add_team(owner, "vision", store=workspace)
    service.own_datasets(owner, "vision", ["streets"], store=workspace)
    for name in NAMES:
        service.add_person(owner, address(name), name, store=workspace)
    service.add_person(owner, address("ana"), "ana", store=workspace, role="owner")
    return workspace


def address(name: str) -> str:
    return f"{name}@example.org"


def person(store: Store, name: str) -> Actor:
    """The actor that a session of a person would give."""
    with store.catalog.read() as conn:
        found = repository.person(conn, address(name))
        roles = repository.roles_of(conn, found.id)
    return Actor(f"person:{found.id}", found.email, found.kind, (), roles)


GRANT = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(ROLES),
    st.sampled_from(["workspace", "team:vision", "dataset:streets", "dataset:night", "member"]),
)


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(GRANT, max_size=5),
    st.sampled_from(Permission),
    st.sampled_from(["workspace", "streets", "night"]),
)
def test_who_can_lists_exactly_those_whom_the_guard_lets_in(team, owner, grants, permission, name):
    kind = "workspace" if name == "workspace" else "dataset"
    if kind not in ACTIONS[permission]:
        permission = Permission.DATASET_READ
    given_ids = []
    for who, role, place in grants:
        if place == "member":
            service.add_member(owner, "vision", address(who), store=team, role=role)
        else:
            given_ids.append(service.grant_role(owner, address(who), role, store=team, on=place).id)
    resource = "workspace" if kind == "workspace" else f"dataset:{name}"
    listed = {item.person.name: item for item in access.who_can(owner, permission, resource, store=team)}
    on = WORKSPACE if kind == "workspace" else name
    allowed = {who for who in NAMES if team.guard.allows(person(team, who), permission, dataset=on)}
    assert set(listed) == allowed | {"ana"}
    for who in NAMES:
        explained = access.why(owner, address(who), permission, resource, store=team)
        assert explained.allowed == (who in allowed)
        assert explained.rule == team.guard.decider.decide(person(team, who), permission, on).rule
        assert explained.says and not (explained.allowed and explained.would_allow)
    for grant_id in given_ids:
        service.revoke_grant(owner, grant_id, store=team)
    for who in NAMES:
        service.remove_member(owner, "vision", address(who), store=team)


def test_holdings_are_what_sessions_carry(team, owner):
    service.grant_role(owner, address("bo"), "curator", store=team, on="team:vision")
    service.grant_role(owner, address("bo"), "auditor", store=team, until_us=now_us() + 10**9)
    service.add_member(owner, "vision", address("bo"), store=team, role="reviewer")
    with team.catalog.read() as conn:
        bo = repository.person(conn, address("bo"))
        held = holdings.holdings(conn, now_us())[bo.id]
    roles = {role for role in holdings.actor_with(bo, held).grants if role.dataset != "team:vision"}
    assert roles == set(person(team, "bo").grants) and len(roles) == 3


def roles_proposed(store: Store, owner: Actor) -> set[str]:
    explained = access.why(owner, address("bo"), "read", "dataset:night", store=store)
    return {role for role, _ in explained.would_allow}


class TestWhy:
    """A no names its rule and the grants that would change it; a yes names what it rests on."""

    def test_each_proposed_grant_does_change_the_no(self, team, owner):
        before = access.why(owner, address("bo"), "export", "dataset:streets", store=team)
        assert (before.allowed, before.rule, before.action) == (False, "no-permit", "dataset.export")
        assert before.would_allow[0] == ("ml-engineer", "dataset:streets")
        for role, place in before.would_allow:
            grant = service.grant_role(owner, address("bo"), role, store=team, on=place)
            after = access.why(owner, address("bo"), "export", "dataset:streets", store=team)
            assert after.allowed and [item.grant for item in after.by] == [grant.id]
            service.revoke_grant(owner, grant.id, store=team)

    def test_what_is_proposed_takes_nothing_away_and_suits_the_account(self, team, owner):
        proposed = {
            role
            for role, _ in access.why(
                owner, address("bo"), "work.do", "dataset:night", store=team
            ).would_allow
        }
        assert "vendor-annotator" in proposed and "service" not in proposed
        service.grant_role(owner, address("bo"), "curator", store=team, on="dataset:streets")
        proposed = {
            role
            for role, _ in access.why(owner, address("bo"), "read", "dataset:night", store=team).would_allow
        }
        assert "annotator" in proposed and "vendor-annotator" not in proposed

    def test_no_grant_changes_what_a_guard_forbids(self, team, owner):
        service.grant_role(owner, address("bo"), "vendor-annotator", store=team, on="dataset:streets")
        for action, resource, rule in [
            ("export", "dataset:streets", "guard-vendor-assigned-only"),
            ("read", "branch:streets@main", "guard-vendor-assigned-only"),
            ("work.do", "dataset:streets", "vendor-annotator"),
        ]:
            explained = access.why(owner, address("bo"), action, resource, store=team)
            assert (explained.rule, explained.would_allow) == (rule, ())
        elsewhere = access.why(owner, address("bo"), "work.do", "dataset:night", store=team)
        assert elsewhere.would_allow == (("vendor-annotator", "dataset:night"),)

    def test_a_disabled_person_has_no_access(self, team, owner):
        service.grant_role(owner, address("bo"), "curator", store=team)
        service.disable_person(owner, address("bo"), store=team)
        assert (
            access.why(owner, address("bo"), "read", "dataset:night", store=team).rule == "account-disabled"
        )
        (left,) = access.who_can(owner, "read", "dataset:night", store=team)
        assert left.person.name == "ana"

    def test_about_oneself_everyone_may_ask_about_others_not(self, team):
        bo = person(team, "bo")
        secret = access.why(bo, bo.name, "read", "dataset:night", store=team)
        absent = access.why(bo, bo.name, "read", "dataset:absent", store=team)
        assert not secret.allowed
        assert str(secret.to_dict()).replace("night", "?") == str(absent.to_dict()).replace("absent", "?")
        for attempt in (
            lambda: access.why(bo, address("chi"), "read", "dataset:night", store=team),
            lambda: access.who_can(bo, "read", "dataset:night", store=team),
        ):
            with pytest.raises(NotPermitted, match="no-permit"):
                attempt()


@pytest.mark.parametrize(
    ("action", "resource", "code"),
    [
        ("fly", "dataset:streets", "action-unknown"),
        ("read", "streets", "resource-invalid"),
        ("read", "dataset:streets@main", "resource-invalid"),
        ("read", "branch:streets", "resource-invalid"),
        ("grant.manage", "dataset:streets", "action-elsewhere"),
        ("read", "dataset:absent", DatasetNotFound.code),
        ("read", "team:absent", TeamNotFound.code),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(team, owner, action, resource, code):
    with pytest.raises(CalotypeError) as refused:
        access.who_can(owner, action, resource, store=team)
    assert refused.value.code == code and refused.value.remedy
