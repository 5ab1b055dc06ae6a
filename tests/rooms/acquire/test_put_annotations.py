"""Predictions as an Arrow table: all or nothing, judged by row, one edit."""

from __future__ import annotations

import pyarrow as pa
import pytest

from calotype.acquire.labels import service
from calotype.acquire.labels.model import RowsInvalid
from calotype.acquire.labels.put_annotations import put_annotations
from calotype.datasets import rows
from calotype.datasets import service as datasets
from calotype.release import service as releases
from calotype.release.model import ExportSpec
from calotype.reliability import service as reliability

PREDICTIONS = "model:v1"


@pytest.fixture
def shop(workspace, owner, raw):
    datasets.create(owner, "shop", store=workspace)
    service.import_annotations(owner, "shop", raw / "instances.json", store=workspace)
    return workspace


def state(shop, owner):
    return datasets.read(owner, "shop", store=shop)


def boxes(shop, owner, **changed):
    ids = state(shop, owner).ids()
    columns = {
        "sample_id": ids,
        "class": ["car"] * len(ids),
        "x": [1.5] * len(ids),
        "y": [2.0] * len(ids),
        "w": [3.0] * len(ids),
        "h": [4.0] * len(ids),
        "score": [0.5] * len(ids),
    }
    return pa.table(columns | changed)


def test_a_table_of_boxes_becomes_a_label_set_and_the_truth_stays(shop, owner):
    before = state(shop, owner).annotations()
    table = boxes(shop, owner)
    assert put_annotations(owner, "shop", table, store=shop, label_set=PREDICTIONS) == table.num_rows
    after = state(shop, owner)
    assert after.annotations().equals(before)
    put = after.annotations(PREDICTIONS)
    assert sorted(put["sample_id"].to_pylist()) == sorted(table["sample_id"].to_pylist())
    assert set(put["area_px"].to_pylist()) == {12.0}
    assert set(put["kind"].to_pylist()) == {"box"}
    assert set(put["author"].to_pylist()) == {owner.name}
    assert len(set(put["ann_id"].to_pylist())) == table.num_rows


def test_replace_takes_away_what_these_samples_had_and_nothing_else(shop, owner):
    put_annotations(owner, "shop", boxes(shop, owner), store=shop, label_set=PREDICTIONS)
    few = boxes(shop, owner).slice(0, 2)
    put_annotations(owner, "shop", few, store=shop, label_set=PREDICTIONS, replace="samples")
    n = len(state(shop, owner).ids())
    assert state(shop, owner).annotations(PREDICTIONS).num_rows == n
    put_annotations(owner, "shop", few, store=shop, label_set=PREDICTIONS)
    assert state(shop, owner).annotations(PREDICTIONS).num_rows == n + 2


def test_a_row_with_its_id_replaces_that_annotation(shop, owner):
    first = state(shop, owner).annotations().slice(0, 1)
    corrected = first.select(["ann_id", "sample_id", "class_id", "x", "y", "w", "h"])
    corrected = corrected.set_column(3, "x", pa.array([0.25]))
    put_annotations(owner, "shop", corrected, store=shop)
    rows = state(shop, owner).annotations().to_pylist()
    assert [row["x"] for row in rows if row["ann_id"] == first["ann_id"][0].as_py()] == [0.25]
    assert len(rows) == 24


def test_classes_of_whole_images_need_no_box(shop, owner):
    ids = state(shop, owner).ids()
    table = pa.table({"sample_id": ids, "class": ["dog"] * len(ids), "score": [0.9] * len(ids)})
    put_annotations(owner, "shop", table, store=shop, label_set=PREDICTIONS)
    assert set(state(shop, owner).annotations(PREDICTIONS)["kind"].to_pylist()) == {"classification"}


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("w", 0.0, "no area"),
        ("x", float("nan"), "not finite"),
        ("x", None, "not finite"),
        ("score", 1.5, "outside 0 to 1"),
        ("class", "giraffe", "not in the ontology"),
        ("class", None, "not in the ontology"),
        ("sample_id", "f" * 32, "has no sample"),
        ("sample_id", None, "no sample_id"),
    ],
)
def test_one_bad_row_is_named_and_nothing_is_written(shop, owner, column, value, says):
    table = boxes(shop, owner)
    values = table[column].to_pylist()
    values[1] = value
    with pytest.raises(RowsInvalid, match=says) as caught:
        put_annotations(
            owner, "shop", boxes(shop, owner, **{column: values}), store=shop, label_set=PREDICTIONS
        )
    assert caught.value.where == "row 1"
    assert PREDICTIONS not in state(shop, owner).label_sets


