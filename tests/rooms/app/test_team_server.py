"""A server with accounts: who gets in, and that every route keeps out whoever has no right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from tests.support.every_route import NOBODY_NEEDED, WITHOUT_A_ROLE, call, operations

from calotype.app import server, workspaces
from calotype.app.account_keys import AccountKeys
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.people import invitations, secret, service
from calotype.store import Store

API = "/api/v1"
PASSWORD = "a lamp, a lens, a plate"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cheap hash for the passwords of tests."""
    monkeypatch.setattr(secret, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def workspace(tmp_path: Path, owner: Actor) -> Iterator[Store]:
    """A fresh workspace under the rules of `govern`."""
    store = workspaces.create(owner, tmp_path / "workspace")
    yield store
    store.close()


@pytest.fixture
def open_door(workspace) -> Iterator[Callable[[], TestClient]]:
    """A function that gives a browser of its own."""
    app = server.make(workspace, AccountKeys(workspace, 80), hosts={"testserver"})
    clients: list[TestClient] = []

    def browser() -> TestClient:
        clients.append(TestClient(app, raise_server_exceptions=False, follow_redirects=False))
        return clients[-1]

    yield browser
    for client in clients:
        client.close()


@pytest.fixture
def ana(workspace, open_door) -> TestClient:
    """The browser of the first owner, who came by the link."""
    browser: TestClient = open_door()
    link = invitations.first_owner_secret(workspace)
    shown = browser.post(f"{API}/invitations/show", json={"secret": link}).json()
    assert shown == {"email": "", "name": "", "is_first_owner": True}
    body = {"secret": link, "password": PASSWORD, "name": "Ana", "email": "ana@example.org"}
    assert browser.post(f"{API}/invitations/accept", json=body).status_code == 204
    return browser


def join(ana: TestClient, browser: TestClient, email: str, **more: str) -> TestClient:
    """Invite somebody, who accepts in a browser."""
    added = ana.post(f"{API}/people", json={"email": email, "name": email[:2], **more})
    assert added.is_success, added.text
    body = {"secret": added.json()["invitation"], "password": PASSWORD}
    assert browser.post(f"{API}/invitations/accept", json=body).status_code == 204
    return browser


def test_people_sign_in_and_out(ana, open_door):
    browser = open_door()
    assert browser.get(f"{API}/session").status_code == 401
    body = {"email": "ana@example.org", "password": PASSWORD}
    assert browser.post(f"{API}/sign-in", json={**body, "password": "no"}).json()["code"] == "sign-in-refused"
    answer = browser.post(f"{API}/sign-in", json=body)
    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 204 and "httponly" in cookie and "samesite=lax" in cookie
    shown = browser.get(f"{API}/session").json()
    assert (shown["accounts"], shown["actor"]["name"], shown["actor"]["roles"]) == (
        True, "ana@example.org", ["owner"],
    )  # fmt: skip
    assert len(browser.get(f"{API}/account/sessions").json()["items"]) == 2
    (stolen,) = [f"{name}={value}" for name, value in browser.cookies.items()]
    assert browser.post(f"{API}/sign-out").status_code == 204
    assert browser.get(f"{API}/session").status_code == 401
    assert browser.get(f"{API}/session", headers={"cookie": stolen}).status_code == 401


def test_the_cookie_of_a_server_behind_tls_is_for_tls_only(workspace):
    app = server.make(workspace, AccountKeys(workspace, 80, secure=True), hosts={"testserver"})
    link = invitations.first_owner_secret(workspace)
    body = {"secret": link, "password": PASSWORD, "name": "Ana", "email": "ana@example.org"}
    with TestClient(app) as browser:
        cookie = browser.post(f"{API}/invitations/accept", json=body).headers["set-cookie"]
    assert cookie.startswith("__Host-calotype=") and "Secure" in cookie and "Domain" not in cookie


def test_a_secret_that_changed_comes_back_as_a_cookie(ana, monkeypatch):
    monkeypatch.setattr("calotype.people.signing_in.ROTATE_US", 0)
    answer = ana.get(f"{API}/session")
    assert answer.is_success and "calotype-account-80=" in answer.headers["set-cookie"]
    assert ana.get(f"{API}/session").is_success


@pytest.mark.parametrize("token", ["", "x", "calo_" + "x" * 51, "open-sesame"])
def test_neither_a_wrong_token_nor_the_link_of_one_person_gets_in(ana, open_door, token):
    browser = open_door()
    assert browser.get(f"{API}/datasets", headers={"authorization": f"Bearer {token}"}).status_code == 401
    assert "set-cookie" not in browser.get(f"/?token={token}").headers
    assert browser.post(f"{API}/session", json={"token": token}).status_code == 401


def test_a_program_gets_in_with_its_token_until_it_is_revoked(ana, open_door):
    made = ana.post(f"{API}/tokens", json={"name": "training", "scopes": ["read"]}).json()
    headers = {"authorization": f"Bearer {made['token']}"}
    program = open_door()
    assert program.get(f"{API}/datasets", headers=headers).json()["items"] == []
    assert program.post(f"{API}/datasets", json={"name": "x"}, headers=headers).status_code == 403
    ana.delete(f"{API}/tokens/{made['details']['id']}")
    assert program.get(f"{API}/datasets", headers=headers).status_code == 401


def test_a_disabled_person_is_out_at_the_next_request(ana, open_door):
    bo = join(ana, open_door(), "bo@example.org", role="curator")
    assert bo.get(f"{API}/datasets").is_success
    assert ana.put(f"{API}/people/bo@example.org/disabled").json()["state"] == "disabled"
    assert bo.get(f"{API}/datasets").status_code == 401


def test_a_dataset_of_others_looks_like_none(workspace, owner, ana, open_door):
    datasets.create(owner, "secret", store=workspace)
    datasets.create(owner, "mine", store=workspace)
    bo = join(ana, open_door(), "bo@example.org")
    ana.post(f"{API}/grants", json={"who": "bo@example.org", "role": "curator", "on": "dataset:mine"})
    assert [item["name"] for item in bo.get(f"{API}/datasets").json()["items"]] == ["mine"]
    for path in ("samples", "log", "facets", "overview", "findings?run=x", "thumbs/00", "views"):
        answers = [bo.get(f"{API}/datasets/{name}/{path}") for name in ("secret", "absent")]
        texts = {answer.text.replace("secret", "?").replace("absent", "?") for answer in answers}
        assert (len(texts), {answer.status_code for answer in answers}) == (1, {404}), texts


def test_every_route_keeps_out_whoever_is_not_signed_in(workspace, owner, open_door):
    datasets.create(owner, "secret", store=workspace)
    browser = open_door()
    let_in = {
        path for path, method, operation in operations()
        if path.removeprefix(API) not in NOBODY_NEEDED and call(browser, path, method, operation).status_code != 401
    }  # fmt: skip
    assert let_in == set()


def test_every_route_keeps_out_whoever_has_no_role(workspace: Store, owner: Actor, ana, open_door):
    datasets.create(owner, "secret", store=workspace)
    bo = join(ana, open_door(), "bo@example.org")
    before = ana.get(f"{API}/audit?limit=5000").json()["items"]
    let_in: dict[str, tuple[int, str]] = {}
    unclear: dict[str, tuple[int, str]] = {}
    for path, method, operation in operations():
        name = operation["operationId"]
        if path.removeprefix(API) in NOBODY_NEEDED or name == "sign_out":
            continue
        answer = call(bo, path, method, operation)
        if answer.status_code not in (401, 403, 404):
            kind = let_in if answer.is_success else unclear
            kind[name] = (answer.status_code, answer.text[:160])
        assert "secret" not in answer.text or not answer.is_success, name
    assert set(let_in) - set(WITHOUT_A_ROLE) == set()
    assert unclear == {}
    signing = {"person.sign-in", "person.accept-invitation"}
    mine = {"token.create", "token.rotate", "access.refused", "access.ask", *signing}
    new = ana.get(f"{API}/audit?limit=5000").json()["items"][: -len(before)]
    assert {event["verb"] for event in new} <= mine
    assert [person.email for person in service.people(owner, store=workspace)] == [
        "ana@example.org",
        "bo@example.org",
    ]


def events(ana: TestClient, **query: str) -> list[dict[str, Any]]:
    """Events of the audit trail, oldest first."""
    return list(reversed(ana.get(f"{API}/audit", params=query).json()["items"]))


def test_the_trail_says_who_was_refused_and_who_read(workspace, owner, ana, open_door):
    for name in ("shop", "secret"):
        datasets.create(owner, name, store=workspace)
    bo = join(ana, open_door(), "bo@example.org")
    grant = {"who": "bo@example.org", "role": "curator", "on": "dataset:shop", "reason": "spring"}
    assert ana.post(f"{API}/grants", json=grant).is_success
    for _ in range(3):
        assert bo.get(f"{API}/datasets/shop").is_success
        assert bo.get(f"{API}/datasets/shop/refs").is_success
        assert bo.get(f"{API}/datasets/secret").status_code == 404
        assert bo.get(f"{API}/people").status_code == 403
    seen = [(event["verb"], event["subject"]) for event in events(ana, who="bo@example.org")]
    assert seen.count(("dataset.read", "shop")) == 1
    assert seen.count(("access.refused", "secret")) == 1
    assert seen.count(("access.refused", "the workspace")) == 1
    assert ("dataset.read", "secret") not in seen
    refused = events(ana, verb="access.refused")[0]
    assert (refused["details"]["permission"], refused["actor_name"]) == ("dataset.read", "bo")


def test_an_event_names_its_request_its_purpose_and_its_token(workspace, owner, ana, open_door):
    datasets.create(owner, "shop", store=workspace)
    token = ana.post(f"{API}/tokens", json={"name": "ci", "scopes": ["write"], "days": 1}).json()["token"]
    program = open_door()
    answer = program.put(
        f"{API}/datasets/shop/views/night",
        json={"where": ""},
        headers={
            "authorization": f"Bearer {token}",
            "x-request-id": "build-7",
            "x-calotype-purpose": "night benchmark\x07",
        },
    )
    assert answer.is_success, answer.text
    assert answer.headers["x-request-id"] == "build-7"
    (event,) = events(ana, verb="view")
    assert event["details"]["request"] == {
        "token": ana.get(f"{API}/tokens").json()["items"][0]["id"],
        "id": "build-7",
        "purpose": "night benchmark",
    }
    hostile = ana.get(f"{API}/datasets", headers={"x-request-id": "a b\tc" * 99})
    assert re.fullmatch("[0-9a-f]{32}", hostile.headers["x-request-id"])


def test_a_refusal_names_the_question_that_explains_it(workspace, owner, ana, open_door):
    datasets.create(owner, "shop", store=workspace)
    bo = join(ana, open_door(), "bo@example.org")
    grant = {"who": "bo@example.org", "role": "annotator", "on": "dataset:shop"}
    assert ana.post(f"{API}/grants", json=grant).is_success
    refused = bo.get(f"{API}/people").json()
    assert (refused["action"], refused["resource"]) == ("people.read", "workspace")
    refused = bo.post(f"{API}/datasets/shop/commits", json={"message": "x"}).json()
    assert (refused["action"], refused["resource"]) == ("dataset.commit", "dataset:shop")
    why = bo.get(f"{API}/access/why", params={"action": refused["action"], "resource": refused["resource"]})
    assert (why.json()["allowed"], why.json()["rule"]) == (False, "no-permit")
    assert "action" not in bo.get(f"{API}/datasets/absent").json()
