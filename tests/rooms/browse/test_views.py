"""Saved views: saving, renaming, overwriting and deleting them, by verb, handle, command line and HTTP."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.support.streets import Streets

import calotype as ct
from calotype.app.cli import main
from calotype.browse.views import service
from calotype.browse.views.model import MAX_VIEWS, SavedView, ViewExists, ViewNotFound, ViewsFull, ViewSpec
from calotype.foundation.actor import Guard
from calotype.foundation.errors import CalotypeError, NotPermitted
from calotype.govern.rules import RoleRules

SMALL = ViewSpec("width < 100", "-annotations", hidden=(3, 1, 3), size_px=320)


@pytest.fixture
def streets(workspace, owner) -> Streets:
    return Streets(owner, workspace)


def do(streets, verb, *arguments, **options):
    return getattr(service, verb)(streets.owner, "streets", *arguments, store=streets.store, **options)


def names(streets) -> list[str]:
    return [view.name for view in do(streets, "saved_views")]


def test_a_saved_view_keeps_query_order_and_display(streets):
    saved = do(streets, "save_view", "small images", SMALL)
    assert do(streets, "saved_view", "small images") == saved
    assert saved.spec == replace(SMALL, hidden=(1, 3))
    assert (saved.created_by, saved.changed_by) == (streets.owner.name, streets.owner.name)
    assert streets.verbs()[-1] == "view.save"


def test_overwriting_needs_a_yes_and_keeps_who_saved_it_first(streets):
    first = do(streets, "save_view", "mine", SMALL)
    with pytest.raises(ViewExists):
        do(streets, "save_view", "mine", ViewSpec("width > 1"))
    assert do(streets, "saved_view", "mine") == first
    second = service.save_view(
        replace(streets.owner, name="bo"),
        "streets",
        "mine",
        ViewSpec("width > 1"),
        store=streets.store,
        overwrite=True,
    )
    assert (second.created_by, second.created_at_us) == (first.created_by, first.created_at_us)
    assert (second.changed_by, second.spec.where) == ("bo", "width > 1")
    assert names(streets) == ["mine"]


def test_renaming_and_deleting(streets):
    for name in ("b", "A", "c"):
        do(streets, "save_view", name, replace(SMALL, where=f'name = "{name}"'))
    assert names(streets) == ["A", "b", "c"]
    with pytest.raises(ViewExists):
        do(streets, "rename_view", "b", "c")
    assert do(streets, "rename_view", "b", "b").name == "b"
    assert do(streets, "rename_view", "b", "c", overwrite=True).spec.where == 'name = "b"'
    assert names(streets) == ["A", "c"]
    assert do(streets, "delete_view", "A").spec.where == 'name = "A"'
    for verb, arguments in (("saved_view", ["A"]), ("rename_view", ["A", "d"]), ("delete_view", ["A"])):
        with pytest.raises(ViewNotFound):
            do(streets, verb, *arguments)
    assert names(streets) == ["c"]
    assert streets.verbs()[-2:] == ["view.rename", "view.delete"]


@pytest.mark.parametrize(
    ("name", "spec", "code"),
    [
        ("", SMALL, "view-name-invalid"),
        (" night", SMALL, "view-name-invalid"),
        ("a/b", SMALL, "view-name-invalid"),
        ("..", SMALL, "view-name-invalid"),
        ("two\nlines", SMALL, "view-name-invalid"),
        ("x" * 101, SMALL, "view-name-invalid"),
        ("v", ViewSpec("width >"), "query-invalid"),
        ("v", ViewSpec("breadth > 3"), "query-field-unknown"),
        ("v", ViewSpec(sort="size"), "sort-unknown"),
        ("v", ViewSpec(ref="no-such-branch"), "ref-not-found"),
        ("v", ViewSpec(size_px=9_999), "view-invalid"),
        ("v", ViewSpec(hidden=tuple(range(1_001))), "view-invalid"),
        ("v", ViewSpec(within="m:" + "0,0;" * 4_000), "view-invalid"),
    ],
)
def test_a_view_that_nobody_could_open_is_not_saved(streets, name, spec, code):
    with pytest.raises(CalotypeError) as refused:
        do(streets, "save_view", name, spec)
    assert refused.value.code == code
    assert names(streets) == []


def test_the_number_of_views_is_limited(streets, monkeypatch):
    views = [SavedView(f"v{n}", SMALL, "ana", 0, "ana", 0) for n in range(MAX_VIEWS)]
    do(streets, "save_view", "v0", SMALL)
    monkeypatch.setattr("calotype.browse.views.repository.views_of", lambda *_: views)
    with pytest.raises(ViewsFull):
        do(streets, "save_view", "one more", SMALL)
    assert do(streets, "save_view", "v0", ViewSpec(), overwrite=True).spec == ViewSpec()


def test_reading_is_for_all_and_saving_for_those_who_edit(streets):
    do(streets, "save_view", "small", SMALL)
    store = replace(streets.store, guard=Guard(RoleRules()))
    auditor = replace(streets.owner, roles=("auditor",))
    assert [view.name for view in service.saved_views(auditor, "streets", store=store)] == ["small"]
    assert service.saved_view(auditor, "streets", "small", store=store).spec.where == "width < 100"
    for verb, arguments in (
        ("save_view", ["more", SMALL]),
        ("rename_view", ["small", "tiny"]),
        ("delete_view", ["small"]),
    ):
        with pytest.raises(NotPermitted):
            getattr(service, verb)(auditor, "streets", *arguments, store=store)


def test_the_handle_and_the_command_line_know_the_same_views(streets, monkeypatch, capsys):
    with ct.open(streets.store.root) as ws:
        dataset = ws.dataset("streets")
        dataset.save_view("first two", 'name in ("0.png", "1.png")', sort="-name")
        dataset.save_view("as committed", "width > 0", ref="main")
        assert [sample.name for sample in dataset.view("first two")] == ["0.png", "1.png"]
        assert dataset.view("as committed").name == "streets@main"
        dataset.rename_view("as committed", "all")
        assert [view.name for view in dataset.saved_views()] == ["all", "first two"]
        dataset.delete_view("all")

    def say(*words: str) -> Any:
        with pytest.raises(SystemExit) as done:
            main(["-w", str(streets.store.root), "--json", "view", *words])
        assert done.value.code == 0
        return json.loads(capsys.readouterr().out)

    with pytest.raises(SystemExit) as refused:
        main(["-w", str(streets.store.root), "view", "save", "streets", "first two"])
    assert refused.value.code == 4
    assert "--overwrite" in capsys.readouterr().err
    assert say("show", "streets", "first two")["sort"] == "-name"
    saved = say("save", "streets", "first two", "--where", "width > 3", "--overwrite")
    assert (saved["where"], saved["sort"]) == ("width > 3", "name")
    assert say("rename", "streets", "first two", "wide")["name"] == "wide"
    assert [view["name"] for view in say("list", "streets")["items"]] == ["wide"]
    assert say("delete", "streets", "wide")["where"] == "width > 3"
    assert say("list", "streets")["items"] == []
