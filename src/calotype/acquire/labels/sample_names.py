"""Matching listed images to samples by name, where the label files come without the images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from calotype.datasets.model import Sample
from calotype.datasets.snapshot import Snapshot
from calotype.formats.windows import ListedImage


class SampleNames:
    """Finds samples by name: exactly, by an alias, or by the last part when only one sample has it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._exact: dict[str, str] = {}
        self._last: dict[str, list[str]] = {}
        for row in snapshot.samples(columns=["sample_id", "name", "names", "parent_id"]).to_pylist():
            if row["parent_id"]:
                continue
            for name in dict.fromkeys([row["name"], *(row["names"] or ())]):
                self._exact.setdefault(name, row["sample_id"])
            last = PurePosixPath(row["name"]).name
            self._last.setdefault(last, []).append(row["sample_id"])
            self._last.setdefault(PurePosixPath(last).stem, []).append(row["sample_id"])

    def find(self, name: str) -> str | None:
        """The sample of a name; None when there is none or several."""
        if name in self._exact:
            return self._exact[name]
        last = PurePosixPath(name).name
        for key in (last, PurePosixPath(last).stem):
            sample_ids = self._last.get(key, [])
            if len(set(sample_ids)) == 1:
                return sample_ids[0]
        return None


def completed_samples(snapshot: Snapshot, matched: Iterable[tuple[ListedImage, str]]) -> list[Sample]:
    """Samples matched by name that lack something the label file states; values they have stay."""
    image_of = {sample_id: image for image, sample_id in matched if _has_facts(image)}
    changed = []
    for sample in snapshot.iter_samples(ids=sorted(image_of)):
        image = image_of[sample.sample_id]
        completed = replace(
            sample,
            metadata={**image.metadata, **sample.metadata},
            split=sample.split or image.split,
            licence=sample.licence or image.licence,
            tags=tuple(dict.fromkeys([*sample.tags, *image.tags])),
        )
        if completed != sample:
            changed.append(completed)
    return changed


def _has_facts(image: ListedImage) -> bool:
    return bool(image.metadata or image.split or image.licence or image.tags)
