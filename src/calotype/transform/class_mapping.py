"""Applies a class mapping to the annotations of a dataset: the edit, and the report that counts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import yaml

from calotype.datasets.change import Change
from calotype.datasets.model import Annotation
from calotype.datasets.rows import annotations_from_arrow
from calotype.datasets.snapshot import Snapshot
from calotype.foundation import yaml_text
from calotype.transform.input_file import read_text
from calotype.transform.model import ClassChange, ClassMapping, ClassMappingInvalid, MappedOntology

MAX_TEXT = 1_000_000
"""Maximum length of a mapping file, in characters."""


def load(file: Path) -> dict[str, str | None]:
    """The class mapping in a YAML file. Raises: TransformFileNotFound, ClassMappingInvalid, which names the line."""
    return parse(read_text(file, kind="class mapping", max_chars=MAX_TEXT, make_error=_error), file=file.name)


def parse(text: str, *, file: str = "mapping") -> dict[str, str | None]:
    """A class mapping from YAML text: `{van: car, cone: null}`. Names are text, also where they look like numbers.

    Raises: ClassMappingInvalid, which names the line.
    """
    node = yaml_text.compose(text, file, _error, word="class mapping")
    if not isinstance(node, yaml.MappingNode):
        raise _error(f"{file} line 1", "it is not a mapping", "")
    yaml_text.check_keys(node, file, _error)
    mapping: dict[str, str | None] = {}
    for key, value in node.value:
        if not isinstance(value, yaml.ScalarNode):
            line = yaml_text.line_of_mark(value.start_mark)
            raise _error(f"{file} line {line}", f"{key.value!r} is not mapped to a class name or null", "")
        mapping[key.value] = None if value.tag == "tag:yaml.org,2002:null" else value.value
    return mapping


def _error(where: str, detail: str, hint: str) -> ClassMappingInvalid:
    return ClassMappingInvalid(where=where, detail=f"{detail}; {hint}" if hint else detail)


def edit(snapshot: Snapshot, mapped: MappedOntology) -> Change:
    """The change that applies a mapping: the new ontology, moved and removed annotations of all label sets."""
    moved: dict[str, list[Annotation]] = {}
    removed: dict[str, list[str]] = {}
    for label_set in snapshot.label_sets if mapped.class_ids else ():
        for annotation in annotations_from_arrow(snapshot.annotations(label_set)):
            if annotation.class_id not in mapped.class_ids:
                continue
            class_id = mapped.class_ids[annotation.class_id]
            if class_id is None:
                removed.setdefault(label_set, []).append(annotation.ann_id)
            else:
                moved.setdefault(label_set, []).append(replace(annotation, class_id=class_id, import_id=""))
    return Change(put_annotations=moved, remove_annotations=removed, ontology=mapped.ontology)


def report(
    snapshot: Snapshot, mapping: Mapping[str, str | None], mapped: MappedOntology, *, applied: bool
) -> ClassMapping:
    """What a mapping changes, with the number of annotations by class and label set."""
    counts = {
        name: Counter(snapshot.annotations(name, columns=["class_id"])["class_id"].to_pylist())
        for name in snapshot.label_sets
    }
    changes = []
    for old, action in mapped.actions.items():
        known = snapshot.ontology.by_name(old)
        by_set = {name: of_set[known.id] for name, of_set in counts.items() if known and of_set[known.id]}
        changes.append(ClassChange(old, mapping[old], action, by_set))
    return ClassMapping(tuple(changes), mapped.new_classes, applied)
