"""Accounts, teams, grants, sessions and API tokens, and the errors of this room."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from calotype.foundation.actor import ROLES
from calotype.foundation.clock import iso, to_us
from calotype.foundation.errors import AlreadyExists, CalotypeError, Conflict, Invalid, NotFound

GOVERNING = frozenset({"owner", "head-of-dataops"})
"""Roles that can grant roles."""
SCOPES = ("workspace", "team", "dataset")
MIN_PASSWORD, MAX_PASSWORD = 12, 200
MAX_DAYS = 365
FROM_GROUPS = "groups"
"""Source of a grant that follows from the groups of a person at a provider; empty: somebody granted it."""
_EMAIL = re.compile(r"[^\s@,;<>\"'()\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,186}[A-Za-z0-9])?")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,99}")


class PersonNotFound(NotFound):
    """Nobody has this email address or id."""

    code = "person-not-found"
    what = "no account has the address or id {who!r}"
    fix = (
        "list the people with `calotype people list`, or add one with `calotype people add EMAIL --name NAME`"
    )


class PersonExists(AlreadyExists):
    """The email address is taken."""

    code = "person-exists"
    what = "an account with the address {email} already exists"
    fix = "use another address, or `calotype people enable` if the person was disabled"


class EmailInvalid(Invalid):
    """The text is not an email address."""

    code = "email-invalid"
    what = "{got!r} is not an email address"
    fix = "write it as name@example.org"


class PersonNameInvalid(Invalid):
    """The name of a person or team, or of a token, cannot be used."""

    code = "person-name-invalid"
    what = "{got!r} cannot be a name"
    fix = "use 1 to 100 characters without line breaks; names of teams: letters, digits, dot, hyphen, underscore"


class TeamNotFound(NotFound):
    """There is no team of this name."""

    code = "team-not-found"
    what = "team {name!r} does not exist"
    fix = "list the teams with `calotype team list`, or create it with `calotype team add NAME`"


class TeamExists(AlreadyExists):
    """The name of the team is taken."""

    code = "team-exists"
    what = "team {name!r} already exists"
    fix = "choose another name"


class RoleUnknown(Invalid):
    """There is no role of this name."""

    code = "role-unknown"
    what = "role {got!r} does not exist"
    fix = "the roles are " + ", ".join(ROLES)


class GrantPlaceInvalid(Invalid):
    """A grant holds for the workspace, a team or a dataset."""

    code = "grant-place-invalid"
    what = "a role cannot be granted on {got!r}"
    fix = "write workspace, team:NAME or dataset:NAME"


class GrantNotFound(NotFound):
    """There is no grant with this id."""

    code = "grant-not-found"
    what = "grant {id!r} does not exist"
    fix = "list the grants with `calotype grant list`"


class GrantEnded(Invalid):
    """The end of a grant, an invitation or a token is not in the future, or too far away."""

    code = "end-invalid"
    what = "the end {got} cannot be used"
    fix = "name a day in the future, as 2027-01-31; tokens end after 365 days at most"


class OwnRights(Conflict):
    """Nobody raises their own rights."""

    code = "own-rights"
    what = "{actor} would change their own rights"
    fix = "ask another person who may grant roles"


class RightsTooHigh(Conflict):
    """A role can be granted only by those who hold as much."""

    code = "rights-too-high"
    what = "{actor} cannot grant or take away the role {role}"
    fix = "ask an owner of the workspace"


class LastOwner(Conflict):
    """The workspace would be left without an owner."""

    code = "last-owner"
    what = "{who} is the last owner of this workspace"
    fix = "make somebody else an owner first"


class PasswordInvalid(Invalid):
    """The new password is too short, too long, or the address itself."""

    code = "password-invalid"
    what = "this password cannot be used: {detail}"
    fix = f"choose one of {MIN_PASSWORD} to {MAX_PASSWORD} characters that is not your name or address"


class SignInRefused(CalotypeError):
    """The address or the password is wrong, or the account is disabled; the answer does not say which."""

    code = "sign-in-refused"
    what = "the email address or the password is wrong"
    fix = "check both, or ask an owner of the workspace for a new invitation"


class TooManyAttempts(CalotypeError):
    """Signing in failed too often."""

    code = "too-many-attempts"
    what = "signing in failed too often"
    fix = "wait {wait_s} seconds, then try again"


class InvitationInvalid(NotFound):
    """The invitation does not exist, was used, or has ended."""

    code = "invitation-invalid"
    what = "this invitation was used, has ended, or never existed"
    fix = "ask whoever invited you for a new one"


class SessionNotFound(NotFound):
    """The actor has no such session."""

    code = "session-not-found"
    what = "you have no session {id!r}"
    fix = "list your sessions"


class TokenNotFound(NotFound):
    """The actor has no such API token."""

    code = "token-not-found"
    what = "API token {id!r} does not exist"
    fix = "list the tokens with `calotype token list`"


class ScopeUnknown(Invalid):
    """There is no scope of this name."""

    code = "scope-unknown"
    what = "scope {got!r} does not exist"
    fix = "the scopes are {known}"


class AccountNeeded(Conflict):
    """The verb concerns an account, and the actor has none: it works on a folder, not through a server."""

    code = "account-needed"
    what = "{actor} has no account here"
    fix = "name the account with --for EMAIL, or sign in to the server"


@dataclass(frozen=True, slots=True)
class Person:
    """An account of a person or a service. Ids are never used again."""

    id: str
    email: str
    name: str
    kind: str
    created_at_us: int
    created_by: str
    disabled_at_us: int | None = None
    has_password: bool = False

    @property
    def state(self) -> str:
        """`active`, `invited` (has not signed in yet) or `disabled`."""
        if self.disabled_at_us is not None:
            return "disabled"
        return "active" if self.has_password or self.kind == "service" else "invited"

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "id": self.id,
            "email": self.email,
            "name": self.name,
            "kind": self.kind,
            "state": self.state,
            "created_at": iso(self.created_at_us),
            "created_by": self.created_by,
        }


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in a team, with the role that the person has on the team's datasets."""

    email: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Team:
    """People who work together, and the datasets that belong to them."""

    id: str
    name: str
    members: tuple[Membership, ...] = ()
    datasets: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        members = [{"email": m.email, "name": m.name, "role": m.role} for m in self.members]
        return {"id": self.id, "name": self.name, "members": members, "datasets": list(self.datasets)}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that a person has on the workspace, a team or a dataset, with its reason and its end."""

    id: str
    person_id: str
    who: str
    role: str
    scope: str
    scope_id: str
    place: str
    reason: str
    created_by: str
    created_at_us: int
    until_us: int | None
    revoked_at_us: int | None = None
    source: str = ""
    waits: bool = False
    """Whether it, or its end, waits for a second owner."""

    def holds(self, now_us: int) -> bool:
        """Whether the grant is in force."""
        return self.revoked_at_us is None and (self.until_us is None or now_us < self.until_us)

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "id": self.id,
            "who": self.who,
            "role": self.role,
            "on": self.place,
            "reason": self.reason,
            "granted_by": self.created_by,
            "granted_at": iso(self.created_at_us),
            "until": None if self.until_us is None else iso(self.until_us),
            "waits": self.waits,
        }


@dataclass(frozen=True, slots=True)
class SignedInSession:
    """A browser in which a person is signed in."""

    id: str
    browser: str
    address: str
    created_at_us: int
    used_at_us: int
    is_this: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "id": self.id,
            "browser": self.browser,
            "address": self.address,
            "since": iso(self.created_at_us),
            "last_used": iso(self.used_at_us),
            "this": self.is_this,
        }


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token for programs: what its person may do, within its scopes and datasets, until its end."""

    id: str
    who: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    datasets: tuple[str, ...]
    created_at_us: int
    until_us: int
    used_at_us: int | None

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "id": self.id,
            "who": self.who,
            "name": self.name,
            "prefix": self.prefix,
            "scopes": list(self.scopes),
            "datasets": list(self.datasets),
            "created_at": iso(self.created_at_us),
            "until": iso(self.until_us),
            "last_used": None if self.used_at_us is None else iso(self.used_at_us),
        }


def clean_email(text: str) -> str:
    """The address in lower case. Raises: EmailInvalid."""
    email = text.strip().lower()
    if len(email) > 200 or not _EMAIL.fullmatch(email):
        raise EmailInvalid(got=text[:100])
    return email


def clean_name(text: str) -> str:
    """The name of a person or token without spaces around it. Raises: PersonNameInvalid."""
    name = text.strip()
    if not _NAME.fullmatch(name):
        raise PersonNameInvalid(got=text[:100])
    return name


def check_team_name(name: str) -> None:
    """Raises: PersonNameInvalid."""
    if not _TEAM.fullmatch(name):
        raise PersonNameInvalid(got=name[:100])


def check_role(role: str) -> None:
    """Raises: RoleUnknown."""
    if role not in ROLES:
        raise RoleUnknown(got=role[:100])


def end_of(day: str) -> int:
    """The end of a day (UTC), as `2027-01-31`, in microseconds since 1970. Raises: GrantEnded."""
    try:
        date = datetime.fromisoformat(day.strip()).date()
        end = datetime(date.year, date.month, date.day, tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise GrantEnded(got=repr(day[:40])) from None
    return to_us(end)
