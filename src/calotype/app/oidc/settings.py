"""The settings of sign-in through a provider, a TOML file that `calotype serve --accounts --oidc FILE` reads.

The file says which groups become which roles, so only its owner may write it. The secret of the client is never in it:
it comes from an environment variable, or from a file that only its owner reads.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from calotype.foundation.errors import CalotypeError, Invalid
from calotype.people.identities import GroupRole
from calotype.people.model import check_role

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a public key. `none` and signatures with a shared secret are never accepted."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
NAME = "your organisation"
SCOPES = ("openid", "email", "profile")
USUAL_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
MAX_BYTES = 100_000
MAX_GROUPS = 500
_TEXTS = ("issuer", "client_id", "name", "client_secret_env", "client_secret_file", "groups_claim", "ca_file")
_KNOWN = {*_TEXTS, "scopes", "algorithms", "also", "userinfo", "trust_email", "groups"}


class OidcSettingsInvalid(Invalid):
    """The file of `--oidc` cannot be used."""

    code = "oidc-settings-invalid"
    what = "{path}: {detail}"
    fix = "see docs/how-to/sign-in-with-a-provider.md for the settings"


@dataclass(frozen=True, slots=True)
class Settings:
    """How people sign in through a provider.

    Args:
        issuer: Address of the provider, exactly as it names itself.
        name: What the button of the sign-in page calls it.
        also: Origins of the provider beside that of the issuer, such as https://oauth2.googleapis.com.
        groups_claim: The claim that lists the groups of a person.
        userinfo: Whether to ask the provider for claims that are not in its ID token.
        trust_email: Whether an address counts as verified where the provider does not say so.
        ca_file: Certificates to trust for the provider instead of those of the system.
    """

    issuer: str
    client_id: str
    name: str = NAME
    client_secret: str = field(default="", repr=False)
    scopes: tuple[str, ...] = SCOPES
    algorithms: tuple[str, ...] = USUAL_ALGORITHMS
    also: frozenset[str] = frozenset()
    groups_claim: str = "groups"
    groups: tuple[GroupRole, ...] = ()
    userinfo: bool = False
    trust_email: bool = False
    ca_file: str = ""

    @property
    def origins(self) -> frozenset[str]:
        """The origins that the server may ask, and no others."""
        return self.also | {origin_of(self.issuer)}


def origin_of(url: str) -> str:
    """Scheme, host and port of an address of HTTPS, or of HTTP on this machine; empty for any other."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").lower()
    if not host or "@" in parts.netloc or any(char <= " " or char == "\\" for char in url):
        return ""
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        return ""
    port = port or {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def read_settings(path: Path) -> Settings:
    """The settings in a file. Raises: OidcSettingsInvalid."""
    text = _read(path, never=0o022)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OidcSettingsInvalid(path=path, detail=f"not TOML: {error}") from None
    unknown = sorted(set(raw) - _KNOWN)
    if unknown:
        raise OidcSettingsInvalid(path=path, detail=f"unknown setting {unknown[0]!r}")
    for name in _TEXTS:
        if not isinstance(raw.get(name, ""), str):
            raise OidcSettingsInvalid(path=path, detail=f"{name} is not a text")
    issuer, client_id = raw.get("issuer", ""), raw.get("client_id", "")
    if not origin_of(issuer) or urlsplit(issuer).query or urlsplit(issuer).fragment:
        raise OidcSettingsInvalid(
            path=path, detail="issuer must be an address of https, or of http on this machine"
        )
    if not client_id:
        raise OidcSettingsInvalid(path=path, detail="client_id is missing")
    algorithms = _texts(path, raw, "algorithms", USUAL_ALGORITHMS)
    if not algorithms or not set(algorithms) <= set(ALGORITHMS):
        raise OidcSettingsInvalid(path=path, detail=f"algorithms must be some of {', '.join(ALGORITHMS)}")
    also = _texts(path, raw, "also", ())
    if not all(map(origin_of, also)):
        raise OidcSettingsInvalid(path=path, detail="also must list addresses of https")
    scopes = _texts(path, raw, "scopes", SCOPES)
    return Settings(
        issuer,
        client_id,
        raw.get("name") or NAME,
        _secret(path, raw),
        scopes if "openid" in scopes else ("openid", *scopes),
        algorithms,
        frozenset(map(origin_of, also)),
        raw.get("groups_claim") or "groups",
        _groups(path, raw.get("groups", [])),
        raw.get("userinfo") is True,
        raw.get("trust_email") is True,
        raw.get("ca_file", ""),
    )


def _texts(path: Path, raw: dict[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    values = raw.get(name, list(default))
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise OidcSettingsInvalid(path=path, detail=f"{name} is not a list of texts")
    return tuple(values)


def _groups(path: Path, rows: Any) -> tuple[GroupRole, ...]:
    """The table of groups and roles. Raises: OidcSettingsInvalid."""
    if not isinstance(rows, list) or len(rows) > MAX_GROUPS:
        raise OidcSettingsInvalid(path=path, detail=f"groups is not a list of up to {MAX_GROUPS} tables")
    for row in rows:
        is_table = isinstance(row, dict) and set(row) <= {"group", "role", "on"}
        if not is_table or not row.get("group") or not all(isinstance(value, str) for value in row.values()):
            raise OidcSettingsInvalid(path=path, detail="each of groups needs group, role and maybe on")
        on = row.get("on", "workspace")
        if on != "workspace" and not on.startswith(("team:", "dataset:")):
            raise OidcSettingsInvalid(path=path, detail=f"{on!r} is not workspace, team:NAME or dataset:NAME")
        try:
            check_role(row.get("role", ""))
        except CalotypeError as error:
            raise OidcSettingsInvalid(path=path, detail=str(error)) from None
    return tuple(GroupRole(row["group"], row["role"], row.get("on", "workspace")) for row in rows)


def _secret(path: Path, raw: dict[str, Any]) -> str:
    """The secret of the client, empty for a public client. Raises: OidcSettingsInvalid."""
    name, file = raw.get("client_secret_env", ""), raw.get("client_secret_file", "")
    if name:
        secret = os.environ.get(name, "")
    elif file:
        secret = _read(path.parent / file, never=0o077).strip()
    else:
        return ""
    if not secret:
        raise OidcSettingsInvalid(path=path, detail=f"the secret in {name or file} is empty")
    return secret


def _read(path: Path, *, never: int) -> str:
    """A small text file whose permissions have none of the bits `never`. Raises: OidcSettingsInvalid."""
    try:
        mode = path.stat().st_mode
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise OidcSettingsInvalid(path=path, detail=error.strerror or "cannot be read") from None
    if os.name == "posix" and mode & never:
        detail = (
            f"other users of this machine can read or change it: chmod go-{'rwx' if never & 0o044 else 'w'}"
        )
        raise OidcSettingsInvalid(path=path, detail=detail)
    if len(data) > MAX_BYTES:
        raise OidcSettingsInvalid(path=path, detail="the file is too large")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise OidcSettingsInvalid(path=path, detail="the file is not UTF-8") from None
