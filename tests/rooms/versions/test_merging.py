"""Merging branches of a stored dataset: what lands, what waits for a choice, what is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from tests.support.streets import ONTOLOGY, Streets, box, sample

from calotype.datasets import service
from calotype.foundation.actor import Actor
from calotype.foundation.errors import NotPermitted
from calotype.govern.rules import RoleRules
from calotype.store.store import create_workspace
from calotype.versions import service as versions
from calotype.versions.merge_execution import MergeClosed, NothingToMerge
from calotype.versions.model import MergeConflictsOpen, ResolutionInvalid
from calotype.versions.service import ConflictNotFound, MergeNotFound


@pytest.fixture
def streets(owner, workspace) -> Streets:
    return Streets(owner, workspace)


def test_two_sides_come_together_in_a_commit_with_two_parents(streets):
    theirs = streets.commit("streets@fix", boxes=[box(0, 0, class_id=1)], samples=[sample(1, tags=("wet",))])
    ours = streets.commit(
        "streets", boxes=[box(0, 0, score=0.5), box(9, 1)], samples=[sample(1, split="val")]
    )
    made = streets.do("merge", "fix")
    assert made.state == "landed"
    newest = streets.do("log")[0]
    assert (newest.id, newest.parents) == (made.merge_commit, (ours.id, theirs.id))
    assert newest.stats["annotations"] == 5
    assert (streets.boxes()["a0"].class_id, streets.boxes()["a0"].score) == (1, 0.5)
    assert (streets.samples()["s1"].tags, streets.samples()["s1"].split) == (("wet",), "val")
    assert streets.do("uncommitted") is None
    with pytest.raises(NothingToMerge, match="already contains"):
        streets.do("merge", "fix")
    assert streets.verbs()[-1] == "dataset.merge"


def test_a_table_that_only_theirs_changed_is_taken_without_writing_rows(streets):
    theirs = streets.commit("streets@fix", boxes=[box(0, 0, class_id=1)])
    ours = streets.commit("streets", samples=[sample(1, split="val")])
    streets.do("merge", "fix")
    newest = streets.do("log")[0]
    assert newest.pins == {
        "samples": ours.pins["samples"],
        "ann/ground_truth": theirs.pins["ann/ground_truth"],
    }


def test_a_branch_that_is_only_behind_moves_forward_on_demand(streets):
    theirs = streets.commit("streets@fix", boxes=[box(0, 0, class_id=1)])
    assert streets.do("merge", "fix", options=versions.MergeOptions(forward=True)).merge_commit == theirs.id
    assert [made.id for made in streets.do("log")] == [theirs.id, streets.first.id]


def test_conflicts_wait_and_leave_the_target_alone(streets):
    streets.commit("streets@fix", boxes=[box(0, 0, class_id=1), box(1, 1, bbox_xywh_px=(9.0, 2.0, 5.0, 6.0))])
    ours = streets.commit("streets", boxes=[box(1, 1, bbox_xywh_px=(3.0, 2.0, 5.0, 6.0))], gone_boxes=["a0"])
    made = streets.do("merge", "fix")
    assert made.is_open
    assert streets.do("log")[0] == ours
    found, listed = streets.do("conflicts")
    assert found == made
    said = [(one.content.kind, one.content.row_id, one.content.fields) for one in listed]
    assert said == [("edit-delete", "a0", ()), ("fields", "a1", ("geometry",))]
    assert (listed[0].content.ours, listed[1].content.theirs["x"]) == (None, 9.0)
    with pytest.raises(
        MergeConflictsOpen, match=r"2 unresolved conflicts, starting with: #1 edit-delete ann/ground_truth a0"
    ):
        streets.do("land")
    streets.do("resolve", "theirs", [1])
    streets.do("resolve", "review", "fields")
    with pytest.raises(MergeConflictsOpen, match="1 unresolved"):
        streets.do("land")
    streets.do("resolve", "ours")
    landed = streets.do("land", message="both looked at")
    assert (landed.state, landed.id) == ("landed", made.id)
    assert streets.do("log")[0].message == "both looked at"
    assert (streets.boxes()["a0"].class_id, streets.boxes()["a1"].bbox_xywh_px[0]) == (1, 3.0)
    with pytest.raises(MergeClosed):
        streets.do("land", made.id)
    assert streets.verbs()[-1] == "dataset.merge.land"


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("ours", {"a0": (3.0, 0)}),
        ("theirs", {"a0": (9.0, 1)}),
        ("base", {"a0": (1.0, 0)}),
        ({"geometry": "theirs", "class_id": "ours"}, {"a0": (9.0, 2)}),
        ({"geometry": "ours", "class_id": 1}, {"a0": (3.0, 1)}),
    ],
    ids=["ours", "theirs", "base", "field by field", "a value"],
)
def test_a_conflict_is_settled_as_chosen(streets, how, expected):
    ontology = ONTOLOGY.add("bus")
    streets.commit(
        "streets@fix", boxes=[box(0, 0, class_id=1, bbox_xywh_px=(9.0, 2.0, 5.0, 6.0))], ontology=ontology
    )
    streets.commit(
        "streets", boxes=[box(0, 0, class_id=2, bbox_xywh_px=(3.0, 2.0, 5.0, 6.0))], ontology=ontology
    )
    if how == "ours":
        expected = {"a0": (3.0, 2)}
    streets.do("merge", "fix")
    streets.do("resolve", how)
    streets.do("land")
    found = streets.boxes()["a0"]
    assert {"a0": (found.bbox_xywh_px[0], found.class_id)} == expected


def test_a_union_keeps_both_annotations(streets):
    streets.commit("streets@fix", boxes=[box(0, 0, bbox_xywh_px=(9.0, 2.0, 5.0, 6.0))])
    streets.commit("streets", boxes=[box(0, 0, bbox_xywh_px=(3.0, 2.0, 5.0, 6.0))])
    streets.do("merge", "fix", options=versions.MergeOptions(strategy="union"))
    on_first = [a.bbox_xywh_px[0] for a in streets.boxes().values() if a.sample_id == "s0"]
    assert sorted(on_first) == [3.0, 9.0]
    assert [one.state for one in streets.do("conflicts", streets.do("merges")[0].id)[1]] == ["resolved"]


def test_a_value_that_no_row_can_have_is_refused(streets):
    streets.commit("streets@fix", boxes=[box(0, 0, score=0.25)])
    streets.commit("streets", boxes=[box(0, 0, score=0.75)])
    streets.do("merge", "fix")
    for how in ({"score": 7.0}, {"score": "high"}, {"colour": "ours"}, {}, "mine"):
        with pytest.raises(ResolutionInvalid):
            streets.do("resolve", how)
    with pytest.raises(ConflictNotFound):
        streets.do("resolve", "ours", [2])
    with pytest.raises(ConflictNotFound):
        streets.do("resolve", "ours", "contract")


def test_a_sample_that_one_side_removed_and_the_other_labelled_comes_back_whole(streets):
    streets.put("streets", boxes=[box(9, 0)])
    streets.commit("streets")
    service.branch(streets.owner, "streets", "late", store=streets.store)
    streets.commit("streets@late", boxes=[box(10, 0)])
    streets.commit("streets", gone=["s0"])
    made = streets.do("merge", "late")
    ((content,),) = [[one.content for one in streets.do("conflicts")[1]]]
    assert (content.kind, content.table, content.row_id, content.ours) == (
        "edit-delete",
        "samples",
        "s0",
        None,
    )
    streets.do("resolve", "theirs", "edit-delete", made.id)
    streets.do("land")
    assert {"a0", "a9", "a10"} <= streets.boxes().keys()
    assert "s0" in streets.samples()


def test_a_sample_stays_removed_with_all_its_annotations_when_that_is_chosen(streets):
    streets.commit("streets@fix", boxes=[box(9, 0)])
    streets.commit("streets", gone=["s0"])
    streets.do("merge", "fix", options=versions.MergeOptions(strategy="ours"))
    assert streets.boxes().keys() == {"a1", "a2", "a3"}
    assert "s0" not in streets.samples()


def test_the_same_picture_added_on_both_sides_is_one_sample(streets):
    one, other = sample(7, sample_id="s7"), sample(7, sample_id="s8", licence="CC0-1.0")
    streets.commit("streets@fix", samples=[one], boxes=[box(20, 7)])
    streets.commit("streets", samples=[other], boxes=[box(21, 8)])
    streets.do("merge", "fix")
    assert streets.do("conflicts", streets.do("merges")[0].id)[1] == []
    assert streets.samples().keys() == {"s0", "s1", "s2", "s3", "s7"}
    assert streets.samples()["s7"].licence == "CC0-1.0"
    assert {streets.boxes()[key].sample_id for key in ("a20", "a21")} == {"s7"}


def test_new_classes_of_both_sides_get_numbers_of_their_own(streets):
    streets.commit("streets@fix", boxes=[box(9, 0, class_id=2)], ontology=ONTOLOGY.add("tram"))
    streets.commit("streets", boxes=[box(8, 0, class_id=2)], ontology=ONTOLOGY.add("bus"))
    streets.do("merge", "fix")
    state = service.read(streets.owner, "streets", store=streets.store)
    assert [(c.id, c.name) for c in state.ontology.classes] == [
        (0, "car"),
        (1, "dog"),
        (2, "bus"),
        (3, "tram"),
    ]
    assert (streets.boxes()["a8"].class_id, streets.boxes()["a9"].class_id) == (2, 3)


def test_a_class_renamed_on_both_sides_is_a_conflict(streets):
    streets.commit("streets@fix", ontology=ONTOLOGY.rename("dog", "hound"))
    streets.commit("streets", ontology=ONTOLOGY.rename("dog", "puppy"))
    streets.do("merge", "fix")
    streets.do("resolve", {"name": "dog breed"})
    streets.do("land")
    state = service.read(streets.owner, "streets", store=streets.store)
    assert state.ontology.names == ("car", "dog breed")


@pytest.mark.parametrize(
    ("how", "kind", "value"), [("ours", "int", 3), ("theirs", "str", "3"), ("union", "str", "3")]
)
def test_a_field_with_another_type_on_each_side_loses_no_value(streets, how, kind, value):
    streets.commit("streets@fix", samples=[sample(0, metadata={"lux": "dim"})])
    streets.commit("streets", samples=[sample(1, metadata={"lux": 3})])
    assert streets.do("merge", "fix").is_open
    streets.do("resolve", how)
    streets.do("land")
    state = service.read(streets.owner, "streets", store=streets.store)
    dim = streets.samples()["s0"]
    assert state.fields == {"lux": kind}
    assert streets.samples()["s1"].metadata == {"lux": value}
    assert {**dim.metadata, **dim.extra} == ({"metadata.lux": "dim"} if how == "ours" else {"lux": "dim"})


def test_contracts_come_from_the_side_that_changed_them(streets):
    streets.commit("streets@fix", contract="a: 1")
    streets.do("merge", "fix")
    assert service.read(streets.owner, "streets", store=streets.store).contract_text == "a: 1"
    streets.commit("streets@fix", contract="a: 2")
    streets.commit("streets", contract="a: 3")
    streets.do("merge", "fix")
    assert [one.content.kind for one in streets.do("conflicts")[1]] == ["contract"]
    streets.do("resolve", "theirs")
    streets.do("land")
    assert service.read(streets.owner, "streets", store=streets.store).contract_text == "a: 2"


def test_choices_count_when_the_target_moved_on(streets):
    streets.commit("streets@fix", boxes=[box(0, 0, class_id=1, score=0.5), box(1, 1, score=0.5)])
    streets.commit("streets", boxes=[box(0, 0, score=0.25)])
    made = streets.do("merge", "fix")
    streets.do("resolve", "theirs")
    streets.commit("streets", boxes=[box(1, 1, score=0.75)])
    with pytest.raises(
        MergeConflictsOpen, match=r"1 unresolved conflicts, starting with: #2 fields ann/ground_truth a1"
    ):
        streets.do("land")
    assert [one.state for one in streets.do("conflicts")[1]] == ["resolved", "open"]
    streets.do("resolve", "ours")
    assert streets.do("land").id == made.id
    assert (streets.boxes()["a0"].score, streets.boxes()["a1"].score) == (0.5, 0.75)


def test_an_abandoned_merge_changes_nothing(streets):
    streets.commit("streets@fix", boxes=[box(0, 0, score=0.25)])
    ours = streets.commit("streets", boxes=[box(0, 0, score=0.75)])
    made = streets.do("merge", "fix")
    assert streets.do("abandon").state == "abandoned"
    assert streets.do("log")[0] == ours
    with pytest.raises(MergeNotFound):
        streets.do("conflicts")
    with pytest.raises(MergeClosed):
        streets.do("resolve", "ours", "all", made.id[-12:])


def test_edits_that_are_not_committed_stop_a_merge(streets):
    streets.commit("streets@fix", boxes=[box(0, 0, score=0.25)])
    streets.put("streets", boxes=[box(1, 1, score=0.25)])
    with pytest.raises(service.WorkingStateDirty):
        streets.do("merge", "fix")


def test_a_preview_counts_and_writes_nothing(streets):
    streets.commit("streets@fix", boxes=[box(0, 0, score=0.25), box(9, 1)], gone=["s3"])
    streets.commit("streets", boxes=[box(0, 0, score=0.75)])
    found = streets.do("preview", "fix")
    assert found == {
        "samples": {"put": 0, "removed": 1},
        "annotations": {"put": 1, "removed": 1},
        "conflicts": 1,
        "open": 1,
    }
    assert streets.do("merges") == []


def test_merges_that_meet_land_both_and_lose_nothing(streets):
    for number in range(4):
        service.branch(streets.owner, "streets", f"b{number}", store=streets.store)
        streets.commit(f"streets@b{number}", boxes=[box(10 + number, number), box(number, number, score=0.5)])
    start = Barrier(4)

    def merge(number: int) -> None:
        start.wait()
        streets.do("merge", f"b{number}")

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(merge, range(4))) == [None] * 4
    assert streets.boxes().keys() == {f"a{n}" for n in (0, 1, 2, 3, 10, 11, 12, 13)}
    assert all(streets.boxes()[f"a{n}"].score == 0.5 for n in range(4))
    assert len([made for made in streets.do("log") if len(made.parents) == 2]) == 4


def test_who_may_only_read_may_only_look(tmp_path, owner):
    store = create_workspace(owner, tmp_path / "ws", decider=RoleRules())
    streets = Streets(owner, store)
    streets.commit("streets@fix", boxes=[box(0, 0, score=0.5)])
    guest = Actor(id="test:gil", name="gil", roles=("auditor",))
    assert versions.preview(guest, "streets", "fix", store=store)["annotations"]["put"] == 1
    for verb, args in (
        ("merge", ("fix",)),
        ("undo", ("main",)),
        ("land", ()),
        ("abandon", ()),
        ("resolve", ("ours",)),
        ("protect", ("main",)),
    ):
        with pytest.raises(NotPermitted):
            getattr(versions, verb)(guest, "streets", *args, store=store)
    store.close()
