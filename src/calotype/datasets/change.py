"""An edit of a dataset: what comes, what goes. Applied whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from calotype.datasets.model import Annotation, Sample
from calotype.vision.ontology import Ontology


@dataclass(frozen=True, slots=True)
class Change:
    """What one verb does to a branch.

    `put_*` inserts or replaces by id; removing a sample removes its annotations in every label set.
    `ontology`, `contract` (YAML text) and `info` (file-level keys of imports) replace the present ones when given.
    """

    put_samples: Sequence[Sample] = ()
    remove_samples: Sequence[str] = ()
    put_annotations: Mapping[str, Sequence[Annotation]] = field(default_factory=dict)
    remove_annotations: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ontology: Ontology | None = None
    contract: str | None = None
    info: str | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing comes and nothing goes."""
        rows = any(map(len, self.put_annotations.values())) or any(map(len, self.remove_annotations.values()))
        texts = (self.ontology, self.contract, self.info)
        return not (
            self.put_samples or self.remove_samples or rows or any(text is not None for text in texts)
        )
