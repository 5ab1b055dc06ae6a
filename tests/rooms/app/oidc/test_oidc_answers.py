"""A provider that answers wrongly, in every way we know: its tokens, its keys, its addresses."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.support import providers
from tests.support.providers import API, CLIENT_ID, CLIENT_SECRET, HostileProvider

from calotype.app.oidc import provider as providing
from calotype.app.oidc.fetching import Fetcher, ProviderFailed
from calotype.app.oidc.settings import origin_of


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
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_t24_a_token_that_is_not_for_us_and_now_is_refused(hostile, door_of, spoil, owner, workspace):
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
def test_t8_discovery_leads_nowhere_but_to_the_issuer(hostile, door_of, metadata):
    hostile.metadata = metadata
    answer = door_of(hostile).browser().get(f"{API}/oidc/start")
    assert (answer.status_code, answer.json()["code"]) == (502, "sign-in-provider-failed")
    assert "169.254" not in answer.text and set(hostile.asked) == {"/.well-known/openid-configuration"}


def test_t8_the_provider_can_neither_redirect_the_server_nor_fill_its_memory_nor_hold_it(hostile):
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
def test_t8_only_https_or_this_machine_is_an_origin(url, origin):
    assert origin_of(url) == origin
