"""An edit of a dataset: rows to write and to remove, applied completely or not at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field

import pyarrow as pa

from calotype.datasets.model import Annotation, Sample
from calotype.vision.ontology import Ontology


@dataclass(frozen=True, slots=True)
class RowStream:
    """New rows that do not fit into memory. `batches` is called again when the edit is retried."""

    batches: Callable[[], Iterator[pa.RecordBatch]]
    n_rows: int

    def __len__(self) -> int:
        return self.n_rows


@dataclass(frozen=True, slots=True)
class Change:
    """Rows and documents that an edit writes to a branch or removes from it.

    `put_*` inserts rows or replaces them by id, given as values or as Arrow tables of `rows.SAMPLE_SCHEMA` or
    `rows.ANNOTATION_SCHEMA`. Removing a sample removes its annotations from every label set. `remove_annotations_of`
    removes all annotations of these samples from a label set before the new ones are written. `put_vectors` has a
    table of `rows.vector_schema` for each model. Vectors of a removed sample are kept but hidden, so that they are
    available when the sample is restored; `remove_vectors_of` removes vectors by model, whether or not the samples
    exist. `ontology`, `contract` (YAML text) and `info` (file-level keys of imports) replace the current documents.
    """

    put_samples: Sequence[Sample] | pa.Table = ()
    remove_samples: Sequence[str] = ()
    put_annotations: Mapping[str, Sequence[Annotation] | pa.Table | RowStream] = field(default_factory=dict)
    remove_annotations: Mapping[str, Sequence[str]] = field(default_factory=dict)
    remove_annotations_of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    put_vectors: Mapping[str, pa.Table] = field(default_factory=dict)
    remove_vectors_of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ontology: Ontology | None = None
    contract: str | None = None
    info: str | None = None
    fields: Mapping[str, str] | None = None
    """Types of metadata fields to start from; None for those of the current state."""
    new_samples: Collection[str] = frozenset()
    """Ids among `put_samples` that were drawn for this edit, so there are no rows of theirs to replace."""

    @property
    def is_empty(self) -> bool:
        """Whether the edit changes nothing."""
        by_name: tuple[Mapping[str, Sized], ...] = (
            self.put_annotations,
            self.remove_annotations,
            self.remove_annotations_of,
            self.put_vectors,
            self.remove_vectors_of,
        )
        has_rows = any(len(rows) for mapping in by_name for rows in mapping.values())
        has_documents = any(document is not None for document in (self.ontology, self.contract, self.info))
        return not (len(self.put_samples) or len(self.remove_samples) or has_rows or has_documents)
