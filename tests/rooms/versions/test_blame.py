"""Blame finds the commits that created a row and last changed it, through merges too."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from tests.support.histories import annotation_row
from tests.support.streets import ONTOLOGY, Streets, box, sample

from calotype.acquire.quarantine import ImportRecord, register
from calotype.datasets import rows, service
from calotype.datasets.change import Change
from calotype.datasets.edit import apply
from calotype.foundation.ids import uuid7
from calotype.store.tables.tables import Tables
from calotype.versions import service as versions
from calotype.versions.blame import Blame, BlameTargetNotFound


@pytest.fixture
def streets(owner, workspace) -> Streets:
    return Streets(owner, workspace)


def commits(found: Blame) -> tuple[str | None, str | None]:
    created, changed = (one.commit.id if one.commit else None for one in (found.created, found.changed))
    return created, changed


def test_creation_and_last_change_are_found(streets):
    streets.commit("streets", boxes=[box(1, 1, score=0.5)])
    changed = streets.commit("streets", boxes=[box(0, 0, score=0.5)])
    streets.commit("streets", samples=[sample(0, split="val")])
    (found,) = streets.do("blame", "a0")
    assert commits(found) == (streets.first.id, changed.id)
    assert (found.label_set, found.sample_id) == ("ground_truth", "s0")
    shown = found.to_dict()["changed"]
    assert (shown["by"], shown["message"]) == ("ana", "edits")
    assert shown["ontology"]["sha256"] == changed.documents["ontology"]


def test_an_edit_that_is_not_committed_is_said_to_be_one(streets):
    streets.put("streets", boxes=[box(0, 0, score=0.5, author="ben")])
    (found,) = streets.do("blame", "a0")
    assert commits(found) == (streets.first.id, None)
    assert found.to_dict()["changed"]["author"] == "ben"
    ((on_head,)) = versions.blame(streets.owner, "streets@main", "a0", store=streets.store)
    assert commits(on_head) == (streets.first.id, streets.first.id)


def test_a_whole_sample_is_listed_with_its_annotations(streets):
    labelled = streets.commit("streets", boxes=[box(9, 0)])
    found = {one.id: one for one in streets.do("blame", "0.png")}
    assert found.keys() == {"s0", "a0", "a9"}
    assert commits(found["a9"]) == (labelled.id, labelled.id)
    assert found["s0"].label_set == ""


def test_a_change_that_came_by_a_merge_is_told_of_its_own_commit(streets):
    theirs = streets.commit("streets@fix", boxes=[box(0, 0, class_id=1), box(9, 1)])
    ours = streets.commit("streets", boxes=[box(1, 1, score=0.5), box(2, 2, score=0.5)])
    streets.do("merge", "fix")
    streets.commit("streets", samples=[sample(0, split="val")])
    assert commits(streets.do("blame", "a0")[0]) == (streets.first.id, theirs.id)
    assert commits(streets.do("blame", "a9")[0]) == (theirs.id, theirs.id)
    assert commits(streets.do("blame", "a1")[0]) == (streets.first.id, ours.id)


def test_a_row_that_a_merge_made_of_both_sides_is_told_of_the_merge(streets):
    streets.commit("streets@fix", boxes=[box(0, 0, class_id=1)])
    streets.commit("streets", boxes=[box(0, 0, score=0.5)])
    made = streets.do("merge", "fix")
    assert commits(streets.do("blame", "a0")[0]) == (streets.first.id, made.merge_commit)


def test_a_row_that_left_and_came_back_was_created_then(streets):
    gone = streets.commit("streets", gone_boxes=["a0"])
    back = streets.do("undo", gone.id)
    assert commits(streets.do("blame", "a0")[0]) == (back.merge_commit, back.merge_commit)


def test_the_import_is_named(streets):
    with streets.store.catalog.bookkeeping() as conn:
        info = service.read(streets.owner, "streets", store=streets.store).dataset
        record = ImportRecord("i7", "labels", "vendor/7.json", "coco", "ground_truth", {}, [], "ana", 1, 2)
        register(conn, info.id, record)
    streets.commit("streets", boxes=[box(9, 0, import_id="i7")])
    imported = streets.do("blame", "a9")[0].to_dict()["created"]["import"]
    assert (imported["source"], imported["format"], imported["kind"]) == ("vendor/7.json", "coco", "labels")


def test_what_is_not_there_is_not_blamed(streets):
    with pytest.raises(BlameTargetNotFound, match="a77"):
        streets.do("blame", "a77")


def test_a_long_history_is_walked_without_reading_it(owner, workspace, monkeypatch):
    service.create(owner, "long", store=workspace)
    listed = [annotation_row(f"a{n}", f"s{n % 500}", 0) for n in range(10_000)]
    table = pa.Table.from_pylist(listed, rows.ANNOTATION_SCHEMA)
    samples = [sample(n) for n in range(500)]
    change = Change(put_samples=samples, put_annotations={"ground_truth": table}, ontology=ONTOLOGY)
    apply(owner, "long", change, store=workspace)
    first = service.commit(owner, "long", "first", store=workspace)
    for number in range(40):
        edited = replace(box(number + 1, 1), sample_id=f"s{number + 1}", author=uuid7())
        apply(owner, "long", Change(put_annotations={"ground_truth": [edited]}), store=workspace)
        service.commit(owner, "long", f"edit {number}", store=workspace)
    reads: list[int] = []
    read = Tables.rows_with_addresses

    def counted(self, table, pin, *arguments):
        reads.append(pin)
        return read(self, table, pin, *arguments)

    monkeypatch.setattr(Tables, "rows_with_addresses", counted)
    (origin,) = versions.blame(owner, "long", "a5000", store=workspace)
    assert commits(origin) == (first.id, first.id)
    assert len(reads) == 1, "rows that did not move are not read again"
