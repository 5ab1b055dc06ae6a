"""What an import of annotations answers, and what may go wrong with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from calotype.acquire.quarantine import SetAside
from calotype.formats.base import Loss, ParsedAnnotation, ParsedClass, Problem
from calotype.foundation.errors import Invalid
from calotype.vision.ontology import Ontology

Policy = Literal["error", "skip", "quarantine"]
POLICIES = ("error", "skip", "quarantine")


class UnknownClasses(Invalid):
    """Annotations of classes that the ontology does not have."""

    code = "ontology-class-unknown"
    what = "{count} of {total} annotations name a class that is not in the ontology: {names}"
    fix = "add the classes to the contract, or import with --on-unknown skip or quarantine"


class ItemsInvalid(Invalid):
    """Things of the label file that cannot be taken, where the caller asked to stop at the first."""

    code = "label-items-invalid"
    what = "{count} things cannot be taken in; the first: {reason}"
    fix = "correct them at their source, or import with --on-invalid quarantine to set them aside"


class NothingToImport(Invalid):
    """Not one thing of the label file could be taken."""

    code = "nothing-to-import"
    what = "nothing of {file} could be taken in; {count} things were refused, the first: {reason}"
    fix = "correct the file at its source; pass --images DIR when the pictures lie elsewhere"


class RowsInvalid(Invalid):
    """A table of annotations breaks a promise of the model."""

    code = "rows-invalid"
    what = "these annotations cannot be put: {detail}"
    fix = "correct the rows and put the table again; nothing of it was written"


class PolicyUnknown(Invalid):
    """Not one of the three ways."""

    code = "policy-unknown"
    what = "{option} cannot be {got!r}"
    fix = "use one of: error, skip, quarantine"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a label file.

    `samples` are the images it lists that are samples now, `annotations` those of its annotations that the dataset
    holds now; of these `added`, `updated` and `unchanged` tell what was new. `skipped` were not taken, each with a
    reason. `losses` is what the reader could not keep, `warnings` what it adjusted.
    """

    format: str
    label_set: str
    samples: int
    annotations: int
    added: int
    updated: int
    unchanged: int
    skipped: int
    new_classes: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()
    warnings: tuple[Loss, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    reasons: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        plain = ("format", "label_set", "samples", "annotations", "added", "updated", "unchanged", "skipped")
        value: dict[str, Any] = {name: getattr(self, name) for name in plain}
        value["new_classes"] = list(self.new_classes)
        value["reasons"] = self.reasons
        for name in ("losses", "warnings"):
            value[name] = [
                {"what": x.what, "count": x.count, "example": x.example} for x in getattr(self, name)
            ]
        value["set_aside"] = [item.to_dict() for item in self.set_aside[:100]]
        return value

    def __str__(self) -> str:
        words = f"samples={self.samples}, annotations={self.annotations}, skipped={self.skipped}"
        return f"Import({words}, losses={len(self.losses)})"


def aside_problem(problem: Problem) -> SetAside:
    """A problem of a reader as an entry of the quarantine."""
    code = "file-missing" if problem.kind == "missing-file" else "annotation-invalid"
    return SetAside(problem.what, problem.where, code, problem.reason, problem.item)


def aside_class(class_name: str, where: str) -> SetAside:
    """An annotation whose class a closed ontology does not have."""
    reason = f"class {class_name!r} is not in the ontology"
    return SetAside("annotation", where, "ontology-class-unknown", reason)


def aside_image(where: str) -> SetAside:
    """An annotation whose image is no sample."""
    return SetAside("annotation", where, "file-missing", "its image could not be taken in")


def grown(
    ontology: Ontology, declared: Sequence[ParsedClass], placed: Sequence[ParsedAnnotation]
) -> Ontology:
    """The ontology with the classes of the file; a closed one only learns the keypoints of its own."""
    told = {c.name: c for c in declared if c.keypoints}
    learned = tuple(
        replace(c, keypoints=told[c.name].keypoints, skeleton=told[c.name].skeleton)
        if c.name in told and not c.keypoints
        else c
        for c in ontology.classes
    )
    if learned != ontology.classes:
        ontology = replace(ontology, classes=learned)
    if ontology.closed:
        return ontology
    for c in declared:
        if ontology.by_name(c.name) is None:
            ontology = ontology.add(
                c.name,
                supercategory=c.supercategory,
                id=c.id,
                keypoints=c.keypoints,
                skeleton=c.skeleton,
                extra=c.extra,
            )
    for name in dict.fromkeys(annotation.class_name for annotation in placed):
        if ontology.by_name(name) is None:
            ontology = ontology.add(name)
    return ontology
