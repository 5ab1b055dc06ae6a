"""Signing in through a provider: real ones, and one that answers wrongly in every way we know."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.support import providers
from tests.support.providers import CLIENT_ID, CLIENT_SECRET, HostileProvider, MockProvider

from calotype.app import server, workspaces
from calotype.app.account_keys import AccountKeys
from calotype.app.oidc import flow as flows
from calotype.app.oidc import provider as providing
from calotype.app.oidc.fetching import Fetcher, ProviderFailed
from calotype.app.oidc.provider import Provider
from calotype.app.oidc.settings import OidcSettingsInvalid, Settings, origin_of, read_settings
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.people import service
from calotype.people.identities import GroupRole
from calotype.store import Store

API = "/api/v1"
CALLBACK = f"http://testserver{API}/oidc/callback"
TABLE = (GroupRole("labelling", "labelling-manager"), GroupRole("streets", "curator", "dataset:streets"))
BO = {"email": "bo@example.org", "email_verified": True, "name": "Bo Lind", "groups": ["labelling"]}


@pytest.fixture
def workspace(tmp_path: Path, owner: Actor) -> Iterator[Store]:
    """A workspace with the dataset `streets`."""
    store = workspaces.create(owner, tmp_path / "workspace")
    datasets.create(owner, "streets", store=store)
    yield store
    store.close()


@dataclass
class Door:
    """A server that signs people in through a provider, and its browsers."""

    app: Any
    provider: Any
    browsers: list[TestClient]

    def browser(self) -> TestClient:
        """A browser without cookies."""
        self.browsers.append(TestClient(self.app, raise_server_exceptions=False, follow_redirects=False))
        return self.browsers[-1]

    def begin(self, browser: TestClient, subject: str) -> str:
        """Where the provider sends the browser back to."""
        started = browser.get(f"{API}/oidc/start")
        assert started.status_code == 303, started.text
        back: str = self.provider.answer(started.headers["location"], subject)
        assert back.startswith(CALLBACK)
        return back

    def sign_in(self, subject: str = "s-bo") -> tuple[TestClient, str]:
        """A browser that went to the provider and back, and where it was sent in the end."""
        browser = self.browser()
        return browser, browser.get(self.begin(browser, subject)).headers["location"]

    def refused(self, subject: str = "s-bo") -> str:
        """Why a sign-in was refused."""
        browser, place = self.sign_in(subject)
        assert browser.get(f"{API}/session").status_code == 401
        return parse_qs(urlsplit(place).query)["refused"][0]


@pytest.fixture
def door_of(workspace) -> Iterator[Callable[..., Door]]:
    """A function that makes a server for a provider."""
    browsers: list[TestClient] = []

    def make(provider: Any, **options: Any) -> Door:
        settings = Settings(
            provider.issuer, CLIENT_ID, "Example", CLIENT_SECRET, **{"groups": TABLE, **options}
        )
        keys = AccountKeys(workspace, 80, provider=Provider(settings, CALLBACK))
        return Door(server.make(workspace, keys, hosts={"testserver"}), provider, browsers)

    yield make
    for browser in browsers:
        browser.close()


@pytest.fixture(scope="module")
def mock() -> Iterator[MockProvider]:
    """`oidc-provider-mock`, for all tests of this file."""
    with providers.running_mock() as provider:
        yield provider


@pytest.fixture(scope="module")
def rsa_key() -> RSAKey:
    """The key of the provider that answers wrongly."""
    return RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})


@pytest.fixture
def hostile(rsa_key) -> Iterator[HostileProvider]:
    """A provider that says about `s-bo` what is true, unless a test changes it."""
    with providers.running_hostile(rsa_key) as provider:
        provider.claims = dict(BO)
        yield provider


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
    assert (person.name, person.kind, held(owner, workspace)) == (
        "Bo Lind", "person", [("labelling-manager", "workspace")],
    )  # fmt: skip
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


def test_an_answer_is_used_once_whether_by_its_browser_or_another(mock, door_of):
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


def test_a_code_that_was_redeemed_is_refused(mock, door_of):
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


def _sign_with_another_key(_provider: HostileProvider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, RSAKey.generate_key(2048))


def _sign_with_a_key_of_its_own(_provider: HostileProvider, claims: dict[str, Any]) -> str:
    key = RSAKey.generate_key(2048)
    head = {"alg": "RS256", "jwk": key.as_dict(private=False)}
    return jwt.encode(head, claims, key)


SPOILED: dict[str, Callable[[HostileProvider], None]] = {
    "audience of another client": lambda p: p.claims.update(aud="another"),
    "audience of several without us": lambda p: p.claims.update(aud=["a", "b"]),
    "audience of several, for another": lambda p: p.claims.update(aud=["a", CLIENT_ID], azp="a"),
    "audience of several, for nobody": lambda p: p.claims.update(aud=["a", CLIENT_ID]),
    "no audience": lambda p: setattr(p, "change", lambda claims: claims.pop("aud")),
    "for another": lambda p: p.claims.update(azp="another"),
    "issuer": lambda p: p.claims.update(iss="http://127.0.0.1:1"),
    "issuer with a slash": lambda p: p.claims.update(iss=f"{p.issuer}/"),
    "no issuer": lambda p: setattr(p, "change", lambda claims: claims.pop("iss")),
    "expired": lambda p: p.claims.update(exp=int(time.time()) - 60),
    "no end": lambda p: setattr(p, "change", lambda claims: claims.pop("exp")),
    "end is text": lambda p: p.claims.update(exp="tomorrow"),
    "not yet": lambda p: p.claims.update(nbf=int(time.time()) + 3_600),
    "issued in an hour": lambda p: p.claims.update(iat=int(time.time()) + 3_600),
    "issued long ago": lambda p: p.claims.update(iat=int(time.time()) - 3_600),
    "nonce": lambda p: p.claims.update(nonce="of another sign-in"),
    "no nonce": lambda p: setattr(p, "change", lambda claims: claims.pop("nonce")),
    "no subject": lambda p: setattr(p, "change", lambda claims: claims.pop("sub")),
    "empty subject": lambda p: p.claims.update(sub=""),
    "long subject": lambda p: p.claims.update(sub="x" * 256),
    "token of another": lambda p: p.claims.update(at_hash="x" * 22),
    "alg none": lambda p: setattr(p, "sign", lambda _, claims: providers.forged(claims, "none", b"")),
    "alg None": lambda p: setattr(p, "sign", lambda _, claims: providers.forged(claims, "None", b"")),
    "alg HS256 with the public key": lambda p: setattr(p, "sign", providers.signed_with_public_key),
    "alg HS256 with the secret": lambda p: setattr(
        p, "sign", lambda _, claims: providers.forged(claims, "HS256", CLIENT_SECRET.encode())
    ),
    "alg RS256 without signature": lambda p: setattr(
        p, "sign", lambda _, claims: providers.forged(claims, "RS256", b"")
    ),
    "another key": lambda p: setattr(p, "sign", _sign_with_another_key),
    "a key in the token": lambda p: setattr(p, "sign", _sign_with_a_key_of_its_own),
    "not a token": lambda p: setattr(p, "sign", lambda *_: "a.b.c"),
    "a huge token": lambda p: setattr(p, "sign", lambda *_: "a" * 200_000),
}  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_a_token_that_is_not_for_us_and_now_is_refused(hostile, door_of, spoil, owner, workspace):
    door = door_of(hostile)
    assert door.sign_in("s-ok")[1] == "/", "what the test spoils must be good without it"
    spoil(hostile)
    assert door.refused("s-bo") == "token"


def test_a_new_key_of_the_provider_is_asked_for_but_not_for_every_token(hostile, door_of, monkeypatch):
    door = door_of(hostile)
    assert door.sign_in()[1] == "/"
    hostile.key = RSAKey.generate_key(2048, {"kid": "k2", "use": "sig"})
    assert door.refused() == "token"
    monkeypatch.setattr(providing, "KEYS_AGAIN_S", -1.0)
    assert door.sign_in()[1] == "/"
    hostile.asked.clear()
    monkeypatch.setattr(providing, "KEYS_AGAIN_S", 60.0)
    hostile.sign = _sign_with_another_key
    for _ in range(3):
        assert door.refused() == "token"
    assert "/jwks" not in hostile.asked


@pytest.mark.parametrize("issuer", ["", "http://127.0.0.1:1"], ids=["missing", "another"])
def test_an_answer_of_another_issuer_is_refused(hostile, door_of, issuer):
    hostile.metadata = {"authorization_response_iss_parameter_supported": True}
    door = door_of(hostile)
    browser = door.browser()
    back = door.begin(browser, "s-bo") + (f"&iss={issuer}" if issuer else "")
    assert browser.get(back).headers["location"] == "/?refused=issuer"
    browser = door.browser()
    assert browser.get(f"{door.begin(browser, 's-bo')}&iss={hostile.issuer}").headers["location"] == "/"


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://example.org"},
        {"token_endpoint": "http://127.0.0.1:1/token"},
        {"jwks_uri": "http://169.254.169.254/latest/meta-data"},
        {"jwks_uri": "file:///etc/passwd"},
        {"token_endpoint": "http://localhost@127.0.0.1:1/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
    ids=lambda value: next(iter(value)),
)
def test_discovery_leads_nowhere_but_to_the_issuer(hostile, door_of, metadata):
    hostile.metadata = metadata
    answer = door_of(hostile).browser().get(f"{API}/oidc/start")
    assert (answer.status_code, answer.json()["code"]) == (502, "sign-in-provider-failed")
    assert "169.254" not in answer.text and set(hostile.asked) == {"/.well-known/openid-configuration"}


def test_the_provider_can_neither_redirect_the_server_nor_fill_its_memory_nor_hold_it(hostile):
    fetcher = Fetcher(frozenset({origin_of(hostile.issuer)}), limit_s=0.5)
    hostile.raw = {
        "/moved": (302, {"location": "http://169.254.169.254/"}, b""),
        "/huge": (200, {}, b"[" * 1_100_000),
        "/deep": (200, {}, b"[" * 500_000),
        "/short": (200, {"content-length": "100"}, b"{"),
        "/list": (200, {}, b"[]"),
    }
    for path in hostile.raw:
        with pytest.raises(ProviderFailed) as caught:
            fetcher.get_json(hostile.issuer + path)
        assert "[[[" not in str(caught.value) and "169.254" not in str(caught.value)
    with pytest.raises(ProviderFailed):
        fetcher.get_json("http://127.0.0.1:1/")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://login.example.org/realms/x", "https://login.example.org:443"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://[::1]:9000/", "http://[::1]:9000"),
        ("http://login.example.org", ""),
        ("http://127.0.0.2", ""),
        ("http://2130706433/", ""),
        ("http://[::ffff:127.0.0.1]/", ""),
        ("http://localhost.example.org", ""),
        ("https://user@login.example.org", ""),
        ("https://login.example.org\\@127.0.0.1", ""),
        ("https://login.example.org:x/", ""),
        ("file:///etc/passwd", ""),
        ("gopher://127.0.0.1/", ""),
        ("", ""),
    ],
)
def test_only_https_or_this_machine_is_an_origin(url, origin):
    assert origin_of(url) == origin


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


FILE = """
issuer = "https://login.example.org/realms/vision"
client_id = "calotype"
name = "Example"
client_secret_file = "secret"
also = ["https://keys.example.org"]
[[groups]]
group = "labelling"
role = "labelling-manager"
[[groups]]
group = "streets"
role = "curator"
on = "dataset:streets"
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """A function that writes settings beside a secret."""
    secret = tmp_path / "secret"
    secret.write_text(f"{CLIENT_SECRET}\n")
    secret.chmod(0o600)

    def write(text: str) -> Path:
        path = tmp_path / "oidc.toml"
        path.write_text(text)
        path.chmod(0o600)
        return path

    return write


