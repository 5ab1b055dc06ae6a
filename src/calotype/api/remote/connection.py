"""Calls of a server over HTTP: the address, the token, retries, and the frames of an answer."""

from __future__ import annotations

import ipaddress
import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from calotype.foundation.errors import CalotypeError, External, Invalid
from calotype.foundation.verbs.frames import MEDIA_TYPE, AnswerUnreadable, error_from_plain, frames

API = "/api/v1"
TRIES = 5
_PAUSE_S = 0.2
_TIMEOUT = httpx2.Timeout(60.0, connect=10.0)
"""A server that works sends a frame every ten seconds."""
_MAX_PROBLEM_BYTES = 1_000_000
OnProgress = Callable[[str, int, int], None]


class ServerAddressInvalid(Invalid):
    """The address of a server cannot be used."""

    code = "server-address-invalid"
    what = "{got!r} cannot be the address of a server: {detail}"
    fix = "write it as https://NAME; http:// is only for this machine, or with CALOTYPE_PLAIN_HTTP=1 for a safe network"


class ServerUnreachable(External):
    """Nothing answers at the address of the server."""

    code = "server-unreachable"
    what = "{server} does not answer: {detail}"
    fix = "check the address and the network, then run it again; nothing was changed"


class ConnectionLost(External):
    """The connection broke while a verb ran."""

    code = "connection-lost"
    what = "the connection to {server} broke while `{verb}` ran: {detail}"
    fix = "the server may have finished it: look at `calotype log` or `calotype count`, then run it again"


class SignInNeeded(Invalid):
    """The server does not know who asks."""

    code = "sign-in-needed"
    what = "{server} does not accept the token, or there is none"
    fix = "sign in with `calotype login {server}`"


