"""Commands of versions: merge, conflicts, resolve, undo, blame, protect."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from calotype.foundation.codes import FINDINGS
from calotype.foundation.terminal import Terminal, facts, table, terminal
from calotype.versions import service
from calotype.versions.model import Merge, MergeConflict, Resolution, ResolutionInvalid

Name = Annotated[str, typer.Argument(help="A dataset: NAME, or NAME@branch.", show_default=False)]
Id = Annotated[str, typer.Option("--id", help="The last digits of a merge id; by default the open merge.")]
Message = Annotated[str, typer.Option("--message", "-m", help="Commit message.")]
Strategy = Annotated[
    str | None, typer.Option(help="Resolve every conflict the same way: ours, theirs or union.")
]


def merge(
    ctx: typer.Context,
    name: Name,
    source: Annotated[str, typer.Argument(help="The branch, tag or commit to merge.")] = "",
    into: Annotated[str, typer.Option(help="The branch to merge into; by default main.")] = "",
    strategy: Strategy = None,
    message: Message = "",
    forward: Annotated[
        bool, typer.Option("--forward", help="Fast-forward without a merge commit if possible.")
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would change without merging.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="List merges, newest first.")] = False,
    land: Annotated[
        bool, typer.Option("--land", help="Land the open merge once its conflicts are resolved.")
    ] = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="Abandon the open merge.")] = False,
    merge_id: Id = "",
) -> None:
    """Merge the commits of one branch into another; resolve conflicts with `resolve`."""
    t = terminal(ctx)
    if listed:
        _list_merges(t, name)
    elif preview:
        counts = service.preview(t.actor, name, source, store=t.store(), into=into)
        t.emit({"counts": counts}, _counts(counts))
    elif abandon:
        abandoned = service.abandon(t.actor, name, merge_id, store=t.store())
        t.emit(abandoned.to_dict(), f"abandoned the merge of {abandoned.source}; both branches are unchanged")
    elif land:
        gates = t.ports.gatekeeper(t.store(), "merge")
        _report(
            t, name, service.land(t.actor, name, merge_id, store=t.store(), message=message, gatekeeper=gates)
        )
    else:
        gates = t.ports.gatekeeper(t.store(), "merge")
        options = service.MergeOptions(into, strategy, message, forward)
        _report(
            t, name, service.merge(t.actor, name, source, store=t.store(), options=options, gatekeeper=gates)
        )


def _list_merges(t: Terminal, name: str) -> None:
    merges = service.merges(t.actor, name, store=t.store())
    rows = [[m.id[-12:], m.state, m.source[:40], m.target, m.counts["conflicts"]] for m in merges]
    shown = table(["merge", "state", "source", "into", "conflicts"], rows)
    t.emit({"items": [m.to_dict() for m in merges]}, shown if merges else "no merges yet")


def undo(
    ctx: typer.Context,
    name: Name,
    commit: Annotated[str, typer.Argument(help="The commit to undo.", show_default=False)],
    message: Message = "",
    strategy: Strategy = None,
) -> None:
    """Undo the changes of one commit as a new commit; later changes stay."""
    t = terminal(ctx)
    _report(t, name, service.undo(t.actor, name, commit, store=t.store(), message=message, strategy=strategy))


def _report(t: Terminal, name: str, merge_: Merge) -> None:
    dataset = name.partition("@")[0]
    if merge_.is_open:
        n = merge_.counts["open"]
        t.emit(
            merge_.to_dict(),
            f"{n:,} conflicts to resolve; {merge_.target} is unchanged",
            next=f"calotype conflicts {dataset} {merge_.id[-12:]}",
        )
        raise typer.Exit(FINDINGS)
    t.emit(
        merge_.to_dict(),
        [f"{str(merge_.merge_commit)[:12]} on {merge_.target}", _counts(merge_.counts)],
        next=f"calotype log {dataset}",
    )


def _counts(counts: Any) -> Any:
    shown = {f"{kind} {verb}": n for kind in ("samples", "annotations") for verb, n in counts[kind].items()}
    return facts({**shown, "conflicts": counts["conflicts"]})


def conflicts(
    ctx: typer.Context,
    name: Name,
    merge_id: Annotated[str, typer.Argument(help="The id of a merge; by default the open merge.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of conflicts.")] = 200,
) -> None:
    """List the conflicts of a merge with the versions of both sides."""
    t = terminal(ctx)
    merge_, all_conflicts = service.conflicts(t.actor, name, merge_id, store=t.store())
    rows = [_conflict_row(conflict) for conflict in all_conflicts[:limit]]
    shown = table(["#", "kind", "where", "id", "ours", "theirs", "state"], rows)
    items = [conflict.to_dict() for conflict in all_conflicts[:limit]]
    t.emit(
        {**merge_.to_dict(), "total": len(all_conflicts), "items": items},
        shown if rows else "no conflicts",
        next=f"calotype resolve {name} ours|theirs|union --at 1" if merge_.is_open and rows else "",
    )


def _conflict_row(conflict: MergeConflict) -> list[Any]:
    content = conflict.content
    sides = [_side_text(side, content.fields) for side in (content.ours, content.theirs)]
    state = f"{conflict.state} {conflict.resolution}" if conflict.resolution is not None else conflict.state
    return [conflict.position, content.kind, content.table, content.row_id[-12:], *sides, state]


def _side_text(row: dict[str, Any] | None, fields: tuple[str, ...]) -> str:
    if row is None:
        return "removed"
    if not fields:
        return "edited"
    values = []
    for field in fields:
        value = (
            [row.get(column) for column in "xywh"]
            if field == "geometry"
            else row.get(field.partition(".")[0])
        )
        values.append(f"{field}={value}")
    return " ".join(values)[:120]


def resolve(
    ctx: typer.Context,
    name: Name,
    how: Annotated[str, typer.Argument(help="ours, theirs, union, base or review.")] = "",
    at: Annotated[
        list[int] | None, typer.Option(help="The number of a conflict; repeat for several.")
    ] = None,
    kind: Annotated[str, typer.Option(help="Resolve all open conflicts of this kind, e.g. fields.")] = "all",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="FIELD=ours, FIELD=theirs or FIELD=VALUE; repeat for several."),
    ] = None,
    merge_id: Id = "",
) -> None:
    """Resolve conflicts; without --at or --kind, all open ones."""
    t = terminal(ctx)
    choice: Resolution = dict(_field_choice(text) for text in set_) if set_ else how
    resolved = service.resolve(t.actor, name, choice, at or kind, merge_id, store=t.store())
    _, all_conflicts = service.conflicts(t.actor, name, merge_id, store=t.store())
    open_count = sum(conflict.state != "resolved" for conflict in all_conflicts)
    t.emit(
        {"settled": [conflict.position for conflict in resolved], "open": open_count},
        f"{len(resolved):,} resolved, {open_count:,} open",
        next=f"calotype merge {name} --land" if open_count == 0 else f"calotype conflicts {name}",
    )


def _field_choice(text: str) -> tuple[str, Any]:
    field, separator, value = text.partition("=")
    if not separator:
        raise ResolutionInvalid(got=text, kind="fields", fits="--set FIELD=VALUE")
    try:
        return field, json.loads(value)
    except json.JSONDecodeError:
        return field, value


def blame(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A dataset: NAME or NAME@REF.", show_default=False)],
    which: Annotated[
        str,
        typer.Argument(help="The id of an annotation, or the id or name of a sample.", show_default=False),
    ],
) -> None:
    """Show who created and who last changed an annotation, or a sample and its annotations."""
    t = terminal(ctx)
    blames = [entry.to_dict() for entry in service.blame(t.actor, name, which, store=t.store())]
    rows = [
        [
            entry["id"][-12:],
            entry["label_set"] or "(sample)",
            *_commit_and_authors(entry["created"]),
            *_commit_and_authors(entry["changed"]),
        ]
        for entry in blames
    ]
    t.emit({"items": blames}, table(["id", "label set", "created", "by", "changed", "by"], rows))


def _commit_and_authors(origin: dict[str, Any]) -> list[str]:
    source = origin["import"]["source"] if origin["import"] else ""
    person = " ".join(part for part in (origin["by"] or "", origin["author"] or "", source) if part)
    return [(origin["commit"] or "not committed")[:12], person]


def protect(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A dataset.", show_default=False)],
    branch: Annotated[str, typer.Argument(help="The branch.", show_default=False)],
    approval: Annotated[
        bool, typer.Option("--approval", help="Also ask for the yes of somebody else (`calotype approve`).")
    ] = False,
    off: Annotated[bool, typer.Option("--off", help="Remove the protection.")] = False,
) -> None:
    """Protect a branch: it accepts only merges with green gates."""
    t = terminal(ctx)
    rules = {"gates": True, "approval": True} if approval else {"gates": True}
    ref = service.protect(t.actor, name, branch, {} if off else rules, store=t.store())
    asked = "green gates and the approval of a second person" if approval else "green gates"
    shown = (
        f"{ref.name} is protected: it accepts only merges with {asked}"
        if ref.protection
        else f"{ref.name} is not protected"
    )
    t.emit({"branch": ref.name, "protection": ref.protection}, shown)


def approve(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A dataset.", show_default=False)],
    commit: Annotated[str, typer.Argument(help="A commit, tag or branch.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why, or what was looked at.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="List who approved it; approve nothing.")] = False,
) -> None:
    """Approve a commit of somebody else, for branches that ask for a second person."""
    t = terminal(ctx)
    if listed:
        items = service.approvals(t.actor, name, commit, store=t.store())
    else:
        items = [service.approve(t.actor, name, commit, store=t.store(), reason=reason)]
    rows = [[item.actor, item.to_dict()["at"][:19], item.reason] for item in items]
    t.emit({"items": [item.to_dict() for item in items]}, table(["approved by", "at", "reason"], rows))
