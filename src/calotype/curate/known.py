"""What a dataset knows about its candidates: the best vectors, classes, predictions, conditions that lack samples."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.contracts.known import ANY
from calotype.contracts.service import contract_of
from calotype.curate import repository
from calotype.datasets import rows
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.snapshot import LabelSetNotFound, Snapshot
from calotype.models.registry import HOG_COLOUR, HOG_COLOUR_V1, full_name
from calotype.store import Store

WEIGHTLESS = (HOG_COLOUR, HOG_COLOUR_V1)
_ENOUGH = 0.95
"""Share of the candidates that must have a vector of a model for it to be used without being named."""


def best_model(store: Store, snapshot: Snapshot, ids: Sequence[str]) -> str:
    """The best stored vectors of `ids`: those of your own model, then the built-in network's; "" for neither."""
    wanted = pa.array(ids, pa.string())
    ranked: list[tuple[bool, str]] = []
    for model in rows.models_of(snapshot.pins):
        if model in WEIGHTLESS:
            continue
        stored = snapshot.rows_of(rows.vector_table(model), columns=["sample_id"])[
            "sample_id"
        ].combine_chunks()
        n_stored = pc.sum(pc.is_in(wanted, value_set=stored)).as_py() or 0
        if n_stored >= _ENOUGH * len(ids):
            ranked.append((model == full_name("lite0"), model))
    return min(ranked)[1] if ranked else ""


def stored_models(snapshot: Snapshot) -> list[str]:
    """The models that the state has vectors of."""
    return list(rows.models_of(snapshot.pins))


def values_of(snapshot: Snapshot, ids: Sequence[str], field: str) -> list[str]:
    """The text of a field of each sample: a column such as `group`, or a metadata field."""
    own = field in rows.SAMPLE_SCHEMA.names
    values = snapshot.samples(ids=ids, columns=[field if own else "metadata"]).column(0).to_pylist()
    return [str(value if own else json.loads(value or "{}").get(field)) for value in values]


def stored_vectors(
    store: Store, snapshot: Snapshot, model: str, ids: Sequence[str]
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """The ids that have a vector of a model, in order, and their vectors (N, D) of length 1."""
    table = rows.vector_table(model)
    stored = snapshot.rows_of(table, columns=["sample_id"])["sample_id"].combine_chunks()
    wanted = pa.array(ids, pa.string())
    present = wanted.filter(pc.is_in(wanted, value_set=stored))
    return present.to_pylist(), repository.normalised_vectors(store, snapshot, model, present)


def classes_of(snapshot: Snapshot, ids: Sequence[str]) -> npt.NDArray[np.int64]:
    """(N,) column of each sample's most frequent class, -1 for a sample without annotations."""
    counts = _class_counts(snapshot, ids, DEFAULT_LABEL_SET, scored=False)
    return np.where(counts.any(axis=1), counts.argmax(axis=1), -1)


def predictions_of(snapshot: Snapshot, ids: Sequence[str], label_set: str) -> npt.NDArray[np.float32]:
    """(N, K) probabilities from the scores of a label set: each class's largest score, the rest spread evenly.

    Raises: LabelSetNotFound.
    """
    if label_set not in snapshot.label_sets:
        raise LabelSetNotFound(
            dataset=snapshot.dataset.name, got=label_set[:80], known=", ".join(snapshot.label_sets) or "none"
        )
    scores = np.clip(_class_counts(snapshot, ids, label_set, scored=True), 0, 1)
    total = scores.sum(axis=1, keepdims=True)
    scores = scores / np.maximum(total, 1)
    rest = (1 - scores.sum(axis=1, keepdims=True)) / max(scores.shape[1], 1)
    return np.asarray(scores + rest, np.float32)


def _class_counts(
    snapshot: Snapshot, ids: Sequence[str], label_set: str, *, scored: bool
) -> npt.NDArray[np.float64]:
    """(N, K) annotations of each class, or the largest score of each."""
    columns = [c.id for c in snapshot.ontology.classes]
    table = snapshot.annotations(label_set, sample_ids=ids, columns=["sample_id", "class_id", "score"])
    counts = np.zeros((len(ids), max(len(columns), 1)))
    row = pc.index_in(table["sample_id"], value_set=pa.array(ids, pa.string()))
    column = pc.index_in(table["class_id"], value_set=pa.array(columns, pa.int32()))
    valid = pc.and_(row.is_valid(), column.is_valid())
    places = tuple(part.filter(valid).to_numpy() for part in (row, column))
    if scored:
        np.maximum.at(counts, places, table["score"].fill_null(1.0).filter(valid).to_numpy())
    else:
        np.add.at(counts, places, 1)
    return counts


@dataclass(frozen=True, slots=True)
class Lacking:
    """A condition or class of the contract that has too few samples."""

    title: str
    n: int
    minimum: int
    ids: frozenset[str]


def lacking(snapshot: Snapshot, ids: Sequence[str]) -> list[Lacking]:
    """The coverage rules of the contract that lack samples, and the candidates that match them; emptiest first."""
    if not snapshot.contract_text:
        return []
    contract = contract_of(snapshot, ANY)
    labelled = set(snapshot.annotations(columns=["sample_id"])["sample_id"].to_pylist())
    candidates = frozenset(ids)
    result = []
    for rule in contract.coverage:
        where = rule.where or contract.slices.get(rule.slice or "")
        if where is None or rule.min_samples is None:
            continue
        matching = snapshot.ids(where)
        n = sum(sample_id in labelled for sample_id in matching)
        if n < rule.min_samples:
            result.append(Lacking(rule.title, n, rule.min_samples, candidates.intersection(matching)))
    return sorted((one for one in result if one.ids), key=lambda one: (one.n / one.minimum, one.title))
