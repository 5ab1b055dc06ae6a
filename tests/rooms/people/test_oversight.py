"""Requests for access with their answers, and the access review."""

from __future__ import annotations

import json
from typing import Any

import pytest

import calotype as ct
from calotype.app import workspaces
from calotype.app.cli import main
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.errors import NotPermitted
from calotype.govern import service as governing
from calotype.people import repository, service, tokens
from calotype.people.model import (
    AccountNeeded,
    GrantPlaceInvalid,
    OwnRights,
    RightsTooHigh,
    RoleUnknown,
    TeamNotFound,
)
from calotype.people.oversight import requests, review
from calotype.people.oversight.model import (
    DAY_US,
    AccessReasonTooLong,
    AccessRequest,
    AccessRequestAnswered,
    AccessRequestNotFound,
    ReviewItemNotFound,
    TooManyAccessRequests,
)
from calotype.store import Store
from calotype.store.catalog import schema

ROLES = {"ana": "owner", "hana": "head-of-dataops", "bo": "", "chi": ""}


@pytest.fixture
def team(workspace: Store, owner: Actor) -> Store:
    """Two datasets, one of them in a team; an owner, a head of DataOps, and two people without a role."""
    for name in ("streets", "night"):
        datasets.create(owner, name, store=workspace)
    service.add_team(owner, "vision", store=workspace)
    service.own_datasets(owner, "vision", ["streets"], store=workspace)
    for name, role in ROLES.items():
        service.add_person(owner, address(name), name, store=workspace, role=role)
    return workspace


def address(name: str) -> str:
    return f"{name}@example.org"


def person(store: Store, name: str) -> Actor:
    """The actor that a session of a person would give."""
    with store.catalog.read() as conn:
        account = repository.person(conn, address(name))
        roles = repository.roles_of(conn, account.id)
    return Actor(f"person:{account.id}", account.email, account.kind, (), roles)


def asked(store: Store, name: str, role: str = "curator", on: str = "dataset:night") -> AccessRequest:
    return requests.ask_for_access(person(store, name), role, store=store, on=on, reason="for the night")


def roles(store: Store, name: str) -> list[tuple[str, str | None]]:
    return [(role.role, role.dataset) for role in person(store, name).grants]


def waiting(store: Store, name: str) -> list[AccessRequest]:
    return requests.access_requests(person(store, name), store=store, everyone=True, state="open")


