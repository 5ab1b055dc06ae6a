"""From a dataset's rows to units that must stay together, and back to the samples that change."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from calotype.curate.assign import Floats, Ints, Units, assign, joined
from calotype.curate.model import UNASSIGNED, FractionsInvalid, SplitFieldUnknown, SplitResult
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
PLAIN_FIELDS = ("group", "source", "licence", "folder")


@dataclass(frozen=True, slots=True)
class Wish:
    """How a split is asked for. `together` lists samples (by id) that are alike and may not be parted."""

    fractions: Mapping[str, float]
    by: str | None = None
    stratify: bool = True
    seed: int = 0
    keep_existing: bool = True
    together: Sequence[Sequence[str]] = ()
    pool: frozenset[str] | None = None

    def check(self) -> None:
        """Raises: FractionsInvalid."""
        shares = dict(self.fractions)
        if not shares:
            raise FractionsInvalid(got="nothing", detail="no split is named")
        said = ", ".join(f"{name}={value:g}" for name, value in shares.items())
        for name, value in shares.items():
            if not name or len(name) > 64 or name != name.strip() or any(ord(c) < 32 for c in name):
                raise FractionsInvalid(got=said[:200], detail=f"{name[:64]!r} is not a name for a split")
            if not 0.0 <= value <= 1.0:
                raise FractionsInvalid(got=said[:200], detail=f"{name} is not between 0 and 1")
        if abs(sum(shares.values()) - 1.0) > 1e-6:
            raise FractionsInvalid(got=said[:200], detail=f"they sum to {sum(shares.values()):.6g}, not to 1")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The split of each sample that gets another one than it had, and the result in numbers."""

    moved: Mapping[str, str]
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
    at: dict[str, int] = field(default_factory=dict)

    @property
    def originals(self) -> list[int]:
        return [at for at, parent in enumerate(self.parents) if not parent]


def plan(snapshot: Snapshot, wish: Wish) -> Outcome:
    """Which sample gets which split.

    Raises: FractionsInvalid, SplitFieldUnknown.
    """
    wish.check()
    rows, values = _rows(snapshot, wish.by)
    unit_of = joined(len(rows.ids), _links(rows, values, wish))
    splits = list(wish.fractions)
    active = [at for at in rows.originals if wish.pool is None or rows.ids[at] in wish.pool]
    warnings: list[str] = []
    if wish.by is not None and (without := sum(1 for at in active if not values[at])):
        warnings.append(f"{without} samples have no {wish.by}: each was taken as a group of its own")
    units, roots = _units(snapshot, rows, unit_of, active, wish, warnings)
    chosen = assign(units, [wish.fractions[name] for name in splits], seed=wish.seed)
    split_of_root = {root: splits[index] for root, index in zip(roots, chosen, strict=True)}
    moved = _moved(rows, unit_of, split_of_root, active, wish)
    warnings += _empty(splits, wish, split_of_root, len(active))
    return Outcome(moved, _result(snapshot, rows, moved, wish, len(roots), warnings))


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
    rows.at = {sample_id: at for at, sample_id in enumerate(rows.ids)}
    return rows, _values(snapshot, by, columns)


def _values(snapshot: Snapshot, by: str | None, columns: Mapping[str, list[Any]]) -> list[str]:
    """What the samples are kept together by besides their group; empty where they have none."""
    names: list[str] = columns["name"]
    if by is None:
        return [""] * len(names)
    if by in snapshot.fields:
        found = [json.loads(text).get(by) if text else None for text in columns["metadata"]]
        return ["" if value is None else str(value) for value in found]
    if by == "folder":
        return [name.rpartition("/")[0] for name in names]
    if by in PLAIN_FIELDS:
        return [value or "" for value in columns[by]]
    known = ", ".join([*PLAIN_FIELDS, *sorted(snapshot.fields)])
    raise SplitFieldUnknown(dataset=snapshot.dataset.name, got=by[:80], known=known)


def _links(rows: _Rows, values: Sequence[str], wish: Wish) -> Iterator[Sequence[int]]:
    """Lists of samples that belong together: same group, same field, same bytes, parent and child, look-
    alikes.
    """
    for column in (rows.groups, values, rows.media):
        same: dict[str, list[int]] = defaultdict(list)
        for at, value in enumerate(column):
            if value:
                same[value].append(at)
        yield from same.values()
    children: dict[str, list[int]] = defaultdict(list)
    for at, parent in enumerate(rows.parents):
        if parent:
            children[parent].append(at)
    for parent, found in children.items():  # a parent that was removed still holds its children together
        yield [rows.at[parent], *found] if parent in rows.at else found
    for alike in wish.together:
        yield [rows.at[sample_id] for sample_id in alike if sample_id in rows.at]


