"""Maintenance of a table: fragments, tags, compaction with a stand-in, removal of versions and files."""

from __future__ import annotations

import pyarrow as pa
import pytest
from tests.support.refusals import assert_refused

from calotype.foundation.errors import Bug
from calotype.store.maintenance import table_files
from calotype.store.tables.row_lookup import ColumnValues, row_ids
from calotype.store.tables.tables import TableDamaged, Tables

SCHEMA = pa.schema([pa.field("id", pa.string(), nullable=False), pa.field("n", pa.int64())])


def rows(*ids):
    return pa.table({"id": list(ids), "n": list(range(len(ids)))}, schema=SCHEMA)


@pytest.fixture
def pins(tables):
    """Three versions: a and b; then also c and d; then without b and c."""
    published = [
        tables.publish("t", pin=None, schema=SCHEMA, staged=tables.stage("t", rows("a", "b"), schema=SCHEMA))
    ]
    published.append(
        tables.publish(
            "t", pin=published[0], schema=SCHEMA, staged=tables.stage("t", rows("c", "d"), schema=SCHEMA)
        )
    )
    removed_ids = row_ids(tables.at("t", published[1]), [ColumnValues("id", ["b", "c"])], key="id")[0]
    return [*published, tables.publish("t", pin=published[1], schema=SCHEMA, remove=removed_ids)]


def ids(tables, pin):
    return sorted(tables.read("t", pin)["id"].to_pylist())


def compact(tables, pin):
    """The version with the rows of a pin in fewer files, not yet a stand-in."""
    dataset = table_files.prepare_compaction(tables, "t", pin)
    return table_files.publish_compaction(tables, "t", dataset, table_files.stage_compaction(dataset))


class TestFragments:
    """The fragments of a version."""

    def test_a_fragment_has_files_deletions_and_rows(self, tables, pins):
        fragments = table_files.fragments(tables, "t", pins[2])
        assert [fragment.n_rows for fragment in fragments] == [1, 1]
        assert all(len(fragment.files) == 1 and fragment.deleted for fragment in fragments)

    def test_versions_share_fragments(self, tables, pins):
        first, second, third = (table_files.fragments(tables, "t", pin) for pin in pins)
        assert first[0].key == second[0].key
        assert first[0].files == third[0].files
        assert first[0].key != third[0].key

    def test_the_rows_of_one_fragment_are_read(self, tables, pins):
        _, fragment = table_files.fragments(tables, "t", pins[2])
        assert table_files.read_fragment(tables, "t", pins[2], fragment, ["id"]).to_pylist() == [{"id": "d"}]
        assert table_files.read_fragment(tables, "t", pins[2], fragment, None).column_names == ["id", "n"]

    def test_a_fragment_whose_file_was_deleted(self, tables, pins):
        fragment = table_files.fragments(tables, "t", pins[0])[0]
        for file in (tables.folder("t") / "data").iterdir():
            file.unlink()
        with pytest.raises(TableDamaged) as refused:
            table_files.read_fragment(Tables(tables.folder("t").parent), "t", pins[0], fragment, ["id"])
        assert_refused(
            refused, "table-damaged", f"table t cannot be read at version {pins[0]}", fix="`calotype verify`"
        )

    def test_the_statistics_of_a_version(self, tables, pins):
        assert table_files.table_stats(tables, "t", pins[0]) == table_files.TableStats(2, 1, 0)
        assert table_files.table_stats(tables, "t", pins[2]) == table_files.TableStats(2, 2, 2)


