"""Making derived samples: a pure body (one parent in, its copies out), reading and publishing around it."""

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
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid8
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.store.media.objects import Batch, MediaMissing
from calotype.transform import recipe_plan
from calotype.transform.recipe import Recipe
from calotype.transform.recipe_apply import LabelSets, apply_recipe
from calotype.transform.recipe_labels import Swaps
from calotype.transform.recipe_plan import PARENT_DATASET, PARENT_STATE, WorkItem, Worklist
from calotype.transform.recipe_sampling import RecipeDoesNotFit
from calotype.vision import images
from calotype.vision.masks import RleInvalid

CHUNK = 64
"""Derived samples that are published together; a killed run loses at most this many."""

_EXTENSIONS = {"image/jpeg": ".jpg", "image/png": ".png"}
ShouldStop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Failure:
    """A parent whose copies could not be made."""

    sample_id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Derived:
    """What one run did. `dropped_annotations` counts by reason: outside, barely-visible, too-small."""

    made: int = 0
    unchanged: int = 0
    removed: int = 0
    dropped_annotations: Mapping[str, int] = field(default_factory=dict)
    failed: tuple[Failure, ...] = ()
    recipe: str = ""
    stopped: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        failed = [{"sample": one.sample_id, "name": one.name, "reason": one.reason} for one in self.failed]
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
    """What a run works on: parents in `name`, derived samples in `into` (the same dataset by default)."""

    name: str
    recipe: Recipe
    label_sets: tuple[str, ...]
    into: str = ""
    verb: str = "dataset.derive"

    @property
    def target(self) -> str:
        """Where the derived samples go."""
        return self.into or self.name