def test_settings_come_from_a_file_and_their_secret_from_another_or_the_environment(written, monkeypatch):
    settings = read_settings(written(FILE))
    assert (settings.client_secret, settings.groups) == (CLIENT_SECRET, TABLE)
    assert settings.origins == {"https://login.example.org:443", "https://keys.example.org:443"}
    assert CLIENT_SECRET not in repr(settings)
    monkeypatch.setenv("OF_THE_TEST", "another")
    text = FILE.replace('client_secret_file = "secret"', 'client_secret_env = "OF_THE_TEST"')
    assert replace(settings, client_secret="another") == read_settings(written(text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("https://login", "http://login"),
        ('"calotype"', '""'),
        ('"calotype"', "1"),
        ("labelling-manager", "king"),
        ("dataset:streets", "streets"),
        ('name = "Example"', 'algorithms = ["HS256"]'),
        ('name = "Example"', 'algorithms = ["none"]'),
        ('name = "Example"', "algorithms = []"),
        ('name = "Example"', 'client_secret = "x"'),
        ('name = "Example"', 'scopes = "openid"'),
        ("https://keys", "http://keys"),
        ('group = "streets"', 'group = ""'),
        ('"secret"', '"absent"'),
        ("[[groups]]", "[[groups"),
    ],
)
def test_settings_that_would_let_the_wrong_people_in_are_refused(written, old, new):
    with pytest.raises(OidcSettingsInvalid) as caught:
        read_settings(written(FILE.replace(old, new)))
    assert CLIENT_SECRET not in str(caught.value)


@pytest.mark.parametrize(("name", "mode"), [("oidc.toml", 0o620), ("oidc.toml", 0o602), ("secret", 0o640)])
def test_files_that_others_of_this_machine_could_change_or_read_are_refused(written, name, mode):
    path = written(FILE)
    (path.parent / name).chmod(mode)
    with pytest.raises(OidcSettingsInvalid):
        read_settings(path)
