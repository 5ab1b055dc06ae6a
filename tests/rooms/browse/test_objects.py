"""Lists of objects: every annotation with a place, in the order of its samples, found again on any page."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.support.random_roads import first_change, random_edit
from tests.support.streets import Streets, box

from calotype.browse import grid, object_order, objects
from calotype.datasets import service as datasets
from calotype.vision.ontology import ClassUnknown


@pytest.fixture(params=[0, 1_000_000], ids=["by id", "whole"])
def roads(workspace, owner, monkeypatch, request):
    """A state that was edited twice, read in both ways."""
    monkeypatch.setattr(objects, "_READ_AT_ONCE", request.param)
    rng = np.random.default_rng(5)
    datasets.create(owner, "roads", store=workspace)
    state = datasets.apply(owner, "roads", first_change(rng, 50), store=workspace)
    listed(workspace, state)
    return datasets.apply(owner, "roads", random_edit(rng, state), store=workspace)


def listed(workspace, state, *, where="", sort="name", class_name=""):
    order = grid.Browser().order(state, where=where, sort=sort, label_set="ground_truth", store=workspace)
    return objects.objects(workspace, state, order, label_set="ground_truth", class_name=class_name)


def shown(workspace, state, found, offset, limit, **options):
    return objects.page(state, objects.part(workspace, state, found, offset, limit), **options)


def value(annotation, sort):
    if sort.endswith("score"):
        return annotation.score
    x_y_w_h = annotation.bbox_xywh_px
    return annotation.area_px or (x_y_w_h[2] * x_y_w_h[3] if x_y_w_h else None)


def expected(state, ids, class_name=""):
    of = state.annotations_of(ids)
    wanted = state.ontology.by_name(class_name).id if class_name else None
    return [
        a.ann_id
        for sample_id in ids
        for a in of[sample_id]
        if a.kind not in object_order.WITHOUT_PLACE and wanted in (None, a.class_id)
    ]


@pytest.mark.parametrize("where", ["", "tags has street", "count(car) >= 1", "width = 1"])
@pytest.mark.parametrize("class_name", ["", "car"])
def test_objects_follow_the_list_of_samples(workspace, roads, where, class_name):
    for sort in grid.SORTS:
        check_list(workspace, roads, where, sort, class_name)


def check_list(workspace, roads, where, sort, class_name):
    order = grid.Browser().order(roads, where=where, sort=sort, label_set="ground_truth", store=workspace)
    found = listed(workspace, roads, where=where, sort=sort, class_name=class_name)
    wanted = expected(roads, order.ids(0, 500), class_name)
    assert len(found) == len(wanted)
    assert objects.ids(workspace, roads, found, 0, 5_000) == wanted
    for offset in range(0, len(wanted) + 7, 7):
        assert objects.ids(workspace, roads, found, offset, 7) == wanted[offset : offset + 7]
        page = shown(workspace, roads, found, offset, 7)
        assert [one["id"] for one in page] == wanted[offset : offset + 7]


@pytest.mark.parametrize("sort", object_order.SORTS)
@pytest.mark.parametrize(("where", "class_name"), [("", ""), ("count(car) >= 1", "car"), ("width = 1", "")])
def test_objects_are_sorted_by_their_own_size_or_score(workspace, roads, sort, where, class_name):
    of_samples = listed(workspace, roads, where=where, class_name=class_name)
    found = objects.ranked(workspace, roads, of_samples, sort)
    ids = objects.ids(workspace, roads, found, 0, 5_000)
    assert sorted(ids) == sorted(objects.ids(workspace, roads, of_samples, 0, 5_000))
    value_of = {
        a.ann_id: value(a, sort) for found_ in roads.annotations_of(roads.ids()).values() for a in found_
    }
    sign = -1 if sort.startswith("-") else 1
    assert sort.endswith("score") or where == "width = 1" or len({value_of[id_] for id_ in ids}) > 3
    keys = [math.inf if value_of[id_] is None else sign * value_of[id_] for id_ in ids]
    assert keys == sorted(keys)  # those without the value are last in both directions
    for offset in range(0, len(ids) + 7, 7):
        assert objects.ids(workspace, roads, found, offset, 7) == ids[offset : offset + 7]
        page = shown(workspace, roads, found, offset, 7)
        assert [one["id"] for one in page] == ids[offset : offset + 7]


@pytest.mark.parametrize(
    ("sort", "wanted"),
    [
        ("score", ["a2", "a0", "a1", "a3"]),
        ("-score", ["a0", "a2", "a1", "a3"]),
        ("size", ["a0", "a1", "a3", "a2"]),
        ("-size", ["a2", "a0", "a1", "a3"]),
    ],
)
def test_objects_without_a_score_are_last_and_equal_ones_follow_their_samples(workspace, owner, sort, wanted):
    streets = Streets(owner, workspace)
    streets.put("streets", boxes=[box(0, 0, score=0.75), box(2, 2, score=0.25, area_px=31.0)])
    state = datasets.read(owner, "streets", store=workspace)
    found = objects.ranked(workspace, state, listed(workspace, state), sort)
    assert objects.ids(workspace, state, found, 0, 10) == wanted


def test_an_object_has_its_shape_its_class_and_its_sample(workspace, roads):
    page = shown(workspace, roads, listed(workspace, roads), 0, 500)
    page = shown(workspace, roads, listed(workspace, roads), 0, 500, flagged={page[0]["id"]})
    assert page[0]["flagged"] and not page[1]["flagged"]
    names = {c.id: c.name for c in roads.ontology.classes}
    for one in page:
        (sample,) = roads.iter_samples(ids=[one["sample"]["id"]])
        (a,) = [
            a for a in roads.annotations_of([sample.sample_id])[sample.sample_id] if a.ann_id == one["id"]
        ]
        assert one == {**grid.to_draw(a, names), "flagged": one is page[0], "sample": grid.cell(sample)}


def test_an_unknown_class_is_refused(workspace, roads):
    with pytest.raises(ClassUnknown, match=r"'carr' is not a class.*use one of its classes: "):
        listed(workspace, roads, class_name="carr")


def test_a_label_set_without_annotations_has_no_objects(workspace, roads):
    order = grid.Browser().order(roads, where="", sort="name", label_set="model:none", store=workspace)
    found = objects.objects(workspace, roads, order, label_set="model:none", class_name="car")
    ranked = objects.ranked(workspace, roads, found, "-size").ranked
    assert ranked is not None and len(ranked) == 0
    assert (
        len(found),
        shown(workspace, roads, found, 0, 10),
        objects.ids(workspace, roads, found, 0, 10),
    ) == (
        0,
        [],
        [],
    )
