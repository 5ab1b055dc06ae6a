"""Commands of findings: findings, triage, fix."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from calotype.findings import service
from calotype.findings.lifecycle import Decision, State, TrackedFinding
from calotype.findings.repository import FindingFilter
from calotype.foundation.errors import Invalid
from calotype.foundation.terminal import Terminal, table, terminal

Name = Annotated[str, typer.Argument(help="A dataset.", show_default=False)]
Keys = Annotated[
    list[str] | None,
    typer.Argument(help="Keys of findings, or unique prefixes of 4 or more digits.", show_default=False),
]
Check = Annotated[str, typer.Option(help="Only findings of this check.")]
Severity = Annotated[str, typer.Option(help="Only findings of this severity.")]
Sample = Annotated[str, typer.Option(help="Only findings on the sample with this id.")]


class DecisionMissing(Invalid):
    """A decision or the findings to decide on are missing."""

    code = "decision-missing"
    what = "{detail}"
    fix = "{hint}"


def findings(
    ctx: typer.Context,
    name: Name,
    state: Annotated[
        list[str] | None,
        typer.Option(
            help="Only findings in this state: open, assigned, fixed, rejected, accepted or closed."
        ),
    ] = None,
    check: Check = "",
    severity: Severity = "",
    sample: Sample = "",
    assignee: Annotated[str, typer.Option(help="Only findings assigned to this person.")] = "",
    key: Annotated[str, typer.Option(help="Show one finding with its history.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of findings.")] = 50,
) -> None:
    """List findings with their state, and the precision of each check."""
    t = terminal(ctx)
    if key:
        return _show_history(t, name, key)
    filter_ = FindingFilter(
        (), _states(state or ["open", "assigned", "fixed"]), check, severity, assignee, sample
    )
    page = service.tracked(t.actor, name, filter_, store=t.store(), limit=limit)
    precision = service.precision(t.actor, name, store=t.store())
    rows = [_row(tracked) for tracked in page.items]
    shown = table(["key", "check", "severity", "state", "who", "finding"], rows)
    total = f"{page.total} findings match"
    judged = [f"{p.check}: {p.n_real} of {p.n_real + p.n_false} confirmed" for p in precision.values()]
    value = {
        "total": page.total,
        "findings": [tracked.to_dict() for tracked in page.items],
        "precision": {name: check_precision.to_dict() for name, check_precision in precision.items()},
    }
    t.emit(value, [shown, total, *judged], next=f"calotype triage {name} KEY --reject REASON")
    return None


def _show_history(t: Terminal, name: str, key: str) -> None:
    tracked, events = service.history(t.actor, name, key, store=t.store())
    lines = [[e.to_dict()["at"], e.verb, str(e.new), e.actor, e.note] for e in events]
    shown = [_summary_line(tracked), table(["at", "event", "state", "who", "note"], lines)]
    t.emit({**tracked.to_dict(), "events": [e.to_dict() for e in events]}, shown)


def _row(tracked: TrackedFinding) -> list[Any]:
    finding = tracked.finding
    return [
        tracked.key[:8],
        finding.check,
        finding.severity,
        str(tracked.state),
        tracked.assignee,
        _place(tracked),
    ]


def triage(
    ctx: typer.Context,
    name: Name,
    keys: Keys = None,
    reject: Annotated[
        str, typer.Option(metavar="REASON", help="Reject as a false alarm, with a reason.")
    ] = "",
    accept: Annotated[
        str, typer.Option(metavar="REASON", help="Accept as a risk, with a reason; needs --until.")
    ] = "",
    until: Annotated[
        str, typer.Option(metavar="DATE", help="The last day of an accepted risk, such as 2027-03-31.")
    ] = "",
    to: Annotated[str, typer.Option(metavar="WHO", help="Assign to this person.")] = "",
    fixed: Annotated[bool, typer.Option("--fixed", help="Mark as fixed; the next check closes it.")] = False,
    reopen: Annotated[bool, typer.Option("--reopen", help="Reopen.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Undo your newest decision or fix, or the one given by --id.")
    ] = False,
    id: Annotated[str, typer.Option("--id", help="The decision or fix to undo.")] = "",
    check: Check = "",
    severity: Severity = "",
    sample: Sample = "",
    every: Annotated[
        bool, typer.Option("--all", help="Apply to all findings that match the filters.")
    ] = False,
) -> None:
    """Decide on findings: reject, accept until a day, assign, mark as fixed, reopen; or undo your last decision."""
    t = terminal(ctx)
    if undo:
        return _undo(t, name, id)
    decision = _decision(reject, accept, until, to, fixed=fixed, reopen=reopen)
    key_prefixes = _chosen(keys, every=every)
    filter_ = FindingFilter(key_prefixes, (), check, severity, "", sample)
    chosen = service.keys_of(t.actor, name, filter_, store=t.store())
    decided = service.triage(t.actor, name, chosen, decision, store=t.store())
    value = {"state": str(decision.state), "findings": [tracked.key for tracked in decided.items]}
    shown = f"{len(decided.items)} findings are {decision.state}"
    t.emit({**value, "decision": decided.id}, shown, next=f"calotype check {name}")
    return None


def _chosen(keys: list[str] | None, *, every: bool) -> tuple[str, ...]:
    """The keys given; none where all that match are asked for."""
    if not keys and not every:
        hint = "give keys, or use --all with --check or another filter"
        raise DecisionMissing(detail="no findings were selected", hint=hint)
    return tuple(keys or ())


def _undo(t: Terminal, name: str, action_id: str) -> None:
    undone = service.undo(t.actor, name, action_id, store=t.store())
    left = f"; {len(undone.skipped)} changed since and were skipped" if undone.skipped else ""
    t.emit(undone.to_dict(), f"undid {undone.kind} {undone.id} on {len(undone.keys)} findings{left}")


def fix(
    ctx: typer.Context,
    name: Name,
    keys: Keys = None,
    check: Check = "",
    severity: Severity = "",
    sample: Sample = "",
    every: Annotated[
        bool, typer.Option("--all", help="Apply to all findings that match the filters.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Undo the newest fix, or the one given by --id.")
    ] = False,
    id: Annotated[str, typer.Option("--id", help="The fix to undo.")] = "",
) -> None:
    """Stage the suggested repairs as one edit; the next `calotype check` closes repaired findings."""
    t = terminal(ctx)
    if undo:
        undone = service.undo_fix(t.actor, name, id, store=t.store())
        t.emit(undone.to_dict(), f"undid fix {undone.id}; {len(undone.keys)} findings are open again")
        return
    key_prefixes = _chosen(keys, every=every)
    filter_ = FindingFilter(
        key_prefixes, _states(["open", "assigned"]) if every else (), check, severity, "", sample
    )
    chosen = service.keys_of(t.actor, name, filter_, store=t.store())
    staged = service.fix(t.actor, name, chosen, store=t.store())
    lines = [f"staged {len(staged.keys)} repairs as fix {staged.id}"]
    lines += [f"left out {key[:8]}: {reason}" for key, reason in list(staged.left_out.items())[:20]]
    t.emit(staged.to_dict(), lines, next=f"calotype check {name}")


def _decision(reject: str, accept: str, until: str, to: str, *, fixed: bool, reopen: bool) -> Decision:
    choices = [bool(reject), bool(accept), fixed, reopen]
    if sum(choices) > 1 or not (any(choices) or to):
        hint = "use one of --reject, --accept with --until, --to, --fixed, --reopen"
        raise DecisionMissing(detail="give exactly one decision", hint=hint)
    if reject:
        return Decision(State.REJECTED, to, reject)
    if accept:
        return Decision(State.ACCEPTED, to, accept, _end_of_day(until) if until else None)
    if fixed or reopen:
        return Decision(State.FIXED if fixed else State.OPEN, to)
    return Decision(State.ASSIGNED, to)


def _end_of_day(day: str) -> int:
    try:
        end = datetime.strptime(day, "%Y-%m-%d").replace(hour=23, minute=59, second=59, tzinfo=UTC)
    except ValueError:
        raise DecisionMissing(detail=f"{day!r} is not a date", hint="write it as 2027-03-31") from None
    return int(end.timestamp() * 1_000_000)


def _states(names: list[str]) -> tuple[State, ...]:
    known = [str(state) for state in State]
    for name in names:
        if name not in known:
            raise DecisionMissing(
                detail=f"{name!r} is not a state of a finding", hint=f"use one of: {', '.join(known)}"
            )
    return tuple(State(name) for name in names)


def _place(tracked: TrackedFinding) -> str:
    return f"{tracked.finding.sample or 'dataset'}: {tracked.finding.reason}"


def _summary_line(tracked: TrackedFinding) -> Any:
    return f"{tracked.key} {tracked.finding.check} [{tracked.finding.severity}] {tracked.state}: {_place(tracked)}"
