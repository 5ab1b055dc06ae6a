"""What every registered format promises: found by its own files, the same windows each time, one list for all doors."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import calotype as ct
from calotype.acquire.labels.format_answers import LabelFormat
from calotype.app.server import openapi
from calotype.datasets import rows
from calotype.datasets.model import Kind
from calotype.exchange import registry
from calotype.formats.base import FormatUnknown

BOTH = [f.name for f in registry.FORMATS.values() if f.abilities.reads and f.abilities.writes]


@pytest.fixture
def shop(tmp_path, raw):
    """A dataset with one box and one class of the whole image on each sample, split by halves."""
    with ct.open(tmp_path / "ws") as ws:
        ds = ws.create("shop")
        ds.add_annotations(raw / "instances.json")
        ids = ds.where().snapshot().ids()
        ds.put_annotations(pa.table({"sample_id": ids, "class": ["car"] * len(ids)}))
        ds.where().split({"train": 0.5, "val": 0.5})
        yield ds


@pytest.mark.parametrize("name", BOTH)
def test_a_format_recognises_its_own_export(shop, tmp_path, name):
    shop.where().export(name, tmp_path / "out")
    assert registry.detect(tmp_path / "out").format.name == name


@pytest.mark.parametrize("name", BOTH)
def test_a_source_says_the_same_each_time_and_declares_its_classes(shop, tmp_path, name):
    n_annotations = shop.where().export(name, tmp_path / "out").annotations
    n_read = 0
    for source in registry.reader(name).open(tmp_path / "out"):
        assert source.index is not None
        n_images = len(source.images)
        assert list(source.index.positions(source.images.ids)) == list(range(n_images))
        assert all(file is not None for file in source.locate(0, n_images))
        first, second = list(source.windows(source.index)), list(source.windows(source.index))
        n_of_source = sum(map(len, first))
        n_read += n_of_source
        declared = {declared.name for declared in source.classes}
        for window, again in zip(first, second, strict=True):
            assert {source.index.classes[int(n)] for n in np.unique(window.category)} <= declared
            assert window.image.max() < n_images
            assert set(window.columns) == {column.name for column in rows.DRAWN_FIELDS}
            assert window.columns["x"].equals(again.columns["x"])
            assert window.identities == again.identities
            kinds = {Kind(kind) for kind in window.columns["kind"].to_pylist()}
            assert kinds <= registry.FORMATS[name].abilities.reads
        source.release_images()
        assert len(source.images) == 0
        assert sum(len(window) for window in source.windows(source.index)) == n_of_source
    assert n_read == n_annotations


@pytest.mark.parametrize(
    ("find", "known"), [(registry.reader, registry.READABLE), (registry.writer, registry.WRITABLE)]
)
def test_an_unknown_format_is_an_error_that_lists_the_known_ones(find, known):
    with pytest.raises(FormatUnknown) as error:
        find("word-art")
    assert all(name in str(error.value) for name in known)


def test_files_of_no_format_are_not_guessed(tmp_path):
    (tmp_path / "notes.md").write_text("nothing")
    with pytest.raises(FormatUnknown):
        registry.detect(tmp_path / "notes.md")


def test_the_api_describes_the_formats_of_the_registry():
    paths = openapi()["paths"]
    parameters = paths["/api/v1/datasets/{dataset}/imports"]["post"]["parameters"]
    (upload,) = [p["schema"] for p in parameters if p["name"] == "format"]
    assert upload["enum"] == list(registry.UPLOADABLE)
    release = openapi()["components"]["schemas"]["NewRelease"]["properties"]["formats"]
    assert release["items"]["enum"] == list(registry.WRITABLE)
    assert "/api/v1/formats" in paths


def test_the_answer_of_a_format_states_its_abilities():
    coco, folder = (LabelFormat.of_format(registry.FORMATS[name]) for name in ("coco", "folder"))
    assert (coco.suffixes, coco.one_file, coco.streams) == ([".json"], True, True)
    assert (folder.reads, folder.one_file) == (["classification"], False)
