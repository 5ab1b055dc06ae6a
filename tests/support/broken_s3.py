"""A small S3 server in memory that breaks one promise on purpose, for what has to notice it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import parse_qs, unquote, urlsplit

FAULTS = (
    "everybody-wins",
    "nobody-wins",
    "refused-write-replaces",
    "range-is-whole",
    "listing-is-empty",
    "deletes-fail",
)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, fault: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fault = fault
        self.objects: dict[str, bytes] = {}
        self.lock = Lock()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/bucket/")

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        is_new = self.headers.get("If-None-Match") == "*"
        with self.server.lock:
            refused = is_new and (self.server.fault == "nobody-wins" or self.key in self.server.objects)
            if self.server.fault in ("everybody-wins", "deletes-fail"):
                refused = False
            if not refused or self.server.fault == "refused-write-replaces":
                self.server.objects[self.key] = data
        self._answer(412 if refused else 200)

    def do_GET(self) -> None:
        if urlsplit(self.path).query:
            self._answer(200, self._listing())
            return
        data = self.server.objects.get(self.key)
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if data is None:
            self._answer(404)
        elif asked and self.server.fault != "range-is-whole":
            start, end = int(asked[1]), int(asked[2]) + 1
            whole = {"Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}
            self._answer(206, data[start:end], whole)
        else:
            self._answer(200, data)

    def do_POST(self) -> None:
        """Delete many at once."""
        keys = re.findall(r"<Key>(.*?)</Key>", self.rfile.read(int(self.headers["Content-Length"])).decode())
        for key in keys if self.server.fault != "deletes-fail" else ():
            self.server.objects.pop(key, None)
        deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        failed = self.server.fault == "deletes-fail"
        self._answer(403 if failed else 200, f"<DeleteResult>{deleted}</DeleteResult>".encode())

    def _listing(self) -> bytes:
        prefix = parse_qs(urlsplit(self.path).query).get("prefix", [""])[0]
        keys = [] if self.server.fault == "listing-is-empty" else sorted(self.server.objects)
        entry = (
            "<Contents><Key>{}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>"
            '<ETag>"0"</ETag><Size>{}</Size></Contents>'
        )
        entries = "".join(
            entry.format(key, len(self.server.objects[key])) for key in keys if key.startswith(prefix)
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode()

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        named = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"', **(headers or {})}
        for name, value in {**named, "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def broken_s3(fault: str) -> Iterator[str]:
    """The endpoint of a server with the bucket `bucket` and one of `FAULTS`, or without a fault for ""."""
    server = _Server(fault)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
