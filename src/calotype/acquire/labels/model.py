"""The options and the report of an import of labels, and its errors."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from calotype.acquire.intake import MediaMode
from calotype.acquire.quarantine import QuarantinedItem
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.formats.notices import Loss, Notice
from calotype.formats.windows import Problem
from calotype.foundation.errors import Invalid

Policy = Literal["error", "skip", "quarantine"]
POLICIES = ("error", "skip", "quarantine")


class UnknownClasses(Invalid):
    """Annotations of classes that the ontology does not have, or that are retired."""

    code = "ontology-class-unknown"
    what = "{count} of {total} annotations name a class that is not in the ontology, or is retired: {names}"
    fix = (
        "add them to the contract, name classes that are not retired, or use --on-unknown skip or quarantine"
    )


class ItemsInvalid(Invalid):
    """Invalid items in label files, where the caller asked to stop at the first."""

    code = "label-items-invalid"
    what = "{count} items are invalid; the first: {reason}"
    fix = "correct them at their source, or import with --on-invalid quarantine"


class NothingToImport(Invalid):
    """Label files without a single item that can be imported."""

    code = "nothing-to-import"
    what = "nothing in {file} can be imported; {count} items were rejected, the first: {reason}"
    fix = "correct the file at its source; pass --images DIR if the images are in another folder"


class ImportNotClean(Invalid):
    """A strict import of files of which something would be left out or adjusted."""

    code = "import-not-clean"
    what = "{file} cannot be imported without losses: {detail}"
    fix = "correct the files, or import without --strict; --dry-run lists everything"


class RowsInvalid(Invalid):
    """A table of annotations with rows that are not valid annotations."""

    code = "rows-invalid"
    what = "these annotations are invalid: {detail}"
    fix = "correct the rows and put the table again; nothing was written"


class PolicyUnknown(Invalid):
    """A policy other than error, skip or quarantine."""

    code = "policy-unknown"
    what = "{option} cannot be {got!r}"
    fix = "use one of: error, skip, quarantine"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How label files are imported.

    `format` is the name of a format or "auto". `images` is the folder of the images, where they are not beside the
    labels; images that are not found there are matched to samples by name. `on_unknown` is for classes that a closed
    ontology lacks, `on_invalid` for broken items and missing files: "error", "skip" or "quarantine". `source` and
    `licence` are kept on new samples, the licence where the file names none. `origin` identifies the file when it is
    imported again; empty for its path. `strict` refuses the import where anything would be left out or adjusted.
    `dry_run` writes nothing and reports what the import would do.
    """

    format: str = "auto"
    images: Path | None = None
    label_set: str = DEFAULT_LABEL_SET
    on_unknown: str = "error"
    on_invalid: str = "quarantine"
    source: str = ""
    licence: str = ""
    media: MediaMode = "copy"
    origin: str = ""
    strict: bool = False
    dry_run: bool = False

    def keeps(self, item: QuarantinedItem) -> bool:
        """Whether an item is kept in the quarantine."""
        policy = self.on_unknown if item.code == "ontology-class-unknown" else self.on_invalid
        return policy == "quarantine"


COUNTS = ("samples", "annotations", "added", "changed", "unchanged", "removed", "kept", "skipped")
"""The counts of a report."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The report of an import of label files.

    `samples` counts the listed images that are samples now, `annotations` the listed annotations that the dataset has
    now: `added`, `changed` or `unchanged`. `removed` ones came from an earlier edition of the files and are not in this
    one; `kept` ones were changed or removed by people since and stay as they are. `skipped` items were rejected, each
    with a reason in `set_aside`. `losses` could not be read, `warnings` were adjusted or left out.
    """

    format: str
    layout: str
    evidence: tuple[str, ...]
    label_set: str
    samples: int
    annotations: int
    added: int
    changed: int
    unchanged: int
    removed: int
    kept: int
    skipped: int
    new_classes: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()
    warnings: tuple[Notice, ...] = ()
    set_aside: tuple[QuarantinedItem, ...] = ()
    reasons: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        plain = ("format", "layout", "label_set", *COUNTS)
        value: dict[str, Any] = {name: getattr(self, name) for name in plain}
        value["new_classes"] = list(self.new_classes)
        value["reasons"] = self.reasons
        value["evidence"] = list(self.evidence)
        value["losses"] = [asdict(loss) for loss in self.losses]
        value["warnings"] = [asdict(notice) for notice in self.warnings]
        value["set_aside"] = [item.to_dict() for item in self.set_aside[:100]]
        return value

    def __str__(self) -> str:
        counts = f"samples={self.samples}, annotations={self.annotations}, skipped={self.skipped}"
        return f"Import({counts}, losses={len(self.losses)})"


def quarantined_problem(problem: Problem) -> QuarantinedItem:
    """A problem of a reader as a quarantined item."""
    return QuarantinedItem(problem.what, problem.where, problem.code, problem.reason, problem.item)


def quarantined_class(class_name: str, where: str) -> QuarantinedItem:
    """An annotation of a class that a closed ontology does not have."""
    reason = f"class {class_name!r} is not in the ontology, or is retired"
    return QuarantinedItem("annotation", where, "ontology-class-unknown", reason)


def quarantined_annotation(where: str) -> QuarantinedItem:
    """An annotation whose image is not a sample."""
    return QuarantinedItem("annotation", where, "file-missing", "its image could not be imported")
