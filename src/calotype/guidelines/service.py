"""The verbs of the room: the ontology, guidelines, and the labels that a change made stale."""

from __future__ import annotations

from calotype.guidelines.guiding import (
    acknowledge,
    diff_guidelines,
    guideline,
    guidelines,
    new_guideline,
    publish_guideline,
    reading,
    stale,
    stale_samples,
)
from calotype.guidelines.ontologies import (
    diff_ontologies,
    migrate_ontology,
    set_ontology,
    show_ontology,
)

__all__ = [
    "acknowledge",
    "diff_guidelines",
    "diff_ontologies",
    "guideline",
    "guidelines",
    "migrate_ontology",
    "new_guideline",
    "publish_guideline",
    "reading",
    "set_ontology",
    "show_ontology",
    "stale",
    "stale_samples",
]
