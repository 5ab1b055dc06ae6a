"""The three-way merge of two states that came from one base, on plain values: no IO, the same answer each time.

It looks at rows that a side changed; every other row stays as it is. A sample counts as one with its annotations when
it is removed: removing it clashes with any edit of it, and keeping it brings its annotations back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from calotype.datasets import rows
from calotype.foundation.ids import canonical_json
from calotype.versions.merge_documents import Classes, merge_fields, merge_ontology, merge_text
from calotype.versions.merge_rows import load, merge_row, same, second_id, settle_fields
from calotype.versions.model import Choose, Clash, Clashes, Edits, Outcome, Row, RowEdit, Side, Texts

_UNTOUCHED = RowEdit(None, None)


def merge(base: Texts, ours: Side, theirs: Side, choose: Choose = None) -> Outcome:
    """Merge what theirs changed into what ours changed.

    Args:
        base: The documents of the newest state that both sides come from.
        choose: How clashes are settled, by fingerprint, or one way for all.
    Returns: The final row of each row that a side changed, the documents, and the clashes.
    Raises: ResolutionInvalid.
    """
    clashes = Clashes(choose)
    classes = merge_ontology(base, ours, theirs, clashes)
    texts, forced = _texts(base, ours.texts, theirs.texts, classes, clashes)
    theirs = replace(theirs, edits=with_classes(theirs.edits, classes.class_map))
    ours_edits, theirs_edits, sample_map = _unified(ours.edits, theirs.edits)
    work = _Work(ours_edits, theirs_edits, clashes)
    work.samples_removed_by_one()
    for table in sorted({*ours_edits, *theirs_edits}, key=lambda name: (name != rows.SAMPLES, name)):
        work.merge_table(table)
    for loser in sample_map:
        work.rows[rows.SAMPLES][loser] = None
    _names_apart(work.rows.get(rows.SAMPLES, {}))
    for field_, kind in forced.items():
        _retype(work.rows.get(rows.SAMPLES, {}), field_, kind)
    found = (tuple(clashes.found), tuple(clashes.open))
    return Outcome(work.rows, texts, *found, classes.class_map, sample_map)


def _texts(
    base: Texts, ours: Texts, theirs: Texts, classes: Classes, clashes: Clashes
) -> tuple[Texts, dict[str, str]]:
    merged_fields, forced = merge_fields(base, ours, theirs, clashes)
    texts = Texts(
        ontology=classes.ontology,
        fields=merged_fields,
        contract=merge_text("contract", base.contract, ours.contract, theirs.contract, clashes),
        info=merge_text("info", base.info, ours.info, theirs.info, clashes),
        label_sets=ours.label_sets | theirs.label_sets,
    )
    return texts, forced


def with_classes(edits: Edits, class_map: Mapping[int, int]) -> Edits:
    """The edits with new numbers for the classes of annotations."""
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


def _unified(ours: Edits, theirs: Edits) -> tuple[Edits, Edits, dict[str, str]]:
    """Both sides with one id for a sample that both added: same bytes, same name. The smaller (older) id stays."""
    a, b = (_added_names(side.get(rows.SAMPLES, {})) for side in (ours, theirs))
    sample_map: dict[str, str] = {}
    for identity in a.keys() & b.keys():
        one, other = sorted((a[identity], b[identity]))
        if one != other:
            sample_map[other] = one
    if not sample_map:
        return ours, theirs, {}
    return _pointed(ours, sample_map), _pointed(theirs, sample_map), dict(sorted(sample_map.items()))


def _added_names(edits: Mapping[str, RowEdit]) -> dict[tuple[str, str], str]:
    added = sorted((key, edit.after) for key, edit in edits.items() if edit.before is None and edit.after)
    return {(row["media_sha256"], row["name"]): key for key, row in reversed(added)}


def _pointed(edits: Edits, sample_map: Mapping[str, str]) -> Edits:
    def point(row: Row | None) -> Row | None:
        if row is None:
            return None
        moved = {
            name: sample_map[row[name]] for name in ("sample_id", "parent_id") if row.get(name) in sample_map
        }
        return {**row, **moved} if moved else row

    return {
        table: {
            sample_map.get(key, key) if table == rows.SAMPLES else key: RowEdit(
                edit.before, point(edit.after)
            )
            for key, edit in changed.items()
        }
        for table, changed in edits.items()
    }


@dataclass
class _Work:
    """The rows of one merge on their way to be final."""

    ours: Edits
    theirs: Edits
    clashes: Clashes
    rows: dict[str, dict[str, Row | None]] = field(default_factory=dict)
    kept: dict[str, Edits] = field(default_factory=dict)
    """Sample that one side removed and that stays -> the edits of the side that keeps it."""
    gone: set[str] = field(default_factory=set)

    def samples_removed_by_one(self) -> None:
        """Settle the samples that one side removed and the other edited, or gave other annotations."""
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
                self._settle_sample(key, remover, keeper)
            self.gone |= removed - touched

    def _settle_sample(self, key: str, remover: Edits, keeper: Edits) -> None:
        base = remover[rows.SAMPLES][key].before
        kept = keeper.get(rows.SAMPLES, {}).get(key, RowEdit(base, base)).after
        by_ours = keeper is self.ours
        ours, theirs = (kept, None) if by_ours else (None, kept)
        settled = self.clashes.settle(Clash("edit-delete", rows.SAMPLES, key, (), base, ours, theirs, key))
        removes = settled == ("theirs" if by_ours else "ours")
        final = self.rows.setdefault(rows.SAMPLES, {})
        if removes:
            self.gone.add(key)
            final[key] = None
        else:
            self.kept[key] = keeper
            final[key] = base if settled == "base" else kept

    def merge_table(self, table: str) -> None:
        """Settle the rows of one table."""
        final = self.rows.setdefault(table, {})
        ours, theirs = self.ours.get(table, {}), self.theirs.get(table, {})
        for key in sorted({*ours, *theirs}):
            if table == rows.SAMPLES and key in final:
                continue
            made = self._whole_sample(ours.get(key), theirs.get(key)) if table != rows.SAMPLES else None
            row = made[0] if made else self._merged(table, key, ours.get(key), theirs.get(key))
            if row is not None and table != rows.SAMPLES and row["sample_id"] in self.gone:
                row = None
            final[key] = row

    def _whole_sample(self, a: RowEdit | None, b: RowEdit | None) -> tuple[Row | None] | None:
        """For an annotation that one side removed together with its sample, where the sample stays."""
        for mine, other, edits in ((a, b, self.theirs), (b, a, self.ours)):
            if mine is None or mine.after is not None or mine.before is None:
                continue
            if self.kept.get(mine.before["sample_id"]) is edits:
                return (mine.before if other is None else other.after,)
        return None

    def _merged(self, table: str, key: str, a: RowEdit | None, b: RowEdit | None) -> Row | None:
        if a is None or b is None:
            return (a or b or _UNTOUCHED).after
        if same(table, a.after, b.after):
            return _newest(a.after, b.after)
        base = a.before
        sides = {"base": base, "ours": a.after, "theirs": b.after}
        if a.after is None or b.after is None:
            return self._edit_against_delete(table, key, sides)
        merged, clashing = merge_row(table, base, a.after, b.after)
        if not clashing:
            return merged
        clash = Clash("fields", table, key, clashing, base, a.after, b.after, merged["sample_id"])
        settled = self.clashes.settle(clash)
        if settled is None:
            return merged
        if settled == "union" and table != rows.SAMPLES:
            second = second_id(table, key, b.after)
            self.rows[table][second] = {**b.after, "ann_id": second}
        return settle_fields(table, clashing, sides, settled)

    def _edit_against_delete(self, table: str, key: str, sides: Mapping[str, Row | None]) -> Row | None:
        edited = sides["ours"] or sides["theirs"]
        where = (edited or {}).get("sample_id")
        if where in self.gone:
            return None
        base, a, b = sides["base"], sides["ours"], sides["theirs"]
        settled = self.clashes.settle(Clash("edit-delete", table, key, (), base, a, b, where))
        return sides[settled] if isinstance(settled, str) and settled in sides else edited


def _annotated(edits: Edits) -> Iterator[str]:
    """Samples on which a side added or edited annotations."""
    for table, changed in edits.items():
        if table != rows.SAMPLES:
            yield from (edit.after["sample_id"] for edit in changed.values() if edit.after is not None)


def _newest(a: Row | None, b: Row | None) -> Row | None:
    """Of two rows that differ in provenance only."""
    if a is None or b is None:
        return a
    return max(a, b, key=lambda row: (row["created_at_us"] or 0, row["import_id"] or ""))


def _names_apart(final: dict[str, Row | None]) -> None:
    """Names stay unique: of two samples that came under one name, the later gets a part of its hash in the name."""
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


def _retype(final: dict[str, Row | None], name: str, kind: str) -> None:
    """Values of a metadata field in the type that was chosen; one that cannot be said in it moves to `extra`."""
    for key, row in final.items():
        values = load(row["metadata"]) if row is not None else {}
        if row is None or name not in values or type(values[name]).__name__ == kind:
            continue
        value = values.pop(name)
        extra = load(row["extra"])
        fitting = _as(kind, value)
        if fitting is None:
            extra[f"metadata.{name}"] = value
        else:
            values[name] = fitting
        final[key] = {**row, "metadata": _dump(values), "extra": _dump(extra)}


def _as(kind: str, value: Any) -> Any:
    """The value as another type where that loses nothing, else None."""
    if kind == "str":
        return value if isinstance(value, str) else json.dumps(value)
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if float(value) == value else None
    if kind == "int" and isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except json.JSONDecodeError:
            return None
        return found if type(found).__name__ == kind and json.dumps(found) == value else None
    return None


def _dump(values: Mapping[str, Any]) -> str:
    return canonical_json(dict(values)) if values else ""


def common_ancestor(
    parents: Mapping[str, Iterable[str]], times: Mapping[str, int], a: str, b: str
) -> str | None:
    """The best commit that both come from: not an ancestor of another such; of several the newest, then by id.

    Args:
        parents: Commit -> its parents.
        times: Commit -> when it was made, microseconds.
    """
    common = ancestors(parents, a) & ancestors(parents, b)
    lower = {parent for commit in common for parent in parents.get(commit, ())}
    best = sorted(common - lower, key=lambda commit: (-times[commit], commit))
    return best[0] if best else None


def ancestors(parents: Mapping[str, Iterable[str]], start: str) -> set[str]:
    """A commit and all that led to it."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting.extend(parents.get(current, ()))
    return seen
