"""Authentication of the server: a token, the session cookie, and the checks on every request.

As with Jupyter, the link that `calotype serve` prints has a token. Opening the link exchanges the token for an
HTTP-only cookie. Programs send `Authorization: Bearer TOKEN`. The pages of the app contain no data and are public.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from http.cookies import CookieError, SimpleCookie
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from calotype.app.access_trail import REQUEST_ID, AccessTrail, request_facts
from calotype.app.limits import AT_ONCE, STREAMS, Places, TooManyAtOnce
from calotype.foundation.actor import Actor
from calotype.foundation.http import Session, plain_problem, problem
from calotype.store import Store

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PUBLIC_PATHS = frozenset({"/api/v1/health", "/api/v1/ready"})
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
class Admitted:
    """Who a request comes from; with the new secret of the session, if it changed."""

    actor: Actor
    session_id: str = ""
    new_secret: str = ""


class Keys(Protocol):
    """How a server knows who asks: the token of one person (`AccessKeys`), or accounts (`AccountKeys`)."""

    @property
    def accounts(self) -> bool: ...

    @property
    def provider_name(self) -> str:
        """What the provider is called that people can sign in with; empty without one."""

    @property
    def public_paths(self) -> frozenset[str]:
        """Paths below /api that need nobody signed in."""

    def admit(self, headers: Headers) -> Admitted | None:
        """Who asks; None for nobody. May read the catalog, so it is called in a thread."""

    def admit_link(self, token: str, response: Response) -> None:
        """Set the cookie on the response, if the token of a link is right."""

    def set_cookie(self, response: Response, secret: str) -> None: ...


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """The secrets of one server: the token of its link and the value of its cookie, random at each start.

    With `token` None every request is accepted; `serve` allows that only on a loopback address.
    """

    token: str | None
    port: int = 0
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    accounts = False
    provider_name = ""
    public_paths = _PUBLIC_PATHS

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

    def admit(self, headers: Headers) -> Admitted | None:
        """The local user, if the request has the token or the cookie."""
        return Admitted(Actor.local()) if self.accepts(headers) else None

    def admit_link(self, token: str, response: Response) -> None:
        """Set the cookie on the response, if the token of a link is right."""
        if self.is_token(token):
            self.set_cookie(response)

    def set_cookie(self, response: Response, secret: str = "") -> None:
        """Set the session cookie on a response."""
        response.set_cookie(self.cookie_name, secret or self.cookie, httponly=True, samesite="lax", path="/")


class AuthMiddleware:
    """Middleware that checks host, origin and, below /api, authentication."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        store: Store,
        ports: Any,
        keys: Keys,
        hosts: Iterable[str],
        at_once: int = AT_ONCE,
    ) -> None:
        self.app, self.store, self.ports, self.keys = app, store, ports, keys
        self.hosts = frozenset(hosts)
        self.trail = AccessTrail(store)
        self.places = Places(at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject the request, or pass it on with its session."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer: ASGIApp | None = self._reject(scope, headers)
        if answer is None and self._needs_nobody(scope):
            scope.setdefault("state", {})["session"] = Session(Actor.nobody(), self.store, self.ports)
        elif answer is None:
            admitted = await asyncio.to_thread(self.keys.admit, headers)
            if admitted is None:
                answer = not_signed_in(accounts=self.keys.accounts)
            else:
                actor, send = admitted.actor, self._with_new_secret(send, admitted.new_secret)
                if self.keys.accounts:
                    actor, send = self._on_the_record(actor, send, scope, headers)
                session = Session(actor, self.store, self.ports, admitted.session_id)
                scope.setdefault("state", {})["session"] = session
        with self.places.taking(self._who(scope)) as is_free:
            if answer is None and not is_free:
                answer = too_many_at_once(self.places.limit)
            await (answer or self.app)(scope, receive, send)

    def _who(self, scope: Scope) -> str:
        """Whose place a request takes: that of its person, or of its machine where nobody is signed in yet."""
        if not self.keys.accounts or scope["path"] in STREAMS or scope["path"] in _PUBLIC_PATHS:
            return f"request:{id(scope)}"
        session: Session | None = scope.get("state", {}).get("session")
        if session is None or session.actor.id == Actor.nobody().id:
            is_page = not scope["path"].startswith("/api")
            return f"request:{id(scope)}" if is_page else f"machine:{(scope.get('client') or ('',))[0]}"
        return session.actor.id

    def _on_the_record(self, actor: Actor, send: Send, scope: Scope, headers: Headers) -> tuple[Actor, Send]:
        """The actor with the facts of the request, and a `send` that records readings and answers the request's id."""
        facts = request_facts(headers)
        actor = replace(actor, request=actor.request + facts)

        async def send_recorded(message: Message) -> None:
            if message["type"] == "http.response.start":
                if scope["method"] == "GET" and message["status"] < 400:
                    await asyncio.to_thread(self.trail.reading, actor, scope["path"])
                MutableHeaders(scope=message)[REQUEST_ID] = facts[0][1]
            await send(message)

        return actor, send_recorded

    def _needs_nobody(self, scope: Scope) -> bool:
        path = scope["path"]
        return (
            not path.startswith("/api")
            or path in self.keys.public_paths
            or (not self.keys.accounts and (path, scope["method"]) == ("/api/v1/session", "POST"))
        )

    def _with_new_secret(self, send: Send, secret: str) -> Send:
        """Sends the cookie again if the secret of the session changed."""
        if not secret:
            return send
        cookies = Response()
        self.keys.set_cookie(cookies, secret)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", cookies.headers["set-cookie"])
            await send(message)

        return send_with_cookie

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
        return None

    def _sign_in(self, path: str, params: QueryParams) -> Response:
        query = urlencode([(name, value) for name, value in params.multi_items() if name != "token"])
        target = "/" + quote(path.lstrip("/\\")) + (f"?{query}" if query else "")
        response = RedirectResponse(target, status_code=303)
        self.keys.admit_link(params["token"], response)
        return response


def too_many_at_once(limit: int) -> Response:
    """The response to a request of somebody who has too many in progress."""
    response = problem(TooManyAtOnce(limit=limit))
    response.headers["retry-after"] = "1"
    return response


def not_signed_in(*, accounts: bool = False) -> Response:
    """The response to a request without a valid token or cookie."""
    response = plain_problem(
        401,
        "not-signed-in",
        "nobody is signed in, or the session has ended" if accounts else "the request has no valid token",
        "sign in at /sign-in, or send `Authorization: Bearer TOKEN` with an API token"
        if accounts
        else "open the link that `calotype serve` printed, or send `Authorization: Bearer TOKEN`",
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
