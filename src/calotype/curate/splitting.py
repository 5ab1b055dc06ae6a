"""Splits of a dataset: group its rows into units that must stay together, assign them, and find what changes."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from calotype.curate.assign import Floats, Ints, Units, assign, connected
from calotype.curate.model import UNASSIGNED, SplitFieldUnknown, SplitResult, SplitSpec
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.snapshot import Snapshot

COLUMNS = [
    "sample_id",
    "media_sha256",
    "name",
    "source",
    "licence",
    "group",
    "split",
    "metadata",
    "parent_id",
]
SAMPLE_FIELDS = ("group", "source", "licence", "folder")


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """Sample id -> new split for the samples whose split changes, and the result in numbers."""

    new_splits: Mapping[str, str]
    result: SplitResult


@dataclass
class _Rows:
    """The columns of all samples as lists, in order of name."""

    ids: list[str]
    media: list[str]
    names: list[str]
    splits: list[str]
    parents: list[str]
    groups: list[str]
    row_of: dict[str, int] = field(default_factory=dict)

    @property
    def originals(self) -> list[int]:
        return [row for row, parent in enumerate(self.parents) if not parent]


def plan(snapshot: Snapshot, spec: SplitSpec) -> SplitPlan:
    """Decide the split of each sample; only `spec.pool` limits the samples, `spec.where` is ignored.

    Raises: FractionsInvalid, SplitFieldUnknown.
    """
    spec.check()
    rows, values = _rows(snapshot, spec.by)
    unit_of = connected(len(rows.ids), _links(rows, values, spec))
    splits = list(spec.fractions)
    active = [row for row in rows.originals if spec.pool is None or rows.ids[row] in spec.pool]
    warnings: list[str] = []
    if spec.by is not None and (without := sum(1 for row in active if not values[row])):
        warnings.append(f"{without} samples have no {spec.by}: each is a group of its own")
    units, roots = _units(snapshot, rows, unit_of, active, spec, warnings)
    chosen = assign(units, [spec.fractions[name] for name in splits], seed=spec.seed)
    split_of_root = {root: splits[index] for root, index in zip(roots, chosen, strict=True)}
    new_splits = _new_splits(rows, unit_of, split_of_root, active, spec)
    warnings += _empty_split_warnings(splits, spec, split_of_root, len(active))
    return SplitPlan(new_splits, _result(snapshot, rows, new_splits, spec, len(roots), warnings))


def _rows(snapshot: Snapshot, by: str | None) -> tuple[_Rows, list[str]]:
    table = snapshot.samples(columns=COLUMNS)
    columns = {name: table[name].to_pylist() for name in COLUMNS}
    rows = _Rows(
        columns["sample_id"],
        columns["media_sha256"],
        columns["name"],
        [split or "" for split in columns["split"]],
        [parent or "" for parent in columns["parent_id"]],
        [group or "" for group in columns["group"]],
    )
    rows.row_of = {sample_id: row for row, sample_id in enumerate(rows.ids)}
    return rows, _values(snapshot, by, columns)


def _values(snapshot: Snapshot, by: str | None, columns: Mapping[str, list[Any]]) -> list[str]:
    """The value of field `by` of each sample; empty where it has none."""
    names: list[str] = columns["name"]
    if by is None:
        return [""] * len(names)
    if by in snapshot.fields:
        values = [json.loads(text).get(by) if text else None for text in columns["metadata"]]
        return ["" if value is None else str(value) for value in values]
    if by == "folder":
        return [name.rpartition("/")[0] for name in names]
    if by in SAMPLE_FIELDS:
        return [value or "" for value in columns[by]]
    known = ", ".join([*SAMPLE_FIELDS, *sorted(snapshot.fields)])
    raise SplitFieldUnknown(dataset=snapshot.dataset.name, got=by[:80], known=known)


def _links(rows: _Rows, values: Sequence[str], spec: SplitSpec) -> Iterator[Sequence[int]]:
    """Lists of rows that must stay together: same group, value or bytes, parent and children, `spec.together`."""
    for column in (rows.groups, values, rows.media):
        rows_with: dict[str, list[int]] = defaultdict(list)
        for row, value in enumerate(column):
            if value:
                rows_with[value].append(row)
        yield from rows_with.values()
    children_of: dict[str, list[int]] = defaultdict(list)
    for row, parent in enumerate(rows.parents):
        if parent:
            children_of[parent].append(row)
    for parent, children in children_of.items():  # children of a removed parent still stay together
        yield [rows.row_of[parent], *children] if parent in rows.row_of else children
    for sample_ids in spec.together:
        yield [rows.row_of[sample_id] for sample_id in sample_ids if sample_id in rows.row_of]


def _units(
    snapshot: Snapshot,
    rows: _Rows,
    unit_of: Ints,
    active: Sequence[int],
    spec: SplitSpec,
    warnings: list[str],
) -> tuple[Units, list[int]]:
    members: dict[int, list[int]] = defaultdict(list)
    for row in active:
        members[int(unit_of[row])].append(row)
    roots = sorted(members)
    keys = [min(f"{rows.media[row]}\x1f{rows.names[row]}" for row in members[root]) for root in roots]
    counts = np.zeros((len(roots), 0))
    if spec.stratify and roots:
        unit_index = {rows.ids[row]: index for index, root in enumerate(roots) for row in members[root]}
        counts = _class_counts(snapshot, unit_index, len(roots))
    sizes = np.array([len(members[root]) for root in roots], dtype=np.int64)
    return Units(keys, sizes, counts, _fixed(rows, unit_of, roots, spec, warnings)), roots


def _class_counts(snapshot: Snapshot, unit_index: Mapping[str, int], n_units: int) -> Floats:
    """Annotations of each class in each unit, and in one more column the samples without annotations, (U, C + 1)."""
    column_of = {c.id: column for column, c in enumerate(snapshot.ontology.classes)}
    counts = np.zeros((n_units, len(column_of) + 1))
    table = snapshot.annotations(DEFAULT_LABEL_SET, columns=["sample_id", "class_id"])
    unannotated = set(unit_index)
    for sample_id, class_id in zip(
        table["sample_id"].to_pylist(), table["class_id"].to_pylist(), strict=True
    ):
        if sample_id in unit_index and class_id in column_of:
            counts[unit_index[sample_id], column_of[class_id]] += 1
            unannotated.discard(sample_id)
    for sample_id in unannotated:
        counts[unit_index[sample_id], -1] += 1
    return counts


def _fixed(rows: _Rows, unit_of: Ints, roots: Sequence[int], spec: SplitSpec, warnings: list[str]) -> Ints:
    """The split that each unit keeps: the one of most of its samples, whether in the pool or not."""
    fixed = np.full(len(roots), -1, dtype=np.int64)
    if not spec.keep_existing:
        return fixed
    index_of = {name: index for index, name in enumerate(spec.fractions)}
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    for row, split in enumerate(rows.splits):
        if split in index_of:
            votes[int(unit_of[row])][split] += 1
    n_moved = 0
    for position, root in enumerate(roots):
        if root in votes:
            ranked = sorted(votes[root].items(), key=lambda item: (-item[1], index_of[item[0]]))
            fixed[position] = index_of[ranked[0][0]]
            n_moved += sum(count for _, count in ranked[1:])
    if n_moved:
        warnings.append(
            f"{n_moved} samples new_splits to the split of their group, which was spread over several splits"
        )
    if len(roots) and (fixed >= 0).all():
        warnings.append(
            "every group already had a split and kept it; pass keep_existing=False to reassign all"
        )
    others = sorted({split for split in rows.splits if split and split not in index_of})
    if others:
        warnings.append(f"samples of splits that are not listed were reassigned: {', '.join(others)}")
    return fixed


def _new_splits(
    rows: _Rows, unit_of: Ints, split_of_root: Mapping[int, str], active: Iterable[int], spec: SplitSpec
) -> dict[str, str]:
    """Samples whose split changes: active ones, and derived ones whose unit was assigned."""
    targets = {*active, *(row for row, parent in enumerate(rows.parents) if parent)}
    new_splits = {}
    for row in sorted(targets):
        split = split_of_root.get(int(unit_of[row]))
        if split is not None and split != rows.splits[row]:
            new_splits[rows.ids[row]] = split
    if spec.pool is not None:  # samples outside the pool move too where they would leak
        for row, present in enumerate(rows.splits):
            assigned = split_of_root.get(int(unit_of[row]))
            if row not in targets and present and assigned is not None and present != assigned:
                new_splits[rows.ids[row]] = assigned
    return new_splits


def _empty_split_warnings(
    splits: Sequence[str], spec: SplitSpec, split_of_root: Mapping[int, str], n_samples: int
) -> list[str]:
    used = set(split_of_root.values())
    empty = [name for name in splits if spec.fractions[name] > 0 and name not in used]
    if not empty or not n_samples:
        return []
    groups = f"{len(split_of_root)} groups that must stay together ({n_samples} samples)"
    return [f"{', '.join(empty)} got no samples: there are only {groups} for {len(splits)} splits"]


def _result(
    snapshot: Snapshot,
    rows: _Rows,
    new_splits: Mapping[str, str],
    spec: SplitSpec,
    n_groups: int,
    warnings: list[str],
) -> SplitResult:
    split_of = {
        sample_id: new_splits.get(sample_id, rows.splits[row]) for sample_id, row in rows.row_of.items()
    }
    originals = {rows.ids[row] for row in rows.originals}
    names = [*spec.fractions, *sorted({s for s in split_of.values() if s and s not in spec.fractions})]
    if UNASSIGNED in split_of.values():
        names.append(UNASSIGNED)
    table = snapshot.annotations(DEFAULT_LABEL_SET, columns=["sample_id", "class_id"])
    per_class: dict[str, dict[str, int]] = {
        c.name: dict.fromkeys(names, 0) for c in snapshot.ontology.classes
    }
    name_of = {c.id: c.name for c in snapshot.ontology.classes}
    for sample_id, class_id in zip(
        table["sample_id"].to_pylist(), table["class_id"].to_pylist(), strict=True
    ):
        if sample_id in originals and class_id in name_of:
            per_class[name_of[class_id]][split_of[sample_id]] += 1
    n_samples, n_originals = Counter(split_of.values()), Counter(split_of[i] for i in originals)
    return SplitResult(
        samples={name: n_samples[name] for name in names},
        originals={name: n_originals[name] for name in names},
        annotations=per_class,
        groups=n_groups,
        changed=len(new_splits),
        warnings=tuple(warnings),
    )
