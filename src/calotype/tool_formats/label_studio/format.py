"""Label Studio JSON: a list of tasks. Source: "Label Studio JSON format of annotated tasks" and "Units of image
annotations" of the Label Studio documentation.

Coordinates are percent of the image, from 0 to 100. A rectangle turns clockwise about its top-left corner, an ellipse
about its centre. A brush stroke is a bit stream of an RGBA image. Keypoints belong to a rectangle by `parentID`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from calotype.datasets.model import Kind
from calotype.formats import xml_file
from calotype.formats.base import Abilities, ExportSamples, LabelFileUnreadable, Written
from calotype.formats.files_below import is_file, is_own_file
from calotype.formats.json_text import load, refused
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedSource
from calotype.foundation.progress import Progress, silent
from calotype.tool_formats.collected import Collected, read_each
from calotype.tool_formats.label_studio import minimal
from calotype.tool_formats.label_studio.reading import Config, Tasks
from calotype.tool_formats.label_studio.writing import Tasks as WrittenTasks
from calotype.tool_formats.writing import Export

_TITLE = "Label Studio JSON"
_MAX_FILES = 200
_KEYS = re.compile(rb'"(?:annotations|completions|predictions)"\s*:')
_OWN = re.compile(
    rb'"(?:from_name|original_width|was_cancelled|lead_time|total_annotations|ground_truth|completed_by)"\s*:'
)
_TASK = re.compile(rb'"(?:data|result|drafts)"\s*:')
_CLASS_BLOCKS = (
    "RectangleLabels",
    "PolygonLabels",
    "EllipseLabels",
    "BrushLabels",
    "BitmaskLabels",
    "Labels",
)
_CONFIGS = ("label_config.xml", "config.xml")


class LabelStudio:
    """Shapes, classes and texts of tasks, in one JSON file."""

    name = "label-studio"
    title = _TITLE
    suffixes = (".json",)
    abilities = Abilities(
        reads=frozenset(Kind),
        writes=frozenset(Kind),
        one_file=True,
        loses=(
            "polygons of several parts (written as a mask), parts of a line but the longest, points but the first",
            "edges of skeletons",
            "iscrowd and extra keys of annotations",
            "ids and supercategories of classes",
            "metadata, licence, source and tags of samples",
        ),
        source="Label Studio documentation: export formats, units of image annotations, import of pre-annotations",
        coordinates="percent of the image; angles in degrees, clockwise, of a rectangle about its top-left corner",
        ids="images by the path in `data`; annotations by the id of their result",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """JSON files of tasks with annotations or predictions."""
        looked_at = survey.with_suffix(".json")[:_MAX_FILES]
        evidence = [name for name in looked_at if _is_tasks(survey.head(name))]
        if not evidence:
            return None
        short = minimal.is_minimal(survey.head(evidence[0]))
        layout = "a JSON file of annotations (JSON_MIN)" if short else "a JSON file of tasks"
        return Sighting(layout, tuple(evidence[:5]), Certainty.DESCRIBED)

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable."""
        files = [path] if is_file(path) else list(_task_files(path))
        if not files:
            raise refused(path, _TITLE, "there is no JSON file of tasks", "give the exported JSON file")
        return read_each(files, path, images, progress, _read)

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `tasks.json`, `label_config.xml` and `images/`; the same input gives the same bytes."""
        export = Export(samples, out, progress)
        WrittenTasks(export).write()
        return export.written()


def _read(file: Path, collected: Collected) -> None:
    value = load(file, _TITLE)
    tasks = [value] if isinstance(value, dict) and "data" in value else value
    if not isinstance(tasks, list):
        raise refused(file, _TITLE, "it is not a list of tasks", "export the project as JSON")
    config = _config(file.parent)
    if tasks and isinstance(tasks[0], dict) and "annotation_id" in tasks[0]:
        tasks = [minimal.as_task(one, config.texts) if isinstance(one, dict) else one for one in tasks]
        words = "file in the short form, which does not tell choices and texts apart: read as classes"
        if not config.classes:
            collected.notices.add("value-unknown", file.name, what=words)
    Tasks(collected, config).read(tasks)


def _is_tasks(head: bytes) -> bool:
    if minimal.is_minimal(head):
        return True
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"[", b"{"):
        return False
    return all(pattern.search(head) for pattern in (_KEYS, _OWN, _TASK))


def _task_files(folder: Path) -> Iterator[Path]:
    survey = Survey(folder)
    for name in survey.with_suffix(".json"):
        if _is_tasks(survey.head(name)):
            yield folder / name


def _config(folder: Path) -> Config:
    """What the project's configuration lists; nothing where it does not lie beside the tasks."""
    for name in _CONFIGS:
        file = folder / name
        if not is_own_file(file, folder):
            continue
        try:
            root = xml_file.load(file, _TITLE, "View")
        except LabelFileUnreadable:
            continue
        blocks = (root.iter(tag) for tag in _CLASS_BLOCKS)
        classes = [
            label.get("value") or "" for found in blocks for block in found for label in block.iter("Label")
        ]
        labels = [label for block in root.iter("KeyPointLabels") for label in block.iter("Label")]
        numbered = [(xml_file.whole_or_none(label.get("model_index")), at) for at, label in enumerate(labels)]
        order = sorted(numbered, key=lambda pair: (pair[0] is None, pair[0] or 0, pair[1]))
        points = [labels[at].get("value") or "" for _, at in order]
        texts = (area.get("name") or "" for area in root.iter("TextArea"))
        return Config(tuple(filter(None, classes)), tuple(filter(None, points)), tuple(texts))
    return Config()
