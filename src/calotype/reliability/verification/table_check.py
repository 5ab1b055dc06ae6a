"""Checks that read tables. Each fragment is read once, in however many versions it occurs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets import rows
from calotype.datasets.commits import Pins
from calotype.foundation.ids import sha256_json
from calotype.reliability.model import Problem
from calotype.store import Store
from calotype.store.maintenance import table_files
from calotype.store.maintenance.table_files import FragmentState
from calotype.store.tables.tables import TableDamaged

_FIX = "restore the table from a backup: `calotype repair --from BACKUP --yes`"


@dataclass
class TableCheck:
    """Cached results. `media` maps SHA-256 to the size in bytes that a sample states, or None."""

    store: Store
    deep: bool
    media: dict[str, int | None] = field(default_factory=dict)
    versions: int = 0
    _keys: dict[Any, npt.NDArray[np.uint64]] = field(default_factory=dict)
    _counts: dict[tuple[str, int], int | None] = field(default_factory=dict)

    def check_state(
        self, place: str, dataset_id: str, pins: Pins, stats: Mapping[str, Any], *, check_ids: bool
    ) -> list[Problem]:
        """Check every table of one commit or ref; with `whole` also that ids are unique."""
        problems = []
        for table, pin in pins.items():
            problems += self._check_version(place, dataset_id, table, pin, check_ids=check_ids or self.deep)
        return problems + self._check_stats(place, dataset_id, pins, stats)

    def _check_version(
        self, place: str, dataset_id: str, table: str, pin: int, *, check_ids: bool
    ) -> list[Problem]:
        full_name = f"{dataset_id}/{table}"
        facts = {"table": full_name, "version": pin}
        if (full_name, pin) in self._counts and not check_ids:
            return []
        is_new = (full_name, pin) not in self._counts
        self._counts[full_name, pin] = None
        self.versions += is_new
        try:
            fragments = table_files.fragments(self.store.tables, full_name, pin)
            hashes = [self._read_keys(full_name, table, pin, fragment) for fragment in fragments]
        except TableDamaged as error:
            return [Problem("table-damaged", place, error.message, _FIX, facts=facts)] if is_new else []
        self._counts[full_name, pin] = sum(map(len, hashes))
        if not check_ids or not hashes:
            return []
        all_keys = np.concatenate(hashes)
        n_duplicates = len(all_keys) - len(np.unique(all_keys))
        detail = f"{n_duplicates} rows of {table} have duplicate ids (version {pin})"
        fix = "roll back to an older commit, or restore from a backup; please report this as a bug"
        return [Problem("ids-twice", place, detail, fix, facts=facts)] if n_duplicates else []

    def _read_keys(
        self, full_name: str, table: str, pin: int, fragment: FragmentState
    ) -> npt.NDArray[np.uint64]:
        """64-bit hashes of the ids in a fragment, cached."""
        cached = self._keys.get((full_name, fragment.key))
        if cached is not None:
            return cached
        key = rows.key_of(table)
        columns = [key, "media_sha256", "n_bytes"] if table == rows.SAMPLES else [key]
        rows_read = table_files.read_fragment(
            self.store.tables, full_name, pin, fragment, None if self.deep else columns
        )
        if table == rows.SAMPLES:
            self.media.update(
                zip(rows_read["media_sha256"].to_pylist(), rows_read["n_bytes"].to_pylist(), strict=True)
            )
        self._keys[full_name, fragment.key] = _hash_keys(rows_read[key])
        return self._keys[full_name, fragment.key]

    def _check_stats(
        self, place: str, dataset_id: str, pins: Pins, stats: Mapping[str, Any]
    ) -> list[Problem]:
        """Compare the row counts stored in a commit with the rows present now."""
        expected: dict[str, int] = {}
        if "samples" in stats:
            expected[rows.SAMPLES] = int(stats["samples"])
        for label_set, count in dict(stats.get("label_sets") or {}).items():
            expected[rows.annotation_table(label_set)] = int(count)
        problems = []
        for table, count in expected.items():
            pin = pins.get(table)
            n_rows = 0 if pin is None else self._counts.get((f"{dataset_id}/{table}", pin))
            if n_rows is not None and n_rows != count:
                detail = f"{table} has {n_rows} rows, but the commit recorded {count}"
                facts = {"table": f"{dataset_id}/{table}", "version": pin}
                problems.append(Problem("rows-missing", place, detail, _FIX, facts=facts))
        return problems


def _hash_keys(keys: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Fold ids of 32 hexadecimal digits (random or hashes) to 64 bits; hash other ids."""
    texts = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    if len(texts) and pc.all(pc.equal(pc.utf8_length(texts), 32)).as_py():
        try:
            raw = np.frombuffer(bytes.fromhex("".join(texts.to_pylist())), dtype=np.uint64)
            mixed: npt.NDArray[np.uint64] = raw[0::2] * np.uint64(0x9E3779B97F4A7C15) ^ raw[1::2]
            return mixed
        except ValueError:
            pass
    return np.array([int(sha256_json(text)[:16], 16) for text in texts.to_pylist()], np.uint64)
