"""The three-way merge of two states with a common base, on plain values: deterministic and without IO.

Only rows that a side changed are considered. A sample and its annotations are removed as one unit: removing a sample
conflicts with any edit of it or its annotations, and keeping the sample restores its annotations.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from calotype.datasets import rows
from calotype.foundation.ids import canonical_json
from calotype.versions.merge_documents import (
    Classes,
    merge_fields,
    merge_ontology,
    merge_text,
    with_used_classes,
)
from calotype.versions.merge_rows import load, merge_row, resolve_fields, same, second_id
from calotype.versions.model import (
    Choices,
    ConflictCollector,
    ConflictContent,
    DecodedDocuments,
    Edits,
    MergeResult,
    Row,
    RowEdit,
    Side,
)

_UNTOUCHED = RowEdit(None, None)


def merge(base: DecodedDocuments, ours: Side, theirs: Side, choices: Choices = None) -> MergeResult:
    """Merge the changes of both sides.

    Args:
        base: The documents of the newest common ancestor.
        choices: Resolutions by fingerprint of the conflict, or one resolution for all.
    Returns: The final version of each changed row, the documents, and the conflicts.
    Raises: ResolutionInvalid.
    """
    conflicts = ConflictCollector(choices)
    classes = merge_ontology(base, ours, theirs, conflicts)
    documents, converted = _merge_all_documents(base, ours.documents, theirs.documents, classes, conflicts)
    theirs = replace(theirs, edits=with_class_ids(theirs.edits, classes.class_map))
    ours_edits, theirs_edits, sample_map = _unify_samples(ours.edits, theirs.edits)
    row_merge = _RowMerge(ours_edits, theirs_edits, conflicts)
    row_merge.merge_removed_samples()
    for table in sorted({*ours_edits, *theirs_edits}, key=lambda name: (name != rows.SAMPLES, name)):
        row_merge.merge_table(table)
    for duplicate_id in sample_map:
        row_merge.rows[rows.SAMPLES][duplicate_id] = None
    _make_names_unique(row_merge.rows.get(rows.SAMPLES, {}))
    for field_name, kind in converted.items():
        _convert_field(row_merge.rows.get(rows.SAMPLES, {}), field_name, kind)
    used = {
        row["class_id"]
        for table, final in row_merge.rows.items()
        if table != rows.SAMPLES
        for row in final.values()
        if row is not None
    }
    ontology = with_used_classes(documents.ontology, used, ours.documents.ontology, theirs.documents.ontology)
    documents = replace(documents, ontology=ontology)
    conflict_lists = (tuple(conflicts.found), tuple(conflicts.open))
    return MergeResult(row_merge.rows, documents, *conflict_lists, classes.class_map, sample_map)


def _merge_all_documents(
    base: DecodedDocuments,
    ours: DecodedDocuments,
    theirs: DecodedDocuments,
    classes: Classes,
    conflicts: ConflictCollector,
) -> tuple[DecodedDocuments, dict[str, str]]:
    merged_fields, converted = merge_fields(base, ours, theirs, conflicts)
    documents = DecodedDocuments(
        ontology=classes.ontology,
        fields=merged_fields,
        contract=merge_text("contract", base.contract, ours.contract, theirs.contract, conflicts),
        info=merge_text("info", base.info, ours.info, theirs.info, conflicts),
        label_sets=ours.label_sets | theirs.label_sets,
    )
    return documents, converted


def with_class_ids(edits: Edits, class_map: Mapping[int, int]) -> Edits:
    """The edits with new class ids for annotations."""
    if not class_map:
        return edits
    return {
        table: changed
        if table == rows.SAMPLES
        else {key: _renumber(e, class_map) for key, e in changed.items()}
        for table, changed in edits.items()
    }


def _renumber(edit: RowEdit, class_map: Mapping[int, int]) -> RowEdit:
    if edit.after is None or edit.after["class_id"] not in class_map:
        return edit
    return RowEdit(edit.before, {**edit.after, "class_id": class_map[edit.after["class_id"]]})


def _unify_samples(ours: Edits, theirs: Edits) -> tuple[Edits, Edits, dict[str, str]]:
    """Give a sample that both sides added (same bytes and name) one id. The smaller, older id is kept."""
    a, b = (_added_samples(side.get(rows.SAMPLES, {})) for side in (ours, theirs))
    sample_map: dict[str, str] = {}
    for identity in a.keys() & b.keys():
        kept_id, duplicate_id = sorted((a[identity], b[identity]))
        if kept_id != duplicate_id:
            sample_map[duplicate_id] = kept_id
    if not sample_map:
        return ours, theirs, {}
    return _repoint(ours, sample_map), _repoint(theirs, sample_map), dict(sorted(sample_map.items()))


def _added_samples(edits: Mapping[str, RowEdit]) -> dict[tuple[str, str], str]:
    added = sorted((key, edit.after) for key, edit in edits.items() if edit.before is None and edit.after)
    return {(row["media_sha256"], row["name"]): key for key, row in reversed(added)}


def _repoint(edits: Edits, sample_map: Mapping[str, str]) -> Edits:
    def repointed(row: Row | None) -> Row | None:
        if row is None:
            return None
        new_ids = {
            name: sample_map[row[name]] for name in ("sample_id", "parent_id") if row.get(name) in sample_map
        }
        return {**row, **new_ids} if new_ids else row

    return {
        table: {
            sample_map.get(key, key) if table == rows.SAMPLES else key: RowEdit(
                edit.before, repointed(edit.after)
            )
            for key, edit in changed.items()
        }
        for table, changed in edits.items()
    }


@dataclass
class _RowMerge:
    """The merge of the rows of all tables."""

    ours: Edits
    theirs: Edits
    conflicts: ConflictCollector
    rows: dict[str, dict[str, Row | None]] = field(default_factory=dict)
    keepers: dict[str, Edits] = field(default_factory=dict)
    """Sample that one side removed but the merge keeps -> the edits of the side that keeps it."""
    removed_samples: set[str] = field(default_factory=set)

    def merge_removed_samples(self) -> None:
        """Merge samples that one side removed while the other edited them or their annotations."""
        for remover, keeper in ((self.ours, self.theirs), (self.theirs, self.ours)):
            here, there = remover.get(rows.SAMPLES, {}), keeper.get(rows.SAMPLES, {})
            removed = {
                key
                for key, edit in here.items()
                if edit.after is None and (key not in there or there[key].after is not None)
            }
            if not removed:
                continue
            touched = removed & {*there, *_annotated(keeper)}
            for key in sorted(touched):
                self._resolve_sample(key, remover, keeper)
            self.removed_samples |= removed - touched

    def _resolve_sample(self, key: str, remover: Edits, keeper: Edits) -> None:
        base = remover[rows.SAMPLES][key].before
        kept = keeper.get(rows.SAMPLES, {}).get(key, RowEdit(base, base)).after
        by_ours = keeper is self.ours
        ours, theirs = (kept, None) if by_ours else (None, kept)
        resolution = self.conflicts.resolve(
            ConflictContent("edit-delete", rows.SAMPLES, key, (), base, ours, theirs, key)
        )
        removes = resolution == ("theirs" if by_ours else "ours")
        final = self.rows.setdefault(rows.SAMPLES, {})
        if removes:
            self.removed_samples.add(key)
            final[key] = None
        else:
            self.keepers[key] = keeper
            final[key] = base if resolution == "base" else kept

    def merge_table(self, table: str) -> None:
        """Merge the rows of one table."""
        final = self.rows.setdefault(table, {})
        ours, theirs = self.ours.get(table, {}), self.theirs.get(table, {})
        for key in sorted({*ours, *theirs}):
            if table == rows.SAMPLES and key in final:
                continue
            restored = (
                self._restored_annotation(ours.get(key), theirs.get(key)) if table != rows.SAMPLES else None
            )
            row = restored[0] if restored else self._merge_row(table, key, ours.get(key), theirs.get(key))
            if row is not None and table != rows.SAMPLES and row["sample_id"] in self.removed_samples:
                row = None
            final[key] = row

    def _restored_annotation(self, a: RowEdit | None, b: RowEdit | None) -> tuple[Row | None] | None:
        """The row of an annotation that was removed with its sample, when the merge keeps the sample; else None."""
        for mine, other, edits in ((a, b, self.theirs), (b, a, self.ours)):
            if mine is None or mine.after is not None or mine.before is None:
                continue
            if self.keepers.get(mine.before["sample_id"]) is edits:
                return (mine.before if other is None else other.after,)
        return None

    def _merge_row(self, table: str, key: str, a: RowEdit | None, b: RowEdit | None) -> Row | None:
        if a is None or b is None:
            return (a or b or _UNTOUCHED).after
        if same(table, a.after, b.after):
            return _newer(a.after, b.after)
        base = a.before
        sides = {"base": base, "ours": a.after, "theirs": b.after}
        if a.after is None or b.after is None:
            return self._edit_against_delete(table, key, sides)
        merged, conflicting = merge_row(table, base, a.after, b.after)
        if not conflicting:
            return merged
        conflict = ConflictContent(
            "fields", table, key, conflicting, base, a.after, b.after, merged["sample_id"]
        )
        resolution = self.conflicts.resolve(conflict)
        if resolution is None:
            return merged
        if resolution == "union" and table != rows.SAMPLES:
            second = second_id(table, key, b.after)
            self.rows[table][second] = {**b.after, "ann_id": second}
        return resolve_fields(table, conflicting, sides, resolution)

    def _edit_against_delete(self, table: str, key: str, sides: Mapping[str, Row | None]) -> Row | None:
        edited = sides["ours"] or sides["theirs"]
        sample_id = (edited or {}).get("sample_id")
        if sample_id in self.removed_samples:
            return None
        base, a, b = sides["base"], sides["ours"], sides["theirs"]
        resolution = self.conflicts.resolve(
            ConflictContent("edit-delete", table, key, (), base, a, b, sample_id)
        )
        return sides[resolution] if isinstance(resolution, str) and resolution in sides else edited


def _annotated(edits: Edits) -> Iterator[str]:
    """Samples whose annotations a side added or edited."""
    for table, changed in edits.items():
        if table != rows.SAMPLES:
            yield from (edit.after["sample_id"] for edit in changed.values() if edit.after is not None)


def _newer(a: Row | None, b: Row | None) -> Row | None:
    """The newer of two rows that differ in provenance only."""
    if a is None or b is None:
        return a
    return max(a, b, key=lambda row: (row["created_at_us"] or 0, row["import_id"] or ""))


def _make_names_unique(final: dict[str, Row | None]) -> None:
    """Make sample names unique: of two samples with one name, the later gets a part of its hash in the name."""
    by_name: dict[str, list[str]] = {}
    for key, row in sorted(final.items()):
        if row is not None:
            by_name.setdefault(row["name"], []).append(key)
    for name, keys in by_name.items():
        for key in keys[1:]:
            row, path = final[key], PurePosixPath(name)
            if row is not None:
                short = str(path.with_name(f"{path.stem}~{row['media_sha256'][:8]}{path.suffix}"))
                free = (
                    short if short not in by_name else str(path.with_name(f"{path.stem}~{key}{path.suffix}"))
                )
                final[key] = {**row, "name": free}


def _convert_field(final: dict[str, Row | None], name: str, kind: str) -> None:
    """Convert values of a metadata field to its merged type; a value that cannot be converted moves to `extra`."""
    for key, row in final.items():
        values = load(row["metadata"]) if row is not None else {}
        if row is None or name not in values or type(values[name]).__name__ == kind:
            continue
        value = values.pop(name)
        extra = load(row["extra"])
        converted = _convert(kind, value)
        if converted is None:
            extra[f"metadata.{name}"] = value
        else:
            values[name] = converted
        final[key] = {**row, "metadata": _dump(values), "extra": _dump(extra)}


def _convert(kind: str, value: Any) -> Any:
    """The value as another type, or None if the conversion would lose information."""
    if kind == "str":
        return value if isinstance(value, str) else json.dumps(value)
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if float(value) == value else None
    if kind == "int" and isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        try:
            parsed = json.loads(value)
        except json.JSONDecodeError:
            return None
        return parsed if type(parsed).__name__ == kind and json.dumps(parsed) == value else None
    return None


def _dump(values: Mapping[str, Any]) -> str:
    return canonical_json(dict(values)) if values else ""


def common_ancestor(
    parents: Mapping[str, Iterable[str]], times: Mapping[str, int], a: str, b: str
) -> str | None:
    """The best common ancestor: one that is not an ancestor of another. Of several the newest, then the smallest id.

    Args:
        parents: Commit -> its parents.
        times: Commit -> creation time in microseconds.
    """
    common = ancestors(parents, a) & ancestors(parents, b)
    lower = {parent for commit in common for parent in parents.get(commit, ())}
    best = sorted(common - lower, key=lambda commit: (-times[commit], commit))
    return best[0] if best else None


def ancestors(parents: Mapping[str, Iterable[str]], start: str) -> set[str]:
    """A commit and all its ancestors."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting.extend(parents.get(current, ()))
    return seen
