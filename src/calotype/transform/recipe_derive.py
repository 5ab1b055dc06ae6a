"""Makes derived samples: a pure body (one parent in, its copies out), with reading and publishing around it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from calotype.datasets import edit
from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Sample
from calotype.datasets.reading import read
from calotype.datasets.row_ids import id_in_copy
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.store.media.combined import NOT_DECODED
from calotype.store.media.objects import Batch
from calotype.transform import recipe_plan
from calotype.transform.recipe import Recipe
from calotype.transform.recipe_apply import LabelSets, apply_recipe
from calotype.transform.recipe_labels import Swaps
from calotype.transform.recipe_plan import PARENT_DATASET, PARENT_STATE, WorkItem, Worklist
from calotype.transform.recipe_sampling import RecipeDoesNotFit
from calotype.vision import images
from calotype.vision.masks import RleInvalid

CHUNK = 64
"""Number of derived samples published together; an interrupted run loses at most this many."""

_EXTENSIONS = {"image/jpeg": ".jpg", "image/png": ".png"}
ShouldStop = Callable[[], bool]

_NO_COPY = (*NOT_DECODED, RecipeDoesNotFit, RleInvalid)
"""Why one parent gets no copy."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A parent whose copies could not be made."""

    sample_id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Derived:
    """The result of a run. `dropped_annotations` counts by reason: outside, barely-visible, too-small."""

    made: int = 0
    unchanged: int = 0
    removed: int = 0
    dropped_annotations: Mapping[str, int] = field(default_factory=dict)
    failed: tuple[Failure, ...] = ()
    recipe: str = ""
    stopped: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values."""
        failed = [{"sample": f.sample_id, "name": f.name, "reason": f.reason} for f in self.failed]
        return {
            "recipe": self.recipe,
            "made": self.made,
            "unchanged": self.unchanged,
            "removed": self.removed,
            "dropped_annotations": dict(self.dropped_annotations),
            "failed": failed,
            "stopped": self.stopped,
        }


@dataclass(frozen=True, slots=True)
class Job:
    """The task of a run: parents in `name`, derived samples in `into` (by default the same dataset).

    The edits of one run share `run_id`, and are undone together.
    """

    name: str
    recipe: Recipe
    label_sets: tuple[str, ...]
    into: str = ""
    verb: str = "dataset.derive"
    run_id: str = field(default_factory=uuid7)

    @property
    def target(self) -> str:
        """The dataset that gets the derived samples."""
        return self.into or self.name


@dataclass(frozen=True, slots=True)
class NewSample:
    """A derived sample with its bytes and annotations, not yet stored."""

    sample: Sample
    data: bytes
    annotations: LabelSets
    dropped: Mapping[str, int]


def body(
    recipe: Recipe,
    parent: Sample,
    rgb: npt.NDArray[np.uint8],
    annotations: LabelSets,
    items: Sequence[WorkItem],
    *,
    swaps: Swaps,
    from_dataset: str = "",
) -> Iterator[NewSample]:
    """The copies of one parent. Pure: no IO, no clock, no state; the same arguments give the same bytes.

    The samples' `media_sha256` is empty until their bytes are stored.
    Raises: RecipeDoesNotFit.
    """
    for item in items:
        applied = apply_recipe(
            recipe, rgb, annotations, media_sha256=parent.media_sha256, copy=item.copy, swaps=swaps
        )
        data, mime = applied.encode(parent.mime)
        sample = replace(
            parent,
            sample_id=item.sample_id,
            media_sha256="",
            name=item.name_stem + _EXTENSIONS[mime],
            names=(),
            width_px=applied.rgb.shape[1],
            height_px=applied.rgb.shape[0],
            mime=mime,
            n_bytes=len(data),
            extra=_extra(item, from_dataset),
            parent_id=parent.sample_id,
            recipe=recipe.label,
            import_id="",
        )
        copied = {
            name: tuple(_copied(annotation, item.sample_id, name) for annotation in of_set)
            for name, of_set in applied.annotations.items()
        }
        yield NewSample(sample, data, copied, applied.dropped)


def _extra(item: WorkItem, from_dataset: str) -> dict[str, Any]:
    parent_dataset = {PARENT_DATASET: from_dataset} if from_dataset else {}
    return {PARENT_STATE: item.parent_state, "copy": item.copy, **parent_dataset}


def _copied(annotation: Annotation, sample_id: str, label_set: str) -> Annotation:
    ann_id = id_in_copy(sample_id, label_set, annotation.ann_id)
    return replace(annotation, ann_id=ann_id, sample_id=sample_id, source_id="", import_id="")


def run(
    actor: Actor,
    job: Job,
    worklist: Worklist,
    *,
    store: Store,
    progress: Progress = silent,
    should_stop: ShouldStop | None = None,
) -> Derived:
    """Remove outdated derived samples and make missing ones, chunk by chunk. A stopped run keeps what it published."""
    removed = _remove(actor, job, worklist.remove, store=store)
    done = process(actor, job, worklist.items, store=store, progress=progress, should_stop=should_stop)
    return replace(done, unchanged=worklist.unchanged, removed=removed)


def process(
    actor: Actor,
    job: Job,
    items: Sequence[WorkItem],
    *,
    store: Store,
    progress: Progress = silent,
    should_stop: ShouldStop | None = None,
) -> Derived:
    """Make these derived samples and publish them.

    Parents that changed since the plan was made are skipped; the next plan includes them again.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, WorkingStateMoved.
    """
    n_published, stopped = 0, False
    dropped: Counter[str] = Counter()
    failed: list[Failure] = []
    progress(job.recipe.name, 0, len(items))
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="recipe") as pool:
        done = 0
        for chunk in _chunks(items):
            if should_stop is not None and should_stop():
                stopped = True
                break
            new_samples, failures = _make(
                read(actor, job.name, store=store), job, chunk, store=store, pool=pool
            )
            published = _publish(actor, job, new_samples, store=store)
            n_published += len(published)
            failed += failures
            for new in published:
                dropped.update(new.dropped)
            done += sum(len(of_parent) for of_parent in chunk)
            progress(job.recipe.name, done, len(items))
    return Derived(n_published, 0, 0, dict(dropped), tuple(failed), job.recipe.label, stopped)


def _chunks(items: Sequence[WorkItem]) -> Iterator[list[list[WorkItem]]]:
    """Items grouped by parent, and parents in chunks of up to CHUNK items."""
    by_parent: dict[str, list[WorkItem]] = {}
    for item in items:
        by_parent.setdefault(item.parent_id, []).append(item)
    chunk: list[list[WorkItem]] = []
    for of_parent in by_parent.values():
        if chunk and sum(map(len, chunk)) + len(of_parent) > CHUNK:
            yield chunk
            chunk = []
        chunk.append(of_parent)
    if chunk:
        yield chunk


def _make(
    snapshot: Snapshot, job: Job, chunk: list[list[WorkItem]], *, store: Store, pool: ThreadPoolExecutor
) -> tuple[list[NewSample], list[Failure]]:
    ids = [of_parent[0].parent_id for of_parent in chunk]
    parents = {sample.sample_id: sample for sample in snapshot.iter_samples(ids=ids)}
    states = recipe_plan.parent_states(snapshot, parents.values(), job.label_sets)
    by_set = {name: snapshot.annotations_of(list(parents), name) for name in job.label_sets}
    swaps = recipe_plan.mirror_orders(snapshot)
    from_dataset = snapshot.dataset.name if job.into else ""

    def copies_of(of_parent: list[WorkItem]) -> list[NewSample] | Failure:
        parent = parents.get(of_parent[0].parent_id)
        if parent is None or states[parent.sample_id] != of_parent[0].parent_state:
            return []
        annotations = {name: of_set[parent.sample_id] for name, of_set in by_set.items()}
        try:
            rgb = images.decode_rgb(snapshot.image_bytes(parent))
            copies = body(
                job.recipe, parent, rgb, annotations, of_parent, swaps=swaps, from_dataset=from_dataset
            )
            return _store_media(copies, batch)
        except _NO_COPY as error:
            return Failure(parent.sample_id, parent.name, error.message)

    with store.media.batch() as batch:
        results = list(pool.map(copies_of, chunk))
    new_samples = [new for result in results if not isinstance(result, Failure) for new in result]
    return new_samples, [result for result in results if isinstance(result, Failure)]


def _store_media(copies: Iterator[NewSample], batch: Batch) -> list[NewSample]:
    """Store the bytes of the copies; the returned samples refer to them by hash and no longer hold them."""
    stored = []
    for new in copies:
        media = batch.put(new.data)
        sample = replace(new.sample, media_sha256=media.sha256, created_at_us=now_us())
        stored.append(replace(new, sample=sample, data=b""))
    return stored


def _publish(actor: Actor, job: Job, new_samples: list[NewSample], *, store: Store) -> list[NewSample]:
    """Add the new samples to the dataset, except those whose parent changed meanwhile. Returns the added ones."""
    current: list[NewSample] = []
    if not new_samples:
        return current

    def change(target: Snapshot) -> Change:
        source = target if not job.into else read(actor, job.name, store=store)
        ids = list(dict.fromkeys(new.sample.parent_id for new in new_samples))
        parents = source.iter_samples(ids=ids)
        states = recipe_plan.parent_states(source, parents, job.label_sets)
        current[:] = [
            new for new in new_samples if states.get(new.sample.parent_id) == new.sample.extra[PARENT_STATE]
        ]
        ontology = source.ontology if job.into and target.ontology != source.ontology else None
        return replace(_change(target, current), ontology=ontology)

    details = {
        "recipe": job.recipe.label,
        "run": job.run_id,
        "samples": len(new_samples),
        **({"from": job.name} if job.into else {}),
    }
    edit.apply(actor, job.target, change, store=store, verb=job.verb, details=details)
    return current


def _change(target: Snapshot, new_samples: list[NewSample]) -> Change:
    ids = [new.sample.sample_id for new in new_samples]
    put: dict[str, list[Annotation]] = {}
    for new in new_samples:
        for name, of_set in new.annotations.items():
            put.setdefault(name, []).extend(of_set)
    stale: dict[str, list[str]] = {}
    for name in target.label_sets:
        new_ids = {annotation.ann_id for annotation in put.get(name, ())}
        present = target.annotations(name, sample_ids=ids, columns=["ann_id"])["ann_id"].to_pylist()
        stale_ids = [ann_id for ann_id in present if ann_id not in new_ids]
        if stale_ids:
            stale[name] = stale_ids
    put = {name: of_set for name, of_set in put.items() if of_set}
    return Change(
        put_samples=[new.sample for new in new_samples], put_annotations=put, remove_annotations=stale
    )


def _remove(actor: Actor, job: Job, ids: Sequence[str], *, store: Store) -> int:
    if not ids:
        return 0
    details = {"recipe": job.recipe.label, "run": job.run_id, "removed": len(ids)}
    edit.apply(actor, job.target, Change(remove_samples=ids), store=store, verb=job.verb, details=details)
    return len(ids)
