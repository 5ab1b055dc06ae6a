"""A server with accounts for tests of threats, its people, and datasets with images and labels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from tests.support.images import draw, encode

from calotype.app import server, workspaces
from calotype.app.account_keys import AccountKeys
from calotype.foundation.actor import Actor
from calotype.people import invitations, secret
from calotype.store import Store

API = "/api/v1"
PASSWORD = "a lamp, a lens, a plate"


@dataclass
class Team:
    """A server, and a browser for each person."""

    store: Store
    log: list[dict[str, Any]] = field(default_factory=list)
    _open: list[TestClient] = field(default_factory=list)

    def __post_init__(self) -> None:
        keys = AccountKeys(self.store, 80)
        self.app = server.make(self.store, keys, hosts={"testserver"}, log=self.log.append)

    def browser(self, **headers: str) -> TestClient:
        """A browser in which nobody is signed in."""
        client = TestClient(self.app, raise_server_exceptions=False, follow_redirects=False, headers=headers)
        self._open.append(client)
        return client

    def first(self) -> TestClient:
        """The browser of the first owner."""
        browser = self.browser()
        link = invitations.first_owner_secret(self.store)
        body = {"secret": link, "password": PASSWORD, "name": "Ana", "email": "ana@example.org"}
        assert browser.post(f"{API}/invitations/accept", json=body).status_code == 204
        return browser

    def join(self, ana: TestClient, email: str, **more: str) -> TestClient:
        """The browser of somebody whom ana invited."""
        added = ana.post(f"{API}/people", json={"email": email, "name": email[:2], **more})
        assert added.is_success, added.text
        browser = self.browser()
        body = {"secret": added.json()["invitation"], "password": PASSWORD}
        assert browser.post(f"{API}/invitations/accept", json=body).status_code == 204
        return browser

    def close(self) -> None:
        """Close the browsers."""
        for client in self._open:
            client.close()


@contextmanager
def running_team(folder: Path) -> Iterator[Team]:
    """A team server over a new workspace."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secret, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        store = workspaces.create(Actor("test:ana", "ana"), folder)
        team = Team(store)
        yield team
        team.close()
        store.close()


def fill(ana: TestClient, dataset: str, *, seed: int = 0, n: int = 3) -> list[str]:
    """Create a dataset with images `NAME-0.png` and so on, with one box each; returns the ids of its samples."""
    assert ana.post(f"{API}/datasets", json={"name": dataset}).is_success
    for index in range(n):
        content = encode(draw(seed + index), "image/png")
        place = f"{API}/datasets/{dataset}/images/{dataset}-{index}.png?licence=CC0-1.0"
        assert ana.put(place, content=content).is_success
    boxes = [{"id": i, "image_id": i, "category_id": 0, "bbox": [1, 2, 30, 200]} for i in range(n)]
    images = [{"id": i, "file_name": f"{dataset}-{i}.png", "width": 96, "height": 64} for i in range(n)]
    labels = {
        "images": images,
        "annotations": boxes,
        "categories": [{"id": 0, "name": f"class-of-{dataset}"}],
    }
    imported = ana.post(f"{API}/datasets/{dataset}/imports", json=labels)
    assert imported.is_success, imported.text
    committed = ana.post(f"{API}/datasets/{dataset}/commits", json={"message": f"message-of-{dataset}"})
    assert committed.is_success, committed.text
    return [item["id"] for item in ana.get(f"{API}/datasets/{dataset}/samples").json()["items"]]