def _units(
    snapshot: Snapshot, rows: _Rows, unit_of: Ints, active: Sequence[int], wish: Wish, warnings: list[str]
) -> tuple[Units, list[int]]:
    members: dict[int, list[int]] = defaultdict(list)
    for at in active:
        members[int(unit_of[at])].append(at)
    roots = sorted(members)
    keys = [min(f"{rows.media[at]}\x1f{rows.names[at]}" for at in members[root]) for root in roots]
    counts = np.zeros((len(roots), 0))
    if wish.stratify and roots:
        unit_at = {rows.ids[at]: index for index, root in enumerate(roots) for at in members[root]}
        counts = _class_counts(snapshot, unit_at, len(roots))
    sizes = np.array([len(members[root]) for root in roots], dtype=np.int64)
    return Units(keys, sizes, counts, _fixed(rows, unit_of, roots, wish, warnings)), roots


def _class_counts(snapshot: Snapshot, unit_at: Mapping[str, int], n_units: int) -> Floats:
    """Annotations of each class in each unit, and the samples without any in one more column, (U, C + 1)."""
    column_of = {c.id: at for at, c in enumerate(snapshot.ontology.classes)}
    counts = np.zeros((n_units, len(column_of) + 1))
    table = snapshot.annotations(DEFAULT_LABEL_SET, columns=["sample_id", "class_id"])
    bare = set(unit_at)
    for sample_id, class_id in zip(
        table["sample_id"].to_pylist(), table["class_id"].to_pylist(), strict=True
    ):
        if sample_id in unit_at and class_id in column_of:
            counts[unit_at[sample_id], column_of[class_id]] += 1
            bare.discard(sample_id)
    for sample_id in bare:
        counts[unit_at[sample_id], -1] += 1
    return counts


def _fixed(rows: _Rows, unit_of: Ints, roots: Sequence[int], wish: Wish, warnings: list[str]) -> Ints:
    """The split that each unit stays in: the one that most of its samples (in or out of the pool) are in."""
    fixed = np.full(len(roots), -1, dtype=np.int64)
    if not wish.keep_existing:
        return fixed
    index_of = {name: at for at, name in enumerate(wish.fractions)}
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    for at in range(len(rows.ids)):
        if rows.splits[at] in index_of:
            votes[int(unit_of[at])][rows.splits[at]] += 1
    parted = 0
    for position, root in enumerate(roots):
        if root in votes:
            ranked = sorted(votes[root].items(), key=lambda item: (-item[1], index_of[item[0]]))
            fixed[position] = index_of[ranked[0][0]]
            parted += sum(count for _, count in ranked[1:])
    if parted:
        warnings.append(
            f"{parted} samples moved to the split of their group: it was spread over several splits"
        )
    if len(roots) and (fixed >= 0).all():
        warnings.append(
            "every group had a split and kept it; assign anew with keep_existing off (--reassign)"
        )
    others = sorted({split for split in rows.splits if split and split not in index_of})
    if others:
        warnings.append(
            f"samples were in splits that have no share now and are shared out: {', '.join(others)}"
        )
    return fixed


def _moved(
    rows: _Rows, unit_of: Ints, split_of_root: Mapping[int, str], active: Iterable[int], wish: Wish
) -> dict[str, str]:
    """Samples whose split changes: the active ones, and every derived one whose unit was assigned."""
    targets = {*active, *(at for at, parent in enumerate(rows.parents) if parent)}
    moved = {}
    for at in sorted(targets):
        split = split_of_root.get(int(unit_of[at]))
        if split is not None and split != rows.splits[at]:
            moved[rows.ids[at]] = split
    if wish.pool is not None:  # others of these groups leave the splits that would leak
        for at, split in enumerate(rows.splits):
            wanted = split_of_root.get(int(unit_of[at]))
            if at not in targets and split and wanted is not None and split != wanted:
                moved[rows.ids[at]] = wanted
    return moved


def _empty(splits: Sequence[str], wish: Wish, split_of_root: Mapping[int, str], n_samples: int) -> list[str]:
    used = set(split_of_root.values())
    empty = [name for name in splits if wish.fractions[name] > 0 and name not in used]
    if not empty or not n_samples:
        return []
    what = f"{len(split_of_root)} groups that must stay whole ({n_samples} samples)"
    return [f"{', '.join(empty)} got no sample: there are only {what} for {len(splits)} splits"]


def _result(
    snapshot: Snapshot, rows: _Rows, moved: Mapping[str, str], wish: Wish, n_groups: int, warnings: list[str]
) -> SplitResult:
    split_of = {sample_id: moved.get(sample_id, rows.splits[at]) for sample_id, at in rows.at.items()}
    originals = {rows.ids[at] for at in rows.originals}
    names = [*wish.fractions, *sorted({s for s in split_of.values() if s and s not in wish.fractions})]
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
    everybody, of_originals = Counter(split_of.values()), Counter(split_of[i] for i in originals)
    return SplitResult(
        samples={name: everybody[name] for name in names},
        originals={name: of_originals[name] for name in names},
        annotations=per_class,
        groups=n_groups,
        changed=len(moved),
        warnings=tuple(warnings),
    )
