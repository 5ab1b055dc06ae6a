"""Tables keep their promises on a disk and in a bucket: pins stay what they were, whoever writes next."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from tests.support.servers import S3, free_port

from calotype.store.files.bucket import BucketFailed, BucketLocation
from calotype.store.tables.row_lookup import ColumnValues, row_ids
from calotype.store.tables.tables import TableDamaged, TableMoved, Tables

SCHEMA = pa.schema([("id", pa.string()), ("label", pa.string())])
Root = Path | BucketLocation


@pytest.fixture(params=["disk", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Root:
    if request.param == "disk":
        return tmp_path / "tables"
    server: S3 = request.getfixturevalue("s3")
    return server.fresh().below("tables")


def _rows(*ids: str, label: str = "car") -> pa.Table:
    return pa.table({"id": list(ids), "label": [label] * len(ids)}, schema=SCHEMA)


def _publish(tables: Tables, pin: int | None, *add: str, remove: tuple[str, ...] = ()) -> int:
    staged = tables.stage("d/samples", _rows(*add), schema=SCHEMA) if add else None
    removals = (
        row_ids(tables.at("d/samples", pin), [ColumnValues("id", remove)], key="id")[0]
        if pin and remove
        else []
    )
    return tables.publish("d/samples", pin=pin, schema=SCHEMA, remove=removals, staged=staged)


def _ids(tables: Tables, pin: int) -> list[str]:
    return sorted(tables.read("d/samples", pin, columns=["id"])["id"].to_pylist())


def test_every_pin_keeps_its_rows(root: Root) -> None:
    tables = Tables(root)
    first = _publish(tables, None, "a", "b", "c")
    second = _publish(tables, first, "d", remove=("a",))
    other = _publish(tables, first, "e", remove=("b",))  # another branch: the head is not its pin
    third = _publish(tables, second, remove=("d",))
    for reader in (tables, Tables(root)):
        assert _ids(reader, first) == ["a", "b", "c"]
        assert _ids(reader, second) == ["b", "c", "d"]
        assert _ids(reader, other) == ["a", "c", "e"]
        assert _ids(reader, third) == ["b", "c"]
        assert reader.count("d/samples", second) == 3
        assert sorted(reader.existing_values("d/samples", second, "id", ["a", "b"])) == ["b"]
        assert sorted(reader.only_in("d/samples", other, second)["id"].to_pylist()) == ["a", "e"]


def test_rows_that_a_dead_writer_left_are_part_of_no_pin(root: Root) -> None:
    tables = Tables(root)
    first = _publish(tables, None, "a")
    tables.stage("d/samples", _rows("lost"), schema=SCHEMA)
    dead = _publish(tables, first, "dead")  # published, and then its catalog transaction never ended
    second = _publish(Tables(root), first, "b")
    assert second != dead and _ids(tables, second) == ["a", "b"]


def test_a_foreign_version_in_the_middle_of_a_write_is_noticed(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables, thief = Tables(root), Tables(root)
    first = _publish(tables, None, "a", "b")
    staged = tables.stage("d/samples", _rows("c"), schema=SCHEMA)
    at_head = tables._at_head

    def then_another_writes(table: str, pin: int | None, schema: pa.Schema) -> object:
        dataset = at_head(table, pin, schema)
        _publish(thief, first, "stolen")
        return dataset

    monkeypatch.setattr(tables, "_at_head", then_another_writes)
    with pytest.raises(TableMoved):
        tables.publish("d/samples", pin=first, schema=SCHEMA, staged=staged)
    monkeypatch.undo()
    assert _ids(tables, _publish(tables, first, "d")) == ["a", "b", "d"]


def test_a_version_that_does_not_exist_is_reported_as_damage(root: Root) -> None:
    tables = Tables(root)
    _publish(tables, None, "a")
    with pytest.raises(TableDamaged):
        tables.at("d/samples", 99)


def test_tags_are_kept(root: Root) -> None:
    tables = Tables(root)
    first = _publish(tables, None, "a")
    for _ in range(2):
        tables.tag("d/samples", first, "c-1")
    assert set(Tables(root).at("d/samples", first).tags.list()) == {"c-1"}


def test_large_tables_get_their_indexes(root: Root) -> None:
    tables = Tables(root)
    rows = _rows(*(f"{number:06}" for number in range(50_001)))
    staged = tables.stage("d/samples", rows, schema=SCHEMA)
    pin = tables.publish("d/samples", pin=None, schema=SCHEMA, staged=staged, index=["id"])
    assert [index.field_names for index in tables.at("d/samples", pin).describe_indices()] == [["id"]]
    assert tables.count("d/samples", pin, where="id = '000777'") == 1


def test_a_bucket_that_does_not_answer_is_not_damage(s3: S3) -> None:
    tables = Tables(BucketLocation("s3://gone/tables", f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(BucketFailed):
        tables.at("d/samples", 1)


def test_row_ids_are_the_same_by_index_and_by_reading_through(root: Root) -> None:
    tables = Tables(root)
    first = _publish(tables, None, *(f"{at:05d}" for at in range(50)))
    second = _publish(tables, first, "later", remove=("00007",))
    rows = tables.at("d/samples", second)
    few = ["00007", "00008", "00030", "later"]
    many = [*few, *(f"nobody {at}" for at in range(20_001))]
    found = row_ids(rows, [ColumnValues("id", few)], key="id")[0]
    assert len(found) == 3
    assert found == row_ids(rows, [ColumnValues("id", many)], key="id")[0]
    both = [ColumnValues("label", ["car"]), ColumnValues("id", few)]
    assert len(row_ids(rows, both, key="id")[0]) == 50
    emptied = tables.publish("d/samples", pin=second, schema=SCHEMA, remove=row_ids(rows, both, key="id")[0])
    assert _ids(tables, emptied) == []
    assert len(_ids(tables, second)) == 50