@dataclass(frozen=True, slots=True)
class MadeSample:
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
) -> Iterator[MadeSample]:
    """The copies of one parent. Pure: no IO, no clock, no state; the same arguments give the same bytes.

    The sample's `media_sha256` is left empty: whoever stores the bytes knows it.
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
        moved = {
            name: tuple(_renamed(annotation, item.sample_id, name) for annotation in of_set)
            for name, of_set in applied.annotations.items()
        }
        yield MadeSample(sample, data, moved, applied.dropped)


def _extra(item: WorkItem, from_dataset: str) -> dict[str, Any]:
    elsewhere = {PARENT_DATASET: from_dataset} if from_dataset else {}
    return {PARENT_STATE: item.parent_state, "copy": item.copy, **elsewhere}


def _renamed(annotation: Annotation, sample_id: str, label_set: str) -> Annotation:
    ann_id = uuid8(sample_id, label_set, annotation.ann_id)
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
    """Remove what must go, make what is missing, chunk by chunk. What is published stays when stopped."""
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
    """Make these derived samples and publish them: the work of one shard of a pipeline.

    A parent that changed since the items were planned is passed over; the next plan finds it again.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, WorkingStateMoved.
    """
    made, stopped = 0, False
    dropped: Counter[str] = Counter()
    failed: list[Failure] = []
    progress(job.recipe.name, 0, len(items))
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="recipe") as pool:
        done = 0
        for chunk in _chunks(items):
            if should_stop is not None and should_stop():
                stopped = True
                break
            fresh, broken = _make(read(actor, job.name, store=store), job, chunk, store=store, pool=pool)
            published = _publish(actor, job, fresh, store=store)
            made += len(published)
            failed += broken
            for one in published:
                dropped.update(one.dropped)
            done += sum(len(of_parent) for of_parent in chunk)
            progress(job.recipe.name, done, len(items))
    return Derived(made, 0, 0, dict(dropped), tuple(failed), job.recipe.label, stopped)


def _chunks(items: Sequence[WorkItem]) -> Iterator[list[list[WorkItem]]]:
    """Items of one parent together, parents together up to CHUNK items."""
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
) -> tuple[list[MadeSample], list[Failure]]:
    ids = [of_parent[0].parent_id for of_parent in chunk]
    parents = {sample.sample_id: sample for sample in snapshot.iter_samples(ids=ids)}
    states = recipe_plan.parent_states(snapshot, parents.values(), job.label_sets)
    by_set = {name: snapshot.annotations_of(list(parents), name) for name in job.label_sets}
    swaps = recipe_plan.mirror_orders(snapshot)
    elsewhere = snapshot.dataset.name if job.into else ""

    def one(of_parent: list[WorkItem]) -> list[MadeSample] | Failure:
        parent = parents.get(of_parent[0].parent_id)
        if parent is None or states[parent.sample_id] != of_parent[0].parent_state:
            return []
        annotations = {name: of_set[parent.sample_id] for name, of_set in by_set.items()}
        try:
            rgb = images.decode_rgb(snapshot.image_bytes(parent))
            copies = body(
                job.recipe, parent, rgb, annotations, of_parent, swaps=swaps, from_dataset=elsewhere
            )
            return _stored(copies, batch)
        except (images.ImageUnreadable, MediaMissing, RecipeDoesNotFit, RleInvalid) as error:
            return Failure(parent.sample_id, parent.name, error.message)

    with store.media.batch() as batch:
        results = list(pool.map(one, chunk))
    fresh = [made for result in results if not isinstance(result, Failure) for made in result]
    return fresh, [result for result in results if isinstance(result, Failure)]


def _stored(copies: Iterator[MadeSample], batch: Batch) -> list[MadeSample]:
    """The copies with their bytes stored and let go."""
    stored = []
    for made in copies:
        media = batch.put(made.data)
        sample = replace(made.sample, media_sha256=media.sha256, created_at_us=now_us())
        stored.append(replace(made, sample=sample, data=b""))
    return stored


def _publish(actor: Actor, job: Job, fresh: list[MadeSample], *, store: Store) -> list[MadeSample]:
    """Put what was made, unless a parent changed while it was being made. Returns what was put."""
    kept: list[MadeSample] = []
    if not fresh:
        return kept

    def change(target: Snapshot) -> Change:
        source = target if not job.into else read(actor, job.name, store=store)
        ids = list(dict.fromkeys(made.sample.parent_id for made in fresh))
        parents = source.iter_samples(ids=ids)
        states = recipe_plan.parent_states(source, parents, job.label_sets)
        kept[:] = [m for m in fresh if states.get(m.sample.parent_id) == m.sample.extra[PARENT_STATE]]
        ontology = source.ontology if job.into and target.ontology != source.ontology else None
        return replace(_change(target, kept), ontology=ontology)

    details = {"recipe": job.recipe.label, "samples": len(fresh), **({"from": job.name} if job.into else {})}
    edit.apply(actor, job.target, change, store=store, verb=job.verb, details=details)
    return kept


def _change(target: Snapshot, made: list[MadeSample]) -> Change:
    ids = [one.sample.sample_id for one in made]
    put: dict[str, list[Annotation]] = {}
    for one in made:
        for name, of_set in one.annotations.items():
            put.setdefault(name, []).extend(of_set)
    gone: dict[str, list[str]] = {}
    for name in target.label_sets:
        new = {annotation.ann_id for annotation in put.get(name, ())}
        held = target.annotations(name, sample_ids=ids, columns=["ann_id"])["ann_id"].to_pylist()
        stale = [ann_id for ann_id in held if ann_id not in new]
        if stale:
            gone[name] = stale
    filled = {name: of_set for name, of_set in put.items() if of_set}
    return Change(put_samples=[one.sample for one in made], put_annotations=filled, remove_annotations=gone)


def _remove(actor: Actor, job: Job, ids: Sequence[str], *, store: Store) -> int:
    if not ids:
        return 0
    details = {"recipe": job.recipe.label, "removed": len(ids)}
    edit.apply(actor, job.target, Change(remove_samples=ids), store=store, verb=job.verb, details=details)
    return len(ids)
