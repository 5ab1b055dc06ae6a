"""Limits on requests hold before anybody is signed in: size and pace of bodies, addresses, headers, numbers, texts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.support.described import Described, document
from tests.support.images import draw, encode
from tests.support.listening import TOKEN, listener, read_all, status_and_problem

from calotype.acquire.uploads import MAX_UPLOAD_BYTES
from calotype.app import server
from calotype.app.sessions import AccessKeys
from calotype.datasets import service as datasets
from calotype.foundation.http import BODY_LIMIT, MAX_BODY_BYTES, CheckedRoute

__all__ = ["listener"]

API = "/api/v1"
IN = {"authorization": f"Bearer {TOKEN}"}
POST = b"POST /api/v1/session HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"


@pytest.fixture
def door(workspace, owner):
    datasets.create(owner, "shop", store=workspace)
    app = server.make(workspace, AccessKeys(TOKEN, 80), hosts={"testserver"})
    with TestClient(app, follow_redirects=False, raise_server_exceptions=False) as client:
        yield Described().watch(client)


def png() -> bytes:
    return encode(draw(), "image/png")


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def zeros(n_bytes: int) -> Iterator[bytes]:
    return repeat(b"0" * 100_000, n_bytes // 100_000)


# ---- bodies


@pytest.mark.parametrize("headers", [{}, IN], ids=["signed out", "signed in"])
@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("POST", "/session", 10_000),
        ("POST", "/datasets", MAX_BODY_BYTES),
        ("PUT", "/datasets/shop/contract", 4_000_000),
        ("POST", "/datasets/shop/class-mappings", 8_000_000),
        ("PUT", "/datasets/shop/images/a/b.png", MAX_UPLOAD_BYTES),
        ("POST", "/datasets/shop/imports", 1_000_000_000),
        ("POST", "/nowhere", MAX_BODY_BYTES),
        ("DELETE", "/datasets/shop/merges/m", MAX_BODY_BYTES),
    ],
)
def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(door, headers, method, path, limit):
    answer = door.request(method, API + path, headers={**headers, "content-length": str(limit + 1)})
    assert code(answer) == (413, "body-too-large")
    assert f"{limit:,} bytes" in answer.json()["detail"]
    assert answer.headers["content-security-policy"]
    fits = door.request(method, API + path, headers={**headers, "content-length": str(limit)})
    assert fits.status_code != 413


def test_a_body_in_chunks_is_counted_while_it_comes(door):
    kind = {"content-type": "application/json"}
    assert code(door.post(f"{API}/session", content=zeros(200_000), headers=kind)) == (413, "body-too-large")
    refused = door.post(f"{API}/datasets", content=zeros(MAX_BODY_BYTES + 100_000), headers=IN | kind)
    assert code(refused) == (413, "body-too-large")


def test_the_limit_of_each_body_is_described():
    limits = {
        operation["operationId"]: operation.get(BODY_LIMIT)
        for methods in document()["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
    }
    assert None not in limits.values()
    assert (limits["sign_in"], limits["post_commit"]) == (10_000, MAX_BODY_BYTES)
    assert limits["upload_image"] == MAX_UPLOAD_BYTES


@pytest.mark.parametrize("length", ["-1", "abc", "1.5", "²", "1" * 40])
def test_a_length_that_is_no_number_is_refused(door, length):
    answer = door.post(f"{API}/session", headers={"content-length": length.encode()})
    assert answer.status_code in (400, 413)
    assert answer.json()["code"] in ("body-invalid", "body-too-large")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"name": ', "body line 1 column"),
        ('{"name": "a", "description": ' + "[" * 51 + "]" * 51 + "}", "body.description"),
        ("[" * 100_000, "body"),
        ('{"name": NaN}', "body.name"),
        ('{"name": [1, -1e999]}', "body.name.1"),
        ('{"name": 9223372036854775808}', "body.name"),
        ('{"name": ' + "9" * 5_000 + "}", "body"),
        (r'{"name": "\ud800"}', "body.name"),
        (r'{"\udfff": 1}', "body"),
        (r'{"name": "a\u0000b"}', "body.name"),
        ('{"name": "\xff"}', "body"),
    ],
    ids=[
        "cut",
        "deep",
        "very deep",
        "nan",
        "infinite",
        "65 bits",
        "digits",
        "half pair",
        "key",
        "nul",
        "latin",
    ],
)
def test_json_that_nothing_can_store_is_refused_with_its_place(door, text, where):
    kind = {"content-type": "application/json"}
    answer = door.post(f"{API}/datasets", content=text.encode("latin-1"), headers=IN | kind)
    assert code(answer) == (422, "request-invalid")
    assert answer.json()["where"].startswith(where)


def test_every_route_holds_its_json_against_the_limits():
    routes = [route for router in (server.door, *server.ROOMS) for route in router.routes]
    assert len(routes) > 50
    assert [route for route in routes if not isinstance(route, CheckedRoute)] == []


def test_json_at_the_limits_is_accepted(door):
    text = (
        r'{"name": "a", "description": "\ud83d\ude00 \n", "x": ' + "[" * 48 + str(2**63 - 1) + "]" * 48 + "}"
    )
    kind = {"content-type": "application/json"}
    assert door.post(f"{API}/datasets", content=text, headers=IN | kind).status_code == 201


# ---- addresses and headers


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/%00", 400, "address-invalid"),
        ("/assets/a%00.js", 400, "address-invalid"),
        ("/api/v1/datasets/a%0ab", 400, "address-invalid"),
        ("/api/v1/datasets/%7f", 400, "address-invalid"),
        ("/api/v1/datasets/%ff", 400, "address-invalid"),
        ("/api/v1/datasets/%ed%a0%80", 400, "address-invalid"),
        ("/api/v1/datasets/shop?ref=%00", 400, "address-invalid"),
        ("/api/v1/datasets/shop?ref=%ff", 400, "address-invalid"),
        ("/api/v1/datasets/" + "a" * 17_000, 414, "address-too-long"),
        ("/api/v1/datasets/shop/samples?where=" + "a" * 50_000, 414, "address-too-long"),
    ],
)
def test_an_address_that_no_name_has_is_refused(door, path, status, error):
    assert code(door.get(path)) == (status, error)
    assert code(door.get(path, headers=IN)) == (status, error)


def test_a_query_may_have_lines(door):
    assert door.get(f"{API}/datasets/shop/samples?where=width%0A%09%3E%0D%0A1", headers=IN).status_code == 200


def test_a_page_may_have_a_name_that_no_file_can_have(door):
    for name in ("a" * 300, "a/" * 2_000, "é" * 200):
        assert door.get(f"/d/{name}").status_code == 200
        assert code(door.get(f"/assets/{name}")) == (404, "not-found")


def test_too_many_headers_are_refused(door):
    answer = door.get("/", headers={f"x-{number}": "y" for number in range(101)})
    assert code(answer) == (431, "headers-too-large")


# ---- numbers, texts and lists have limits in the schema


def unbounded(schema: dict[str, Any], place: str) -> Iterator[str]:
    """Places in a schema of a request that accept a text, number or list of any size."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from unbounded(document()["components"]["schemas"][name], name)
        return
    kind = schema.get("type")
    is_listed = "enum" in schema or "const" in schema
    text_has_limit = {"maxLength", "pattern"} & set(schema) or schema.get("format") in ("date", "binary")
    if kind == "string" and not is_listed and not text_has_limit:
        yield f"{place}: text"
    if kind == "integer" and not {"minimum", "maximum"} <= set(schema):
        yield f"{place}: integer"
    if kind == "array" and "maxItems" not in schema:
        yield f"{place}: list"
    more = schema.get("additionalProperties")
    if kind == "object" and more and "maxProperties" not in schema:
        yield f"{place}: mapping"
    inner = [schema["items"]] if "items" in schema else []
    for part in (*inner, *schema.get("anyOf", ()), *([more] if isinstance(more, dict) else [])):
        yield from unbounded(part, place)
    for name, part in schema.get("properties", {}).items():
        yield from unbounded(part, f"{place}.{name}")


