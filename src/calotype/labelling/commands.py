"""Commands of labelling: batch, work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from calotype.foundation.actor import Actor
from calotype.foundation.terminal import Terminal, facts, table, terminal
from calotype.labelling import service
from calotype.labelling.model import BatchOptions, BatchStatus
from calotype.labelling.record.files import operations_in

batch = typer.Typer(no_args_is_help=True, help="Open, list, show, change, land and close batches.")
work = typer.Typer(no_args_is_help=True, help="Take assignments, annotate, submit, ask.")

Dataset = Annotated[str, typer.Argument(help="A dataset.", show_default=False)]
BatchName = Annotated[str, typer.Argument(metavar="BATCH", help="Name of the batch.", show_default=False)]
People = Annotated[
    list[str] | None,
    typer.Option(help="Addresses, team:NAME or me, also several with commas. Default: everyone who may."),
]
As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="WHO",
        help="Act as this person. Only in a folder on this machine, whose owner may do anything.",
    ),
]
Given = Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Id of the assignment.", show_default=False)]


@batch.command("open")
def open_batch(
    ctx: typer.Context,
    dataset: Dataset,
    name: BatchName,
    where: Annotated[str, typer.Option(help="Query for its samples. Default: all.")] = "",
    to: People = None,
    reviewers: People = None,
    overlap: Annotated[int, typer.Option(help="How many people label each sample, blind to each other.")] = 1,
    review: Annotated[float, typer.Option(help="Share of the samples that somebody reviews, 0 to 1.")] = 0.1,
    due: Annotated[str, typer.Option(metavar="DATE", help="Day it should be done, such as 2027-03-31.")] = "",
    priority: Annotated[int, typer.Option(help="Larger numbers are handed out first.")] = 0,
    prelabels: Annotated[str, typer.Option(metavar="SET", help="Label set that the work begins with.")] = "",
    min_score: Annotated[float, typer.Option(help="Only prelabels with at least this score.")] = 0.0,
    label_set: Annotated[str, typer.Option(help="Where accepted work lands.")] = "ground_truth",
    base: Annotated[str, typer.Option(help="Branch that it starts from.")] = "main",
    stale: Annotated[
        bool, typer.Option("--stale", help="Only samples with labels that a later guideline made stale.")
    ] = False,
) -> None:
    """Open a batch: fix its samples, who labels and reviews them, and make its branch."""
    t = terminal(ctx)
    options = BatchOptions(
        where=where,
        to=_names(to),
        reviewers=_names(reviewers),
        overlap=overlap,
        review=review,
        priority=priority,
        due=due,
        prelabels=prelabels,
        min_score=min_score,
        label_set=label_set,
        base=base,
        stale=stale,
    )
    status = service.open_batch(t.actor, dataset, name, store=t.store(), options=options)
    t.emit(status.to_dict(), _shown(status), next=f"calotype work next --batch {name}")


@batch.command("list")
def list_batches(ctx: typer.Context, dataset: Dataset) -> None:
    """List the batches of a dataset with their progress, the most urgent first."""
    t = terminal(ctx)
    listed = service.batches(t.actor, dataset, store=t.store())
    rows = [
        [
            s.batch.name,
            s.batch.state,
            s.progress.samples,
            s.progress.waiting,
            s.progress.submitted,
            s.progress.accepted,
            s.progress.landed,
        ]
        for s in listed
    ]
    columns = ["batch", "state", "samples", "waiting", "to review", "accepted", "landed"]
    t.emit(
        {"items": [status.to_dict() for status in listed]},
        table(columns, rows),
        next="" if listed else f"calotype batch open {dataset} NAME --to PEOPLE",
    )


@batch.command("show")
def show_batch(ctx: typer.Context, dataset: Dataset, name: BatchName) -> None:
    """Show a batch with its progress."""
    t = terminal(ctx)
    status = service.batch(t.actor, dataset, name, store=t.store())
    t.emit(status.to_dict(), _shown(status))


@batch.command("pause")
def pause_batch(ctx: typer.Context, dataset: Dataset, name: BatchName) -> None:
    """Hand out no more work of a batch; what people hold can be finished."""
    t = terminal(ctx)
    status = service.pause_batch(t.actor, dataset, name, store=t.store())
    t.emit(status.to_dict(), _shown(status), next=f"calotype batch resume {dataset} {name}")


@batch.command("resume")
def resume_batch(ctx: typer.Context, dataset: Dataset, name: BatchName) -> None:
    """Hand out the work of a paused batch again."""
    t = terminal(ctx)
    status = service.resume_batch(t.actor, dataset, name, store=t.store())
    t.emit(status.to_dict(), _shown(status))


@batch.command("extend")
def extend_batch(
    ctx: typer.Context,
    dataset: Dataset,
    name: BatchName,
    due: Annotated[
        str | None, typer.Option(metavar="DATE", help="The new day; an empty one for none.")
    ] = None,
    priority: Annotated[int | None, typer.Option(help="The new priority.")] = None,
    to: People = None,
    reviewers: People = None,
) -> None:
    """Change the due day, the priority or the people of a batch."""
    t = terminal(ctx)
    status = service.extend_batch(
        t.actor,
        dataset,
        name,
        store=t.store(),
        due=due,
        priority=priority,
        to=_names(to) if to else None,
        reviewers=_names(reviewers) if reviewers else None,
    )
    t.emit(status.to_dict(), _shown(status))


@batch.command("land")
def land_batch(ctx: typer.Context, dataset: Dataset, name: BatchName) -> None:
    """Commit the accepted work of a batch to its branch."""
    t = terminal(ctx)
    landed = service.land_batch(t.actor, dataset, name, store=t.store()).to_dict()
    t.emit(landed, facts(landed), next=f"calotype merge {dataset} {landed['branch']}")


@batch.command("close")
def close_batch(ctx: typer.Context, dataset: Dataset, name: BatchName) -> None:
    """Land what is accepted, and end the batch. Nobody gets work of it any more."""
    t = terminal(ctx)
    status, landed = service.close_batch(t.actor, dataset, name, store=t.store())
    value = {"batch": status.to_dict(), "landed": landed.to_dict()}
    t.emit(
        value, [facts(landed.to_dict()), *_shown(status)], next=f"calotype merge {dataset} {landed.branch}"
    )


@work.command("list")
def list_work(ctx: typer.Context, as_: As = "") -> None:
    """List what you hold and what was sent back, the batches with work for you, and your figures."""
    t = terminal(ctx)
    value = service.my_work(acting(t, as_), store=t.store())
    rows = [
        [one["assignment"], one["state"], one["dataset"], one["batch"], one["name"]] for one in value["open"]
    ]
    offered = [[b["dataset"], b["name"], b["annotate"], b["review"]] for b in value["batches"]]
    shown = [
        table(["assignment", "state", "dataset", "batch", "sample"], rows),
        table(["dataset", "batch", "to annotate", "to review"], offered),
        facts(value["figures"]),
    ]
    t.emit(value, shown, next="calotype work next")


@work.command("next")
def next_work(
    ctx: typer.Context,
    dataset: Annotated[str, typer.Option(help="Only work of this dataset.")] = "",
    batch: Annotated[str, typer.Option(help="Only work of this batch.")] = "",
    kind: Annotated[str, typer.Option(help="annotate or review. Default: either.")] = "",
    as_: As = "",
) -> None:
    """Take the next assignment: what was sent back first, then what you hold, then what is most urgent."""
    t = terminal(ctx)
    actor = acting(t, as_)
    taken = service.next_work(actor, store=t.store(), wanted=service.Wanted(dataset, batch, kind))
    if not taken:
        t.emit({"work": None}, "nothing is left for you")
        return
    value = service.work(actor, taken, store=t.store())
    t.emit({"work": value}, _work_lines(value), next=f"calotype work submit {taken}")


@work.command("show")
def show_work(ctx: typer.Context, assignment: Given, as_: As = "") -> None:
    """Show an assignment with its annotations and remarks."""
    t = terminal(ctx)
    value = service.work(acting(t, as_), assignment, store=t.store())
    t.emit(value, _work_lines(value))


@work.command("record")
def record(
    ctx: typer.Context,
    assignment: Given,
    file: Annotated[
        str,
        typer.Option("--file", "-f", help="A JSON file with the list of operations; - reads standard input."),
    ],
    as_: As = "",
) -> None:
    """Record operations: add, set-shape, set-class, set-attributes, delete, undo, redo, restore; each with its id."""
    t = terminal(ctx)
    recorded = service.record(acting(t, as_), assignment, operations_in(file), store=t.store()).to_dict()
    numbers = {name: len(recorded[name]) for name in ("recorded", "repeated", "refused")}
    refused = [f"refused {one['id']}: {one['what']}" for one in recorded["refused"]]
    t.emit(recorded, [facts(numbers), *refused], next=f"calotype work submit {assignment}")


@work.command("events")
def work_events(ctx: typer.Context, assignment: Given, as_: As = "") -> None:
    """List the record of an assignment in order: who did what, and when."""
    t = terminal(ctx)
    listed = service.work_events(acting(t, as_), assignment, store=t.store())
    rows = [[e["position"], e["at"], e["actor"], e["verb"], e["annotation"]] for e in listed]
    t.emit({"items": listed}, table(["event", "at", "who", "did", "annotation"], rows))


@work.command("submit")
def submit(
    ctx: typer.Context,
    assignment: Given,
    id: Annotated[str, typer.Option("--id", help="A UUID: repeating it gives the first answer.")] = "",
    active_ms: Annotated[int, typer.Option(help="Milliseconds since the last operation.")] = 0,
    note: Annotated[str, typer.Option(help="A note for the reviewer.")] = "",
    as_: As = "",
) -> None:
    """Submit an assignment."""
    t = terminal(ctx)
    outcome = service.submit(
        acting(t, as_), assignment, store=t.store(), id=id, active_ms=active_ms, note=note
    )
    t.emit(outcome.to_dict(), facts(outcome.to_dict()), next="calotype work next")


@work.command("skip")
def skip(
    ctx: typer.Context,
    assignment: Given,
    reason: Annotated[str, typer.Option(help="Why it cannot be labelled.")],
    as_: As = "",
) -> None:
    """Say that a sample cannot be labelled, and why."""
    t = terminal(ctx)
    outcome = service.skip(acting(t, as_), assignment, reason, store=t.store()).to_dict()
    t.emit(outcome, facts(outcome), next="calotype work next")


@work.command("release")
def release_work(
    ctx: typer.Context,
    assignment: Given,
    reason: Annotated[str, typer.Option(help="Why you give it back.")] = "",
    as_: As = "",
) -> None:
    """Give a sample back to the queue; what you drew stays in the record."""
    t = terminal(ctx)
    outcome = service.release_work(acting(t, as_), assignment, reason, store=t.store()).to_dict()
    t.emit(outcome, facts(outcome), next="calotype work next")


@work.command("ask")
def ask(
    ctx: typer.Context,
    assignment: Given,
    text: Annotated[str, typer.Argument(help="The question.", show_default=False)],
    annotation: Annotated[str, typer.Option(help="Id of the annotation in question.")] = "",
    class_name: Annotated[str, typer.Option("--class", help="The class in question.")] = "",
    as_: As = "",
) -> None:
    """Ask how something should be labelled; whoever writes the guideline answers."""
    t = terminal(ctx)
    value = service.ask(
        acting(t, as_), assignment, text, store=t.store(), annotation=annotation, class_name=class_name
    )
    t.emit(value, f"asked: {value['id']}", next=f"calotype work answer {value['id']} TEXT")


@work.command("questions")
def questions(ctx: typer.Context, dataset: Dataset) -> None:
    """List the questions of annotators, the open ones first."""
    t = terminal(ctx)
    listed = service.questions(t.actor, dataset, store=t.store())
    rows = [[q["id"], q["state"], q["by"], q["class"], q["comments"][0]["text"]] for q in listed]
    t.emit({"items": listed}, table(["question", "state", "who", "class", "text"], rows))


@work.command("answer")
def answer(
    ctx: typer.Context,
    thread: Annotated[
        str, typer.Argument(metavar="QUESTION", help="Id of the question.", show_default=False)
    ],
    text: Annotated[str, typer.Argument(help="The answer.", show_default=False)],
    keep_open: Annotated[bool, typer.Option("--keep-open", help="The question is not settled yet.")] = False,
) -> None:
    """Answer a question or a remark."""
    t = terminal(ctx)
    value = service.answer(t.actor, thread, text, store=t.store(), resolve=not keep_open)
    t.emit(value, f"{value['state']}: {value['comments'][0]['text']}")


def acting(t: Terminal, who: str) -> Actor:
    """Who acts: whoever is signed in, or in a local folder somebody by name."""
    actor: Actor = t.ports.acting_as(t.actor, who, store=t.store()) if who else t.actor
    return actor


def _names(given: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(part.strip() for text in given or () for part in text.split(",") if part.strip())


def _shown(status: BatchStatus) -> list[Any]:
    batch_ = status.batch
    values = {
        "batch": batch_.name,
        "state": batch_.state,
        "branch": batch_.branch,
        "label set": batch_.label_set,
        "people": ", ".join(status.people) or "everyone who may",
        "overlap": batch_.overlap,
        "reviewed": f"{batch_.review_share:.0%}",
        **status.progress.to_dict(),
    }
    return [facts(values), *status.notices]


def _work_lines(value: dict[str, Any]) -> list[Any]:
    rows = [[a["id"], a["class"], a["kind"], a["origin"], a["author"]] for a in value["annotations"]]
    head = {
        "assignment": value["assignment"],
        "kind": value["kind"],
        "state": value["state"],
        "sample": value["sample"]["name"],
        "batch": value["batch"]["name"],
        "lease until": value["lease_until"],
    }
    remarks = [f"{r['kind']}: {r['comments'][0]['text']}" for r in value["remarks"] if r["comments"]]
    return [facts(head), table(["annotation", "class", "kind", "origin", "author"], rows), *remarks]
