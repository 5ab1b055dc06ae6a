"""A team server for each module: ana owns it, bo curates `streets`, `secret` is of others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from tests.support.teams import API, Team, fill, running_team


@pytest.fixture(scope="module")
def team(tmp_path_factory) -> Iterator[Team]:
    """The server."""
    with running_team(tmp_path_factory.mktemp("team") / "workspace") as team:
        yield team


@pytest.fixture(scope="module")
def ana(team) -> TestClient:
    """The browser of the owner, who has filled two datasets."""
    browser: TestClient = team.first()
    fill(browser, "streets")
    fill(browser, "secret", seed=50)
    return browser


@pytest.fixture(scope="module")
def bo(team, ana) -> TestClient:
    """The browser of a curator of `streets`, who sees nothing of `secret`."""
    browser: TestClient = team.join(ana, "bo@example.org")
    granted = {"who": "bo@example.org", "role": "curator", "on": "dataset:streets"}
    assert ana.post(f"{API}/grants", json=granted).is_success
    return browser
