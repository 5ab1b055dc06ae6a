"""Classes of whole images, held against a model that the contract names."""

from __future__ import annotations

from tests.support.images import draw, encode

from calotype.datasets.model import Kind

PICTURE = encode(draw(1))
CAR, DOG = 0, 1
NAMED = "predictions: model:x\nchecks: {label-errors: {parameters: {min_probability: 0.5}}}"


def filled(things, *, seen=True):
    """60 labels that a model confirms and three that it contradicts, of one picture: vectors say nothing."""
    wrong = []
    for k in range(63):
        sample = things.image(PICTURE, label=False)
        given = k % 2
        label = things.box(sample, None, given, kind=Kind.CLASSIFICATION)
        if k >= 60:
            wrong.append(label.ann_id)
        if seen:
            things.predict(sample, None, 1 - given if k >= 60 else given, score=0.97)
    return wrong


def test_labels_that_the_named_model_contradicts_are_told_with_its_class(things):
    wrong = filled(things)
    found = things.only("label-errors", NAMED).findings
    assert {one.annotation_id for one in found} == set(wrong)
    assert {one.facts["by"] for one in found} == {"model:x"}
    assert {(one.facts["given"], one.facts["suggested"]) for one in found} == {("car", "dog"), ("dog", "car")}
    assert "model:x sees dog" in next(one for one in found if one.facts["given"] == "car").reason


def test_scores_of_several_classes_are_one_distribution(things):
    wrong = filled(things, seen=False)
    doubted = {one.ann_id: 0.1 for one in things.boxes if one.ann_id in wrong}
    for label in list(things.boxes):
        own = doubted.get(label.ann_id, 0.95)
        sample = next(one for one in things.samples if one.sample_id == label.sample_id)
        things.predict(sample, None, label.class_id, score=own)
        things.predict(sample, None, 1 - label.class_id, score=1 - own)
    assert {one.annotation_id for one in things.only("label-errors", NAMED).findings} == set(wrong)


def test_what_is_less_sure_than_asked_is_not_told(things):
    filled(things)
    assert things.only("label-errors", NAMED.replace("0.5", "0.95")).findings == ()


def test_a_model_that_the_contract_does_not_name_judges_no_classes(things):
    filled(things)
    assert [one.fault for one in things.only("label-errors").findings] == ["not-judged"]


def test_a_model_of_boxes_is_not_asked_for_classes_of_images(things):
    filled(things, seen=False)
    for sample in things.samples:
        things.predict(sample, (5.0, 5.0, 20.0, 20.0), DOG)
    found = things.only("label-errors", "predictions: model:x").findings
    assert [(one.fault, one.facts["by"]) for one in found] == [("not-judged", "vectors")]
