"""The provider of identities: what it says about itself, and whom it has identified.

Source: OpenID Connect Core 1.0 (code flow, validation of ID tokens), Discovery 1.0, RFC 7636 (PKCE), RFC 9207
(issuer in the answer), RFC 9700 (best practice of OAuth 2.0).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from calotype.app.oidc.fetching import Fetcher, ProviderFailed
from calotype.app.oidc.flow import Flow
from calotype.app.oidc.settings import Settings, origin_of
from calotype.people.identities import Identity, IdentityRefused

METADATA_S = 3_600.0
KEYS_AGAIN_S = 30.0
"""Shortest time between two requests for the keys, whatever key a token names."""
LEEWAY_S = 30
MAX_AGE_S = 600
"""How long ago an ID token may have been issued."""
MAX_TOKEN_CHARS = 100_000
MAX_GROUPS = 2_000
AT_ONCE = 8
_WELL_KNOWN = "/.well-known/openid-configuration"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_PUBLIC_KEYS = ("RSA", "EC", "OKP")


@dataclass(slots=True)
class _Known:
    """What the provider said about itself, and when."""

    metadata: dict[str, Any]
    keys: KeySet
    metadata_at_s: float
    keys_at_s: float


@dataclass(slots=True)
class Provider:
    """Sign-in through one issuer. What it says about itself is kept for an hour; safe to use in several threads."""

    settings: Settings
    redirect_uri: str
    fetcher: Fetcher = field(init=False)
    _known: _Known | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _places: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))

    def __post_init__(self) -> None:
        self.fetcher = Fetcher(self.settings.origins, self.settings.ca_file)

    def address(self, flow: Flow) -> str:
        """Where the browser goes to be identified. Raises: ProviderFailed."""
        known = self._current()
        url, _ = self._client(known.metadata).create_authorization_url(
            known.metadata["authorization_endpoint"],
            state=flow.state,
            code_verifier=flow.verifier,
            nonce=flow.nonce,
        )
        return str(url)

    def identify(self, flow: Flow, code: str, issuer: str) -> Identity:
        """Whom the provider has identified.

        Args:
            issuer: Who says that it answered (RFC 9207); may be empty where the provider does not announce it.
        Raises: IdentityRefused, ProviderFailed.
        """
        if not self._places.acquire(blocking=False):
            raise ProviderFailed(detail="too many sign-ins at once")
        try:
            known = self._current()
            announced = known.metadata.get("authorization_response_iss_parameter_supported") is True
            if issuer != self.settings.issuer and (issuer or announced):
                raise IdentityRefused(reason="issuer")
            tokens = self._redeem(known.metadata, flow, code)
            claims = self._claims(tokens, flow)
            if self.settings.userinfo:
                claims |= self._userinfo(known.metadata, tokens, str(claims["sub"]))
        finally:
            self._places.release()
        return self._identity(claims)

    def _client(self, metadata: dict[str, Any]) -> OAuth2Client:
        supported = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        secret = self.settings.client_secret
        with_secret = "client_secret_basic" if "client_secret_basic" in supported else "client_secret_post"
        return OAuth2Client(
            session=self.fetcher,
            client_id=self.settings.client_id,
            client_secret=secret or None,
            token_endpoint_auth_method=with_secret if secret else "none",
            scope=" ".join(self.settings.scopes),
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
        )

    def _current(self) -> _Known:
        """What the provider says about itself. Raises: ProviderFailed."""
        with self._lock:
            now_s = time.monotonic()
            if self._known is None or now_s - self._known.metadata_at_s > METADATA_S:
                metadata = self._discover()
                self._known = _Known(metadata, self._fetch_keys(metadata), now_s, now_s)
            return self._known

    def _discover(self) -> dict[str, Any]:
        metadata = self.fetcher.get_json(self.settings.issuer.rstrip("/") + _WELL_KNOWN)
        if metadata.get("issuer") != self.settings.issuer:
            raise ProviderFailed(detail="it names itself otherwise than the settings do")
        for name in _ENDPOINTS:
            if origin_of(str(metadata.get(name, ""))) not in self.settings.origins:
                raise ProviderFailed(detail=f"its {name} is not at an address that the settings allow")
        return metadata

    def _fetch_keys(self, metadata: dict[str, Any]) -> KeySet:
        listed = self.fetcher.get_json(metadata["jwks_uri"]).get("keys")
        keys = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
        usable = [key for key in keys if key.get("kty") in _PUBLIC_KEYS and key.get("use", "sig") == "sig"]
        try:
            return KeySet.import_key_set({"keys": usable[:50]})
        except (JoseError, ValueError, TypeError, KeyError):
            raise ProviderFailed(detail="its keys cannot be read") from None

    def _redeem(self, metadata: dict[str, Any], flow: Flow, code: str) -> dict[str, Any]:
        """The tokens for a code. Raises: IdentityRefused, ProviderFailed."""
        client = self._client(metadata)
        try:
            tokens = client.fetch_token(
                metadata["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=flow.verifier,
            )
        except OAuth2Error:
            raise IdentityRefused(reason="code") from None
        except ValueError:
            raise ProviderFailed(detail="it gave no tokens") from None
        return dict(tokens)

    def _claims(self, tokens: dict[str, Any], flow: Flow) -> dict[str, Any]:
        """The claims of an ID token that is signed by the provider, for us, now, and for this sign-in.

        Raises: IdentityRefused, ProviderFailed.
        """
        text = tokens.get("id_token")
        if not isinstance(text, str) or len(text) > MAX_TOKEN_CHARS:
            raise IdentityRefused(reason="token")
        now_s = int(time.time())
        try:
            token = self._decoded(text)
            claims = CodeIDToken(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "value": self.settings.issuer},
                    "aud": {"essential": True, "value": self.settings.client_id},
                },
                {
                    "nonce": flow.nonce,
                    "client_id": self.settings.client_id,
                    "access_token": tokens.get("access_token"),
                },
            )
            claims.validate(now=now_s, leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError):
            raise IdentityRefused(reason="token") from None
        issued_s = claims["iat"]
        subject = claims["sub"]
        if now_s - issued_s > MAX_AGE_S or not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise IdentityRefused(reason="token")
        return dict(claims)

    def _decoded(self, text: str) -> jwt.Token:
        """A token with a right signature; asks for the keys again where it names an unknown one."""
        known = self._current()
        algorithms = list(self.settings.algorithms)
        try:
            return jwt.decode(text, known.keys, algorithms=algorithms)
        except (JoseError, ValueError):
            with self._lock:
                if time.monotonic() - known.keys_at_s < KEYS_AGAIN_S:
                    raise
                known.keys, known.keys_at_s = self._fetch_keys(known.metadata), time.monotonic()
            return jwt.decode(text, known.keys, algorithms=algorithms)

    def _userinfo(self, metadata: dict[str, Any], tokens: dict[str, Any], subject: str) -> dict[str, Any]:
        """More claims about the same subject. Raises: IdentityRefused, ProviderFailed."""
        token = tokens.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise IdentityRefused(reason="token")
        headers = {"authorization": f"Bearer {token}"}
        found = self.fetcher.get_json(str(metadata.get("userinfo_endpoint", "")), headers)
        if found.get("sub") != subject:
            raise IdentityRefused(reason="token")
        return {
            name: found[name]
            for name in ("email", "email_verified", "name", self.settings.groups_claim)
            if name in found
        }

    def _identity(self, claims: dict[str, Any]) -> Identity:
        groups = claims.get(self.settings.groups_claim, [])
        if isinstance(groups, str):
            groups = [groups]
        named = groups[:MAX_GROUPS] if isinstance(groups, list) else []
        verified = claims.get("email_verified", self.settings.trust_email)
        return Identity(
            self.settings.issuer,
            claims["sub"],
            str(claims.get("email") or ""),
            verified is True or verified == "true",
            str(claims.get("name") or "")[:100],
            frozenset(group for group in named if isinstance(group, str)),
        )
