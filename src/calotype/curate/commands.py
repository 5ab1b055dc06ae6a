"""The command line of curate."""

from __future__ import annotations

from typing import Annotated

import typer

from calotype.curate import embedding, service, vectors
from calotype.curate.model import fractions
from calotype.foundation.terminal import facts, table, terminal


def split(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The dataset.", show_default=False)],
    shares: Annotated[
        str, typer.Argument(help="For example train=.8,val=.1,test=.1")
    ] = "train=.8,val=.1,test=.1",
    by: Annotated[
        str | None, typer.Option(help="Keep samples with the same value of this field together.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another split.")] = 0,
) -> None:
    """Give every sample a split so that nothing leaks."""
    t = terminal(ctx)
    result = service.split(t.actor, name, fractions(shares), store=t.store(), by=by, seed=seed)
    value = result.to_dict()
    t.emit(value, facts(value), next=f"calotype commit {name} -m 'assign splits'")


def curate(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The dataset.", show_default=False)],
    n: Annotated[int, typer.Argument(help="How many samples to pick.", show_default=False)],
    by: Annotated[str, typer.Option(help="random or diversity.")] = "random",
    where: Annotated[str | None, typer.Option(help="Only samples that match this query.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another choice.")] = 0,
) -> None:
    """Pick samples, each with its reason."""
    t = terminal(ctx)
    with t.progress() as progress:
        picked = service.select(
            t.actor, name, n, store=t.store(), by=by, where=where, seed=seed, progress=progress
        )
    rows = [[pick.rank, pick.sample_id, pick.reason] for pick in picked.picks]
    t.emit(picked.to_dict(), table(["", "sample", "reason"], rows[:50]))


def similar(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The dataset.", show_default=False)],
    sample: Annotated[str, typer.Argument(help="A sample, by id or name.", show_default=False)],
    k: Annotated[int, typer.Option(help="How many samples to show.")] = 25,
    model: Annotated[str, typer.Option(help="Whose vectors; needed when there are several.")] = "",
    where: Annotated[str | None, typer.Option(help="Only samples that match this query.")] = None,
) -> None:
    """Show the samples whose vectors lie nearest to those of one; put vectors in Python, with `put_vectors`."""
    t = terminal(ctx)
    found = vectors.nearest(t.actor, name, model, sample, k, store=t.store(), where=where).to_pylist()
    rows = [[row["sample_id"], row["name"], f"{row['distance']:.4f}"] for row in found]
    t.emit(found, table(["sample", "name", "distance"], rows))


def embed(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A dataset: NAME or NAME@BRANCH.", show_default=False)],
    model: Annotated[
        str, typer.Option(help="default, lite0, hog-colour-v1, or a model file that ends in .onnx.")
    ] = "default",
) -> None:
    """Make a vector of each sample that has none by this model yet."""
    t = terminal(ctx)
    with t.progress() as progress:
        done = embedding.embed(t.actor, name, model, store=t.store(), progress=progress)
    said = f"{done.made} vectors made by {done.model}, {done.known} were there"
    t.emit(done.to_dict(), said + (f", {len(done.failed)} samples have no picture" if done.failed else ""))
