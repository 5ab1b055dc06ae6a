"""Roles, where they hold, and the ceiling of tokens."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calotype.foundation.actor import WORKSPACE, Actor, Ceiling, Permission, RoleOn
from calotype.govern.rules import GRANTS, RoleRules, roles_on

RULES = RoleRules()
PLACES = (None, "streets", "night", "workspace")
RESOURCES = (WORKSPACE, "streets", "night", "workspace")
NEVER = 2**62
GRANT = st.builds(
    RoleOn, st.sampled_from([*GRANTS, "unknown"]), st.sampled_from(PLACES), st.sampled_from([None, 0, NEVER])
)
CEILING = st.none() | st.builds(
    Ceiling,
    st.frozensets(st.sampled_from(Permission)),
    st.none() | st.frozensets(st.sampled_from(["streets", "night", "workspace"])),
)


@settings(deadline=None)
@given(st.lists(GRANT, max_size=4), CEILING, st.sampled_from(Permission), st.sampled_from(RESOURCES))
def test_a_decision_is_what_the_words_of_the_rules_say(grants, ceiling, permission, resource):
    """Beside a second writing of the rules, word for word."""
    actor = Actor("person:1", "bo", roles=(), grants=tuple(grants), ceiling=ceiling)
    own = permission is Permission.ACCOUNT_OWN
    expected = own or any(
        permission in GRANTS.get(grant.role, ())
        for grant in grants
        if grant.until_us != 0 and grant.dataset in (None, resource)
    )
    if ceiling is not None:
        expected &= permission in ceiling.permissions
        expected &= own or ceiling.datasets is None or resource in ceiling.datasets
    assert RULES.allows(actor, permission, resource) == expected


@pytest.mark.parametrize("permission", [Permission.PEOPLE_MANAGE, Permission.GRANT_MANAGE])
def test_only_governing_roles_manage_people_and_grants(permission):
    assert {role for role, held in GRANTS.items() if permission in held} == {"owner", "head-of-dataops"}


def test_whoever_is_not_signed_in_may_do_nothing():
    nobody = Actor.nobody()
    assert [permission for permission in Permission if RULES.allows(nobody, permission, WORKSPACE)] == []


def test_a_dataset_that_is_called_workspace_is_not_the_workspace():
    actor = Actor("person:1", "bo", roles=(), grants=(RoleOn("owner", "workspace"),))
    assert roles_on(actor, "workspace") == {"owner"}
    assert roles_on(actor, WORKSPACE) == set()


@pytest.mark.parametrize("role", sorted(GRANTS))
def test_every_role_sees_data_and_its_own_account(role):
    assert {Permission.DATASET_READ, Permission.ACCOUNT_OWN} <= GRANTS[role]
