"""What the routes of people answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from calotype.foundation.actor import Permission
from calotype.foundation.answers import Answer, Timestamp


class Person(Answer):
    """An account."""

    id: str
    email: str
    name: str
    kind: Literal["person", "service"]
    state: Literal["active", "invited", "disabled"]
    created_at: Timestamp
    created_by: str


class People(Answer):
    """All accounts, ordered by address."""

    items: list[Person]


class Invited(Answer):
    """An account with its invitation, which is shown this once."""

    person: Person
    invitation: str = Field(description="The secret of the link `/invite#SECRET`; empty for a service.")


class Invitation(Answer):
    """Whom an invitation is for."""

    email: str = Field(description="Empty for the link of the first owner, who brings one.")
    name: str
    is_first_owner: bool


class Member(Answer):
    """A person in a team."""

    email: str
    name: str
    role: str = Field(description="The role on the team's datasets.")


class Team(Answer):
    """People who work together, and the datasets that belong to them."""

    id: str
    name: str
    members: list[Member]
    datasets: list[str]


class Teams(Answer):
    """All teams, ordered by name."""

    items: list[Team]


class Grant(Answer):
    """A role that a person has somewhere."""

    id: str
    who: str = Field(description="Address of the person.")
    role: str
    on: str = Field(description="`workspace`, `team:NAME` or `dataset:NAME`.")
    reason: str
    granted_by: str
    granted_at: Timestamp
    until: Timestamp | None = Field(description="When it ends by itself.")
    waits: bool = Field(description="Whether it, or its end, waits for the yes of a second owner.")


class Grants(Answer):
    """Grants in force, oldest first."""

    items: list[Grant]


class BrowserSession(Answer):
    """A browser in which one is signed in."""

    id: str
    browser: str
    address: str
    since: Timestamp
    last_used: Timestamp
    this: bool = Field(description="Whether it is the session of this request.")


class Sessions(Answer):
    """One's own sessions, newest first."""

    items: list[BrowserSession]


class ApiToken(Answer):
    """A token for programs."""

    id: str
    who: str
    name: str
    prefix: str = Field(description="How the token begins.")
    scopes: list[str]
    datasets: list[str] = Field(description="Empty for all that its person may see.")
    created_at: Timestamp
    until: Timestamp
    last_used: Timestamp | None


class ApiTokens(Answer):
    """API tokens in force, newest first."""

    items: list[ApiToken]


class NewApiToken(Answer):
    """A new token, which is shown this once."""

    token: str
    details: ApiToken


class Holding(Answer):
    """A grant, or a role in a team."""

    role: str
    on: str = Field(description="`workspace`, `team:NAME` or `dataset:NAME`.")
    grant: str = Field(description="Id of the grant; empty for a role in a team.")
    until: Timestamp | None = Field(description="When it ends by itself.")


class Access(Answer):
    """A person who has access."""

    who: str = Field(description="Address of the person.")
    name: str
    kind: Literal["person", "service"]
    rule: str = Field(description="Name of the rule that allows it.")
    by: list[Holding] = Field(description="What the person holds of which each alone is enough.")


class WhoCan(Answer):
    """Everyone who may do something, ordered by address."""

    action: str
    resource: str
    items: list[Access]


class Remedy(Answer):
    """A grant that would change a no."""

    role: str
    on: str


class Explanation(Answer):
    """Why somebody may do something, or not."""

    who: str
    action: str = Field(json_schema_extra={"enum": [str(permission) for permission in Permission]})
    resource: str
    allowed: bool
    rule: str = Field(description="Name of the rule that decides.")
    says: str = Field(description="What the rule says.")
    by: list[Holding] = Field(description="What the person holds of which each alone is enough.")
    would_allow: list[Remedy] = Field(
        description="Grants of which each would allow it, the smallest first; none where a guard forbids it."
    )


class DeviceBegun(Answer):
    """What a program that asks to be let in shows, and asks with."""

    device_code: str = Field(description="Its secret, for `POST /device-sign-ins/token`.")
    user_code: str = Field(description="What a person enters on the page `/device`.")
    expires_at: Timestamp
    every_s: int = Field(description="Seconds between two questions.")


class DeviceToken(Answer):
    """The API token of a program."""

    token: str | None = Field(description="Shown this once; null while nobody answered.")


class DeviceSignIn(Answer):
    """A program that waits to be let in."""

    device: str = Field(description="The machine that it names.")
    address: str = Field(description="The network address that it came from.")
    scopes: list[str]
    created_at: Timestamp
    expires_at: Timestamp
