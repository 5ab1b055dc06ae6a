"""Authentication of a team server (`calotype serve --accounts`): sessions of people, API tokens of programs."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.responses import Response

from calotype.app.oidc.provider import Provider
from calotype.app.sessions import Admitted
from calotype.people import signing_in
from calotype.store import Store

PUBLIC_PATHS = frozenset(
    {
        "/api/v1/health",
        "/api/v1/ready",
        "/api/v1/sign-in",
        "/api/v1/invitations/show",
        "/api/v1/invitations/accept",
        "/api/v1/device-sign-ins",
        "/api/v1/device-sign-ins/token",
        "/api/v1/oidc/start",
        "/api/v1/oidc/callback",
    }
)


@dataclass(frozen=True, slots=True)
class AccountKeys:
    """Admits whoever has a session or an API token; there is no token of the server.

    Args:
        secure: Whether browsers reach the server by HTTPS, so that cookies are sent over nothing else.
        provider: Who else says who people are.
    """

    store: Store
    port: int = 0
    secure: bool = False
    provider: Provider | None = None

    accounts = True
    public_paths = PUBLIC_PATHS

    @property
    def provider_name(self) -> str:
        """What the provider is called; empty without one."""
        return self.provider.settings.name if self.provider is not None else ""

    @property
    def cookie_name(self) -> str:
        """With `__Host-` no other host and no plain connection can set it; else with the port, which cookies ignore."""
        return "__Host-calotype" if self.secure else f"calotype-account-{self.port}"

    def admit(self, headers: Headers) -> Admitted | None:
        """Who asks; None for nobody. Reads the catalog."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            signed_in = signing_in.from_token(token.strip(), store=self.store)
        else:
            secret = self.session_secret(headers)
            signed_in = signing_in.from_session(secret, store=self.store) if secret else None
        if signed_in is None:
            return None
        return Admitted(signed_in.actor, signed_in.session_id, signed_in.new_secret)

    def session_secret(self, headers: Headers) -> str:
        """The secret in the cookie of a request; empty without one."""
        return self._cookie(headers, self.cookie_name)

    def flow_secret(self, headers: Headers) -> str:
        """The secret of the sign-in through a provider that this browser has begun; empty without one."""
        return self._cookie(headers, f"{self.cookie_name}-oidc")

    def set_flow_cookie(self, response: Response, secret: str, limit_s: int) -> None:
        """Set the cookie of a sign-in through a provider; with an empty secret, remove it."""
        response.set_cookie(
            f"{self.cookie_name}-oidc",
            secret,
            max_age=limit_s if secret else 0,
            httponly=True,
            samesite="lax",
            path="/",
            secure=self.secure,
        )

    def _cookie(self, headers: Headers, name: str) -> str:
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except CookieError:
            return ""
        morsel = cookies.get(name)
        return "" if morsel is None else morsel.value

    def admit_link(self, _token: str, _response: Response) -> None:
        """Links of a team server hold no token."""

    def set_cookie(self, response: Response, secret: str) -> None:
        """Set the cookie of a session."""
        limit_s = signing_in.ABSOLUTE_US // 1_000_000
        response.set_cookie(
            self.cookie_name,
            secret,
            max_age=limit_s,
            httponly=True,
            samesite="lax",
            path="/",
            secure=self.secure,
        )

    def drop_cookie(self, response: Response) -> None:
        """Remove the cookie."""
        response.delete_cookie(self.cookie_name, path="/", httponly=True, samesite="lax", secure=self.secure)
