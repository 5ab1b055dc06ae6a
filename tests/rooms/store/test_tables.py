"""Tables on a disk: staged, published, read at a pin, and recovered after writers that died."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread

import lance
import pyarrow as pa
import pytest
from lance import optimize
from tests.support.refusals import assert_refused

from calotype.store.tables import locations, scalar_index, small_files
from calotype.store.tables import tables as tables_module
from calotype.store.tables.damaged_versions import written_for
from calotype.store.tables.row_lookup import ColumnValues, in_filter, row_ids, scan_rows, take_rows
from calotype.store.tables.tables import RestageNeeded, TableDamaged, TableMoved, Tables

SCHEMA = pa.schema([pa.field("id", pa.string(), nullable=False), pa.field("n", pa.int64())])


def rows(*ids, n=0):
    """A row for each id."""
    return pa.table({"id": list(ids), "n": [n] * len(ids)}, schema=SCHEMA)


def publish(tables, pin, *ids, n=0, remove=(), index=(), table="t"):
    """The pin of a version with these rows added and removed, as by an edit."""
    gone = row_ids(tables.at(table, pin), [ColumnValues("id", [*remove, *ids])], key="id")[0] if pin else []
    staged = tables.stage(table, rows(*ids, n=n), schema=SCHEMA) if ids else None
    return tables.publish(table, pin=pin, schema=SCHEMA, remove=gone, staged=staged, index=index)


def ids(tables, pin, table="t"):
    """The ids at a pin."""
    return sorted(tables.read(table, pin)["id"].to_pylist())


class TestPublish:
    """Versions follow one another; a pin never changes."""

    def test_each_pin_keeps_its_rows(self, tables):
        first = publish(tables, None, "a", "b")
        second = publish(tables, first, "c")
        third = publish(tables, second, remove=["a"])
        assert [ids(tables, pin) for pin in (first, second, third)] == [
            ["a", "b"],
            ["a", "b", "c"],
            ["b", "c"],
        ]
        assert first < second < third

    def test_a_row_is_replaced_by_its_key(self, tables):
        first = publish(tables, None, "a", "b", n=1)
        second = publish(tables, first, "a", n=2)
        assert sorted(tables.read("t", second).to_pylist(), key=str) == [
            {"id": "a", "n": 2},
            {"id": "b", "n": 1},
        ]

    def test_staged_rows_are_in_no_version(self, tables):
        first = publish(tables, None, "a")
        staged = tables.stage("t", rows("b", "c"), schema=SCHEMA)
        assert staged.n_rows == 2
        assert ids(tables, first) == ["a"]

    def test_a_stream_of_batches_is_staged_too(self, tables):
        batches = (rows(f"{number}").to_batches()[0] for number in range(20))
        staged = tables.stage("t", batches, schema=SCHEMA)
        assert tables.count("t", tables.publish("t", pin=None, schema=SCHEMA, staged=staged)) == 20

    def test_without_staged_rows_the_table_is_empty(self, tables):
        assert tables.count("t", tables.publish("t", pin=None, schema=SCHEMA)) == 0

    def test_all_rows_can_be_removed(self, tables):
        first = publish(tables, None, "a", "b")
        assert ids(tables, publish(tables, first, remove=["a", "b"])) == []

    def test_two_branches_share_a_table(self, tables):
        first = publish(tables, None, "a")
        ours = publish(tables, first, "ours")
        theirs = publish(tables, first, "theirs")
        assert [ids(tables, pin) for pin in (ours, theirs, first)] == [["a", "ours"], ["a", "theirs"], ["a"]]
        assert ids(tables, publish(tables, ours, "more")) == ["a", "more", "ours"]

    def test_leftovers_of_a_dead_writer_are_not_in_the_next_version(self, tables, tmp_path):
        first = publish(tables, None, "a")
        publish(Tables(tmp_path / "tables"), first, "of a writer that died before its transaction ended")
        assert ids(tables, publish(tables, first, "b")) == ["a", "b"]

    def test_writers_that_create_a_table_at_the_same_moment(self, tables):
        start = Barrier(8)

        def stage(number):
            start.wait()
            return tables.stage("t", rows(str(number)), schema=SCHEMA)

        with ThreadPoolExecutor(8) as pool:
            staged = list(pool.map(stage, range(8)))
        pin = None
        for rows_of_one in staged:
            pin = tables.publish("t", pin=pin, schema=SCHEMA, staged=rows_of_one)
        assert ids(tables, pin) == list("01234567")

    def test_tables_have_their_own_folders(self, tables):
        first = publish(tables, None, "a", table="d/samples")
        other = publish(tables, None, "b", table="d/ann/x")
        assert (ids(tables, first, "d/samples"), ids(tables, other, "d/ann/x")) == (["a"], ["b"])
        assert tables.folder("d/ann/x").name == "x.lance"


class TestRefused:
    """Failures raise errors of Calotype and create no version."""

    def test_another_writer_during_the_write(self, tables, tmp_path):
        first = publish(tables, None, "a")
        staged = tables.stage("t", rows("mine"), schema=SCHEMA)
        head = tables.version("t")
        publish(Tables(tmp_path / "tables"), first, "theirs")
        tables._at_head = lambda *_: (head, first)  # the head that this writer saw before it lost its lock
        with pytest.raises(TableMoved) as refused:
            tables.publish("t", pin=first, schema=SCHEMA, staged=staged)
        assert_refused(refused, "table-moved", "table t", fix="run the command again")
        del tables._at_head
        assert ids(tables, tables.publish("t", pin=first, schema=SCHEMA, staged=staged)) == ["a", "mine"]

    @pytest.mark.parametrize("table", ["t", "nowhere"])
    def test_a_version_that_does_not_exist(self, tables, table):
        publish(tables, None, "a")
        with pytest.raises(TableDamaged) as refused:
            tables.at(table, 99)
        assert_refused(refused, "table-damaged", f"table {table}", "version 99", fix="`calotype verify`")

    def test_a_version_whose_manifest_is_damaged(self, tables):
        first = publish(tables, None, "a")
        publish(tables, first, "b")
        for file in (tables.folder("t") / "_versions").glob("*.manifest"):
            file.write_bytes(b"not a manifest")
        with pytest.raises(TableDamaged):
            Tables(tables.folder("t").parent).at("t", first)

    @pytest.mark.parametrize(
        "error", [KeyError("mine"), ValueError("mine"), RestageNeeded("mine"), OSError("mine")]
    )
    def test_an_error_of_a_stream_is_raised_unchanged(self, tables, error):
        def stream():
            yield rows("a").to_batches()[0]
            raise error

        with pytest.raises(type(error)) as refused:
            tables.stage("t", stream(), schema=SCHEMA)
        assert refused.value is error


class TestRead:
    """Rows, columns, counts."""

    @pytest.fixture
    def pin(self, tables):
        return publish(tables, publish(tables, None, "a", "b", n=1), "c", n=2)

    def test_columns_and_a_filter(self, tables, pin):
        assert tables.read("t", pin, columns=["id"], where="n = 2").to_pylist() == [{"id": "c"}]
        assert (tables.count("t", pin), tables.count("t", pin, where="n = 1")) == (3, 2)

    def test_columns_are_cached(self, tables, pin):
        assert tables.columns("t", pin, ["id"]) is tables.columns("t", pin, ["id"])
        assert tables.columns("t", pin, ["n"])["n"].to_pylist() == [1, 1, 2]

    def test_existing_values(self, tables, pin):
        assert sorted(tables.existing_values("t", pin, "id", ["a", "c", "z"])) == ["a", "c"]
        assert tables.existing_values("t", pin, "id", []) == []

    def test_rows_that_another_version_lacks(self, tables, pin):
        later = publish(tables, pin, "a", "d", n=3, remove=["b"])
        assert sorted(tables.only_in("t", later, pin)["id"].to_pylist()) == ["a", "d"]
        assert sorted(tables.only_in("t", pin, later, columns=["id"])["id"].to_pylist()) == ["a", "b"]
        assert tables.only_in("t", pin, pin).num_rows == 0

    def test_a_row_keeps_its_address_until_it_changes(self, tables, pin):
        addressed_rows = tables.rows_with_addresses("t", pin, "id", ["a", "c", "z"])
        assert sorted(addressed_rows) == ["a", "c"]
        later = publish(tables, pin, "c", n=9)
        addresses = [addressed_rows[key][1] for key in ("a", "c")]
        assert tables.contains_rows("t", pin, addresses) == [True, True]
        assert tables.contains_rows("t", later, addresses) == [True, False]

    def test_rows_are_scanned_in_order_and_taken_by_position(self, tables, pin):
        held = tables.at("t", pin)
        listed = [key for batch in scan_rows(held, ["id"]) for key in batch["id"].to_pylist()]
        assert sorted(listed) == ["a", "b", "c"]
        assert take_rows(held, [2, 0], ["id"])["id"].to_pylist() == [listed[2], listed[0]]

    def test_a_value_with_a_quotation_mark_is_escaped(self, tables):
        pin = publish(tables, None, "it's", "x' OR 'a'='a")
        assert tables.existing_values("t", pin, "id", ["it's"]) == ["it's"]
        assert tables.existing_values("t", pin, "id", ["' OR ''='"]) == []

    @pytest.mark.parametrize(
        ("values", "text"), [([], "false"), (["a"], "id IN ('a')"), (["a'b", "c"], "id IN ('a''b', 'c')")]
    )
    def test_a_filter_for_values(self, values, text):
        assert in_filter("id", values) == text

    def test_rows_to_remove_are_looked_up_by_each_column(self, tables, pin):
        found, columns = row_ids(
            tables.at("t", pin), [ColumnValues("id", ["a"]), ColumnValues("id", ["c", "z"])], key="id"
        )
        assert (len(found), columns) == (2, {"id"})
        assert row_ids(tables.at("t", pin), [ColumnValues("id", [])], key="id") == ([], set())


class TestTags:
    """Tags protect versions from clean-up."""

    def test_a_tag_keeps_a_version(self, tables):
        first = publish(tables, None, "a")
        publish(tables, first, "b")
        tables.tag("t", first, "c-1")
        tables.tag("t", first, "c-1")
        assert tables.storage.read_tag("t", "c-1") == first

    def test_a_damaged_tag_is_written_again(self, tables):
        first = publish(tables, None, "a")
        tables.tag("t", first, "c-1")
        (tables.folder("t") / "_refs" / "tags" / "c-1.json").write_bytes(b'{"vers')
        assert tables.storage.read_tag("t", "c-1") is None
        tables.tag("t", first, "c-1")
        assert tables.storage.read_tag("t", "c-1") == first


def test_a_handle_is_read_by_threads_while_others_tag_its_version(tables):
    pin = publish(tables, None, "a")
    failures, stop = [], Event()

    def read():
        while not stop.is_set():
            try:
                tables.count("t", pin)
            except RuntimeError as error:  # a handle of Lance cannot be read while it is changed
                failures.append(error)

    threads = [Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(60):
        tables.tag("t", pin, f"c-{number}")
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []


class TestSmallFiles:
    """A table of many small edits has few files."""

    @staticmethod
    def n_files(tables, pin):
        return len(tables.at("t", pin).get_fragments())

    def test_many_small_edits_leave_few_files_and_every_pin_keeps_its_rows(self, tables):
        pins, pin = {}, None
        for number in range(90):
            pin = publish(tables, pin, f"{number:03d}", remove=[f"{number - 5:03d}"])
            pins[number] = pin
        assert max(self.n_files(tables, pin) for pin in pins.values()) <= 34
        fresh = Tables(tables.folder("t").parent)
        for number, pin in pins.items():
            assert ids(fresh, pin) == [f"{n:03d}" for n in range(max(0, number - 4), number + 1)]
        assert fresh.only_in("t", pins[80], pins[20])["id"].to_pylist() == [f"{n:03d}" for n in range(76, 81)]

    def test_row_ids_and_order_stay_the_same(self, tables):
        first = publish(tables, None, *(f"{n:04d}" for n in range(3_000)))
        pin = first
        for number in range(40):
            pin = publish(tables, pin, f"b{number}")
        assert self.n_files(tables, pin) < 40
        read = tables.at("t", pin).scanner(columns=["id"], with_row_id=True, scan_in_order=True).to_table()
        assert read["id"].to_pylist() == [*(f"{n:04d}" for n in range(3_000)), *(f"b{n}" for n in range(40))]
        assert read["_rowid"].to_pylist() == sorted(read["_rowid"].to_pylist())

    def test_a_larger_file_is_not_rewritten_for_the_sake_of_small_ones(self, tables):
        pin = publish(tables, None, *(f"{n:04d}" for n in range(3_000)))
        (large,) = (file.path for one in tables.at("t", pin).get_fragments() for file in one.data_files())
        for number in range(80):
            pin = publish(tables, pin, f"b{number}")
            files = {file.path for one in tables.at("t", pin).get_fragments() for file in one.data_files()}
            assert large in files

    def test_a_writer_that_comes_between_is_noticed(self, tables, monkeypatch):
        pin = publish(tables, None, "a")
        other = Tables(tables.folder("t").parent)
        monkeypatch.setattr(small_files, "_MAX_SMALL_FILES", 1)
        real = optimize.Compaction.plan

        def plan(dataset, options):
            other._step(
                "t", other.version("t"), tables_module._append(other.stage("t", rows("x"), schema=SCHEMA))
            )
            return real(dataset, options)

        monkeypatch.setattr(optimize.Compaction, "plan", staticmethod(plan))
        with pytest.raises(TableMoved):
            publish(tables, pin, "b")
        monkeypatch.undo()
        assert ids(tables, publish(tables, pin, "c")) == ["a", "c"]

    def test_what_was_merged_is_flushed(self, tables, monkeypatch):
        flushed: list[str] = []
        monkeypatch.setattr(locations, "fsync_paths", lambda paths: flushed.extend(map(str, paths)))
        pin = None
        for number in range(40):
            pin = publish(tables, pin, f"{number}")
        data = tables.folder("t") / "data"
        assert {str(data / file.name) for file in data.iterdir()} <= set(flushed)


@pytest.mark.parametrize(
    ("folder", "name", "version"),
    [
        ("_versions", f"{2**64 - 1 - 7:020d}.manifest", 7),
        ("_versions", "7.manifest", 7),
        ("_versions", "latest_version_hint.json", math.inf),
        ("_transactions", "12-d6b3a7ff-ea39.txn", 12),
        ("_transactions", "other.txn", math.inf),
        ("_deletions", "3-8-991.arrow", 8),
        ("_deletions", "other.bin", math.inf),
        ("data", "12-a.lance", math.inf),
    ],
)
def test_the_name_of_a_file_tells_its_version(folder, name, version):
    assert written_for(folder, name) == version


def test_a_forgotten_table_is_opened_again(tables, tmp_path):
    pin = publish(tables, None, "a")
    held = tables.at("t", pin)
    assert tables.at("t", pin) is held
    tables.forget("t")
    assert tables.at("t", pin) is not held


def test_a_table_of_fifty_thousand_rows_gets_an_index(tables):
    staged = tables.stage("t", rows(*(f"{number:06}" for number in range(50_000))), schema=SCHEMA)
    pin = tables.publish("t", pin=None, schema=SCHEMA, staged=staged, index=["id"])
    assert [index.field_names for index in lance.dataset(str(tables.folder("t"))).describe_indices()] == [
        ["id"]
    ]
    later = publish(tables, pin, "new", remove=["000007"], index=["id"])
    assert sorted(tables.existing_values("t", later, "id", ["new", "000007", "000008"])) == ["000008", "new"]


def test_an_index_gets_a_part_for_new_rows_and_many_parts_are_merged(tables, monkeypatch):
    monkeypatch.setattr(scalar_index, "_MIN_INDEX_ROWS", 10)
    monkeypatch.setattr(scalar_index, "_MAX_PARTS", 3)
    pin, parts = None, []
    for step in range(6):
        pin = publish(tables, pin, *(f"{step}-{number}" for number in range(11)), index=["id"])
        stats = lance.dataset(str(tables.folder("t"))).stats.index_stats("id_idx")
        assert stats["num_unindexed_rows"] == 0
        parts.append(stats["num_indices"])
    assert parts == [1, 2, 3, 1, 2, 3]
    wanted = [f"{step}-3" for step in range(6)]
    assert sorted(tables.existing_values("t", pin, "id", [*wanted, "no"])) == wanted