class TestAnswers:
    """Who may grant may answer, and a yes is a grant."""

    def test_a_yes_grants_the_role_in_the_same_event(self, team):
        request = asked(team, "bo")
        assert [item.id for item in waiting(team, "ana") if item.may_answer] == [request.id]
        end = now_us() + DAY_US
        answered = requests.answer_request(
            person(team, "ana"), request.id, True, store=team, until_us=end, reason="until spring"
        )
        assert (answered.state, answered.answered_by) == ("granted", address("ana"))
        (grant,) = service.grants(person(team, "ana"), store=team, who=address("bo"))
        assert (grant.id, grant.until_us, grant.reason) == (answered.grant_id, end, "for the night")
        assert roles(team, "bo") == [("curator", "night")]
        (seen,) = requests.access_requests(person(team, "bo"), store=team)
        assert (seen.state, seen.note, seen.may_answer) == ("granted", "until spring", False)
        event = governing.audit(person(team, "ana"), store=team, limit=1)[0]
        assert (event.verb, event.details["grant"], event.details["who"]) == (
            "access.answer",
            grant.id,
            address("bo"),
        )

    def test_a_yes_is_undone_by_revoking_its_grant(self, team):
        answered = requests.answer_request(person(team, "ana"), asked(team, "bo").id, True, store=team)
        service.revoke_grant(person(team, "ana"), answered.grant_id, store=team)
        assert roles(team, "bo") == []

    def test_a_no_grants_nothing(self, team):
        answered = requests.answer_request(
            person(team, "ana"), asked(team, "bo").id, False, store=team, reason="not yet"
        )
        assert (answered.state, answered.grant_id, roles(team, "bo")) == ("refused", "", [])
        assert waiting(team, "ana") == []

    def test_an_answer_is_given_once(self, team):
        request = asked(team, "bo")
        requests.answer_request(person(team, "ana"), request.id, False, store=team)
        with pytest.raises(AccessRequestAnswered):
            requests.answer_request(person(team, "ana"), request.id, True, store=team)
        with pytest.raises(AccessRequestNotFound):
            requests.answer_request(person(team, "ana"), "absent", True, store=team)

    @pytest.mark.parametrize("name", ["bo", "chi"])
    def test_who_may_not_grant_may_neither_answer_nor_see_requests_of_others(self, team, name):
        request = asked(team, "bo")
        with pytest.raises(NotPermitted):
            requests.answer_request(person(team, name), request.id, True, store=team)
        with pytest.raises(NotPermitted):
            waiting(team, name)
        own = requests.access_requests(person(team, name), store=team)
        assert len(own) == (name == "bo")

    def test_nobody_answers_their_own(self, team):
        request = asked(team, "hana", "curator")
        with pytest.raises(OwnRights):
            requests.answer_request(person(team, "hana"), request.id, True, store=team)
        assert [item.may_answer for item in waiting(team, "hana")] == [False]
        assert [item.may_answer for item in waiting(team, "ana")] == [True]

    def test_only_owners_answer_for_roles_that_govern(self, team):
        request = asked(team, "bo", "head-of-dataops", "workspace")
        with pytest.raises(RightsTooHigh):
            requests.answer_request(person(team, "hana"), request.id, True, store=team)
        assert [item.may_answer for item in waiting(team, "hana")] == [False]
        assert requests.answer_request(person(team, "ana"), request.id, True, store=team).grant_id

    def test_a_request_can_be_withdrawn_by_its_person_only(self, team):
        request = asked(team, "bo")
        with pytest.raises(AccessRequestNotFound):
            requests.withdraw_request(person(team, "chi"), request.id, store=team)
        assert requests.withdraw_request(person(team, "bo"), request.id, store=team).state == "withdrawn"
        with pytest.raises(AccessRequestAnswered):
            requests.answer_request(person(team, "ana"), request.id, True, store=team)


class TestAsking:
    """What may be asked for, and what asking reveals: nothing."""

    @pytest.mark.parametrize("role", ["", "vendor-annotator"])
    def test_what_does_not_exist_is_asked_for_as_what_is_hidden(self, team, owner, role):
        if role:
            service.grant_role(owner, address("bo"), role, store=team, on="dataset:streets")
        pairs = [("dataset:night", "dataset:absent"), ("team:vision", "team:absent")]
        for existing, absent in pairs:
            first, second = (asked(team, "bo", on=place).to_dict() for place in (existing, absent))
            assert (first.pop("on"), second.pop("on")) == (existing, absent)
            differ = {key for key in first if first[key] != second[key]}
            assert differ <= {"id", "asked_at"}
        with pytest.raises(GrantPlaceInvalid):
            requests.answer_request(owner, _of(team, "dataset:absent"), True, store=team)
        with pytest.raises(TeamNotFound):
            requests.answer_request(owner, _of(team, "team:absent"), True, store=team)
        assert requests.answer_request(owner, _of(team, "dataset:absent"), False, store=team)

    def test_asking_again_returns_the_open_request(self, team):
        request = asked(team, "bo")
        assert asked(team, "bo").id == request.id
        assert asked(team, "bo", "reviewer").id != request.id
        assert asked(team, "chi").id != request.id

    def test_a_person_has_at_most_20_open_requests(self, team):
        ids = [asked(team, "bo", on=f"dataset:d{number}").id for number in range(20)]
        with pytest.raises(TooManyAccessRequests):
            asked(team, "bo", on="dataset:d20")
        assert asked(team, "chi", on="dataset:d20")
        requests.withdraw_request(person(team, "bo"), ids[3], store=team)
        assert asked(team, "bo", on="dataset:d20")

    @pytest.mark.parametrize(
        ("role", "on", "reason", "refused"),
        [
            ("king", "workspace", "", RoleUnknown),
            ("curator", "", "", GrantPlaceInvalid),
            ("curator", "branch:streets@main", "", GrantPlaceInvalid),
            ("curator", "dataset:", "", GrantPlaceInvalid),
            ("curator", "dataset:a\nb", "", GrantPlaceInvalid),
            ("curator", "dataset:" + "x" * 220, "", GrantPlaceInvalid),
            ("curator", "workspace", "x" * 501, AccessReasonTooLong),
        ],
    )
    def test_what_cannot_be_asked_for(self, team, role, on, reason, refused):
        with pytest.raises(refused):
            requests.ask_for_access(person(team, "bo"), role, store=team, on=on, reason=reason)
        assert requests.access_requests(person(team, "bo"), store=team) == []

    def test_on_a_folder_the_owner_asks_for_somebody(self, team, owner):
        with pytest.raises(AccountNeeded):
            requests.ask_for_access(owner, "curator", store=team)
        request = requests.ask_for_access(owner, "curator", store=team, for_email=address("bo"))
        assert (request.who, request.place) == (address("bo"), "workspace")
        with pytest.raises(NotPermitted):
            requests.ask_for_access(person(team, "chi"), "curator", store=team, for_email=address("bo"))


