"""What a server shows of itself: whether it can answer, metrics, and a log of requests without secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from calotype.app import server
from calotype.app.observing import write_line
from calotype.app.sessions import AccessKeys
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.store import Store

API = "/api/v1"
SECRET = "canary-7f3a9c"


@pytest.fixture
def log() -> list[dict[str, Any]]:
    """The records of all requests."""
    return []


@pytest.fixture
def http(workspace: Store, log: list[dict[str, Any]]) -> Iterator[TestClient]:
    app = server.make(workspace, AccessKeys(SECRET, 80), hosts={"testserver"}, log=log.append)
    with TestClient(
        app, headers={"authorization": f"Bearer {SECRET}"}, raise_server_exceptions=False
    ) as client:
        yield client


def samples(http: TestClient, name: str) -> dict[tuple[str, ...], float]:
    """The values of a metric by its labels, as Prometheus parses them."""
    text = http.get(f"{API}/metrics").text
    return {
        tuple(sample.labels[key] for key in sorted(sample.labels)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


def test_a_server_is_ready_while_its_catalog_can_be_read(http, workspace, monkeypatch):
    assert http.get(f"{API}/ready", headers={"authorization": ""}).json() == {"status": "ready"}

    def unreadable(_self: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(type(workspace.catalog), "read", unreadable)
    assert http.get(f"{API}/ready").status_code >= 500
    assert http.get(f"{API}/health").is_success


def test_metrics_count_requests_by_their_route_and_never_by_their_address(http, workspace, owner: Actor):
    datasets.create(owner, "streets", store=workspace)
    for _ in range(3):
        assert http.get(f"{API}/datasets/streets").is_success
    assert http.get(f"{API}/datasets/elsewhere").status_code == 404
    assert http.get(f"{API}/no-such-route").status_code == 404
    assert http.get("/some/page").status_code in (200, 503)
    counted = samples(http, "calotype_requests_total")
    route = f"{API}/datasets/{{dataset}}"
    assert counted[("GET", route, "200")] == 3
    assert counted[("GET", route, "404")] == 1
    assert not any("streets" in label or "elsewhere/" in label for labels in counted for label in labels)
    assert samples(http, "calotype_request_seconds_count")[(route,)] == 4
    assert samples(http, "calotype_requests_in_flight")[()] == 1  # the one that asks
    assert samples(http, "process_resident_memory_bytes")[()] > 1e6


def test_a_made_up_method_adds_no_series(http):
    for number in range(5):
        http.request(f"MADEUP{number}", f"{API}/datasets")
    methods = {labels[0] for labels in samples(http, "calotype_requests_total")}
    assert methods <= {"GET", "OTHER"}


def test_metrics_are_not_for_everybody(http):
    assert http.get(f"{API}/metrics", headers={"authorization": "Bearer wrong"}).status_code == 401


def test_a_line_for_each_request_names_its_actor_and_holds_no_secret(http, log, workspace, owner: Actor):
    datasets.create(owner, "streets", store=workspace)
    http.get(f"{API}/datasets/streets/samples", params={"where": f"name = '{SECRET}'"})
    http.get("/d/streets", params={"token": SECRET}, follow_redirects=False)
    http.post(f"{API}/session", json={"token": SECRET})
    http.get(f"{API}/datasets", headers={"authorization": f"Bearer x{SECRET}", "cookie": f"a={SECRET}"})
    http.get(
        f"{API}/datasets/{SECRET}/samples", headers={"user-agent": SECRET, "referer": f"http://x/{SECRET}"}
    )
    assert len(log) == 5
    assert SECRET not in json.dumps(log)
    assert log[0]["actor"] == Actor.local().id
    assert (log[0]["method"], log[0]["route"], log[0]["status"]) == (
        "GET",
        f"{API}/datasets/{{dataset}}/samples",
        200,
    )
    assert log[0]["ms"] > 0
    assert (log[3]["actor"], log[3]["status"]) == ("", 401)


def test_the_log_is_one_line_of_json_for_each_request(http, log, capsys):
    http.get(f"{API}/health")
    write_line(log[0])
    write_line(log[0])
    assert [json.loads(line) for line in capsys.readouterr().err.splitlines()] == [log[0], log[0]]
