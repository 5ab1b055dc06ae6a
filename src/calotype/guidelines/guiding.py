"""The verbs of guidelines: write, publish, read, compare and acknowledge them; list the labels that are stale."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.datasets.commits import DatasetInfo
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.snapshot import LabelSetNotFound, SampleNotFound, Snapshot
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.verbs import verb
from calotype.guidelines import repository, staleness, text
from calotype.guidelines.model import (
    Example,
    Guideline,
    GuidelineDiff,
    GuidelineInvalid,
    GuidelineNotFound,
    GuidelineNotPublished,
    GuidelineText,
    Reading,
    Stale,
    Touch,
)
from calotype.guidelines.planning import class_named
from calotype.guidelines.repository import DRAFT, PUBLISHED
from calotype.store import Store
from calotype.vision.ontology import Ontology

_FIRST = "First version"


@verb
def new_guideline(
    actor: Actor,
    name: str,
    markdown: str,
    *,
    store: Store,
    touches: Sequence[str] = (),
    changelog: str = "",
    file: str = "guideline",
) -> Guideline:
    """Write a draft of the next version; a draft that was not published is replaced.

    Args:
        name: The dataset; classes and samples are those of its working state.
        markdown: The text, whose head in YAML may hold changelog, touches and examples.
        touches: Classes (`car`) and attributes (`car.occluded`) whose labels become stale by it.
        changelog: What changed, in a line.
    Raises: NotPermitted, DatasetNotFound, GuidelineInvalid, ClassUnknown, SampleNotFound.
    """
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.GUIDELINE_EDIT, dataset=dataset)
    parsed = text.parse(markdown, changelog=changelog, touches=touches, file=file)
    written = _resolved(datasets.read(actor, name, store=store), parsed)
    with store.catalog.write(actor, "guideline.write", subject=dataset) as tx:
        info = refs.dataset(tx.conn, dataset)
        draft = _next(tx.conn, info, actor, parsed, written)
        repository.keep(tx.conn, info.id, draft, written.ontology.to_json())
        tx.details({"version": draft.version, "touches": [str(one) for one in draft.touches]})
    return draft


@verb
def publish_guideline(
    actor: Actor,
    name: str,
    markdown: str | None = None,
    *,
    store: Store,
    touches: Sequence[str] = (),
    changelog: str = "",
    file: str = "guideline",
) -> Guideline:
    """Publish the draft, or a text at once; what is published never changes.

    Touches and changelog replace those of the draft, if they are given; from the second version on, a changelog is
    needed.

    Raises: NotPermitted, DatasetNotFound, GuidelineNotFound (no draft), GuidelineInvalid, ClassUnknown, SampleNotFound.
    """
    dataset, _ = refs.split_name(name)
    store.guard.require(actor, Permission.GUIDELINE_EDIT, dataset=dataset)
    parsed = None
    if markdown is not None:
        parsed = text.parse(markdown, changelog=changelog, touches=touches, file=file)
    snapshot = datasets.read(actor, name, store=store)
    with store.catalog.write(actor, "guideline.publish", subject=dataset) as tx:
        info = refs.dataset(tx.conn, dataset)
        if parsed is not None:
            draft = _next(tx.conn, info, actor, parsed, _resolved(snapshot, parsed))
        else:
            draft = _draft_again(tx.conn, info, snapshot, touches, changelog)
        if not draft.changelog and draft.version > 1:
            hint = "say what changed with --changelog, or in the head of the file"
            raise GuidelineInvalid(where=dataset, detail="it has no line for the changelog", hint=hint)
        published = replace(
            draft,
            state=PUBLISHED,
            changelog=draft.changelog or _FIRST,
            published_by=actor.name,
            published_at_us=now_us(),
        )
        repository.keep(tx.conn, info.id, published, snapshot.ontology.to_json())
        tx.details({"version": published.version, "touches": [str(one) for one in published.touches]})
    return published


@verb
def guideline(actor: Actor, name: str, version: int = 0, *, store: Store) -> Guideline:
    """A version of the guideline; 0 is the newest published one. Drafts are for those who may write guidelines.

    Raises: NotPermitted, DatasetNotFound, GuidelineNotFound.
    """
    dataset = _readable(actor, name, store)
    with store.catalog.read() as conn:
        return _version(conn, refs.dataset(conn, dataset), version, _may_edit(actor, dataset, store))


@verb
def guidelines(actor: Actor, name: str, *, store: Store) -> list[Guideline]:
    """The versions, newest first; drafts for those who may write guidelines.

    Raises: NotPermitted, DatasetNotFound.
    """
    dataset = _readable(actor, name, store)
    with store.catalog.read() as conn:
        listed = repository.versions(conn, refs.dataset(conn, dataset).id, dataset)
    drafts = _may_edit(actor, dataset, store)
    return [one for one in reversed(listed) if drafts or one.state == PUBLISHED]


@verb
def diff_guidelines(actor: Actor, name: str, a: int = 0, b: int = 0, *, store: Store) -> GuidelineDiff:
    """What changed from version `a` to version `b`: lines, changelog, what is touched, examples.

    Args:
        a: 0 is the published version before `b`, or nothing if `b` is the first.
        b: 0 is the newest published version.
    Raises: NotPermitted, DatasetNotFound, GuidelineNotFound.
    """
    dataset = _readable(actor, name, store)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset)
        drafts = _may_edit(actor, dataset, store)
        after = _version(conn, info, b, drafts)
        earlier = [one.version for one in _published(conn, info) if one.version < after.version]
        number = a or (earlier[-1] if earlier else 0)
        before = _version(conn, info, number, drafts) if number else None
        return _diff(before, after, _published(conn, info))


@verb
def reading(actor: Actor, name: str, *, store: Store) -> Reading:
    """Which version the actor acknowledged last, and what changed since.

    Raises: NotPermitted, DatasetNotFound.
    """
    dataset = _readable(actor, name, store)
    with store.catalog.read() as conn:
        return _reading(conn, refs.dataset(conn, dataset), actor)


@verb
def acknowledge(actor: Actor, name: str, version: int = 0, *, store: Store) -> Reading:
    """Say that one has read a published version (0: the newest). Answers what changed since the one before.

    Raises: NotPermitted, DatasetNotFound, GuidelineNotFound, GuidelineNotPublished.
    """
    dataset = _readable(actor, name, store)
    with store.catalog.write(actor, "guideline.acknowledge", subject=dataset) as tx:
        info = refs.dataset(tx.conn, dataset)
        read = _version(tx.conn, info, version, _may_edit(actor, dataset, store))
        if read.state != PUBLISHED:
            raise GuidelineNotPublished(dataset=dataset, version=read.version)
        before = _reading(tx.conn, info, actor)
        repository.acknowledge(tx.conn, info.id, actor.id, read.version, now_us())
        tx.details({"version": read.version})
    return replace(before, acknowledged_version=max(read.version, before.acknowledged_version))


@verb
def stale(actor: Actor, name: str, *, store: Store, label_set: str = DEFAULT_LABEL_SET) -> Stale:
    """Labels made under a version before one that touches them, or of a class that was split: counts and hours.

    Only labels of original samples count; those on copies follow. Hours are from measured times where there are any.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, LabelSetNotFound.
    """
    snapshot = datasets.read(actor, name, store=store)
    labels, newest = _stale_labels(snapshot, label_set, store)
    return staleness.summary(labels, snapshot.ontology, label_set, newest)


@verb
def stale_samples(
    actor: Actor,
    name: str,
    *,
    store: Store,
    label_set: str = DEFAULT_LABEL_SET,
    classes: Sequence[str] | None = None,
) -> list[str]:
    """Ids of the samples with stale labels, of some classes or of all; a batch of them is the work to do.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, LabelSetNotFound, ClassUnknown.
    """
    snapshot = datasets.read(actor, name, store=store)
    ids = None if classes is None else [class_named(snapshot.ontology, one).id for one in classes]
    return staleness.sample_ids(_stale_labels(snapshot, label_set, store)[0], ids)


def _stale_labels(snapshot: Snapshot, label_set: str, store: Store) -> tuple[staleness.StaleLabels, int]:
    if label_set not in snapshot.label_sets and label_set != DEFAULT_LABEL_SET:
        known = ", ".join(snapshot.label_sets) or "none"
        raise LabelSetNotFound(dataset=snapshot.dataset.name, got=label_set[:80], known=known)
    with store.catalog.read() as conn:
        published = _published(conn, snapshot.dataset)
        records = repository.label_records(conn, snapshot.dataset.id, label_set)
    touched = staleness.touched_by(published, snapshot.ontology)
    labels = staleness.stale_labels(snapshot, label_set, touched, published, records)
    return labels, published[-1].version if published else 0


@dataclass(frozen=True, slots=True)
class _Resolved:
    """What a text names, as it is in a state of the dataset."""

    touches: tuple[Touch, ...]
    examples: tuple[Example, ...]
    ontology: Ontology


def _resolved(snapshot: Snapshot, parsed: GuidelineText) -> _Resolved:
    touches = tuple(_touch(snapshot, name) for name in parsed.touches)
    examples = tuple(_example(snapshot, at, one) for at, one in enumerate(parsed.examples, 1))
    return _Resolved(touches, examples, snapshot.ontology)


def _touch(snapshot: Snapshot, name: str) -> Touch:
    """The class or attribute of a name; names may have dots. Raises: GuidelineInvalid, ClassUnknown."""
    ontology = snapshot.ontology
    class_ = ontology.by_name(name)
    if class_ is not None:
        return Touch(class_.id, class_.name)
    for at in (at for at, letter in enumerate(name) if letter == "."):
        class_, attribute = ontology.by_name(name[:at]), name[at + 1 :]
        if class_ is None or not attribute:
            continue
        if class_.attribute(attribute) or staleness.has_attribute(snapshot, class_.id, attribute):
            return Touch(class_.id, class_.name, attribute)
        known = ", ".join(one.name for one in class_.attributes[:20]) or "none"
        detail = f"it touches {name!r}, but {class_.name!r} has no attribute {attribute!r}"
        raise GuidelineInvalid(where="touches", detail=detail, hint=f"attributes of the class: {known}")
    class_ = class_named(ontology, name)  # raises, with the closest name
    return Touch(class_.id, class_.name)


def _example(snapshot: Snapshot, at: int, given: Mapping[str, Any]) -> Example:
    """Raises: GuidelineInvalid, SampleNotFound."""
    try:
        sample = snapshot.sample(given["sample"])
    except SampleNotFound:
        raise SampleNotFound(
            where=f"example {at}", got=given["sample"][:200], dataset=snapshot.dataset.name
        ) from None
    box = given.get("bbox")
    if box is not None:
        x, y, w, h = map(float, box)
        if x < 0 or y < 0 or x + w > sample.width_px or y + h > sample.height_px:
            detail = f"its region {box} is not within {sample.width_px} x {sample.height_px} px"
            raise GuidelineInvalid(
                where=f"example {at}", detail=detail, hint="give x, y, width, height in pixels"
            )
        box = (x, y, w, h)
    good = given.get("verdict", "good") == "good"
    return Example(sample.sample_id, sample.name, given.get("caption", ""), good, box)


def _next(
    conn: sa.Connection, info: DatasetInfo, actor: Actor, parsed: GuidelineText, written: _Resolved
) -> Guideline:
    number = repository.newest_published(conn, info.id) + 1
    return Guideline(
        info.name,
        number,
        DRAFT,
        parsed.text,
        parsed.changelog,
        written.touches,
        written.examples,
        actor.name,
        now_us(),
    )


def _draft_again(
    conn: sa.Connection, info: DatasetInfo, snapshot: Snapshot, touches: Sequence[str], changelog: str
) -> Guideline:
    """The draft, with classes as they are called now. Raises: GuidelineNotFound, GuidelineInvalid, ClassUnknown."""
    draft = repository.version(conn, info.id, info.name, repository.newest_published(conn, info.id) + 1)
    if draft is None:
        hint = f"write one with `calotype guideline new {info.name} FILE.md`"
        raise GuidelineNotFound(dataset=info.name, thing="draft", hint=hint)
    if changelog:
        draft = replace(draft, changelog=text.parse("x", changelog=changelog).changelog)
    if touches:
        return replace(draft, touches=tuple(_touch(snapshot, name) for name in dict.fromkeys(touches)))
    now = []
    for one in draft.touches:
        class_ = snapshot.ontology.by_id(one.class_id)
        if class_ is None:
            hint = "name what it touches again, with --touches"
            detail = f"it touches {one.class_name!r}, which is no longer a class"
            raise GuidelineInvalid(where="touches", detail=detail, hint=hint)
        now.append(replace(one, class_name=class_.name))
    return replace(draft, touches=tuple(now))


def _version(conn: sa.Connection, info: DatasetInfo, number: int, drafts: bool) -> Guideline:
    wanted = number or repository.newest_published(conn, info.id)
    known = repository.version(conn, info.id, info.name, wanted) if 0 < wanted < 2**31 else None
    if known is None or (known.state == DRAFT and not drafts):
        thing = f"version {number}" if number else "published version"
        hint = f"list them with `calotype guideline list {info.name}`"
        raise GuidelineNotFound(dataset=info.name, thing=thing, hint=hint)
    return known


def _published(conn: sa.Connection, info: DatasetInfo) -> list[Guideline]:
    return [one for one in repository.versions(conn, info.id, info.name) if one.state == PUBLISHED]


def _reading(conn: sa.Connection, info: DatasetInfo, actor: Actor) -> Reading:
    published = _published(conn, info)
    newest = published[-1] if published else None
    read = repository.acknowledged(conn, info.id, actor.id)
    before = next((one for one in published if one.version == read), None)
    if newest is None:
        return Reading(0, read, GuidelineDiff(0, 0, (), (), (), 0, 0))
    return Reading(newest.version, read, _diff(before, newest, published))


def _diff(before: Guideline | None, after: Guideline, published: Collection[Guideline]) -> GuidelineDiff:
    first = 0 if before is None else before.version
    between = [one for one in published if first < one.version < after.version]
    versions = [*between, after] if first < after.version else []
    touches = dict.fromkeys(str(touch) for one in versions for touch in one.touches)
    old = set() if before is None else set(before.examples)
    new = set(after.examples)
    names = ("nothing" if before is None else f"version {first}", f"version {after.version}")
    return GuidelineDiff(
        first,
        after.version,
        text.diff_lines("" if before is None else before.text, after.text, names),
        tuple((one.version, one.changelog) for one in versions),
        tuple(touches),
        len(new - old),
        len(old - new),
    )


def _readable(actor: Actor, name: str, store: Store) -> str:
    """The dataset whose guideline the actor may read: all who read its data, and all who work on it."""
    dataset, _ = refs.split_name(name)
    may = [Permission.DATASET_READ, Permission.WORK_DO]
    if not any(store.guard.allows(actor, one, dataset=dataset) for one in may):
        store.guard.require(actor, Permission.DATASET_READ, dataset=dataset)
    return dataset


def _may_edit(actor: Actor, dataset: str, store: Store) -> bool:
    return store.guard.allows(actor, Permission.GUIDELINE_EDIT, dataset=dataset)