class TestCompaction:
    """A stand-in has the rows of a pin in fewer files."""

    def test_a_pin_is_read_from_its_stand_in(self, tables, pins):
        version = compact(tables, pins[2])
        assert table_files.same_rows(tables, "t", int(tables.at("t", pins[2]).version), version)
        table_files.set_stand_in(tables, "t", pins[2], version)
        assert (int(tables.at("t", pins[2]).version), ids(tables, pins[2])) == (version, ["a", "d"])
        assert table_files.table_stats(tables, "t", pins[2]) == table_files.TableStats(2, 1, 0)
        assert ids(tables, pins[1]) == ["a", "b", "c", "d"]

    def test_another_process_reads_the_stand_in_too(self, tables, pins):
        version = compact(tables, pins[2])
        table_files.set_stand_in(tables, "t", pins[2], version)
        assert int(Tables(tables.folder("t").parent).at("t", pins[2]).version) == version

    def test_an_edit_follows_the_stand_in(self, tables, pins):
        table_files.set_stand_in(tables, "t", pins[2], compact(tables, pins[2]))
        staged = tables.stage("t", rows("e"), schema=SCHEMA)
        assert ids(tables, tables.publish("t", pin=pins[2], schema=SCHEMA, staged=staged)) == ["a", "d", "e"]

    def test_the_tags_of_a_pin_move_to_its_stand_in(self, tables, pins):
        tables.tag("t", pins[2], "c-1")
        version = compact(tables, pins[2])
        table_files.set_stand_in(tables, "t", pins[2], version)
        assert table_files.tags(tables, "t") == {"c-1": version, f"pin-{pins[2]}": version}

    def test_a_version_with_other_rows_cannot_be_a_stand_in(self, tables, pins):
        with pytest.raises(Bug) as refused:
            table_files.set_stand_in(tables, "t", pins[1], pins[0])
        assert_refused(refused, "bug", f"t version {pins[0]}", f"pin {pins[1]}", fix="")

    def test_files_staged_for_an_older_head_are_not_published(self, tables, pins):
        dataset = table_files.prepare_compaction(tables, "t", pins[2])
        staged = table_files.stage_compaction(dataset)
        tables.publish("t", pin=pins[0], schema=SCHEMA, staged=tables.stage("t", rows("e"), schema=SCHEMA))
        assert table_files.publish_compaction(tables, "t", dataset, staged) is None

    def test_versions_with_the_same_rows_are_distinguished_from_others(self, tables, pins):
        assert table_files.same_rows(tables, "t", pins[0], pins[0])
        assert not table_files.same_rows(tables, "t", pins[0], pins[1])


class TestCleanUp:
    """Unreferenced versions and files are removed."""

    def test_versions_are_removed_with_the_files_that_only_they_use(self, tables, pins):
        version = compact(tables, pins[2])
        table_files.set_stand_in(tables, "t", pins[2], version)
        table_files.protect_versions(tables, "t", [version])
        old = [number for number in table_files.versions(tables, "t") if number != version]
        assert table_files.remove_versions(tables, "t", old) > 0
        assert table_files.versions(tables, "t") == [version]
        assert ids(tables, pins[2]) == ["a", "d"]
        with pytest.raises(TableDamaged):
            tables.at("t", pins[0])

    def test_nothing_to_remove_frees_nothing(self, tables, pins):
        assert table_files.remove_versions(tables, "t", []) == 0

    def test_tagged_versions_stay(self, tables, pins):
        tables.tag("t", pins[0], "c-1")
        table_files.remove_versions(tables, "t", pins[:2])
        assert ids(Tables(tables.folder("t").parent), pins[0]) == ["a", "b"]

    def test_exactly_the_requested_versions_are_protected(self, tables, pins):
        table_files.protect_versions(tables, "t", [pins[0], pins[2]])
        table_files.protect_versions(tables, "t", [pins[2]])
        assert table_files.tags(tables, "t") == {f"keep-{pins[2]}": pins[2]}

    def test_damaged_tags_are_deleted(self, tables, pins):
        tables.tag("t", pins[0], "intact")
        (tables.folder("t") / "_refs" / "tags" / "damaged.json").write_bytes(b"{")
        table_files.delete_damaged_tags(tables, "t")
        assert tables.storage.tag_names("t") == ["intact"]
        table_files.delete_tags(tables, "t", ["intact", "nowhere"])
        assert table_files.tags(tables, "t") == {}

    def test_files_of_a_dead_writer_are_strays(self, tables, pins):
        assert table_files.stray_files(tables, "t") == []
        tables.stage("t", rows("e", "f"), schema=SCHEMA)
        (stray,) = table_files.stray_files(tables, "t")
        assert stray.name.startswith("t.lance/data/")
        assert stray.n_bytes > 0

    def test_a_damaged_version_is_moved_aside_unless_it_is_pinned(self, tables, pins):
        versions = tables.folder("t") / "_versions"
        newest = min(versions.glob("*.manifest"))
        damaged = newest.with_name(f"{int(newest.stem) - 1:020d}.manifest")
        damaged.write_bytes(b"")
        table_files.protect_versions(tables, "t", [pins[2]])
        assert not damaged.exists()
        assert [entry.name for entry in table_files.stray_files(tables, "t")] == [
            f"t.lance/_torn/{damaged.name}"
        ]
        assert ids(tables, pins[2]) == ["a", "d"]
