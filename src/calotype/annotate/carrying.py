"""Carries edits of an original over to its derived samples, whose annotations are known by their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from calotype.annotate import model, repository
from calotype.annotate.draft import Draft, on_sample
from calotype.annotate.model import Edit
from calotype.datasets.model import Annotation, Sample
from calotype.datasets.row_ids import id_in_copy
from calotype.datasets.snapshot import Snapshot
from calotype.store import Store

Place = tuple[str, str]
"""The annotation (or "") and the sample that an edit concerns."""

NEEDS_RECIPE = "run the recipe again, which warps shapes: `calotype augment` or `calotype transform`"


@dataclass
class Copies:
    """What edits concern on derived samples: rows for each edit, how many were carried, and why others were not."""

    of_edit: list[int]
    carried: int = 0
    not_carried: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Labels and samples on copies that the edits concern."""
        return sum(self.of_edit)


def follow(
    store: Store, state: Snapshot, draft: Draft, edits: Sequence[tuple[Edit, Place]], *, carry_over: bool
) -> Copies:
    """Count what the edits concern on derived samples, and with `carry_over` change it in the draft too.

    An annotation added to an original concerns every copy of it; any other only the copies that have it.
    """
    copies_of: dict[str, list[Sample]] = {}
    edited = list(dict.fromkeys(sample_id for _, (_, sample_id) in edits))
    for copy in repository.copies(store, state, edited):
        copies_of.setdefault(copy.parent_id, []).append(copy)
        draft.samples.setdefault(copy.sample_id, copy)
        draft.samples_before.setdefault(copy.sample_id, copy)
    if not copies_of:
        return Copies([0] * len(edits))
    present = _present(store, state, draft, edits, copies_of)
    result = Copies([])
    for at, (edit, (ann_id, sample_id)) in enumerate(edits):
        of_sample = copies_of.get(sample_id, [])
        if isinstance(edit, model.Add) or not ann_id:
            concerned = [copy.sample_id for copy in of_sample]
        else:
            ids = [id_in_copy(copy.sample_id, draft.label_set, ann_id) for copy in of_sample]
            concerned = [key for key in ids if key in present]
        result.of_edit.append(len(concerned))
        if carry_over:
            _carry(draft, edit, concerned, f"edits[{at}]", result)
    return result


def _present(
    store: Store,
    state: Snapshot,
    draft: Draft,
    edits: Sequence[tuple[Edit, Place]],
    copies_of: dict[str, list[Sample]],
) -> set[str]:
    """Ids of the annotations that copies have of those edited; they are put into the draft."""
    ids = {
        id_in_copy(copy.sample_id, draft.label_set, ann_id)
        for edit, (ann_id, sample_id) in edits
        if ann_id and not isinstance(edit, model.Add)
        for copy in copies_of.get(sample_id, ())
    }
    missing = sorted(ids - draft.annotations.keys())
    for annotation in repository.annotations_by_id(store, state, draft.label_set, missing) if missing else ():
        draft.annotations[annotation.ann_id] = annotation
        draft.before[annotation.ann_id] = annotation
    return {key for key in ids if draft.before.get(key) is not None}


def _carry(draft: Draft, edit: Edit, concerned: Sequence[str], where: str, result: Copies) -> None:
    if isinstance(edit, model.Add | model.SetShape):
        if concerned:
            what = "added" if isinstance(edit, model.Add) else "shape"
            result.not_carried[f"{what}: {NEEDS_RECIPE}"] += len(concerned)
        return
    for key in concerned:
        if isinstance(edit, model.OfSample):
            draft.samples[key] = on_sample(draft.samples[key], edit, where)
        else:
            annotation: Annotation | None = draft.annotations[key]
            if annotation is None:
                continue
            draft.annotations[key] = draft.on_annotation(annotation, edit, where)
        result.carried += 1
