"""Repairs that findings suggest as a value in their facts under `repair`, and the edit that applies them.

    {"do": "remove-sample"}                        {"do": "remove-annotation"}
    {"do": "set-box", "box_xywh_px": [x, y, w, h]}  {"do": "box-of-shape"}
    {"do": "set-class", "class": "dog"}             {"do": "fit-rectangle"}
    {"do": "set-split", "split": "val"}             {"do": "set-keypoints", "keypoints_xyv": [...]}
    {"do": "add-box", "class": "dog", "box_xywh_px": [x, y, w, h]}

Pixels are those of the upright image. A shape gets its own bounding box instead of the suggested box.
Plug-in checks can suggest the same repairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from calotype.datasets.change import Change
from calotype.datasets.model import CORNERED, RINGED, Annotation, Kind, Sample
from calotype.datasets.snapshot import Snapshot
from calotype.findings.model import Finding
from calotype.foundation.errors import Conflict, Invalid
from calotype.foundation.ids import uuid7
from calotype.vision import corners
from calotype.vision.masks import from_string


class FindingNotRepairable(Invalid):
    """The finding has no repair that can be applied."""

    code = "finding-not-repairable"
    what = "cannot repair finding {key} of {check}: {detail}"
    fix = "fix the data manually, then run `calotype triage NAME {key} --fixed`"


class FindingOutdated(Conflict):
    """The sample or annotation of the finding no longer exists."""

    code = "finding-outdated"
    what = "finding {key} of {check} refers to something that no longer exists"
    fix = "run `calotype check` again"


@dataclass
class Edit:
    """The samples and annotations to repair, and the repairs applied so far."""

    snapshot: Snapshot
    samples: dict[str, Sample]
    annotations: dict[tuple[str, str], Annotation]
    author: str = ""
    put_samples: dict[str, Sample] = field(default_factory=dict)
    remove_samples: set[str] = field(default_factory=set)
    put: dict[tuple[str, str], Annotation] = field(default_factory=dict)
    remove: set[tuple[str, str]] = field(default_factory=set)

    def sample(self, finding: Finding) -> Sample:
        """The sample of a finding, after earlier repairs. Raises: FindingOutdated."""
        sample = self.put_samples.get(finding.sample_id) or self.samples.get(finding.sample_id)
        if sample is None:
            raise FindingOutdated(key=finding.key, check=finding.check)
        return sample

    def annotation(self, finding: Finding) -> Annotation:
        """The annotation of a finding, after earlier repairs. Raises: FindingOutdated."""
        key = (finding.label_set, finding.annotation_id)
        annotation = self.put.get(key) or self.annotations.get(key)
        if annotation is None:
            raise FindingOutdated(key=finding.key, check=finding.check)
        return annotation

    def remaining_annotations(self) -> dict[str, list[Annotation]]:
        """Label set -> annotations to write, without those that are removed, also with their sample."""
        by_label_set: dict[str, list[Annotation]] = {}
        for (label_set, ann_id), annotation in self.put.items():
            if annotation.sample_id not in self.remove_samples and (label_set, ann_id) not in self.remove:
                by_label_set.setdefault(label_set, []).append(replace(annotation, import_id=""))
        return by_label_set

    def remaining_samples(self) -> list[Sample]:
        """Samples to write, without those that are removed."""
        return [sample for sample in self.put_samples.values() if sample.sample_id not in self.remove_samples]

    def change(self) -> Change:
        """All repairs as one edit."""
        removed: dict[str, list[str]] = {}
        for label_set, ann_id in sorted(self.remove):
            removed.setdefault(label_set, []).append(ann_id)
        return Change(
            put_samples=self.remaining_samples(),
            remove_samples=sorted(self.remove_samples),
            put_annotations=self.remaining_annotations(),
            remove_annotations=removed,
        )


def open_edit(snapshot: Snapshot, findings: Sequence[Finding], *, author: str = "") -> Edit:
    """Load the samples and annotations of findings; added annotations get this author."""
    ids = sorted({finding.sample_id for finding in findings if finding.sample_id})
    samples = (
        {annotation.sample_id: annotation for annotation in snapshot.iter_samples(ids=ids)} if ids else {}
    )
    annotations: dict[tuple[str, str], Annotation] = {}
    for label_set in sorted({finding.label_set for finding in findings if finding.label_set}):
        for of_sample in snapshot.annotations_of(list(samples), label_set).values():
            annotations.update({(label_set, annotation.ann_id): annotation for annotation in of_sample})
    return Edit(snapshot, samples, annotations, author)


def repair(edit: Edit, finding: Finding) -> None:
    """Add the repair that a finding suggests to the edit.

    Raises: FindingNotRepairable, FindingOutdated.
    """
    suggested = finding.facts.get("repair")
    action = suggested.get("do") if isinstance(suggested, Mapping) else None
    if suggested is None or action not in _REPAIRS:
        raise _not_repairable(
            finding, "it suggests no repair" if action is None else f"unknown repair {action!r}"
        )
    _REPAIRS[str(action)](edit, finding, suggested)


def _not_repairable(finding: Finding, detail: str) -> FindingNotRepairable:
    return FindingNotRepairable(key=finding.key, check=finding.check, detail=detail)


def _numbers(finding: Finding, value: Any, n: int) -> tuple[float, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or (n and len(value) != n):
        raise _not_repairable(finding, f"the repair needs {n or 'some'} numbers")
    if not all(isinstance(number, int | float) for number in value):
        raise _not_repairable(finding, "the repair needs numbers")
    return tuple(float(number) for number in value)


def _class_id(edit: Edit, finding: Finding, suggested: Mapping[str, Any]) -> int:
    class_ = edit.snapshot.ontology.by_name(str(suggested.get("class")))
    if class_ is None:
        raise _not_repairable(finding, f"the ontology has no class {suggested.get('class')!r}")
    return class_.id


def _remove_sample(edit: Edit, finding: Finding, _: Mapping[str, Any]) -> None:
    edit.remove_samples.add(edit.sample(finding).sample_id)


def _remove_annotation(edit: Edit, finding: Finding, _: Mapping[str, Any]) -> None:
    edit.remove.add((finding.label_set, edit.annotation(finding).ann_id))


def _set_split(edit: Edit, finding: Finding, suggested: Mapping[str, Any]) -> None:
    sample = edit.sample(finding)
    edit.put_samples[sample.sample_id] = replace(sample, split=str(suggested.get("split", "")))


def _set_class(edit: Edit, finding: Finding, suggested: Mapping[str, Any]) -> None:
    annotation = edit.annotation(finding)
    edit.put[finding.label_set, annotation.ann_id] = replace(
        annotation, class_id=_class_id(edit, finding, suggested)
    )


def _set_box(edit: Edit, finding: Finding, suggested: Mapping[str, Any]) -> None:
    annotation = edit.annotation(finding)
    if annotation.kind in RINGED or annotation.kind is Kind.MASK:
        return _box_of_shape(edit, finding, suggested)
    x, y, w, h = _numbers(finding, suggested.get("box_xywh_px"), 4)
    if w <= 0 or h <= 0:
        raise _not_repairable(finding, "the box would have no area")
    edit.put[finding.label_set, annotation.ann_id] = replace(
        annotation, bbox_xywh_px=(x, y, w, h), area_px=w * h
    )
    return None


def _box_of_shape(edit: Edit, finding: Finding, _: Mapping[str, Any]) -> None:
    """Set the bounding box of the shape, clipped to the image."""
    annotation, sample = edit.annotation(finding), edit.sample(finding)
    if annotation.kind in RINGED:
        window = (0.0, 0.0, float(sample.width_px), float(sample.height_px))
        left = corners.cut(annotation.kind, annotation.rings_px, window)
        if not left.rings:
            raise _not_repairable(finding, f"its {annotation.kind} is outside the image".replace("_", " "))
        after = _with_rings(annotation, Kind(left.kind), left.rings)
    elif annotation.kind is Kind.MASK and annotation.mask_size_hw is not None:
        after = replace(
            annotation, bbox_xywh_px=from_string(annotation.mask_rle, annotation.mask_size_hw).bbox_xywh_px()
        )
    else:
        raise _not_repairable(finding, f"a {annotation.kind} has no shape besides its box")
    edit.put[finding.label_set, annotation.ann_id] = after


def _fit_rectangle(edit: Edit, finding: Finding, _: Mapping[str, Any]) -> None:
    """Replace four corners that are none of a rectangle by the smallest rectangle around them."""
    annotation = edit.annotation(finding)
    if annotation.kind not in CORNERED:
        raise _not_repairable(finding, f"a {annotation.kind} has no rectangle")
    if not all(math.isfinite(value) for value in annotation.rings_px[0]):
        raise _not_repairable(finding, "its corners are not finite numbers")
    after = _with_rings(annotation, annotation.kind, (corners.fitted_rectangle(annotation.rings_px[0]),))
    edit.put[finding.label_set, annotation.ann_id] = after


def _with_rings(annotation: Annotation, kind: Kind, rings: tuple[tuple[float, ...], ...]) -> Annotation:
    box, area = corners.bounds_of(kind, rings), corners.area_of(kind, rings)
    return replace(annotation, kind=kind, rings_px=rings, bbox_xywh_px=box, area_px=area)


def _set_keypoints(edit: Edit, finding: Finding, suggested: Mapping[str, Any]) -> None:
    annotation = edit.annotation(finding)
    points = _numbers(finding, suggested.get("keypoints_xyv"), len(annotation.keypoints_xyv))
    edit.put[finding.label_set, annotation.ann_id] = replace(annotation, keypoints_xyv=points)


def _add_box(edit: Edit, finding: Finding, suggested: Mapping[str, Any]) -> None:
    sample = edit.sample(finding)
    x, y, w, h = _numbers(finding, suggested.get("box_xywh_px"), 4)
    box = Annotation(
        ann_id=uuid7(),
        sample_id=sample.sample_id,
        kind=Kind.BOX,
        bbox_xywh_px=(x, y, w, h),
        area_px=w * h,
        class_id=_class_id(edit, finding, suggested),
        author=edit.author,
        attributes={"suggested_by": finding.check},
    )
    edit.put[finding.label_set or "ground_truth", box.ann_id] = box


_REPAIRS: dict[str, Callable[[Edit, Finding, Mapping[str, Any]], None]] = {
    "remove-sample": _remove_sample,
    "remove-annotation": _remove_annotation,
    "set-split": _set_split,
    "set-class": _set_class,
    "set-box": _set_box,
    "box-of-shape": _box_of_shape,
    "fit-rectangle": _fit_rectangle,
    "set-keypoints": _set_keypoints,
    "add-box": _add_box,
}
__all__ = ["Edit", "FindingNotRepairable", "FindingOutdated", "open_edit", "repair"]
