"""What roles allow in each organisation, where they hold, what no role allows, and the ceiling of tokens."""

from __future__ import annotations

import json

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.access_words import MODELS, allowed_in_words

from calotype.foundation.actor import ROLES, WORKSPACE, Actor, Ceiling, Circumstances, Permission, RoleOn
from calotype.govern import cedar, schema
from calotype.govern.model import MODELS as KNOWN_MODELS
from calotype.govern.rules import RoleRules

PLACES = (None, "streets", "night", "workspace")
RESOURCES = (WORKSPACE, "streets", "night", "workspace")
NEVER = 2**62
GRANT = st.builds(
    RoleOn, st.sampled_from([*ROLES, "unknown"]), st.sampled_from(PLACES), st.sampled_from([None, 0, NEVER])
)
CEILING = st.none() | st.builds(
    Ceiling,
    st.frozensets(st.sampled_from(Permission)),
    st.none() | st.frozensets(st.sampled_from(["streets", "night", "workspace"])),
)
CIRCUMSTANCES = st.builds(
    Circumstances,
    part=st.sampled_from(["", "branch", "release", "sample"]),
    about=st.sampled_from(["", "person:1", "person:2"]),
    governing=st.booleans(),
    changes_account=st.booleans(),
)
ACTOR = st.builds(
    Actor,
    st.sampled_from(["person:1", "local:ana"]),
    st.just("bo"),
    st.sampled_from(["person", "service"]),
    st.sampled_from([(), ("curator",), ("owner",)]),
    st.lists(GRANT, max_size=3).map(tuple),
    CEILING,
)


def rules(model: str = "central") -> RoleRules:
    return RoleRules(lambda: model)


def bo(*grants: RoleOn, **more) -> Actor:
    return Actor("person:1", "bo", roles=(), grants=grants, **more)


@settings(deadline=None, max_examples=600)
@given(st.sampled_from(MODELS), ACTOR, st.sampled_from(Permission), st.sampled_from(RESOURCES), CIRCUMSTANCES)
def test_a_decision_of_cedar_is_what_a_second_writing_of_the_rules_says(
    model, actor, permission, resource, circumstances
):
    decision = rules(model).decide(actor, permission, resource, circumstances)
    assert decision.allowed == allowed_in_words(model, actor, permission, resource, circumstances)
    assert decision.rule in cedar.rules(model)
    assert decision.allowed != (decision.rule == cedar.NO_PERMIT or decision.rule.startswith("guard-"))


@pytest.mark.parametrize("model", MODELS)
def test_every_role_alone_allows_what_the_second_writing_says(model):
    """Every cell: role, place where it is held, action, kind of resource."""
    for role in ROLES:
        for place in (None, "streets"):
            for permission in Permission:
                for resource in (WORKSPACE, "streets", "night"):
                    actor = bo(RoleOn(role, place))
                    answer = rules(model).decide(actor, permission, resource).allowed
                    assert answer == allowed_in_words(model, actor, permission, resource, Circumstances()), (
                        role, place, permission, resource,
                    )  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_the_policies_fit_the_schema_and_a_misspelt_word_does_not(model):
    text, described = cedar.policy_text(model), json.dumps(schema.cedar_schema())
    valid = cedarpy.validate_policies(text, described)
    assert valid.validation_passed, valid.errors
    for right, wrong in [
        ("principal.vendor", "principal.vender"),
        ('"dataset.read"', '"dataset.red"'),
        ("context.own_rights", "context.own_right"),
    ]:
        assert right in text
        assert not cedarpy.validate_policies(text.replace(right, wrong), described).validation_passed


def test_there_are_policies_for_every_model():
    assert KNOWN_MODELS == MODELS
    assert all(rules(model).decide(bo(), Permission.ACCOUNT_OWN, WORKSPACE).allowed for model in MODELS)


def test_guards_and_common_permits_are_the_same_in_every_organisation():
    names = [{name for name in cedar.rules(model) if not name.startswith(f"{model}-")} for model in MODELS]
    assert names[0] == names[1] == names[2]
    assert len([name for name in names[0] if name.startswith("guard-")]) == 7


def test_a_model_that_this_version_does_not_know_allows_nothing():
    with pytest.raises(cedar.PoliciesBroken):
        rules("matrix").decide(Actor.local(), Permission.DATASET_READ, "streets")


def test_a_policy_that_cannot_be_evaluated_allows_nothing(monkeypatch):
    broken = (
        "permit(principal, action, resource); forbid(principal, action, resource) when { context.absent };"
    )
    monkeypatch.setattr(cedar, "_policies", lambda _model: cedarpy.PolicySet.from_str(broken))
    question = cedar.Question(Permission.DATASET_READ, frozenset([("owner", True), ("no such role", True)]))
    with pytest.raises(cedar.PoliciesBroken):
        cedar.ruling("central", question)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("permission", [Permission.PEOPLE_MANAGE, Permission.GRANT_MANAGE])
