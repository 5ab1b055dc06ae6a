"""Matching listed images to samples by name, where the label files come without the images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from calotype.datasets.model import Sample
from calotype.datasets.snapshot import Snapshot
from calotype.formats.windows import ListedImage


class SampleNames:
    """Finds samples by name: exactly, by an alias, or by the part of the path that both names have."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._exact: dict[str, str] = {}
        self._last: dict[str, list[tuple[str, str]]] = {}
        for row in snapshot.samples(columns=["sample_id", "name", "names", "parent_id"]).to_pylist():
            if row["parent_id"]:
                continue
            for name in dict.fromkeys([row["name"], *(row["names"] or ())]):
                self._exact.setdefault(name, row["sample_id"])
            last = PurePosixPath(row["name"]).name
            for key in {last, PurePosixPath(last).stem}:
                self._last.setdefault(key, []).append((row["sample_id"], row["name"]))

    def find_all(self, names: Sequence[str]) -> list[tuple[str | None, str]]:
        """The sample of each name, or None and the reason: no sample has it, several do, or several names claim it.

        A sample whose own path ends with the name, or the other way round, is its image: `a/1.jpg` is that of
        `images/a/1.jpg`, never that of `b/1.jpg`.
        """
        found = [self._find(name) for name in names]
        claims: dict[str, list[str]] = {}
        for name, (sample_id, _) in zip(names, found, strict=True):
            if sample_id is not None:
                claims.setdefault(sample_id, []).append(name)
        return [
            (sample_id, reason)
            if sample_id is None or name in self._exact or len(set(claims[sample_id])) == 1
            else (None, f"image file {name!r} is missing, and {_listed(claims[sample_id])} claim one sample")
            for name, (sample_id, reason) in zip(names, found, strict=True)
        ]

    def _find(self, name: str) -> tuple[str | None, str]:
        if name in self._exact:
            return self._exact[name], ""
        last = PurePosixPath(name).name
        for key in (last, PurePosixPath(last).stem):
            fitting = [(i, own) for i, own in self._last.get(key, ()) if _fit(name, own)]
            if len(fitting) == 1:
                return fitting[0][0], ""
            if fitting:
                own = _listed([own for _, own in fitting])
                return None, f"image file {name!r} is missing, and it could be any of the samples {own}"
        return None, f"image file {name!r} is missing"


def _fit(a: str, b: str) -> bool:
    """Whether the folders of one path are the last folders of the other."""
    shorter, longer = sorted((a.split("/")[:-1], b.split("/")[:-1]), key=len)
    return not shorter or longer[-len(shorter) :] == shorter


def _listed(names: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(names))
    return ", ".join(map(repr, distinct[:3])) + (
        f" and {len(distinct) - 3} more" if len(distinct) > 3 else ""
    )


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
