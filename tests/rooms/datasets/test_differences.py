"""The quick difference, read from files, says the same as comparing every row, whatever happened between."""

from __future__ import annotations

import random

import lance
import pyarrow as pa
import pytest

from calotype.datasets import differences, rows, service
from calotype.datasets.change import Change
from calotype.datasets.edit import apply
from calotype.datasets.model import Annotation, Kind, Sample
from calotype.foundation.ids import uuid7
from calotype.store.tables.row_lookup import ColumnValues, row_ids
from calotype.store.tables.tables import Tables


def _sample(name: str) -> Sample:
    return Sample(uuid7(), "a" * 64, name, 64, 48, "image/png", 100)


def _box(sample_id: str, x: float) -> Annotation:
    return Annotation(uuid7(), sample_id, Kind.BOX, 1, bbox_xywh_px=(x, 1.0, 5.0, 6.0))


@pytest.fixture
def streets(workspace, owner):
    """A dataset of forty samples with three boxes each, committed."""
    service.create(owner, "streets", store=workspace)
    samples = [_sample(f"{at:03}.png") for at in range(40)]
    boxes = [_box(sample.sample_id, float(at)) for sample in samples for at in range(3)]
    change = Change(
        put_samples=samples,
        put_annotations={"ground_truth": boxes},
    )
    apply(owner, "streets", change, store=workspace)
    service.commit(owner, "streets", "first", store=workspace)
    return "streets"


def _edit(owner, workspace, name: str, draw: random.Random) -> None:
    snapshot = service.read(owner, name, store=workspace)
    ids = snapshot.ids()
    boxes = rows.annotations_from_arrow(snapshot.annotations())
    picked = draw.sample(ids, 3)
    match draw.randrange(4):
        case 0:
            change = Change(put_annotations={"ground_truth": [_box(i, draw.random()) for i in picked]})
        case 1:
            gone = [box.ann_id for box in draw.sample(boxes, min(5, len(boxes)))]
            change = Change(remove_annotations={"ground_truth": gone})
        case 2:
            change = Change(
                put_annotations={"ground_truth": [_box(picked[0], 2.0)]},
                remove_annotations_of={"ground_truth": picked},
            )
        case _:
            change = Change(put_samples=[_sample(uuid7())], remove_samples=picked[:1])
    apply(owner, name, change, store=workspace)


@pytest.mark.parametrize("seed", range(6))
def test_files_and_rows_tell_the_same_difference_on_one_branch_and_across(streets, owner, workspace, seed):
    draw = random.Random(seed)
    service.branch(owner, streets, "side", store=workspace)
    for step in range(8):
        branch = draw.choice(["streets@main+", "streets@side+"])
        _edit(owner, workspace, branch, draw)
        if draw.random() < 0.4:
            service.commit(owner, branch.removesuffix("+"), f"step {step}", store=workspace)
    states = [
        service.read(owner, name, store=workspace) for name in ("streets@main~0", "streets", "streets@side+")
    ]
    for a in states:
        for b in states:
            assert differences.difference(a, b) == differences.difference(a, b, audit=True)


def test_annotations_of_samples_are_replaced_whole(streets, owner, workspace):
    snapshot = service.read(owner, streets, store=workspace)
    first, second, *_ = snapshot.ids()
    new = rows.annotations_to_arrow([_box(first, 9.0)])
    change = Change(
        put_annotations={"ground_truth": new}, remove_annotations_of={"ground_truth": [first, second]}
    )
    after = apply(owner, streets, change, store=workspace)
    held = after.annotations_of([first, second])
    assert [box.bbox_xywh_px for box in held[first]] == [(9.0, 1.0, 5.0, 6.0)]
    assert held[second] == []
    delta = differences.difference(snapshot, after).annotations["ground_truth"]
    assert (len(delta.added), len(delta.removed), len(delta.changed)) == (1, 6, 0)


SCHEMA = pa.schema([pa.field("id", pa.string()), pa.field("n", pa.int64())])


def test_rows_deleted_by_the_thousand_and_compacted_files_are_told_too(tmp_path):
    tables = Tables(tmp_path)
    data = pa.table({"id": [f"{at:06}" for at in range(60_000)], "n": list(range(60_000))}, schema=SCHEMA)
    first = tables.publish("t", pin=None, schema=SCHEMA, staged=tables.stage("t", data, schema=SCHEMA))
    gone = [f"{at:06}" for at in range(0, 60_000, 3)]
    second = tables.publish(
        "t",
        pin=first,
        schema=SCHEMA,
        remove=row_ids(tables.at("t", first), [ColumnValues("id", gone)], key="id")[0],
        index=["id"],
    )
    assert tables.only_in("t", first, second)["id"].to_pylist() == gone
    assert tables.only_in("t", second, first).num_rows == 0
    assert sorted(tables.existing_values("t", second, "id", ["000000", "000001", "nope"])) == ["000001"]
    dataset = lance.dataset(str(tmp_path / "t.lance"))
    dataset.optimize.compact_files(materialize_deletions_threshold=0.0)
    third = lance.dataset(str(tmp_path / "t.lance")).version
    assert third > second
    assert tables.only_in("t", third, second).num_rows == 40_000  # read whole, to be compared by content


def test_a_difference_is_computed_once_unless_it_is_large(streets, owner, workspace, monkeypatch):
    calls = []
    compare = differences.changed

    def counted(*arguments, **options):
        calls.append(arguments[2])
        return compare(*arguments, **options)

    monkeypatch.setattr(differences, "changed", counted)
    _edit(owner, workspace, streets, random.Random(1))
    first = service.uncommitted(owner, streets, store=workspace)
    n_calls = len(calls)
    assert service.uncommitted(owner, streets, store=workspace) == first
    assert len(calls) == n_calls > 0
    _edit(owner, workspace, streets, random.Random(2))
    second = service.uncommitted(owner, streets, store=workspace)
    assert second != first
    assert len(calls) == 2 * n_calls
    monkeypatch.setattr(differences, "_MAX_KNOWN_ROWS", 0)
    differences._KNOWN.pop(workspace.tables)
    for _ in range(2):
        assert service.uncommitted(owner, streets, store=workspace) == second
    assert len(calls) == 4 * n_calls
