"""Texts and names that nothing can store, and links that lead out of the folder, in what all formats share."""

from __future__ import annotations

import json

import pytest
from PIL import Image
from tests.support.labels import read_labels

from calotype.datasets.model import Kind
from calotype.exchange import registry
from calotype.formats.base import FormatUnknown
from calotype.formats.notices import Notices
from calotype.formats.passthrough import escaped
from calotype.formats.survey import Survey
from calotype.formats.values import ParsedAnnotation, ParsedImage, ParsedLabels, ParsedSource

COCO = registry.reader("coco")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a", "a"),
        ("é", "é"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\ud800"),
        ("é\udfff\udce9", "é\\udfff\\udce9"),
    ],
)
def test_a_name_that_is_not_unicode_is_escaped(name, shown):
    assert escaped(name) == shown


def test_places_of_notices_can_be_stored():
    notices = Notices()
    notices.add("file-link", "caf\udce9.json")
    notices.add("file-link", "\ud800.json")
    assert notices.listed()[0].examples == ("caf\\xe9.json", "\\ud800.json")


def source(*images: ParsedImage, source_id: str = "") -> ParsedSource:
    one = ParsedAnnotation("a", "cat", Kind.CLASSIFICATION, "row 1", source_id=source_id)
    return ParsedSource("x.json", ParsedLabels(images, [one], []))


def test_metadata_that_cannot_be_a_field_goes_to_the_further_keys_with_a_notice():
    rows: list[dict[str, str | int | float | bool]] = [
        {"light": "day", "my rating": 3, "n" * 70: 1, "score": 1, "far": 2**70},
        {"light": "day", "score": 1.5, "bad": float("nan")},
        {"light": 5, "score": "high"},
    ]
    parsed = source(*(ParsedImage("abc"[at], f"{at}.png", None, metadata=row) for at, row in enumerate(rows)))
    values = parsed.images.values([0, 1, 2])
    kept = [{"light": "day", "score": 1}, {"light": "day", "score": 1.5}, {}]
    assert [dict(image.metadata) for image in values] == kept
    extras = [{"my rating": 3, "n" * 70: 1, "far": 2**70}, {}, {"light": 5, "score": "high"}]
    assert [dict(image.extra) for image in values] == extras
    assert {notice.code: notice.count for notice in parsed.warnings} == {"value-aside": 5, "value-dropped": 1}


def test_splits_tags_and_ids_of_half_a_surrogate_pair_are_escaped():
    image = ParsedImage("a", "a.png", None, split="\ud800", licence="\udce9", tags=("\udfff",))
    parsed = source(image, source_id="\ud800")
    (value,) = parsed.images.values([0])
    assert (value.split, value.licence, value.tags) == ("\\ud800", "\\xe9", ("\\udfff",))
    (window,) = parsed.windows(parsed.index)
    assert window.source_id.to_pylist() == ["\\ud800"]


@pytest.fixture
def linked(tmp_path):
    """A set with a JSON file of its own, and one that is a link out of the folder."""
    folder = tmp_path / "set"
    folder.mkdir()
    Image.new("L", (40, 30)).save(folder / "a.png")
    value = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (folder / "own.json").write_text(json.dumps(value))
    (tmp_path / "secret.json").write_text(json.dumps(value).replace("cat", "secret"))
    (folder / "secret.json").symlink_to(tmp_path / "secret.json")
    return folder


def test_links_that_lead_out_of_the_folder_are_neither_listed_nor_read(linked):
    (linked / "b.png").symlink_to("/etc/hostname")
    (linked / "c.json").symlink_to(linked / "own.json")
    survey = Survey(linked)
    assert survey.files == ["a.png", "b.png", "c.json", "own.json"]
    assert (survey.links_out(".json"), survey.links_out(".png")) == (["secret.json"], ["b.png"])
    assert (survey.head("secret.json"), survey.head("b.png")) == (b"", b"")


def test_coco_names_a_label_file_that_is_a_link_out_of_the_folder(linked):
    assert [read.class_name for read in read_labels(COCO, linked).annotations] == ["cat"]
    (opened,) = COCO.open(linked)
    assert [(n.code, n.examples) for n in opened.warnings if n.code == "file-link"] == [
        ("file-link", ("secret.json",))
    ]


def test_a_description_that_is_a_link_out_of_the_folder_describes_nothing(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    (tmp_path / "data.yaml").write_text("names: [secret]\n")
    (folder / "data.yaml").symlink_to(tmp_path / "data.yaml")
    (folder / "a.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    with pytest.raises(FormatUnknown) as refused:
        registry.detect(folder)
    assert refused.value.where == "set"
