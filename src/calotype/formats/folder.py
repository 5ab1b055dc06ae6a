"""Image folders: one folder per class, optionally below one folder per split. Source: the layout of
torchvision ImageFolder.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from calotype.datasets.model import Kind
from calotype.formats.base import Abilities, ExportSamples, LabelFileUnreadable, Written
from calotype.formats.files_below import files_below, is_folder
from calotype.formats.notices import Loss
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedAnnotation, ParsedImage, ParsedLabels, ParsedSource
from calotype.formats.windows import DeclaredClass, Problem
from calotype.foundation.progress import Progress, silent
from calotype.vision.images import IMAGE_EXTENSIONS

SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
UNLABELLED = "_unlabelled"


class Folder:
    """Classification by the name of the folder that an image is in."""

    name = "folder"
    title = "Image folders by class"
    suffixes = ()
    abilities = Abilities(
        reads=frozenset({Kind.CLASSIFICATION}),
        writes=frozenset({Kind.CLASSIFICATION}),
        loses=(
            "annotations other than classes of whole images",
            "further classes of one image",
            "metadata of samples",
        ),
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """A folder with folders of images in it."""
        inner = [name for name in survey.images if "/" in name]
        if survey.is_file or not inner:
            return None
        return Sighting("images in folders", (inner[0],), Certainty.LAYOUT)

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when there is no folder or no image in it."""
        root = Path(os.path.realpath(path))
        problems: list[Problem] = []
        files = _images(root, problems) if is_folder(root) else []
        if not files and not problems:
            hint = "give the folder that holds one folder per class"
            raise LabelFileUnreadable(
                file=path.name, format=self.title, detail="no images below it", hint=hint
            )
        listed: list[ParsedImage] = []
        annotations: list[ParsedAnnotation] = []
        for file in files:
            parts = file.relative_to(root).parts
            name = "/".join(parts)
            has_split = len(parts) >= 2 and parts[0].lower() in SPLITS
            listed.append(
                ParsedImage(name, name, file, split=SPLITS[parts[0].lower()] if has_split else "", where=name)
            )
            folders = parts[1:-1] if has_split else parts[:-1]
            if folders and folders[0] != UNLABELLED:
                annotations.append(ParsedAnnotation(name, "/".join(folders), Kind.CLASSIFICATION, name))
        classes = [DeclaredClass(name) for name in sorted({a.class_name for a in annotations})]
        return [ParsedSource(path.name, ParsedLabels(listed, annotations, classes, problems))]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Copies each image into the folder of its class; what a folder cannot hold is a loss."""
        losses: Counter[str] = Counter()
        files, n_annotations = [], 0
        for sample, labels in samples.items():
            whole = [a for a in labels if a.kind is Kind.CLASSIFICATION]
            for a in labels:
                if a.kind is not Kind.CLASSIFICATION:
                    losses[f"annotation of kind {a.kind}"] += 1
            if len(whole) > 1:
                losses["further classes of one image"] += len(whole) - 1
            if sample.metadata:
                losses["metadata of a sample"] += 1
            kept = samples.ontology.by_id(whole[0].class_id) if whole else None
            folder = _safe(kept.name) if kept else UNLABELLED
            n_annotations += 1 if kept else 0
            place = "/".join(part for part in (sample.split, folder, samples.file_name(sample)) if part)
            if samples.bring(sample, out / place):
                files.append(place)
        lost = tuple(Loss(what, count) for what, count in sorted(losses.items()))
        return Written(tuple(sorted(files)), samples.n_samples, n_annotations, lost)


def _images(root: Path, problems: list[Problem]) -> list[Path]:
    return files_below(root, IMAGE_EXTENSIONS, problems, hidden=False)


def _safe(name: str) -> str:
    safe = "".join(c if c.isalnum() or c in " -_.()" else f"%{ord(c):x}" for c in name).strip(" .")
    return safe[:120] or "_"
