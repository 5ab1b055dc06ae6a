"""The HTTP door of people: accounts, teams, grants, and one's own sessions and tokens.

Signing in and accepting an invitation are the routes that need no account; `app.sessions` lets them through.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel, Field

from calotype.foundation.actor import ROLES, Permission
from calotype.foundation.http import Ask, Named, action, room_routes
from calotype.people import access, answers, service, signing_in
from calotype.people import tokens as token_verbs
from calotype.people.model import end_of

routes = room_routes("people")
Short = Annotated[str, Field(max_length=200)]
Action = Annotated[str, Query(max_length=100, description="A permission, such as `dataset.export`.")]
Resource = Annotated[
    str,
    Query(
        max_length=5_000,
        description="`workspace`, `team:NAME`, `dataset:NAME`, `branch:DATASET@NAME`, `release:DATASET@VERSION` or "
        "`sample:DATASET@ID`.",
    ),
]
RoleName = Annotated[str, Field(max_length=200, json_schema_extra={"enum": list(ROLES)})]
ScopeNames = Annotated[
    list[Short],
    Field(max_length=10, json_schema_extra={"items": {"type": "string", "enum": list(token_verbs.SCOPES)}}),
]


class NewPerson(BaseModel):
    """A person or service to add."""

    email: Short
    name: Short
    kind: Annotated[str, Field(pattern="^(person|service)$")] = "person"
    role: Short = ""
    team: Short = ""


class NewTeam(BaseModel):
    """A team to create."""

    name: Short


class NewMember(BaseModel):
    """A person to put into a team."""

    email: Short
    role: RoleName = "annotator"


class TeamDatasets(BaseModel):
    """Datasets that come to a team, or leave it."""

    datasets: Annotated[list[Short], Field(max_length=1_000)]
    give: bool = True


class NewGrant(BaseModel):
    """A role to grant."""

    who: Short
    role: RoleName
    on: Annotated[str, Field(max_length=220)] = "workspace"
    until: Annotated[str, Field(max_length=40, description="Last day, as 2027-01-31; empty for no end.")] = ""
    reason: Annotated[str, Field(max_length=500)] = ""


class NewToken(BaseModel):
    """An API token to create."""

    name: Short
    scopes: ScopeNames = ["read"]
    datasets: Annotated[list[Short], Field(max_length=1_000)] = []
    days: Annotated[int, Field(ge=1, le=365)] = 90
    for_email: Annotated[str, Field(max_length=200, description="A service; empty for oneself.")] = ""


class Rotation(BaseModel):
    """How long the old token still works."""

    overlap_hours: Annotated[int, Field(ge=0, le=token_verbs.MAX_OVERLAP_HOURS)] = token_verbs.OVERLAP_HOURS
    for_email: Annotated[str, Field(max_length=200, description="A service; empty for oneself.")] = ""


class NewPassword(BaseModel):
    """A change of one's own password."""

    old: Annotated[str, Field(max_length=1_000)]
    new: Annotated[str, Field(max_length=1_000)]


@routes.get("/people", **action(Permission.PEOPLE_READ))
def list_people(ask: Ask) -> answers.People:
    """All accounts."""
    return answers.People.of({"items": [p.to_dict() for p in service.people(ask.actor, store=ask.store)]})


@routes.post("/people", **action(Permission.PEOPLE_MANAGE))
def add_person(ask: Ask, body: NewPerson) -> answers.Invited:
    """Add an account; the answer has its invitation, once."""
    person, secret = service.add_person(
        ask.actor, body.email, body.name, store=ask.store, kind=body.kind, role=body.role, team=body.team
    )
    return answers.Invited.of({"person": person.to_dict(), "invitation": secret})


@routes.post("/people/{who}/invitation", **action(Permission.PEOPLE_MANAGE, max_body_bytes=0))
def invite_person(ask: Ask, who: Named) -> answers.Invited:
    """A new invitation; earlier ones end."""
    person, secret = service.invite_again(ask.actor, who, store=ask.store)
    return answers.Invited.of({"person": person.to_dict(), "invitation": secret})


@routes.put("/people/{who}/disabled", **action(Permission.PEOPLE_MANAGE, max_body_bytes=0))
def disable_person(ask: Ask, who: Named) -> answers.Person:
    """Disable an account; its sessions and tokens end at once."""
    return answers.Person.of(service.disable_person(ask.actor, who, store=ask.store).to_dict())


@routes.delete("/people/{who}/disabled", **action(Permission.PEOPLE_MANAGE))
def enable_person(ask: Ask, who: Named) -> answers.Person:
    """Enable an account again."""
    return answers.Person.of(service.enable_person(ask.actor, who, store=ask.store).to_dict())


@routes.get("/teams", **action(Permission.PEOPLE_READ))
def list_teams(ask: Ask) -> answers.Teams:
    """All teams."""
    return answers.Teams.of({"items": [t.to_dict() for t in service.teams(ask.actor, store=ask.store)]})


@routes.post("/teams", **action(Permission.PEOPLE_MANAGE))
def add_team(ask: Ask, body: NewTeam) -> answers.Team:
    """Create a team."""
    return answers.Team.of(service.add_team(ask.actor, body.name, store=ask.store).to_dict())


@routes.post("/teams/{name}/members", **action(Permission.GRANT_MANAGE))
def add_team_member(ask: Ask, name: Named, body: NewMember) -> answers.Team:
    """Put a person into a team, or change their role there."""
    changed = service.add_member(ask.actor, name, body.email, store=ask.store, role=body.role)
    return answers.Team.of(changed.to_dict())


