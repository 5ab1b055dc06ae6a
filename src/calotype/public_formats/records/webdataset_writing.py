"""Writing WebDataset: tar files of 1,000 images each, with the labels of an image behind it."""

from __future__ import annotations

import io
import json
import re
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from calotype.datasets.model import Sample
from calotype.formats.base import ExportSamples, Written
from calotype.formats.notices import Losses
from calotype.foundation.progress import Progress
from calotype.public_formats.records.image_folder import SPLIT_FOLDERS
from calotype.public_formats.records.row_writing import Columns, named
from calotype.public_formats.writing import lose_sample

SHARD_IMAGES = 1_000


def write_shards(samples: ExportSamples, out: Path, progress: Progress) -> Written:
    """Write shards of each split and `classnames.txt`; the same input gives the same bytes."""
    losses, n_annotations = Losses(), 0
    columns = Columns.of(samples)
    classes = samples.ontology.classes
    names = {c.id: c.name for c in classes}
    numbers = {c.id: at for at, c in enumerate(classes)}
    shards = _Shards(out)
    keys = _Keys(samples, losses)
    try:
        with tempfile.TemporaryDirectory(prefix="calotype-") as folder:
            for done, (sample, labels) in enumerate(samples.items(), 1):
                row, n_written = columns.row(sample, labels, losses)
                n_annotations += n_written
                if not sample.split:
                    losses.add("missing split of a sample (train is written)", sample.name)
                key, suffix = keys.of(sample)
                parts = _parts(named(row, names), row, numbers)
                target = Path(folder) / "image"
                if samples.bring(sample, target):
                    parts = {suffix.lstrip("."): target.read_bytes(), **parts}
                    target.unlink()
                split = SPLIT_FOLDERS.get(sample.split, sample.split) or "train"
                shards.add(re.sub(r"[^\w]", "_", split), key, parts)
                lose_sample(losses, sample)
                progress("writing labels", done, samples.n_samples)
    finally:
        shards.close()
    lines = [" ".join(c.name.splitlines()) for c in classes]
    (out / "classnames.txt").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    files = tuple(sorted(["classnames.txt", *shards.files]))
    return Written(files, samples.n_samples, n_annotations, losses.listed())


class _Keys:
    """Keys without dots in the file name, since readers cut it at the first one."""

    def __init__(self, samples: ExportSamples, losses: Losses) -> None:
        self._samples, self._losses = samples, losses
        self._taken: set[str] = set()

    def of(self, sample: Sample) -> tuple[str, str]:
        """Key and ending of a sample's image."""
        place = PurePosixPath(self._samples.file_name(sample))
        stem = place.stem.replace(".", "_")
        unique, at = str(place.parent / stem), 1
        while unique in self._taken:
            at += 1
            unique = str(place.parent / f"{stem}_{at}")
        self._taken.add(unique)
        if PurePosixPath(unique).name != place.stem:
            self._losses.add("dots in the name of an image (replaced by `_`)", sample.name)
        return unique, place.suffix.lower()


def _parts(row: dict[str, Any], numbered: dict[str, Any], numbers: dict[int, int]) -> dict[str, bytes]:
    """The labels of an image: one class of the whole image as `cls`, a caption as `txt`, the rest as `json`."""
    parts: dict[str, bytes] = {}
    row = {key: value for key, value in row.items() if value is not None}
    if "label" in row:
        del row["label"]
        parts["cls"] = str(numbers[numbered["label"]]).encode()
    if "text" in row:
        parts["txt"] = row.pop("text").encode()
    if row:
        parts["json"] = json.dumps(row, ensure_ascii=False).encode()
    return parts


class _Shards:
    """Open tar files, one a split; a full one is closed and the next begun."""

    def __init__(self, out: Path) -> None:
        self.files: list[str] = []
        self._out = out
        self._open: dict[str, tarfile.TarFile] = {}
        self._counts: dict[str, int] = {}

    def add(self, split: str, key: str, parts: dict[str, bytes]) -> None:
        """Write the parts of one image behind each other."""
        count = self._counts.get(split, 0)
        if count % SHARD_IMAGES == 0:
            if split in self._open:
                self._open[split].close()
            name = f"{split}-{count // SHARD_IMAGES:06}.tar"
            self._open[split] = tarfile.TarFile(self._out / name, "w", format=tarfile.PAX_FORMAT)
            self.files.append(name)
        self._counts[split] = count + 1
        for part, data in parts.items():
            member = tarfile.TarInfo(f"{key}.{part}")
            member.size = len(data)
            self._open[split].addfile(member, io.BytesIO(data))

    def close(self) -> None:
        """Close all files."""
        for tar in self._open.values():
            tar.close()
