"""What holds for every merge: 10,000 generated histories of the rules alone, and some against a real store."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.histories import World, after, applied, side_of, small_world
from tests.support.stored_worlds import tables_of, write

from calotype.datasets import rows, service
from calotype.foundation.actor import Actor
from calotype.foundation.ids import uuid7
from calotype.store.store import create_workspace
from calotype.versions import service as versions
from calotype.versions.merge_execution import NothingToMerge
from calotype.versions.merge_rows import GEOMETRY
from calotype.versions.merge_rules import merge
from calotype.versions.model import ConflictContent, DecodedDocuments, MergeResult
from calotype.vision.ontology import Ontology

BASE = small_world()
HISTORIES = st.integers(0, 9).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n))
"""Bytes of a fixed size are spread evenly; of an open size, hypothesis makes most of them short."""
MANY = settings(max_examples=1_700, deadline=None, derandomize=True, database=None)


def merged(base: World, ours: World, theirs: World, choose: str | None = None) -> tuple[World, MergeResult]:
    outcome = merge(base.documents, side_of(base, ours), side_of(base, theirs), choose)
    return applied(ours, outcome), outcome


def same_content(a: World, b: World) -> bool:
    return _plain(a) == _plain(b)


def _plain(world: World) -> tuple[object, DecodedDocuments]:
    tables = {
        table: {key: {k: v for k, v in row.items() if k not in rows.PROVENANCE} for key, row in found.items()}
        for table, found in world.tables.items()
        if found
    }
    return tables, world.documents


def places(conflicts: tuple[ConflictContent, ...]) -> set[tuple[object, ...]]:
    return {(*conflict.key, conflict.fields) for conflict in conflicts}


@pytest.mark.slow
@MANY
@given(HISTORIES, HISTORIES)
def test_the_order_of_the_sides_does_not_matter(a: bytes, b: bytes) -> None:
    ours, theirs = after(BASE, a, side="o"), after(BASE, b, side="t")
    one, first = merged(BASE, ours, theirs)
    other, second = merged(BASE, theirs, ours)
    if first.class_map or second.class_map:
        return  # the side that comes gets the new numbers
    assert places(first.conflicts) == places(second.conflicts)
    if not first.conflicts:
        assert same_content(one, other)
    chosen, _ = merged(BASE, ours, theirs, "theirs")
    mirrored, _ = merged(BASE, theirs, ours, "ours")
    assert same_content(chosen, mirrored)


@pytest.mark.slow
@MANY
@given(HISTORIES, HISTORIES)
def test_no_annotation_is_lost_or_invented(a: bytes, b: bytes) -> None:
    ours, theirs = after(BASE, a, side="o"), after(BASE, b, side="t")
    for choose in (None, "ours", "theirs"):
        result, _ = merged(BASE, ours, theirs, choose)
        samples = result.of(rows.SAMPLES)
        classes = {entry["id"] for entry in result.documents.ontology["classes"]}
        present = {(table, key) for table, key, _ in result.annotations()}
        in_ours, in_theirs, in_base = (
            {(t, k) for t, k, _ in side.annotations()} for side in (ours, theirs, BASE)
        )
        assert present <= in_ours | in_theirs
        for table, key, row in result.annotations():
            assert row["sample_id"] in samples, "an annotation without its sample"
            assert row["class_id"] in classes, "an annotation without its class"
            sides = [side.of(table)[key] for side in (ours, theirs) if key in side.of(table)]
            assert tuple(row[c] for c in GEOMETRY) in [tuple(side[c] for c in GEOMETRY) for side in sides]
        names = [row["name"] for row in samples.values()]
        assert len(names) == len(set(names))
        if choose is None:
            assert (in_ours | in_theirs) - in_base <= present
        for table, key in in_base - present:
            where = BASE.of(table)[key]["sample_id"]
            homes = {
                where,
                *(side.of(table)[key]["sample_id"] for side in (ours, theirs) if key in side.of(table)),
            }
            removed = [side for side in (ours, theirs) if key not in side.of(table)]
            by_hand = any(where in side.of(rows.SAMPLES) for side in removed)
            assert by_hand or homes - samples.keys(), "a kept sample lost an annotation"


@pytest.mark.slow
@MANY
@given(HISTORIES, HISTORIES)
def test_annotations_keep_the_class_that_they_were_given(a: bytes, b: bytes) -> None:
    ours, theirs = after(BASE, a, side="o"), after(BASE, b, side="t")
    result, outcome = merged(BASE, ours, theirs)
    if any(conflict.table == "ontology" for conflict in outcome.conflicts):
        return
    known = class_names(BASE)
    for table, key, row in result.annotations():
        for mine, other in ((ours, theirs), (theirs, ours)):
            given = mine.of(table).get(key)
            if given and given["class_id"] not in known and key not in other.of(table):
                assert class_names(result)[row["class_id"]] == class_names(mine)[given["class_id"]]


def class_names(world: World) -> dict[int, str]:
    return {entry["id"]: entry["name"] for entry in world.documents.ontology["classes"]}


@pytest.mark.slow
@MANY
@given(HISTORIES, HISTORIES)
def test_merging_what_is_there_already_changes_nothing(a: bytes, b: bytes) -> None:
    ours, theirs = after(BASE, a, side="o"), after(BASE, b, side="t")
    for base, mine, other, expected in (
        (BASE, ours, BASE, ours),  # nothing came
        (BASE, BASE, theirs, theirs),  # nothing was done here
        (BASE, ours, ours, ours),  # the same on both sides
    ):
        result, outcome = merged(base, mine, other)
        assert not outcome.conflicts
        assert same_content(result, expected)
    once, _ = merged(BASE, ours, theirs, "ours")
    again, outcome = merged(theirs, once, theirs)  # their newest commit is the base of the second merge
    assert not outcome.conflicts
    assert same_content(again, once)


@pytest.mark.slow
@MANY
@given(HISTORIES, HISTORIES)
def test_a_change_that_only_one_side_made_stands(a: bytes, b: bytes) -> None:
    ours, theirs = after(BASE, a, side="o"), after(BASE, b, side="t")
    result, outcome = merged(BASE, ours, theirs)
    if outcome.class_map:
        return
    for mine, other in ((ours, theirs), (theirs, ours)):
        for table, key, row in mine.annotations():
            old, beside, now = (w.of(table).get(key) for w in (BASE, other, result))
            if old is None or beside is None or now is None:
                continue
            for field in (("class_id",), ("score",), ("sample_id",), GEOMETRY):
                mine_, old_, beside_, now_ = (tuple(one[c] for c in field) for one in (row, old, beside, now))
                if mine_ != old_ and beside_ == old_ and not (field == ("sample_id",) and outcome.sample_map):
                    assert now_ == mine_


@settings(max_examples=1_000, deadline=None, derandomize=True, database=None)
@given(HISTORIES, HISTORIES)
def test_undo_of_an_undo_is_what_was(a: bytes, b: bytes) -> None:
    parent = after(BASE, a, side="o")
    commit = after(parent, b, side="t")
    undone, outcome = merged(commit, commit, parent)  # base is the commit, its parent comes
    assert not outcome.conflicts
    assert undone.tables.keys() == parent.tables.keys()
    assert _plain(undone)[0] == _plain(parent)[0]
    back, outcome = merged(undone, undone, commit)
    assert not outcome.conflicts
    assert _plain(back)[0] == _plain(commit)[0]
    assert back.documents.ontology["classes"] == commit.documents.ontology["classes"]


@pytest.mark.parametrize("choose", ["ours", "theirs", "union", "base"])
@settings(max_examples=250, deadline=None, derandomize=True, database=None)
@given(HISTORIES, HISTORIES)
def test_a_choice_for_all_leaves_nothing_open(choose: str, a: bytes, b: bytes) -> None:
    ours, theirs = after(BASE, a, side="o"), after(BASE, b, side="t")
    result, outcome = merged(BASE, ours, theirs, choose)
    assert outcome.open == ()
    names = [row["name"] for row in result.of(rows.SAMPLES).values()]
    assert len(names) == len(set(names))


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A workspace with the base world committed on main."""
    owner = Actor(id="test:ana", name="ana")
    store = create_workspace(owner, tmp_path_factory.mktemp("merging") / "workspace")
    service.create(owner, "world", store=store)
    write(owner, store, "world", World(), BASE)
    service.commit(owner, "world", "base", store=store)
    yield owner, store
    store.close()