def _of(store: Store, place: str) -> str:
    return next(item.id for item in waiting(store, "ana") if item.place == place)


def rows(store: Store, days: int = 0, **options: bool) -> list[tuple[str, str]]:
    """Kind and person of the rows of the review, as it would be some days from now."""
    reviewed = review.access_review(
        person(store, "ana"), store=store, at_us=now_us() + days * DAY_US, **options
    )
    return [(row.kind, row.who.partition("@")[0]) for row in reviewed]


NEW = [("person-without-role", "bo"), ("person-without-role", "chi"), ("last-owner", "ana")]
"""What the review holds of a new team."""


def make_grants_older(store: Store, days: int) -> None:
    with store.catalog.bookkeeping() as conn:
        granted = schema.of_people.grants
        conn.execute(granted.update().values(created_at_us=granted.c.created_at_us - days * DAY_US))


class TestReview:
    """Each kind of row appears when it should, and is gone when it should."""

    def test_people_without_a_role_and_the_last_owner(self, team, owner):
        assert rows(team) == NEW
        service.add_member(owner, "vision", address("bo"), store=team)
        service.grant_role(owner, address("chi"), "owner", store=team)
        assert rows(team) == []

    def test_a_grant_is_unused_after_90_days_without_an_event_about_what_it_covers(self, team, owner):
        for name, on in (("bo", "dataset:night"), ("chi", "team:vision")):
            service.grant_role(owner, address(name), "data-engineer", store=team, on=on)
        assert ("grant-unused", "bo") not in rows(team, 89)
        unused = [("grant-unused", name) for name in ("ana", "bo", "chi", "hana")]
        assert [row for row in rows(team, 91) if row[0] == "grant-unused"] == unused
        make_grants_older(team, 91)
        assert [row for row in rows(team) if row[0] == "grant-unused"] == unused
        team.catalog.record_reading(person(team, "bo"), "dataset.read", subject="streets", details={})
        team.catalog.record_reading(person(team, "chi"), "dataset.read", subject="streets", details={})
        team.catalog.record_reading(person(team, "hana"), "access.refused", subject="streets", details={})
        team.catalog.record_reading(person(team, "ana"), "dataset.read", subject="streets", details={})
        left = [("grant-unused", name) for name in ("bo", "hana")]
        assert [row for row in rows(team) if row[0] == "grant-unused"] == left
        team.catalog.record_reading(person(team, "bo"), "dataset.read", subject="night", details={})
        assert ("grant-unused", "bo") not in rows(team, 89)
        assert [row for row in rows(team, 91) if row[0] == "grant-unused"] == unused

    def test_tokens_without_use_and_tokens_that_end_soon(self, team, owner):
        service.add_person(owner, address("ci"), "ci", store=team, kind="service", role="ml-engineer")
        tokens.create_token(owner, "nightly", store=team, for_email=address("ci"), days=120)
        about_tokens = {
            days: [kind for kind, _ in rows(team, days) if "token" in kind] for days in (0, 91, 107, 121)
        }
        assert about_tokens == {0: [], 91: ["token-unused"], 107: ["token-unused", "token-ending"], 121: []}

    def test_a_disabled_person_who_holds_a_role(self, team, owner):
        service.disable_person(owner, address("hana"), store=team)
        service.disable_person(owner, address("bo"), store=team)
        assert rows(team) == [
            ("person-without-role", "chi"),
            ("disabled-with-role", "hana"),
            ("last-owner", "ana"),
        ]

    def test_what_is_kept_comes_back_after_90_days(self, team):
        ana = person(team, "ana")
        row = review.access_review(ana, store=team)[0]
        review.keep_in_review(ana, row.kind, row.id, store=team, reason="starts in spring")
        assert rows(team) == NEW[1:]
        kept = review.access_review(ana, store=team, with_kept=True)[0].kept
        assert kept is not None and (kept.by, kept.reason) == (address("ana"), "starts in spring")
        assert NEW[0] in rows(team, 91)
        event = governing.audit(ana, store=team, limit=1)[0]
        assert (event.verb, event.details["who"]) == ("access.keep", address("bo"))

    def test_who_may_not_grant_keeps_nothing(self, team, owner):
        service.grant_role(owner, address("chi"), "auditor", store=team)
        chi = person(team, "chi")
        row = review.access_review(chi, store=team)[0]
        with pytest.raises(NotPermitted):
            review.keep_in_review(chi, row.kind, row.id, store=team, reason="why not")
        with pytest.raises(ReviewItemNotFound):
            review.keep_in_review(owner, "grant-unused", row.id, store=team, reason="not in it")
        with pytest.raises(NotPermitted):
            review.access_review(person(team, "bo"), store=team)


