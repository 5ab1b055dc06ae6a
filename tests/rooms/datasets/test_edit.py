"""Edits: what a change puts and removes, all of it or nothing, whoever else is at work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import numpy as np
import pyarrow as pa
import pytest
from tests.support.cities import BUS, ONTOLOGY, box, sample

from calotype.datasets import edit, rows
from calotype.datasets.change import Change, RowStream
from calotype.store.catalog import schema


@pytest.fixture
def labelled(town):
    """Samples s0 and s1; two boxes on s0 and one on s1, one of a model on s0."""
    boxes = [box("a0", "s0"), box("a1", "s0"), box("a2", "s1")]
    labels = {"ground_truth": boxes, "model": [box("m0", "s0", score=0.5)]}
    samples = [sample("s0", "s0.jpg"), sample("s1", "s1.jpg")]
    town.do("apply", Change(put_samples=samples, put_annotations=labels, ontology=ONTOLOGY))
    return town


def boxes(state, label_set="ground_truth"):
    return sorted(state.annotations(label_set)["ann_id"].to_pylist())


class TestRows:
    """Rows that come and go."""

    def test_a_sample_is_put_and_replaced_by_its_id(self, town):
        town.add("s0")
        state = town.do("apply", Change(put_samples=[sample("s0", "new.jpg", split="val")]))
        assert [(row.name, row.split) for row in state.iter_samples()] == [("new.jpg", "val")]

    def test_a_removed_sample_takes_its_annotations_along_in_every_label_set(self, labelled):
        state = labelled.do("apply", Change(remove_samples=["s0"]))
        assert (state.ids(), boxes(state), boxes(state, "model")) == (["s1"], ["a2"], [])

    def test_ids_that_are_not_there_are_removed_without_a_word(self, labelled):
        state = labelled.do("apply", Change(remove_samples=["s9"], remove_annotations={"model": ["m9"]}))
        assert (state.ids(), boxes(state, "model")) == (["s0", "s1"], ["m0"])

    def test_an_annotation_is_replaced_by_its_id(self, labelled):
        state = labelled.do("apply", Change(put_annotations={"ground_truth": [box("a0", "s0", BUS)]}))
        assert state.by_class() == {"car": 2, "bus": 1, "person": 0}

    def test_annotations_are_removed_in_one_label_set(self, labelled):
        state = labelled.do("apply", Change(remove_annotations={"ground_truth": ["a1"]}))
        assert (boxes(state), boxes(state, "model")) == (["a0", "a2"], ["m0"])

    def test_all_annotations_of_a_sample_make_way_for_new_ones(self, labelled):
        change = Change(
            put_annotations={"ground_truth": [box("a9", "s0")]},
            remove_annotations_of={"ground_truth": ["s0"]},
        )
        assert boxes(labelled.do("apply", change)) == ["a2", "a9"]

    def test_rows_come_as_an_arrow_table_too(self, town):
        table = rows.samples_to_arrow([sample("s0", "a.jpg", metadata={"lux": 3})])
        state = town.do("apply", Change(put_samples=table))
        assert (state.ids("lux = 3"), state.fields) == (["s0"], {"lux": "int"})

    def test_rows_come_as_a_stream_too(self, labelled):
        table = rows.annotations_to_arrow([box(f"b{number}", "s1") for number in range(50)])
        stream = RowStream(lambda: iter(table.to_batches(max_chunksize=10)), 50)
        state = labelled.do("apply", Change(put_annotations={"ground_truth": stream}))
        assert state.count(label_set="ground_truth")["annotations"] == 53

    def test_any_label_set_has_a_table_of_its_own(self, labelled):
        name = "modèle/v1 'x'"
        state = labelled.do("apply", Change(put_annotations={name: [box("x0", "s0")]}))
        assert state.label_sets == ("ground_truth", "model", name)
        assert (boxes(state, name), boxes(state, "model")) == (["x0"], ["m0"])
        assert [rows.label_set_of(table) for table in state.pins if table.startswith("ann/")][-1] == name

    def test_vectors_are_put_replaced_and_removed(self, labelled):
        def vectors(**of):
            values = pa.array(np.concatenate([np.full(2, v, np.float32) for v in of.values()]))
            column = pa.FixedSizeListArray.from_arrays(values, 2)
            return pa.table({"sample_id": list(of), "vector": column}, schema=rows.vector_schema(2))

        labelled.do("apply", Change(put_vectors={"tiny": vectors(s0=1, s1=2)}))
        labelled.do("apply", Change(put_vectors={"tiny": vectors(s0=3)}))
        state = labelled.do("apply", Change(remove_vectors_of={"tiny": ["s1"]}))
        table = state._store.tables.read(f"{state.dataset.id}/vec/tiny", state.pins["vec/tiny"])
        assert table.to_pylist() == [{"sample_id": "s0", "vector": [3.0, 3.0]}]
        assert rows.models_of(state.pins) == ["tiny"]


class TestTexts:
    """Documents that a change replaces."""

    def test_each_text_replaces_the_one_before(self, town):
        town.do("apply", Change(contract="a: 1", info='{"year": 2020}', ontology=ONTOLOGY))
        state = town.do(
            "apply", Change(contract="a: 2", fields={"lux": "int"}, put_samples=[sample("s0", "a")])
        )
        assert (state.contract_text, state.info, state.fields) == ("a: 2", {"year": 2020}, {"lux": "int"})
        assert state.ontology == ONTOLOGY

    def test_an_equal_ontology_is_no_edit(self, labelled):
        before = labelled.do("read")
        after = labelled.do("apply", Change(ontology=ONTOLOGY))
        assert after.state_sha256 == before.state_sha256

    def test_an_empty_change_writes_nothing(self, labelled):
        n_events = len(labelled.events())
        assert labelled.do("apply", Change()).ids() == ["s0", "s1"]
        assert len(labelled.events()) == n_events


class TestTogether:
    """An edit happens whole, and on what it saw."""

    def test_a_plan_is_asked_for_the_state_that_it_changes(self, labelled):
        def plan(state):
            return Change(put_samples=[replace(row, split="val") for row in state.iter_samples()])

        state = labelled.do("apply", plan)
        assert state.ids("split = val") == ["s0", "s1"]

    def test_a_plan_that_fails_leaves_nothing(self, labelled):
        def plan(_state):
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            labelled.do("apply", plan)
        assert labelled.do("read").count() == {"samples": 2, "annotations": 4}

    def test_what_the_caller_records_is_kept_with_it_or_not_at_all(self, labelled):
        def failing(conn):
            conn.execute(schema.workspace.insert(), [{"key": labelled.name, "value": 1}])
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            labelled.do("apply", Change(remove_samples=["s0"]), record=failing)
        assert labelled.ids() == ["s0", "s1"]
        with labelled.store.catalog.read() as conn:
            kept = conn.execute(schema.workspace.select().where(schema.workspace.c.key == labelled.name))
            assert kept.first() is None

    def test_the_audit_event_names_verb_branch_and_details(self, labelled):
        labelled.do("apply", Change(remove_samples=["s0"]), verb="mine.cut", details={"why": "blurred"})
        assert labelled.events()[-1] == ("mine.cut", {"branch": "main", "why": "blurred"})

    def test_writers_that_meet_lose_nothing(self, town):
        start = Barrier(4)

        def write(number):
            start.wait()
            for step in range(3):
                town.add(f"s{number}{step}")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(4)))
        assert town.ids() == sorted(f"s{number}{step}" for number in range(4) for step in range(3))

    def test_an_edit_that_never_gets_its_turn_gives_up(self, town, monkeypatch):
        monkeypatch.setattr(edit, "MAX_TRIES", 2)
        asked: list[int] = []

        def plan(_state):
            asked.append(len(asked))
            town.add(f"s{len(asked)}")  # somebody else is quicker each time
            return Change(put_samples=[sample("s0", "mine.jpg")])

        with pytest.raises(edit.WorkingStateMoved) as caught:
            town.do("apply", plan)
        error = caught.value
        assert (error.code, error.fields["dataset"], error.fields["tries"]) == (
            "working-state-moved",
            town.name,
            2,
        )
        assert "nothing of this edit was applied" in error.remedy
        assert (town.ids(), asked) == (["s1", "s2"], [0, 1])
