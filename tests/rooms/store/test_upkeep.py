"""Upkeep of a table: parts, tags, compaction behind a stand-in, versions and files that go."""

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
    """Three versions: a b, then c d besides, then without b and c."""
    published = [
        tables.publish("t", pin=None, schema=SCHEMA, staged=tables.stage("t", rows("a", "b"), schema=SCHEMA))
    ]
    published.append(
        tables.publish(
            "t", pin=published[0], schema=SCHEMA, staged=tables.stage("t", rows("c", "d"), schema=SCHEMA)
        )
    )
    gone = row_ids(tables.at("t", published[1]), [ColumnValues("id", ["b", "c"])], key="id")[0]
    return [*published, tables.publish("t", pin=published[1], schema=SCHEMA, remove=gone)]


def ids(tables, pin):
    return sorted(tables.read("t", pin)["id"].to_pylist())


def compact(tables, pin):
    """The version with the rows of a pin in fewer files, not yet standing in."""
    dataset = table_files.prepare_compaction(tables, "t", pin)
    return table_files.publish_compaction(tables, "t", dataset, table_files.stage_compaction(dataset))


class TestParts:
    """What a version consists of."""

    def test_a_part_has_its_files_its_deletions_and_its_rows(self, tables, pins):
        parts = table_files.fragments(tables, "t", pins[2])
        assert [part.n_rows for part in parts] == [1, 1]
        assert all(len(part.files) == 1 and part.deleted for part in parts)

    def test_versions_share_parts(self, tables, pins):
        first, second, third = (table_files.fragments(tables, "t", pin) for pin in pins)
        assert first[0].key == second[0].key
        assert first[0].files == third[0].files
        assert first[0].key != third[0].key

    def test_rows_of_one_part_are_read(self, tables, pins):
        _, part = table_files.fragments(tables, "t", pins[2])
        assert table_files.read_fragment(tables, "t", pins[2], part, ["id"]).to_pylist() == [{"id": "d"}]
        assert table_files.read_fragment(tables, "t", pins[2], part, None).column_names == ["id", "n"]

    def test_a_part_whose_file_is_gone(self, tables, pins):
        part = table_files.fragments(tables, "t", pins[0])[0]
        for file in (tables.folder("t") / "data").iterdir():
            file.unlink()
        with pytest.raises(TableDamaged) as refused:
            table_files.read_fragment(Tables(tables.folder("t").parent), "t", pins[0], part, ["id"])
        assert_refused(
            refused, "table-damaged", f"table t cannot be read at version {pins[0]}", fix="`calotype verify`"
        )

    def test_the_shape_of_a_version(self, tables, pins):
        assert table_files.table_stats(tables, "t", pins[0]) == table_files.TableStats(2, 1, 0)
        assert table_files.table_stats(tables, "t", pins[2]) == table_files.TableStats(2, 2, 2)


class TestCompaction:
    """The same rows in fewer files stand in for a pin."""

    def test_a_stand_in_is_read_in_the_place_of_its_pin(self, tables, pins):
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

    def test_an_edit_goes_on_from_the_stand_in(self, tables, pins):
        table_files.set_stand_in(tables, "t", pins[2], compact(tables, pins[2]))
        staged = tables.stage("t", rows("e"), schema=SCHEMA)
        assert ids(tables, tables.publish("t", pin=pins[2], schema=SCHEMA, staged=staged)) == ["a", "d", "e"]

    def test_the_tags_of_a_pin_move_to_its_stand_in(self, tables, pins):
        tables.tag("t", pins[2], "c-1")
        version = compact(tables, pins[2])
        table_files.set_stand_in(tables, "t", pins[2], version)
        assert table_files.tags(tables, "t") == {"c-1": version, f"pin-{pins[2]}": version}

    def test_a_version_with_other_rows_cannot_stand_in(self, tables, pins):
        with pytest.raises(Bug) as refused:
            table_files.set_stand_in(tables, "t", pins[1], pins[0])
        assert_refused(refused, "bug", f"t version {pins[0]}", f"pin {pins[1]}", fix="")

    def test_files_staged_for_an_older_head_are_not_published(self, tables, pins):
        dataset = table_files.prepare_compaction(tables, "t", pins[2])
        staged = table_files.stage_compaction(dataset)
        tables.publish("t", pin=pins[0], schema=SCHEMA, staged=tables.stage("t", rows("e"), schema=SCHEMA))
        assert table_files.publish_compaction(tables, "t", dataset, staged) is None

    def test_versions_with_the_same_rows_are_told_from_others(self, tables, pins):
        assert table_files.same_rows(tables, "t", pins[0], pins[0])
        assert not table_files.same_rows(tables, "t", pins[0], pins[1])


class TestCleanUp:
    """Versions and files that nothing reaches go."""

    def test_versions_go_with_the_files_that_only_they_hold(self, tables, pins):
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

    def test_exactly_the_wanted_versions_are_kept(self, tables, pins):
        table_files.protect_versions(tables, "t", [pins[0], pins[2]])
        table_files.protect_versions(tables, "t", [pins[2]])
        assert table_files.tags(tables, "t") == {f"keep-{pins[2]}": pins[2]}

    def test_torn_tags_are_dropped(self, tables, pins):
        tables.tag("t", pins[0], "whole")
        (tables.folder("t") / "_refs" / "tags" / "torn.json").write_bytes(b"{")
        table_files.delete_damaged_tags(tables, "t")
        assert tables.storage.tag_names("t") == ["whole"]
        table_files.delete_tags(tables, "t", ["whole", "nowhere"])
        assert table_files.tags(tables, "t") == {}

    def test_files_of_a_writer_that_died_are_strays(self, tables, pins):
        assert table_files.stray_files(tables, "t") == []
        tables.stage("t", rows("e", "f"), schema=SCHEMA)
        (stray,) = table_files.stray_files(tables, "t")
        assert stray.name.startswith("t.lance/data/")
        assert stray.n_bytes > 0

    def test_a_torn_version_is_moved_aside_unless_it_is_pinned(self, tables, pins):
        versions = tables.folder("t") / "_versions"
        newest = min(versions.glob("*.manifest"))
        torn = newest.with_name(f"{int(newest.stem) - 1:020d}.manifest")
        torn.write_bytes(b"")
        table_files.protect_versions(tables, "t", [pins[2]])
        assert not torn.exists()
        assert [entry.name for entry in table_files.stray_files(tables, "t")] == [
            f"t.lance/_torn/{torn.name}"
        ]
        assert ids(tables, pins[2]) == ["a", "d"]
