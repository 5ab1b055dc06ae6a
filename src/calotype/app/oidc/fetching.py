"""Requests of the server to the provider: to named origins only, without redirects, bounded in bytes and time."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from calotype.app.oidc.settings import origin_of
from calotype.foundation.errors import External

MAX_ANSWER_BYTES = 1_000_000
LIMIT_S = 10.0


class ProviderFailed(External):
    """The provider did not answer as it should. What it answered is not shown."""

    code = "sign-in-provider-failed"
    what = "the provider of identities cannot be used: {detail}"
    fix = "try again; if it stays, the operator of this server can compare the settings of --oidc with the provider"


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to a request, in the form that Authlib expects."""

    status_code: int
    body: bytes

    def json(self) -> Any:
        """The parsed body. Raises: ProviderFailed."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise ProviderFailed(detail="its answer is not JSON") from None

    def raise_for_status(self) -> None:
        """Raises: ProviderFailed."""
        if self.status_code != 200:
            raise ProviderFailed(detail=f"it answered {self.status_code}")


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Asks the provider. `post` is what Authlib calls with the authentication of the client.

    Args:
        origins: Scheme, host and port of each place that may be asked.
        ca_file: Certificates to trust; empty for those of the system.
    """

    origins: frozenset[str]
    ca_file: str = ""
    limit_s: float = LIMIT_S

    def get_json(self, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """A JSON object. Raises: ProviderFailed."""
        fetched = self._fetch("GET", url, {"accept": "application/json", **(headers or {})}, b"")
        fetched.raise_for_status()
        value = fetched.json()
        if not isinstance(value, dict):
            raise ProviderFailed(detail="its answer is not a JSON object")
        return value

    def post(self, url: str, *, data: dict[str, str], headers: dict[str, str], auth: Any) -> Fetched:
        """Send a form. Raises: ProviderFailed."""
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return self._fetch("POST", url, headers, body.encode())

    def _fetch(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Fetched:
        origin = origin_of(url)
        if origin not in self.origins:
            raise ProviderFailed(detail="it names an address that the settings do not allow")
        parts = urlsplit(origin)
        target = urlsplit(url)
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        connection = self._connection(parts.scheme, str(parts.hostname), int(parts.port or 0))
        deadline = threading.Timer(self.limit_s, _cut, [connection])
        deadline.daemon = True
        deadline.start()
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            received = answer.read(MAX_ANSWER_BYTES + 1)
        except (OSError, HTTPException, ValueError) as error:
            raise ProviderFailed(detail=f"no answer ({type(error).__name__})") from None
        finally:
            deadline.cancel()
            connection.close()
        if len(received) > MAX_ANSWER_BYTES:
            raise ProviderFailed(detail="its answer is too large")
        return Fetched(answer.status, received)

    def _connection(self, scheme: str, host: str, port: int) -> HTTPConnection:
        if scheme == "http":
            return HTTPConnection(host, port, timeout=self.limit_s)
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
        except (OSError, ssl.SSLError):
            raise ProviderFailed(detail="its certificates in ca_file cannot be read") from None
        return HTTPSConnection(host, port, timeout=self.limit_s, context=context)


def _cut(connection: HTTPConnection) -> None:
    """End a connection whose answer comes too slowly, whatever it waits for."""
    with suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)
