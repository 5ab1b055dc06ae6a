"""What the files of a mutant say in number and classes, read by simple rules of our own beside the readers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from calotype.formats.survey import Survey
from calotype.trainer_formats.yolo import splits
from calotype.vision.images import IMAGE_EXTENSIONS

XML_ERRORS = (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError)


def hidden(folder: Path, ending: str) -> list[str]:
    """Hidden label files with an ending, and hidden folders that hold some: they are not read."""
    names = []
    for root, below, files in os.walk(folder):
        parts = [f for f in files if f.startswith(".") and f.lower().endswith(ending)]
        for inner in [b for b in below if b.startswith(".")]:
            below.remove(inner)
            if any(f.lower().endswith(ending) for f in os.listdir(os.path.join(root, inner))):
                parts.append(inner)
        names += [os.path.relpath(os.path.join(root, part), folder) for part in parts]
    return names


def by_coco(folder: Path) -> tuple[int | None, set[str] | None]:
    files = [folder / name for name in Survey(folder).with_suffix(".json")]
    n, names = 0, set()
    for file in files:
        try:
            value = json.loads(file.read_bytes().decode("utf-8-sig"))
            if not file.name.startswith(("instances", "labels")):
                return None, None  # captions name no class, and a panoptic row has several segments
            n += len(value.get("annotations") or ())
            names |= {
                c["name"]
                for c in value.get("categories") or ()
                if isinstance(c, dict) and isinstance(c.get("name"), str)
            }
        except (OSError, ValueError, AttributeError, RecursionError, TypeError):
            return None, None
    return n, names


def by_yolo(folder: Path) -> tuple[int | None, set[str] | None]:
    n, names = 0, None
    for root, below, files in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".")]
        for name in files:
            if name.startswith(".") or not name.lower().endswith(".txt") or name.lower() == "classes.txt":
                continue
            try:
                text = Path(root, name).read_bytes().decode("utf-8-sig")
            except UnicodeDecodeError:
                continue  # no text: quarantined as a whole
            if "\0" in text or splits.is_list_of_images(text.encode()):
                continue
            n += sum(bool(line.strip()) for line in text.splitlines())
    yamls = [file for file in (folder / "data.yaml", *sorted(folder.glob("*.y*ml"))) if file.is_file()]
    try:
        value = yaml.load(yamls[0].read_text("utf-8-sig"), yaml.BaseLoader)["names"] if yamls else None
        if isinstance(value, list | dict):
            names = {str(v).strip() for v in (value if isinstance(value, list) else value.values())}
    except (yaml.YAMLError, TypeError, KeyError, UnicodeDecodeError):
        names = None
    return n, _as_read(names)


def _as_read(names: set[str] | None) -> set[str] | None:
    """The names, and what YAML makes of those that look like numbers and switches."""
    if names is None:
        return None
    read = set(names)
    for name in names:
        try:
            read.add(str(yaml.safe_load(name)).strip())
        except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError):
            continue
    return read


def by_voc(folder: Path) -> tuple[int | None, set[str] | None]:
    n, names = 0, set()
    files = [
        file
        for file in folder.rglob("*")
        if file.suffix.lower() == ".xml"
        and file.is_file()
        and not file.is_symlink()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]
    for file in files:
        try:
            tree = fromstring(file.read_bytes())
        except XML_ERRORS:
            continue  # quarantined as a whole
        if _is_deep(tree):
            continue  # likewise
        objects = tree.findall("object") if tree.tag == "annotation" else []
        n += len(objects)
        names |= {(element.findtext("name") or "").strip() for element in objects}
    return n, names


def _is_deep(tree: Any) -> bool:
    level = [tree]
    for _ in range(100):
        level = [child for element in level for child in element]
    return bool(level)


def by_folders(folder: Path) -> tuple[int, set[str]]:
    n, names = 0, set()
    for root, below, files in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".")]
        images_here = [
            f for f in files if os.path.splitext(f)[1].lower() in IMAGE_EXTENSIONS and not f.startswith(".")
        ]
        n += len(images_here)
        inner = os.path.relpath(root, folder).split(os.sep)
        names |= {"/".join(inner), "/".join(inner[1:])}
    return n, names
