"""A draft: the rows that a list of edits concerns, and how each edit changes them. Pure; nothing is read or written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as of_field
from typing import Any

from calotype.annotate import model, shapes
from calotype.annotate.model import Edit, EditOutdated, EditsInvalid, EditTargetNotFound
from calotype.datasets import fields
from calotype.datasets.model import Annotation, AnnotationInvalid, Kind, Sample
from calotype.foundation.clock import now_us
from calotype.foundation.ids import canonical_json, sha256_json, uuid7
from calotype.vision.ontology import Class, Ontology

_MAX_JSON = 100_000
_MAX_NAME = 200
_MAX_TAGS = 1_000


@dataclass
class Draft:
    """Rows by id as they are now; None for one that is deleted. `fields` are the types of metadata fields."""

    dataset: str
    label_set: str
    ontology: Ontology
    author: str
    fields: dict[str, str]
    annotations: dict[str, Annotation | None]
    samples: dict[str, Sample]
    before: dict[str, Annotation] = of_field(default_factory=dict)
    samples_before: dict[str, Sample] = of_field(default_factory=dict)
    new: set[str] = of_field(default_factory=set)

    def __post_init__(self) -> None:
        self.before = {key: row for key, row in self.annotations.items() if row is not None}
        self.samples_before = dict(self.samples)

    def apply(self, edit: Edit, where: str) -> tuple[str, str]:
        """Apply one edit; the ids of its annotation (or "") and sample.

        Raises: EditsInvalid, EditTargetNotFound, EditOutdated.
        """
        if isinstance(edit, model.Add):
            return self._add(edit, where)
        if isinstance(edit, model.OfAnnotation):
            return self._on_annotation(edit, where)
        sample = self._sample(edit.sample, where, gone=edit.seen is not None)
        _require_seen("sample", sample.sample_id, edit.seen, _values_of_sample(sample), where)
        if isinstance(edit, model.SetMetadata):
            self._learn(sample, edit, where)
        self.samples[sample.sample_id] = on_sample(sample, edit, where)
        return "", sample.sample_id

    def _learn(self, sample: Sample, edit: model.SetMetadata, where: str) -> None:
        values = {name: value for name, value in edit.metadata.items() if value is not None}
        try:
            self.fields = fields.learn(self.fields, [(sample.name, values)])
        except fields.MetadataInvalid as error:
            raise EditsInvalid(where=f"{where}.metadata", detail=error.message) from None

    def token(self, ann_id: str, sample_id: str) -> str:
        """The token of a row as it is in the draft; empty for one that is deleted."""
        if not ann_id:
            return token(_values_of_sample(self.samples[sample_id]))
        annotation = self.annotations.get(ann_id)
        return "" if annotation is None else token(_values(annotation, self.ontology))

    def _on_annotation(self, edit: model.OfAnnotation, where: str) -> tuple[str, str]:
        ann_id = edit.annotation
        annotation = self.annotations.get(ann_id)
        if annotation is None:
            if edit.seen is not None:
                raise EditOutdated(where=where, thing="annotation", got=ann_id[:64], how="it was deleted")
            raise EditTargetNotFound(where=where, dataset=self.dataset, thing="annotation", got=ann_id[:64])
        _require_seen("annotation", ann_id, edit.seen, _values(annotation, self.ontology), where)
        if isinstance(edit, model.SetShape):
            after: Annotation | None = self._with_shape(annotation, edit, where)
        else:
            after = self.on_annotation(annotation, edit, where)
        self.annotations[ann_id] = after
        return ann_id, annotation.sample_id

    def on_annotation(
        self, annotation: Annotation, edit: model.OfAnnotation, where: str
    ) -> Annotation | None:
        """The annotation after an edit that does not depend on its image; None if it is deleted."""
        if isinstance(edit, model.SetClass):
            return self._authored(annotation, where, class_id=self._class(edit.class_, where).id)
        if isinstance(edit, model.SetAttributes):
            merged = _merged(annotation.attributes, edit.attributes, f"{where}.attributes")
            return self._authored(annotation, where, attributes=merged)
        return None

    def _with_shape(self, annotation: Annotation, edit: model.SetShape, where: str) -> Annotation:
        kind = shapes.kind_of(edit.kind, where) if edit.kind else annotation.kind
        sample = self._sample(annotation.sample_id, where)
        class_ = self.ontology.by_id(annotation.class_id)
        keeps_box = kind is annotation.kind is Kind.KEYPOINTS and edit.bbox is None
        if keeps_box and annotation.bbox_xywh_px is not None:
            edit = _with_box(edit, list(annotation.bbox_xywh_px))
        shape = shapes.shape_of(edit, kind, class_, sample, where)
        return self._authored(shapes.reshaped(annotation, shape, kind), where)

    def _add(self, edit: model.Add, where: str) -> tuple[str, str]:
        sample = self._sample(edit.sample, where)
        ann_id = model.checked_id(edit.annotation, f"{where}.annotation") if edit.annotation else uuid7()
        if ann_id in self.annotations or ann_id in self.new:
            raise EditsInvalid(where=f"{where}.annotation", detail=f"the annotation {ann_id} exists already")
        kind, class_ = shapes.kind_of(edit.kind, where), self._class(edit.class_, where)
        shape = shapes.shape_of(edit, kind, class_, sample, where)
        attributes = _merged({}, edit.attributes, f"{where}.attributes")
        try:
            annotation = Annotation(
                ann_id=ann_id,
                sample_id=sample.sample_id,
                kind=kind,
                class_id=class_.id,
                attributes=attributes,
                iscrowd=edit.iscrowd,
                author=self.author,
                created_at_us=now_us(),
                **shape,
            )
        except AnnotationInvalid as error:
            raise EditsInvalid(where=where, detail=error.message) from None
        self.annotations[ann_id] = annotation
        self.new.add(ann_id)
        return ann_id, sample.sample_id

    def _authored(self, annotation: Annotation, where: str, **changes: Any) -> Annotation:
        """The annotation with changes by this author: it no longer comes from its import."""
        try:
            return replace(annotation, author=self.author, import_id="", **changes)
        except AnnotationInvalid as error:
            raise EditsInvalid(where=where, detail=error.message) from None

    def _class(self, name: str, where: str) -> Class:
        class_ = self.ontology.by_name(name)
        if class_ is None:
            raise EditsInvalid(where=f"{where}.class", detail=f"the ontology has no class {name[:80]!r}")
        if class_.retired:
            detail = f"the class {name[:80]!r} is retired and takes no new annotations"
            raise EditsInvalid(where=f"{where}.class", detail=detail)
        return class_

    def _sample(self, sample_id: str, where: str, *, gone: bool = False) -> Sample:
        sample = self.samples.get(sample_id)
        if sample is None and gone:
            raise EditOutdated(where=where, thing="sample", got=sample_id[:64], how="it was removed")
        if sample is None:
            raise EditTargetNotFound(where=where, dataset=self.dataset, thing="sample", got=sample_id[:64])
        return sample

    def outcome(self) -> Outcome:
        """What differs from the rows as they were."""
        put = {
            key: row
            for key, row in self.annotations.items()
            if row is not None and (key in self.new or not _same(row, self.before[key]))
        }
        removed = [key for key, row in self.annotations.items() if row is None and key in self.before]
        samples = [row for key, row in self.samples.items() if row != self.samples_before[key]]
        n_added = sum(key in self.new for key in put)
        return Outcome(list(put.values()), removed, samples, n_added)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows to write and to remove."""

    put: list[Annotation]
    removed: list[str]
    samples: list[Sample]
    n_added: int