@pytest.mark.parametrize(
    ("left_out", "says"), [("sample_id", "sample_id"), ("class", "class"), ("h", "x, y, w and h")]
)
def test_a_column_that_is_missing_is_named(shop, owner, left_out, says):
    with pytest.raises(RowsInvalid, match=says):
        put_annotations(owner, "shop", boxes(shop, owner).drop_columns([left_out]), store=shop)


def test_a_column_nobody_knows_is_refused(shop, owner):
    with pytest.raises(RowsInvalid, match="confidence"):
        put_annotations(owner, "shop", boxes(shop, owner).rename_columns({"score": "confidence"}), store=shop)


def test_text_where_numbers_belong_is_refused(shop, owner):
    ids = state(shop, owner).ids()
    with pytest.raises(RowsInvalid, match="column x"):
        put_annotations(owner, "shop", boxes(shop, owner, x=["wide"] * len(ids)), store=shop)


def test_rows_that_were_read_are_put_back_as_they_are(shop, owner):
    read = state(shop, owner).annotations()
    put_annotations(owner, "shop", read, store=shop, replace="samples")
    drawn = [field.name for field in rows.DRAWN_FIELDS]
    again = state(shop, owner).annotations()
    assert again.sort_by("ann_id").select(drawn).equals(read.sort_by("ann_id").select(drawn))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kind": "polygon", "rings": [[1.0, 2.0, 3.0]]}, "three points"),
        ({"kind": "polygon"}, "without points"),
        ({"kind": "polygon", "rings": [[1.0, 2.0, float("nan"), 2.0, 3.0, 3.0]]}, "not finite"),
        ({"kind": "keypoints", "keypoints": [1.0, 2.0]}, "triples"),
        ({"kind": "mask", "mask_rle": "abc"}, "run lengths or size"),
        ({"kind": "shape"}, "not one of"),
        ({"rings": [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]}, "column kind"),
        ({"attributes": "{broken"}, "JSON"),
        ({"attributes": "[1]"}, "JSON"),
    ],
)
def test_drawings_and_texts_that_are_not_whole_are_refused(shop, owner, changed, said):
    before = state(shop, owner).annotations()
    n = len(state(shop, owner).ids())
    good = {"kind": "box"} if "kind" not in changed and "rings" not in changed else {}
    columns = {
        name: [None if name != "kind" else "box"] * (n - 1) + [value] for name, value in changed.items()
    }
    with pytest.raises(RowsInvalid, match=said) as caught:
        put_annotations(
            owner, "shop", boxes(shop, owner, **{k: [v] * n for k, v in good.items()}, **columns), store=shop
        )
    assert "rings" in str(caught.value) or f"row {n - 1}" in str(caught.value)
    assert state(shop, owner).annotations().equals(before)


@pytest.mark.parametrize("label_format", ["coco", "yolo", "voc"])
def test_rows_without_texts_go_out_and_come_back(shop, owner, tmp_path, label_format):
    put_annotations(owner, "shop", boxes(shop, owner), store=shop, label_set=PREDICTIONS)
    datasets.commit(owner, "shop", "predicted", store=shop)
    out = tmp_path / "out"
    releases.export(owner, "shop@main", ExportSpec(label_format, label_set=PREDICTIONS), out, store=shop)
    datasets.create(owner, "again", store=shop)
    file = next(out.rglob("*.json")) if label_format == "coco" else out
    back = service.import_annotations(owner, "again", file, store=shop)
    assert back.annotations == boxes(shop, owner).num_rows
    made = rows.annotations_from_arrow(state(shop, owner).annotations(PREDICTIONS))
    assert {(one.source_id, one.mask_rle, one.import_id, *one.extra, *one.attributes) for one in made} == {
        ("", "", "")
    }
    assert reliability.verify(owner, store=shop, deep=True).ok
