"""Builds hostile requests from the OpenAPI document: real ids beside hostile values, and broken HTTP."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

Json = Any
Spec = dict[str, Any]

NUMBERS = (
    "0 -1 1 2 2147483648 4294967296 9007199254740993 9223372036854775807 9223372036854775808 "
    "-9223372036854775809 99999999999999999999 1e308 1e400 -1e400 nan inf 0x10 1_0 1.5 -0 ١ " + "9" * 5_000
).split(" ")
TEXTS = [
    "",
    " ",
    ".",
    "..",
    "/",
    "//",
    "\\",
    "../../etc/passwd",
    "a/../b",
    "~",
    "*",
    "?",
    "#",
    "%",
    "%s%n",
    "@",
    "@@",
    "main",
    "main~1",
    "main~99999999999999999999",
    "main+",
    "~1",
    "HEAD",
    "all",
    "0",
    "deadbeef",
    "f" * 64,
    "-",
    "--help",
    "a" * 120,
    "a" * 256,
    "a" * 300,
    "x." + "e" * 300,
    "a" * 5_000,
    "é" * 200,
    "\U0001f4a5" * 100,
    "a\u0301" * 50,
    "\u202eexe.gnp",
    "\x00",
    "a\x00b",
    "\x01",
    "\x1b[2J",
    "\x7f",
    "a\nb",
    "a\r\nX-Y: z",
    "\t",
    "\ufffe",
    "\U0010ffff",
    "‮",
    "İ",
    "ß",
    "' OR 1=1 --",
    '"; DROP TABLE samples; --',
    "${jndi:ldap://x}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "=1+1",
    "null",
    "true",
    "[]",
    "{}",
    "NaN",
    "con",
    "nul.txt",
    "a:b",
    "C:\\x",
    "file:///etc/passwd",
    "a,b",
    "a;b",
    "[" * 50,
]
RAW = [
    b"%00",
    b"%ff",
    b"%ed%a0%80",
    b"%c0%80",
    b"%",
    b"%zz",
    b"%2e%2e%2f",
    b"%0a",
    b"%25%30%30",
    b"a%00.png",
    b"%f4%90%80%80",
]
QUERIES = [
    "split = train",
    "width > 10",
    "count(car) >= 1",
    "any(class = car and area_px > 5)",
    "id = 'x'",
    "name like '%'",
    "tags has x",
    "width > 99999999999999999999",
    "width = 1e400",
    "width > -1",
    "not not not width > 1",
    'light = "night"',
    "and",
    "(",
    "(" * 200 + "width > 1" + ")" * 200,
    "width > 1 " + "or width > 1 " * 400,
    "count(car) >= 1e19",
    "any(",
    "any(any(class = x))",
    "width in (1, 2, 3)",
    "width between 1 and 2",
    "name = '" + "a" * 9_000 + "'",
    "name = 'a\x00b'",
    "created_at > '9999-99-99'",
    "width / 0 > 1",
    "count(nope) = 0",
    "nope = 1",
    "width = 'a'",
    "name > 1",
    "score > 0.5",
    "class = ''",
    "count() > 1",
    "similar(x)",
    "split is null",
    "name ~ '(a+)+$'",
    "name matches '['",
    "width = NaN",
    "width > 1;",
    "1 = 1",
    "width",
    "'a'",
    'count("a b") > 0',
]
YAML = [
    "classes: [{name: car}]",
    "classes: []",
    "",
    ":",
    "- a\n- b",
    "a: &x [*x]",
    "a: !!python/object:os.system x",
    "[" * 3_000,
    "classes: [{name: car, min_annotations: 99999999999999999999}]",
    "classes: [{name: car, min_annotations: .nan}]",
    "\x00",
    "a: \x01",
    'classes: [{name: "\\ud800"}]',
    "x: " + "9" * 6_000,
    "classes: {a: b}",
    "purposes: [training]",
    "1: 2",
    "? [a]: b",
    "a: 0o777777777777777777777777",
    "classes: [{name: car}]\ngates: [{check: box-bounds, max: 99999999999999999999}]",
    "a: 2001-99-99",
    "a: 9999999999999:99:99",
    "classes: [{name: car}]\nobjectives: [{name: x, metric: labelled_fraction, target: .inf, window_days: 9999999999}]",
    "classes: [{name: car}]\nprivacy: {level: personal, retention_days: 99999999999}",
    "classes: [{name: " + "a" * 70_000 + "}]",
]
METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "get",
    "X",
    "PROPFIND",
    "M" * 300,
]


@dataclass
class Request:
    """One request as bytes: a head, a body in parts, and what it is about."""

    label: str
    head: bytes
    body: Callable[[], Iterator[bytes]] = lambda: iter(())
    is_signed_in: bool = False
    is_head: bool = False

    @property
    def bytes_shown(self) -> str:
        """The head, and the beginning of the body."""
        start = next(self.body(), b"")[:200]
        return f"{self.head[:700]!r} {start!r}"


@dataclass
class World:
    """What exists on the server: kind of id -> real values."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    images: list[bytes] = field(default_factory=list)
    labels: list[bytes] = field(default_factory=list)
    token: str = ""

    def some(self, rng: random.Random, kind: str) -> str:
        """A real value of a kind."""
        return rng.choice(self.ids.get(kind) or self.ids["dataset"])


