"""What the server itself answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from calotype.foundation.answers import Answer


class Health(Answer):
    """The server is up."""

    status: Literal["ok"]
    version: str
    accounts: bool = Field(description="Whether people sign in with accounts of their own.")
    provider: str = Field(
        description="What the provider is called that people can sign in with; empty without one."
    )


class Ready(Answer):
    """The server can answer."""

    status: Literal["ready"]


class SignedIn(Answer):
    """Who is signed in."""

    id: str
    name: str
    roles: list[str]


class Workspace(Answer):
    """The workspace that the server answers for."""

    name: str


class Session(Answer):
    """Who is signed in, and to which workspace."""

    actor: SignedIn
    workspace: Workspace
    version: str
    accounts: bool = Field(description="Whether people sign in with accounts of their own.")
    may: list[Literal["people.read", "audit.read"]] = Field(
        description="Which pages of the workspace are of use: for the audit trail, also that of a single dataset."
    )
