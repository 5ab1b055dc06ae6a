"""Threats to rights and secrets: ids of others, rights that rise, default secrets, replay, leaks, spreadsheets.

The numbers are those of `docs/explanation/security.md`.
"""

from __future__ import annotations

import csv
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.every_route import NOBODY_NEEDED, operations
from tests.support.images import draw, encode
from tests.support.teams import API, PASSWORD, fill, running_team

from calotype.app.serving import TokenWeak, _token
from calotype.foundation.actor import ROLES, WORKSPACE, Actor, Permission
from calotype.people import service, signing_in
from calotype.reliability import service as reliability

OWNER = Actor("test:ana", "ana")


def _sample(browser: Any, dataset: str) -> dict[str, Any]:
    return dict(browser.get(f"{API}/datasets/{dataset}/samples").json()["items"][0])


def test_t11_an_id_of_others_answers_like_one_that_never_was(ana, bo):
    theirs, mine = _sample(ana, "secret"), _sample(bo, "streets")
    never = {"id": "0" * 32, "media": "0" * 64}
    for path in ("samples/{id}", "media/{media}", "thumbs/{media}", "blame/{id}", "similar?to={id}"):
        place = f"{API}/datasets/streets/{path}"
        foreign, absent = (bo.get(place.format(**item)) for item in (theirs, never))
        assert (foreign.status_code, foreign.json()["code"]) == (absent.status_code, absent.json()["code"])
        assert foreign.status_code in (404, 409, 422) and "secret" not in foreign.text
    assert bo.get(f"{API}/datasets/streets/samples/{mine['id']}").is_success
    for name in ("secret", "absent"):
        assert bo.get(f"{API}/datasets/{name}/samples/{theirs['id']}").status_code == 404


def test_t11_a_batch_with_one_foreign_item_changes_nothing(ana, bo):
    ana.post(f"{API}/datasets/streets/checks")
    run = ana.post(f"{API}/datasets/secret/checks").json()["run"]["id"]
    foreign = ana.get(f"{API}/datasets/secret/findings?run={run}").json()["items"]
    run = ana.get(f"{API}/datasets/streets/checks").json()["run"]["id"]
    own = bo.get(f"{API}/datasets/streets/findings?run={run}").json()["items"]
    assert foreign and own
    keys = [own[0]["key"], foreign[0]["key"]]
    decision = {"keys": keys, "state": "accepted", "reason": "a test"}
    assert bo.post(f"{API}/datasets/streets/finding-decisions", json=decision).status_code in (404, 422)
    after = bo.get(f"{API}/datasets/streets/findings?run={run}").json()["items"]
    assert [item["state"] for item in after] == [item["state"] for item in own]


def test_t11_nobody_is_everybody_where_a_list_of_members_is_empty(team, ana):
    assert ana.post(f"{API}/teams", json={"name": "empty"}).is_success
    assert ana.post(f"{API}/teams/empty/datasets", json={"datasets": ["secret"]}).is_success
    stranger = team.join(ana, "stranger@example.org")
    assert stranger.get(f"{API}/datasets").json()["items"] == []
    assert stranger.get(f"{API}/datasets/secret").status_code == 404


def _rights(store: Any, email: str) -> set[tuple[str, str]]:
    """What somebody may do now: pairs of permission and resource."""
    account = next(person for person in service.people(OWNER, store=store) if person.email == email)
    secret = signing_in.start_session(account, store=store)
    signed_in = signing_in.from_session(secret, store=store)
    assert signed_in is not None
    names = (WORKSPACE, "streets", "secret")
    return {
        (str(p), name)
        for p in Permission
        for name in names
        if store.guard.allows(signed_in.actor, p, dataset=name)
    }


ME = "me@example.org"
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["grant", "member", "team", "datasets", "token", "add", "remove", "revoke", "invite"]
        ),
        st.sampled_from(ROLES),
        st.sampled_from(["workspace", "team:mine", "dataset:secret", "dataset:streets"]),
    ),
    max_size=6,
)


@pytest.mark.parametrize("role", [role for role in ROLES if role != "owner"])
def test_t13_no_sequence_of_own_calls_raises_own_rights(team, ana, role):
    who = f"{role}@example.org"
    browser = team.join(ana, who, role=role)
    before = _rights(team.store, who)

    @settings(max_examples=8, deadline=None)
    @given(STEPS)
    def attempt(steps: list[tuple[str, str, str]]) -> None:
        for step, other, place in steps:
            _call(browser, who, step, other, place)
        assert _rights(team.store, who) <= before, steps

    attempt()


