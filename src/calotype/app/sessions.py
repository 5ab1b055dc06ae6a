"""Who may speak to the server: a token, the cookie it is traded for, and the checks that every request passes.

As with Jupyter, the link that `calotype serve` prints carries a token; opening it trades the token for a cookie that
scripts cannot read. Programs send `Authorization: Bearer TOKEN`. The pages themselves hold no data and are public.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote, urlencode

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from calotype.foundation.actor import Actor
from calotype.foundation.http import Session, plain_problem
from calotype.store import Store

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OPEN = frozenset({"/api/v1/health"})
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_HEADERS = {
    "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of one server: the token of its link and the value of its cookie. Random at each start.

    `token` None lets everybody in who can reach the port; `serve` allows that on loopback only.
    """

    token: str | None
    port: int = 0
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def cookie_name(self) -> str:
        """Cookies do not know ports, so that the name does."""
        return f"calotype-{self.port}"

    def opens(self, token: str) -> bool:
        """Whether this is the token; takes the same time for any other."""
        return self.token is not None and hmac.compare_digest(token.encode(), self.token.encode())

    def admits(self, headers: Headers) -> bool:
        """Whether a request carries the token or the cookie."""
        if self.token is None:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.opens(given.strip())
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(headers.get("cookie", ""))
        except CookieError:
            return False
        morsel = jar.get(self.cookie_name)
        return morsel is not None and hmac.compare_digest(morsel.value.encode(), self.cookie.encode())

    def give(self, response: Response) -> None:
        """Put the cookie into an answer."""
        response.set_cookie(self.cookie_name, self.cookie, httponly=True, samesite="lax", path="/")


class Doorkeeper:
    """Middleware: the right host and origin, a key for everything below /api, safe headers on every answer."""

    def __init__(self, app: ASGIApp, *, store: Store, ports: Any, keys: Keys, hosts: Iterable[str]) -> None:
        self.app, self.store, self.ports, self.keys = app, store, ports, keys
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at the door, or let the request in with its session."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = self._stopped(scope, headers)
        if answer is None:
            session = Session(Actor.local(), self.store, self.ports)
            scope.setdefault("state", {})["session"] = session
        await (answer or self.app)(scope, receive, _with_headers(send))

    def _stopped(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if self.hosts and _host_only(host) not in self.hosts:
            return plain_problem(
                400,
                "host-unknown",
                f"this server is not {host[:100]!r}",
                "open the link that `calotype serve` printed",
            )
        origin = headers.get("origin")
        if scope["method"] in _UNSAFE and origin and origin.partition("://")[2] != host:
            return plain_problem(
                403,
                "origin-refused",
                f"a page of {origin[:100]} may not write here",
                "use the app's own pages",
            )
        path = scope["path"]
        asked = QueryParams(scope["query_string"].decode("latin-1"))
        if scope["method"] == "GET" and "token" in asked and not path.startswith("/api"):
            return self._let_in(path, asked)
        is_open = (
            not path.startswith("/api")
            or path in _OPEN
            or (path, scope["method"]) == ("/api/v1/session", "POST")
        )
        return None if is_open or self.keys.admits(headers) else not_signed_in()

    def _let_in(self, path: str, asked: QueryParams) -> Response:
        rest = urlencode([(name, value) for name, value in asked.multi_items() if name != "token"])
        target = "/" + quote(path.lstrip("/\\")) + (f"?{rest}" if rest else "")
        response = RedirectResponse(target, status_code=303)
        if self.keys.opens(asked["token"]):
            self.keys.give(response)
        return response


def not_signed_in() -> Response:
    """The answer to a request without a key."""
    response = plain_problem(
        401,
        "not-signed-in",
        "this request carries no valid token",
        "open the link that `calotype serve` printed, or send `Authorization: Bearer TOKEN`",
    )
    response.headers["www-authenticate"] = "Bearer"
    return response


def _host_only(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return wrapped