def on_sample(sample: Sample, edit: model.OfSample, where: str) -> Sample:
    """The sample after an edit. Raises: EditsInvalid."""
    if isinstance(edit, model.SetSplit):
        _check_name(edit.split, f"{where}.split")
        return replace(sample, split=edit.split)
    if isinstance(edit, model.SetMetadata):
        merged = _merged(sample.metadata, edit.metadata, f"{where}.metadata")
        return replace(sample, metadata=merged)
    for tag in edit.tags:
        _check_name(tag, f"{where}.tags", empty=False)
    if isinstance(edit, model.SetTags):
        tags = list(dict.fromkeys(edit.tags))
    elif isinstance(edit, model.AddTags):
        tags = list(dict.fromkeys([*sample.tags, *edit.tags]))
    else:
        tags = [tag for tag in sample.tags if tag not in edit.tags]
    if len(tags) > _MAX_TAGS:
        raise EditsInvalid(where=f"{where}.tags", detail=f"a sample has up to {_MAX_TAGS:,} tags")
    return replace(sample, tags=tuple(tags))


def token(values: Mapping[str, Any]) -> str:
    """The token of a row's values: equal values have equal tokens."""
    return sha256_json(values)[:24]


def in_words(edits: list[Edit]) -> str:
    """What a list of edits does, in words."""
    counts: Counter[tuple[str, str]] = Counter()
    for edit in edits:
        to = edit.class_ if isinstance(edit, model.SetClass | model.Add) else ""
        to = (edit.split or "none") if isinstance(edit, model.SetSplit) else to
        counts[str(edit.__struct_config__.tag), to] += 1
    parts = [_WORDS[do].format(n=n, s="" if n == 1 else "s", to=to) for (do, to), n in counts.items()]
    return "; ".join(parts[:5]) + (f"; and {len(parts) - 5} more" if len(parts) > 5 else "")


