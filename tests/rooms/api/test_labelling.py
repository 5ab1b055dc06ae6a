"""Labelling through Python: batches and reviews of a dataset, one's own work in a workspace."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

import calotype as ct
from calotype.api.labelling import NoWorkLeft
from calotype.guidelines.precedents.service import Precedent
from calotype.labelling.errors import AssignmentClosed, BatchClosed, BatchNotFound
from calotype.labelling.model import Remark


def an_operation(do: str, **values) -> dict[str, Any]:
    return {"do": do, "id": uuid4().hex, **values}


def a_box(**values) -> dict[str, Any]:
    new = {"annotation": uuid4().hex, "kind": "box", "class": "car", "bbox": [1.0, 2.0, 9.0, 8.0]}
    return an_operation("add", **new, **values)


def test_a_batch_from_opening_to_a_commit_on_its_branch(ws, shop):
    batch = shop.annotate.batch("night", where="class = car", to=["me"], review=0.0)
    status = batch.status()
    assert (status.batch.branch, status.progress.samples) == ("batch/night", 12)
    assignment = ws.work.next(dataset="shop")
    before = assignment.show()
    recorded = assignment.record([a_box(), a_box(), an_operation("undo")])
    assert (len(recorded.recorded), recorded.to_undo, recorded.to_redo) == (3, 1, 1)
    assert len(assignment.show()["annotations"]) == len(before["annotations"]) + 1
    assert [event["verb"] for event in assignment.events()] == ["begin", "add", "add", "undo"]
    assert assignment.submit(active_ms=1_500).sample_state == "accepted"
    assert ws.work.list()["figures"]["submitted"] == 1
    landed = batch.close()
    assert (landed.samples, landed.annotations) == (1, 1)
    assert shop.at("batch/night").count()["annotations"] == shop.at("main").count()["annotations"] + 1
    with pytest.raises(BatchClosed):
        batch.resume()
    with pytest.raises(NoWorkLeft):
        ws.work.next()


def test_where_takes_a_query_of_python(shop):
    assert shop.annotate.batch("dogs", where=ct.field("class") == "dog").status().progress.samples == 12


def test_batches_are_listed_paused_and_changed(ws, shop):
    batch = shop.annotate.batch("one", ids=shop.where("class = dog").samples()["sample_id"].to_pylist()[:2])
    assert batch.extend(due="2999-01-31", priority=4).batch.priority == 4
    assert batch.figures().people == ()
    assert batch.pause().batch.state == "paused"
    with pytest.raises(NoWorkLeft, match="queue"):
        ws.work.next(batch="one")
    assert batch.resume().batch.state == "open"
    assert [status.batch.name for status in shop.annotate.batches()] == ["one"]
    assert shop.annotate.open("one").status().progress.samples == 2
    with pytest.raises(BatchNotFound):
        shop.annotate.open("two")


def test_work_is_given_back_skipped_and_asked_about(ws, shop):
    shop.annotate.batch("one", to=["me"])
    assignment = ws.work.next()
    asked = assignment.ask("is this a car?", class_name="car")
    assert shop.annotate.questions(state="open")[0]["id"] == asked["id"]
    assert shop.annotate.answer(asked["id"], "yes")["state"] == "resolved"
    kept = shop.annotate.add_precedent(Precedent("a car", "it has wheels", thread=asked["id"]))
    assert shop.annotate.precedents(class_name="car") == [kept]
    assert assignment.release("lunch").state == "released"
    again = ws.work.next()
    assert again.skip("too dark").sample_state == "skipped"
    with pytest.raises(AssignmentClosed):
        ws.work.open(again.id).record([a_box()])


def test_nobody_judges_their_own_work_in_python_either(ws, shop):
    batch = shop.annotate.batch("one", to=["me"], review=1.0)
    assignment = ws.work.next()
    assert assignment.submit().sample_state == "submitted"
    assert len(batch.to_review()) == 1
    assert batch.accept() == batch.merge() == batch.send_back(note="no") == []
    with pytest.raises(AssignmentClosed):
        assignment.review("send-back", Remark("no"))
    assert batch.land().samples == 0


def test_a_prelabel_is_kept_changed_or_removed_and_the_record_says_which(ws, shop):
    boxes = shop.where().annotations(columns=["sample_id", "class_id", "x", "y", "w", "h"])
    shop.put_annotations(boxes, label_set="model:a")
    shop.commit("guesses")
    shop.annotate.batch("one", where="class = dog", prelabels="model:a", review=0.0, to=["me"])
    assignment = ws.work.next()
    listed = assignment.show()["annotations"]
    assert sorted(row["origin"] for row in listed) == ["imported", "prelabel"]
    guess = next(row for row in listed if row["origin"] == "prelabel")
    changed = assignment.record([an_operation("set-class", annotation=guess["id"], **{"class": "car"})])
    assert changed.annotations[guess["id"]]["origin"] == "adjusted"
    gone = assignment.record([an_operation("delete", annotation=guess["id"])])
    assert gone.annotations == {guess["id"]: None}
    back = assignment.record([an_operation("restore", annotation=guess["id"], position=1)])
    assert back.annotations[guess["id"]]["origin"] == "prelabel"
    assert assignment.submit(id=uuid4().hex, note="done").state == "accepted"


def test_a_repeated_call_gives_the_first_answer(ws, shop):
    shop.annotate.batch("one", to=["me"], review=0.0)
    assignment = ws.work.next()
    box, end = a_box(), uuid4().hex
    first, again = assignment.record([box]), assignment.record([box])
    assert first.recorded == again.repeated == (box["id"],)
    assert [assignment.submit(id=end).repeated for _ in range(2)] == [False, True]


def test_work_goes_on_where_it_was_after_the_workspace_was_closed(tmp_path, raw):
    with ct.open(tmp_path / "ws") as opened:
        dataset = opened.create("shop")
        dataset.add_images(raw / "images", licence="CC0-1.0")
        dataset.add_annotations(raw / "instances.json")
        dataset.commit("import")
        dataset.annotate.batch("one", to=["me"])
        first = opened.work.next()
        boxes = [a_box() for _ in range(3)]
        first.record(boxes)
        before = first.show()
    with ct.open(tmp_path / "ws") as opened:
        again = opened.work.next()
        assert again.id == first.id
        page = again.show()
        assert (page["annotations"], page["to_undo"]) == (before["annotations"], 3)
        undone = again.record([an_operation("undo")])
        assert undone.annotations == {boxes[2]["annotation"]: None}
        assert again.record([boxes[0]]).repeated == (boxes[0]["id"],)
