"""The columns that counts are made from, in little memory: names and ids of samples, and values as numbers of a list.

Rows of samples are in the order of their names. All values here are immutable and belong to pinned versions of tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Rows = npt.NDArray[np.int64]
Codes = npt.NDArray[np.signedinteger[Any]]
_LOOK_UP_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class NameIndex:
    """N samples in the order of their names: row -> id and name."""

    ids: pa.StringArray
    names: pa.StringArray

    @classmethod
    def of(cls, table: pa.Table) -> NameIndex:
        """The index of a table with `sample_id` and `name`."""
        ordered = table.select(["name", "sample_id"]).sort_by(
            [("name", "ascending"), ("sample_id", "ascending")]
        )
        return cls(_whole(ordered["sample_id"]), _whole(ordered["name"]))

    @property
    def nbytes(self) -> int:
        return int(self.ids.nbytes + self.names.nbytes)

    def __len__(self) -> int:
        return len(self.ids)

    def row(self, sample_id: str) -> int:
        """The row of one sample; -1 if there is none."""
        return int(pc.index(self.ids, sample_id).as_py())

    def row_of_name(self, name: str) -> int:
        """The first row with a name; -1 if there is none."""
        return int(pc.index(self.names, name).as_py())

    def rows(self, ids: pa.Array | pa.ChunkedArray) -> Rows:
        """The row of each sample; -1 where there is none."""
        if len(ids) < len(self) // 50:  # a small set to search for, rather than a large set to search in
            rows = np.flatnonzero(pc.is_in(self.ids, value_set=_whole(ids)).to_numpy(zero_copy_only=False))
            places = pc.index_in(ids, value_set=self.ids.take(pa.array(rows)))
            return _or_none(places, rows)
        return _or_none(pc.index_in(ids, value_set=self.ids), None)

    def updated(self, removed: pa.Array, added: pa.Table) -> NameIndex:
        """The index without some ids and with the rows of `added` (`sample_id`, `name`)."""
        rows = self.rows(added["sample_id"])
        is_known = len(removed) == added.num_rows and bool((rows >= 0).all())
        if is_known and self.names.take(pa.array(rows)).equals(_whole(added["name"])):
            return self
        kept = np.ones(len(self), bool)
        gone = self.rows(removed)
        kept[gone[gone >= 0]] = False
        kept_rows = pa.array(np.flatnonzero(kept))
        ids = pa.chunked_array([self.ids.take(kept_rows), *added["sample_id"].chunks], pa.string())
        names = pa.chunked_array([self.names.take(kept_rows), *added["name"].chunks], pa.string())
        return NameIndex.of(pa.table({"sample_id": ids, "name": names}))


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of N values: each the place of its value in `values`, -1 where there is none.

    `values` are distinct; some of them may have no row.
    """

    codes: Codes
    values: pa.Array

    @classmethod
    def of(cls, column: pa.Array | pa.ChunkedArray) -> Coded:
        """A column of plain values."""
        encoded = column.dictionary_encode()
        chunks = encoded.chunks if isinstance(encoded, pa.ChunkedArray) else [encoded]
        return cls.joined(chunks, column.type)

    @classmethod
    def joined(cls, chunks: Sequence[pa.DictionaryArray], value_type: pa.DataType) -> Coded:
        """Encoded parts under one another."""
        if not chunks:
            return cls(np.empty(0, np.int8), pa.array([], value_type))
        unified = pa.chunked_array(chunks).unify_dictionaries().chunks
        values = unified[-1].dictionary
        dtype = code_type(len(values))
        return cls(np.concatenate([_codes(chunk.indices, dtype) for chunk in unified]), values)

    @property
    def nbytes(self) -> int:
        return int(self.codes.nbytes + self.values.nbytes)

    def __len__(self) -> int:
        return len(self.codes)

    def counts(self, selected: npt.NDArray[np.bool_] | None = None) -> Rows:
        """The number of rows of each value, of the selected rows or of all."""
        codes = self.codes if selected is None else self.codes[selected]
        return np.bincount(codes[codes >= 0] if (codes < 0).any() else codes, minlength=len(self.values))

    def take(self, rows: Rows) -> Coded:
        """Other rows of the column; none for row -1."""
        taken = self.codes[rows]
        return Coded(np.where(rows >= 0, taken, np.int8(-1)).astype(self.codes.dtype), self.values)

    def with_rows(self, rows: Rows, other: Coded) -> Coded:
        """The column with the values of another one at some rows."""
        own = self
        if own.values.type != other.values.type:
            own = Coded(own.codes, own.values.cast(other.values.type))
        used = np.unique(other.codes[other.codes >= 0])
        wanted = other.values.take(pa.array(used))
        known = np.flatnonzero(pc.is_in(own.values, value_set=wanted).to_numpy(zero_copy_only=False))
        places = _or_none(pc.index_in(wanted, value_set=own.values.take(pa.array(known))), known)
        new = np.flatnonzero(places < 0)
        places[new] = len(own.values) + np.arange(len(new))
        values = pa.concat_arrays([own.values, wanted.take(pa.array(new))]) if len(new) else own.values
        codes = own.codes.astype(np.promote_types(own.codes.dtype, code_type(len(values))))
        place_of = np.full(len(other.values) + 1, -1, np.int64)  # the last one is for code -1
        place_of[used] = places
        codes[rows] = place_of[other.codes]
        return Coded(codes, values)

    def to_arrow(self) -> pa.DictionaryArray:
        """The column as Arrow has it, without copying the values."""
        indices = pa.array(self.codes, mask=self.codes < 0)
        return pa.DictionaryArray.from_arrays(indices, self.values)


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of all samples: pairs of a row and a tag, ordered by neither."""

    rows: npt.NDArray[np.int32]
    tags: Coded

    @property
    def nbytes(self) -> int:
        return int(self.rows.nbytes + self.tags.nbytes)

    def counts(self, selected: npt.NDArray[np.bool_] | None = None) -> Rows:
        """The number of samples with each tag."""
        return self.tags.counts(None if selected is None else selected[self.rows])


@dataclass(frozen=True, slots=True)
class SampleColumns:
    """The columns of N samples, in the order of `index`.

    Attributes:
        plain: split, source, licence and group.
        fields: Metadata field -> its values.
        sizes_wh: (N, 2) int32, pixels.
        parents: Id of the sample that each one is derived from.
    """

    index: NameIndex
    plain: Mapping[str, Coded]
    fields: Mapping[str, Coded]
    tags: Tags
    sizes_wh: npt.NDArray[np.int32]
    parents: Coded

    @property
    def nbytes(self) -> int:
        coded = [*self.plain.values(), *self.fields.values(), self.parents]
        return int(sum(column.nbytes for column in coded) + self.tags.nbytes + self.sizes_wh.nbytes)

    @property
    def is_derived(self) -> npt.NDArray[np.bool_]:
        """(N,) whether a sample is derived from another."""
        return self.parents.codes >= 0

    def children(self, sample_id: str) -> Rows:
        """The rows of the samples that are derived from one."""
        place = pc.index(self.parents.values, sample_id).as_py()
        return np.flatnonzero(self.parents.codes == place) if place >= 0 else np.empty(0, np.int64)

    def updated(self, index: NameIndex, changed: SampleColumns) -> SampleColumns:
        """The columns of a later state.

        Args:
            index: The samples of that state.
            changed: Its samples that are not here, or not with the same values.
        """
        rows = index.rows(changed.index.ids)
        old = None if index is self.index else self.index.rows(index.ids)
        tagged = np.ones(len(index), bool)
        tagged[rows] = False
        kept, tags = _moved(self.tags.rows, old, len(self.index)), self.tags.tags
        is_kept = kept >= 0
        is_kept[is_kept] = tagged[kept[is_kept]]
        joined = _under(Coded(tags.codes[is_kept], tags.values), changed.tags.tags)
        tag_rows = np.concatenate([kept[is_kept], rows[changed.tags.rows]]).astype(np.int32)
        sizes = self.sizes_wh.copy() if old is None else self.sizes_wh[old]
        sizes[rows] = changed.sizes_wh
        none = Coded(np.full(len(self.index), -1, np.int8), pa.array([], pa.string()))
        return SampleColumns(
            index,
            {name: _merged(self.plain[name], old, rows, new) for name, new in changed.plain.items()},
            {
                name: _merged(self.fields.get(name, none), old, rows, new)
                for name, new in changed.fields.items()
            },
            Tags(tag_rows, joined),
            sizes,
            _merged(self.parents, old, rows, changed.parents),
        )


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """N annotations of one label set, in no particular order.

    Attributes:
        sample: (N,) row of the sample; -1 if there is none.
        classes: Class ids.
        kinds: Kinds.
        is_first: (N,) whether it is the one annotation of its class and sample that stands for both.
    """

    sample: npt.NDArray[np.int32]
    classes: Coded
    kinds: Coded
    is_first: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls, sample: npt.NDArray[np.int32], classes: Coded, kinds: Coded, *, n_samples: int
    ) -> LabelColumns:
        """The columns, with `is_first` computed."""
        return cls(sample, classes, kinds, _first_of_pairs(sample, classes, n_samples))

    @property
    def nbytes(self) -> int:
        return int(self.sample.nbytes + self.classes.nbytes + self.kinds.nbytes + self.is_first.nbytes)

    def __len__(self) -> int:
        return len(self.sample)

    def per_sample(self, n_samples: int) -> Rows:
        """(n_samples,) number of annotations of each sample."""
        return np.bincount(self.sample[self.sample >= 0], minlength=n_samples)

    def updated(
        self, before: NameIndex, after: NameIndex, touched: pa.Array, current: LabelColumns
    ) -> LabelColumns:
        """The columns of a later state, in which some samples have other annotations.

        Args:
            before: The samples that `sample` refers to now.
            after: The samples that it will refer to.
            touched: Ids of the samples whose annotations differ.
            current: The annotations of these samples, referring to `after`.
        """
        is_kept = np.ones(len(before) + 1, bool)  # the last one is for annotations without a sample
        gone = before.rows(touched)
        is_kept[gone[gone >= 0]] = False
        kept = is_kept[self.sample]
        old = None if after is before else before.rows(after.ids)
        sample = _moved(self.sample[kept], old, len(before))
        return LabelColumns(
            np.concatenate([sample, current.sample]).astype(np.int32),
            _under(Coded(self.classes.codes[kept], self.classes.values), current.classes),
            _under(Coded(self.kinds.codes[kept], self.kinds.values), current.kinds),
            np.concatenate([self.is_first[kept], current.is_first]),
        )


def rows_in(index: NameIndex, ids: Iterable[pa.Array]) -> npt.NDArray[np.int32]:
    """The rows of many ids, looked up in large parts."""
    parts: list[npt.NDArray[np.int32]] = []
    waiting: list[pa.Array] = []
    for array in ids:
        waiting.append(array)
        if sum(map(len, waiting)) >= _LOOK_UP_AT_ONCE:
            parts.append(index.rows(pa.chunked_array(waiting, pa.string())).astype(np.int32))
            waiting = []
    parts.append(index.rows(pa.chunked_array(waiting, pa.string())).astype(np.int32))
    return np.concatenate(parts)


def _first_of_pairs(sample: npt.NDArray[np.int32], classes: Coded, n_samples: int) -> npt.NDArray[np.bool_]:
    """(N,) the first annotation of each class of each sample, in blocks that need little memory.

    The annotations of a sample are nearly always in one block; those of the other samples are compared at the end.
    """
    is_first = np.zeros(len(sample), bool)
    is_seen, is_split = np.zeros(n_samples + 1, bool), np.zeros(n_samples + 1, bool)
    starts = range(0, len(sample), _LOOK_UP_AT_ONCE)
    for start in starts:
        here = np.unique(sample[start : start + _LOOK_UP_AT_ONCE])
        is_split[here[is_seen[here]]] = True
        is_seen[here] = True
    whole = [slice(start, start + _LOOK_UP_AT_ONCE) for start in starts]
    blocks = [part.start + np.flatnonzero(~is_split[sample[part]]) for part in whole]
    for rows in (*blocks, np.flatnonzero(is_split[sample])):
        pairs = sample[rows].astype(np.int64) * (len(classes.values) + 1) + classes.codes[rows]
        _, first = np.unique(pairs, return_index=True)
        is_first[rows[first]] = True
    return is_first


def code_type(n_values: int) -> type[np.signedinteger[Any]]:
    """The smallest type for places in a list of `n_values`, and -1."""
    return np.int8 if n_values <= 127 else np.int16 if n_values <= 32_767 else np.int32


def _merged(own: Coded, old: Rows | None, rows: Rows, new: Coded) -> Coded:
    return (own if old is None else own.take(old)).with_rows(rows, new)


def _under(first: Coded, second: Coded) -> Coded:
    """Two columns under one another."""
    codes = np.concatenate([first.codes, np.full(len(second), -1, first.codes.dtype)])
    return Coded(codes, first.values).with_rows(np.arange(len(first), len(codes)), second)


def _moved(rows: npt.NDArray[np.int32], old: Rows | None, n_before: int) -> Rows:
    """The later row of each row; -1 for those that are gone."""
    if old is None:
        return rows.astype(np.int64)
    new_of = np.full(n_before + 1, -1, np.int64)
    known = np.flatnonzero(old >= 0)
    new_of[old[known]] = known
    return new_of[rows]


def _codes(indices: pa.Array, dtype: type[np.signedinteger[Any]]) -> Codes:
    filled = indices.fill_null(-1) if indices.null_count else indices
    return np.asarray(filled, dtype)


def _or_none(places: pa.Array | pa.ChunkedArray, rows: Rows | None) -> Rows:
    filled = np.asarray(pc.fill_null(places, -1), np.int64)
    if rows is None or len(rows) == 0:
        return filled if rows is None else np.full(len(filled), -1, np.int64)
    return np.where(filled >= 0, rows[filled], -1)


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
