"""Contracts are read within limits, and each trouble is told by line and field."""

from __future__ import annotations

from datetime import date

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from calotype.checks.suite.registry import known_checks
from calotype.contracts import text as contract_text
from calotype.contracts.diff import contract_diff
from calotype.contracts.export import odcs_text, to_odcs
from calotype.contracts.model import DEFAULT, Contract, json_schema
from calotype.contracts.text import ContractInvalid, template


def parse(text, **options):
    return contract_text.parse(text, checks=known_checks(), **options)


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}"])
def test_an_empty_contract_is_the_default(text):
    assert parse(text) == DEFAULT


def test_the_template_is_valid_by_itself_and_by_its_schema():
    assert parse(template()).task.kind == "detection"
    jsonschema.validate(yaml.safe_load(template()), json_schema(known_checks()))


def test_every_commented_line_of_the_template_is_valid_when_taken_in():
    lines = template().splitlines()
    opened = ("classes:", "metadata:", "coverage:", "checks:", "waivers:", "objectives:")
    taken = [line.split(":")[0] + ":" if line.startswith(opened) else line for line in lines]
    taken = [line[1:] if line.startswith("#  ") else line for line in taken]
    contract = parse("\n".join(taken))
    assert contract.class_names == ("person", "bicycle")
    assert len(contract.coverage) == 2
    assert len(contract.gates) == 7
    assert contract.waivers[0].until == date(2027, 3, 31)
    assert contract.objectives[0].metric == "freshness_days"


@pytest.mark.parametrize(
    "text, where, words",
    [
        ("classes:\n  - car\n  - car\n", "line 1, classes", "listed twice"),
        ("classes:\n  - car\n  - {nam: bus}\n", "line 3, classes.1.nam", "no such field"),
        ("classes:\n  - car\n  - no\n", "line 3, classes.1", "must be a name or a mapping"),
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
        ("a: 1\na: 2\n", "line 2", "repeated"),
        ("a: [1,\n", "line 2", "not valid YAML"),
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
        BOMB,
        "a: " + "[" * 60 + "]" * 60,
        "x: [" + "1," * 60_000 + "]",
        "# " + "x" * 1_000_001,
        "a: !!python/name:os.system x",
    ],
    ids=["aliases", "depth", "values", "size", "code"],
)
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


GROWN = """
version: 1
task: {name: crossings, kind: detection, owner: ana, product: braking}
classes: [person, {name: bicycle, min_annotations: 5, description: with a rider or without}]
metadata:
  light: {type: str, values: [day, night], operating: true}
  weather: {type: str, values: [dry, wet], operating: true}
slices: {night: 'light = "night"'}
coverage:
  - {slice: night, min_samples: 10, classes: {person: 20, bicycle: {min_annotations: 3}}}
combinations: {ways: 2, min_samples: 2}
gates:
  - {check: near-duplicates, max_findings: 0, scope: new, blocks: [merge]}
  - {check: acme/plates, max_findings: 0}
waivers:
  - {check: box-bounds, where: "cam-07/*", reason: "lens cover, new one in March", owner: ana, until: 2027-03-31}
privacy: {level: personal, contains: [faces], retention_days: 365}
purposes: [training]
guideline: {version: 3}
data_tests: {paths: [tests/data]}
"""


def test_a_grown_contract_says_what_it_asks():
    asked = parse(GROWN)
    assert asked.conditions == ("light", "weather")
    assert asked.query_of(asked.coverage[0]) == 'light = "night"'
    assert asked.coverage[0].classes["person"].min_annotations == 20
    assert (asked.gates[0].scope, asked.gates[0].blocks) == ("new", ("merge",))
    assert asked.guideline is not None
    assert asked.guideline.version == "3"


@pytest.mark.parametrize(
    "text, words",
    [
        ("clases: [car]", "did you mean 'classes'"),
        ("checks: {box-bound: {}}", "did you mean 'box-bounds'"),
        ("coverage: [{slice: night, min_samples: 1}]", "not in `slices`"),
        ("classes: [car]\ncoverage: [{where: 'a = 1', classes: {bus: 1}}]", "class 'bus'"),
        ("coverage: [{where: 'a = 1'}]", "needs `min_samples` or `classes`"),
        ("data_tests: {paths: [../elsewhere]}", "is not inside ROOT"),
        ("data_tests: {paths: [/etc]}", "is not inside ROOT"),
        ("waivers: [{check: licence, reason: no, owner: ana, until: 2027-01-01}]", "reason"),
        ("waivers: [{check: licence, reason: long enough, owner: ana}]", "until: the field is missing"),
        ("combinations: {fields: [light]}", "not in `metadata`"),
    ],
)
def test_what_does_not_fit_together_is_told_with_the_way_out(text, words):
    with pytest.raises(ContractInvalid) as caught:
        parse(text)
    assert words in str(caught.value)


def test_a_diff_tells_stricter_from_looser():
    before = parse("classes: [{name: car, min_annotations: 10}]\ngates: [{check: licence, max_findings: 3}]")
    after = parse(
        "classes: [{name: car, min_annotations: 20}, dog]\ngates: [{check: licence, max_findings: 9}]"
    )
    told = {change.path: change.effect for change in contract_diff(before, after)}
    assert told == {
        "classes.car.min_annotations": "stricter",
        "classes.dog": "stricter",
        "gates.licence.max_findings": "looser",
    }
    assert contract_diff(after, after) == ()


def test_the_open_data_contract_has_what_the_standard_requires():
    made = to_odcs(parse(GROWN), dataset="crossings")
    assert {"apiVersion", "kind", "id", "version", "status"} <= set(made)
    assert made["kind"] == "DataContract"
    fields = {one["name"]: one for one in made["schema"][0]["properties"]}
    assert fields["light"]["logicalType"] == "string"
    assert fields["light"]["tags"] == ["operating-condition"]
    assert {"property": "retention", "value": 365, "unit": "d"} in made["slaProperties"]
    assert yaml.safe_load(odcs_text(parse(GROWN), dataset="crossings")) == made
