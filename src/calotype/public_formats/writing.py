"""What writers share: names for flat folders, and the words for what a format cannot keep."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path, PurePosixPath

from calotype.datasets.model import Annotation, Sample
from calotype.folder_reading.folder import BACKGROUND
from calotype.formats.base import ExportSamples
from calotype.formats.notices import LOSS_WORDS, Losses


class FlatNames:
    """Names without folders, unique whatever the case: `a/b.png` becomes `a_b.png`."""

    def __init__(self, samples: ExportSamples, losses: Losses, *, dots: bool = True) -> None:
        self._samples, self._losses, self._dots = samples, losses, dots
        self._taken: set[str] = set()

    def of(self, sample: Sample) -> tuple[str, str]:
        """Stem and ending of a sample's file; a name that had to be changed is a loss.

        Dots in the stem are replaced where `dots` is false: readers cut the name at the first one.
        """
        place = PurePosixPath(self._samples.file_name(sample))
        plain = place.with_suffix("").as_posix()
        stem = plain.replace("/", "_")
        stem = stem if self._dots else stem.replace(".", "_")
        unique, at = stem, 1
        while unique.casefold() in self._taken:
            at += 1
            unique = f"{stem}_{at}"
        self._taken.add(unique.casefold())
        if unique != plain:
            self._losses.add("folders and dots in the name of an image (replaced by `_`)", sample.name)
        return unique, place.suffix


class WrittenClassNames:
    """Class names as a format can write them; different classes keep different names."""

    def __init__(
        self, names: Iterable[tuple[int, str]], losses: Losses, change: Callable[[str], str], rule: str
    ) -> None:
        self._names: dict[int, str] = {}
        taken: set[str] = set()
        for number, name in names:
            written = change(name) or "_"
            unique, at = written, 1
            while unique in taken:
                at += 1
                unique = f"{written}{at}"
            taken.add(unique)
            self._names[number] = unique
            if unique != name:
                losses.add(f"class name ({rule})", f"{name} -> {unique}")

    def __getitem__(self, class_id: int) -> str:
        return self._names[class_id]


class FileWriter:
    """Writes text files below a folder and lists them."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.files: list[str] = []

    def text(self, name: str, text: str) -> None:
        """Write a file of text."""
        self.data(name, text.encode("utf-8", "backslashreplace"))

    def data(self, name: str, data: bytes) -> None:
        """Write a file of bytes."""
        target = self.out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        self.files.append(name)

    def image(self, samples: ExportSamples, sample: Sample, name: str) -> None:
        """Put a sample's image at a place, where images are wanted."""
        if samples.bring(sample, self.out / name):
            self.files.append(name)

    def listed(self) -> tuple[str, ...]:
        """All files in order."""
        return tuple(sorted(self.files))


def is_labelled(sample: Sample, written: Collection[object]) -> bool:
    """Whether an image gets a label file: something is written in it, or the image is known to be empty.

    An image whose annotations the format cannot hold gets none: it would be read back as empty.
    """
    return bool(written) or BACKGROUND in sample.tags


def lose_sample(losses: Losses, sample: Sample, *, keeps: Collection[str] = (), extra: bool = True) -> None:
    """Count the facts of a sample that are not among `keeps`: "metadata", "licence", "source", "tags", "extra"."""
    tags = [tag for tag in sample.tags if tag != BACKGROUND]
    facts = {
        "licence": sample.licence,
        "source": sample.source,
        "tags": tags,
        "extra": extra and sample.extra,
    }
    metadata = set(sample.metadata) - set(keeps)
    for what, value in {**facts, "metadata": metadata}.items():
        if value and what not in keeps:
            losses.add(f"{LOSS_WORDS.get(what, what)} of a sample", sample.name)


def lose_annotation(
    losses: Losses,
    a: Annotation,
    place: str,
    *,
    keeps: Collection[str] = (),
    attributes: Collection[str] | None = (),
) -> None:
    """Count the facts of an annotation that are not among `keeps`: "id", "score", "iscrowd", or a key of `extra`.

    Args:
        attributes: Names of the attributes that are kept; None where all are.
    """
    facts = {
        "id of an annotation": "id" not in keeps and bool(a.source_id),
        "score of an annotation": "score" not in keeps and a.score is not None,
        "iscrowd of an annotation": "iscrowd" not in keeps and a.iscrowd,
        "extra keys of an annotation": "extra" not in keeps and bool(set(a.extra) - set(keeps)),
    }
    for what, value in facts.items():
        if value:
            losses.add(what, place)
    if attributes is not None:
        for name in a.attributes:
            if name not in attributes and not (name == "angle_deg" and a.rings_px):
                losses.add("attribute of an annotation", f"{place}: {name}")


def box_of(losses: Losses, a: Annotation, place: str) -> tuple[float, float, float, float] | None:
    """The box of an annotation for a format that holds boxes only; what else it has is a loss."""
    if a.bbox_xywh_px is None:
        losses.add(f"annotation of kind {a.kind}", place)
    elif a.kind != "box":
        losses.add(f"shape of a {a.kind} (its box is kept)", place)
    return a.bbox_xywh_px
