"""What a finding suggests to do about it, as a plain value in its facts under `repair`; and the edit that does it.

    {"do": "remove-sample"}                        {"do": "remove-annotation"}
    {"do": "set-box", "box_xywh_px": [x, y, w, h]}  {"do": "box-of-shape"}
    {"do": "set-class", "class": "dog"}
    {"do": "set-split", "split": "val"}             {"do": "set-keypoints", "keypoints_xyv": [...]}
    {"do": "add-box", "class": "dog", "box_xywh_px": [x, y, w, h]}

Pixels are of the upright image; a polygon or mask takes the box around itself, whatever box is suggested.
Checks of plug-ins may suggest the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from calotype.datasets.change import Change
from calotype.datasets.model import Annotation, Kind, Sample
from calotype.datasets.snapshot import Snapshot
from calotype.findings.model import Finding
from calotype.foundation.errors import Conflict, Invalid
from calotype.foundation.ids import uuid7
from calotype.vision.masks import from_string
from calotype.vision.polygons import clip_rings, rings_area, rings_bbox_xywh


class FindingNotRepairable(Invalid):
    """A finding whose repair cannot be worked out."""

    code = "finding-not-repairable"
    what = "finding {key} of {check} suggests no repair that can be done: {detail}"
    fix = "mend it by hand, then `calotype triage NAME {key} --fixed`"


class FindingOutdated(Conflict):
    """The data moved on since the finding was made."""

    code = "finding-outdated"
    what = "what finding {key} of {check} is about is not there any more"
    fix = "run `calotype check` again"


@dataclass
class Edit:
    """The state that repairs apply to, and what they have gathered so far."""

    snapshot: Snapshot
    samples: dict[str, Sample]
    annotations: dict[tuple[str, str], Annotation]
    author: str = ""
    put_samples: dict[str, Sample] = field(default_factory=dict)
    remove_samples: set[str] = field(default_factory=set)
    put: dict[tuple[str, str], Annotation] = field(default_factory=dict)
    remove: set[tuple[str, str]] = field(default_factory=set)

    def sample(self, finding: Finding) -> Sample:
        """The sample of a finding, with what an earlier repair did to it. Raises: FindingOutdated."""
        found = self.put_samples.get(finding.sample_id) or self.samples.get(finding.sample_id)
        if found is None:
            raise FindingOutdated(key=finding.key, check=finding.check)
        return found

    def annotation(self, finding: Finding) -> Annotation:
        """The annotation of a finding, likewise. Raises: FindingOutdated."""
        key = (finding.label_set, finding.annotation_id)
        found = self.put.get(key) or self.annotations.get(key)
        if found is None:
            raise FindingOutdated(key=finding.key, check=finding.check)
        return found

    def kept(self) -> dict[str, list[Annotation]]:
        """Label set -> annotations that are put, without those whose sample goes or that go themselves."""
        found: dict[str, list[Annotation]] = {}
        for (label_set, ann_id), one in self.put.items():
            if one.sample_id not in self.remove_samples and (label_set, ann_id) not in self.remove:
                found.setdefault(label_set, []).append(one)
        return found

    def kept_samples(self) -> list[Sample]:
        """Samples that are put and stay."""
        return [one for one in self.put_samples.values() if one.sample_id not in self.remove_samples]

    def change(self) -> Change:
        """All of it as one edit."""
        removed: dict[str, list[str]] = {}
        for label_set, ann_id in sorted(self.remove):
            removed.setdefault(label_set, []).append(ann_id)
        return Change(
            put_samples=self.kept_samples(),
            remove_samples=sorted(self.remove_samples),
            put_annotations=self.kept(),
            remove_annotations=removed,
        )


def opened(snapshot: Snapshot, findings: Sequence[Finding], *, author: str = "") -> Edit:
    """The rows that these findings are about; what is added gets this author."""
    ids = sorted({finding.sample_id for finding in findings if finding.sample_id})
    samples = {one.sample_id: one for one in snapshot.iter_samples(ids=ids)} if ids else {}
    annotations: dict[tuple[str, str], Annotation] = {}
    for label_set in sorted({finding.label_set for finding in findings if finding.label_set}):
        for of_sample in snapshot.annotations_of(list(samples), label_set).values():
            annotations.update({(label_set, one.ann_id): one for one in of_sample})
    return Edit(snapshot, samples, annotations, author)


def repair(edit: Edit, finding: Finding) -> None:
    """Add to the edit what the finding suggests.

    Raises: FindingNotRepairable, FindingOutdated.
    """
    suggested = finding.facts.get("repair")
    do = suggested.get("do") if isinstance(suggested, Mapping) else None
    if suggested is None or do not in _REPAIRS:
        raise _unfit(finding, "it suggests none" if do is None else f"nobody knows how to do {do!r}")
    _REPAIRS[str(do)](edit, finding, suggested)


def _unfit(finding: Finding, detail: str) -> FindingNotRepairable:
    return FindingNotRepairable(key=finding.key, check=finding.check, detail=detail)


def _numbers(finding: Finding, value: Any, n: int) -> tuple[float, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or (n and len(value) != n):
        raise _unfit(finding, f"it needs {n or 'some'} numbers")
    if not all(isinstance(one, int | float) for one in value):
        raise _unfit(finding, "it needs numbers")
    return tuple(float(one) for one in value)


def _class_id(edit: Edit, finding: Finding, suggested: Mapping[str, Any]) -> int:
    found = edit.snapshot.ontology.by_name(str(suggested.get("class")))
    if found is None:
        raise _unfit(finding, f"the ontology has no class {suggested.get('class')!r}")
    return found.id


def _remove_sample(edit: Edit, finding: Finding, _: Mapping[str, Any]) -> None:
    edit.remove_samples.add(edit.sample(finding).sample_id)


def _remove_annotation(edit: Edit, finding: Finding, _: Mapping[str, Any]) -> None:
    edit.remove.add((finding.label_set, edit.annotation(finding).ann_id))


def _set_split(edit: Edit, finding: Finding, suggested: Mapping[str, Any]) -> None:
    sample = edit.sample(finding)
    edit.put_samples[sample.sample_id] = replace(sample, split=str(suggested.get("split", "")))


def _set_class(edit: Edit, finding: Finding, suggested: Mapping[str, Any]) -> None:
    one = edit.annotation(finding)
    edit.put[finding.label_set, one.ann_id] = replace(one, class_id=_class_id(edit, finding, suggested))


def _set_box(edit: Edit, finding: Finding, suggested: Mapping[str, Any]) -> None:
    one = edit.annotation(finding)
    if one.kind in (Kind.POLYGON, Kind.MASK):
        return _box_of_shape(edit, finding, suggested)
    x, y, w, h = _numbers(finding, suggested.get("box_xywh_px"), 4)
    if w <= 0 or h <= 0:
        raise _unfit(finding, "the box would have no area")
    edit.put[finding.label_set, one.ann_id] = replace(one, bbox_xywh_px=(x, y, w, h), area_px=w * h)
    return None


def _box_of_shape(edit: Edit, finding: Finding, _: Mapping[str, Any]) -> None:
    """The box around what is drawn, as far as it lies inside the image."""
    one, sample = edit.annotation(finding), edit.sample(finding)
    if one.kind is Kind.POLYGON:
        rings = clip_rings(one.rings_px, xyxy_px=(0, 0, sample.width_px, sample.height_px))
        if not rings:
            raise _unfit(finding, "nothing of its polygon lies inside the image")
        after = replace(one, rings_px=rings, bbox_xywh_px=rings_bbox_xywh(rings), area_px=rings_area(rings))
    elif one.kind is Kind.MASK and one.mask_size_hw is not None:
        after = replace(one, bbox_xywh_px=from_string(one.mask_rle, one.mask_size_hw).bbox_xywh_px())
    else:
        raise _unfit(finding, f"a {one.kind} has no shape beside its box")
    edit.put[finding.label_set, one.ann_id] = after


def _set_keypoints(edit: Edit, finding: Finding, suggested: Mapping[str, Any]) -> None:
    one = edit.annotation(finding)
    points = _numbers(finding, suggested.get("keypoints_xyv"), len(one.keypoints_xyv))
    edit.put[finding.label_set, one.ann_id] = replace(one, keypoints_xyv=points)


def _add_box(edit: Edit, finding: Finding, suggested: Mapping[str, Any]) -> None:
    sample = edit.sample(finding)
    x, y, w, h = _numbers(finding, suggested.get("box_xywh_px"), 4)
    made = Annotation(
        ann_id=uuid7(),
        sample_id=sample.sample_id,
        kind=Kind.BOX,
        bbox_xywh_px=(x, y, w, h),
        area_px=w * h,
        class_id=_class_id(edit, finding, suggested),
        author=edit.author,
        attributes={"suggested_by": finding.check},
    )
    edit.put[finding.label_set or "ground_truth", made.ann_id] = made


_REPAIRS: dict[str, Callable[[Edit, Finding, Mapping[str, Any]], None]] = {
    "remove-sample": _remove_sample,
    "remove-annotation": _remove_annotation,
    "set-split": _set_split,
    "set-class": _set_class,
    "set-box": _set_box,
    "box-of-shape": _box_of_shape,
    "set-keypoints": _set_keypoints,
    "add-box": _add_box,
}
__all__ = ["Edit", "FindingNotRepairable", "FindingOutdated", "opened", "repair"]
