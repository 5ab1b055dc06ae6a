"""Curation verbs: split without leakage, select samples with reasons, tag a selection."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from calotype.curate import known, picking, splitting, strategies
from calotype.curate.model import (
    NothingToCurate,
    Selection,
    SelectionNameInvalid,
    SelectionSpec,
    SelectionTooLarge,
    SplitResult,
    SplitSpec,
    StrategyUnknown,
)
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.snapshot import Snapshot, Where
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.progress import Progress, silent
from calotype.foundation.verbs import verb
from calotype.selection.select import NAMES
from calotype.selection.simulate import Curve
from calotype.selection.simulate import simulate as replayed
from calotype.store import Store

STRATEGIES = NAMES
TAG_PREFIX = "picked:"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}")


@verb
def split(actor: Actor, name: str, spec: SplitSpec, *, store: Store) -> SplitResult:
    """Assign a split to every original sample without leakage; derived samples follow their parent.

    Samples stay together if they share a `group`, a value of `spec.by`, their bytes or an ancestor, or are listed in
    `spec.together`. Classes are spread as evenly as that allows. The same content and seed give the same split,
    whatever the ids are.

    Args:
        name: Dataset, or `dataset@branch`.
    Raises: NotPermitted, FractionsInvalid, SplitFieldUnknown, QueryInvalid, DatasetNotFound, RefNotFound.
    """
    spec.check()
    plans: list[splitting.SplitPlan] = []
    fractions = dict(spec.fractions)
    details = {"fractions": fractions, "by": spec.by, "seed": spec.seed, "keep_existing": spec.keep_existing}

    def plan(snapshot: Snapshot) -> Change:
        pool = _pool(snapshot, spec.where, spec.pool)
        split_plan = splitting.plan(snapshot, replace(spec, where=None, pool=pool))
        plans.append(split_plan)
        changed = snapshot.iter_samples(ids=sorted(split_plan.new_splits))
        return Change(
            put_samples=[replace(sample, split=split_plan.new_splits[sample.sample_id]) for sample in changed]
        )

    datasets.apply(actor, name, plan, store=store, verb="curate.split", details=details)
    return plans[-1].result


@verb
def select(
    actor: Actor, name: str, spec: SelectionSpec, *, store: Store, progress: Progress = silent
) -> Selection:
    """Pick original samples, each with a reason. Nothing is written except a cache of vectors.

    Args:
        name: `dataset` or `dataset@ref`.
    Raises: NotPermitted, StrategyUnknown, NothingToCurate, SelectionTooLarge, EmbedderUnknown, QueryInvalid,
        LabelSetNotFound, SplitFieldUnknown, InputsInvalid (the strategy needs predictions).
    """
    if spec.by not in STRATEGIES:
        raise StrategyUnknown(got=spec.by[:80], known=", ".join(STRATEGIES))
    snapshot = datasets.read(actor, name, store=store)
    candidates = picking.candidates(snapshot, snapshot.ids(spec.where), seed=spec.seed)
    _check_size(snapshot, spec.n, len(candidates))
    if spec.by == "random" and not spec.group:
        picks = picking.at_random(candidates, spec.n, seed=spec.seed)
        chosen = strategies.Chosen(picks, "random", "", 0, ())
    else:
        chosen = strategies.choose(snapshot, candidates, spec, store=store, progress=progress)
    return Selection(
        snapshot.dataset.name,
        chosen.by,
        spec.seed,
        chosen.embedder,
        snapshot.state_sha256,
        chosen.picks,
        chosen.unreadable,
        chosen.notes,
    )


@verb
def simulate(
    actor: Actor, name: str, spec: SelectionSpec, *, store: Store, progress: Progress = silent
) -> Curve:
    """Replay the labels of a dataset: the accuracy of a linear model with up to `spec.n` labels, by strategy.

    A sample's class is that of most of its annotations. Nothing is written except a cache of vectors.

    Args:
        name: `dataset` or `dataset@ref`.
    Raises: NotPermitted, NothingToCurate, EmbedderUnknown, VectorsNotFound, QueryInvalid,
        InputsInvalid (too few labels).
    """
    snapshot = datasets.read(actor, name, store=store)
    candidates = picking.candidates(snapshot, snapshot.ids(spec.where), seed=spec.seed)
    _check_size(snapshot, 1, len(candidates))
    pool = strategies.pool_of(snapshot, candidates, spec, store=store, progress=progress)
    labels = known.classes_of(snapshot, pool.ids())
    return replayed(pool.vectors, labels, spec.n, seed=spec.seed, progress=progress)


@verb
def apply_selection(
    actor: Actor, name: str, selection: Selection, selection_name: str, *, store: Store
) -> int:
    """Tag the selected samples with `picked:NAME` and remove that tag from all others.

    Samples that were removed since are skipped. The query `tags has "picked:NAME"` finds the selection.

    Returns: Number of tagged samples.
    Raises: NotPermitted, SelectionNameInvalid, DatasetNotFound, RefNotFound.
    """
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=name.partition("@")[0])
    if not _NAME.fullmatch(selection_name):
        raise SelectionNameInvalid(got=selection_name[:80])
    tag = TAG_PREFIX + selection_name
    selected = set(selection.sample_ids)
    counts: list[int] = []

    def plan(snapshot: Snapshot) -> Change:
        table = snapshot.samples(columns=["sample_id", "tags"])
        rows = list(zip(table["sample_id"].to_pylist(), table["tags"].to_pylist(), strict=True))
        changed = [i for i, tags in rows if (i in selected) != (tag in (tags or ()))]
        counts.append(sum(1 for i, _ in rows if i in selected))
        samples = snapshot.iter_samples(ids=changed)
        put = [
            replace(s, tags=_with(s.tags, tag) if s.sample_id in selected else _without(s.tags, tag))
            for s in samples
        ]
        return Change(put_samples=put)

    details = {
        "selection": selection_name,
        "by": selection.by,
        "seed": selection.seed,
        "embedder": selection.embedder,
        "picks": len(selection.picks),
    }
    datasets.apply(actor, name, plan, store=store, verb="curate.select", details=details)
    return counts[-1]


def _check_size(snapshot: Snapshot, n: int, available: int) -> None:
    if not available:
        raise NothingToCurate(dataset=snapshot.dataset.name)
    if not 1 <= n <= available:
        raise SelectionTooLarge(n=n, dataset=snapshot.dataset.name, available=available)


def _pool(snapshot: Snapshot, where: Where, pool: Collection[str] | None) -> frozenset[str] | None:
    if where is None:
        return None if pool is None else frozenset(pool)
    matching = frozenset(snapshot.ids(where))
    return matching if pool is None else matching & frozenset(pool)


def _with(tags: tuple[str, ...], tag: str) -> tuple[str, ...]:
    return tags if tag in tags else (*tags, tag)


def _without(tags: tuple[str, ...], tag: str) -> tuple[str, ...]:
    return tuple(other for other in tags if other != tag)
