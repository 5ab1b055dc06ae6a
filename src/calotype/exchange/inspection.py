"""What a folder or file of labels is, before anything is imported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from calotype.exchange import registry
from calotype.exchange.registry import Detected
from calotype.formats.base import LabelSource
from calotype.formats.notices import Notice, Notices
from calotype.formats.windows import Problem
from calotype.foundation.os_errors import PathNotFound
from calotype.foundation.progress import Progress, silent

_LOCATED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found. `classes` counts annotations by class, `splits` images by split ("" for none).

    `problems` are items that an import would reject and notices of what it would adjust or leave out.
    """

    format: str
    layout: str
    evidence: tuple[str, ...]
    images: int
    annotations: int
    classes: dict[str, int] = field(default_factory=dict)
    splits: dict[str, int] = field(default_factory=dict)
    problems: tuple[Notice, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self) | {
            "evidence": list(self.evidence),
            "problems": [asdict(p) for p in self.problems],
        }


def inspect(
    path: str | Path, *, format: str = "auto", images: str | Path | None = None, progress: Progress = silent
) -> Inspection:
    """Read label files and say what they are: format, layout, images, annotations, classes, splits, problems.

    Args:
        format: The name of a format, or "auto".
        images: The folder of the images, where they are not beside the labels.
    Raises: PathNotFound, FormatUnknown, LabelFileUnreadable.
    """
    path, images = Path(path), Path(images) if images is not None else None
    check_images_folder(images)
    detected = detected_at(path, format)
    sources = detected.format.open(path, images=images, progress=progress)
    problems, classes, splits = Notices(), Counter[str](), Counter[str]()
    n_images = 0
    for source in sources:
        n_images += len(source.images)
        splits.update(split or "" for split in source.images.splits.to_pylist())
        add_problems(problems, source.problems)
        _find_images(source, problems)
        classes.update(_count_classes(source, problems))
    notices = [notice for source in sources for notice in source.warnings]
    return Inspection(
        format=detected.format.name,
        layout=detected.sighting.layout,
        evidence=detected.evidence,
        images=n_images,
        annotations=classes.total(),
        classes=dict(sorted(classes.items())),
        splits=dict(sorted(splits.items())),
        problems=(*problems.listed(), *notices),
    )


def detected_at(path: Path, format: str) -> Detected:
    """The format of a path, or what the format that the caller names recognises there.

    Raises: PathNotFound, FormatUnknown.
    """
    if not path.exists():
        raise PathNotFound(path=str(path))
    return registry.detect(path) if format == "auto" else registry.given(path, format)


def add_problems(notices: Notices, problems: Iterable[Problem]) -> None:
    """Count problems by code and reason. Missing images are one kind, whatever their names."""
    for problem in problems:
        if problem.code == "file-missing":
            notices.add(problem.code, f"{problem.where}: {problem.reason}", what="image file is missing")
        else:
            notices.add(problem.code, problem.where, what=problem.reason)


def check_images_folder(images: Path | None) -> None:
    """Raises: PathNotFound when the folder that the caller names for the images is not there."""
    if images is not None and not images.exists():
        raise PathNotFound(path=str(images))


def _find_images(source: LabelSource, problems: Notices) -> None:
    """Look for the file of each image."""
    names = source.images.names
    for start in range(0, len(source.images), _LOCATED_AT_ONCE):
        stop = min(start + _LOCATED_AT_ONCE, len(source.images))
        for at, file in enumerate(source.locate(start, stop), start):
            if file is None:
                problems.add("file-missing", str(names[at]), what="image file is missing")


def _count_classes(source: LabelSource, problems: Notices) -> Counter[str]:
    """Annotations by class name; results without classes of their own are counted by number."""
    counts: Counter[str] = Counter()
    if source.index is None:
        return counts
    for window in source.windows(source.index):
        numbers, n_rows = np.unique(window.category, return_counts=True)
        for number, n in zip(numbers.tolist(), n_rows.tolist(), strict=True):
            counts[source.index.classes[number]] += n
        add_problems(problems, window.problems)
    return counts