@pytest.mark.slow
@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(HISTORIES, HISTORIES)
def test_a_store_merges_as_the_rules_say(stored, a: bytes, b: bytes) -> None:
    owner, store = stored
    sides = [after(BASE, a, side="o"), after(BASE, b, side="t")]
    names = [f"side-{uuid7()}", f"side-{uuid7()}"]
    for name, side in zip(names, sides, strict=True):
        service.branch(owner, "world", name, store=store)
        write(owner, store, f"world@{name}", BASE, side)
        with suppress(service.NothingToCommit):
            service.commit(owner, f"world@{name}", "edits", store=store)
    expected, _ = merged(BASE, sides[0], sides[1], "theirs")
    try:
        made = versions.merge(
            owner, "world", names[1], store=store, options=versions.MergeOptions(names[0], "theirs")
        )
    except NothingToMerge:
        return
    assert made.state == "landed"
    assert tables_of(owner, store, f"world@{names[0]}") == _plain(expected)[0]
    state = service.read(owner, f"world@{names[0]}", store=store)
    assert state.ontology == Ontology.from_json(expected.documents.ontology)
    assert state.contract_text == expected.documents.contract
    with pytest.raises(NothingToMerge):
        versions.merge(owner, "world", names[1], store=store, options=versions.MergeOptions(names[0]))
    if _plain(expected)[0] == _plain(sides[0])[0]:
        return  # texts are not told apart here
    undone = versions.undo(owner, f"world@{names[0]}", str(made.merge_commit), store=store)
    assert tables_of(owner, store, f"world@{names[0]}") == _plain(sides[0])[0]
    versions.undo(owner, f"world@{names[0]}", str(undone.merge_commit), store=store)
    assert tables_of(owner, store, f"world@{names[0]}") == _plain(expected)[0]