@routes.delete("/teams/{name}/members/{who}", **action(Permission.GRANT_MANAGE))
def remove_team_member(ask: Ask, name: Named, who: Named) -> answers.Team:
    """Take a person out of a team."""
    return answers.Team.of(service.remove_member(ask.actor, name, who, store=ask.store).to_dict())


@routes.post("/teams/{name}/datasets", **action(Permission.GRANT_MANAGE))
def change_team_datasets(ask: Ask, name: Named, body: TeamDatasets) -> answers.Team:
    """Give datasets to a team, or take them away."""
    changed = service.own_datasets(ask.actor, name, body.datasets, store=ask.store, give=body.give)
    return answers.Team.of(changed.to_dict())


@routes.get("/grants", **action(Permission.PEOPLE_READ))
def list_grants(
    ask: Ask, who: Annotated[str, Query(max_length=200, description="Address of a person.")] = ""
) -> answers.Grants:
    """Grants in force."""
    listed = service.grants(ask.actor, store=ask.store, who=who)
    return answers.Grants.of({"items": [grant.to_dict() for grant in listed]})


@routes.post("/grants", **action(Permission.GRANT_MANAGE))
def add_grant(ask: Ask, body: NewGrant) -> answers.Grant:
    """Grant a role."""
    end = end_of(body.until) if body.until else None
    granted = service.grant_role(
        ask.actor, body.who, body.role, store=ask.store, on=body.on, until_us=end, reason=body.reason
    )
    return answers.Grant.of(granted.to_dict())


@routes.delete("/grants/{id}", **action(Permission.GRANT_MANAGE))
def revoke_grant(ask: Ask, id: Named) -> answers.Grant:
    """End a grant now."""
    return answers.Grant.of(service.revoke_grant(ask.actor, id, store=ask.store).to_dict())


@routes.get("/account/sessions", **action(Permission.ACCOUNT_OWN))
def list_sessions(ask: Ask) -> answers.Sessions:
    """One's own sessions."""
    listed = signing_in.sessions(ask.actor, store=ask.store, this=ask.session_id)
    return answers.Sessions.of({"items": [item.to_dict() for item in listed]})


@routes.delete(
    "/account/sessions/{id}", status_code=204, response_class=Response, **action(Permission.ACCOUNT_OWN)
)
def end_session(ask: Ask, id: Named) -> Response:
    """End one of one's own sessions."""
    signing_in.end_session(ask.actor, id, store=ask.store)
    return Response(status_code=204)


@routes.post(
    "/account/password", status_code=204, response_class=Response,
    **action(Permission.ACCOUNT_OWN, max_body_bytes=10_000),
)  # fmt: skip
def change_password(ask: Ask, body: NewPassword) -> Response:
    """Change one's own password; all other sessions end."""
    signing_in.change_password(ask.actor, body.old, body.new, store=ask.store, session_id=ask.session_id)
    return Response(status_code=204)


@routes.get("/tokens", **action(Permission.ACCOUNT_OWN))
def list_tokens(
    ask: Ask,
    everyone: Annotated[bool, Query(description="The tokens of everyone; needs people.read.")] = False,
) -> answers.ApiTokens:
    """API tokens in force."""
    listed = token_verbs.tokens(ask.actor, store=ask.store, everyone=everyone)
    return answers.ApiTokens.of({"items": [item.to_dict() for item in listed]})


@routes.post("/tokens", **action(Permission.ACCOUNT_OWN))
def create_token(ask: Ask, body: NewToken) -> answers.NewApiToken:
    """Create an API token; the answer has it, once."""
    created, secret = token_verbs.create_token(
        ask.actor, body.name, store=ask.store, scopes=body.scopes, datasets=body.datasets, days=body.days,
        for_email=body.for_email,
    )  # fmt: skip
    return answers.NewApiToken.of({"token": secret, "details": created.to_dict()})


@routes.post("/tokens/{id}/rotation", **action(Permission.ACCOUNT_OWN))
def rotate_token(ask: Ask, id: Named, body: Rotation) -> answers.NewApiToken:
    """Replace an API token, by its id or name; the answer has the new one, once. The old one ends after a while."""
    created, secret = token_verbs.rotate_token(
        ask.actor, id, store=ask.store, overlap_hours=body.overlap_hours, for_email=body.for_email
    )
    return answers.NewApiToken.of({"token": secret, "details": created.to_dict()})


@routes.delete("/tokens/{id}", **action(Permission.ACCOUNT_OWN))
def revoke_token(ask: Ask, id: Named) -> answers.ApiToken:
    """Revoke an API token at once."""
    return answers.ApiToken.of(token_verbs.revoke_token(ask.actor, id, store=ask.store).to_dict())


@routes.get("/access/who", **action(Permission.PEOPLE_READ))
def who_can(ask: Ask, action: Action, resource: Resource) -> answers.WhoCan:
    """Everyone who may do something, and by which grant."""
    listed = access.who_can(ask.actor, action, resource, store=ask.store)
    return answers.WhoCan.of(
        {"action": action, "resource": resource, "items": [item.to_dict() for item in listed]}
    )


@routes.get("/access/why", **action(Permission.ACCOUNT_OWN))
def why(
    ask: Ask,
    action: Action,
    resource: Resource,
    who: Annotated[
        str, Query(max_length=200, description="Address; empty for oneself. Others need people.read.")
    ] = "",
) -> answers.Explanation:
    """Whether somebody may do something, by which rule, and which grant would change a no."""
    explained = access.why(ask.actor, who or ask.actor.name, action, resource, store=ask.store)
    return answers.Explanation.of(explained.to_dict())
