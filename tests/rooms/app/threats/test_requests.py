"""Threats that come with a request: addresses, paths, origins, filters, sizes, templates.

The numbers are those of `docs/explanation/security.md`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import pytest
from tests.support.every_route import call, example, operations
from tests.support.teams import API

from calotype.app.limits import MAX_RANGES
from calotype.app.observing import write_line


@pytest.fixture
def canary_server() -> Iterator[tuple[str, list[str]]]:
    """The address of a server on this machine, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            asked.append(str(self.client_address))

        def log_message(self, *_arguments: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/canary", asked
    server.shutdown()
    server.server_close()
    thread.join()


def _with_text(value: Any, text: str) -> Any:
    """A JSON value with this text in place of each of its texts."""
    if isinstance(value, str):
        return text
    if isinstance(value, list):
        return [_with_text(item, text) for item in value]
    return {key: _with_text(item, text) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.slow
def test_t8_the_server_asks_no_address_that_a_request_names(ana, canary_server):
    url, asked = canary_server
    for path, method, operation in operations():
        names = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
        kinds = operation.get("requestBody", {}).get("content", {})
        options: dict[str, Any] = {"params": dict.fromkeys(names, url)}
        if "application/json" in kinds:
            options["json"] = _with_text(example(kinds["application/json"]["schema"]), url)
        elif kinds:
            options |= {"content": url.encode(), "headers": {"content-type": next(iter(kinds))}}
        if method in ("post", "put") and "/sign" not in path:
            ana.request(method, path.replace("{dataset}", "streets").replace("{name}", "x"), **options)
        elif method == "get" and "oidc" not in path:
            ana.request(method, path.replace("{dataset}", "streets"), **options)
    labels = {
        "images": [{"id": 1, "file_name": url, "coco_url": url, "flickr_url": url, "width": 9, "height": 9}]
    }
    ana.post(
        f"{API}/datasets/streets/imports?on_unknown=skip",
        json={**labels, "annotations": [], "categories": []},
    )
    assert asked == []


PATHS = (
    "../../canary.txt",
    "/etc/passwd",
    "..%2f..%2fcanary.txt",
    "%2e%2e/%2e%2e/canary.txt",
    "....//....//canary.txt",
    "..\\..\\canary.txt",
    "file:///etc/passwd",
    "canary.txt%00.png",
    "C:\\canary.txt",
    "\\\\host\\canary.txt",
    ".calotype/keys/audit.key",
    "keys/../../../canary.txt",
    "\u202etxt.yranac",
    "canary.txt/.",
    "~/canary.txt",
)


@pytest.mark.slow
def test_t9_no_text_of_a_request_is_taken_for_a_path(team, ana):
    secret = "canary-of-the-disk-51c7"
    for folder in (team.store.folder, team.store.folder.parent, team.store.folder.parent.parent):
        (folder / "canary.txt").write_text(secret)
    gets = [(path, operation) for path, method, operation in operations() if method == "get"]
    for path, operation in gets:
        texts = [p for p in operation.get("parameters", ()) if p["schema"].get("type", "string") == "string"]
        for payload in PATHS:
            place = path
            for parameter in texts:
                if parameter["in"] == "path" and parameter["name"] != "dataset":
                    place = place.replace(f"{{{parameter['name']}}}", payload)
            place = place.replace("{dataset}", "streets")
            query = {p["name"]: payload for p in texts if p["in"] == "query"}
            answer = ana.get(place, params=query)
            assert answer.status_code != 500, (place, answer.text)
            assert secret not in answer.text and "root:" not in answer.text, place
            assert b"PRIVATE KEY" not in answer.content, place


ELSEWHERE = ("http://testserver:8000", "http://localhost:3000", "https://evil.example.org", "null", "file://")


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_t10_a_page_of_another_origin_neither_writes_nor_reads(ana, origin):
    headers = {"origin": origin}
    for method, path in (
        ("POST", "/datasets"),
        ("DELETE", "/grants/x"),
        ("PUT", "/organisation"),
        ("POST", "/sign-out"),
    ):
        body = {} if path == "/sign-out" else {"json": {"name": "x"}}
        answer = ana.request(method, API + path, headers=headers, **body)
        assert (answer.status_code, answer.json()["code"]) == (403, "origin-refused")
    asks = {
        **headers,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    for answer in (ana.get(f"{API}/datasets", headers=headers), ana.options(f"{API}/datasets", headers=asks)):
        assert [name for name in answer.headers if name.startswith("access-control-")] == []
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert ana.get(f"{API}/session").is_success


@pytest.mark.parametrize(
    "host", ["evil.example.org", "127.0.0.1.evil.example.org", "testserver.evil.example.org", ""]
)
def test_t10_a_name_that_was_rebound_to_this_machine_is_refused(ana, host):
    answer = ana.get(f"{API}/datasets", headers={"host": host})
    assert (answer.status_code, answer.json()["code"]) == (400, "host-unknown")


FILTERS = (
    "password_hash = 'x'",
    "people.password_hash like '$%'",
    "owner.secret_sha256 != ''",
    "audit.details = 'x'",
    "1=1; DROP TABLE people",
    "name = 'x' UNION SELECT password_hash FROM people",
    "name = '' OR 1=1 --",
    "name = (SELECT email FROM people)",
    "sqlite_version() = '3'",
    "name.__class__ = 'x'",
    "$where = '1'",
    "read_text('/etc/passwd') = 'x'",
    "sample.dataset.team.name = 'x'",
    "'; ATTACH DATABASE 'x' AS y; --",
)


@pytest.mark.parametrize("text", FILTERS)
def test_t12_a_filter_or_an_order_reaches_no_other_table(bo, text):
    place = f"{API}/datasets/streets"
    for path in ("samples", "sample-ids", "objects", "object-ids", "facets", "unknown-values"):
        answer = bo.get(f"{place}/{path}", params={"where": text})
        if answer.is_success:  # nothing but the plain query of names can be valid
            assert path == "unknown-values" and answer.json()["items"] == [], answer.text
        else:
            assert answer.status_code == 422, answer.text
        assert "argon2" not in answer.text and "SELECT" not in answer.text.replace(text, "")
    for path in ("samples", "sample-ids", "objects", "object-ids"):
        assert bo.get(f"{place}/{path}", params={"sort": text}).status_code == 422
    assert bo.get(f"{place}/values", params={"field": text}).status_code == 422
    assert len(bo.get(f"{place}/samples").json()["items"]) == 3


def test_t12_a_quote_in_a_value_is_part_of_the_value(bo):
    for text in ("o'x", "' OR ''='", "\\' OR 1=1 --", "%", "_", "*", "\u2019"):
        quoted = text.replace("\\", "\\\\").replace("'", "\\'")
        answer = bo.get(f"{API}/datasets/streets/samples", params={"where": f"name = '{quoted}'"})
        assert answer.status_code == 422 or answer.json()["total"] == 0, (text, answer.text)


def test_t23_a_request_for_thousands_of_parts_of_a_file_is_refused(ana):
    media = ana.get(f"{API}/datasets/streets/samples").json()["items"][0]["media"]
    for path in (f"{API}/datasets/streets/media/{media}", "/icon.svg"):
        for n in (MAX_RANGES + 1, 10_000):
            answer = ana.get(path, headers={"range": "bytes=" + ",".join(["0-1"] * n)})
            assert (answer.status_code, answer.json()["code"]) == (416, "ranges-too-many")
        assert ana.get(path, headers={"range": "bytes=0-1,3-4"}).status_code in (200, 206)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({f"field-{number}": 1 for number in range(100_000)}),
        '{"name": "' + "x" * 1_900_000 + '"}',
        "[" * 100_000,
        '{"name": ' + "[" * 900 + "]" * 900 + "}",
        "0" * 3_000_000,
    ],
    ids=["fields", "long field", "deep", "deep field", "body"],
)
def test_t23_a_body_of_many_or_large_fields_is_refused(ana, body):
    answer = ana.post(f"{API}/datasets", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (413, 422) and len(answer.content) < 5_000


def test_t23_forms_and_their_parts_are_read_by_no_route(ana):
    parts = (
        b"".join(b'--x\r\ncontent-disposition: form-data; name="n"\r\n\r\n1\r\n' for _ in range(1_000))
        + b"--x--"
    )
    for kind in ("multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
        answer = ana.post(f"{API}/datasets", content=parts, headers={"content-type": kind})
        assert answer.status_code == 422
    assert "multipart/form-data" not in json.dumps([operation for *_, operation in operations()])


def test_t23_a_query_of_thousands_of_fields_is_refused(ana):
    query = "&".join(f"a{number}=1" for number in range(8_000))
    answer = ana.get(f"{API}/datasets?{query}")
    assert answer.json()["code"] == "address-too-long"


PAYLOADS = (
    "{{7*7}}",
    "${7*7}",
    "{% import os %}",
    "{0.__class__}",
    "%s%s%n",
    "$(id)",
    "`id`",
    "; id",
    "<script>alert(1)</script>",
)


@pytest.mark.parametrize(("number", "payload"), list(enumerate(PAYLOADS)))
def test_t25_a_template_in_a_text_stays_that_text(ana, number, payload):
    added = ana.post(f"{API}/people", json={"email": f"x{number}@example.org", "name": payload})
    assert added.json()["person"]["name"] == payload
    listed = ana.get(f"{API}/people")
    assert payload in {item["name"] for item in listed.json()["items"]}
    assert listed.headers["content-type"] == "application/json"
    committed = ana.post(f"{API}/datasets/streets/commits", json={"message": payload})
    assert committed.is_success or committed.json()["code"] == "nothing-to-commit", committed.text


@pytest.mark.parametrize("line", ["a\nb", "a\r\nx: y", "a\u2028b", "\x1b[2Ja", 'a","actor":"ana'])
def test_t25_a_line_break_in_a_request_adds_no_line_to_the_log(team, ana, capsys, line):
    team.log.clear()
    encoded = line.encode()
    ana.get(f"{API}/datasets/{quote(line)}", params={"ref": line})
    for name in ("user-agent", "x-request-id", "x-calotype-purpose"):
        if b"\n" not in encoded:
            ana.get(f"{API}/datasets/streets", headers={name: encoded})
    assert team.log != []
    for record in team.log:
        write_line(record)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(team.log)
    assert [json.loads(text)["actor"] for text in lines] == [record["actor"] for record in team.log]
    assert not any("\x1b" in text for text in lines)


def test_every_route_answers_its_own_example_in_a_bounded_size(ana):
    """No answer of an example grows beyond what the app reads at once."""
    for path, method, operation in operations():
        if method == "get" and "oidc" not in path:
            assert len(call(ana, path, method, operation).content) < 5_000_000
