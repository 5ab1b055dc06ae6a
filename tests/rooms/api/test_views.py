"""Saved views by the handle of a dataset."""

from __future__ import annotations

import pytest

import calotype as ct


def test_a_saved_view_is_a_view_of_its_state(shop):
    shop.save_view("all of now", size_px=128, hidden=[2, 1])
    shop.save_view("committed", "width > 0", ref="main", sort="-name")
    assert [one.name for one in shop.saved_views()] == ["all of now", "committed"]
    assert shop.saved_views()[0].spec.hidden == (1, 2)
    assert shop.view("all of now").count() == shop.where().count()
    assert shop.view("committed").name == "shop@main"
    assert shop.rename_view("committed", "first").spec.sort == "-name"
    assert shop.delete_view("first").name == "first"


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [
        ("save_view", ["a/b"], "view-name-invalid"),
        ("save_view", ["wrong", "width >"], "query-invalid"),
        ("save_view", ["taken"], "view-exists"),
        ("view", ["none"], "view-not-found"),
        ("rename_view", ["none", "some"], "view-not-found"),
        ("delete_view", ["none"], "view-not-found"),
    ],
)
def test_what_cannot_be_done_is_refused(shop, method, arguments, code):
    shop.save_view("taken")
    with pytest.raises(ct.CalotypeError) as refused:
        getattr(shop, method)(*arguments)
    assert refused.value.code == code
