"""The door: who gets in, how errors look, and that every route names what it needs."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from tests.support.described import Described

from calotype.app import server
from calotype.app.sessions import AccessKeys
from calotype.datasets import service as datasets
from calotype.foundation.actor import Permission

API = "/api/v1"
IN = {"authorization": "Bearer open-sesame"}


@pytest.fixture
def door(workspace):
    app = server.make(workspace, AccessKeys("open-sesame", 80), hosts={"testserver", "localhost"})
    with TestClient(app, follow_redirects=False, raise_server_exceptions=False) as client:
        yield Described().watch(client)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer "},
        {"authorization": "Basic open-sesame"},
        {"cookie": "calotype-80=wrong"},
        {"cookie": "calotype-80="},
        {"cookie": "\x7f;=;"},
    ],
)
def test_nobody_gets_in_without_a_token(door, headers):
    answer = door.get(f"{API}/datasets", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_program_gets_in_with_the_token(door):
    assert door.get(f"{API}/datasets", headers=IN).json() == {"items": []}


def test_the_link_is_traded_for_a_cookie_that_scripts_cannot_read(door):
    answer = door.get("/d/shop?where=a%3D1&token=open-sesame")
    assert (answer.status_code, answer.headers["location"]) == (303, "/d/shop?where=a%3D1")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "open-sesame" not in answer.headers["set-cookie"]
    assert door.get(f"{API}/datasets").status_code == 200


def test_a_wrong_link_gives_no_cookie(door):
    assert "set-cookie" not in door.get("/?token=wrong").headers
    assert door.get(f"{API}/datasets").status_code == 401


@pytest.mark.parametrize(
    "path", ["//evil.example/?token=x", "/\\evil.example?token=x", "///evil.example?token=x"]
)
def test_a_link_never_leads_to_another_site(door, path):
    where = door.get(path).headers.get("location", "/")
    assert where.startswith("/") and not where.startswith(("//", "/\\"))


def test_the_page_for_lost_links_signs_in(door):
    assert door.post(f"{API}/session", json={"token": "wrong"}).status_code == 401
    assert door.post(f"{API}/session", json={"token": " open-sesame "}).status_code == 204
    assert door.get(f"{API}/session").json()["actor"]["roles"] == ["owner"]


def test_another_host_or_origin_is_refused(door):
    assert door.get(f"{API}/datasets", headers={**IN, "host": "evil.example"}).status_code == 400
    body = {"name": "shop"}
    refused = door.post(f"{API}/datasets", json=body, headers={**IN, "origin": "https://evil.example"})
    assert refused.json()["code"] == "origin-refused"
    allowed = door.post(f"{API}/datasets", json=body, headers={**IN, "origin": "http://testserver"})
    assert allowed.status_code == 201
    assert "access-control-allow-origin" not in allowed.headers


def test_every_answer_carries_safe_headers(door):
    for path in ("/", f"{API}/health", f"{API}/datasets", "/assets/none.js"):
        headers = door.get(path).headers
        assert "script-src" not in headers["content-security-policy"]
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/datasets/nope", 404, "dataset-not-found"),
        ("/datasets/shop/samples?where=clas+%3D", 422, "query-invalid"),
        ("/datasets/shop/samples?limit=0", 422, "request-invalid"),
        ("/datasets/shop/samples?sort=colour", 422, "sort-unknown"),
        ("/datasets/shop?ref=nope", 404, "ref-not-found"),
        ("/datasets/shop/samples/nope", 404, "sample-not-found"),
        ("/datasets/shop/releases/1.0.0", 404, "release-not-found"),
        ("/datasets/shop/thumbs/" + "0" * 64, 404, "picture-not-found"),
        ("/datasets/shop/thumbs/..%2F..%2Fcatalog.sqlite", 404, "not-found"),
        ("/datasets/shop/media/nope", 404, "picture-not-found"),
        ("/nope", 404, "not-found"),
    ],
)
def test_errors_are_problems_with_a_code(door, workspace, owner, path, status, code):
    datasets.create(owner, "shop", store=workspace)
    answer = door.get(API + path, headers=IN)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"type", "title", "status", "code", "detail", "where", "fix"}


@pytest.mark.parametrize(
    "path", ["/../server.py", "/..%2fserver.py", "/assets/../../server.py", "/%2e%2e/cli.py"]
)
def test_pages_come_from_their_folder_only(door, path):
    assert "def make" not in door.get(path).text


def test_every_route_names_the_permission_it_needs():
    known = {str(permission) for permission in Permission}
    described = server.openapi()["paths"]
    actions = {
        (path, method): operation.get("x-calotype-action")
        for path, methods in described.items()
        for method, operation in methods.items()
    }
    assert len(actions) > 25
    assert {route: action for route, action in actions.items() if action not in known} == {}


def test_an_image_under_a_name_that_leads_out_is_refused(door, workspace, owner):
    datasets.create(owner, "shop", store=workspace)
    for name in ("..%2Fa.png", "a%2F..%2F..%2Fb.png", "%2Fetc%2Fa.png", "C%3A%5Ca.png"):
        answer = door.put(f"{API}/datasets/shop/images/{name}", content=b"x", headers=IN)
        assert answer.status_code in (404, 422), name
    assert door.get(f"{API}/datasets/shop", headers=IN).json()["samples"] == 0


def test_a_read_only_workspace_is_shown_and_refuses_changes(door, workspace, owner):
    datasets.create(owner, "shop", store=workspace)
    workspace.catalog.read_only = "the server was started with --read-only"
    assert door.get(f"{API}/datasets/shop", headers=IN).status_code == 200
    refused = door.post(f"{API}/datasets", headers=IN, json={"name": "other"})
    assert (refused.status_code, refused.json()["code"]) == (409, "workspace-read-only")
    assert "--read-only" in refused.json()["detail"]
