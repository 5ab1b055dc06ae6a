"""Which sample an image of a label file is, when the label file brings no picture of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from calotype.datasets.model import Sample
from calotype.datasets.snapshot import Snapshot
from calotype.formats.base import ParsedImage


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
            found = self._last.get(key, [])
            if len(set(found)) == 1:
                return found[0]
        return None


def learned(snapshot: Snapshot, images: Sequence[ParsedImage], sample_of: Mapping[str, str]) -> list[Sample]:
    """Samples that were found by name and lack something that the label file says of them; what is known stays."""
    told = {sample_of[i.key]: i for i in images if i.path is None and i.key in sample_of and _says_more(i)}
    changed = []
    for sample in snapshot.iter_samples(ids=sorted(told)):
        image = told[sample.sample_id]
        fuller = replace(
            sample,
            metadata={**image.metadata, **sample.metadata},
            split=sample.split or image.split,
            licence=sample.licence or image.licence,
            tags=tuple(dict.fromkeys([*sample.tags, *image.tags])),
        )
        if fuller != sample:
            changed.append(fuller)
    return changed


def _says_more(image: ParsedImage) -> bool:
    return bool(image.metadata or image.split or image.licence or image.tags)
