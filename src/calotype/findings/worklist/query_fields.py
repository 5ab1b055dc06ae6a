"""Findings in the query language of samples: `finding = "label-errors"`, `finding.severity = "error"`.

They are those of the newest run on the state, or on the dataset where the state was not tested, that still count for
gates. Wired in `app.workspaces`: rooms below this one do not import it.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets.query.compile import QueryFieldUnknown, suggestion
from calotype.datasets.query.expression import Compare, Missing
from calotype.datasets.query.syntax import QueryInvalid
from calotype.datasets.snapshot import Snapshot
from calotype.findings.model import SEVERITIES
from calotype.findings.worklist import rows
from calotype.findings.worklist.states import states_of
from calotype.foundation.clock import now_us
from calotype.store import Store


def samples_with_findings(store: Store, state: Snapshot, condition: Compare | Missing) -> list[str]:
    """Ids of the samples with a finding that matches; for `!=` and `is missing`, of those that the query leaves out.

    Raises: QueryFieldUnknown (no such check or severity), QueryInvalid.
    """
    known, table, mask = _open(store, state)
    if condition.name != "finding":
        known = list(SEVERITIES)
    if isinstance(condition, Compare):
        values = _matching(condition, known)
        column, wanted = "check_name", pa.array(values, pa.string())
        if condition.name != "finding":
            column, wanted = "severity", pa.array([SEVERITIES.index(value) for value in values], pa.int8())
        mask &= np.asarray(pc.is_in(table[column], value_set=wanted).to_numpy(zero_copy_only=False))
    ids = table["sample_id"].filter(pa.array(mask))
    return list(pc.unique(ids).drop_null().to_pylist())


def open_annotations(store: Store, state: Snapshot, sample_ids: Collection[str]) -> set[str]:
    """Ids of the annotations of these samples that have such a finding."""
    _, table, mask = _open(store, state)
    wanted = pc.is_in(table["sample_id"], value_set=pa.array(sample_ids, pa.string()))
    mask &= np.asarray(wanted.to_numpy(zero_copy_only=False))
    ids = table["annotation_id"].filter(pa.array(mask))
    return {annotation for annotation in ids.to_pylist() if annotation}


def _open(store: Store, state: Snapshot) -> tuple[list[str], pa.Table, npt.NDArray[np.bool_]]:
    """The checks of the run, its findings, and which of them still count."""
    dataset_id = state.dataset.id
    with store.catalog.read() as conn:
        run_id = rows.newest_run(conn, dataset_id, state.state_sha256)
        known = rows.check_names(conn, run_id)
        table = store.tables.cached(("findings", dataset_id, run_id), lambda: rows.columns(conn, run_id))
        _, decided = states_of(store, conn, dataset_id, run_id)
    now = now_us()
    done = pa.array([key for key, state_ in decided.items() if not state_.is_pending(now)], pa.string())
    return known, table, ~np.asarray(pc.is_in(table["key"], value_set=done).to_numpy(zero_copy_only=False))


def _matching(condition: Compare, known: list[str]) -> list[str]:
    """The checks or severities that a comparison names."""
    value, where = str(condition.value), f"column {condition.column}"
    if condition.op == "contains":
        return [name for name in known if value in name]
    if condition.op not in ("=", "!="):
        detail = f"{condition.name!r} can only be compared with =, != or contains"
        raise QueryInvalid(where=where, detail=detail)
    if known and value not in known:
        thing = "check" if condition.name == "finding" else "severity"
        raise QueryFieldUnknown(
            where=where,
            thing=thing,
            name=value,
            hint=suggestion(value, known, f"{thing}s".replace("ys", "ies")),
        )
    return [value]
