"""What an edit did, in words: a line for lists, by its verb and the details of the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WORDS = {
    "finding.fix": "fixed {findings} findings",
    "finding.undo-fix": "reverted the fix of {findings} findings",
    "annotations.import": "imported annotations from {file}",
    "annotations.put": "put {annotations} annotations into {label_set}",
    "augment.run": "made copies with recipe {recipe}",
    "transform.run": "transformed samples with recipe {recipe}",
    "transform.map_classes": "mapped classes",
    "curate.split": "assigned splits",
    "curate.select": "tagged a selection",
    "contract.set": "set the contract",
    "ontology.set": "changed the ontology",
    "ontology.migrate": "migrated the ontology",
    "vectors.put": "stored {vectors} vectors of {model}",
    "vectors.remove": "removed vectors of {samples} samples",
    "dataset.rollback": "discarded uncommitted edits",
}


class _Details(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def in_words(verb: str, details: Mapping[str, Any]) -> str:
    """What an edit did; the verb itself where no words are known."""
    if isinstance(details.get("what"), str):
        return str(details["what"])
    if "files" in details and "file" not in details:
        return f"added {details['files']} images"
    return _WORDS.get(verb, verb).format_map(_Details(details))
