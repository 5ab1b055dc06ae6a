"""Lists of samples: their order, the place of one sample, and that little memory is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.random_roads import first_change, random_edit

from calotype.browse import column_cache, grid
from calotype.browse.column_cache import ColumnCache, columns_of
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.snapshot import SampleNotFound


@pytest.fixture
def roads(workspace, owner):
    rng = np.random.default_rng(5)
    datasets.create(owner, "roads", store=workspace)
    state = datasets.apply(owner, "roads", first_change(rng, 50), store=workspace)
    grid.Browser().order(state, where="", sort="name", label_set="ground_truth", store=workspace)
    return datasets.apply(owner, "roads", random_edit(rng, state), store=workspace)


def expected_ids(state, where, sort):
    ids = state.ids(where or None)
    n = {sample_id: len(boxes) for sample_id, boxes in state.annotations_of(ids).items()}
    return {
        "name": ids,
        "-name": ids[::-1],
        "newest": sorted(ids, reverse=True),
        "annotations": sorted(ids, key=n.__getitem__),
        "-annotations": sorted(ids, key=lambda sample_id: -n[sample_id]),
    }[sort]


@pytest.mark.parametrize("where", ["", "tags has street", "count(car) >= 1", "any(w > 8)", "width = 1"])
@pytest.mark.parametrize("sort", grid.SORTS)
def test_a_list_has_the_matching_samples_in_order(workspace, roads, where, sort):
    order = grid.Browser().order(roads, where=where, sort=sort, label_set="ground_truth", store=workspace)
    ids = expected_ids(roads, where, sort)
    assert order.ids(0, 500) == ids
    assert (len(order), order.ids(3, 4), order.ids(10_000, 5)) == (len(ids), ids[3:7], [])
    for place, sample_id in enumerate(ids):
        assert order.position(sample_id) == {
            "index": place,
            "total": len(ids),
            "previous": ids[place - 1] if place else None,
            "next": ids[place + 1] if place + 1 < len(ids) else None,
        }
    others = set(roads.ids()) - set(ids)
    assert order.position("no such sample") is None
    assert all(order.position(sample_id) is None for sample_id in others)


def test_an_unknown_order_is_reported_again_and_again(workspace, roads):
    browser = grid.Browser()
    for _ in range(2):
        with pytest.raises(grid.SortUnknown):
            browser.order(roads, where="", sort="size", label_set="ground_truth", store=workspace)


def test_a_large_dataset_is_filtered_without_its_columns(workspace, roads, monkeypatch):
    column_cache._CACHES.pop(workspace.tables)
    monkeypatch.setattr(column_cache, "SMALL_ROWS", 0)
    monkeypatch.setattr(ColumnCache, "samples", None)
    order = grid.Browser().order(
        roads, where="luma > 0", sort="name", label_set="ground_truth", store=workspace
    )
    assert order.ids(0, 500) == roads.ids("luma > 0")


def test_a_sample_is_opened_by_its_id_or_name(workspace, roads):
    for expected in roads.iter_samples(ids=roads.ids()[:3]):
        assert grid.sample(workspace, roads, expected.sample_id) == expected
        assert grid.sample(workspace, roads, expected.name) == expected
    with pytest.raises(SampleNotFound):
        grid.sample(workspace, roads, "no such sample")


@pytest.mark.parametrize("small_rows", [0, 200_000])
def test_samples_derived_from_another_are_listed(workspace, owner, roads, monkeypatch, small_rows):
    column_cache._CACHES.pop(workspace.tables)
    monkeypatch.setattr(column_cache, "SMALL_ROWS", small_rows)
    parent, *others = list(roads.iter_samples(ids=roads.ids()[:4]))
    derived = [replace(sample, parent_id=parent.sample_id) for sample in others]
    state = datasets.apply(owner, "roads", Change(put_samples=derived), store=workspace)
    children = grid.detail(workspace, state, parent)["children"]
    known = [sample.sample_id for sample in state.iter_samples() if sample.parent_id == parent.sample_id]
    assert [child["id"] for child in children] == known
    assert {sample.sample_id for sample in derived} <= set(known)


def test_the_cover_has_up_to_eight_samples_spread_over_the_names(workspace, owner, roads):
    media = [sample.media_sha256 for sample in roads.iter_samples()]
    assert grid.cover(workspace, roads) == media[:: max(1, len(media) // 8)][:8]
    datasets.create(owner, "empty", store=workspace)
    assert grid.cover(workspace, datasets.read(owner, "empty", store=workspace)) == []


def test_the_memory_for_columns_and_orders_is_limited(workspace, roads):
    columns = ColumnCache(workspace.tables, max_bytes=6_000)
    for state in (roads, roads):
        columns.samples(state)
        columns.labels(state, "ground_truth")
        assert columns.columns.nbytes <= 6_000
    order = grid.Browser().order(roads, where="", sort="newest", label_set="ground_truth", store=workspace)
    assert order.places.nbytes == 4 * len(order)
    assert columns_of(workspace).answers.nbytes <= columns_of(workspace).answers.max_bytes
