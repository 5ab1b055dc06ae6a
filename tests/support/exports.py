"""Samples and annotations as a writer gets them, without a workspace, and what a format reads back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hypothesis import settings
from PIL import Image
from tests.support.labels import ReadLabels, read_labels

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.formats.base import ExportSamples, Format, Written
from calotype.vision.ontology import Class, Ontology

Item = tuple[Sample, list[Annotation]]
FEW = settings(deadline=None, max_examples=25)
"""For property tests that write and read files; no machine is too slow for them."""


def sample(name: str, size_wh: tuple[int, int] = (64, 48), **facts: Any) -> Sample:
    """A sample of this name and size."""
    return Sample(name, f"sha-{name}", name, *size_wh, "image/png", 100, **facts)


def box(at: Sequence[float], class_id: int = 0, **facts: Any) -> Annotation:
    """A box at x, y, w, h."""
    x, y, w, h = at
    return Annotation(
        f"{x}-{y}-{w}-{h}", "s", Kind.BOX, class_id, bbox_xywh_px=(x, y, w, h), area_px=w * h, **facts
    )


def shape(kind: Kind, *rings: Sequence[float], class_id: int = 0, **facts: Any) -> Annotation:
    """A polygon or another shape of points."""
    xs, ys = [v for ring in rings for v in ring[::2]], [v for ring in rings for v in ring[1::2]]
    bounds = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    return Annotation(
        "a", "s", kind, class_id, bbox_xywh_px=bounds, rings_px=tuple(map(tuple, rings)), **facts
    )


def write(
    format: Format,
    out: Path,
    items: Iterable[Item],
    names: Sequence[str | Class] = ("car", "dog"),
    *,
    with_images: bool = True,
) -> Written:
    """Write with small images of the stated sizes."""
    listed = list(items)

    def bring(one: Sample, target: Path | str) -> bool:
        if with_images:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            colour = (abs(hash(one.name)) % 256, 90, 20)
            Image.new("RGB", (one.width_px, one.height_px), colour).save(target, "PNG", compress_level=0)
        return with_images

    classes = tuple(Class(at, name) if isinstance(name, str) else name for at, name in enumerate(names))
    samples = ExportSamples(
        ontology=Ontology(classes),
        items=lambda: iter(listed),
        tables=lambda columns: iter(()),
        bring=bring,
        file_name=lambda one: one.name,
        listed=[one for one, _ in listed],
    )
    out.mkdir(parents=True, exist_ok=True)
    return format.write(samples, out)


def there_and_back(
    format: Format, out: Path, items: Iterable[Item], names: Sequence[str | Class] = ("car", "dog")
) -> tuple[Written, ReadLabels]:
    """Written, and read again."""
    return write(format, out, items, names), read_labels(format, out)


def losses(written: Written) -> dict[str, int]:
    """Count of each loss by its words."""
    return {loss.what: loss.count for loss in written.losses}


def image_file(file: Path, size_wh: tuple[int, int] = (64, 48), colour: Any = "red") -> Path:
    """An image file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size_wh, colour).save(file)
    return file


def text(file: Path, content: str) -> Path:
    """A text file in a folder that is made for it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, "utf-8", "surrogateescape")
    return file


def warnings(format: Format, path: Path, **more: Any) -> dict[str, int]:
    """Count of each notice by code."""
    counts: dict[str, int] = {}
    for source in format.open(path, **more):
        for notice in source.warnings:
            counts[notice.code] = counts.get(notice.code, 0) + notice.count
    return counts
