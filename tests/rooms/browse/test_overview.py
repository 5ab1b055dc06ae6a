"""Counts: exact by columns as one row at a time, also after edits; estimated and marked where that takes long."""

from __future__ import annotations

import json
from concurrent.futures import Future
from dataclasses import replace
from threading import Event

import numpy as np
import pyarrow as pa
import pytest
from tests.support.counted import count_rows
from tests.support.random_roads import first_change, random_edit

from calotype.browse import column_cache, disk_cache
from calotype.browse import overview as counting
from calotype.browse.column_cache import ColumnCache, columns_of
from calotype.browse.facets import facets
from calotype.browse.overview import Asked, overview
from calotype.datasets import service as datasets
from calotype.datasets.query import QueryInvalid

QUERIES = [
    'weather = "fog" or weather = "\u96e8"',
    "luma < 0 and not (tags has street)",
    "speed is missing",
    "indoor = true",
    "count(car) >= 2 and split in (train, val)",
    'any(kind = "classification")',
    "count(*) = 0",
    "width >= 640 and height < 1000 and source = a",
    'name contains "new" or group = "g1"',
    "any(w > 20 and class = dog)",  # not in the columns: read from the tables
]


@pytest.fixture
def roads(workspace, owner):
    datasets.create(owner, "roads", store=workspace)
    datasets.apply(owner, "roads", first_change(np.random.default_rng(3), 60), store=workspace)
    datasets.commit(owner, "roads", "first", store=workspace)
    return datasets.read(owner, "roads", store=workspace)


def exact(counts):
    assert counts.pop("approximate") is False
    return counts


@pytest.mark.parametrize("seed", range(6))
def test_counts_equal_those_of_single_rows_after_any_edits(workspace, owner, seed):
    rng = np.random.default_rng(seed)
    datasets.create(owner, "roads", store=workspace)
    state = datasets.apply(owner, "roads", first_change(rng, 40), store=workspace)
    for step in range(4):
        assert exact(overview(workspace, state)) == count_rows(state, "ground_truth"), f"step {step}"
        state = datasets.apply(owner, "roads", random_edit(rng, state), store=workspace)
        if step == 1:
            datasets.commit(owner, "roads", "half", store=workspace)


def test_a_later_state_is_derived_from_the_columns_of_an_earlier_one(workspace, owner, roads, monkeypatch):
    overview(workspace, roads)
    rng = np.random.default_rng(8)
    state = datasets.apply(owner, "roads", random_edit(rng, roads), store=workspace)
    expected = count_rows(state, "ground_truth")
    monkeypatch.setattr(ColumnCache, "_scan", None)  # whole tables are not read again
    assert exact(overview(workspace, state)) == expected


@pytest.mark.parametrize("where", QUERIES)
@pytest.mark.parametrize("label_set", ["ground_truth", "model:a"])
def test_counts_within_a_query_equal_those_of_single_rows(workspace, roads, where, label_set):
    counted = exact(overview(workspace, roads, label_set=label_set, asked=Asked(where)))
    expected = count_rows(roads, label_set, where)
    assert 0 < counted["samples"] < 60
    whole = {entry["name"]: entry["histogram"] for entry in overview(workspace, roads)["fields"]}
    for ours, theirs in zip(counted["fields"], expected["fields"], strict=True):
        histogram, _ = ours.pop("histogram"), theirs.pop("histogram")
        if histogram is not None:  # the same edges as without a query
            assert histogram["edges"] == whole[ours["name"]]["edges"]
            assert sum(histogram["counts"]) == expected["samples"] - theirs["missing"]
    assert counted == expected


def test_an_empty_dataset_has_no_counts(workspace, owner):
    datasets.create(owner, "empty", store=workspace)
    counted = exact(overview(workspace, datasets.read(owner, "empty", store=workspace)))
    assert (counted["samples"], counted["sizes"], counted["splits"], counted["fields"]) == (0, None, [], [])


def test_a_number_too_large_for_a_column_is_counted(workspace, owner, roads):
    (sample,) = roads.iter_samples(ids=roads.ids()[:1])
    metadata = {**sample.metadata, "serial": 10**25}
    change = first_change(np.random.default_rng(1), 0)
    state = datasets.apply(
        owner,
        "roads",
        replace(change, put_samples=[replace(sample, metadata=metadata)]),
        store=workspace,
    )
    (serial,) = [field for field in overview(workspace, state)["fields"] if field["name"] == "serial"]
    assert (serial["distinct"], serial["missing"], serial["top"][0]["value"]) == (1, 59, 1e25)


def test_a_wrong_query_is_reported(workspace, roads):
    with pytest.raises(QueryInvalid):
        overview(workspace, roads, asked=Asked("weather = = fog"))


