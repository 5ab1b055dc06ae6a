"""The list of label formats. Everything that names formats takes their names from here: commands, HTTP, docs, app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from calotype.coco_format.format import Coco
from calotype.coco_format.panoptic_format import CocoPanopticFormat
from calotype.formats.base import Format, FormatUnknown
from calotype.formats.passthrough import escaped
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.public_formats.cityscapes import Cityscapes
from calotype.public_formats.croissant import Croissant
from calotype.public_formats.dota import Dota
from calotype.public_formats.kitti import Kitti
from calotype.public_formats.mask_folders import MaskFolders
from calotype.public_formats.mot import Mot
from calotype.public_formats.open_images.format import OpenImages
from calotype.public_formats.records.image_folder import HfImageFolder
from calotype.public_formats.records.parquet_shards import ParquetShards
from calotype.public_formats.records.webdataset import WebDataset
from calotype.service_formats.class_table import ClassTable
from calotype.service_formats.createml import CreateMl
from calotype.service_formats.labelme_xml import LabelMeXml
from calotype.tool_formats.cvat.format import Cvat
from calotype.tool_formats.darwin import Darwin
from calotype.tool_formats.fiftyone import FiftyOne
from calotype.tool_formats.label_studio.format import LabelStudio
from calotype.tool_formats.labelbox import Labelbox
from calotype.tool_formats.labelme import LabelMe
from calotype.tool_formats.via import Via
from calotype.trainer_formats.folder import Folder
from calotype.trainer_formats.voc.format import Voc
from calotype.trainer_formats.yolo.format import Yolo

_ALL: list[Format] = [
    Coco(),
    CocoPanopticFormat(),
    Voc(),
    Yolo(),
    Kitti(),
    Dota(),
    Mot(),
    OpenImages(),
    Cityscapes(),
    MaskFolders(),
    HfImageFolder(),
    ParquetShards(),
    WebDataset(),
    Croissant(),
    Cvat(),
    LabelStudio(),
    LabelMe(),
    Via(),
    Darwin(),
    Labelbox(),
    FiftyOne(),
    CreateMl(),
    ClassTable(),
    LabelMeXml(),
    Folder(),
]

FORMATS = {format.name: format for format in _ALL}
"""Name -> format; where two are as sure of some files, the first wins."""

READABLE = tuple(name for name, format in FORMATS.items() if format.abilities.reads)
WRITABLE = tuple(name for name, format in FORMATS.items() if format.abilities.writes)
UPLOADABLE = tuple(name for name in READABLE if FORMATS[name].abilities.one_file)
"""Formats of which a single label file can be imported by itself."""


def reader(name: str) -> Format:
    """The format of a name, to read. Raises: FormatUnknown."""
    return _get(name, READABLE)


def writer(name: str) -> Format:
    """The format of a name, to write. Raises: FormatUnknown."""
    return _get(name, WRITABLE)


@dataclass(frozen=True, slots=True)
class Detected:
    """The format of some files, what shows it, and which others it could have been, the likeliest first."""

    format: Format
    sighting: Sighting
    others: tuple[tuple[Format, Sighting], ...] = ()

    @property
    def evidence(self) -> tuple[str, ...]:
        """The files that show it, then what else it could have been."""
        others = (f"could also be {f.title}: {sighting.layout}" for f, sighting in self.others)
        return tuple(map(escaped, (*self.sighting.evidence, *others)))


def detect(path: Path) -> Detected:
    """The format that is surest of the files. One whose own description is there and broken comes before a mere
    layout of folders, so that opening it says what is wrong.

    Raises: FormatUnknown.
    """
    survey = Survey(path)
    sightings = [(FORMATS[name], FORMATS[name].recognise(survey)) for name in READABLE]
    seen = [(format, sighting) for format, sighting in sightings if sighting is not None]
    if not seen:
        raise FormatUnknown(where=path.name, got=f"the files at {path.name!r}", known=", ".join(READABLE))
    seen.sort(key=lambda pair: -_weight(pair[1]))
    return Detected(*seen[0], tuple(seen[1:]))


def given(path: Path, name: str) -> Detected:
    """A format that the caller names, with what it recognises itself. Raises: FormatUnknown."""
    format = reader(name)
    sighting = format.recognise(Survey(path)) or Sighting("as asked", ())
    return Detected(format, sighting)


def _weight(sighting: Sighting) -> float:
    return Certainty.LAYOUT + 0.5 if sighting.broken else float(sighting.certainty)


def _get(name: str, known: tuple[str, ...]) -> Format:
    if name not in known:
        raise FormatUnknown(got=repr(name[:40]), known=", ".join(known))
    return FORMATS[name]
