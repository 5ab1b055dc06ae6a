"""Governance commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from calotype.contracts.classification import CLASSES
from calotype.foundation.actor import ROLES
from calotype.foundation.clock import iso
from calotype.foundation.ids import canonical_json
from calotype.foundation.os_errors import as_calotype_error
from calotype.foundation.terminal import Terminal, table, terminal
from calotype.govern import checkpoint as checkpoints
from calotype.govern import copies, evidence, matrix, service
from calotype.govern.evidence import Verification
from calotype.govern.model import (
    MAX_PURPOSES,
    MAX_TEXT,
    MODELS,
    AuditFilter,
    Changes,
    ClassificationInvalid,
    Matrix,
)

_SHOWN = 20
_WHO = typer.Option(metavar="WHO", help="Only events of this person: address, name or id.")
_VERB = typer.Option(
    metavar="VERB", help="Only this verb (release.create), or all that begin with it (release)."
)
_SINCE = typer.Option(
    metavar="T", help="Earliest time: 2027-01-31, 2027-01-31T08:00, or an age: 12h, 7d, 4w."
)
_UNTIL = typer.Option(metavar="T", help="Time before which events happened.")
_EXPORT = typer.Option(metavar="FILE", help="Write all these events to a new file as JSON lines.")
audit = typer.Typer(help="Show, export and verify the audit trail.", invoke_without_command=True)
org = typer.Typer(no_args_is_help=True, help="Show or set the model of the organisation.")
Model = Annotated[
    str, typer.Option(metavar="MODEL", help=f"{', '.join(MODELS)}; by default the one in force.")
]


@audit.callback()
def show_audit(
    ctx: typer.Context,
    dataset: Annotated[str | None, typer.Option(help="Only events of this dataset.")] = None,
    who: Annotated[str, _WHO] = "",
    verb: Annotated[str, _VERB] = "",
    since: Annotated[str, _SINCE] = "",
    until: Annotated[str, _UNTIL] = "",
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of events.")] = 50,
    export: Annotated[Path | None, _EXPORT] = None,
) -> None:
    """Show, export and verify the audit trail. Without a subcommand: list events, newest first."""
    if ctx.invoked_subcommand is not None:
        return
    t = terminal(ctx)
    wanted = AuditFilter.of(subject=dataset, who=who, verb=verb, since=since, until=until)
    if export is not None:
        _export(t, wanted, export)
        return
    events = service.audit(t.actor, store=t.store(), wanted=wanted, limit=limit)
    intact = not service.chain_problems(t.actor, store=t.store())
    rows = [
        [
            e.seq,
            iso(e.at_us)[:19],
            e.actor_name or e.actor,
            e.verb,
            e.subject,
            canonical_json(e.details)[:100],
        ]
        for e in events
    ]
    chain = "the chain is intact" if intact else "THE CHAIN IS BROKEN: run `calotype audit verify`"
    t.emit(
        {"items": [event.to_dict() for event in events], "intact": intact},
        [table(["", "at", "actor", "verb", "subject", "details"], rows), chain],
    )


@audit.command("checkpoint")
def sign_checkpoint(
    ctx: typer.Context,
    to: Annotated[
        str,
        typer.Option(
            metavar="FILE|FOLDER|URL", help="Where to write it: a new file, a folder, or s3://BUCKET/PREFIX."
        ),
    ] = ".",
) -> None:
    """Sign what the audit trail holds now, into a file to be kept where the workspace cannot change it."""
    t = terminal(ctx)
    copies.check_is_new(to)
    signed = service.sign_checkpoint(t.actor, store=t.store())
    kept, file = signed.checkpoint, copies.write(signed.checkpoint, to)
    lines = [f"wrote {file}: {kept.size:,} events, signed with key {kept.key_id}"]
    lines += [f"the chain was broken already: {problem}" for problem in signed.problems[:_SHOWN]]
    t.emit(
        {"file": file, **kept.to_dict(), "problems": list(signed.problems)},
        lines,
        next=f"keep it on another machine; later: calotype audit verify --checkpoint {file.rpartition('/')[2]}",
    )


@audit.command("verify")
def verify_audit(
    ctx: typer.Context,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A checkpoint that was kept elsewhere.")
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Verify a whole export of `audit --export` instead of the workspace."
        ),
    ] = None,
    key: Annotated[
        str,
        typer.Option(
            metavar="KEY",
            help="The key that must have signed the checkpoint, as `audit checkpoint` showed it.",
        ),
    ] = "",
) -> None:
    """Verify that no event was changed, removed, moved or inserted; names the first bad one. Works offline."""
    t = terminal(ctx)
    kept = None if checkpoint is None else checkpoints.read(checkpoint, signed_with=key)
    if events is None:
        verification = service.verify_audit(t.actor, store=t.store(), kept=kept)
    else:
        verification = evidence.verify_export(events, kept)
    t.emit(verification.to_dict(), _shown(verification))
    if not verification.intact:
        raise typer.Exit(1)


def _shown(verification: Verification) -> list[str]:
    confirmed = f"{verification.n_events:,} events; agrees with {verification.confirmed} checkpoints"
    if verification.intact:
        return [f"the audit trail is intact: {confirmed}"]
    lines = [broken.problem for broken in verification.breaks]
    more = [f"… and {len(lines) - _SHOWN:,} more problems"] if len(lines) > _SHOWN else []
    return [
        f"THE AUDIT TRAIL IS NOT INTACT from event {verification.first_bad}: {confirmed}",
        *lines[:_SHOWN],
        *more,
    ]


def _export(t: Terminal, wanted: AuditFilter, file: Path) -> None:
    copies.check_is_new(str(file))
    n_events = 0
    try:
        with file.open("xb") as handle:
            for line in service.export_audit(t.actor, store=t.store(), wanted=wanted):
                handle.write(line)
                n_events += 1
    except OSError as error:
        raise as_calotype_error(error) from None
    t.emit({"file": str(file), "events": n_events}, f"wrote {n_events:,} events to {file}")


@org.command("show")
def show_organisation(ctx: typer.Context) -> None:
    """Show the model of the organisation, which decides what roles allow."""
    t = terminal(ctx)
    shown = service.organisation(t.actor, store=t.store())
    t.emit(shown.to_dict(), shown.model, next=f"calotype access matrix --model {shown.model}")


@org.command("set")
def set_organisation(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help=f"{', '.join(MODELS[:-1])} or {MODELS[-1]}.")],
) -> None:
    """Set the model of the organisation. Only owners can; it is recorded in the audit trail."""
    t = terminal(ctx)
    changed = service.set_organisation(t.actor, model, store=t.store())
    t.emit(changed.to_dict(), f"the organisation is {changed.model}", next="calotype access matrix")


def classify(
    ctx: typer.Context,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Name of the dataset.")],
    data_class: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help=", ".join(CLASSES) + ".")
    ] = None,
    licence: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Licence of the dataset; empty removes it.")
    ] = None,
    purpose: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="What releases may be for; repeatable, replaces the list."),
    ] = None,
    any_purpose: Annotated[
        bool, typer.Option("--any-purpose", help="Releases may be for any purpose.")
    ] = False,
    hold: Annotated[
        str | None, typer.Option(metavar="REASON", help="Delete nothing of it, such as for a legal case.")
    ] = None,
    release_hold: Annotated[bool, typer.Option("--release-hold", help="Release the hold.")] = False,
) -> None:
    """Say what kind of data a dataset holds, or show it. The rules of access depend on it."""
    t = terminal(ctx)
    if (release_hold and hold is not None) or (any_purpose and purpose):
        raise ClassificationInvalid(
            name="the hold", got="given and released", limit=MAX_TEXT, most=MAX_PURPOSES
        )
    purposes = () if any_purpose else tuple(purpose) if purpose else None
    changes = Changes(data_class, licence, purposes, "" if release_hold else hold)
    if changes == Changes():
        shown = service.classification(t.actor, dataset, store=t.store())
    else:
        shown = service.classify(t.actor, dataset, changes, store=t.store())
    lines = [
        f"class: {shown.data_class}",
        f"licence: {shown.licence or 'not set'}",
        f"purposes of releases: {', '.join(shown.purposes) or 'any'}",
        f"hold: {shown.hold or 'none'}",
    ]
    t.emit({"dataset": dataset, **shown.to_dict()}, lines)


def access_matrix(
    ctx: typer.Context,
    model: Model = "",
    diff: Annotated[
        str, typer.Option(metavar="MODEL", help="Only what differs under this other model.")
    ] = "",
) -> None:
    """Print what each role allows, by action and kind of resource."""
    t = terminal(ctx)
    shown = service.access_matrix(t.actor, store=t.store(), model=model, diff=diff)
    t.emit(shown.to_dict(), [_differences(shown)] if diff else _tables(shown))


def _tables(shown: Matrix) -> list[RenderableType]:
    """One table for each kind of resource: who may do what."""
    kinds = dict.fromkeys(cell.kind for cell in shown.cells)
    columns = ["allowed to", "only in the team", "only on all"]
    tables: list[RenderableType] = [
        f"{shown.model}: roles that allow it wherever they are held; only where they are "
        "held in the team or on the dataset; only where they are held on the whole workspace"
    ]
    for kind in kinds:
        rows = [
            [action, *(", ".join(role for role, held in zip(ROLES, words, strict=True) if held == word)
                       for word in ("yes", "team", "all"))]
            for action, *words in matrix.rows([cell for cell in shown.cells if cell.kind == kind])
        ]  # fmt: skip
        tables.append(table([kind, *columns], rows))
    return tables


def _differences(shown: Matrix) -> RenderableType:
    rows = [
        [
            d.after.kind,
            d.after.action,
            d.after.role,
            d.after.held,
            _yes(d.before.allowed),
            _yes(d.after.allowed),
        ]
        for d in shown.differences
    ]
    return table(["on", "action", "role", "held on", shown.model, shown.other], rows)


def _yes(allowed: bool) -> str:
    return "yes" if allowed else "no"
