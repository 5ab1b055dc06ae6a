"""The values that complete a query, and those of a query that nothing has."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from tests.support.random_roads import first_change

from calotype.browse.column_cache import ColumnCache
from calotype.browse.query_values import unknown_values, values_of
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.query import QueryInvalid
from calotype.datasets.query.compile import QueryFieldUnknown


@pytest.fixture
def roads(workspace, owner):
    datasets.create(owner, "roads", store=workspace)
    return datasets.apply(owner, "roads", first_change(np.random.default_rng(3), 60), store=workspace)


def counted(state, field):
    """The number of samples with each value, one sample at a time."""
    counts: Counter[object] = Counter()
    for sample in state.iter_samples():
        if field == "tags":
            counts.update(sample.tags)
        else:
            value = sample.metadata.get(field) if field in state.fields else getattr(sample, field)
            counts.update([] if value in (None, "") else [value])
    return counts


@pytest.mark.parametrize(
    "field", ["split", "source", "group", "tags", "weather", "speed", "luma", "note", "indoor"]
)
@pytest.mark.parametrize(
    ("typed", "limit"), [("", 200), ("", 3), ("e", 200), ("E", 2), ("1", 5), ("no such", 5)]
)
def test_values_are_those_of_the_samples_and_the_best_come_first(workspace, roads, field, typed, limit):
    everything = {
        value: n for value, n in counted(roads, field).items() if typed.casefold() in _text(value).casefold()
    }
    answer = values_of(workspace, roads, field, typed, limit)
    assert answer["approximate"] is False
    items = [(item["value"], item["count"]) for item in answer["items"]]
    assert len(items) == min(limit, len(everything)) and len(dict(items)) == len(items)
    assert all(everything[value] == n for value, n in items)
    ranks = [(not _text(value).casefold().startswith(typed.casefold()), -n) for value, n in items]
    every_rank = sorted(
        (not _text(v).casefold().startswith(typed.casefold()), -n) for v, n in everything.items()
    )
    assert ranks == every_rank[:limit]


def _text(value) -> str:
    """A value as Arrow writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def test_a_field_of_the_metadata_may_be_named_in_full(workspace, roads):
    assert values_of(workspace, roads, "metadata.weather", "fo", 5)["items"][0]["value"] == "fog"


@pytest.mark.parametrize(
    ("field", "hint"), [("wether", "did you mean 'weather'?"), ("width", "values are listed of")]
)
def test_other_fields_have_no_list(workspace, roads, field, hint):
    with pytest.raises(QueryFieldUnknown) as refused:
        values_of(workspace, roads, field, "", 5)
    assert hint in refused.value.remedy


@pytest.mark.parametrize("field", ["split", "weather", "tags", "group"])
def test_a_large_dataset_answers_before_its_columns_are_read(workspace, roads, monkeypatch, field):
    monkeypatch.setattr(ColumnCache, "is_at_hand", lambda *_: False)
    items = values_of(workspace, roads, field, "", 20)
    assert items["approximate"] is True
    known = counted(roads, field)
    assert {item["value"] for item in items["items"]} <= set(known)
    assert unknown_values(workspace, roads, 'weather = "fogg"') == []


def test_a_misspelt_value_is_named_with_the_right_one(workspace, roads):
    (found,) = unknown_values(workspace, roads, 'width > 3 and weather = "fogg"')
    assert found == {
        "field": "weather",
        "value": "fogg",
        "column": 15,
        "close": ["fog"],
        "message": "no value 'fogg' of weather: did you mean 'fog'?",
    }


@pytest.mark.parametrize(
    ("where", "unknown"),
    [
        ("split = trian", [("split", ["train"])]),
        ("split in (train, vall)", [("split", ["val"])]),
        ("not (tags has strete)", [("tags", ["street"])]),
        ("count(kind = boxx) > 0", [("kind", ["box"])]),
        ("metadata.weather != Nebal or source = zzz", [("weather", ["Nebel"]), ("source", [])]),
        ("any(class = car and kind = box) and split = train", []),
        ('split = "" and weather = ""', []),
        ("name = nobody and speed = 9999 and indoor = true and weather contains x", []),
        ("count(*) = 0 and split is missing", []),
    ],
)
def test_only_texts_of_fields_with_listed_values_are_looked_up(workspace, roads, where, unknown):
    found = [(one["field"], one["close"]) for one in unknown_values(workspace, roads, where)]
    assert [field for field, _ in found] == [field for field, _ in unknown]
    assert all(set(close) <= set(given) for (_, given), (_, close) in zip(found, unknown, strict=True))


def test_without_a_similar_value_the_known_ones_are_listed(workspace, roads):
    (found,) = unknown_values(workspace, roads, "source = zzz")
    assert found["message"] == "no value 'zzz' of source: known values: a, b"


@pytest.mark.parametrize(
    ("where", "error"), [("weather =", QueryInvalid), ("wether = fog", QueryFieldUnknown)]
)
def test_a_wrong_query_is_refused(workspace, roads, where, error):
    with pytest.raises(error):
        unknown_values(workspace, roads, where)


def test_values_that_no_sample_has_any_more_are_unknown(workspace, owner, roads):
    assert unknown_values(workspace, roads, "tags has old") == []
    values_of(workspace, roads, "tags", "", 5)
    samples = [s for s in roads.iter_samples() if "old" in s.tags]
    state = datasets.apply(
        owner, "roads", Change(remove_samples=[s.sample_id for s in samples]), store=workspace
    )
    assert [one["value"] for one in unknown_values(workspace, state, "tags has old")] == ["old"]
