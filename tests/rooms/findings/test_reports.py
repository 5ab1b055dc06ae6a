"""Runs of checks in the forms that other programs read."""

from __future__ import annotations

import json

import pytest
from defusedxml import ElementTree

from calotype.findings.reports import FORMS, ReportFormatUnknown, report_as

NASTY = "a<b>&\"'|,%:\n\x00.jpg"


@pytest.fixture
def report(things):
    """One red gate and a finding on a sample with a nasty name."""
    things.image(name="good.jpg", split="train")
    data = things.store.media.read(things.samples[0].media_sha256)
    things.image(data, name=NASTY.replace("\x00", ""), split="val")
    return things.check()


def test_junit_has_a_failure_for_each_gate_that_blocks(report):
    root = ElementTree.fromstring(report_as("junit", report))
    failed = [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None]
    assert failed == ["split-leakage"]
    assert root.get("failures") == "1"
    assert int(str(root.get("tests"))) == len(list(root.iter("testcase")))


def test_sarif_names_rule_place_and_fingerprint(report):
    run = json.loads(report_as("sarif", report))["runs"][0]
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} >= {"split-leakage"}
    leak = next(one for one in run["results"] if one["ruleId"] == "split-leakage")
    assert leak["level"] == "error"
    assert len(leak["partialFingerprints"]["calotype/v1"]) == 24


def test_github_annotations_stay_on_one_line_each(report):
    lines = report_as("github", report).splitlines()
    assert all(line.startswith("::") for line in lines)
    assert lines[0].startswith("::error title=gate split-leakage is red::")


def test_pages_escape_what_names_hold(report):
    assert "a<b>" not in report_as("html", report)
    assert "<script" not in report_as("html", report)
    assert "a&lt;b&gt;&amp;" in report_as("markdown", report)


def test_an_unknown_form_is_refused_with_those_that_are(report):
    with pytest.raises(ReportFormatUnknown, match="junit"):
        report_as("pdf", report)
    assert json.loads(report_as("json", report))["red"] is True
    assert set(FORMS) == {"junit", "sarif", "github", "markdown", "html", "json"}
