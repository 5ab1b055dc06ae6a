"""Copies follow their parents: made once, made again when the parent changes, gone when it goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.images import draw, encode
from tests.support.recipes import dataset, sample_of

from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.foundation.actor import Actor
from calotype.foundation.errors import NotPermitted
from calotype.transform import recipe_derive
from calotype.transform import service as transform
from calotype.transform.service import Scope, WorkItem, Worklist
from calotype.vision import images

RECIPE: dict[str, Any] = {
    "name": "tilt",
    "steps": [{"rotate": {"degrees": [-5, 5]}}, {"flip": {"axis": "horizontal", "p": 0.5}}],
    "copies": 2,
    "seed": 7,
}


def derived(owner, workspace, name="streets"):
    snapshot = datasets.read(owner, name, store=workspace)
    return {sample.name: sample for sample in snapshot.iter_samples() if sample.is_derived}


def run(owner, workspace, recipe=RECIPE, **more):
    return transform.augment(owner, "streets", recipe, store=workspace, **more)


def test_copies_keep_what_their_parent_is(owner, workspace):
    parents = dataset(owner, workspace)
    done = run(owner, workspace)
    assert (done.made, done.unchanged, done.removed, done.failed) == (4, 0, 0, ())
    made = derived(owner, workspace)
    assert sorted(made) == [
        "day/image-0~tilt-0.jpg",
        "day/image-0~tilt-1.jpg",
        "day/image-1~tilt-0.jpg",
        "day/image-1~tilt-1.jpg",
    ]
    copy = made["day/image-1~tilt-0.jpg"]
    assert copy.parent_id == parents[1].sample_id
    assert copy.recipe == done.recipe
    kept = ("split", "group", "licence", "source", "metadata")
    assert [getattr(copy, name) for name in kept] == [getattr(parents[1], name) for name in kept]
    facts = images.probe(workspace.media.read(copy.media_sha256))
    assert (facts.width_px, facts.height_px, facts.mime) == (copy.width_px, copy.height_px, "image/jpeg")


def test_all_label_sets_move_along(owner, workspace):
    dataset(owner, workspace)
    run(owner, workspace)
    snapshot = datasets.read(owner, "streets", store=workspace)
    ids = [sample.sample_id for sample in derived(owner, workspace).values()]
    truth = snapshot.annotations_of(ids)
    model = snapshot.annotations_of(ids, "model:one")
    assert [len(truth[key]) for key in ids] == [len(model[key]) for key in ids] == [1, 1, 1, 1]
    (guess,) = model[ids[0]]
    assert (guess.score, guess.class_id, guess.attributes["far"]) == (0.75, 2, True)
    assert guess.bbox_xywh_px == truth[ids[0]][0].bbox_xywh_px


def test_one_label_set_can_be_chosen(owner, workspace):
    dataset(owner, workspace)
    run(owner, workspace, scope=Scope(splits=("train", ""), label_sets=("ground_truth",)))
    snapshot = datasets.read(owner, "streets", store=workspace)
    assert snapshot.annotations("model:one").num_rows == 3
    assert snapshot.annotations("ground_truth").num_rows == 3 + 4


def test_a_second_run_changes_nothing(owner, workspace):
    dataset(owner, workspace)
    run(owner, workspace)
    before = datasets.read(owner, "streets", store=workspace).state_sha256
    done = run(owner, workspace)
    assert (done.made, done.unchanged) == (0, 4)
    assert datasets.read(owner, "streets", store=workspace).state_sha256 == before


def test_only_the_copies_of_a_changed_parent_are_made_again(owner, workspace):
    parents = dataset(owner, workspace)
    run(owner, workspace)
    before = derived(owner, workspace)
    snapshot = datasets.read(owner, "streets", store=workspace)
    (truth,) = snapshot.annotations_of([parents[0].sample_id])[parents[0].sample_id]
    moved = replace(truth, bbox_xywh_px=(30.0, 20.0, 20.0, 20.0), area_px=400.0)
    datasets.apply(owner, "streets", Change(put_annotations={"ground_truth": [moved]}), store=workspace)
    done = run(owner, workspace)
    assert (done.made, done.unchanged) == (2, 2)
    after = derived(owner, workspace)
    assert {s.sample_id for s in after.values()} == {s.sample_id for s in before.values()}
    assert {s.media_sha256 for s in after.values()} == {s.media_sha256 for s in before.values()}


def test_copies_lose_the_annotations_that_their_parent_lost(owner, workspace):
    parents = dataset(owner, workspace)
    run(owner, workspace)
    snapshot = datasets.read(owner, "streets", store=workspace)
    ids = [a.ann_id for a in snapshot.annotations_of([parents[0].sample_id])[parents[0].sample_id]]
    datasets.apply(owner, "streets", Change(remove_annotations={"ground_truth": ids}), store=workspace)
    run(owner, workspace)
    snapshot = datasets.read(owner, "streets", store=workspace)
    counts = {
        sample.name: len(snapshot.annotations_of([sample.sample_id])[sample.sample_id])
        for sample in derived(owner, workspace).values()
    }
    assert [counts[name] for name in sorted(counts)] == [0, 0, 1, 1]


def test_copies_go_with_their_parent(owner, workspace):
    parents = dataset(owner, workspace)
    run(owner, workspace)
    gone = Change(remove_samples=[parents[0].sample_id])
    datasets.apply(owner, "streets", gone, store=workspace)
    done = run(owner, workspace)
    assert (done.made, done.unchanged, done.removed) == (0, 2, 2)
    assert all(s.parent_id == parents[1].sample_id for s in derived(owner, workspace).values())


def test_copies_go_when_their_parent_is_kept_for_testing(owner, workspace):
    parents = dataset(owner, workspace)
    run(owner, workspace)
    moved = Change(put_samples=[replace(parents[1], split="test")])
    datasets.apply(owner, "streets", moved, store=workspace)
    assert run(owner, workspace).removed == 2
    assert {s.split for s in derived(owner, workspace).values()} == {""}


@pytest.mark.parametrize(
    "edit, made, unchanged, removed",
    [
        ({"copies": 3}, 2, 4, 0),
        ({"copies": 1}, 0, 2, 2),
        ({"seed": 8}, 4, 0, 4),
    ],
    ids=["more copies", "fewer copies", "another seed"],
)
def test_an_edited_recipe_replaces_what_it_made(owner, workspace, edit, made, unchanged, removed):
    dataset(owner, workspace)
    run(owner, workspace)
    done = run(owner, workspace, recipe={**RECIPE, **edit})
    assert (done.made, done.unchanged, done.removed) == (made, unchanged, removed)
    names = [sample.name for sample in derived(owner, workspace).values()]
    assert len(names) == len(set(names)) == made + unchanged


def test_the_copies_of_samples_outside_the_query_are_left_alone(owner, workspace):
    dataset(owner, workspace)
    run(owner, workspace)
    done = run(owner, workspace, scope=Scope('split = "train"', ("train", "")))
    assert (done.made, done.unchanged, done.removed) == (0, 2, 0)
    assert len(derived(owner, workspace)) == 4


def test_all_splits_when_asked(owner, workspace):
    dataset(owner, workspace)
    assert run(owner, workspace, scope=Scope()).made == 6


def test_a_png_parent_gets_png_copies(owner, workspace):
    dataset(owner, workspace, mime="image/png", splits=("train",))
    run(owner, workspace)
    assert {(s.name[-4:], s.mime) for s in derived(owner, workspace).values()} == {(".png", "image/png")}


def test_parents_that_share_a_stem_get_different_names(owner, workspace):
    dataset(owner, workspace, splits=("train",))
    twin = sample_of(encode(draw(9), "image/png"), "day/image-0.png", store=workspace, split="train")
    datasets.apply(owner, "streets", Change(put_samples=[twin]), store=workspace)
    run(owner, workspace, recipe={**RECIPE, "steps": [*RECIPE["steps"], {"format": "jpeg"}]})
    assert len(derived(owner, workspace)) == 4


def test_an_unreadable_image_is_reported_and_the_rest_goes_on(owner, workspace):
    parents = dataset(owner, workspace)
    workspace.media.path(parents[0].media_sha256).write_bytes(b"no image")
    done = run(owner, workspace)
    assert done.made == 2
    assert [failure.name for failure in done.failed] == ["day/image-0.jpg"]
    assert "JPEG" in done.failed[0].reason


def test_a_stopped_run_goes_on_where_it_was(owner, workspace, monkeypatch):
    monkeypatch.setattr(recipe_derive, "CHUNK", 2)
    dataset(owner, workspace)
    asked = []

    def after_one_chunk():
        asked.append(1)
        return len(asked) > 1

    first = run(owner, workspace, should_stop=after_one_chunk)
    assert (first.made, first.stopped) == (2, True)
    second = run(owner, workspace)
    assert (second.made, second.unchanged, second.stopped) == (2, 2, False)


def test_shards_of_a_plan_make_the_same_bytes_as_one_run(owner, workspace):
    dataset(owner, workspace)
    run(owner, workspace)
    whole = {s.name: s.media_sha256 for s in derived(owner, workspace).values()}
    gone = Change(remove_samples=[s.sample_id for s in derived(owner, workspace).values()])
    datasets.apply(owner, "streets", gone, store=workspace)
    worklist = transform.plan_augment(owner, "streets", RECIPE, store=workspace)
    payload = [item.to_dict() for item in reversed(worklist.items)]
    for shard in (payload[:1], payload[1:]):
        items = [WorkItem.from_dict(value) for value in shard]
        part = Worklist(tuple(items), label_sets=worklist.label_sets)
        transform.process_augment(owner, "streets", RECIPE, part, store=workspace)
    assert {s.name: s.media_sha256 for s in derived(owner, workspace).values()} == whole


def test_an_item_whose_parent_changed_since_the_plan_is_passed_over(owner, workspace):
    parents = dataset(owner, workspace)
    worklist = transform.plan_augment(owner, "streets", RECIPE, store=workspace)
    moved = Change(put_samples=[replace(parents[0], split="val")])
    datasets.apply(owner, "streets", moved, store=workspace)
    done = transform.process_augment(owner, "streets", RECIPE, worklist, store=workspace)
    assert done.made == 2
    assert {s.parent_id for s in derived(owner, workspace).values()} == {parents[1].sample_id}


def test_augmenting_needs_the_permission_to_edit(workspace, owner):
    dataset(owner, workspace)
    with pytest.raises(NotPermitted):
        run(Actor("test:eve", "eve", roles=("annotator",)), workspace)


def test_the_run_is_in_the_audit(owner, workspace):
    dataset(owner, workspace)
    done = run(owner, workspace)
    with workspace.catalog.read() as conn:
        rows = conn.exec_driver_sql("select verb, details from audit order by seq desc limit 1").all()
    assert rows[0][0] == "augment.run"
    assert done.recipe in rows[0][1]
