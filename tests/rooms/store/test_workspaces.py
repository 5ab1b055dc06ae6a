"""Workspaces in folders: created, opened, refused; addresses and `storage.json`."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest
from tests.support.cities import ANA, STRANGER
from tests.support.refusals import assert_refused

from calotype.foundation.actor import Permission
from calotype.foundation.errors import NotPermitted
from calotype.store.catalog.catalog import Catalog
from calotype.store.catalog.engines import CatalogUrlInvalid, TeamExtraMissing, parse_catalog_url
from calotype.store.files.bucket import Bucket, BucketLocation, BucketUrlInvalid
from calotype.store.location import (
    Storage,
    StorageFileInvalid,
    is_workspace,
    load_storage,
    override_storage,
    storage_from_urls,
)
from calotype.store.store import WorkspaceExists, WorkspaceNotFound, create_workspace, open_workspace

TEAM = Storage("w1", "postgresql://u@db/c", "s3://b/t/media", "s3://b/t/tables", "http://s3", "eu")


class TestCreateAndOpen:
    """A workspace is created once and opened many times."""

    def test_a_new_workspace_keeps_everything_in_one_folder(self, tmp_path):
        create_workspace(ANA, tmp_path / "a" / "ws").close()
        home = tmp_path / "a" / "ws" / ".calotype"
        assert {"catalog.sqlite", "media", "tables"} <= {path.name for path in home.iterdir()}
        assert not (home / "storage.json").exists()

    def test_a_reopened_workspace_has_its_media(self, tmp_path):
        created = create_workspace(ANA, tmp_path)
        put = created.media.put(b"abc")
        created.close()
        opened = open_workspace(tmp_path)
        assert (opened.root, opened.folder) == (tmp_path.resolve(), tmp_path.resolve() / ".calotype")
        assert opened.media.read(put.sha256) == b"abc"
        opened.close()

    def test_a_second_workspace_in_the_same_folder(self, workspace):
        with pytest.raises(WorkspaceExists) as refused:
            create_workspace(ANA, workspace.root)
        assert_refused(refused, "workspace-exists", str(workspace.root), fix="another folder")

    def test_a_folder_without_a_workspace(self, workspace):
        below = workspace.root / "a" / "b"
        below.mkdir(parents=True)
        with pytest.raises(WorkspaceNotFound) as refused:
            open_workspace(below)
        assert_refused(refused, "workspace-not-found", str(below), fix=f"`calotype init {below}`")

    def test_the_nearest_workspace_above_is_opened(self, workspace):
        (workspace.root / "a" / "b").mkdir(parents=True)
        nearest = open_workspace(workspace.root / "a" / "b", search_up=True)
        assert nearest.root == workspace.root
        nearest.close()

    def test_no_workspace_in_the_folder_or_above(self, tmp_path):
        with pytest.raises(WorkspaceNotFound):
            open_workspace(tmp_path, search_up=True)

    def test_only_owners_have_permissions_by_default(self, workspace):
        workspace.guard.require(ANA, Permission.DATASET_READ)
        with pytest.raises(NotPermitted) as refused:
            workspace.guard.require(STRANGER, Permission.DATASET_READ)
        assert_refused(refused, "not-permitted", "eve", "dataset.read", "workspace", fix="owner")


class TestStorageFile:
    """`storage.json` has the addresses of stores outside the folder."""

    def test_without_a_file_everything_is_in_the_folder(self, tmp_path):
        assert load_storage(tmp_path) == Storage()
        assert Storage().embedded
        assert not is_workspace(tmp_path)

    def test_a_saved_file_is_loaded(self, tmp_path):
        TEAM.save(tmp_path)
        assert load_storage(tmp_path) == TEAM
        assert is_workspace(tmp_path)
        assert json.loads((tmp_path / "storage.json").read_text())["format"] == 1

    @pytest.mark.parametrize(
        ("text", "detail"),
        [
            ("{", "Expecting property name"),
            ("[]", "format"),
            ("{}", "format"),
            ('{"format": 2}', "format"),
            (
                '{"format": 1}',
                "catalog, endpoint, media, region, tables, workspace",
            ),
            ("\udcff", "codec can't decode"),
        ],
        ids=["no JSON", "a list", "no format", "another format", "too few", "no text"],
    )
    def test_an_invalid_file(self, tmp_path, text, detail):
        (tmp_path / "storage.json").write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(StorageFileInvalid) as refused:
            load_storage(tmp_path)
        assert_refused(
            refused, "storage-file-invalid", str(tmp_path / "storage.json"), detail, fix="copy the file"
        )

    @pytest.mark.parametrize("change", [{"password": "x"}, {"catalog": 7}, {"media": None}])
    def test_a_file_with_unknown_or_invalid_values(self, tmp_path, change):
        TEAM.save(tmp_path)
        file = tmp_path / "storage.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | change))
        with pytest.raises(StorageFileInvalid, match="catalog, endpoint, media"):
            load_storage(tmp_path)

    def test_a_file_with_an_invalid_address(self, tmp_path):
        TEAM.save(tmp_path)
        file = tmp_path / "storage.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"media": "ftp://b/x"}))
        with pytest.raises(BucketUrlInvalid):
            load_storage(tmp_path)


class TestRequestedStorage:
    """Storage from the options of a command."""

    def test_a_bucket_gets_two_folders_and_the_endpoint_of_the_environment(self, monkeypatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://s3")
        monkeypatch.setenv("AWS_REGION", "eu")
        assert storage_from_urls("postgresql://u@db/c", "s3://b/t/") == replace(TEAM, workspace="")

    def test_without_addresses_everything_is_in_the_folder(self):
        assert storage_from_urls().embedded

    def test_addresses_that_are_not_given_stay(self):
        assert override_storage(TEAM) == TEAM

    def test_folder_moves_either_store_back(self):
        assert override_storage(TEAM, catalog="folder").catalog == ""
        back = override_storage(TEAM, bucket="folder")
        assert (back.media, back.tables, back.endpoint, back.region) == ("", "", "", "")
        assert back.catalog == TEAM.catalog
        assert override_storage(TEAM, "folder", "folder").embedded

    def test_a_relocation_is_followed(self):
        moved_to = {"catalog": "postgresql://u@db/c2"}
        assert TEAM.resolve_relocation({}) == TEAM
        assert TEAM.resolve_relocation({"moved_to": moved_to}).catalog == "postgresql://u@db/c2"
        bytes_at = {"media": "s3://c/media", "tables": "s3://c/tables"}
        assert TEAM.resolve_relocation({"bytes_at": bytes_at}).media == "s3://c/media"
        assert TEAM.resolve_relocation({"bytes_at": {"media": TEAM.media, "tables": TEAM.tables}}) is TEAM


class TestAddresses:
    """Addresses are validated and contain no secret."""

    @pytest.mark.parametrize(
        ("url", "detail"),
        [
            ("https://bucket/x", "s3://"),
            ("bucket", "s3://"),
            ("s3://", "bucket"),
            ("s3:///x", "bucket"),
            ("s3://key:secret@bucket/x", "a bucket and a prefix"),
            ("s3://bucket/x?key=secret", "a bucket and a prefix"),
            ("s3://bucket/x#secret", "a bucket and a prefix"),
        ],
    )
    def test_an_invalid_bucket_address(self, url, detail):
        with pytest.raises(BucketUrlInvalid) as refused:
            BucketLocation(url)
        assert_refused(refused, "bucket-url-invalid", detail, fix="s3://BUCKET/PREFIX")
        assert "secret" not in str(refused.value)

    def test_an_endpoint_with_a_password(self, monkeypatch):
        with pytest.raises(BucketUrlInvalid, match="password"):
            BucketLocation("s3://b", "http://key:secret@s3")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://key:secret@s3")
        with pytest.raises(BucketUrlInvalid) as refused:
            BucketLocation("s3://b")
        assert "secret" not in str(refused.value)

    def test_a_folder_below_a_location(self):
        assert BucketLocation("s3://b/t/", "http://s3", "eu").below("media") == BucketLocation(
            "s3://b/t/media", "http://s3", "eu"
        )

    def test_secrets_come_from_the_environment_only(self, monkeypatch):
        for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        place = BucketLocation("s3://b", "http://s3", "eu")
        assert place.options() == {
            "aws_region": "eu",
            "aws_endpoint": "http://s3",
            "aws_virtual_hosted_style_request": "false",
            "allow_http": "true",
            "aws_access_key_id": "key",
            "aws_secret_access_key": "secret",
        }
        assert "secret" not in repr(place)
        assert BucketLocation("s3://b", "https://s3").options().get("allow_http") is None
        assert BucketLocation("s3://b").options()["aws_region"] == "us-east-1"

    @pytest.mark.parametrize(
        ("url", "detail"),
        [
            ("nonsense", "not a URL"),
            ("mysql://ana@db/c", "PostgreSQL"),
            ("sqlite:///c.sqlite", "PostgreSQL"),
            ("postgresql://ana:secret@db/c", "password"),
            ("postgresql://ana@/c", "host or the database"),
            ("postgresql://ana@db", "host or the database"),
            ("postgresql://ana@db/c?sslmode=maybe", "sslmode"),
            ("postgresql://ana@db/c?timeout=3", "sslmode"),
            ("postgresql://ana@db:port/c", "not a URL"),
        ],
    )
    def test_an_invalid_catalog_address(self, url, detail):
        with pytest.raises(CatalogUrlInvalid) as refused:
            parse_catalog_url(url)
        assert_refused(refused, "catalog-url-invalid", detail, fix="postgresql://USER@HOST:PORT/DATABASE")
        assert "secret" not in str(refused.value)

    def test_libraries_for_servers_that_are_not_installed(self, monkeypatch):
        for package in ("obstore", "pg8000"):
            monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(TeamExtraMissing) as refused:
            Bucket(BucketLocation("s3://b"))
        assert_refused(refused, "team-extra-missing", "obstore", fix="calotype[team]")
        with pytest.raises(TeamExtraMissing) as refused:
            Catalog("postgresql://ana@db/c")
        assert_refused(refused, "team-extra-missing", "pg8000", fix="calotype[team]")

    @pytest.mark.parametrize("mode", ["prefer", "disable", "require", "verify-full"])
    def test_a_catalog_address_sets_the_encryption(self, mode):
        assert parse_catalog_url(f"postgresql://ana@db:5432/c?sslmode={mode}").database == "c"
