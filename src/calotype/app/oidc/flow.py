"""One sign-in of one browser: what its cookie holds, and what follows from that.

State, nonce and the verifier of PKCE are computed from the secret in the cookie, so that the server keeps nothing about
a sign-in that has only begun, and none of them is of use in another browser.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from calotype.people.secret import new_secret

LIMIT_S = 600
_STATE = re.compile(r"([0-9a-f]{8,12})\.[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in that began at `began_s` (seconds since 1970) in the browser whose cookie has the secret."""

    secret: str
    began_s: int

    @classmethod
    def begin(cls, now_s: int) -> Flow:
        """A new sign-in."""
        return cls(new_secret(), now_s)

    @classmethod
    def of_answer(cls, secret: str, state: str, now_s: int) -> Flow | None:
        """The sign-in that an answer belongs to; None for one of another browser, or that began too long ago."""
        matched = _STATE.fullmatch(state)
        if matched is None or len(secret) != 43 or not secret.isascii():
            return None
        flow = cls(secret, int(matched.group(1), 16))
        is_ours = hmac.compare_digest(flow.state, state)
        return flow if is_ours and 0 <= now_s - flow.began_s <= LIMIT_S else None

    @property
    def state(self) -> str:
        """Goes to the provider and comes back: when the sign-in began, and a proof of the cookie."""
        return f"{self.began_s:08x}.{self._derived('state')}"

    @property
    def nonce(self) -> str:
        """Goes to the provider, which signs it into the ID token."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """The secret of PKCE: the provider sees its hash first."""
        return self._derived("verifier")

    def _derived(self, purpose: str) -> str:
        digest = hmac.digest(self.secret.encode(), f"{purpose}:{self.began_s}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
