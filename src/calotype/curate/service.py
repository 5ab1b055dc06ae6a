"""The verbs of curating: split without leakage, select with reasons, and tag what was selected."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from calotype.curate import picking, splitting
from calotype.curate.model import (
    NothingToCurate,
    Selection,
    SelectionNameInvalid,
    SelectionTooLarge,
    SplitResult,
    StrategyUnknown,
)
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.snapshot import Snapshot, Where
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.progress import Progress, silent
from calotype.models.registry import HOG_COLOUR
from calotype.models.registry import embedder as embedder_named
from calotype.store import Store

STRATEGIES = ("diversity", "random")
TAG_PREFIX = "picked:"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}")


def split(
    actor: Actor,
    name: str,
    fractions: Mapping[str, float],
    *,
    store: Store,
    by: str | None = None,
    stratify: bool = True,
    seed: int = 0,
    keep_existing: bool = True,
    where: Where = None,
    pool: Collection[str] | None = None,
    together: Sequence[Sequence[str]] = (),
) -> SplitResult:
    """Give every original sample a split so that nothing leaks; derived samples follow their parent.

    What stays on one side: samples of one `group`, of one value of `by`, with the same bytes, parent and
    children, and the lists in `together` (look-alikes). Classes are spread evenly as far as that allows. The
    same content and seed give the same split, whatever the ids are.

    Args:
        name: Dataset, or `dataset@branch`.
        fractions: Share of each split, together 1.
        by: A metadata field, or `group`, `source`, `licence`, `folder`.
        keep_existing: Samples that are in one of these splits stay there, and new ones of their group join
            them.
        where, pool: Only these samples (a query, sample ids); others keep what they have unless that would
            leak.
    Raises: NotPermitted, FractionsInvalid, SplitFieldUnknown, QueryInvalid, DatasetNotFound, RefNotFound.
    """
    made: list[splitting.Outcome] = []
    wish = splitting.Wish(dict(fractions), by, stratify, seed, keep_existing, tuple(together))
    wish.check()
    details = {"fractions": dict(fractions), "by": by, "seed": seed, "keep_existing": keep_existing}

    def plan(snapshot: Snapshot) -> Change:
        outcome = splitting.plan(snapshot, replace(wish, pool=_pool(snapshot, where, pool)))
        made.append(outcome)
        moved = snapshot.iter_samples(ids=sorted(outcome.moved))
        return Change(
            put_samples=[replace(sample, split=outcome.moved[sample.sample_id]) for sample in moved]
        )

    datasets.apply(actor, name, plan, store=store, verb="curate.split", details=details)
    return made[-1].result


def select(
    actor: Actor,
    name: str,
    n: int,
    *,
    store: Store,
    by: str = "random",
    where: Where = None,
    seed: int = 0,
    embedder: str = HOG_COLOUR,
    progress: Progress = silent,
) -> Selection:
    """Pick `n` original samples, each with the reason for it. Nothing is written except a cache of vectors.

    Args:
        name: `dataset` or `dataset@ref`.
        by: `random`, or `diversity`: each pick is the one farthest from those before it.
        embedder: For `diversity`; the default computes gradients and colours without learned weights.
    Raises: NotPermitted, StrategyUnknown, NothingToCurate, SelectionTooLarge, EmbedderUnknown, QueryInvalid.
    """
    if by not in STRATEGIES:
        raise StrategyUnknown(got=by[:80], known=", ".join(STRATEGIES))
    snapshot = datasets.read(actor, name, store=store)
    ids = snapshot.ids(where)
    found = picking.candidates(snapshot, ids, seed=seed)
    _enough(snapshot, n, len(found))
    if by == "random":
        picks, unreadable, used = picking.at_random(found, n, seed=seed), 0, ""
    else:
        model = embedder_named(embedder)
        readable, vectors = picking.embedded(snapshot, found, model, store=store, progress=progress)
        _enough(snapshot, n, len(readable))
        picks = picking.by_diversity(readable, vectors, n, seed=seed)
        unreadable, used = len(found) - len(readable), model.name
    return Selection(snapshot.dataset.name, by, seed, used, snapshot.state_sha256, picks, unreadable)


def apply_selection(
    actor: Actor, name: str, selection: Selection, selection_name: str, *, store: Store
) -> int:
    """Tag the picked samples `picked:NAME`, and take that tag off all others. Returns how many samples carry
    it.

    Samples that went away since are left out. Find them again with the query `tags has "picked:NAME"`.

    Raises: NotPermitted, SelectionNameInvalid, DatasetNotFound, RefNotFound.
    """
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=name.partition("@")[0])
    if not _NAME.fullmatch(selection_name):
        raise SelectionNameInvalid(got=selection_name[:80])
    tag = TAG_PREFIX + selection_name
    wanted = set(selection.sample_ids)
    tagged: list[int] = []

    def plan(snapshot: Snapshot) -> Change:
        table = snapshot.samples(columns=["sample_id", "tags"])
        rows = list(zip(table["sample_id"].to_pylist(), table["tags"].to_pylist(), strict=True))
        touched = [i for i, tags in rows if (i in wanted) != (tag in (tags or ()))]
        tagged.append(sum(1 for i, _ in rows if i in wanted))
        samples = snapshot.iter_samples(ids=touched)
        put = [
            replace(s, tags=_with(s.tags, tag) if s.sample_id in wanted else _without(s.tags, tag))
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
    return tagged[-1]


def _enough(snapshot: Snapshot, n: int, available: int) -> None:
    if not available:
        raise NothingToCurate(dataset=snapshot.dataset.name)
    if not 1 <= n <= available:
        raise SelectionTooLarge(n=n, dataset=snapshot.dataset.name, available=available)


def _pool(snapshot: Snapshot, where: Where, pool: Collection[str] | None) -> frozenset[str] | None:
    if where is None:
        return None if pool is None else frozenset(pool)
    found = frozenset(snapshot.ids(where))
    return found if pool is None else found & frozenset(pool)


def _with(tags: tuple[str, ...], tag: str) -> tuple[str, ...]:
    return tags if tag in tags else (*tags, tag)


def _without(tags: tuple[str, ...], tag: str) -> tuple[str, ...]:
    return tuple(kept for kept in tags if kept != tag)