_WORDS = {
    "set-class": "class of {n} annotation{s} set to {to}",
    "set-attributes": "attributes of {n} annotation{s} changed",
    "set-shape": "shape of {n} annotation{s} changed",
    "add": "{n} annotation{s} of class {to} added",
    "delete": "{n} annotation{s} deleted",
    "set-split": "split of {n} sample{s} set to {to}",
    "set-tags": "tags of {n} sample{s} set",
    "add-tags": "{n} sample{s} tagged",
    "remove-tags": "tags of {n} sample{s} removed",
    "set-metadata": "metadata of {n} sample{s} changed",
}


def _with_box(edit: model.SetShape, bbox: list[float]) -> model.SetShape:
    return model.SetShape(annotation=edit.annotation, kind=edit.kind, keypoints=edit.keypoints, bbox=bbox)


def _same(first: Annotation, second: Annotation) -> bool:
    """Whether two rows differ in their author and import at most."""
    return replace(first, author="", import_id="") == replace(second, author="", import_id="")


def _merged(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> dict[str, Any]:
    for name in new:
        _check_name(name, where, empty=False)
    merged = {name: value for name, value in {**old, **new}.items() if value is not None}
    if len(canonical_json(merged)) > _MAX_JSON:
        raise EditsInvalid(where=where, detail=f"they have more than {_MAX_JSON:,} characters")
    return merged


def _check_name(text: str, where: str, *, empty: bool = True) -> None:
    if len(text) > _MAX_NAME or not (text or empty):
        raise EditsInvalid(where=where, detail=f"{text[:40]!r} does not have 1 to {_MAX_NAME} characters")


def _require_seen(thing: str, got: str, seen: model.Seen, values: Mapping[str, Any], where: str) -> None:
    """Compare a row with what the caller read of it: a token, or some of its values. Raises: EditOutdated."""
    if seen is None:
        return
    if isinstance(seen, str):
        if seen != token(values):
            raise EditOutdated(where=where, thing=thing, got=got, how="its token is another")
        return
    for name, value in seen.items():
        if name not in values:
            known = ", ".join(values)
            raise EditsInvalid(where=f"{where}.seen", detail=f"{name[:40]!r} is not one of {known}")
        if value != values[name]:
            raise EditOutdated(where=where, thing=thing, got=got, how=f"its {name}")


def _values(annotation: Annotation, ontology: Ontology) -> dict[str, Any]:
    """What can be edited of an annotation, as plain values in the words of the HTTP answers."""
    class_, size_hw = ontology.by_id(annotation.class_id), annotation.mask_size_hw
    box = annotation.bbox_xywh_px
    return {
        "kind": str(annotation.kind),
        "class": class_.name if class_ else f"#{annotation.class_id}",
        "bbox": None if box is None else list(box),
        "rings": [list(ring) for ring in annotation.rings_px],
        "keypoints": list(annotation.keypoints_xyv),
        "mask": {"size": list(size_hw), "counts": annotation.mask_rle} if size_hw else None,
        "attributes": dict(annotation.attributes),
        "iscrowd": annotation.iscrowd,
    }


def _values_of_sample(sample: Sample) -> dict[str, Any]:
    return {"split": sample.split, "tags": list(sample.tags), "metadata": dict(sample.metadata)}