def _call(browser: Any, who: str, step: str, role: str, place: str) -> None:
    body: dict[str, Any]
    if step == "grant":
        browser.post(f"{API}/grants", json={"who": who, "role": role, "on": place})
    elif step == "member":
        browser.post(f"{API}/teams/mine/members", json={"email": who, "role": role})
    elif step == "team":
        browser.post(f"{API}/teams", json={"name": "mine"})
    elif step == "datasets":
        browser.post(f"{API}/teams/mine/datasets", json={"datasets": ["secret"]})
    elif step == "token":
        made = browser.post(
            f"{API}/tokens", json={"name": "t", "scopes": ["read", "write", "release", "audit"]}
        )
        if made.is_success:
            headers = {"authorization": f"Bearer {made.json()['token']}"}
            browser.post(f"{API}/grants", json={"who": who, "role": role, "on": place}, headers=headers)
    elif step == "add":
        browser.post(f"{API}/people", json={"email": who, "name": "again", "role": role})
    elif step == "remove":
        browser.delete(f"{API}/teams/mine/members/{who}")
    elif step == "invite":
        body = browser.post(f"{API}/people/{who}/invitation").json()
        accepted = {"secret": body.get("invitation", "x"), "password": PASSWORD, "name": "other"}
        browser.post(f"{API}/invitations/accept", json=accepted)
    else:
        for grant in browser.get(f"{API}/grants").json().get("items", ())[:2]:
            if grant["who"] == who:
                continue
            browser.delete(f"{API}/grants/none")


def test_t14_no_secret_is_the_same_in_two_workspaces_and_sign_up_is_closed(team, tmp_path):
    with running_team(tmp_path / "other") as other:
        keys = [sorted((store.folder / "keys").glob("*")) for store in (team.store, other.store)]
        for mine, theirs in zip(*keys, strict=True):
            assert mine.read_bytes() != theirs.read_bytes()
        stranger = other.browser()
        for body in (
            {"email": "eve@example.org", "name": "Eve"},
            {"email": "eve@example.org", "name": "Eve", "role": "owner"},
        ):
            assert stranger.post(f"{API}/people", json=body).status_code == 401
        for secret in ("", "x", "admin", "A" * 43):
            taken = {"secret": secret, "password": PASSWORD, "name": "Eve", "email": "eve@example.org"}
            assert stranger.post(f"{API}/invitations/accept", json=taken).status_code == 404
        for name, password in (("admin", "admin"), ("admin@localhost", "password"), ("", "")):
            refused = stranger.post(f"{API}/sign-in", json={"email": name, "password": password})
            assert refused.status_code == 401
        begun = stranger.post(f"{API}/device-sign-ins", json={"device": "eve"}).json()
        asked = stranger.post(f"{API}/device-sign-ins/token", json={"device_code": begun["device_code"]})
        assert asked.json() == {"token": None}
        for code in ("", "x", begun["user_code"]):
            refused = stranger.post(f"{API}/device-sign-ins/token", json={"device_code": code})
            assert refused.status_code == 409
        answer = {"user_code": begun["user_code"], "allow": True}
        assert stranger.post(f"{API}/device-sign-ins/answer", json=answer).status_code == 401
        assert service.people(OWNER, store=other.store) == []
    assert {
        path.removeprefix(API) for path, *_ in operations() if "sign-up" in path or "register" in path
    } == set()
    assert len(NOBODY_NEEDED) == 9, "a route that needs nobody signed in is looked at here first"


@pytest.mark.parametrize("token", ["admin", "changeme", "secret-token", "a" * 40, "0101010101010101010101"])
def test_t14_a_token_that_can_be_guessed_is_refused(monkeypatch, token):
    monkeypatch.setenv("CALOTYPE_TOKEN", token)
    with pytest.raises(TokenWeak):
        _token()
    monkeypatch.delenv("CALOTYPE_TOKEN")
    assert _token() != _token()


def test_t15_what_was_captured_is_of_no_use_after_its_end(team, ana):
    mine = team.join(ana, "mover@example.org")
    (cookie,) = (f"{name}={value}" for name, value in mine.cookies.items())
    thief = team.browser(cookie=cookie)
    assert thief.get(f"{API}/session").is_success, "until its end, whoever has the cookie has the session"
    mine.post(f"{API}/sign-out")
    assert thief.get(f"{API}/session").status_code == 401
    made = ana.post(f"{API}/tokens", json={"name": "once"}).json()
    bearer = {"authorization": f"Bearer {made['token']}"}
    assert team.browser().get(f"{API}/datasets", headers=bearer).is_success
    ana.delete(f"{API}/tokens/{made['details']['id']}")
    assert team.browser().get(f"{API}/datasets", headers=bearer).status_code == 401
    invited = ana.post(f"{API}/people", json={"email": "new@example.org", "name": "New"}).json()["invitation"]
    accepted = {"secret": invited, "password": PASSWORD}
    assert team.browser().post(f"{API}/invitations/accept", json=accepted).status_code == 204
    assert team.browser().post(f"{API}/invitations/accept", json=accepted).status_code == 404


