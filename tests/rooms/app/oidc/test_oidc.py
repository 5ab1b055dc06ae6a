"""Signing in through a real provider: whose account it is, which roles it has, and that an answer is good once."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from tests.support import providers
from tests.support.providers import API, BO, CALLBACK

from calotype.app import server
from calotype.app.account_keys import AccountKeys
from calotype.app.oidc import flow as flows
from calotype.foundation.actor import Actor
from calotype.people import service
from calotype.store import Store


def held(owner: Actor, store: Store) -> list[tuple[str, str]]:
    """What bo holds."""
    return sorted(
        (grant.role, grant.place) for grant in service.grants(owner, store=store, who="bo@example.org")
    )


def test_a_member_of_a_group_signs_in_and_has_its_role(mock, door_of, owner, workspace):
    mock.put("s-bo", BO)
    browser, place = door_of(mock).sign_in()
    assert place == "/"
    session = browser.get(f"{API}/session").json()
    assert (session["actor"]["name"], session["actor"]["roles"]) == ("bo@example.org", ["labelling-manager"])
    (person,) = service.people(owner, store=workspace)
    assert (person.name, person.kind) == ("Bo Lind", "person")
    assert held(owner, workspace) == [("labelling-manager", "workspace")]
    assert browser.post(f"{API}/sign-out").status_code == 204
    assert browser.get(f"{API}/session").status_code == 401


@pytest.mark.skipif(not providers.node(), reason="needs node and the packages of web/")
def test_a_certified_provider_signs_in_with_claims_from_its_userinfo(door_of):
    with providers.running_node(CALLBACK, {"s-bo": BO}) as provider:
        # without userinfo its ID token names no address
        assert door_of(provider).refused() == "email"
        browser, place = door_of(provider, userinfo=True).sign_in()
        assert place == "/"
        assert browser.get(f"{API}/session").json()["actor"]["roles"] == ["labelling-manager"]


def test_groups_are_compared_at_each_sign_in_and_grants_by_hand_stay(mock, door_of, owner, workspace):
    mock.put("s-bo", BO)
    door = door_of(mock)
    door.sign_in()
    service.grant_role(owner, "bo@example.org", "auditor", store=workspace)
    mock.put("s-bo", {**BO, "groups": ["streets", "unknown"]})
    door.sign_in()
    assert held(owner, workspace) == [("auditor", "workspace"), ("curator", "dataset:streets")]
    mock.put("s-bo", {**BO, "groups": []})
    browser, _ = door.sign_in()
    assert held(owner, workspace) == [("auditor", "workspace")]
    assert browser.get(f"{API}/session").json()["actor"]["roles"] == ["auditor"]


def test_a_role_from_a_group_ends_by_itself_unless_a_sign_in_renews_it(mock, door_of, owner, workspace):
    mock.put("s-bo", BO)
    door = door_of(mock)
    door.sign_in()
    (first,) = service.grants(owner, store=workspace)
    door.sign_in()
    (second,) = service.grants(owner, store=workspace)
    assert (first.id, first.until_us is not None) == (second.id, True)
    assert (second.until_us or 0) > (first.until_us or 0)


def test_nobody_without_a_group_of_the_table_gets_an_account(mock, door_of, owner, workspace):
    mock.put("s-eve", {**BO, "email": "eve@example.org", "groups": ["others"]})
    assert door_of(mock).refused("s-eve") == "closed"
    assert service.people(owner, store=workspace) == []


@pytest.mark.parametrize(
    "claims", [{"email_verified": False}, {"email_verified": None}, {"email": "no address"}, {"email": ""}]
)
def test_an_address_that_is_not_verified_gets_no_account(mock, door_of, claims):
    mock.put("s-bo", {**BO, **claims})
    assert door_of(mock).refused() == "email"


def test_an_invited_person_is_linked_once_and_known_by_subject_from_then_on(mock, door_of, owner, workspace):
    service.add_person(owner, "bo@example.org", "Bo", store=workspace, role="auditor")
    mock.put("s-bo", {**BO, "groups": []})
    door = door_of(mock)
    assert door.sign_in()[1] == "/"
    mock.put("s-bo", {"email": "other@example.org", "email_verified": False})
    browser, _ = door.sign_in()
    assert browser.get(f"{API}/session").json()["actor"]["name"] == "bo@example.org"
    mock.put("s-second", BO)
    assert door.refused("s-second") == "account"


def test_the_account_of_a_program_is_never_linked(mock, door_of, owner, workspace):
    service.add_person(owner, "bo@example.org", "Nightly", store=workspace, kind="service")
    mock.put("s-bo", BO)
    assert door_of(mock).refused() == "account"


def test_a_disabled_person_is_refused_and_their_groups_change_nothing(mock, door_of, owner, workspace):
    mock.put("s-bo", BO)
    door = door_of(mock)
    browser, _ = door.sign_in()
    service.disable_person(owner, "bo@example.org", store=workspace)
    assert browser.get(f"{API}/session").status_code == 401
    mock.put("s-bo", {**BO, "groups": ["streets"]})
    assert door.refused() == "account"
    assert held(owner, workspace) == [("labelling-manager", "workspace")]


def test_t15_an_answer_is_used_once_whether_by_its_browser_or_another(mock, door_of):
    mock.put("s-bo", BO)
    door = door_of(mock)
    browser = door.browser()
    back = door.begin(browser, "s-bo")
    stolen = browser.cookies["calotype-account-80-oidc"]
    assert door.browser().get(back).headers["location"] == "/?refused=state"
    assert browser.get(back).headers["location"] == "/"
    assert browser.get(back).headers["location"] == "/?refused=state"
    thief = door.browser()
    answer = thief.get(back, headers={"cookie": f"calotype-account-80-oidc={stolen}"})
    assert answer.headers["location"] == "/?refused=state"


def test_a_code_is_of_no_use_in_another_sign_in(hostile, door_of):
    door = door_of(hostile)
    first, second = door.browser(), door.browser()
    code = parse_qs(urlsplit(door.begin(first, "s-bo")).query)["code"][0]
    state = parse_qs(urlsplit(door.begin(second, "s-bo")).query)["state"][0]
    injected = f"{CALLBACK}?code={code}&state={state}"
    assert second.get(injected).headers["location"] == "/?refused=code"


def test_t15_a_code_that_was_redeemed_is_refused(mock, door_of):
    mock.put("s-bo", BO)
    door = door_of(mock)
    browser = door.browser()
    code = parse_qs(urlsplit(door.begin(browser, "s-bo")).query)["code"][0]
    query = parse_qs(urlsplit(door.begin(browser, "s-bo")).query)
    first = f"{CALLBACK}?code={query['code'][0]}&state={query['state'][0]}"
    assert browser.get(first).headers["location"] == "/"
    state = parse_qs(urlsplit(door.begin(browser, "s-bo")).query)["state"][0]
    for again in (query["code"][0], "x", code + "x"):
        assert (
            browser.get(f"{CALLBACK}?code={again}&state={state}").headers["location"].startswith("/?refused=")
        )
        state = parse_qs(urlsplit(door.begin(browser, "s-bo")).query)["state"][0]


def test_a_sign_in_that_began_too_long_ago_is_refused(mock, door_of, monkeypatch):
    mock.put("s-bo", BO)
    door = door_of(mock)
    browser = door.browser()
    back = door.begin(browser, "s-bo")
    monkeypatch.setattr(flows, "LIMIT_S", -1)
    assert browser.get(back).headers["location"] == "/?refused=state"


def test_whoever_declines_at_the_provider_is_not_signed_in(mock, door_of):
    door = door_of(mock)
    browser = door.browser()
    state = parse_qs(urlsplit(door.begin(browser, "s-bo")).query)["state"][0]
    answer = browser.get(f"{CALLBACK}?error=access_denied&state={state}")
    assert answer.headers["location"] == "/?refused=declined"


def test_a_server_without_a_provider_says_so(workspace):
    for keys in (AccountKeys(workspace, 80),):
        with TestClient(
            server.make(workspace, keys, hosts={"testserver"}), follow_redirects=False
        ) as browser:
            assert browser.get(f"{API}/oidc/start").json()["code"] == "provider-not-set"
            assert browser.get(f"{API}/oidc/callback?code=x&state=x").json()["code"] == "provider-not-set"
            assert browser.get(f"{API}/health").json()["provider"] == ""


def test_failed_answers_count_for_the_machine(mock, door_of):
    door = door_of(mock)
    browser = door.browser()
    places = {browser.get(f"{API}/oidc/callback?code=x&state=x").headers["location"] for _ in range(51)}
    assert places == {"/?refused=state", "/?refused=attempts"}