def test_the_commands_do_the_same_on_a_folder(team, capsys):
    def run(*words: str) -> dict[str, Any]:
        with pytest.raises(SystemExit) as ended:
            main(["-w", str(team.root), "--json", *words])
        assert ended.value.code == 0
        printed: dict[str, Any] = json.loads(capsys.readouterr().out)
        return printed

    request = run(
        "access", "ask", "curator", "--on", "dataset:night", "--reason", "spring", "--for", address("bo")
    )
    assert run("access", "requests")["items"] == [request | {"may_answer": True}]
    answered = run("access", "answer", request["id"], "yes", "--until", "2999-12-31", "--reason", "fine")
    assert (answered["state"], answered["note"]) == ("granted", "fine")
    assert run("access", "requests") == {"items": []}
    assert roles(team, "bo") == [("curator", "night")]
    (chi, last) = run("access", "review")["items"]
    assert (chi["kind"], chi["who"], last["kind"]) == ("person-without-role", address("chi"), "last-owner")
    run("access", "keep", "person-without-role", chi["id"], "--reason", "starts in spring")
    assert run("access", "review")["items"] == [last]
    with ct.open(team.root) as ws:
        assert [row.kind for row in ws.access.review()] == ["last-owner"]
        assert len(ws.access.review(with_kept=True)) == 2


@pytest.mark.slow
def test_requests_and_the_review_are_the_same_on_postgresql(postgres, tmp_path, owner):
    store = workspaces.create(owner, tmp_path / "ws", catalog=postgres.fresh())
    try:
        service.add_person(owner, address("ana"), "ana", store=store, role="owner")
        service.add_person(owner, address("bo"), "bo", store=store)
        ids = [asked(store, "bo", on=f"dataset:d{number}").id for number in range(20)]
        with pytest.raises(TooManyAccessRequests):
            asked(store, "bo")
        requests.withdraw_request(person(store, "bo"), ids[0], store=store)
        request = asked(store, "bo", "auditor", "workspace")
        answered = requests.answer_request(person(store, "ana"), request.id, True, store=store)
        assert answered.grant_id and roles(store, "bo") == [("auditor", None)]
        assert [kind for kind, _ in rows(store)] == ["last-owner"]
        make_grants_older(store, 91)
        assert rows(store) == [("last-owner", "ana")]  # both have just asked or answered
        row = review.access_review(owner, store=store)[-1]
        review.keep_in_review(person(store, "ana"), row.kind, row.id, store=store, reason="a small team")
        kept = review.access_review(owner, store=store, with_kept=True)[-1].kept
        assert kept is not None and kept.reason == "a small team"
    finally:
        store.close()
