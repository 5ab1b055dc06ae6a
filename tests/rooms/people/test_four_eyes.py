"""Four eyes on governing rights: what one owner gives or takes waits for another one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calotype.foundation.actor import Actor, Permission
from calotype.foundation.errors import NotPermitted
from calotype.people import identities, invitations, repository, service, signing_in
from calotype.people.identities import GroupRole, Identity
from calotype.people.model import LastOwner, OwnRights
from calotype.people.oversight import four_eyes, requests
from calotype.people.oversight.model import AccessRequestNotFound, FirstYesGone, FourEyesNeeded
from calotype.store import Store

PASSWORD = "a lamp, a lens, a plate"


@pytest.fixture
def people(workspace: Store, owner: Actor) -> dict[str, Actor]:
    """The owners ana and bo, the head of DataOps hal and the curator chi, with the setting on."""
    for name, role in [("ana", "owner"), ("bo", "owner"), ("hal", "head-of-dataops"), ("chi", "curator")]:
        _, secret = service.add_person(owner, f"{name}@example.org", name, store=workspace)
        service.grant_role(owner, f"{name}@example.org", role, store=workspace)
        invitations.accept_invitation(secret, store=workspace, password=PASSWORD)
    four_eyes.set_four_eyes(owner, True, store=workspace)
    return {name: actor_of(workspace, f"{name}@example.org") for name in ("ana", "bo", "hal", "chi")}


def actor_of(workspace: Store, email: str) -> Actor:
    session = signing_in.sign_in(email, PASSWORD, store=workspace)
    signed_in = signing_in.from_session(session, store=workspace)
    assert signed_in is not None
    return signed_in.actor


def may_grant(workspace: Store, name: str) -> bool:
    return workspace.guard.allows(actor_of(workspace, f"{name}@example.org"), Permission.GRANT_MANAGE)


def waiting(workspace: Store, actor: Actor):
    return requests.access_requests(actor, store=workspace, everyone=True, state="waiting")


def grant_of(workspace: Store, actor: Actor, name: str):
    return service.grants(actor, store=workspace, who=f"{name}@example.org")[0]


def test_a_governing_role_is_in_force_when_another_owner_confirms_it(workspace, people):
    given = service.grant_role(people["ana"], "chi@example.org", "owner", store=workspace, reason="leaves us")
    assert given.waits and not may_grant(workspace, "chi")
    assert [item.role for item in service.grants(people["ana"], store=workspace, who="chi@example.org")] == [
        "curator"
    ]
    (request,) = waiting(workspace, people["bo"])
    assert (request.state, request.who, request.reason) == ("to-confirm", "chi@example.org", "leaves us")
    confirmed = requests.answer_request(people["bo"], request.id, True, store=workspace)
    assert (confirmed.state, confirmed.answered_by) == ("granted", "ana@example.org, bo@example.org")
    assert may_grant(workspace, "chi")


def test_neither_whoever_gave_it_nor_whoever_gains_confirms(workspace, people):
    service.grant_role(people["ana"], "hal@example.org", "owner", store=workspace)
    (request,) = waiting(workspace, people["ana"])
    assert not request.may_answer
    with pytest.raises(NotPermitted, match="guard-four-eyes"):
        requests.answer_request(people["ana"], request.id, True, store=workspace)
    with pytest.raises(OwnRights):
        requests.answer_request(people["hal"], request.id, True, store=workspace)
    assert waiting(workspace, people["bo"])[0].may_answer


def test_a_no_and_a_change_of_mind_leave_everything_as_it_was(workspace, people):
    for by in ("bo", "ana"):
        service.grant_role(people["ana"], "chi@example.org", "owner", store=workspace)
        (request,) = waiting(workspace, people["bo"])
        assert requests.answer_request(people[by], request.id, False, store=workspace).state == "refused"
        assert not may_grant(workspace, "chi") and waiting(workspace, people["bo"]) == []


def test_giving_the_same_twice_waits_once(workspace, people):
    first = service.grant_role(people["ana"], "chi@example.org", "owner", store=workspace)
    again = service.grant_role(people["ana"], "chi@example.org", "owner", store=workspace)
    assert first.id == again.id and len(waiting(workspace, people["bo"])) == 1


def test_other_roles_need_one_person(workspace, people):
    assert not service.grant_role(people["ana"], "chi@example.org", "auditor", store=workspace).waits
    assert not service.revoke_grant(
        people["ana"], grant_of(workspace, people["ana"], "chi").id, store=workspace
    ).waits


def test_a_yes_to_a_request_for_a_governing_role_is_the_first_of_two(workspace, people):
    asked = requests.ask_for_access(people["chi"], "head-of-dataops", store=workspace)
    assert requests.answer_request(people["ana"], asked.id, True, store=workspace).state == "to-confirm"
    assert not may_grant(workspace, "chi")
    assert requests.answer_request(people["bo"], asked.id, True, store=workspace).state == "granted"
    assert may_grant(workspace, "chi")


class TestTaking:
    """The end of a governing role waits as well."""

    def test_it_stays_in_force_until_another_owner_confirms(self, workspace, people):
        found = grant_of(workspace, people["ana"], "hal")
        assert service.revoke_grant(people["ana"], found.id, store=workspace).waits
        assert service.revoke_grant(people["ana"], found.id, store=workspace).waits
        assert may_grant(workspace, "hal")
        (request,) = waiting(workspace, people["bo"])
        assert requests.answer_request(people["bo"], request.id, True, store=workspace).state == "ended"
        assert not may_grant(workspace, "hal")

    def test_whoever_loses_it_may_confirm_and_cannot_stop_it(self, workspace, people):
        service.revoke_grant(people["ana"], grant_of(workspace, people["ana"], "bo").id, store=workspace)
        (request,) = waiting(workspace, people["bo"])
        assert request.may_answer
        with pytest.raises(AccessRequestNotFound):
            requests.withdraw_request(people["bo"], request.id, store=workspace)
        assert requests.answer_request(people["bo"], request.id, True, store=workspace).state == "ended"

    def test_the_last_owner_stays(self, workspace, people):
        service.revoke_grant(people["ana"], grant_of(workspace, people["ana"], "bo").id, store=workspace)
        requests.answer_request(people["bo"], waiting(workspace, people["bo"])[0].id, True, store=workspace)
        with pytest.raises(LastOwner):
            service.revoke_grant(people["ana"], grant_of(workspace, people["ana"], "ana").id, store=workspace)


class TestWaysAround:
    """What would give governing rights in another way needs the same."""

    def test_adding_people_and_teams_do_not_give_governing_roles(self, workspace, people):
        service.add_team(people["ana"], "vision", store=workspace)
        with pytest.raises(FourEyesNeeded):
            service.add_person(people["ana"], "eve@example.org", "Eve", store=workspace, role="owner")
        with pytest.raises(FourEyesNeeded):
            service.add_member(people["ana"], "vision", "chi@example.org", store=workspace, role="owner")
        service.add_person(people["ana"], "eve@example.org", "Eve", store=workspace, role="curator")

    def test_a_governing_role_in_a_team_is_not_taken_alone(self, workspace, people, owner):
        four_eyes.set_four_eyes(people["ana"], False, store=workspace)
        four_eyes.set_four_eyes(people["bo"], False, store=workspace)
        service.add_team(owner, "vision", store=workspace)
        service.add_member(owner, "vision", "chi@example.org", store=workspace, role="owner")
        four_eyes.set_four_eyes(owner, True, store=workspace)
        with pytest.raises(FourEyesNeeded):
            service.remove_member(people["ana"], "vision", "chi@example.org", store=workspace)
        with pytest.raises(FourEyesNeeded):
            service.add_member(people["ana"], "vision", "chi@example.org", store=workspace, role="curator")

    def test_a_governing_role_from_a_group_waits_for_an_owner(self, workspace, people):
        table = [GroupRole("bosses", "owner", "workspace"), GroupRole("bosses", "annotator", "workspace")]
        dan = Identity("https://login.example", "dan", "dan@example.org", True, "Dan", frozenset({"bosses"}))
        for _ in range(2):
            identities.sign_in_identified(dan, table, store=workspace)
        roles = [
            grant.role for grant in service.grants(people["ana"], store=workspace, who="dan@example.org")
        ]
        assert roles == ["annotator"]
        (request,) = waiting(workspace, people["ana"])
        assert (request.role, request.who) == ("owner", "dan@example.org")
        requests.answer_request(people["ana"], request.id, True, store=workspace)
        identities.sign_in_identified(dan, table, store=workspace)
        roles = [
            grant.role for grant in service.grants(people["ana"], store=workspace, who="dan@example.org")
        ]
        assert sorted(roles) == ["annotator", "owner"]
        identities.sign_in_identified(replace(dan, groups=frozenset()), table, store=workspace)
        assert service.grants(people["ana"], store=workspace, who="dan@example.org") == []

    def test_nobody_takes_over_the_account_of_another_owner(self, workspace, people, owner):
        with pytest.raises(FourEyesNeeded):
            service.invite_again(people["ana"], "bo@example.org", store=workspace)
        assert service.invite_again(people["ana"], "chi@example.org", store=workspace)[1]
        assert service.invite_again(owner, "bo@example.org", store=workspace)[1]

    def test_disabling_the_others_does_not_end_the_rule(self, workspace, people, owner):
        service.disable_person(people["ana"], "bo@example.org", store=workspace)
        assert service.grant_role(people["ana"], "chi@example.org", "owner", store=workspace).waits
        with pytest.raises(FourEyesNeeded):
            service.enable_person(people["ana"], "bo@example.org", store=workspace)
        (request,) = waiting(workspace, people["ana"])
        assert requests.answer_request(owner, request.id, True, store=workspace).state == "granted"

    def test_the_yes_of_somebody_who_is_not_an_owner_any_more_does_not_count(self, workspace, people, owner):
        service.grant_role(people["ana"], "chi@example.org", "owner", store=workspace)
        service.disable_person(people["bo"], "ana@example.org", store=workspace)
        (request,) = waiting(workspace, people["bo"])
        with pytest.raises(FirstYesGone):
            requests.answer_request(people["bo"], request.id, True, store=workspace)

    def test_one_owner_alone_does_not_switch_it_off(self, workspace, people):
        for _ in range(2):
            asked = four_eyes.set_four_eyes(people["ana"], False, store=workspace)
            assert (asked.on, asked.off_by) == (True, "ana@example.org")
        assert four_eyes.set_four_eyes(people["bo"], False, store=workspace).on is False
        assert not service.grant_role(people["ana"], "chi@example.org", "owner", store=workspace).waits

    def test_only_owners_switch_it(self, workspace, people):
        for name in ("hal", "chi"):
            with pytest.raises(NotPermitted):
                four_eyes.set_four_eyes(people[name], False, store=workspace)
            assert four_eyes.four_eyes(people[name], store=workspace).on


def test_a_workspace_with_one_owner_works_as_without_it(workspace, owner):
    _, secret = service.add_person(owner, "ana@example.org", "Ana", store=workspace, role="owner")
    invitations.accept_invitation(secret, store=workspace, password=PASSWORD)
    four_eyes.set_four_eyes(owner, True, store=workspace)
    ana = actor_of(workspace, "ana@example.org")
    _, _ = service.add_person(ana, "bo@example.org", "Bo", store=workspace, role="owner")
    with workspace.catalog.read() as conn:
        assert len([g for g in repository.grants(conn) if g.role == "owner"]) == 2


def test_it_is_off_until_an_owner_switches_it_on(workspace, owner):
    assert four_eyes.four_eyes(owner, store=workspace).on is False
