"""Transformed samples, beside their parents or in a dataset of their own."""

from __future__ import annotations

import pytest
from tests.support.images import draw, encode
from tests.support.recipes import ONTOLOGY, dataset, sample_of

from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.transform import service as transform
from calotype.transform.model import RecipeRandom, TargetHasOwnSamples
from calotype.vision import images

SQUARE = {"name": "square", "steps": [{"letterbox": {"width": 64, "height": 64}}]}


def test_every_sample_gets_one_beside_it(owner, workspace):
    dataset(owner, workspace)
    done = transform.transform(owner, "streets", SQUARE, store=workspace)
    assert (done.made, done.failed) == (3, ())
    snapshot = datasets.read(owner, "streets", store=workspace)
    made = [sample for sample in snapshot.iter_samples() if sample.is_derived]
    assert [s.name for s in made] == [f"day/image-{at}~square.jpg" for at in range(3)]
    assert {(s.width_px, s.height_px) for s in made} == {(64, 64)}
    assert [s.split for s in made] == ["", "train", "val"]
    (truth,) = snapshot.annotations_of([made[0].sample_id])[made[0].sample_id]
    assert truth.bbox_xywh_px == pytest.approx((20 * 2 / 3, 10 + 10 * 43 / 64, 40 * 2 / 3, 30 * 43 / 64))


def test_another_dataset_takes_only_the_transformed(owner, workspace):
    parents = dataset(owner, workspace)
    done = transform.transform(owner, "streets", SQUARE, store=workspace, into="squares")
    assert done.made == 3
    made = datasets.read(owner, "squares", store=workspace)
    assert [s.parent_id for s in made.iter_samples()] == [s.sample_id for s in parents]
    assert made.ontology == ONTOLOGY
    assert made.count() == {"samples": 3, "annotations": 6}
    assert datasets.read(owner, "streets", store=workspace).count()["samples"] == 3


def test_another_dataset_follows_its_source(owner, workspace):
    parents = dataset(owner, workspace)
    transform.transform(owner, "streets", SQUARE, store=workspace, into="squares")
    datasets.apply(owner, "streets", Change(remove_samples=[parents[0].sample_id]), store=workspace)
    done = transform.transform(owner, "streets", SQUARE, store=workspace, into="squares")
    assert (done.made, done.unchanged, done.removed) == (0, 2, 1)
    assert datasets.read(owner, "squares", store=workspace).count()["samples"] == 2


def test_another_dataset_can_be_augmented_in_turn(owner, workspace):
    dataset(owner, workspace)
    flip = {"name": "flip", "steps": [{"flip": {"axis": "horizontal"}}]}
    transform.transform(owner, "streets", flip, store=workspace)
    assert transform.transform(owner, "streets", SQUARE, store=workspace, into="squares").made == 6
    again = transform.transform(owner, "squares", flip, store=workspace)
    assert (again.made, again.failed) == (6, ())
    assert transform.transform(owner, "squares", flip, store=workspace).unchanged == 6
    assert transform.transform(owner, "streets", SQUARE, store=workspace, into="squares").unchanged == 6


def test_a_turned_photograph_is_taken_upright(owner, workspace):
    dataset(owner, workspace, splits=())
    data = encode(draw(3, size_wh=(60, 40)), "image/jpeg", orientation=6)
    sample = sample_of(data, "phone.jpg", store=workspace)
    datasets.apply(owner, "streets", Change(put_samples=[sample]), store=workspace)
    assert (sample.width_px, sample.height_px) == (40, 60)
    half = {"name": "half", "steps": [{"resize": {"width": 20}}]}
    transform.transform(owner, "streets", half, store=workspace, into="halves")
    (made,) = datasets.read(owner, "halves", store=workspace).iter_samples()
    assert (made.width_px, made.height_px) == (20, 30)
    assert images.probe(workspace.media.read(made.media_sha256)).orientation == 1


def test_a_commit_can_be_transformed_into_another_dataset(owner, workspace):
    dataset(owner, workspace)
    made = datasets.commit(owner, "streets", "first", store=workspace)
    done = transform.transform(owner, f"streets@{made.short}", SQUARE, store=workspace, into="squares")
    assert done.made == 3


@pytest.mark.parametrize("into", ["streets", "others"])
def test_a_dataset_with_samples_of_its_own_is_not_taken(owner, workspace, into):
    dataset(owner, workspace)
    dataset(owner, workspace, name="others")
    with pytest.raises(TargetHasOwnSamples):
        transform.transform(owner, "streets", SQUARE, store=workspace, into=into)


@pytest.mark.parametrize(
    "step",
    [
        {"rotate": {"degrees": [1, 2]}},
        {"flip": {"axis": "vertical", "p": 0.5}},
        {"noise": {"sigma": 1}},
        {"crop": {"random": {}}},
    ],
    ids=["range", "chance", "noise", "random crop"],
)
def test_random_numbers_are_refused(owner, workspace, step):
    dataset(owner, workspace)
    with pytest.raises(RecipeRandom, match="step 2"):
        recipe = {"name": "r", "steps": [{"resize": {"width": 9}}, step]}
        transform.transform(owner, "streets", recipe, store=workspace)


def test_a_step_that_does_not_fit_is_reported_for_the_sample(owner, workspace):
    dataset(owner, workspace)
    recipe = {"name": "r", "steps": [{"crop": {"x": 500, "y": 0, "w": 10, "h": 10}}]}
    done = transform.transform(owner, "streets", recipe, store=workspace)
    assert (done.made, len(done.failed)) == (0, 3)
    assert (
        done.failed[0].reason
        == "step 1 (crop) does not fit an image of 96x64 px: the window begins at 500, 0"
    )


def test_dropped_annotations_are_counted_by_reason(owner, workspace):
    dataset(owner, workspace)
    recipe = {"name": "r", "steps": [{"crop": {"x": 70, "y": 0, "w": 20, "h": 20}}]}
    done = transform.transform(owner, "streets", recipe, store=workspace)
    assert (done.made, done.dropped_annotations) == (3, {"outside": 6})
