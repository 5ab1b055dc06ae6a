"""The command line of findings: list them, decide on them, stage what they suggest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from calotype.findings import service
from calotype.findings.lifecycle import Decision, Life, State
from calotype.findings.repository import Wanted
from calotype.foundation.errors import Invalid
from calotype.foundation.terminal import table, terminal

Name = Annotated[str, typer.Argument(help="A dataset.", show_default=False)]
Keys = Annotated[
    list[str] | None, typer.Argument(help="Keys of findings; four digits are enough.", show_default=False)
]
Check = Annotated[str, typer.Option(help="Only findings of this check.")]
Severity = Annotated[str, typer.Option(help="Only of this severity.")]
Sample = Annotated[str, typer.Option(help="Only of the sample with this id.")]


class DecisionMissing(Invalid):
    """A triage that does not say what to decide, or on what."""

    code = "decision-missing"
    what = "{detail}"
    fix = "{hint}"


def findings(
    ctx: typer.Context,
    name: Name,
    state: Annotated[
        list[str] | None, typer.Option(help="open, assigned, fixed, rejected, accepted, closed.")
    ] = None,
    check: Check = "",
    severity: Severity = "",
    sample: Sample = "",
    assignee: Annotated[str, typer.Option(help="Only what is assigned to them.")] = "",
    key: Annotated[str, typer.Option(help="Show one finding with its history.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
) -> None:
    """List what checks found and what became of it; how far each check can be trusted."""
    t = terminal(ctx)
    if key:
        life, events = service.history(t.actor, name, key, store=t.store())
        lines = [[e.to_dict()["at"], e.verb, str(e.new), e.actor, e.note] for e in events]
        shown = [_line(life), table(["at", "what", "state", "who", "note"], lines)]
        t.emit({**life.to_dict(), "events": [e.to_dict() for e in events]}, shown)
        return
    wanted = Wanted((), _states(state or ["open", "assigned", "fixed"]), check, severity, assignee, sample)
    found = service.tracked(t.actor, name, wanted, store=t.store(), limit=limit)
    trust = service.trust(t.actor, name, store=t.store())
    rows = [
        [o.key[:8], o.finding.check, o.finding.severity, str(o.state), o.assignee, _place(o)]
        for o in found.items
    ]
    shown = [
        table(["key", "check", "severity", "state", "who", "what"], rows),
        f"{found.total} findings match",
    ]
    judged = [f"{p.check}: {p.n_real} of {p.n_real + p.n_false} confirmed" for p in trust.values()]
    value = {
        "total": found.total,
        "findings": [one.to_dict() for one in found.items],
        "precision": {name: one.to_dict() for name, one in trust.items()},
    }
    t.emit(value, [*shown, *judged], next=f"calotype triage {name} KEY --reject REASON")


def triage(
    ctx: typer.Context,
    name: Name,
    keys: Keys = None,
    reject: Annotated[str, typer.Option(metavar="REASON", help="A false alarm; say why.")] = "",
    accept: Annotated[
        str, typer.Option(metavar="REASON", help="Real, and accepted as a risk; say why.")
    ] = "",
    until: Annotated[
        str, typer.Option(metavar="DATE", help="The last day of an accepted risk, as 2027-03-31.")
    ] = "",
    to: Annotated[str, typer.Option(metavar="WHO", help="Assign to somebody.")] = "",
    fixed: Annotated[
        bool, typer.Option("--fixed", help="Say that it is mended; the next check closes it.")
    ] = False,
    reopen: Annotated[bool, typer.Option("--reopen", help="Open it again.")] = False,
    check: Check = "",
    severity: Severity = "",
    sample: Sample = "",
    every: Annotated[bool, typer.Option("--all", help="All that match, without keys.")] = False,
) -> None:
    """Decide on findings: reject, accept until a day, assign, call fixed, open again."""
    t = terminal(ctx)
    decision = _decision(reject, accept, until, to, fixed=fixed, reopen=reopen)
    asked = tuple(keys or ())
    if not asked and not every:
        raise DecisionMissing(
            detail="no finding is named", hint="give keys, or --all with --check or another filter"
        )
    wanted = Wanted(asked, (), check, severity, "", sample)
    chosen = service.keys_of(t.actor, name, wanted, store=t.store())
    done = service.triage(t.actor, name, chosen, decision, store=t.store())
    value = {"state": str(decision.state), "findings": [one.key for one in done]}
    t.emit(value, f"{len(done)} findings are {decision.state}", next=f"calotype check {name}")


def fix(
    ctx: typer.Context,
    name: Name,
    keys: Keys = None,
    check: Check = "",
    severity: Severity = "",
    sample: Sample = "",
    every: Annotated[bool, typer.Option("--all", help="All that match, without keys.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the newest fix back, or the one named by --id.")
    ] = False,
    id: Annotated[str, typer.Option("--id", help="Which fix to take back.")] = "",
) -> None:
    """Stage what findings suggest as one edit of the working state; `calotype check` then closes what is mended."""
    t = terminal(ctx)
    if undo:
        taken = service.undo_fix(t.actor, name, id, store=t.store())
        t.emit(taken.to_dict(), f"took back fix {taken.id}: {len(taken.keys)} findings are open again")
        return
    asked = tuple(keys or ())
    if not asked and not every:
        raise DecisionMissing(
            detail="no finding is named", hint="give keys, or --all with --check or another filter"
        )
    wanted = Wanted(asked, _states(["open", "assigned"]) if every else (), check, severity, "", sample)
    chosen = service.keys_of(t.actor, name, wanted, store=t.store())
    made = service.fix(t.actor, name, chosen, store=t.store())
    lines = [f"staged {len(made.keys)} repairs as fix {made.id}"]
    lines += [f"left out {key[:8]}: {why}" for key, why in list(made.left_out.items())[:20]]
    t.emit(made.to_dict(), lines, next=f"calotype check {name}")


def _decision(reject: str, accept: str, until: str, to: str, *, fixed: bool, reopen: bool) -> Decision:
    said = [bool(reject), bool(accept), fixed, reopen]
    if sum(said) > 1 or not (any(said) or to):
        hint = "use one of --reject, --accept with --until, --to, --fixed, --reopen"
        raise DecisionMissing(detail="it has to be said once what to decide", hint=hint)
    if reject:
        return Decision(State.REJECTED, to, reject)
    if accept:
        return Decision(State.ACCEPTED, to, accept, _end(until) if until else None)
    if fixed or reopen:
        return Decision(State.FIXED if fixed else State.OPEN, to)
    return Decision(State.ASSIGNED, to)


def _end(day: str) -> int:
    try:
        at = datetime.strptime(day, "%Y-%m-%d").replace(hour=23, minute=59, second=59, tzinfo=UTC)
    except ValueError:
        raise DecisionMissing(detail=f"{day!r} is no day", hint="write it as 2027-03-31") from None
    return int(at.timestamp() * 1_000_000)


def _states(names: list[str]) -> tuple[State, ...]:
    known = [str(state) for state in State]
    for name in names:
        if name not in known:
            raise DecisionMissing(
                detail=f"{name!r} is no state of a finding", hint=f"use one of: {', '.join(known)}"
            )
    return tuple(State(name) for name in names)


def _place(life: Life) -> str:
    return f"{life.finding.sample or 'dataset'}: {life.finding.reason}"


def _line(life: Life) -> Any:
    return f"{life.key} {life.finding.check} [{life.finding.severity}] {life.state}: {_place(life)}"
