"""Requests for access and rows of the access review, and the errors of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calotype.foundation.clock import iso
from calotype.foundation.errors import Conflict, Invalid, NotFound

DAY_US = 86_400_000_000
MAX_OPEN = 20
"""Most requests of one person that wait for an answer."""
MAX_REASON = 500
"""Most characters of a reason."""
MAX_PLACE = 220
UNUSED_DAYS = 90
"""A grant or a token without use for this long is in the review; what was kept is back in it after as long."""
ENDING_DAYS = 14
"""A token that ends within this time is in the review."""
TO_CONFIRM, END_TO_CONFIRM = "to-confirm", "end-to-confirm"
"""A governing role that one owner gave or took, and that another one has to confirm."""
WAITING = ("open", TO_CONFIRM, END_TO_CONFIRM)
STATES = (*WAITING, "granted", "ended", "refused", "withdrawn")
KINDS = (
    "grant-unused",
    "token-unused",
    "token-ending",
    "person-without-role",
    "disabled-with-role",
    "last-owner",
)
"""Why something is in the access review, in the order in which it is shown."""


class AccessRequestNotFound(NotFound):
    """The actor sees no such request."""

    code = "access-request-not-found"
    what = "access request {id!r} does not exist"
    fix = "list the requests with `calotype access requests`"


class AccessRequestAnswered(Conflict):
    """The request was answered or withdrawn before."""

    code = "access-request-answered"
    what = "this access request is {state} already"
    fix = "ask again, or change the grant itself with `calotype grant`"


class TooManyAccessRequests(Conflict):
    """The person has as many open requests as one may have."""

    code = "too-many-access-requests"
    what = "{who} has {limit} access requests that nobody has answered yet"
    fix = "withdraw one, or wait for answers"


class AccessReasonTooLong(Invalid):
    """The reason has too many characters."""

    code = "access-reason-too-long"
    what = "the reason has {got} characters; the maximum is {limit}"
    fix = "shorten it"


class ReviewItemNotFound(NotFound):
    """The access review holds no such row."""

    code = "review-item-not-found"
    what = "the access review has no row {kind} for {id!r}"
    fix = "list the rows with `calotype access review`"


class FourEyesNeeded(Conflict):
    """One person alone would give somebody a governing role, or take it."""

    code = "four-eyes-needed"
    what = "{verb} would give somebody the role {role}, or take it, without the yes of a second owner"
    fix = (
        "give and take the role with `calotype grant`, which another owner confirms; the account of an owner is "
        "invited or enabled again on the machine of the workspace; roles in a team that govern change while four eyes "
        "are off"
    )


class FirstYesGone(Conflict):
    """Whoever said the first yes is not an owner any more."""

    code = "first-yes-gone"
    what = "{who}, who said the first yes, is not an owner any more"
    fix = "answer no, and let an owner begin again"


@dataclass(frozen=True, slots=True)
class FourEyes:
    """Whether governing rights need a second owner.

    Args:
        off_by: Who wants to switch it off, which waits for another owner; empty for nobody.
        off_at_us: Since when.
    """

    on: bool = False
    off_by: str = ""
    off_at_us: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {"on": self.on, "off_asked_by": self.off_by}


def check_reason(reason: str) -> str:
    """The reason without spaces around it. Raises: AccessReasonTooLong."""
    if len(reason) > MAX_REASON:
        raise AccessReasonTooLong(got=len(reason), limit=MAX_REASON)
    return reason.strip()


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """A role that a person asks for, and the answer.

    Args:
        place: As the person wrote it, which need not exist: `workspace`, `team:NAME` or `dataset:NAME`.
        state: One of `STATES`.
        answered_by: Who answered; while a governing role waits to be confirmed, who gave or took it.
        note: The reason of the answer.
        grant_id: The grant that a yes created; empty without one.
        may_answer: Whether the one who reads this may answer it.
    """

    id: str
    person_id: str
    who: str
    name: str
    role: str
    place: str
    reason: str
    asked_at_us: int
    state: str = "open"
    answered_at_us: int | None = None
    answered_by: str = ""
    note: str = ""
    grant_id: str = ""
    may_answer: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "id": self.id,
            "who": self.who,
            "name": self.name,
            "role": self.role,
            "on": self.place,
            "reason": self.reason,
            "asked_at": iso(self.asked_at_us),
            "state": self.state,
            "answered_at": None if self.answered_at_us is None else iso(self.answered_at_us),
            "answered_by": self.answered_by,
            "note": self.note,
            "grant": self.grant_id,
            "may_answer": self.may_answer,
        }


@dataclass(frozen=True, slots=True)
class KeepDecision:
    """Who looked at a row of the review and kept it, when and why; it is back in the review after `UNUSED_DAYS`."""

    by: str
    at_us: int
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {"by": self.by, "at": iso(self.at_us), "reason": self.reason}


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """Something that somebody should look at.

    Args:
        kind: One of `KINDS`.
        id: Of the grant, the token or the person.
        who: Address of the person.
        role: The role of a grant, or the name of a token; empty for a person.
        place: Where the role or the token holds; empty for a person.
        used_at_us: When it was used last; None for never within the time looked at.
        until_us: When it ends by itself.
        kept: That somebody kept it lately; None for a row that waits for somebody.
    """

    kind: str
    id: str
    who: str
    name: str
    role: str = ""
    place: str = ""
    since_us: int = 0
    used_at_us: int | None = None
    until_us: int | None = None
    kept: KeepDecision | None = None

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "kind": self.kind,
            "id": self.id,
            "who": self.who,
            "name": self.name,
            "role": self.role,
            "on": self.place,
            "since": iso(self.since_us),
            "last_used": None if self.used_at_us is None else iso(self.used_at_us),
            "until": None if self.until_us is None else iso(self.until_us),
            "kept": None if self.kept is None else self.kept.to_dict(),
        }
