"""Samples on a plane by their vectors: who has a point, what it is coloured by, what lies inside a polygon."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.shops import make_shop

from calotype.analysis.projection import Plane
from calotype.curate import embedding_map, map_colours, vectors
from calotype.curate.embedding_map import parse_lasso
from calotype.curate.model import LassoInvalid, MapColourUnknown, VectorsNotFound
from calotype.datasets import service as datasets
from calotype.datasets.change import Change

ALL = [(-2.0, -2.0), (2.0, -2.0), (2.0, 2.0), (-2.0, 2.0)]


@pytest.fixture
def shop(workspace, owner, tmp_path):
    """Twenty-four samples; all but the last have a vector, in two groups."""
    make_shop(owner, workspace, tmp_path / "raw")
    state = datasets.read(owner, "shop", store=workspace)
    rng = np.random.default_rng(0)
    ids = state.ids()[:-1]
    matrix = rng.normal(size=(23, 8)) * 0.1 + np.where(np.arange(23)[:, None] % 2, 4.0, -4.0)
    vectors.put_vectors(owner, "shop", "m", ids, matrix, store=workspace)
    return datasets.read(owner, "shop", store=workspace)


def test_samples_with_a_vector_have_a_point_by_name(shop, workspace):
    placed = embedding_map.map_of(shop, "", store=workspace)
    assert placed.model == "m"
    assert placed.sample_ids.to_pylist() == shop.ids()[:-1]
    assert placed.places.shape == (23, 2)
    assert _apart(placed.places)


def _apart(places) -> bool:
    """Whether the two groups can be told apart on the plane."""
    a, b = places[::2].mean(axis=0), places[1::2].mean(axis=0)
    near_a = np.linalg.norm(places - a, axis=1) < np.linalg.norm(places - b, axis=1)
    return bool((near_a == (np.arange(len(places)) % 2 == 0)).all())


def test_the_map_is_kept_and_does_not_depend_on_who_asks(shop, workspace, monkeypatch):
    first = embedding_map.map_of(shop, "m", store=workspace)
    embedding_map._kept.clear()
    monkeypatch.setattr(Plane, "fit", None)  # read from the cache folder, or it fails
    again = embedding_map.map_of(shop, "m", store=workspace)
    assert np.array_equal(first.places, again.places)


def test_a_spoiled_cache_is_computed_again(shop, workspace):
    first = embedding_map.map_of(shop, "m", store=workspace)
    (file,) = (workspace.folder / "cache" / "maps").iterdir()
    file.write_bytes(b"short")
    embedding_map._kept.clear()
    assert np.array_equal(embedding_map.map_of(shop, "m", store=workspace).places, first.places)


def test_several_models_have_maps_of_their_own(shop, workspace, owner):
    ids = shop.ids()[:5]
    vectors.put_vectors(owner, "shop", "n", ids, np.eye(5), store=workspace)
    state = datasets.read(owner, "shop", store=workspace)
    with pytest.raises(VectorsNotFound, match="not named"):
        embedding_map.map_of(datasets.read(owner, "shop", store=workspace), "", store=workspace)
    assert len(embedding_map.map_of(state, "n", store=workspace).sample_ids) == 5
    assert len(embedding_map.map_of(state, "m", store=workspace).sample_ids) == 23


def test_many_vectors_are_placed_by_a_part_of_them(shop, workspace, monkeypatch):
    monkeypatch.setattr(embedding_map, "FIT_ROWS", 12)
    embedding_map._kept.clear()
    places = embedding_map.map_of(shop, "m", store=workspace).places
    assert places.shape == (23, 2)
    assert np.isfinite(places).all()
    assert _apart(places)


def test_rare_values_share_a_colour(shop, workspace, owner):
    samples = [replace(sample, source=f"cam-{at % 23}") for at, sample in enumerate(shop.iter_samples())]
    state = datasets.apply(owner, "shop", Change(put_samples=samples), store=workspace)
    placed = embedding_map.map_of(state, "m", store=workspace)
    coloured = map_colours.colours(state, placed.sample_ids, "source")
    assert len(coloured.values) == map_colours.MAX_COLOURS + 1
    assert coloured.values[-1] == (None, 3)
    assert int((coloured.numbers == map_colours.MAX_COLOURS).sum()) == 3


def test_a_removed_sample_has_no_point_and_the_others_stay(shop, workspace, owner):
    before = embedding_map.map_of(shop, "m", store=workspace)
    gone = shop.ids()[3]
    after_state = datasets.apply(owner, "shop", Change(remove_samples=[gone]), store=workspace)
    after = embedding_map.map_of(after_state, "m", store=workspace)
    kept = [at for at, id_ in enumerate(before.sample_ids.to_pylist()) if id_ != gone]
    assert after.sample_ids.to_pylist() == [before.sample_ids[at].as_py() for at in kept]
    assert np.array_equal(after.places, before.places[kept])


def test_a_polygon_holds_the_points_inside(shop, workspace):
    placed = embedding_map.map_of(shop, "m", store=workspace)
    assert placed.within(ALL).to_pylist() == placed.sample_ids.to_pylist()
    assert len(placed.within([(5, 5), (6, 5), (6, 6)])) == 0
    x, y = (float(value) for value in placed.places[0])
    near = [(x - 1e-3, y - 1e-3), (x + 1e-3, y - 1e-3), (x + 1e-3, y + 1e-3), (x - 1e-3, y + 1e-3)]
    assert placed.sample_ids[0].as_py() in placed.within(near).to_pylist()


def test_a_dataset_without_vectors_has_no_map(workspace, owner, tmp_path):
    make_shop(owner, workspace, tmp_path / "raw", n=4)
    with pytest.raises(VectorsNotFound):
        embedding_map.map_of(datasets.read(owner, "shop", store=workspace), "", store=workspace)


def test_points_are_coloured_by_the_most_frequent_class(shop, workspace):
    placed = embedding_map.map_of(shop, "m", store=workspace)
    coloured = map_colours.colours(shop, placed.sample_ids, "class")
    assert dict(coloured.values) == {"car": 12, "dog": 11}
    names = [coloured.values[number][0] for number in coloured.numbers]
    assert names == ["car", "dog"] * 11 + ["car"]


def test_points_are_coloured_by_values_and_by_ranges_of_numbers(shop, workspace, owner):
    samples = [
        replace(sample, metadata={"luma": float(at), "light": "night" if at < 6 else "day"}, split="train")
        for at, sample in enumerate(shop.iter_samples())
    ]
    fields = {"luma": "float", "light": "str"}
    state = datasets.apply(owner, "shop", Change(put_samples=samples, fields=fields), store=workspace)
    placed = embedding_map.map_of(state, "m", store=workspace)
    assert map_colours.ways(state)[-2:] == ["field:luma", "field:light"] or {
        "field:luma",
        "field:light",
    } <= set(map_colours.ways(state))
    light = map_colours.colours(state, placed.sample_ids, "field:light")
    assert dict(light.values) == {"day": 17, "night": 6}
    luma = map_colours.colours(state, placed.sample_ids, "field:luma")
    assert 6 <= len(luma.values) <= 8
    assert sum(count for _, count in luma.values) == 23
    assert dict(map_colours.colours(state, placed.sample_ids, "split").values) == {"train": 23}
    with pytest.raises(MapColourUnknown):
        map_colours.colours(state, placed.sample_ids, "field:nothing")


@pytest.mark.parametrize(
    "text", ["", "m", "m:", "m:0,0;1,1", "m:0,0;1,1;nan,2", "m:0,0;1,1;2", "m:a,b;1,1;2,2"]
)
def test_a_lasso_without_a_polygon_is_refused(text):
    with pytest.raises(LassoInvalid):
        parse_lasso(text)


def test_a_lasso_names_its_model_and_corners():
    model, corners = parse_lasso("lite0:v2:0,0;1,0;1,.5")
    assert model == "lite0:v2"
    assert corners.tolist() == [[0, 0], [1, 0], [1, 0.5]]
