"""Importing a corrected file: it replaces what the same source gave, and what people changed since is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image

from calotype.acquire.labels import put_annotations, service
from calotype.acquire.labels.model import Imported, ImportNotClean, ImportOptions
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.edit import apply
from calotype.datasets.model import Annotation
from calotype.foundation.actor import Actor
from calotype.store import Store

NAME = "d"


@pytest.fixture(params=["coco", "yolo"])
def source(request: pytest.FixtureRequest, workspace: Store, owner: Actor, tmp_path: Path) -> Source:
    datasets.create(owner, NAME, store=workspace)
    made = Source(workspace, owner, tmp_path / "labels", request.param)
    made.write({"a": [10, 30], "b": [20]})
    first = made.bring()
    assert (first.added, first.removed, first.kept) == (3, 0, 0)
    return made


class Source:
    """Labels of two images: boxes of 8 x 8 px, given by their left side, in a format with ids or without."""

    def __init__(self, store: Store, actor: Actor, folder: Path, format: str) -> None:
        self.store, self.actor, self.folder, self.format = store, actor, folder, format

    def write(self, boxes: dict[str, list[int]]) -> None:
        (self.folder / "images").mkdir(parents=True, exist_ok=True)
        for name, colour in (("a", "red"), ("b", "blue")):
            Image.new("RGB", (64, 64), colour).save(self.folder / f"images/{name}.png")
        if self.format == "yolo":
            (self.folder / "labels").mkdir(exist_ok=True)
            (self.folder / "data.yaml").write_text("names: [cat]\n")
            for name, lefts in boxes.items():
                rows = [f"0 {(x + 4) / 64} 0.5 0.125 0.125" for x in lefts]
                (self.folder / f"labels/{name}.txt").write_text("\n".join(rows) + "\n")
            return
        images = [
            {"id": at, "file_name": f"{name}.png", "width": 64, "height": 64} for at, name in enumerate("ab")
        ]
        annotations = [
            {"id": 10 * image + at, "image_id": image, "category_id": 1, "bbox": [x, 28, 8, 8]}
            for image, name in enumerate("ab")
            for at, x in enumerate(boxes.get(name, []))
        ]
        categories = [{"id": 1, "name": "cat"}]
        body = {"images": images, "annotations": annotations, "categories": categories}
        (self.folder / "labels.json").write_text(json.dumps(body))

    def bring(self, *, strict: bool = False, dry_run: bool = False) -> Imported:
        given = ImportOptions(format=self.format, strict=strict, dry_run=dry_run)
        return service.import_annotations(self.actor, NAME, self.folder, given, store=self.store)

    def lefts(self) -> dict[str, list[int]]:
        state = datasets.read(self.actor, NAME, store=self.store)
        lefts: dict[str, list[int]] = {"a": [], "b": []}
        for annotation in self.annotations():
            name = Path(state.sample(annotation.sample_id).name).stem
            lefts[name].append(round((annotation.bbox_xywh_px or (0,))[0]))
        return {name: sorted(values) for name, values in lefts.items()}

    def annotations(self) -> list[Annotation]:
        state = datasets.read(self.actor, NAME, store=self.store)
        return [a for of_sample in state.annotations_of(state.ids()).values() for a in of_sample]

    def at(self, left: int) -> Annotation:
        (one,) = [a for a in self.annotations() if round((a.bbox_xywh_px or (0,))[0]) == left]
        return one

    def move(self, left: int, to: float) -> None:
        """As a person does it in the app."""
        table = datasets.read(self.actor, NAME, store=self.store).annotations()
        row = table.filter(pa.compute.equal(table["ann_id"], self.at(left).ann_id))
        row = row.set_column(row.schema.get_field_index("x"), "x", pa.array([to]))
        put_annotations.put_annotations(self.actor, NAME, row, store=self.store)

    def remove(self, left: int) -> None:
        change = Change(remove_annotations={"ground_truth": [self.at(left).ann_id]})
        apply(self.actor, NAME, lambda state: change, store=self.store, verb="annotations.remove")


def test_the_same_file_changes_nothing(source: Source) -> None:
    again = source.bring()
    assert (again.added, again.changed, again.unchanged, again.removed) == (0, 0, 3, 0)


def test_a_corrected_file_replaces_what_it_gave(source: Source) -> None:
    source.write({"a": [11], "b": [20, 40]})
    again = source.bring()
    assert source.lefts() == {"a": [11], "b": [20, 40]}
    expected = (1, 1, 1, 1) if source.format == "coco" else (2, 0, 1, 2)
    assert (again.added, again.changed, again.unchanged, again.removed) == expected


def test_what_people_changed_is_kept_and_listed(source: Source) -> None:
    source.move(10, to=12.0)
    source.write({"a": [14, 30], "b": [21]})
    again = source.bring()
    assert source.lefts() == {"a": [12, 30], "b": [21]}
    assert again.kept == 1
    (notice,) = [notice for notice in again.warnings if notice.code == "changed-here"]
    assert notice.count == 1
    assert "a.png" in notice.examples[0]


def test_what_people_changed_stays_when_the_same_file_comes_again(source: Source) -> None:
    source.move(10, to=12.0)
    source.bring()
    assert source.lefts() == {"a": [12, 30], "b": [20]}


def test_what_people_removed_after_the_commit_stays_removed(source: Source) -> None:
    datasets.commit(source.actor, NAME, "as imported", store=source.store)
    source.remove(30)
    again = source.bring()
    assert source.lefts() == {"a": [10], "b": [20]}
    assert (again.kept, again.added) == (1, 0)


def test_what_people_drew_is_no_business_of_the_file(source: Source) -> None:
    of_a = source.at(10)
    drawn = {"sample_id": [of_a.sample_id], "class": ["cat"], "x": [50.0], "y": [1.0], "w": [4.0], "h": [4.0]}
    put_annotations.put_annotations(source.actor, NAME, pa.table(drawn), store=source.store)
    source.write({"a": [10], "b": [20]})
    again = source.bring()
    assert source.lefts() == {"a": [10, 50], "b": [20]}
    assert (again.removed, again.kept) == (1, 0)


def test_a_dry_run_reports_the_same_and_writes_nothing(source: Source) -> None:
    source.write({"a": [11], "b": [20, 40]})
    before = datasets.read(source.actor, NAME, store=source.store).pins
    rehearsed = source.bring(dry_run=True)
    assert datasets.read(source.actor, NAME, store=source.store).pins == before
    assert rehearsed == source.bring()


def test_a_dry_run_into_an_empty_dataset_stores_no_image(
    workspace: Store, owner: Actor, tmp_path: Path
) -> None:
    datasets.create(owner, NAME, store=workspace)
    source = Source(workspace, owner, tmp_path / "labels", "yolo")
    source.write({"a": [10, 30], "b": [20]})
    media = workspace.root / "media"
    before = sorted(media.rglob("*"))
    rehearsed = source.bring(dry_run=True)
    assert (rehearsed.samples, rehearsed.added) == (2, 3)
    assert datasets.read(owner, NAME, store=workspace).ids() == []
    assert sorted(media.rglob("*")) == before


def test_a_strict_import_refuses_what_would_be_left_out(source: Source) -> None:
    (source.folder / "images/b.png").unlink()
    before = datasets.read(source.actor, NAME, store=source.store).pins
    Image.new("RGB", (64, 64), "green").save(source.folder / "images/c.png")
    if source.format == "coco":
        source.write({"a": [10], "b": [20]})
        text = (source.folder / "labels.json").read_text().replace('"b.png"', '"gone.png"')
        (source.folder / "labels.json").write_text(text)
    with pytest.raises(ImportNotClean) as caught:
        source.bring(strict=True)
    assert caught.value.where
    assert datasets.read(source.actor, NAME, store=source.store).pins == before


def test_a_strict_import_takes_clean_files(workspace: Store, owner: Actor, tmp_path: Path) -> None:
    datasets.create(owner, NAME, store=workspace)
    source = Source(workspace, owner, tmp_path / "labels", "coco")
    source.write({"a": [10, 30], "b": [20]})
    assert source.bring(strict=True).added == 3
