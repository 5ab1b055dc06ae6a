"""No product: json, Arrow, DuckDB and NumPy doing the same work. The floor that a store is measured against.

It keeps Parquet files; it has no versions, no ids of its own, no checks, and does not look at the pictures.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from bench import Figure, NotThere, World, main, named_counts, scenario, since_start, timed, warm


@scenario
def import_(world: World) -> Figure:
    def work() -> int:
        document = json.loads(world.instances.read_bytes())
        pq.write_table(pa.Table.from_pylist(document["images"]), world.work / "images.parquet")
        boxes = _columns(document["annotations"], ("id", "image_id", "category_id", "area", "iscrowd"))
        pq.write_table(boxes, world.work / "boxes-1.parquet")
        world.note("head", {key: document[key] for key in ("info", "licenses", "categories")})
        return boxes.num_rows

    seconds, n = timed(work)
    return {"seconds": seconds, "answer": n}


@scenario
def predictions(world: World) -> Figure:
    def work() -> int:
        found = _columns(json.loads(world.results.read_bytes()), ("image_id", "category_id", "score"))
        pq.write_table(found, world.work / "predictions.parquet")
        return found.num_rows

    seconds, n = timed(work)
    return {"seconds": seconds, "answer": n}


@scenario
def count(world: World) -> Figure:
    with _engine(world) as engine:
        query = "SELECT category_id, count(*) FROM boxes GROUP BY ALL"
        figure, found = warm(lambda: engine.sql(query).fetchall())
    return figure | {"answer": named_counts(found)}


@scenario
def filter_(world: World) -> Figure:
    question = world.facts["question"]
    query = (
        "SELECT count(*) FROM (SELECT image_id FROM boxes WHERE category_id = ? AND w * h > ?"
        " GROUP BY image_id HAVING count(*) >= ?)"
    )
    values = [int(question["class"].split("-")[1]), question["area_over"], question["at_least"]]
    with _engine(world) as engine:
        figure, found = warm(lambda: engine.execute(query, values).fetchall())
    return figure | {"answer": found[0][0]}


@scenario
def random(world: World) -> Figure:
    """Rows of 1,000 images with their boxes, in one query each."""
    ids = pq.read_table(world.work / "images.parquet", columns=["id"])["id"].take(world.facts["some"])
    with _engine(world) as engine:
        engine.register("wanted", pa.table({"wanted": ids}))

        def work() -> int:
            engine.sql("SELECT images.* FROM images SEMI JOIN wanted ON id = wanted").to_arrow_table()
            return (
                engine.sql("SELECT boxes.* FROM boxes SEMI JOIN wanted ON image_id = wanted")
                .to_arrow_table()
                .num_rows
            )

        figure, n = warm(work)
    return figure | {"answer": n}


@scenario
def edit(world: World) -> Figure:
    """A new version is a new file: all rows are written again."""
    ids = pq.read_table(world.work / "images.parquet", columns=["id"])["id"].take(world.facts["changed"])

    def work() -> None:
        table = pq.read_table(world.work / "boxes-1.parquet")
        hit = pc.is_in(table["image_id"], value_set=ids.combine_chunks())
        moved = pc.if_else(hit, pc.add(table["x"], 1.0), table["x"])
        pq.write_table(
            table.set_column(table.column_names.index("x"), "x", moved), world.work / "boxes-2.parquet"
        )

    seconds, _ = timed(work)
    return {"seconds": seconds}


@scenario
def diff(world: World) -> Figure:
    with duckdb.connect() as engine:
        a, b = (f"'{world.work}/boxes-{at}.parquet'" for at in (1, 2))
        query = f"SELECT count(*) FROM {a} a JOIN {b} b USING (id) WHERE (a.x, a.y, a.w, a.h) <> (b.x, b.y, b.w, b.h)"
        figure, found = warm(lambda: engine.sql(query).fetchall())
    return figure | {"answer": found[0][0]}


@scenario
def export_coco(world: World) -> Figure:
    def work() -> None:
        rows = pq.read_table(world.work / "boxes-1.parquet")
        boxes = np.stack([rows[name].to_numpy() for name in "xywh"], axis=1).tolist()
        kept = rows.drop_columns(list("xywh")).to_pylist()
        document = world.noted("head") | {"images": pq.read_table(world.work / "images.parquet").to_pylist()}
        document["annotations"] = [
            row | {"bbox": box, "segmentation": []} for row, box in zip(kept, boxes, strict=True)
        ]
        (world.work / "exported.json").write_text(json.dumps(document))

    return {"seconds": timed(work)[0]}


@scenario
def export_yolo(world: World) -> Figure:
    out = world.work / "yolo"

    def work() -> int:
        (out / "labels").mkdir(parents=True)
        names = dict(
            zip(*pq.read_table(world.work / "images.parquet", columns=["id", "file_name"]), strict=True)
        )
        names = {image_id.as_py(): name.as_py() for image_id, name in names.items()}
        lines: dict[int, list[str]] = {image_id: [] for image_id in names}
        width, height = world.facts["size"]
        rows = pq.read_table(world.work / "boxes-1.parquet")
        values = (rows[name].to_numpy().tolist() for name in ("image_id", "category_id", "x", "y", "w", "h"))
        for image_id, label, x, y, w, h in zip(*values, strict=True):
            center = f"{(x + w / 2) / width:.6f} {(y + h / 2) / height:.6f}"
            lines[image_id].append(f"{label - 1} {center} {w / width:.6f} {h / height:.6f}\n")
        for image_id, name in names.items():
            stem = Path(name).stem
            (out / "labels" / f"{stem}.txt").write_text("".join(lines[image_id]))
        return len(names)

    seconds, n = timed(work)
    shutil.rmtree(out)
    return {"seconds": seconds, "answer": n}


@scenario
def nearest(world: World) -> Figure:
    vectors = np.load(world.vectors)
    figure, found = warm(lambda: _top(vectors, vectors[3]))
    return figure | {"answer": found[0]}


@scenario
def start(world: World) -> Figure:
    with _engine(world, views=True) as engine:
        found = engine.sql("SELECT category_id, count(*) FROM boxes GROUP BY ALL").fetchall()
    return {"seconds": since_start(), "answer": named_counts(found)}


@scenario
def open_(world: World) -> Figure:
    """A version is a file: opening it reads its footer."""
    figure, n = warm(lambda: pq.read_metadata(world.work / "boxes-2.parquet").num_rows)
    return figure | {"answer": n}


@scenario
def loader(world: World) -> Figure:
    """1,000 pictures from their files with their boxes held in memory, by the same decoder as Calotype's loader."""
    try:
        from calotype.vision.images import decode_rgb
    except ImportError:
        raise NotThere("runs in Calotype's environment, for the same decoder") from None
    images = pq.read_table(world.work / "images.parquet", columns=["id", "file_name"])
    paths = [world.images / name for name in images["file_name"].to_pylist()]
    boxes = pq.read_table(world.work / "boxes-1.parquet").sort_by("image_id")
    owners = boxes["image_id"].to_numpy()
    corners = np.stack([boxes[name].to_numpy() for name in "xywh"], axis=1).astype(np.float32)
    places = np.searchsorted(owners, images["id"].to_numpy())
    ends = np.append(places[1:], len(owners))

    def work() -> int:
        n = 0
        for at in world.facts["some"]:
            pixels = np.ascontiguousarray(decode_rgb(paths[at].read_bytes()).transpose(2, 0, 1))
            n += len(corners[places[at] : ends[at]]) * (pixels.shape[0] == 3)
        return n

    figure, n = warm(work, times=3)
    return figure | {"answer": n}


def _columns(rows: list[dict[str, Any]], keys: tuple[str, ...]) -> pa.Table:
    columns = {key: [row[key] for row in rows] for key in keys}
    boxes = np.array([row["bbox"] for row in rows])
    return pa.table(columns | {name: boxes[:, at] for at, name in enumerate("xywh")})


def _engine(world: World, *, views: bool = False) -> duckdb.DuckDBPyConnection:
    """Both tables in memory, or as views on the files."""
    engine = duckdb.connect()
    kind = "VIEW" if views else "TABLE"
    for name, file in (("images", "images"), ("boxes", "boxes-1")):
        engine.sql(f"CREATE {kind} {name} AS SELECT * FROM '{world.work}/{file}.parquet'")
    return engine


def _top(vectors: np.ndarray, wanted: np.ndarray, k: int = 25) -> list[int]:
    likeness = vectors @ wanted
    best = np.argpartition(-likeness, k)[:k]
    return [int(at) for at in best[np.argsort(-likeness[best])]]


if __name__ == "__main__":
    main()