class Connection:
    """A server and who asks. Threads may share it; other processes open connections of their own.

    Args:
        address: `https://host[:port]`, without a path.
        token: An API token, or the token of the link that `calotype serve` prints.
    Raises: ServerAddressInvalid.
    """

    def __init__(self, address: str, token: str = "", *, purpose: str = "") -> None:
        self._client: httpx2.Client | None = None
        self._process = 0
        self.address = normal_address(address)
        self._token = token
        self._purpose = purpose

    def __del__(self) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_client": None, "_process": 0}

    def call(
        self, verb: str, arguments: Mapping[str, Any], *, progress: OnProgress, again: bool = False
    ) -> Any:
        """Run a verb on the server and return its packed result.

        Args:
            arguments: Plain values by name.
            again: Whether the verb changes nothing, or the same call twice is the same as once, so that it can be
                repeated when a connection breaks.
        Raises: ServerUnreachable, ConnectionLost, SignInNeeded, and what the verb raises.
        """
        body = msgspec.msgpack.encode(arguments)
        for attempt in range(TRIES):
            try:
                return self._result(verb, body, progress)
            except httpx2.ConnectError as error:
                failed: CalotypeError = ServerUnreachable(server=self.address, detail=_words(error))
            except httpx2.TransportError as error:
                failed = ConnectionLost(server=self.address, verb=verb, detail=_words(error))
                if not again:
                    break
            except AnswerUnreadable as error:
                failed = ConnectionLost(server=self.address, verb=verb, detail=str(error.fields["detail"]))
                if not again:
                    break
            if attempt + 1 < TRIES:
                time.sleep(_PAUSE_S * 2**attempt)
        raise failed

    def items(self, verb: str, arguments: Mapping[str, Any]) -> Iterator[Any]:
        """The items that a verb answers one by one. Raises: as `call`."""
        body, ended = msgspec.msgpack.encode(arguments), False
        try:
            with self._stream(verb, body) as answer:
                for part in _frames(answer, self.address):
                    if "error" in part:
                        raise error_from_plain(part["error"])
                    if "item" in part:
                        yield part["item"]
                    ended = ended or "result" in part
            if ended:
                return
        except httpx2.ConnectError as error:
            raise ServerUnreachable(server=self.address, detail=_words(error)) from None
        except httpx2.TransportError as error:
            raise ConnectionLost(server=self.address, verb=verb, detail=_words(error)) from None
        raise ConnectionLost(server=self.address, verb=verb, detail="the answer ended early")

    def get(self, path: str) -> Any:
        """The JSON answer of a route. Raises: ServerUnreachable, SignInNeeded, AnswerUnreadable."""
        return self._json("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send JSON to a route; its JSON answer, None for an empty one. Raises: as `get`."""
        return self._json("POST", path, body)

    def delete(self, path: str) -> None:
        """Delete what a route names. Raises: as `get`."""
        self._json("DELETE", path, None)

    def close(self) -> None:
        """Close the connections of this process."""
        if self._client is not None and self._process == os.getpid():
            self._client.close()
        self._client = None

    def _result(self, verb: str, body: bytes, progress: OnProgress) -> Any:
        last: dict[str, Any] = {}
        with self._stream(verb, body) as answer:
            for part in _frames(answer, self.address):  # to its end, so that the connection can be used again
                if "progress" in part:
                    progress(*part["progress"])
                elif part:
                    last = part
        if "error" in last:
            raise error_from_plain(last["error"])
        if "result" not in last:
            raise AnswerUnreadable(server=self.address, detail="it ended early")
        return last["result"]

    def _stream(self, verb: str, body: bytes) -> Any:
        return self._http().stream(
            "POST", f"{API}/verbs/{verb}", content=body, headers={"content-type": "application/msgpack"}
        )

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        try:
            with self._http().stream(method, f"{API}{path}", json=body) as answer:
                data = _bounded(answer)
                _check(answer, data, self.address)
        except httpx2.TransportError as error:
            raise ServerUnreachable(server=self.address, detail=_words(error)) from None
        try:
            return msgspec.json.decode(data) if data else None
        except msgspec.DecodeError as error:
            raise AnswerUnreadable(server=self.address, detail=str(error)) from None

    def _http(self) -> httpx2.Client:
        if self._client is None or self._process != os.getpid():
            headers = {
                "user-agent": "calotype",
                "accept-encoding": "identity",  # a compressed stream would hold frames back
            }
            if self._token:
                headers["authorization"] = f"Bearer {self._token}"
            if self._purpose:
                headers["x-calotype-purpose"] = self._purpose
            self._client = httpx2.Client(
                base_url=self.address,
                headers=headers,
                timeout=_TIMEOUT,
                follow_redirects=False,
                trust_env=not is_loopback(self.address),
                verify=_trusted(),
            )
            self._process = os.getpid()
        return self._client


def _trusted() -> ssl.SSLContext | bool:
    """The certificates to trust: those that `SSL_CERT_FILE` names, or those of the system."""
    file = os.environ.get("SSL_CERT_FILE")
    return ssl.create_default_context(cafile=file) if file else True


def normal_address(address: str) -> str:
    """`scheme://host[:port]`. Raises: ServerAddressInvalid."""
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError:
        raise ServerAddressInvalid(got=address[:200], detail="its port is not a number") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ServerAddressInvalid(got=address[:200], detail="it does not begin with https://")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ServerAddressInvalid(got=address[:200], detail="it holds more than a host and a port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    normal = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    if parts.scheme == "http" and not is_loopback(normal) and os.environ.get("CALOTYPE_PLAIN_HTTP") != "1":
        raise ServerAddressInvalid(got=address[:200], detail="the token would cross the network in the clear")
    return normal


def is_loopback(address: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _frames(answer: httpx2.Response, server: str) -> Iterator[dict[str, Any]]:
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind != MEDIA_TYPE:
        _check(answer, _bounded(answer), server)
        raise AnswerUnreadable(
            server=server, detail=f"it is {kind or 'of no type'} with status {answer.status_code}"
        )
    yield from frames(answer.iter_raw(), server)


def _bounded(answer: httpx2.Response) -> bytes:
    """The body of an answer that is not a stream."""
    data = bytearray()
    for chunk in answer.iter_bytes():
        data += chunk
        if len(data) > _MAX_PROBLEM_BYTES:
            break
    return bytes(data)


def _check(answer: httpx2.Response, data: bytes, server: str) -> None:
    """Raises: SignInNeeded, AnswerUnreadable, and the problem that the server answered."""
    if answer.status_code == 401:
        raise SignInNeeded(server=server)
    if answer.status_code < 300:
        return
    try:
        problem = msgspec.json.decode(data)
        said = {"what": problem["detail"], "code": problem["code"], "fix": problem.get("fix", "")}
    except (msgspec.DecodeError, KeyError, TypeError):
        detail = f"status {answer.status_code}"
        raise AnswerUnreadable(server=server, detail=detail) from None
    raise error_from_plain({**said, "where": problem.get("where", "")})


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
