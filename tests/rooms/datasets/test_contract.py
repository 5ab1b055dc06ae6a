"""Contracts are read within limits, and each trouble is told by line and field."""

from __future__ import annotations

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from calotype.datasets.contract import DEFAULT, Contract, json_schema
from calotype.datasets.contract_text import ContractInvalid, parse, template


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}"])
def test_an_empty_contract_is_the_default(text):
    assert parse(text) == DEFAULT


def test_the_template_is_valid_by_itself_and_by_its_schema():
    assert parse(template()).task.kind == "detection"
    jsonschema.validate(yaml.safe_load(template()), json_schema())


def test_every_commented_line_of_the_template_is_valid_when_taken_in():
    lines = template().splitlines()
    opened = ("classes:", "metadata:", "coverage:", "checks:")
    taken = [line.split(":")[0] + ":" if line.startswith(opened) else line for line in lines]
    taken = [line[1:] if line.startswith("#  ") else line for line in taken]
    contract = parse("\n".join(taken))
    assert contract.class_names == ("person", "bicycle")
    assert len(contract.coverage) == 2
    assert len(contract.gates) == 6


@pytest.mark.parametrize(
    "text, where, words",
    [
        ("classes:\n  - car\n  - car\n", "line 1, classes", "listed twice"),
        ("classes:\n  - car\n  - {nam: bus}\n", "line 3, classes.1.nam", "no such field"),
        ("classes:\n  - car\n  - no\n", "line 3, classes.1", "neither a name nor a mapping"),
        ("task:\n  kind: guessing\n", "line 2, task.kind", "classification"),
        ("labelset: x\n", "line 1, labelset", "no such field"),
        ("samples:\n  min: -1\n", "line 2, samples.min", "greater than or equal"),
        ("coverage:\n  - {where: 'a = ', min_samples: 1}\n", "line 2, coverage.0.where", "column 4"),
        ("checks:\n  blur: {}\n", "line 1, checks", "no check named 'blur'"),
        ("gates:\n  - {check: readable, metric: samples}\n", "line 2, gates.0", "either a check or a metric"),
        ("gates:\n  - {metric: samples}\n", "line 2, gates.0", "needs `min`"),
        (
            "gates:\n  - {check: readable, max_findings: 1, max_fraction: 0.1}\n",
            "line 2, gates.0",
            "not both",
        ),
        ("metadata:\n  a: {type: float, min: 3, max: 2}\n", "line 2, metadata.a", "larger than max"),
        ("metadata:\n  a: {type: float, min: .nan}\n", "line 2, metadata.a.min", "finite"),
        ("a: 1\na: 2\n", "line 2", "written twice"),
        ("a: [1,\n", "line 2", "no YAML"),
        ("- 1\n", "line 1", "not a mapping"),
    ],
)
def test_each_trouble_is_told_by_line_and_field(text, where, words):
    with pytest.raises(ContractInvalid, match=words) as caught:
        parse(text, file="c.yaml")
    assert caught.value.where == f"c.yaml {where}"
    assert caught.value.remedy


def test_all_troubles_are_told_at_once():
    with pytest.raises(ContractInvalid) as caught:
        parse("a: 1\nb: 2\n")
    assert "line 1, a" in caught.value.message and "line 2, b" in caught.value.message


BOMB = "a: &a [x]\nb: &b [*a, *a]\n"


@pytest.mark.parametrize(
    "text",
    [
        BOMB, "a: " + "[" * 60 + "]" * 60, "x: [" + "1," * 60_000 + "]", "# " + "x" * 1_000_001,
        "a: !!python/name:os.system x",
    ],
    ids=["aliases", "depth", "values", "size", "code"],
)  # fmt: skip
def test_hostile_yaml_is_refused(text):
    with pytest.raises(ContractInvalid):
        parse(text)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=200))
def test_any_text_is_a_contract_or_told_to_be_none(text):
    try:
        assert isinstance(parse(text), Contract)
    except ContractInvalid as error:
        assert error.message


def test_files_that_ask_the_same_have_the_same_hash():
    assert parse("samples: {min: 2}").sha256 == parse("# so\nsamples:\n  min: 2\n").sha256 != DEFAULT.sha256
