"""Metadata fields have one type in a dataset, learned when they are first seen."""

from __future__ import annotations

import pytest
from tests.support.cities import sample
from tests.support.refusals import assert_refused

from calotype.datasets.change import Change
from calotype.datasets.fields import MetadataInvalid, learn


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([True, False], "bool"),
        ([1, -2], "int"),
        ([1.5, 2.0], "float"),
        (["day", ""], "str"),
        ([1, 1.5], "float"),
        ([1.5, 1], "float"),
    ],
    ids=["bool", "int", "float", "str", "int widens", "float takes ints"],
)
def test_a_field_has_the_type_of_its_values(values, kind):
    assert learn({}, [("a.jpg", {"lux": value}) for value in values]) == {"lux": kind}


@pytest.mark.parametrize(
    ("known", "value", "kinds"),
    [
        ("int", "dark", ("str", "int")),
        ("str", 3, ("int", "str")),
        ("int", True, ("bool", "int")),
        ("bool", 0, ("int", "bool")),
        ("float", False, ("bool", "float")),
        ("int", None, ("NoneType",)),
        ("int", [1], ("list",)),
        ("str", {"a": 1}, ("dict",)),
    ],
)
def test_a_value_of_another_type(known, value, kinds):
    with pytest.raises(MetadataInvalid) as refused:
        learn({"lux": known}, [("a.jpg", {"lux": value})])
    assert_refused(refused, "metadata-invalid", "'lux'", "'a.jpg'", *kinds, fix="type")


@pytest.mark.parametrize("name", ["lux", "_lux", "Lux.2-b_c", "x" * 64])
def test_names_of_fields(name):
    assert learn({}, [("a.jpg", {name: 1})]) == {name: "int"}


@pytest.mark.parametrize("name", ["", "2lux", "-lux", "a b", 'a"b', "a'b", "é", "x" * 65, "a\n"])
def test_names_that_no_query_could_ask_for(name):
    with pytest.raises(MetadataInvalid) as refused:
        learn({}, [("a.jpg", {name: 1})])
    assert_refused(refused, "metadata-invalid", repr(name[:80]), "name", fix="names")


def test_what_was_known_stays_known():
    assert learn({"lux": "int"}, []) == {"lux": "int"}
    assert learn({"lux": "int"}, [("a.jpg", {"rain": True})]) == {"lux": "int", "rain": "bool"}


def test_a_dataset_learns_from_an_edit_and_refuses_the_next(town):
    town.do("apply", Change(put_samples=[sample("s0", "a.jpg", metadata={"lux": 3})]))
    with pytest.raises(MetadataInvalid, match=r"'lux' of 'b\.jpg'"):
        town.do("apply", Change(put_samples=[sample("s1", "b.jpg", metadata={"lux": "dark"})]))
    assert (town.ids(), town.do("read").fields) == (["s0"], {"lux": "int"})


def test_a_field_that_widened_answers_queries_with_both_kinds_of_number(town):
    town.do("apply", Change(put_samples=[sample("s0", "a.jpg", metadata={"lux": 3})]))
    town.do("apply", Change(put_samples=[sample("s1", "b.jpg", metadata={"lux": 3.5})]))
    state = town.do("read")
    assert state.fields == {"lux": "float"}
    assert (state.ids("lux >= 3"), state.ids("lux > 3")) == (["s0", "s1"], ["s1"])


@pytest.mark.parametrize("name", ["width", "tags", "class", "count", "and", "x.y", "a-b"])
def test_a_field_with_the_name_of_something_else_is_asked_for_by_its_full_name(town, name):
    town.do("apply", Change(put_samples=[sample("s0", "a.jpg", metadata={name: 7}), sample("s1", "b.jpg")]))
    assert town.do("read").ids(f"metadata.{name} = 7") == ["s0"]
