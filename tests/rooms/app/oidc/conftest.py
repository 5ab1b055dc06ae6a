"""A server that signs people in through a provider, and the browsers of people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey
from tests.support import providers
from tests.support.providers import (
    API,
    BO,
    CALLBACK,
    CLIENT_ID,
    CLIENT_SECRET,
    TABLE,
    HostileProvider,
    MockProvider,
)

from calotype.app import server, workspaces
from calotype.app.account_keys import AccountKeys
from calotype.app.oidc.provider import Provider
from calotype.app.oidc.settings import Settings
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.store import Store


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