_KINDS = {
    "dataset": "dataset",
    "sample_id": "sample",
    "media": "media",
    "merge": "merge",
    "version": "version",
    "path": "file",
    "key": "finding",
    "keys": "finding",
    "run_id": "run",
    "run": "check_run",
    "which": "annotation",
    "branch": "branch",
    "ref": "ref",
    "a": "ref",
    "b": "ref",
    "before": "ref",
    "after": "ref",
    "source": "ref",
    "into": "branch",
    "commit": "commit",
    "to": "sample",
    "sample": "sample",
    "check": "check",
    "label_set": "label_set",
    "start": "ref",
    "from": "ref",
    "fix": "fix",
}


class Builder:
    """Requests of one document against one world."""

    def __init__(self, document: Spec, world: World, rng: random.Random) -> None:
        self.world, self.rng = world, rng
        self._schemas: dict[str, Spec] = document["components"]["schemas"]
        self.operations = [
            (path, method.upper(), operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]

    def request(self) -> Request:
        """Any request: mostly one operation with some hostile parts, sometimes broken HTTP or another address."""
        draw = self.rng.random()
        if draw < 0.05:
            return self._broken_http()
        if draw < 0.12:
            return self._page()
        return self._operation(*self.rng.choice(self.operations))

    def large(self, n_bytes: int) -> Iterator[Request]:
        """A body of `n_bytes` for each operation that takes one: with a length, in chunks, signed in and not."""
        for path, method, operation in self.operations:
            if "requestBody" not in operation:
                continue
            kind = next(iter(operation["requestBody"]["content"]))
            for signed_in in (False, True):
                for chunked in (False, True):
                    target = self._path(path, operation, hostile=0.0)
                    label = operation["operationId"]
                    yield self._request(
                        label,
                        method,
                        target,
                        _parts(kind, n_bytes),
                        n_bytes,
                        kind,
                        signed_in=signed_in,
                        chunked=chunked,
                    )

    def half_sent(self) -> Request:
        """A request that stops in the middle: of its head or of its body."""
        path, method, operation = self.rng.choice(
            [o for o in self.operations if o[1] in ("POST", "PUT") and "requestBody" in o[2]]
        )
        kind = next(iter(operation["requestBody"]["content"]))
        whole = self._request(
            "half " + operation["operationId"],
            method,
            self._path(path, operation, hostile=0.0),
            lambda: iter([b"{"]),
            900,
            kind,
            signed_in=True,
        )
        if self.rng.random() < 0.5:
            return Request("half head", whole.head[: self.rng.randrange(0, len(whole.head) - 4)])
        return whole

    # ---- one operation

    def _operation(self, path: str, method: str, operation: Spec) -> Request:
        hostile = self.rng.choice((0.0, 0.1, 0.3, 0.7))
        target = self._path(path, operation, hostile=hostile)
        query = self._query(operation, hostile=hostile)
        kind, body = self._body(operation, hostile=hostile)
        if self.rng.random() < 0.04:
            method = self.rng.choice(METHODS)
        data = bytes(body)
        return self._request(
            operation["operationId"],
            method,
            target + query,
            lambda: iter([data]),
            len(data),
            kind,
            signed_in=self.rng.random() < 0.9,
            chunked=self.rng.random() < 0.15,
        )

    def _path(self, path: str, operation: Spec, *, hostile: float) -> str:
        for parameter in operation.get("parameters", ()):
            if parameter["in"] != "path":
                continue
            name = parameter["name"]
            if self.rng.random() < hostile:
                value = self._hostile_part()
            elif name == "name":
                value = f"up/{self.rng.randrange(40)}.png"
            else:
                value = self.world.some(self.rng, _KINDS.get(name, "dataset"))
                if name == "dataset" and self.rng.random() < 0.1:
                    value += "@" + self.world.some(self.rng, "ref")
                value = quote(value, safe="/@~+" if name in ("path", "which", "branch") else "@~+")
            path = path.replace("{" + name + "}", value).replace("{" + name + ":path}", value)
        return path

    def _hostile_part(self) -> str:
        if self.rng.random() < 0.3:
            return self.rng.choice(RAW).decode()
        text = self.rng.choice((*TEXTS, *NUMBERS[:12]))
        return quote(text, safe=self.rng.choice(("", "/", "/.~@")))

    def _query(self, operation: Spec, *, hostile: float) -> str:
        parts = []
        for parameter in operation.get("parameters", ()):
            wanted = parameter.get("required", False) or self.rng.random() < 0.5
            if parameter["in"] != "query" or not wanted:
                continue
            name = parameter["name"]
            if self.rng.random() < hostile and self.rng.random() < 0.2:
                parts.append(f"{name}={self.rng.choice(RAW).decode()}")
                continue
            value = self._query_value(name, parameter["schema"], hostile)
            parts.append(f"{name}={quote(str(value))}")
        if self.rng.random() < hostile / 4:
            parts += self.rng.choice(
                (["x=1"] * 500, ["&&&"], ["=" * 9], ["a[b][c]=1"], ["offset=1"] * 2, ["token=x"])
            )
        return "?" + "&".join(parts) if parts else ""

    def _query_value(self, name: str, schema: Spec, hostile: float) -> str:
        if name == "where":
            return (
                self.rng.choice(QUERIES)
                if self.rng.random() < 0.8
                else self._mutated(self.rng.choice(QUERIES))
            )
        if self.rng.random() < hostile:
            return self.rng.choice((*TEXTS, *NUMBERS))
        value = self._valid(schema, name)
        return str(value) if not isinstance(value, list) else str(value[0] if value else "")

    def _body(self, operation: Spec, *, hostile: float) -> tuple[str, bytes]:
        if "requestBody" not in operation:
            return ("application/json", b"{}") if self.rng.random() < 0.05 else ("", b"")
        kind, content = next(iter(operation["requestBody"]["content"].items()))
        if kind == "application/octet-stream":
            is_image = "images" in operation["operationId"] or "image" in operation["operationId"]
            return kind, self._mutated_bytes(
                self.rng.choice(self.world.images if is_image else self.world.labels), hostile
            )
        if kind == "application/yaml":
            text = self.rng.choice(YAML)
            return kind, (text if self.rng.random() > hostile else self._mutated(text)).encode(
                "utf-8", "surrogatepass"
            )
        value = self._valid(content["schema"], "")
        for _ in range(self.rng.choice((1, 1, 2, 5)) if self.rng.random() < hostile * 1.4 else 0):
            value = self._wounded(value)
        text = json.dumps(value)
        if self.rng.random() < hostile / 5:
            text = self.rng.choice(
                (
                    text[: len(text) // 2],
                    "[" * 90_000,
                    '{"a":' * 2_000,
                    "NaN",
                    "9" * 6_000,
                    "",
                    "\x00",
                    text + text,
                    "\ufeff" + text,
                )
            )
        data = text.encode("utf-8", "surrogatepass")
        if self.rng.random() < hostile / 8:
            data = self.rng.choice(
                (data + b"\xff", b"\xff\xfe" + data, data.replace(b'"', b"\xed\xa0\x80", 1))
            )
            return kind, data
        if self.rng.random() < hostile / 6:
            kind = self.rng.choice(
                (
                    "",
                    "text/plain",
                    "application/x-www-form-urlencoded",
                    "multipart/form-data; boundary=x",
                    "application/vnd.x+json",
                    "application/json; charset=utf-16",
                    "x" * 400,
                )
            )
        return kind, data

    # ---- values

    def _valid(self, schema: Spec, name: str) -> Json:
        rng = self.rng
        if "$ref" in schema:
            return self._valid(self._schemas[schema["$ref"].rpartition("/")[2]], name)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return rng.choice(schema["enum"])
        if "anyOf" in schema:
            return self._valid(rng.choice(schema["anyOf"]), name)
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            return self._valid_object(schema, name)
        if kind == "array":
            return [self._valid(schema.get("items", {}), name) for _ in range(rng.randrange(1, 3))]
        if kind == "integer":
            return rng.choice(
                (schema.get("minimum", 0), min(schema.get("maximum", 9), 5), schema.get("maximum", 9), 1)
            )
        if kind == "number":
            return rng.choice((0.5, 0.25, 1, 0))
        if kind == "boolean":
            return rng.random() < 0.5
        if kind == "null":
            return None
        if schema.get("format") == "date":
            return rng.choice(("2030-01-01", "0001-01-01", "9999-12-31"))
        return self._valid_text(name)

    def _valid_object(self, schema: Spec, name: str) -> Json:
        required = schema.get("required", ())
        value = {
            field: self._valid(part, field)
            for field, part in schema.get("properties", {}).items()
            if field in required or self.rng.random() < 0.4
        }
        if name == "recipe":
            return self.rng.choice(
                (
                    {"name": "half", "steps": [{"resize": {"width": 16}}]},
                    {"name": "turn", "steps": [{"flip": "horizontal"}]},
                    {"name": "x", "copies": 99999999999999999999, "steps": []},
                    {"name": "big", "steps": [{"resize": {"width": 16384}}]},
                    {"name": "", "steps": [{"crop": {"x": -1, "y": 1e308, "width": 0, "height": 9}}]},
                    {"steps": [[[]]]},
                    {},
                )
            )
        if schema.get("additionalProperties") and name in ("fractions", "split"):
            return self.rng.choice(
                (
                    {"train": 0.5, "val": 0.5},
                    {"train": 1},
                    {"train": 0.8, "val": 0.1, "test": 0.1},
                    {"": 1.0},
                    {"a": -1, "b": 2},
                )
            )
        if schema.get("additionalProperties") and name == "classes":
            return self.rng.choice(
                ({"car": "vehicle"}, {"vehicle": "car"}, {"dog": None}, {"nope": "car"}, {"car": ""}, {})
            )
        if name == "rules":
            return self.rng.choice(({"gates": True}, {}, {"gates": 1}, {"x": [1]}, {"gates": None}))
        if name == "how":
            return self.rng.choice(
                ({"score": 0.5}, {"split": "ours"}, {"split": 5}, {"": {}}, {"bbox_xywh_px": [1, 2]})
            )
        return value

    def _valid_text(self, name: str) -> str:
        rng = self.rng
        if name == "where":
            return rng.choice(QUERIES)
        if name == "token":
            return rng.choice((self.world.token, "wrong"))
        if name == "version":
            return rng.choice(
                (f"{rng.randrange(9)}.{rng.randrange(9)}.{rng.randrange(99)}", "1.0.0", "1", "v1")
            )
        if name == "name":
            return f"n{rng.randrange(30)}"
        if name == "how":
            return rng.choice(("ours", "theirs", "union", "base", "review"))
        if name == "recipe":
            return rng.choice(
                ("name: x\nsteps: [{resize: {width: 9}}]", "steps: 1", "[" * 2_000, "a: &b [*b]")
            )
        if name in ("message", "description", "note", "purpose"):
            return rng.choice(("a message", "", "x" * 9_000, "\u202e"))
        if name == "to" and rng.random() < 0.5:
            return self.world.some(rng, "ref")
        if name in _KINDS:
            return self.world.some(rng, _KINDS[name])
        return rng.choice(("", "x", "random", "diversity", "scene", "split", "abort", "ours", "train"))

    def _wounded(self, value: Json) -> Json:
        """The value with one part replaced by a hostile one."""
        rng = self.rng
        if isinstance(value, dict) and value and rng.random() < 0.85:
            key = rng.choice(sorted(value))
            return {**value, key: self._wounded(value[key])}
        if isinstance(value, list) and value and rng.random() < 0.6:
            at = rng.randrange(len(value))
            return [*value[:at], self._wounded(value[at]), *value[at + 1 :]]
        return rng.choice(
            (
                None,
                True,
                [],
                {},
                "",
                0,
                -1,
                2**31,
                2**63 - 1,
                2**63,
                -(2**63) - 1,
                10**30,
                1e308,
                float("inf"),
                float("nan"),
                0.1,
                "\ud800",
                "\x00",
                "a" * 20_000,
                rng.choice(TEXTS),
                rng.choice(TEXTS),
                _deep(60),
                _deep(900),
                [0] * 20_000,
                {"a": {"b": []}},
                {"\ud800": 1},
                {"": ""},
                [[]],
                ["\x00"],
                {str(at): at for at in range(2_000)},
                "9999-12-31",
                "0000-00-00",
                "1e5",
            )
        )

    def _mutated(self, text: str) -> str:
        for _ in range(self.rng.randrange(1, 4)):
            at = self.rng.randrange(len(text) + 1)
            piece = self.rng.choice((*TEXTS, *NUMBERS[:14], *QUERIES))[:300]
            text = (
                text[:at]
                + self.rng.choice((piece, "", text[at : at + 9]))
                + text[at + self.rng.randrange(4) :]
            )
        return text[:9_000]

    def _mutated_bytes(self, data: bytes, hostile: float) -> bytes:
        if self.rng.random() >= hostile:
            return data
        changed = bytearray(data)
        for _ in range(self.rng.randrange(1, 30)):
            at = self.rng.randrange(len(changed) + 1)
            changed[at : at + self.rng.randrange(9)] = self.rng.randbytes(self.rng.randrange(9))
        return bytes(changed[: self.rng.randrange(len(changed) + 1)] if self.rng.random() < 0.2 else changed)

    # ---- HTTP

    def _request(
        self,
        label: str,
        method: str,
        target: str,
        body: Callable[[], Iterator[bytes]],
        n_bytes: int,
        kind: str,
        *,
        signed_in: bool,
        chunked: bool = False,
    ) -> Request:
        headers = [f"host: {self.rng.choice(('127.0.0.1', 'localhost:1', '[::1]:9'))}"]
        if signed_in:
            headers.append(f"authorization: Bearer {self.world.token}")
        elif self.rng.random() < 0.3:
            headers.append(
                self.rng.choice(
                    (
                        "authorization: Bearer x",
                        "cookie: calotype=\x7f",
                        "authorization: Basic",
                        "cookie: ;;=;",
                    )
                )
            )
        if kind:
            headers.append(f"content-type: {kind}")
        if chunked and n_bytes:
            headers.append("transfer-encoding: chunked")
        elif n_bytes or method in ("POST", "PUT"):
            headers.append(f"content-length: {n_bytes}")
        if self.rng.random() < 0.1:
            headers.append(
                self.rng.choice(
                    (
                        "accept-encoding: gzip, br",
                        "range: bytes=0-1",
                        "range: bytes=5-1,9-",
                        "range: bytes=" + "0-1," * 500,
                        "if-none-match: *",
                        "if-modified-since: x",
                        "accept: " + "a/b," * 900,
                        "origin: null",
                        "origin: http://127.0.0.1",
                        "x-forwarded-for: " + "1," * 90,
                        "expect: 100-continue",
                        "content-encoding: gzip",
                        "upgrade: websocket\r\nconnection: upgrade",
                        "connection: close",
                        "\r\n".join(f"x-{at}: y" for at in range(200)),
                        "cookie: " + "a=b; " * 700,
                        "if-range: x",
                        "te: trailers",
                    )
                )
            )
        head = (
            f"{method} {target} HTTP/1.1\r\n".encode() + "\r\n".join(headers).encode("latin-1") + b"\r\n\r\n"
        )
        parts = (lambda: _chunks(body())) if chunked and n_bytes else body
        return Request(label, head, parts, signed_in, method == "HEAD")

    def _page(self) -> Request:
        """An address outside of the API, or almost one inside."""
        start = self.rng.choice(
            (
                "/",
                "/",
                "/d/",
                "/assets/",
                "/api/",
                "/api/v1/",
                "/api/v1/datasets/",
                "//",
                "/api/v1/openapi.json",
            )
        )
        target = (
            start
            + self._hostile_part()
            + self.rng.choice(("", "/", "?token=x", "?token=%00", "?where=" + "a" * 900))
        )
        if self.rng.random() < 0.02:
            target = "/" + "a" * self.rng.choice((3_000, 20_000, 70_000))
        method = self.rng.choice(("GET", "GET", "HEAD", "POST", "DELETE"))
        return self._request(
            "page", method, target, lambda: iter(()), 0, "", signed_in=self.rng.random() < 0.5
        )

    def _broken_http(self) -> Request:
        sign = f"authorization: Bearer {self.world.token}\r\n".encode()
        start = b"GET /api/v1/datasets HTTP/1.1\r\nhost: 127.0.0.1\r\n" + sign
        post = (
            b"POST /api/v1/datasets HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n" + sign
        )
        return Request(
            "broken http",
            self.rng.choice(
                (
                    b"\r\n\r\n",
                    b"GET\r\n\r\n",
                    b"GET /\r\n\r\n",
                    b"GET / HTTP/9.9\r\n\r\n",
                    b"\x16\x03\x01\x02\x00\x01\x00" + b"\x00" * 40 + b"\r\n\r\n",
                    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                    b"OPTIONS * HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
                    b"GET http://127.0.0.1/api/v1/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
                    b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
                    b"GET / HTTP/1.1\r\n\r\n",
                    b"GET / HTTP/1.0\r\n\r\n",
                    b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
                    b"GET / HTTP/1.1\r\nhost: \xff\xfe\r\n\r\n",
                    b"GET / HTTP/1.1\nhost: 127.0.0.1\n\n",
                    b"GET /\xff\xfe HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
                    start + b"x: " + b"y" * 70_000 + b"\r\n\r\n",
                    start + b"x" * 300 + b": y\r\n\r\n",
                    start + b" folded: y\r\n\r\n",
                    start + b"x: a\x00b\r\n\r\n",
                    post + b"content-length: -1\r\n\r\n",
                    post + b"content-length: 5\r\ncontent-length: 6\r\n\r\n{}   ",
                    post + b"content-length: abc\r\n\r\n",
                    post + b"content-length: 99999999999999999999999\r\n\r\n",
                    post + b"content-length: +2\r\n\r\n{}",
                    post + b"content-length: 2, 2\r\n\r\n{}",
                    post + b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                    post + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                    post + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
                    post + b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}",
                    post + b"transfer-encoding: chunked\r\n\r\n2;" + b"x" * 70_000 + b"\r\n",
                    post + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx: y\r\n\r\n",
                    start + b"connection: upgrade\r\nupgrade: h2c\r\n\r\n",
                )
            ),
        )


def _deep(levels: int) -> Json:
    value: Json = 1
    for _ in range(levels):
        value = [value]
    return value


def _chunks(parts: Iterator[bytes]) -> Iterator[bytes]:
    for part in parts:
        if part:
            yield f"{len(part):x}\r\n".encode() + part + b"\r\n"
    yield b"0\r\n\r\n"


def _parts(kind: str, n_bytes: int) -> Callable[[], Iterator[bytes]]:
    """A body of one long JSON text, or of zeros, made while it is sent."""
    step = 1_000_000

    def parts() -> Iterator[bytes]:
        start, end = (b'{"name":"', b'"}') if "json" in kind else (b"", b"")
        yield start
        left = n_bytes - len(start) - len(end)
        while left > 0:
            yield b"a" * min(step, left)
            left -= step
        yield end

    return parts


__all__ = ["Builder", "Request", "World"]
