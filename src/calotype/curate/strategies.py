"""Select samples of a dataset by a strategy of `analysis`, with its vectors, classes, predictions and contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.curate import known, picking
from calotype.curate.model import Pick, SelectionSpec, SelectionTooLarge, SplitFieldUnknown
from calotype.curate.picking import Candidate
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.progress import Progress
from calotype.models.registry import HOG_COLOUR, embedder, full_name
from calotype.selection.select import select
from calotype.store import Store

BETTER = (
    "these vectors see layout and colour only: `calotype embed {dataset} --model lite0` stores better ones"
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Picks, the strategy and vectors that gave them, and what else is worth knowing."""

    picks: tuple[Pick, ...]
    by: str
    embedder: str
    unreadable: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pool:
    """Candidates with vectors, (N, D)."""

    candidates: list[Candidate]
    vectors: npt.NDArray[np.float32]
    model: str

    def ids(self) -> list[str]:
        """Sample ids."""
        return [candidate.sample_id for candidate in self.candidates]


def choose(
    snapshot: Snapshot,
    candidates: Sequence[Candidate],
    spec: SelectionSpec,
    *,
    store: Store,
    progress: Progress,
) -> Chosen:
    """Raises: SelectionTooLarge, EmbedderUnknown, VectorsNotFound, LabelSetNotFound, InputsInvalid."""
    pool = pool_of(snapshot, candidates, spec, store=store, progress=progress)
    if spec.n > len(pool.candidates):
        raise SelectionTooLarge(n=spec.n, dataset=snapshot.dataset.name, available=len(pool.candidates))
    notes = [BETTER.format(dataset=snapshot.dataset.name)] if pool.model in known.WEIGHTLESS else []
    labels = known.classes_of(snapshot, pool.ids())
    n_unlabelled = int((labels < 0).sum())
    if n_unlabelled < spec.n:
        notes.append(f"{n_unlabelled} samples have no labels, so labelled ones are picked too")
        labels = np.full(len(labels), -1)
    if spec.by == "rare" and (lacking := known.lacking(snapshot, pool.ids())):
        picks, by = _rare(pool, labels, lacking, spec)
    else:
        picks, by = _plain(snapshot, pool, labels, spec)
    if len(picks) < spec.n:
        notes.append(
            f"{spec.n - len(picks)} fewer than wanted: all others are copies of picks or of labelled samples"
        )
    return Chosen(picks, by, pool.model, len(candidates) - len(pool.candidates), tuple(notes))


def pool_of(
    snapshot: Snapshot,
    candidates: Sequence[Candidate],
    spec: SelectionSpec,
    *,
    store: Store,
    progress: Progress,
) -> Pool:
    """The candidates that have a vector: of the model that is named, else of the best one that is stored."""
    by_id = {candidate.sample_id: candidate for candidate in candidates}
    model = full_name(spec.embedder) if spec.embedder else known.best_model(store, snapshot, list(by_id))
    if model and model in known.stored_models(snapshot):
        ids, vectors = known.stored_vectors(store, snapshot, model, list(by_id))
        return Pool([by_id[sample_id] for sample_id in ids], vectors, model)
    runner = embedder(model or HOG_COLOUR)
    readable, vectors = picking.embed_candidates(snapshot, candidates, runner, store=store, progress=progress)
    return Pool(readable, vectors, runner.name)


def _plain(
    snapshot: Snapshot, pool: Pool, labels: npt.NDArray[np.int64], spec: SelectionSpec
) -> tuple[tuple[Pick, ...], str]:
    sets = [name for name in spec.predictions.split(",") if name]
    models = [known.predictions_of(snapshot, pool.ids(), name) for name in sets]
    probs = None if not models else models[0] if len(models) == 1 else np.stack(models)
    groups = _groups(snapshot, pool, spec.group)
    picked = select(pool.vectors, spec.n, spec.by, labels=labels, probs=probs, groups=groups, seed=spec.seed)
    rows = zip(picked.picked.tolist(), picked.scores.tolist(), picked.reasons, strict=True)
    return tuple(
        _pick(pool, row, rank, reason, score) for rank, (row, score, reason) in enumerate(rows, 1)
    ), picked.by


def _rare(
    pool: Pool, labels: npt.NDArray[np.int64], lacking: Sequence[known.Lacking], spec: SelectionSpec
) -> tuple[tuple[Pick, ...], str]:
    """Fill the conditions that lack samples, emptiest first; what is left covers the rest."""
    labels = labels.copy()
    picks: list[Pick] = []
    for one in [*lacking, None]:
        matching = np.asarray([one is None or sample_id in one.ids for sample_id in pool.ids()])
        n = spec.n - len(picks) if one is None else min(one.minimum - one.n, spec.n - len(picks))
        picked = select(pool.vectors, n, "coverage", labels=labels, exclude=~matching, seed=spec.seed)
        why = "" if one is None else f"{one.title}: {one.n} of {one.minimum} samples; "
        for row, score, reason in zip(
            picked.picked.tolist(), picked.scores.tolist(), picked.reasons, strict=True
        ):
            picks.append(_pick(pool, row, len(picks) + 1, why + reason, score))
        labels[picked.picked] = 0
    return tuple(picks), "rare"


def _pick(pool: Pool, row: int, rank: int, reason: str, score: float) -> Pick:
    sample = pool.candidates[row]
    return Pick(sample.sample_id, sample.name, rank, reason, round(score, 6))


def _groups(snapshot: Snapshot, pool: Pool, field: str) -> npt.NDArray[np.str_] | None:
    if not field:
        return None
    fields = ["group", "source", "licence", "split", *snapshot.fields]
    if field not in fields:
        raise SplitFieldUnknown(dataset=snapshot.dataset.name, got=field[:80], known=", ".join(fields))
    return np.asarray(known.values_of(snapshot, pool.ids(), field))
