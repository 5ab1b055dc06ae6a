"""Secrets: random ones that people carry, and passwords. Only hashes are stored."""

from __future__ import annotations

import hashlib
import secrets
import threading
import zlib

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from calotype.people.model import MAX_PASSWORD, MIN_PASSWORD, PasswordInvalid

TOKEN_MARK = "calo_"
"""What every API token begins with, so that scanners of source code can know one."""
_SECRET_CHARS = 43
_hasher = PasswordHasher()
_one_hash_at_a_time = threading.BoundedSemaphore(1)
"""Each hash takes 64 MiB: many at once would exhaust the memory of the server."""
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$kmynLeJBfbs7Iq5J96389w$+QW/V+QTVHVMWn+MkdFxuWMtnN0N89yY4BhHfKa4M1o"
"""A hash that no password has: checked where an address is unknown, so that the time does not say so."""


def new_secret() -> str:
    """256 random bits as text."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """An API token: mark, 256 random bits, and a checksum that shows a mistyped one."""
    secret = new_secret()
    return f"{TOKEN_MARK}{secret}{_checksum(secret)}"


def is_token(text: str) -> bool:
    """Whether a text has the form of an API token."""
    body = text.removeprefix(TOKEN_MARK)
    if len(body) != _SECRET_CHARS + 8 or not text.startswith(TOKEN_MARK) or not body.isascii():
        return False
    return _checksum(body[:_SECRET_CHARS]) == body[_SECRET_CHARS:]


def sha256(secret: str) -> str:
    """The stored form of a random secret. It has 256 bits, so a slow hash would add nothing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def hash_password(password: str, *, email: str, name: str) -> str:
    """The Argon2id hash of a new password. Raises: PasswordInvalid."""
    if len(password) < MIN_PASSWORD:
        raise PasswordInvalid(detail=f"it has {len(password)} characters")
    if len(password) > MAX_PASSWORD:
        raise PasswordInvalid(detail="it is too long")
    if password.casefold().strip() in {email, email.partition("@")[0], name.casefold()}:
        raise PasswordInvalid(detail="it is your name or address")
    if len(set(password)) < 4:
        raise PasswordInvalid(detail="it repeats a few characters")
    with _one_hash_at_a_time:
        return _hasher.hash(password)


def password_matches(stored: str | None, password: str) -> bool:
    """Whether a password belongs to a stored hash; takes as long for None."""
    if len(password) > MAX_PASSWORD:
        password = ""
    try:
        with _one_hash_at_a_time:
            _hasher.verify(stored or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def _checksum(secret: str) -> str:
    return f"{zlib.crc32(secret.encode()):08x}"
