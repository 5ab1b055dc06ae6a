"""What the writers share: files below the target, JSON with the same bytes each time, the usual losses."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from calotype.datasets.model import Annotation, Sample
from calotype.formats.base import ExportSamples, Written
from calotype.formats.notices import LOSS_WORDS, Losses
from calotype.formats.split_names import split_of_folder
from calotype.foundation.progress import Progress
from calotype.tool_formats.collected import BACKGROUND
from calotype.tool_formats.shapes import longest

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAMESPACE = uuid.UUID("5e1c9d2a-7c0e-4c57-9e2f-3b1f0f6f7f0d")


class Export:
    """One writing: the files so far, how many annotations, and what the format could not hold."""

    def __init__(self, samples: ExportSamples, out: Path, progress: Progress) -> None:
        self.samples = samples
        self.losses = Losses()
        self.names = {c.id: c.name for c in samples.ontology.classes}
        self._out = out
        self._progress = progress
        self._files: list[str] = []
        self._n_samples = 0
        self._n_annotations = 0

    def add_image(self, sample: Sample, place: str) -> None:
        """Put the image of a sample at a place below the target."""
        if self.samples.bring(sample, self._out / place):
            self._files.append(place)
        self._n_samples += 1
        self._progress("writing labels", self._n_samples, self.samples.n_samples)

    def count(self, n_annotations: int = 1) -> None:
        """Count annotations that were written."""
        self._n_annotations += n_annotations

    def lose(self, what: str, a: Annotation) -> None:
        """Count something of an annotation that cannot be kept."""
        self.losses.add(what, a.ann_id)

    def longest_part(self, a: Annotation) -> tuple[float, ...]:
        """The part of a line or polygon that a format of one part holds; the others are counted as lost."""
        self.losses.add(
            "part of a line of several parts (the longest is written)", a.ann_id, n=len(a.rings_px) - 1
        )
        return longest(a.rings_px)

    def first_point(self, a: Annotation) -> tuple[float, float]:
        """The point that a format of single points holds; the others are counted as lost."""
        n_lost = len(a.rings_px[0]) // 2 - 1
        self.losses.add("further point of an annotation of several points", a.ann_id, n=n_lost)
        return a.rings_px[0][0], a.rings_px[0][1]

    def uuid_of(self, a: Annotation) -> str:
        """The id of an annotation for a format whose ids are UUIDs; another id is counted as lost."""
        if _UUID.fullmatch(a.source_id):
            return a.source_id
        self.losses.add("id of an annotation", a.ann_id, n=int(bool(a.source_id)))
        return stable_uuid(a.ann_id)

    def as_text(self, a: Annotation, value: Any) -> str:
        """The value of an attribute for a format that has texts only; `true` and `false` are read as such."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            self.losses.add("text that reads as true or false", a.ann_id, n=int(value in ("true", "false")))
            return value
        self.lose("number, list or object as value of an attribute (written as text)", a)
        return json.dumps(value, ensure_ascii=False)

    def write(self, place: str, data: bytes) -> None:
        """Write a file below the target."""
        target = self._out / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        self._files.append(place)

    def written(self) -> Written:
        """What was written."""
        listed = tuple(sorted(self._files))
        return Written(listed, self._n_samples, self._n_annotations, self.losses.listed())

    def lose_of_sample(self, sample: Sample, *, keeps: Collection[str] = ()) -> None:
        """Count the facts of a sample that the format cannot hold, but for those it `keeps`."""
        tags = [tag for tag in sample.tags if tag != BACKGROUND or BACKGROUND not in keeps]
        facts = {
            "metadata": sample.metadata,
            "licence": sample.licence,
            "source": sample.source,
            "tags": tags,
            "split": sample.split,
            "extra": sample.extra,
        }
        for what, value in facts.items():
            if value and what not in keeps:
                self.losses.add(f"{LOSS_WORDS.get(what, what)} of a sample", sample.name)

    def lose_of_annotation(
        self, a: Annotation, *, keeps: Collection[str] = (), attributes: Collection[str] | None = None
    ) -> None:
        """Count the facts of an annotation that the format cannot hold.

        Args:
            keeps: Of "id", "score", "iscrowd" and "extra" those that it can hold.
            attributes: Names of attributes that it can hold; None for all.
        """
        facts = {"id": a.source_id, "score": a.score is not None, "iscrowd": a.iscrowd, "extra": a.extra}
        for what, value in facts.items():
            if value and what not in keeps:
                self.lose(f"{LOSS_WORDS.get(what, what)} of an annotation", a)
        if attributes is not None:
            n_lost = sum(name not in attributes for name in a.attributes)
            self.losses.add("attribute of an annotation", a.ann_id, n=n_lost)

    def lose_of_classes(self, *, keeps: Collection[str] = ()) -> None:
        """Count the ids of classes that are not their position, supercategories and skeletons."""
        for at, one in enumerate(self.samples.ontology.classes):
            facts = {"id": one.id != at, "supercategory": one.supercategory, "keypoints": one.keypoints}
            for what, value in facts.items():
                if value and what not in keeps:
                    self.losses.add(f"{what} of a class", one.name)


def json_bytes(value: Any, *, indent: int | None = 1) -> bytes:
    """A value as JSON text."""
    separators = None if indent else (",", ":")
    return (json.dumps(value, ensure_ascii=False, indent=indent, separators=separators) + "\n").encode()


def json_lines(values: Iterable[Any]) -> bytes:
    """Values as lines of JSON."""
    return b"".join(json_bytes(value, indent=None) for value in values)


def stable_uuid(*parts: str) -> str:
    """The same UUID for the same texts."""
    return str(uuid.uuid5(_NAMESPACE, "\0".join(parts)))


def split_folder(sample: Sample, name: str) -> str:
    """The place of an image in the folder of its split, for formats that know splits by folders only."""
    first = PurePosixPath(name).parts[0]
    if not sample.split or first == sample.split or "/" in sample.split:
        return name
    return f"{sample.split}/{name}"


def keeps_split(sample: Sample) -> bool:
    """Whether the folder of its split tells the split again."""
    return split_of_folder(sample.split) == sample.split