def test_t15_an_address_cannot_be_given_to_a_second_account(team, ana):
    team.join(ana, "gone@example.org", role="curator")
    ana.put(f"{API}/people/gone@example.org/disabled")
    again = ana.post(f"{API}/people", json={"email": "Gone@Example.org", "name": "Another"})
    assert (again.status_code, again.json()["code"]) == (409, "person-exists")


def test_t16_a_secret_is_in_no_log_error_export_trail_metric_or_backup(tmp_path):
    with running_team(tmp_path / "workspace") as team:
        ana = team.first()
        fill(ana, "streets")
        invitation = ana.post(f"{API}/people", json={"email": "bo@example.org", "name": "Bo"}).json()[
            "invitation"
        ]
        token = ana.post(f"{API}/tokens", json={"name": "nightly"}).json()["token"]
        (session,) = ana.cookies.values()
        wrong = "canary-password-93b1"
        secrets = [invitation, token, session, PASSWORD, wrong]
        texts = []
        for secret in secrets:
            bearer = {"authorization": f"Bearer {secret}"}
            for answer in (
                team.browser().get(
                    f"{API}/datasets", headers={**bearer, "cookie": f"calotype-account-80=x{secret}"}
                ),
                team.browser().get(f"{API}/datasets/{secret}", params={"where": secret, "token": secret}),
                team.browser().post(f"{API}/sign-in", json={"email": secret, "password": secret}),
                team.browser().post(f"{API}/sign-in", json={"email": [secret], "password": {"a": secret}}),
                team.browser().post(f"{API}/invitations/show", json={"secret": f"{secret}x"}),
                ana.post(f"{API}/account/password", json={"old": f"{secret}x", "new": "short"}),
                team.browser().request("DELETE", f"{API}/tokens/x", headers=bearer),
            ):
                texts.append(answer.text)
        reader = ana.get(f"{API}/metrics")
        texts += [
            reader.text,
            json.dumps(team.log),
            ana.get(f"{API}/audit/export").text,
            ana.get(f"{API}/tokens?everyone=true").text,
        ]
        for secret in secrets:
            assert [text[:300] for text in texts if secret in text] == []
        reliability.backup(OWNER, str(tmp_path / "backup"), store=team.store)
        files = [
            path
            for folder in ("backup", "workspace")
            for path in (tmp_path / folder).rglob("*")
            if path.is_file()
        ]
        assert len(files) > 10
        for path in files:
            data = path.read_bytes()
            assert [secret for secret in secrets if secret.encode() in data] == [], path.name


FORMULAS = ("=cmd|' C'!A0", "+1+1", "-2+3", "@SUM(A1)", "\tx", '=HYPERLINK("http://x")')


def test_t22_a_name_in_a_table_for_people_is_never_a_formula(tmp_path):
    with running_team(tmp_path / "workspace") as team:
        ana = team.first()
        assert ana.post(f"{API}/datasets", json={"name": "odd"}).is_success
        names = [f"{formula}-{index}.png" for index, formula in enumerate(FORMULAS)]
        added = 0
        for index, name in enumerate(names):
            put = ana.put(
                f"{API}/datasets/odd/images/{quote(name)}",
                params={"licence": "CC0-1.0"},
                content=encode(draw(index), "image/png"),
            )
            added += put.is_success
        assert added >= 3
        ana.post(f"{API}/datasets/odd/splits", json={"fractions": {"train": 1.0}})
        ana.post(f"{API}/datasets/odd/commits", json={"message": "all"})
        released = ana.post(f"{API}/datasets/odd/releases", json={"version": "1.0.0"})
        assert released.is_success, released.text
        table = ana.get(f"{API}/datasets/odd/releases/1.0.0/files/splits.csv")
        rows = list(csv.reader(table.text.splitlines()))
        assert len(rows) == added + 1
        assert [
            cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        ] == []
        listed = {item["name"] for item in ana.get(f"{API}/datasets/odd/samples").json()["items"]}
        assert {row[1].removeprefix("'") for row in rows[1:]} == listed
