"""`verify` finds what is missing or was changed, says where, and reads what did not change once."""

from __future__ import annotations

import json

import pytest

from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.foundation.errors import NotPermitted
from calotype.release import service as releases
from calotype.release.model import TAG_PREFIX
from calotype.reliability import repository, service
from calotype.reliability.verification import verify
from calotype.store.maintenance import table_files


def kinds(found):
    return sorted({problem.kind for problem in found.problems})


def test_an_intact_workspace_verifies(shop, owner):
    found = service.verify(owner, store=shop, deep=True)
    assert (found.ok, found.untidy) == (True, ())
    assert (found.commits, found.media, found.checked["refs"]) == (2, 6, 3)


def test_who_may_not_read_the_audit_may_not_verify(shop):
    with pytest.raises(NotPermitted):
        service.verify(Actor("x", "x", roles=("annotator",)), store=shop)


def test_missing_short_and_changed_images_are_found(shop, owner):
    first, second, third, *_ = (
        s.media_sha256 for s in datasets.read(owner, "shop", store=shop).iter_samples()
    )
    shop.media.path(first).unlink()
    shop.media.path(second).write_bytes(b"short")
    changed = bytearray(shop.media.path(third).read_bytes())
    changed[100] ^= 1
    shop.media.path(third).write_bytes(changed)
    quick = service.verify(owner, store=shop)
    assert sorted((p.kind, p.facts["sha256"]) for p in quick.problems) == sorted(
        [("media-damaged", second), ("media-missing", first)]
    )
    assert len(service.verify(owner, store=shop, deep=True).problems) == 3


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE commits SET message = 'other' WHERE message = 'three'", "commit-changed"),
        ("UPDATE commits SET pins = '{\"samples\": 1}' WHERE message = 'three'", "commit-changed"),
        ("DELETE FROM commits WHERE message = 'three'", "parent-missing"),
        ("DELETE FROM commits WHERE message = 'six'", "ref-points-at-nothing"),
        ("DELETE FROM documents WHERE kind = 'label_sets'", "document-missing"),
        ("UPDATE documents SET body = '[]' WHERE kind = 'label_sets'", "document-changed"),
        ("UPDATE audit SET actor = 'nobody' WHERE seq = 2", "audit-chain-broken"),
        ("UPDATE audit SET details = 'no json' WHERE seq = 2", "audit-chain-broken"),
        ("DELETE FROM audit WHERE seq = 3", "audit-chain-broken"),
        ("DELETE FROM datasets", "dataset-gone"),
    ],
)
def test_outside_changes_are_found(shop, owner, sql, statement, kind):
    sql(statement)
    assert kind in kinds(service.verify(owner, store=shop))


def test_a_lost_table_file_is_found_at_every_commit_that_needs_it(shop, owner):
    (dataset_id,) = repository_names(shop)
    pin = datasets.read(owner, "shop@v1", store=shop).pins["samples"]
    (part,) = table_files.fragments(shop.tables, f"{dataset_id}/samples", pin)
    file = shop.folder / "tables" / dataset_id / "samples.lance" / "data" / part.files[0]
    file.write_bytes(file.read_bytes()[:-40])
    shop.tables.forget(f"{dataset_id}/samples")
    fresh = type(shop.tables)(shop.folder / "tables")
    object.__setattr__(shop, "tables", fresh)
    found = service.verify(owner, store=shop)
    assert kinds(found) == ["table-damaged"]
    assert found.problems[0].place in ("shop@main", "shop@try")


def test_rows_missing_since_the_commit_are_found(shop, owner, sql):
    sql("UPDATE commits SET stats = json_set(stats, '$.samples', 7) WHERE message = 'six'")
    (problem,) = service.verify(owner, store=shop).problems
    assert (problem.kind, problem.what) == ("rows-missing", "samples has 6 rows, but the commit recorded 7")


def test_a_shared_fragment_is_read_once(shop, owner, monkeypatch):
    read, real = [], table_files.read_fragment

    def counting(tables, table, pin, part, columns):
        read.append((table, part.key))
        return real(tables, table, pin, part, columns)

    monkeypatch.setattr(table_files, "read_fragment", counting)
    assert service.verify(owner, store=shop).ok
    assert len(read) == len(set(read)) > 2


def test_files_of_a_release_are_looked_for(shop, owner, sql):
    assert repository.RELEASE_TAG == TAG_PREFIX
    assert verify.release_folder(shop, "shop", "1.0.0") == releases.location(shop, "shop", "1.0.0")
    files = json.dumps([{"path": "card.json", "bytes": 4, "sha256": "0" * 64}])
    sql(
        "INSERT INTO releases SELECT dataset_id, '1.0.0', id, '{}', '{}', '"
        + files
        + "', 1, 'ana' FROM commits "
        "WHERE message = 'six'"
    )
    gone = service.verify(owner, store=shop)
    assert (gone.ok, sorted(p.kind for p in gone.untidy)) == (
        True,
        ["release-not-built", "release-tag-missing"],
    )
    folder = releases.location(shop, "shop", "1.0.0")
    folder.mkdir(parents=True)
    assert kinds(service.verify(owner, store=shop)) == ["release-file-missing"]
    (folder / "card.json").write_text("{}  ")
    assert kinds(service.verify(owner, store=shop)) == []
    assert kinds(service.verify(owner, store=shop, deep=True)) == ["release-file-changed"]


def repository_names(store):
    with store.catalog.read() as conn:
        return list(repository.dataset_names(conn))
