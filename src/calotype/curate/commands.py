"""Curation commands."""

from __future__ import annotations

from typing import Annotated

import typer

from calotype.curate import embedding, service, vectors
from calotype.curate.model import Selection, SelectionSpec, SplitSpec, fractions
from calotype.foundation.terminal import Terminal, facts, table, terminal


def split(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the dataset.", show_default=False)],
    shares: Annotated[str, typer.Argument(help="Share of each split.")] = "train=.8,val=.1,test=.1",
    by: Annotated[
        str | None, typer.Option(help="Keep samples with the same value of this field in one split.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
) -> None:
    """Assign every sample to a split without leakage."""
    t = terminal(ctx)
    spec = SplitSpec(fractions(shares), by=by, seed=seed)
    value = service.split(t.actor, name, spec, store=t.store()).to_dict()
    t.emit(value, facts(value), next=f"calotype commit {name} -m 'assign splits'")


def curate(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the dataset.", show_default=False)],
    n: Annotated[int, typer.Argument(help="Number of samples to select.", show_default=False)],
    by: Annotated[
        str,
        typer.Option(
            help="auto, clusters, coverage, typical, diverse, uncertain, disagreement, rare, balanced or random."
        ),
    ] = "auto",
    where: Annotated[str | None, typer.Option(help="Only samples that match this query.")] = None,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    model: Annotated[
        str, typer.Option(help="Model of the vectors; by default the best that the dataset has.")
    ] = "",
    predictions: Annotated[
        str,
        typer.Option(help="Label sets of models, such as model:a,model:b, for uncertain and disagreement."),
    ] = "",
    group: Annotated[str, typer.Option(help="Keep the share of each value of this field.")] = "",
    simulate: Annotated[
        bool,
        typer.Option(
            help="Replay the labels that exist: accuracy with up to N labels, of each strategy and of random picks."
        ),
    ] = False,
) -> None:
    """Select samples, each with a reason."""
    t = terminal(ctx)
    spec = SelectionSpec(n, by, where, seed, model, predictions, group)
    if simulate:
        with t.progress() as progress:
            curve = service.simulate(t.actor, name, spec, store=t.store(), progress=progress)
        t.emit(curve.to_dict(), table(*curve.table()))
        return
    with t.progress() as progress:
        selection = service.select(t.actor, name, spec, store=t.store(), progress=progress)
    _show(t, selection)


def _show(t: Terminal, selection: Selection) -> None:
    rows = [[pick.rank, pick.sample_id, pick.reason] for pick in selection.picks]
    t.emit(selection.to_dict(), table(["", "sample", "reason"], rows[:50]))
    t.say(f"picked by {selection.by}" + (f" on {selection.embedder}" if selection.embedder else ""))
    for note in selection.notes:
        t.say(note)


def similar(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the dataset.", show_default=False)],
    sample: Annotated[str, typer.Argument(help="Sample, by id or name.", show_default=False)],
    k: Annotated[int, typer.Option(help="Maximum number of samples.")] = 25,
    model: Annotated[
        str, typer.Option(help="Model of the vectors; required if the dataset has several.")
    ] = "",
    where: Annotated[str | None, typer.Option(help="Only samples that match this query.")] = None,
) -> None:
    """Show the samples most similar to one, by their vectors."""
    t = terminal(ctx)
    hits = vectors.nearest(t.actor, name, model, sample, k, store=t.store(), where=where).to_pylist()
    rows = [[hit["sample_id"], hit["name"], f"{hit['distance']:.4f}"] for hit in hits]
    t.emit(hits, table(["sample", "name", "distance"], rows))


def embed(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Dataset: NAME or NAME@BRANCH.", show_default=False)],
    model: Annotated[
        str, typer.Option(help="Model: default, lite0, hog-colour, or the path of an .onnx file.")
    ] = "default",
) -> None:
    """Compute vectors for the samples that have none of this model."""
    t = terminal(ctx)
    with t.progress() as progress:
        result = embedding.embed(t.actor, name, model, store=t.store(), progress=progress)
    failed = f", {len(result.failed)} images cannot be read" if result.failed else ""
    t.emit(
        result.to_dict(),
        f"{result.model}: {result.made} vectors computed, {result.known} already exist{failed}",
    )
