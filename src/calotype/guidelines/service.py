"""The verbs of the room: the ontology, guidelines, and the labels that a change made stale."""

from __future__ import annotations

from calotype.guidelines.ontologies import (
    diff_ontologies,
    migrate_ontology,
    set_ontology,
    show_ontology,
)

__all__ = ["diff_ontologies", "migrate_ontology", "set_ontology", "show_ontology"]
