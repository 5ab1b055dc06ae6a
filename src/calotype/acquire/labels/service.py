"""The verb of this room: import annotations from label files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calotype.acquire import quarantine as setting_aside
from calotype.acquire.intake import MediaMode, check_media_mode, take_in
from calotype.acquire.labels.column_import import ColumnImport
from calotype.acquire.labels.model import (
    POLICIES,
    Imported,
    ItemsInvalid,
    NothingToImport,
    PolicyUnknown,
    UnknownClasses,
    aside_class,
    aside_image,
    aside_problem,
    grown,
)
from calotype.acquire.labels.name_matching import SampleNames, learned
from calotype.acquire.quarantine import ImportRecord, SetAside
from calotype.acquire.sample_matcher import IncomingImage
from calotype.datasets import refs
from calotype.datasets.change import Change
from calotype.datasets.edit import apply
from calotype.datasets.model import DEFAULT_LABEL_SET, Annotation
from calotype.datasets.reading import read
from calotype.datasets.snapshot import Snapshot
from calotype.formats import registry
from calotype.formats.base import Parsed, ParsedAnnotation, Problem
from calotype.formats.coco import Coco
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.clock import now_us
from calotype.foundation.ids import canonical_json, uuid8
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.vision.ontology import Ontology


def import_annotations(
    actor: Actor,
    name: str,
    path: Path,
    *,
    store: Store,
    format: str = "auto",
    images: Path | None = None,
    label_set: str = DEFAULT_LABEL_SET,
    on_unknown: str = "error",
    on_invalid: str = "quarantine",
    source: str = "",
    licence: str = "",
    origin: str | None = None,
    media: MediaMode = "copy",
    progress: Progress = silent,
) -> Imported:
    """Import label files, and the images that they list, into a dataset (`name` or `name@branch`).

    Importing the same file again changes nothing; a newer edition of it updates the annotations it knows by their
    source ids. The images come first, in resumable chunks; all annotations follow as one atomic edit.

    Args:
        images: The folder of the pictures, where the format does not tell; without it, samples are found by name.
        origin: What makes it the same file when it is imported again; its path, where nothing is said.
        on_unknown: Classes that a closed ontology does not have: "error", "skip" or "quarantine".
        on_invalid: Broken annotations and missing or unreadable files: "error", "skip" or "quarantine".
    Raises: NotPermitted, DatasetNotFound, FormatUnknown, LabelFileUnreadable, UnknownClasses, ItemsInvalid,
        NothingToImport, PolicyUnknown.
    """
    dataset_name, _ = refs.split_name(name)
    store.guard.require(actor, Permission.DATASET_EDIT, dataset=dataset_name)
    for option, policy in (("--on-unknown", on_unknown), ("--on-invalid", on_invalid)):
        if policy not in POLICIES:
            raise PolicyUnknown(option=option, got=policy)
    with store.catalog.read() as conn:
        info = refs.dataset(conn, dataset_name)
    started = now_us()
    reader = registry.detect(path) if format == "auto" else registry.get(format)
    import_id = setting_aside.import_id(info.id, f"labels:{label_set}", origin or str(path.resolve()))
    check_media_mode(media)
    if isinstance(reader, Coco):
        by_columns = ColumnImport(
            store,
            actor,
            name,
            _working_name(name),
            reader.files(path),
            label_set,
            on_unknown,
            on_invalid,
            import_id,
            progress,
        )
        by_columns.refuse_problems()
        by_columns.check_classes(read(actor, _working_name(name), store=store).ontology)
        by_columns.bring_images(images, media=media, source=source, licence=licence)
        by_columns.place_annotations(path.name)
        return _registered(actor, store, info.id, path, import_id, by_columns.answer(reader.name), started)
    parsed = reader.read(path, images=images, progress=progress)
    run = _Run(store, actor, name, parsed, label_set, on_unknown, on_invalid)
    run.import_id = import_id
    run.refuse_problems()
    run.check_classes(read(actor, _working_name(name), store=store).ontology)
    run.bring_images(source=source, licence=licence, progress=progress)
    run.place_annotations(path)
    return _registered(actor, store, info.id, path, import_id, run.answer(), started)


def _registered(
    actor: Actor, store: Store, dataset_id: str, path: Path, import_id: str, imported: Imported, started: int
) -> Imported:
    record = ImportRecord(
        import_id,
        "labels",
        path.name,
        imported.format,
        imported.label_set,
        _counts(imported),
        [loss.what for loss in imported.losses],
        actor.name,
        started,
        now_us(),
    )
    with store.catalog.bookkeeping() as conn:
        setting_aside.register(conn, dataset_id, record)
    return imported


def _working_name(name: str) -> str:
    dataset, branch = refs.split_name(name)
    return f"{dataset}@{branch.removesuffix('+')}+" if branch else dataset


def _counts(imported: Imported) -> dict[str, Any]:
    names = ("samples", "annotations", "added", "updated", "unchanged", "skipped")
    return {name: getattr(imported, name) for name in names}


@dataclass
class _Run:
    """One import under way."""

    store: Store
    actor: Actor
    name: str
    parsed: Parsed
    label_set: str
    on_unknown: str
    on_invalid: str
    import_id: str = ""
    aside: list[SetAside] = field(default_factory=list)
    sample_of: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    new_classes: tuple[str, ...] = ()
    refused_classes: frozenset[str] = frozenset()

    def refuse_problems(self) -> None:
        """Problems the reader found: stop at the first, or set them aside."""
        problems = self.parsed.problems
        if problems and self.on_invalid == "error":
            raise ItemsInvalid(where=problems[0].where, count=len(problems), reason=problems[0].reason)
        self.aside.extend(aside_problem(problem) for problem in problems)

    def check_classes(self, ontology: Ontology) -> None:
        """Annotations whose class a closed ontology lacks: stop before anything is written, or refuse just them."""
        if not ontology.closed:
            return
        counted = Counter(annotation.class_name for annotation in self.parsed.annotations)
        unknown = {name: count for name, count in counted.items() if ontology.by_name(name) is None}
        if unknown and self.on_unknown == "error":
            first = next(a for a in self.parsed.annotations if a.class_name in unknown)
            names = ", ".join(repr(name) for name in sorted(unknown)[:10])
            raise UnknownClasses(
                where=first.where,
                count=sum(unknown.values()),
                total=len(self.parsed.annotations),
                names=names,
            )
        self.refused_classes = frozenset(unknown)

    def bring_images(self, *, source: str, licence: str, progress: Progress) -> None:
        """Make the listed images samples, and learn which sample each is."""
        incoming, keys = [], {}
        for image in self.parsed.images:
            if image.path is not None:
                incoming.append(
                    IncomingImage(
                        path=image.path,
                        name=image.name,
                        split=image.split,
                        licence=image.licence or licence,
                        source=source,
                        tags=image.tags,
                        metadata=image.metadata,
                        extra=image.extra,
                    )
                )
                keys[image.key] = image.name
        took = take_in(
            self.actor,
            self.name,
            incoming,
            import_id=self.import_id,
            store=self.store,
            verb="images.import",
            duplicates="keep",
            on_invalid=self.on_invalid,
            progress=progress,
        )
        self.aside.extend(took.quarantined)
        self.sample_of = {key: took.sample_ids[name] for key, name in keys.items() if name in took.sample_ids}
        names = SampleNames(read(self.actor, _working_name(self.name), store=self.store))
        for image in self.parsed.images:
            if image.path is None:
                found = names.find(image.name)
                if found is not None:
                    self.sample_of[image.key] = found
                else:
                    self._refuse(
                        Problem("missing-file", "image", image.where, f"no picture {image.name!r} is there")
                    )

    def place_annotations(self, path: Path) -> None:
        """Write all annotations that can be placed, as one edit."""
        placed, lost = [], []
        for annotation in self.parsed.annotations:
            if annotation.class_name in self.refused_classes:
                lost.append(aside_class(annotation.class_name, annotation.where))
            elif annotation.image_key not in self.sample_of:
                lost.append(aside_image(annotation.where))
            else:
                placed.append(annotation)
        nothing_left = not placed and not self.sample_of
        self.aside.extend(lost)
        if self.aside and nothing_left:
            first = self.aside[0]
            raise NothingToImport(
                where=first.place, file=path.name, count=len(self.aside), reason=first.reason
            )
        kept = [item for item in self.aside if self._is_kept(item)]
        record = setting_aside.recorder(self.store, self.name, self.import_id, kept) if kept else None
        apply(
            self.actor,
            self.name,
            lambda snapshot: self._plan(snapshot, placed),
            store=self.store,
            verb="annotations.import",
            record=record,
            details={
                "import": self.import_id,
                "file": path.name,
                "format": self.parsed.format,
                "label_set": self.label_set,
                "annotations": len(placed),
                "set_aside": len(self.aside),
            },
        )

    def _is_kept(self, item: SetAside) -> bool:
        policy = self.on_unknown if item.code == "ontology-class-unknown" else self.on_invalid
        return policy == "quarantine"

    def _plan(self, snapshot: Snapshot, placed: Sequence[ParsedAnnotation]) -> Change:
        ontology = grown(snapshot.ontology, self.parsed.classes, placed)
        self.new_classes = tuple(name for name in ontology.names if snapshot.ontology.by_name(name) is None)
        annotations = _with_ids(
            placed, self.sample_of, ontology, self.label_set, self.import_id, self.actor.name
        )
        present = snapshot.annotations_of(sorted({a.sample_id for a in annotations}), self.label_set)
        known = {a.ann_id: a for of_sample in present.values() for a in of_sample}
        fresh = [a for a in annotations if a.ann_id not in known]
        updated = [a for a in annotations if a.ann_id in known and not _same(a, known[a.ann_id])]
        self.counts = Counter(
            added=len(fresh), updated=len(updated), unchanged=len(annotations) - len(fresh) - len(updated)
        )
        info = (
            {**snapshot.info, **{self.label_set: dict(self.parsed.info)}}
            if self.parsed.info
            else snapshot.info
        )
        return Change(
            put_samples=learned(snapshot, self.parsed.images, self.sample_of),
            put_annotations={self.label_set: [*fresh, *updated]} if fresh or updated else {},
            ontology=ontology,
            info=canonical_json(info) if info != snapshot.info else None,
        )

    def answer(self) -> Imported:
        """The figures."""
        return Imported(
            format=self.parsed.format,
            label_set=self.label_set,
            samples=len(set(self.sample_of.values())),
            annotations=sum(self.counts.values()),
            added=self.counts["added"],
            updated=self.counts["updated"],
            unchanged=self.counts["unchanged"],
            skipped=len(self.aside),
            new_classes=self.new_classes,
            losses=self.parsed.losses,
            warnings=self.parsed.warnings,
            set_aside=tuple(self.aside),
            reasons=dict(Counter(item.code for item in self.aside)),
        )

    def _refuse(self, problem: Problem) -> None:
        if self.on_invalid == "error":
            raise ItemsInvalid(where=problem.where, count=1, reason=problem.reason)
        self.aside.append(aside_problem(problem))


def _with_ids(
    placed: Sequence[ParsedAnnotation],
    sample_of: dict[str, str],
    ontology: Ontology,
    label_set: str,
    import_id: str,
    author: str,
) -> list[Annotation]:
    """Annotations whose id is told by what they are: the source's id, or the content and how often it came before."""
    class_ids = {c.name: c.id for c in ontology.classes}
    seen: Counter[str] = Counter()
    at = now_us()
    made = []
    for p in placed:
        sample_id = sample_of[p.image_key]
        own = f"id:{p.source_id}" if p.source_id else f"content:{_content(p)}"
        seen[sample_id + own] += 1
        made.append(
            Annotation(
                ann_id=uuid8("annotation", label_set, sample_id, own, str(seen[sample_id + own])),
                sample_id=sample_id,
                kind=p.kind,
                class_id=class_ids[p.class_name],
                bbox_xywh_px=p.bbox_xywh_px,
                rings_px=p.rings_px,
                mask_rle=p.mask_rle,
                mask_size_hw=p.mask_size_hw,
                keypoints_xyv=p.keypoints_xyv,
                area_px=p.area_px,
                score=p.score,
                iscrowd=p.iscrowd,
                attributes=p.attributes,
                extra=p.extra,
                source_id=p.source_id,
                author=author,
                import_id=import_id,
                created_at_us=at,
            )
        )
    return made


def _content(p: ParsedAnnotation) -> str:
    return canonical_json(
        [p.class_name, str(p.kind), p.bbox_xywh_px, p.rings_px, p.mask_rle, p.keypoints_xyv, p.score]
    )


def _same(a: Annotation, b: Annotation) -> bool:
    names = (
        "kind",
        "class_id",
        "bbox_xywh_px",
        "rings_px",
        "mask_rle",
        "mask_size_hw",
        "keypoints_xyv",
        "area_px",
        "score",
        "iscrowd",
    )
    if any(getattr(a, name) != getattr(b, name) for name in names):
        return False
    return dict(a.attributes) == dict(b.attributes) and dict(a.extra) == dict(b.extra)
