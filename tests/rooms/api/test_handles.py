"""The handles of `import calotype`, for verbs that no journey covers."""

from __future__ import annotations

import json

import pytest
from tests.support.recipes import dataset
from tests.support.remote import TOKEN, serving_store

import calotype as ct
from calotype.app import workspaces
from calotype.govern.model import AuditTimeInvalid

TILT = "name: tilt\nsteps:\n  - rotate: {degrees: [-5, 5]}\ncopies: 2\n"
SQUARE = "name: square\nsteps:\n  - letterbox: {width: 32, height: 32}\n"
PIPELINE = "pipeline: small\ndataset: streets\nstages:\n  - commit: {message: all}\n"


@pytest.fixture(params=["folder", pytest.param("server", marks=pytest.mark.slow)])
def shop(request, owner, workspace, tmp_path, monkeypatch):
    """The open workspace; its dataset streets has three samples: no split, train and val."""
    dataset(owner, workspace)
    if request.param == "folder":
        with ct.open(workspace.root, actor=owner) as opened:
            yield opened
        return
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with serving_store(workspace) as url, ct.open(url, token=TOKEN) as opened:
        yield opened


def test_an_augmentation_is_planned_without_changes(shop):
    view = shop.dataset("streets").where()
    assert view.plan_augment(TILT).counts() == {"to_make": 4, "unchanged": 0, "to_remove": 0}
    assert view.augment(TILT).made == 4
    assert view.plan_augment(TILT).counts() == {"to_make": 0, "unchanged": 4, "to_remove": 0}


def test_a_transformation_is_planned_for_the_samples_of_the_view(shop):
    view = shop.dataset("streets").where('split = "train"')
    assert view.plan_transform(SQUARE).counts()["to_make"] == 1
    assert len(shop.dataset("streets").where()) == 3


def test_classes_are_counted_then_mapped(shop):
    streets = shop.dataset("streets")
    assert (streets.map_classes({"car": None}).applied, streets.where().by_class()["car"]) == (False, 3)
    assert streets.map_classes({"car": None}, dry_run=False).dropped == 3
    assert "car" not in streets.where().by_class()


def test_a_selection_is_tagged(shop):
    streets = shop.dataset("streets")
    selection = streets.where().curate(2, by="random")
    assert streets.tag_selection(selection, "first") == 2
    assert len(streets.where('tags has "picked:first"')) == 2


def test_the_contract_is_none_until_it_is_set(shop):
    streets = shop.dataset("streets")
    assert streets.contract() is None
    text = "task: {name: streets, owner: ana}\nclasses: [car, person, sign]\n"
    streets.set_contract(text)
    assert streets.contract() == text


def test_a_merge_is_previewed_and_listed(shop):
    streets = shop.dataset("streets")
    streets.commit("first")
    work = streets.branch("work")
    work.map_classes({"car": "vehicle"}, dry_run=False)
    work.commit("rename")
    assert streets.preview_merge("work")["conflicts"] == 0
    assert streets.merges() == []
    streets.merge("work")
    assert [merge.state for merge in streets.merges()] == ["landed"]


def test_a_pipeline_file_runs_and_its_runs_are_listed(shop, tmp_path, only_here):
    (tmp_path / "small.yaml").write_text(PIPELINE)
    report = shop.run(tmp_path / "small.yaml")
    assert (report.changed, [run.id for run in shop.runs("streets")]) == (True, [report.id])


def test_the_audit_lists_events_and_is_intact(shop):
    shop.dataset("streets").commit("first")
    assert shop.audit(limit=1)[0].verb == "dataset.commit"
    assert shop.audit_problems() == []
    assert [event.verb for event in shop.audit("streets", verb="dataset", since="1h", limit=1)] == [
        "dataset.commit"
    ]
    assert shop.audit(who="nobody@example.org") == shop.audit(until="2020-01-01") == []
    with pytest.raises(AuditTimeInvalid, match="yesterday"):
        shop.audit(since="yesterday")


def test_the_audit_is_exported_signed_and_verified(shop, tmp_path):
    signed = shop.sign_checkpoint()
    file = tmp_path / "kept.json"
    file.write_text(signed.to_json(), encoding="utf-8")
    lines = [json.loads(line) for line in shop.export_audit(verb="audit")]
    assert [line["verb"] for line in lines] == ["audit.checkpoint", "audit.export"]
    assert lines[0]["details"]["root"] == signed.root.hex()
    verification = shop.verify_audit(file)
    assert verification.intact
    assert (verification.n_events, verification.confirmed) == (signed.size + 2, 2)


def test_a_checkpoint_of_another_workspace_does_not_agree(shop, owner, tmp_path):
    file = tmp_path / "other.json"
    workspaces.create(owner, tmp_path / "other").close()
    with ct.open(tmp_path / "other", actor=owner) as other:
        file.write_text(other.sign_checkpoint().to_json(), encoding="utf-8")
    verification = shop.verify_audit(file)
    assert verification.first_bad == 1
    assert {broken.seq for broken in verification.breaks} >= {1}
    assert shop.verify_audit().intact


def test_a_whole_workspace_needs_no_repair(shop, only_here):
    shop.dataset("streets").commit("first")
    assert shop.repair().to_dict()["ok"] is True
