"""An edit of a dataset: what comes, what goes. Applied whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field

import pyarrow as pa

from calotype.datasets.model import Annotation, Sample
from calotype.vision.ontology import Ontology


@dataclass(frozen=True, slots=True)
class RowStream:
    """Rows too many to hold at once, all of them new: `batches` may be called again when the edit is tried again."""

    batches: Callable[[], Iterator[pa.RecordBatch]]
    n_rows: int

    def __len__(self) -> int:
        return self.n_rows


@dataclass(frozen=True, slots=True)
class Change:
    """What one verb does to a branch.

    `put_*` inserts or replaces by id, values or an Arrow table of `rows.SAMPLE_SCHEMA` or `rows.ANNOTATION_SCHEMA`;
    removing a sample removes its annotations in every label set. `remove_annotations_of` takes away all annotations
    that the named samples have in a label set, before the new ones are put. `put_vectors` has a table of
    `rows.vector_schema` by model. Vectors of a removed sample stay, unseen, for when it comes back;
    `remove_vectors_of` takes those of samples away, by model, whether the samples are there or not.
    `ontology`, `contract` (YAML text) and `info` (file-level keys of imports) replace the present ones when given.
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
    """Types of metadata fields to start from; None: those of the present state."""

    @property
    def is_empty(self) -> bool:
        """Nothing comes and nothing goes."""
        by_name: tuple[Mapping[str, Sized], ...] = (
            self.put_annotations,
            self.remove_annotations,
            self.remove_annotations_of,
            self.put_vectors,
            self.remove_vectors_of,
        )
        named = any(len(rows) for one in by_name for rows in one.values())
        texts = any(text is not None for text in (self.ontology, self.contract, self.info))
        return not (len(self.put_samples) or len(self.remove_samples) or named or texts)