def test_only_governing_roles_manage_people_and_grants(model, permission):
    holders = {role for role in ROLES if rules(model).decide(bo(RoleOn(role)), permission, WORKSPACE).allowed}
    governing = {"owner"} if model == "decentral" else {"owner", "head-of-dataops"}
    assert holders == governing


@pytest.mark.parametrize("model", MODELS)
def test_whoever_is_not_signed_in_may_do_nothing(model):
    nobody = Actor.nobody()
    allowed = [p for p in Permission for r in RESOURCES if rules(model).decide(nobody, p, r).allowed]
    assert allowed == []


def test_a_dataset_that_is_called_workspace_is_not_the_workspace():
    actor = bo(RoleOn("owner", "workspace"))
    assert rules().decide(actor, Permission.DATASET_EDIT, "workspace").rule == "owner"
    assert rules().decide(actor, Permission.GRANT_MANAGE, WORKSPACE).rule == "no-permit"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("role", ROLES)
def test_every_role_on_a_dataset_sees_it_except_that_of_vendors(model, role):
    decision = rules(model).decide(bo(RoleOn(role, "streets")), Permission.DATASET_READ, "streets")
    assert decision.allowed != (role == "vendor-annotator"), decision


class TestGuards:
    """Each prohibition beats an owner's permit, and allows where its condition does not hold."""

    @pytest.mark.parametrize("model", MODELS)
    def test_a_vendor_with_other_roles_sees_only_what_is_assigned(self, model):
        vendor = bo(RoleOn("vendor-annotator", "streets"), RoleOn("owner"))
        work = rules(model).decide(vendor, Permission.WORK_DO, "streets")
        assert (work.allowed, work.rule) == (True, "owner")
        for permission, resource in [
            (Permission.WORK_DO, "night"),
            (Permission.DATASET_READ, "streets"),
            (Permission.DATASET_EDIT, "streets"),
            (Permission.EXPORT, "streets"),
            (Permission.GRANT_MANAGE, WORKSPACE),
        ]:
            decision = rules(model).decide(vendor, permission, resource)
            assert (decision.allowed, decision.rule) == (False, "guard-vendor-assigned-only")

    def test_a_vendor_whose_grant_has_ended_is_none(self):
        former = bo(RoleOn("vendor-annotator", "streets", until_us=1), RoleOn("curator"))
        assert rules().decide(former, Permission.DATASET_EDIT, "night").allowed

    def test_a_vendor_of_the_whole_workspace_sees_nothing(self):
        vendor = bo(RoleOn("vendor-annotator"))
        assert rules().decide(vendor, Permission.DATASET_READ, "streets").rule == "guard-vendor-assigned-only"

    def test_nobody_raises_their_own_rights(self):
        owner = bo(RoleOn("owner"))
        for about, rule in [("person:1", "guard-own-rights"), ("person:2", "owner")]:
            when = Circumstances(about=about)
            assert rules().decide(owner, Permission.GRANT_MANAGE, WORKSPACE, when).rule == rule

    @pytest.mark.parametrize("permission", [Permission.PEOPLE_MANAGE, Permission.GRANT_MANAGE])
    def test_only_owners_touch_governing_rights(self, permission):
        when = Circumstances(governing=True)
        head = rules().decide(bo(RoleOn("head-of-dataops")), permission, WORKSPACE, when)
        assert (head.allowed, head.rule) == (False, "guard-governing-rights")
        assert rules().decide(bo(RoleOn("owner")), permission, WORKSPACE, when).allowed
        assert not rules().decide(bo(RoleOn("owner", "streets")), permission, "streets", when).allowed

    def test_a_program_does_not_govern(self):
        program = bo(RoleOn("owner"), kind="service")
        decision = rules().decide(program, Permission.GRANT_MANAGE, WORKSPACE)
        assert decision.rule == "guard-services-do-not-govern"
        assert rules().decide(program, Permission.DATASET_EDIT, "streets").allowed

    def test_a_token_keeps_below_its_ceiling_and_its_account_as_it_is(self):
        ceiling = Ceiling(
            frozenset({Permission.DATASET_READ, Permission.ACCOUNT_OWN}), frozenset({"streets"})
        )
        token = bo(RoleOn("owner"), ceiling=ceiling)
        answers = [
            rules().decide(token, Permission.DATASET_READ, "streets"),
            rules().decide(token, Permission.DATASET_READ, "night"),
            rules().decide(token, Permission.DATASET_EDIT, "streets"),
            rules().decide(token, Permission.ACCOUNT_OWN, WORKSPACE),
            rules().decide(token, Permission.ACCOUNT_OWN, WORKSPACE, Circumstances(changes_account=True)),
        ]
        ceilings = "guard-token-ceiling"
        assert [answer.rule for answer in answers[1:3]] == [ceilings, ceilings]
        assert [answer.allowed for answer in answers] == [True, False, False, True, False]
        assert answers[4].rule == "guard-token-keeps-account"
