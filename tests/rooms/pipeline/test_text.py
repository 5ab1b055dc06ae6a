"""A pipeline file is read within limits, and every trouble is told with its line."""

from __future__ import annotations

import json

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from calotype.pipeline import text
from calotype.pipeline.model import STAGES, Release, json_schema
from calotype.pipeline.runs import PipelineInvalid

HEAD = "pipeline: streets\ndataset: shop\nstages:\n"
WHOLE = (
    HEAD
    + """\
  - acquire: {from: images, source: cam-07, licence: CC-BY-4.0}
  - annotate: {from: labels.json, format: coco, on_unknown: skip}
  - check: {contract: contract.yaml, gate: go-on}
  - transform: {classes: {car: vehicle, junk: null}}
  - curate: {split: {train: 0.8, val: 0.2}, by: scene}
  - augment: {recipe: {name: turn, steps: [{flip: {axis: horizontal}}]}}
  - commit: {message: first}
  - release: {version: 1.0.0}
"""
)


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("  - check\n  - acquire: {frm: images}\n", 5, "stages.2.acquire.frm: no such field"),
        ("  - acquire:\n      source: x\n", 4, "acquire.from: field is missing"),
        ("  - check:\n      gate: never\n", 5, "gate"),
        ("  - check\n  - paint: {}\n", 5, "unknown kind 'paint'"),
        ("  - check: {}\n    commit: {message: x}\n", 4, "not a mapping with one key"),
        ("  - transform: {classes: {a: b, b: c}}\n", 4, "'b' is both an old and a new name"),
        ("  - augment:\n      recipe: {name: a, steps: [{spin: {}}]}\n", 5, "unknown operation 'spin'"),
        (
            "  - check\n  - augment:\n      where: class ==\n      recipe: {name: a, steps: [greyscale]}\n",
            6,
            "where",
        ),
        ("  - release: {version: not a version}\n", 4, "not a version"),
        ("  - curate: {}\n", 4, "either `split` or `select`"),
        ("  - check\ndataset: other\n", 5, "is repeated"),
        ("  - check\nstagse: []\n", 5, "unknown key 'stagse'"),
        ("  - &a check\n  - *a\n", 4, "alias or an anchor"),
        ("  - [\n", 5, "not valid YAML"),
        ("  " + "[" * 30 + "]" * 30 + "\n", 4, "deeper than"),
    ],
)
def test_a_trouble_is_told_with_its_line(body, line, said):
    with pytest.raises(PipelineInvalid) as told:
        text.parse(HEAD + body, file="p.yaml")
    assert said in told.value.message
    assert told.value.where == f"p.yaml line {line}"


@pytest.mark.parametrize("value", ["", "- a", "pipeline: a\ndataset: b\n", "pipeline: a\nstages: [check]\n"])
def test_a_file_that_is_no_pipeline_is_refused(value):
    with pytest.raises(PipelineInvalid):
        text.parse(value)


def test_a_pipeline_works_on_main_only():
    with pytest.raises(PipelineInvalid, match="name of the dataset without a ref"):
        text.parse("pipeline: a\ndataset: shop@other\nstages: [check]\n")


def test_paths_count_from_the_file(tmp_path):
    (tmp_path / "p.yaml").write_text(WHOLE)
    read = text.load(tmp_path / "p.yaml")
    assert read.resolve("images") == tmp_path / "images"
    assert read.resolve("/data/images").as_posix() == "/data/images"
    with pytest.raises(text.PipelineFileNotFound):
        text.load(tmp_path / "none.yaml")


def test_a_file_that_is_too_large_or_no_text_is_refused(tmp_path):
    (tmp_path / "large.yaml").write_text("#" * (text.MAX_BYTES + 1))
    (tmp_path / "binary.yaml").write_bytes(b"pipeline: \xff\xfe")
    for name in ("large.yaml", "binary.yaml"):
        with pytest.raises(PipelineInvalid):
            text.load(tmp_path / name)


def test_the_schema_takes_what_the_reader_takes_and_is_published(repo):
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(WHOLE), schema)
    wrong = yaml.safe_load(HEAD + "  - acquire: {frm: images}\n")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)
    published = (repo / "docs" / "reference" / "pipeline.schema.json").read_text("utf-8")
    assert published == json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_every_stage_has_its_word_and_another_parameter_is_another_stage():
    assert set(STAGES) == {
        "acquire",
        "annotate",
        "check",
        "augment",
        "transform",
        "curate",
        "commit",
        "release",
    }
    assert Release(version="1.0.0").sha256 != Release(version="1.0.1").sha256
