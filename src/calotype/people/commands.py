"""Commands of people, teams, grants and API tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from calotype.foundation.actor import ROLES
from calotype.foundation.clock import iso
from calotype.foundation.terminal import table, terminal
from calotype.people import access, service
from calotype.people import tokens as token_verbs
from calotype.people.holdings import Holding
from calotype.people.model import Person, end_of

INVITE = "/invite#"
people = typer.Typer(no_args_is_help=True, help="Add, list, disable and enable people.")
team = typer.Typer(no_args_is_help=True, help="Create teams, put people into them, give them datasets.")
grant = typer.Typer(no_args_is_help=True, help="Grant roles, list and revoke grants.")
token = typer.Typer(no_args_is_help=True, help="Create, list and revoke API tokens.")

Action = Annotated[str, typer.Argument(metavar="ACTION", help="A permission, such as dataset.export.")]
Resource = Annotated[
    str,
    typer.Argument(
        metavar="RESOURCE",
        help="workspace, team:NAME, dataset:NAME, branch:DATASET@NAME, release:DATASET@VERSION or sample:DATASET@ID.",
    ),
]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Address of the person.")]
Role = Annotated[str, typer.Option(help="A role: " + ", ".join(ROLES) + ".")]


@people.command("add")
def add_person(
    ctx: typer.Context,
    email: Email,
    name: Annotated[str, typer.Option(help="Name of the person.")],
    role: Role = "",
    team: Annotated[str, typer.Option(help="Team to put the person into; the role then holds there.")] = "",
    service_account: Annotated[
        bool, typer.Option("--service", help="An account of a program: it has no password, only API tokens.")
    ] = False,
) -> None:
    """Add a person and print the invitation, once. It is good for seven days."""
    t = terminal(ctx)
    kind = "service" if service_account else "person"
    person, secret = service.add_person(
        t.actor, email, name, store=t.store(), kind=kind, role=role, team=team
    )
    t.emit({**person.to_dict(), **_invitation(secret)}, _invited(person, secret))


@people.command("invite")
def invite_again(ctx: typer.Context, email: Email) -> None:
    """Print a new invitation, also for somebody who forgot the password."""
    t = terminal(ctx)
    person, secret = service.invite_again(t.actor, email, store=t.store())
    t.emit({**person.to_dict(), **_invitation(secret)}, _invited(person, secret))


@people.command("list")
def list_people(ctx: typer.Context) -> None:
    """List all accounts."""
    t = terminal(ctx)
    listed = service.people(t.actor, store=t.store())
    rows = [[p.email, p.name, p.kind, p.state, iso(p.created_at_us)[:10]] for p in listed]
    t.emit(
        {"items": [person.to_dict() for person in listed]},
        table(["address", "name", "kind", "state", "since"], rows),
        next="" if listed else "calotype people add EMAIL --name NAME --role owner",
    )


@people.command("disable")
def disable_person(ctx: typer.Context, email: Email) -> None:
    """Disable an account; its sessions and API tokens end at once."""
    t = terminal(ctx)
    person = service.disable_person(t.actor, email, store=t.store())
    t.emit(person.to_dict(), f"{person.email} is disabled; all sessions and tokens ended")


@people.command("enable")
def enable_person(ctx: typer.Context, email: Email) -> None:
    """Enable an account again."""
    t = terminal(ctx)
    person = service.enable_person(t.actor, email, store=t.store())
    t.emit(person.to_dict(), f"{person.email} is {person.state}")


@team.command("add")
def add_team(ctx: typer.Context, name: Annotated[str, typer.Argument(help="Name of the team.")]) -> None:
    """Create a team."""
    t = terminal(ctx)
    created = service.add_team(t.actor, name, store=t.store())
    t.emit(
        created.to_dict(), f"created the team {name}", next=f"calotype team member {name} EMAIL --role ROLE"
    )


@team.command("list")
def list_teams(ctx: typer.Context) -> None:
    """List the teams with their members and datasets."""
    t = terminal(ctx)
    listed = service.teams(t.actor, store=t.store())
    rows = [
        [item.name, ", ".join(f"{m.email} ({m.role})" for m in item.members), ", ".join(item.datasets)]
        for item in listed
    ]
    t.emit({"items": [item.to_dict() for item in listed]}, table(["team", "members", "datasets"], rows))


@team.command("member")
def team_member(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the team.")],
    email: Email,
    role: Role = "annotator",
    remove: Annotated[bool, typer.Option("--remove", help="Take the person out of the team.")] = False,
) -> None:
    """Put a person into a team, with a role on its datasets, or take them out."""
    t = terminal(ctx)
    if remove:
        changed = service.remove_member(t.actor, name, email, store=t.store())
        t.emit(changed.to_dict(), f"{email} is not in {name} any more")
    else:
        changed = service.add_member(t.actor, name, email, store=t.store(), role=role)
        t.emit(changed.to_dict(), f"{email} is {role} in {name}")


@team.command("datasets")
def team_datasets(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the team.")],
    datasets: Annotated[list[str], typer.Argument(help="Names of datasets.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take the datasets from the team.")] = False,
) -> None:
    """Give datasets to a team: the roles of its members hold there."""
    t = terminal(ctx)
    changed = service.own_datasets(t.actor, name, datasets, store=t.store(), give=not remove)
    t.emit(changed.to_dict(), f"{name} has {', '.join(changed.datasets) or 'no datasets'}")


@grant.command("add")
def add_grant(
    ctx: typer.Context,
    who: Email,
    role: Annotated[str, typer.Argument(help="A role: " + ", ".join(ROLES) + ".")],
    on: Annotated[str, typer.Option(help="workspace, team:NAME or dataset:NAME.")] = "workspace",
    until: Annotated[str, typer.Option(metavar="DATE", help="Last day, such as 2027-01-31.")] = "",
    reason: Annotated[str, typer.Option(help="Why; kept with the grant.")] = "",
) -> None:
    """Grant a role to a person."""
    t = terminal(ctx)
    end = end_of(until) if until else None
    granted = service.grant_role(t.actor, who, role, store=t.store(), on=on, until_us=end, reason=reason)
    shown = f"{granted.who} is {role} on {granted.place}"
    if granted.waits:
        shown += " once another owner confirms it: `calotype access requests`"
    t.emit(granted.to_dict(), shown)


@grant.command("list")
def list_grants(
    ctx: typer.Context,
    who: Annotated[str, typer.Option("--for", metavar="EMAIL", help="Only the grants of this person.")] = "",
) -> None:
    """List the grants."""
    t = terminal(ctx)
    listed = service.grants(t.actor, store=t.store(), who=who)
    rows = [
        [g.id, g.who, g.role, g.place, "" if g.until_us is None else iso(g.until_us)[:10], g.reason]
        for g in listed
    ]
    columns = ["id", "who", "role", "on", "until", "reason"]
    t.emit({"items": [item.to_dict() for item in listed]}, table(columns, rows))


@grant.command("revoke")
def revoke_grant(ctx: typer.Context, id: Annotated[str, typer.Argument(help="Id of the grant.")]) -> None:
    """End a grant now."""
    t = terminal(ctx)
    ended = service.revoke_grant(t.actor, id, store=t.store())
    shown = f"{ended.who} is not {ended.role} on {ended.place} any more"
    if ended.waits:
        shown += " once another owner confirms it: `calotype access requests`"
    t.emit(ended.to_dict(), shown)


@token.command("create")
def create_token(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    scope: Annotated[
        list[str], typer.Option(help=f"What it may do: {', '.join(token_verbs.SCOPES)}; repeatable.")
    ] = ["read"],  # noqa: B006
    dataset: Annotated[list[str], typer.Option(help="Only this dataset; repeatable.")] = [],  # noqa: B006
    days: Annotated[int, typer.Option(min=1, help="Days until it ends, at most 365.")] = 90,
    for_email: Annotated[
        str, typer.Option("--for", metavar="EMAIL", help="Account of the token; needed on a folder.")
    ] = "",
) -> None:
    """Create an API token and print it, once."""
    t = terminal(ctx)
    created, secret = token_verbs.create_token(
        t.actor, name, store=t.store(), scopes=scope, datasets=dataset, days=days, for_email=for_email
    )
    t.emit(
        {**created.to_dict(), "token": secret},
        f"{secret}\n\nThis is shown once. It may {', '.join(created.scopes)} as {created.who} "
        f"until {iso(created.until_us)[:10]}.",
    )


@token.command("rotate")
def rotate_token(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name or id of the token.")],
    overlap: Annotated[
        int,
        typer.Option(min=0, metavar="HOURS", help="Hours for which the old token still works, at most 168."),
    ] = token_verbs.OVERLAP_HOURS,
    for_email: Annotated[
        str, typer.Option("--for", metavar="EMAIL", help="Account of the token; needed on a folder.")
    ] = "",
) -> None:
    """Replace an API token by a new one, which is printed once; the old one ends after a while."""
    t = terminal(ctx)
    created, secret = token_verbs.rotate_token(
        t.actor, name, store=t.store(), overlap_hours=overlap, for_email=for_email
    )
    t.emit(
        {**created.to_dict(), "token": secret},
        f"{secret}\n\nThis is shown once. The old token {created.name} ends in {overlap} hours.",
    )


@token.command("list")
def list_tokens(
    ctx: typer.Context,
    everyone: Annotated[
        bool, typer.Option("--all/--own", help="The tokens of everyone, or one's own.")
    ] = True,
) -> None:
    """List API tokens; the tokens themselves are stored nowhere."""
    t = terminal(ctx)
    listed = token_verbs.tokens(t.actor, store=t.store(), everyone=everyone)
    rows = [
        [
            k.id,
            k.who,
            k.name,
            k.prefix,
            " ".join(k.scopes),
            " ".join(k.datasets) or "all",
            iso(k.until_us)[:10],
        ]
        for k in listed
    ]
    columns = ["id", "who", "name", "begins", "scopes", "datasets", "until"]
    t.emit({"items": [item.to_dict() for item in listed]}, table(columns, rows))


@token.command("revoke")
def revoke_token(ctx: typer.Context, id: Annotated[str, typer.Argument(help="Id of the token.")]) -> None:
    """Revoke an API token at once."""
    t = terminal(ctx)
    ended = token_verbs.revoke_token(t.actor, id, store=t.store())
    t.emit(ended.to_dict(), f"the token {ended.name} of {ended.who} is revoked")


def access_who(ctx: typer.Context, action: Action, resource: Resource) -> None:
    """List everyone who may do something, and by which grant."""
    t = terminal(ctx)
    listed = access.who_can(t.actor, action, resource, store=t.store())
    rows = [[item.person.email, _held(item.by), item.rule] for item in listed]
    t.emit(
        {"action": action, "resource": resource, "items": [item.to_dict() for item in listed]},
        table(["who", "by", "rule"], rows),
    )


def access_why(
    ctx: typer.Context,
    who: Annotated[str, typer.Argument(metavar="WHO", help="Address of the person.")],
    action: Action,
    resource: Resource,
) -> None:
    """Say whether somebody may do something, by which rule, and which grant would change a no."""
    t = terminal(ctx)
    answer = access.why(t.actor, who, action, resource, store=t.store())
    lines = [f"{answer.who} may {'' if answer.allowed else 'not '}{answer.action} on {resource}"]
    lines.append(f"rule: {answer.rule} ({answer.says})")
    if answer.allowed:
        lines.append(f"by: {_held(answer.by)}")
    elif answer.would_allow:
        lines.append("any of these grants would allow it, the smallest first:")
        lines += [
            f"  calotype grant add {answer.who} {role} --on {place}" for role, place in answer.would_allow
        ]
    else:
        lines.append("no grant would allow it")
    t.emit(answer.to_dict(), lines)


def _held(held: Iterable[Holding]) -> str:
    return ", ".join(f"{item.role} on {item.place}" for item in held) or "the account itself"


def _invitation(secret: str) -> dict[str, str]:
    return {"invitation": secret, "path": INVITE + secret} if secret else {}


def _invited(person: Person, secret: str) -> str:
    if not secret:
        return f"added the service {person.email}"
    return (
        f"{person.name} <{person.email}> can sign in with this link, once, within seven days:\n\n"
        f"    ADDRESS-OF-THE-SERVER{INVITE}{secret}\n"
    )
