"""Authentication of the server: a token, the session cookie, and the checks on every request.

As with Jupyter, the link that `calotype serve` prints has a token. Opening the link exchanges the token for an
HTTP-only cookie. Programs send `Authorization: Bearer TOKEN`. The pages of the app contain no data and are public.
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
_PUBLIC_PATHS = frozenset({"/api/v1/health"})
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SECURITY_HEADERS = {
    "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """The secrets of one server: the token of its link and the value of its cookie, random at each start.

    With `token` None every request is accepted; `serve` allows that only on a loopback address.
    """

    token: str | None
    port: int = 0
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def cookie_name(self) -> str:
        """The name includes the port, because cookies are not separated by port."""
        return f"calotype-{self.port}"

    def is_token(self, token: str) -> bool:
        """Compare with the token in constant time."""
        return self.token is not None and hmac.compare_digest(token.encode(), self.token.encode())

    def accepts(self, headers: Headers) -> bool:
        """Whether a request has the token or the cookie."""
        if self.token is None:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.is_token(token.strip())
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except CookieError:
            return False
        morsel = cookies.get(self.cookie_name)
        return morsel is not None and hmac.compare_digest(morsel.value.encode(), self.cookie.encode())

    def set_cookie(self, response: Response) -> None:
        """Set the session cookie on a response."""
        response.set_cookie(self.cookie_name, self.cookie, httponly=True, samesite="lax", path="/")


class AuthMiddleware:
    """Middleware that checks host, origin and, below /api, authentication."""

    def __init__(
        self, app: ASGIApp, *, store: Store, ports: Any, keys: AccessKeys, hosts: Iterable[str]
    ) -> None:
        self.app, self.store, self.ports, self.keys = app, store, ports, keys
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject the request, or pass it on with its session."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        rejection = self._reject(scope, headers)
        if rejection is None:
            session = Session(Actor.local(), self.store, self.ports)
            scope.setdefault("state", {})["session"] = session
        await (rejection or self.app)(scope, receive, send)

    def _reject(self, scope: Scope, headers: Headers) -> Response | None:
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
                f"pages from {origin[:100]} cannot write to this server",
                "use the pages of this server",
            )
        path = scope["path"]
        params = QueryParams(scope["query_string"].decode("latin-1"))
        if scope["method"] == "GET" and "token" in params and not path.startswith("/api"):
            return self._sign_in(path, params)
        is_public = (
            not path.startswith("/api")
            or path in _PUBLIC_PATHS
            or (path, scope["method"]) == ("/api/v1/session", "POST")
        )
        return None if is_public or self.keys.accepts(headers) else not_signed_in()

    def _sign_in(self, path: str, params: QueryParams) -> Response:
        query = urlencode([(name, value) for name, value in params.multi_items() if name != "token"])
        target = "/" + quote(path.lstrip("/\\")) + (f"?{query}" if query else "")
        response = RedirectResponse(target, status_code=303)
        if self.keys.is_token(params["token"]):
            self.keys.set_cookie(response)
        return response


def not_signed_in() -> Response:
    """The response to a request without a valid token or cookie."""
    response = plain_problem(
        401,
        "not-signed-in",
        "the request has no valid token",
        "open the link that `calotype serve` printed, or send `Authorization: Bearer TOKEN`",
    )
    response.headers["www-authenticate"] = "Bearer"
    return response


class SecurityHeadersMiddleware:
    """Middleware that adds security headers to every answer, also to refusals."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await self.app(scope, receive, _with_security_headers(send) if scope["type"] == "http" else send)


def _host_only(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _with_security_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return send_with_headers
