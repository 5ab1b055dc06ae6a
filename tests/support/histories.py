"""Small worlds of samples and annotations, and edits on them read from bytes (which shrink well)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from calotype.datasets import rows
from calotype.foundation.ids import canonical_json
from calotype.versions.model import DecodedDocuments, MergeResult, Row, RowEdit, Side

GROUND_TRUTH, MODEL = "ann/ground_truth", "ann/model"


@dataclass(frozen=True)
class World:
    """A whole state of a dataset as plain rows."""

    tables: dict[str, dict[str, Row]] = field(default_factory=dict)
    documents: DecodedDocuments = field(default_factory=DecodedDocuments)

    def of(self, table: str) -> dict[str, Row]:
        """The rows of a table by id."""
        return self.tables.get(table, {})

    def annotations(self) -> Iterator[tuple[str, str, Row]]:
        """All annotations as table, id, row."""
        for table in (GROUND_TRUTH, MODEL):
            for key, row in self.of(table).items():
                yield table, key, row


def sample_row(sample_id: str, media: int, name: str) -> Row:
    """A sample with the columns that its table has."""
    return {
        "sample_id": sample_id,
        "media_sha256": f"{media:064x}",
        "name": name,
        "names": [name],
        "width_px": 64,
        "height_px": 48,
        "mime": "image/png",
        "n_bytes": 100 + media,
        "source": "",
        "licence": "",
        "group": "",
        "split": "",
        "tags": ["base"],
        "metadata": "",
        "extra": "",
        "parent_id": "",
        "recipe": "",
        "import_id": "i0",
        "created_at_us": 1,
    }


def annotation_row(ann_id: str, sample_id: str, class_id: int, x: float = 1.0) -> Row:
    """A box with the columns that its table has."""
    return {
        "ann_id": ann_id,
        "sample_id": sample_id,
        "kind": "box",
        "class_id": class_id,
        "x": x,
        "y": 2.0,
        "w": 5.0,
        "h": 6.0,
        "rings": None,
        "mask_rle": "",
        "mask_h": None,
        "mask_w": None,
        "keypoints": None,
        "area_px": 30.0,
        "score": None,
        "iscrowd": False,
        "attributes": "",
        "extra": "",
        "source_id": "",
        "author": "",
        "import_id": "i0",
        "created_at_us": 1,
    }


def small_world() -> World:
    """Four samples; three of them have two boxes in the ground truth, one has a box of a model."""
    samples = {f"s{n}": sample_row(f"s{n}", n, f"{n}.png") for n in range(4)}
    boxes = {f"a{n}": annotation_row(f"a{n}", f"s{n // 2}", n % 3) for n in range(6)}
    guesses = {"m0": annotation_row("m0", "s0", 1)}
    ontology = {"classes": [{"id": n, "name": f"class {n}"} for n in range(4)], "closed": False, "next_id": 4}
    documents = DecodedDocuments(
        ontology, {"lux": "int"}, "contract: 1", None, frozenset({"ground_truth", "model"})
    )
    return World({rows.SAMPLES: samples, GROUND_TRUTH: boxes, MODEL: guesses}, documents)


def after(world: World, history: bytes, *, side: str) -> World:
    """The world after the edits that the bytes stand for: four bytes each, what (0: nothing), on which, two values."""
    edited = World({table: dict(found) for table, found in world.tables.items()}, world.documents)
    for at in range(0, len(history) - 3, 4):
        verb, which, a, b = history[at : at + 4]
        if verb == 0:
            continue  # what a byte shrinks to
        edited = _VERBS[verb % len(_VERBS)](edited, which, a, b, f"{side}{at // 4}")
    return edited


def side_of(base: World, now: World) -> Side:
    """What a world changed of another."""
    edits: dict[str, dict[str, RowEdit]] = {}
    for table in {*base.tables, *now.tables}:
        old, new = base.of(table), now.of(table)
        edits[table] = {
            key: RowEdit(old.get(key), new.get(key)) for key in {*old, *new} if old.get(key) != new.get(key)
        }
    used = {e.after["class_id"] for t, c in edits.items() if t != rows.SAMPLES for e in c.values() if e.after}
    return Side(now.documents, edits, frozenset(used))


def applied(ours: World, outcome: MergeResult) -> World:
    """A world after a merge was made of it."""
    tables = {table: dict(found) for table, found in ours.tables.items()}
    for table, final in outcome.rows.items():
        for key, row in final.items():
            tables.setdefault(table, {}).pop(key, None)
            if row is not None:
                tables[table][key] = row
    return World(tables, outcome.documents)


def _pick(found: dict[str, Row], which: int) -> str | None:
    keys = sorted(found)
    return keys[which % len(keys)] if keys else None


def _put(world: World, table: str, key: str, **values: Any) -> World:
    world.tables.setdefault(table, {})[key] = {**world.of(table)[key], **values, "created_at_us": 2}
    return world


def _add_annotation(world: World, which: int, a: int, b: int, fresh: str) -> World:
    sample = _pick(world.of(rows.SAMPLES), which)
    key = fresh if b % 4 else f"shared{a % 3}"  # the same label file, imported on both sides
    table = MODEL if b % 3 == 0 else GROUND_TRUTH
    classes = [entry["id"] for entry in world.documents.ontology["classes"]]
    if sample is not None and key not in world.of(table):
        made = annotation_row(key, sample, classes[-1 - a % 2 if b % 2 else a % len(classes)], float(b % 5))
        world.tables.setdefault(table, {})[key] = made
    return world


def _add_sample(world: World, which: int, a: int, b: int, fresh: str) -> World:
    name = f"new {which % 3}.png"
    key = f"new{which % 3}{a % 2}" if b % 3 == 0 else fresh
    taken = {row["name"] for row in world.of(rows.SAMPLES).values()}
    if name not in taken and key not in world.of(rows.SAMPLES):
        world.tables[rows.SAMPLES][key] = sample_row(key, 50 + a % 2, name)
    return world


def _remove_annotation(world: World, which: int, a: int, b: int, fresh: str) -> World:
    key = _pick(world.of(GROUND_TRUTH), which)
    if key is not None:
        del world.tables[GROUND_TRUTH][key]
    return world


def _remove_sample(world: World, which: int, a: int, b: int, fresh: str) -> World:
    key = _pick(world.of(rows.SAMPLES), which)
    if key is not None:
        del world.tables[rows.SAMPLES][key]
        for table, ann_id, row in list(world.annotations()):
            if row["sample_id"] == key:
                del world.tables[table][ann_id]
    return world


def _edit_annotation(world: World, which: int, a: int, b: int, fresh: str) -> World:
    key = _pick(world.of(GROUND_TRUTH), which)
    if key is None:
        return world
    classes = [entry["id"] for entry in world.documents.ontology["classes"]]
    samples = sorted(world.of(rows.SAMPLES))
    values: list[dict[str, Any]] = [
        {"x": float(b % 3), "w": float(1 + b % 2)},
        {"x": float(b % 3)},
        {"class_id": classes[b % len(classes)]},
        {"score": (b % 3) / 2},
        {"attributes": canonical_json({f"k{b % 2}": b % 3})},
        {"author": f"author {b % 3}", "iscrowd": bool(b % 2)},
        {"sample_id": samples[b % len(samples)]},
    ]
    return _put(world, GROUND_TRUTH, key, **values[a % len(values)])


def _edit_sample(world: World, which: int, a: int, b: int, fresh: str) -> World:
    key = _pick(world.of(rows.SAMPLES), which)
    if key is None:
        return world
    old = world.of(rows.SAMPLES)[key]
    name = f"renamed {b % 3}.png"
    taken = {row["name"] for row in world.of(rows.SAMPLES).values()}
    values: list[dict[str, Any]] = [
        {"split": ("train", "val", "test")[b % 3]},
        {"tags": [f"tag {b % 3}", *old["tags"]][:3]},
        {"tags": old["tags"][1:]},
        {"metadata": canonical_json({"lux": b % 3})},
        {"name": old["name"] if name in taken else name},
        {"licence": f"licence {b % 2}"},
    ]
    return _put(world, rows.SAMPLES, key, **values[a % len(values)])


def _edit_texts(world: World, which: int, a: int, b: int, fresh: str) -> World:
    ontology = world.documents.ontology
    classes = [dict(entry) for entry in ontology["classes"]]
    names = {entry["name"] for entry in classes}
    used = {row["class_id"] for _, _, row in world.annotations()}
    name, next_id = f"added {b % 3}", ontology["next_id"]
    if a % 4 == 0 and name not in names:
        classes.append({"id": next_id, "name": name})
        world = _add_annotation(world, which, 0, 1, fresh)
        for key in set(world.of(GROUND_TRUTH)) & {fresh}:
            _put(world, GROUND_TRUTH, key, class_id=next_id)
        next_id += 1
    elif a % 4 == 1 and (name := f"renamed {b % 2}") not in names:
        classes[which % len(classes)]["name"] = name
    elif a % 4 == 2:
        unused = [entry["id"] for entry in classes if entry["id"] not in used]
        classes = [entry for entry in classes if entry["id"] not in unused[:1]]
    elif a % 4 == 3:
        return World(world.tables, replace(world.documents, contract=f"contract: {b % 3}"))
    made = {"classes": classes, "closed": ontology["closed"], "next_id": next_id}
    return World(world.tables, replace(world.documents, ontology=made))


_VERBS = (
    _edit_annotation,
    _add_annotation,
    _edit_sample,
    _remove_annotation,
    _edit_annotation,
    _add_annotation,
    _remove_sample,
    _edit_texts,
    _add_sample,
    _edit_sample,
    _add_sample,
    _edit_texts,
    _edit_annotation,
    _edit_texts,
    _add_annotation,
    _edit_annotation,
)