def test_every_value_of_a_request_has_a_limit():
    open_ended: list[str] = []
    for methods in document()["paths"].values():
        for operation in methods.values():
            name = operation["operationId"]
            for parameter in operation.get("parameters", ()):
                open_ended += unbounded(parameter["schema"], f"{name} {parameter['name']}")
            for content in operation.get("requestBody", {}).get("content", {}).values():
                open_ended += unbounded(content["schema"], f"{name} body")
    assert open_ended == []


def test_the_limit_finder_sees_what_has_none():
    schema = {"properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}}}}
    assert list(unbounded(schema, "x")) == ["x.a: text", "x.b: list", "x.b: integer"]


@pytest.mark.parametrize(
    "path",
    [
        "/finding-lives?offset=99999999999999999999",
        "/samples?offset=9223372036854775807",
        "/findings?run=x&offset=-1",
        "/log?limit=99999999999999999999",
        "/merges/x?offset=1e400",
        "?ref=" + "a" * 201,
    ],
)
def test_a_number_or_text_beyond_its_limit_is_invalid(door, path):
    assert code(door.get(f"{API}/datasets/shop{path}", headers=IN)) == (422, "request-invalid")


@pytest.mark.parametrize("body", [{"n": 1, "seed": 2**60}, {"n": 10**20}, {"n": 1, "seed": -(2**63)}])
def test_a_number_in_a_body_beyond_its_limit_is_invalid(door, body):
    answer = door.post(f"{API}/datasets/shop/selections", json=body, headers=IN)
    assert code(answer) == (422, "request-invalid")


# ---- names of uploads


@pytest.mark.parametrize(
    "name", ["x." + "e" * 300, "a" * 256 + ".png", "é" * 128 + ".png", "a" * 256 + "/b.png"]
)
def test_an_image_under_a_name_that_no_file_can_have_is_refused(door, name):
    answer = door.put(f"{API}/datasets/shop/images/{name}", content=png(), headers=IN)
    assert code(answer) == (422, "upload-name-invalid")
    assert "255 bytes" in answer.json()["detail"]


def test_an_image_under_the_longest_name_is_added(door):
    for name in ("a" * 251 + ".png", "x." + "e" * 253):
        answer = door.put(f"{API}/datasets/shop/images/{name}", content=png(), headers=IN)
        assert answer.status_code == 200, answer.text


# ---- connections


def timed(call, *parts: bytes) -> tuple[int, str, float]:
    start = time.monotonic()
    status, problem = call(*parts)
    return status, problem["code"], time.monotonic() - start


@pytest.mark.parametrize("head", [b"", b"GET", b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: "])
def test_a_head_that_does_not_end_is_closed(listener, head):
    status, error, _ = timed(listener.say, head)
    assert (status, error) == (408, "head-too-slow")


@pytest.mark.parametrize(
    "parts",
    [
        (POST + b"content-length: 50\r\n\r\n", b'{"tok'),
        (POST + b"content-length: 50\r\n\r\n",),
        (POST + b"transfer-encoding: chunked\r\n\r\n5\r\n", b'{"t'),
        (POST + b"content-length: 50\r\nexpect: 100-continue\r\n\r\n",),
    ],
    ids=["some", "none", "chunk", "continue"],
)
def test_a_body_that_stops_is_closed(listener, parts):
    status, error, _ = timed(listener.say, *parts)
    assert (status, error) == (408, "request-too-slow")


def test_a_body_that_drips_is_closed_although_it_never_stops(listener):
    with listener.connect() as sock:
        sock.sendall(POST + b"content-length: 5000\r\n\r\n")
        start = time.monotonic()
        try:
            while time.monotonic() - start < 30:
                sock.sendall(b" ")
                time.sleep(0.05)
        except ConnectionError:
            pass
        assert time.monotonic() - start < 30


@pytest.mark.parametrize("meanwhile", [False, True], ids=["after the answer", "during the request"])
def test_a_second_head_that_does_not_end_is_closed(listener, meanwhile):
    whole, begun = b"GET /api/v1/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", b"GET /api"
    with listener.connect() as sock:
        sock.sendall(whole + begun if meanwhile else whole)
        answers = b""
        while not meanwhile and b'"ok"' not in answers:
            answers += sock.recv(65_536)
        if not meanwhile:
            sock.sendall(begun)
        answers += read_all(sock)
    assert answers.count(b"HTTP/1.1 200 OK") == 1
    assert status_and_problem(answers)[1]["code"] == "head-too-slow"


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        (b"GET\r\n\r\n", 400, "request-malformed"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400, "request-malformed"),
        (POST + b"content-length: 5\r\ncontent-length: 6\r\n\r\n", 400, "request-malformed"),
        (POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n", 400, "request-malformed"),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000, 431, "head-too-large"),
    ],
    ids=["line", "tls", "lengths", "chunk", "large"],
)
def test_what_is_not_http_is_told_as_a_problem(listener, request_, status, error):
    assert timed(listener.say, request_)[:2] == (status, error)


def test_who_sends_a_large_body_before_reading_still_learns_why_it_is_refused(listener):
    head = POST + b"connection: close\r\ncontent-length: 30000000\r\n\r\n"
    status, error, _ = timed(listener.say, head, *repeat(b"0" * 1_000_000, 30))
    assert (status, error) == (413, "body-too-large")
    unsigned = b"PUT /api/v1/datasets/shop/images/a.png HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
    status, error, _ = timed(
        listener.say, unsigned + b"content-length: 30000000\r\n\r\n", *repeat(b"0" * 1_000_000, 30)
    )
    assert (status, error) == (401, "not-signed-in")


def test_who_leaves_in_the_middle_of_an_upload_changes_nothing(listener, workspace, owner):
    datasets.create(owner, "shop", store=workspace)
    head = f"PUT /api/v1/datasets/shop/images/a.png HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {TOKEN}\r\n"
    with listener.connect() as sock:
        sock.sendall(head.encode() + b"content-length: 5000\r\n\r\n" + png())
    time.sleep(0.3)
    assert datasets.read(owner, "shop", store=workspace).count()["samples"] == 0


def test_a_whole_upload_arrives_through_a_real_connection(listener, workspace, owner):
    datasets.create(owner, "shop", store=workspace)
    head = f"PUT /api/v1/datasets/shop/images/a.png HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {TOKEN}\r\n"
    with listener.connect() as sock:
        sock.sendall(
            head.encode() + f"connection: close\r\ncontent-length: {len(png())}\r\n\r\n".encode() + png()
        )
        answer = read_all(sock)
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["added"] == 1
