"""Limits on every request, applied before authentication: address, headers, size and pace of the body.

Bodies are counted as they arrive, never gathered here. A route declares the limit of its body with `action(...)`; every
other body may have `MAX_BODY_BYTES`. What the server below adds, limits on the head of a request, is in `connections`.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from calotype.foundation.errors import CalotypeError, Invalid
from calotype.foundation.http import BODY_LIMIT, MAX_BODY_BYTES, problem

MAX_PATH_BYTES = 16_384
MAX_QUERY_BYTES = 49_152
MAX_HEADERS = 100
MAX_RANGES = 5
"""Parts of a file that one request may ask for (against CVE-2025-62727 and its kin)."""
AT_ONCE = 16
"""Six that a browser sends at once, and a program beside it."""
STREAMS = frozenset({"/api/v1/runs/current"})
"""Routes whose answers may have no end; they have a limit of their own."""
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_CONTROL_IN_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINGER_S = 5.0
_GONE: Message = {"type": "http.disconnect"}


class AddressInvalid(Invalid):
    """The address of a request has bytes that no name or query has."""

    code = "address-invalid"
    what = "the {part} of the address has {detail}"
    fix = "encode it as UTF-8, without control characters"


class AddressTooLong(Invalid):
    """The address of a request is too long."""

    code = "address-too-long"
    what = "the {part} of the address is longer than {limit:,} bytes"
    fix = "shorten it"


class HeadersTooLarge(Invalid):
    """The headers of a request are too many."""

    code = "headers-too-large"
    what = "the request has more than {limit} headers"
    fix = "send fewer headers"


class RangesTooMany(Invalid):
    """A request asks for too many parts of a file."""

    code = "ranges-too-many"
    what = "the request asks for more than {limit} parts of a file"
    fix = "ask for fewer parts, or for the whole file"


class BodyTooLarge(Invalid):
    """The request body is too large."""

    code = "body-too-large"
    what = "the request body is larger than {limit:,} bytes"
    fix = "send it in parts, or use the command line where the workspace is"


class BodyInvalid(Invalid):
    """The length of the request body is not a number."""

    code = "body-invalid"
    what = "Content-Length is not a number of bytes"
    fix = "send the length of the body, or send it in chunks"


class RequestTooSlow(Invalid):
    """The request body did not arrive in time."""

    code = "request-too-slow"
    what = "the body stopped or came too slowly: {n_bytes:,} bytes in {seconds:.0f} s"
    fix = "send the whole body; check the connection, then try again"


class TooManyAtOnce(CalotypeError):
    """One person has too many requests in progress."""

    code = "too-many-at-once"
    what = "{limit} requests of yours are being answered already"
    fix = "wait for one of them, then try again; send fewer at once"


@dataclass(frozen=True, slots=True)
class Pace:
    """How slowly a body may come.

    Args:
        idle_s: Longest time without a byte.
        grace_s: Waiting allowed in all, beside the time that the body needs at `min_bytes_per_s`.
        min_bytes_per_s: Slowest rate of a body.
    """

    idle_s: float = 20.0
    grace_s: float = 20.0
    min_bytes_per_s: float = 1_000.0


class BodyLimits:
    """The limits of bodies by method and path, for routes that declare one."""

    def __init__(self, routers: Iterable[APIRouter], prefix: str) -> None:
        self._rules = [
            (
                frozenset(route.methods or ()),
                compile_path(prefix + route.path)[0],
                route.openapi_extra[BODY_LIMIT],
            )
            for router in routers
            for route in router.routes
            if isinstance(route, APIRoute) and route.openapi_extra and BODY_LIMIT in route.openapi_extra
        ]

    def max_bytes(self, method: str, path: str) -> int:
        """The limit of the body of a request."""
        for methods, pattern, limit in self._rules:
            if method in methods and pattern.match(path):
                return int(limit)
        return MAX_BODY_BYTES


class Places:
    """Places for requests in progress, by who asks. Used by the event loop alone, so it needs no lock."""

    def __init__(self, limit: int = AT_ONCE) -> None:
        self.limit = limit
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taking(self, who: str) -> Iterator[bool]:
        """A place for as long as the block runs; False where none is free."""
        if self._taken[who] >= self.limit:
            yield False
            return
        self._taken[who] += 1
        try:
            yield True
        finally:
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]


class LimitsMiddleware:
    """Middleware that refuses a request beyond the limits, before anybody reads it."""

    def __init__(self, app: ASGIApp, *, bodies: BodyLimits, pace: Pace) -> None:
        self.app, self.bodies, self.pace = app, bodies, pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 4xx, or pass the request on with its body watched."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        max_bytes = self.bodies.max_bytes(scope["method"], scope["path"])
        exchange = _Exchange(receive, send, max_bytes, self.pace)
        exchange.is_body_open = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        exchange.is_body_coming = "100-continue" not in headers.get("expect", "").lower()
        exchange.refusal = _refusal(scope, headers, max_bytes)
        if exchange.refusal is None:
            await self.app(scope, exchange.receive, exchange.send)
        if exchange.refusal is not None and not exchange.has_started:
            await exchange.refuse(scope, exchange.refusal)


class _Exchange:
    """One request and its answer. Where `refusal` is set, the rest of the body is not read, and it is the answer."""

    def __init__(self, receive: Receive, send: Send, max_bytes: int, pace: Pace) -> None:
        self._receive, self._send = receive, send
        self._max_bytes, self._pace = max_bytes, pace
        self._n_bytes, self._waited_s = 0, 0.0
        self.is_body_open = False
        self.is_body_coming = False  # who waits for `100 Continue` sends nothing before it is asked for
        self.has_started = False
        self.refusal: CalotypeError | None = None

    async def receive(self) -> Message:
        """The next part of the body, or that the client is gone."""
        if self.refusal is not None:
            return _GONE
        if not self.is_body_open:
            return await self._receive()
        self.is_body_coming = True
        message = await self._next_part()
        self.is_body_open = message["type"] == "http.request" and message.get("more_body", False)
        self._n_bytes += len(message.get("body", b""))
        if self._n_bytes > self._max_bytes:
            self.refusal = BodyTooLarge(limit=self._max_bytes)
            return _GONE
        return message

    async def _next_part(self) -> Message:
        clock = asyncio.get_running_loop().time
        left_s = self._pace.grace_s + self._n_bytes / self._pace.min_bytes_per_s - self._waited_s
        start_s = clock()
        try:
            async with asyncio.timeout(min(self._pace.idle_s, max(0.0, left_s))):
                return await self._receive()
        except TimeoutError:
            waited_s = self._waited_s + clock() - start_s
            self.refusal = RequestTooSlow(n_bytes=self._n_bytes, seconds=waited_s)
            self.is_body_open = False
            return _GONE
        finally:
            self._waited_s += clock() - start_s

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on; a body that nobody read is let out before the answer ends."""
        if self.refusal is not None and not self.has_started:
            return
        self.has_started = True
        ends = message["type"] == "http.response.body" and not message.get("more_body", False)
        if ends and self.is_body_open and self.is_body_coming:
            await self._send({**message, "more_body": True})
            await self._let_out()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _let_out(self) -> None:
        """Read and drop the rest of the body for a while: who writes before reading would miss the answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while self.is_body_open:
                    message = await self._receive()
                    self.is_body_open = message["type"] == "http.request" and message.get("more_body", False)

    async def refuse(self, scope: Scope, error: CalotypeError) -> None:
        """Answer with the error and close the connection."""
        answer = problem(error)
        answer.headers["connection"] = "close"
        self.refusal = None
        await answer(scope, self._receive, self.send)


def _refusal(scope: Scope, headers: Headers, max_bytes: int) -> CalotypeError | None:
    """What is wrong with a request before its body is read."""
    path: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    query: bytes = scope["query_string"]
    for part, raw, limit, control in (
        ("path", path, MAX_PATH_BYTES, _CONTROL),
        ("query", query, MAX_QUERY_BYTES, _CONTROL_IN_TEXT),
    ):
        if len(raw) > limit:
            return AddressTooLong(part=part, limit=limit)
        plain = unquote_to_bytes(raw)
        if control.search(plain):
            return AddressInvalid(part=part, detail="a control character")
        if not _is_utf8(plain):
            return AddressInvalid(part=part, detail="bytes that are not UTF-8")
    if len(headers) > MAX_HEADERS:
        return HeadersTooLarge(limit=MAX_HEADERS)
    if headers.get("range", "").count(",") >= MAX_RANGES:
        return RangesTooMany(limit=MAX_RANGES)
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        return BodyInvalid()
    too_large = len(length) > 18 or int(length) > max_bytes
    return BodyTooLarge(limit=max_bytes) if too_large else None


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
