"""The classes that label files declare, as an ontology."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from calotype.formats.windows import DeclaredClass
from calotype.vision.ontology import Ontology

_HIGHEST_WANTED_ID = 2**31 - 1_000_000
"""A class with an id above keeps its name and gets another id: there must be room for the classes that follow."""


def with_declared_classes(ontology: Ontology, declared: Sequence[DeclaredClass]) -> Ontology:
    """The ontology with the classes of label files; a closed one only gains the keypoints of its own classes."""
    poses = {c.name: c for c in declared if c.keypoints}
    classes = tuple(
        replace(
            c,
            keypoints=poses[c.name].keypoints,
            skeleton=poses[c.name].skeleton,
            extra={**poses[c.name].extra, **c.extra},
        )
        if c.name in poses and not c.keypoints
        else c
        for c in ontology.classes
    )
    if classes != ontology.classes:
        ontology = replace(ontology, classes=classes)
    if ontology.closed:
        return ontology
    for c in declared:
        if ontology.by_name(c.name) is None:
            ontology = ontology.add(
                c.name,
                supercategory=c.supercategory,
                id=c.id if c.id is not None and c.id < _HIGHEST_WANTED_ID else None,
                keypoints=c.keypoints,
                skeleton=c.skeleton,
                extra=c.extra,
            )
    return ontology
