"""Commands of requests for access and of the access review."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from calotype.foundation.actor import ROLES
from calotype.foundation.clock import iso
from calotype.foundation.terminal import table, terminal
from calotype.people.model import end_of
from calotype.people.oversight import four_eyes as second
from calotype.people.oversight import requests, review
from calotype.people.oversight.model import KINDS, STATES

RequestId = Annotated[str, typer.Argument(metavar="ID", help="Id of the request.")]
Reason = Annotated[str, typer.Option(help="Why; at most 500 characters.")]


class Said(StrEnum):
    """An answer."""

    YES = "yes"
    NO = "no"


class Switch(StrEnum):
    """Whether something is in force."""

    ON = "on"
    OFF = "off"


def access_ask(
    ctx: typer.Context,
    role: Annotated[str, typer.Argument(help="A role: " + ", ".join(ROLES) + ".")],
    on: Annotated[str, typer.Option(help="workspace, team:NAME or dataset:NAME.")] = "workspace",
    reason: Reason = "",
    for_email: Annotated[
        str, typer.Option("--for", metavar="EMAIL", help="Whose request it is; needed on a folder.")
    ] = "",
) -> None:
    """Ask for a role; whoever may grant it answers."""
    t = terminal(ctx)
    asked = requests.ask_for_access(t.actor, role, store=t.store(), on=on, reason=reason, for_email=for_email)
    t.emit(asked.to_dict(), f"{asked.who} asks for {role} on {asked.place} (request {asked.id})")


def access_requests(
    ctx: typer.Context,
    everyone: Annotated[bool, typer.Option("--all/--own", help="Those of everyone, or one's own.")] = True,
    state: Annotated[
        str, typer.Option(help="Only waiting, " + ", ".join(STATES) + "; all if empty.")
    ] = "waiting",
) -> None:
    """List requests for access that wait for an answer."""
    t = terminal(ctx)
    listed = requests.access_requests(t.actor, store=t.store(), everyone=everyone, state=state)
    rows = [
        [item.id, item.who, item.role, item.place, item.state, iso(item.asked_at_us)[:10], item.reason]
        for item in listed
    ]
    columns = ["id", "who", "role", "on", "state", "asked", "reason"]
    t.emit(
        {"items": [item.to_dict() for item in listed]},
        table(columns, rows),
        next="calotype access answer ID yes" if any(item.may_answer for item in listed) else "",
    )


def access_answer(
    ctx: typer.Context,
    id: RequestId,
    answer: Annotated[Said, typer.Argument(metavar="yes|no", help="A yes grants the role at once.")],
    until: Annotated[str, typer.Option(metavar="DATE", help="Last day, such as 2027-01-31.")] = "",
    reason: Reason = "",
) -> None:
    """Answer a request of somebody else."""
    t = terminal(ctx)
    end = end_of(until) if until else None
    answered = requests.answer_request(
        t.actor, id, answer is Said.YES, store=t.store(), until_us=end, reason=reason
    )
    t.emit(
        answered.to_dict(),
        f"{answered.who}: {answered.role} on {answered.place} {answered.state}",
        next=f"calotype grant revoke {answered.grant_id}" if answered.grant_id else "",
    )


def access_withdraw(ctx: typer.Context, id: RequestId) -> None:
    """Take back one's own request."""
    t = terminal(ctx)
    withdrawn = requests.withdraw_request(t.actor, id, store=t.store())
    t.emit(withdrawn.to_dict(), f"withdrew the request for {withdrawn.role} on {withdrawn.place}")


def access_review(
    ctx: typer.Context,
    kept: Annotated[bool, typer.Option("--kept", help="Also what somebody kept within 90 days.")] = False,
) -> None:
    """List grants and tokens without use, tokens that end soon, people without a role, and the last owner."""
    t = terminal(ctx)
    listed = review.access_review(t.actor, store=t.store(), with_kept=kept)
    times = [[_day(row.since_us), _day(row.used_at_us), _day(row.until_us)] for row in listed]
    rows = [
        [row.kind, row.who, row.role, row.place, *days, row.id]
        for row, days in zip(listed, times, strict=True)
    ]
    columns = ["kind", "who", "role or token", "on", "since", "used", "until", "id"]
    t.emit(
        {"items": [row.to_dict() for row in listed]},
        table(columns, rows) if rows else "nothing to review",
        next="calotype grant revoke ID, or calotype access keep KIND ID --reason WHY" if rows else "",
    )


def access_keep(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="One of: " + ", ".join(KINDS) + ".")],
    id: Annotated[str, typer.Argument(metavar="ID", help="Of the grant, the token or the person.")],
    reason: Annotated[str, typer.Option(help="Why; at most 500 characters.")],
) -> None:
    """Keep what a row of the review is about; it is not shown again for 90 days."""
    t = terminal(ctx)
    row = review.keep_in_review(t.actor, kind, id, store=t.store(), reason=reason)
    t.emit(row.to_dict(), f"kept {row.kind} of {row.who} for 90 days")


def _day(at_us: int | None) -> str:
    return "" if at_us is None else iso(at_us)[:10]


def four_eyes(
    ctx: typer.Context,
    switch: Annotated[
        Switch | None, typer.Argument(metavar="[on|off]", help="Switch it; without, show it.")
    ] = None,
) -> None:
    """Let a second owner confirm whatever gives or takes a governing role."""
    t = terminal(ctx)
    if switch is None:
        shown = second.four_eyes(t.actor, store=t.store())
    else:
        shown = second.set_four_eyes(t.actor, switch is Switch.ON, store=t.store())
    waits = f"; {shown.off_by} wants it off, which another owner confirms" if shown.off_by else ""
    t.emit(shown.to_dict(), f"four eyes on governing rights: {'on' if shown.on else 'off'}{waits}")