@pytest.fixture
def large(monkeypatch):
    """Every dataset counts as large: exact counts are made in the background."""
    for module in (column_cache, counting):
        monkeypatch.setattr(module, "SMALL_ROWS", 0)


def test_the_first_counts_of_a_large_dataset_are_approximate_and_the_next_exact(
    workspace, roads, large, monkeypatch
):
    may_count, done = Event(), Event()
    calls = []
    count = facets

    def slow(*arguments):
        if arguments[0].samples is columns_of(workspace).samples(roads):  # not those that are drawn
            calls.append(1)
            may_count.wait(60)
        return count(*arguments)

    monkeypatch.setattr(counting, "facets", slow)
    write = disk_cache.write

    def write_and_tell(*words):
        write(*words)
        done.set()

    monkeypatch.setattr(disk_cache, "write", write_and_tell)
    expected = count_rows(roads, "ground_truth")
    monkeypatch.setattr(counting, "WAIT_S", 0.01)
    for _ in range(3):
        first = overview(workspace, roads)
        assert first.pop("approximate") is True
        assert first == expected  # all of a small dataset is drawn
    may_count.set()
    assert done.wait(60)
    running = list(counting._background._running.values())
    for future in running:
        future.result(60)
    assert exact(overview(workspace, roads)) == expected
    assert len(calls) == 1


def test_an_estimate_is_scaled_to_all_samples(workspace, roads, monkeypatch):
    monkeypatch.setattr(counting, "_DRAWN_SAMPLES", 20)
    monkeypatch.setattr(counting, "_DRAWN_ROWS", 1_000)
    estimate = counting._estimate(columns_of(workspace), roads, "ground_truth", Asked())
    assert (estimate["samples"], estimate["annotations"]) == tuple(roads.count().values())
    assert sum(split["samples"] for split in estimate["splits"]) == 60
    weather = next(field for field in estimate["fields"] if field["name"] == "weather")
    assert sum(entry["count"] for entry in weather["top"]) + weather["missing"] == 60
    assert all(entry["count"] % 3 == 0 for entry in weather["top"])  # each drawn sample stands for three
    within = counting._estimate(columns_of(workspace), roads, "ground_truth", Asked("indoor = true"))
    assert within["samples"] % 3 == 0


def test_exact_counts_survive_a_restart_on_disk(workspace, owner, roads, monkeypatch):
    expected = exact(overview(workspace, roads))
    column_cache._CACHES.pop(workspace.tables)
    monkeypatch.setattr(ColumnCache, "samples", None)  # nothing is counted again
    assert exact(overview(workspace, datasets.read(owner, "roads", store=workspace))) == expected


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"samples": 3}', "\udcff"])
def test_a_damaged_file_of_the_cache_is_counted_again(workspace, roads, content):
    expected = exact(overview(workspace, roads))
    (file,) = (workspace.folder / "cache" / "overviews").iterdir()
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    column_cache._CACHES.pop(workspace.tables)
    assert exact(overview(workspace, roads)) == expected
    assert json.loads(file.read_text("utf-8")) == expected


def test_the_cache_on_disk_keeps_a_limited_number_of_files(workspace, monkeypatch):
    monkeypatch.setattr(disk_cache, "MAX_FILES", 3)
    for number in range(5):
        disk_cache.write(workspace, f"{number}.json", str(number))
    assert len(list((workspace.folder / "cache" / "overviews").iterdir())) == 3
    assert disk_cache.read(workspace, "4.json") == "4"


@pytest.mark.parametrize("where", ["", "tags has street"])
@pytest.mark.parametrize("is_known", [True, False])
def test_counts_of_a_part_of_the_map_are_of_its_samples_only(workspace, roads, monkeypatch, where, is_known):
    """Exact and estimated: the sample that is drawn from sixty samples has all of them."""
    inside = [*roads.ids()[::3], "no such sample"]
    expected = [sample_id for sample_id in roads.ids(where or None) if sample_id in inside]
    asked = Asked(where, "own:0,0;1,0;1,1", lambda: pa.array(inside))
    if not is_known:
        monkeypatch.setattr(counting, "SMALL_ROWS", 0)
        monkeypatch.setattr(column_cache, "SMALL_ROWS", 0)
        monkeypatch.setattr(counting, "WAIT_S", 0)
        monkeypatch.setattr(counting._background, "run", lambda *_: Future())
    counts = overview(workspace, roads, asked=asked)
    assert (counts["samples"], counts["approximate"]) == (len(expected), not is_known)
    by_sample = roads.annotations_of(expected)
    n_cars = sum(annotation.class_id == 1 for found in by_sample.values() for annotation in found)
    assert {entry["name"]: entry["annotations"] for entry in counts["classes"]}["car"] == n_cars
    assert overview(workspace, roads, asked=Asked(where))["samples"] == len(roads.ids(where or None))
