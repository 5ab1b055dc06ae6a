"""Queries ask for samples by what the newest run of the checks found on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.things import Things

from calotype.checks import service as checks
from calotype.datasets import service as datasets
from calotype.datasets.query.compile import QueryFieldUnknown
from calotype.datasets.query.syntax import QueryInvalid
from calotype.findings import service as findings
from calotype.findings.lifecycle import Decision, State
from calotype.findings.worklist.query_fields import open_annotations, samples_with_findings

THIN = ["000.jpg", "002.jpg", "003.jpg"]


@pytest.fixture
def street(workspace, owner) -> Things:
    """Five images, three by night: boxes without area on three of them, and one beyond the edge on the last."""
    datasets.create(owner, "things", store=workspace)
    things = Things(replace(workspace, samples_with_findings=samples_with_findings), owner)
    for number in range(5):
        things.image(metadata={"light": "night" if number >= 2 else "day"})
    for number in (0, 2, 3):
        things.box(things.samples[number], (5, 5, 0, 9))
    things.box(things.samples[4], (-9, 5, 20, 20))
    things.check()
    return things


@pytest.fixture
def names(street, owner) -> Callable[[str], list[str]]:
    """Names of the samples that match a query."""

    def asked(where: str) -> list[str]:
        state = datasets.read(owner, "things", store=street.store)
        return [sample.name for sample in state.iter_samples(where=where)]

    return asked


def test_samples_are_asked_for_by_check_and_by_severity(names):
    assert names('finding = "degenerate-shapes"') == THIN
    assert names('finding contains "shapes" and light = "night"') == THIN[1:]
    assert names('finding in ("box-bounds", "degenerate-shapes")') == [*THIN, "004.jpg"]
    assert names('finding.severity = "warning" and finding = "box-bounds"') == ["004.jpg"]
    assert names('finding = "licence"') == []


def test_samples_without_a_finding_are_asked_for_too(names):
    assert set(names('finding != "degenerate-shapes"')) == {"001.jpg", "004.jpg"}
    assert "001.jpg" in names('finding.severity != "warning"')
    missing = names("finding is missing")
    assert names("finding is not missing") == [name for name in names("width > 0") if name not in missing]


def test_decisions_and_new_runs_change_the_answer_at_once(street, owner, names):
    found = findings.tracked(owner, "things", store=street.store).items
    (key,) = (
        one.key
        for one in found
        if one.finding.check == "degenerate-shapes" and one.finding.sample == "000.jpg"
    )
    note = Decision(State.REJECTED, note="a line")
    decided = findings.triage(owner, "things", [key], note, store=street.store)
    assert names('finding = "degenerate-shapes"') == THIN[1:]
    findings.undo(owner, "things", decided.id, store=street.store)
    assert names('finding = "degenerate-shapes"') == THIN
    fixable = [one.key for one in found if one.finding.check == "box-bounds"]
    findings.fix(owner, "things", fixable, store=street.store)
    checks.check(owner, "things", store=street.store)
    assert names('finding = "box-bounds"') == []


def test_annotations_with_a_finding_are_known_until_it_is_decided(street, owner):
    state = datasets.read(owner, "things", store=street.store)
    ids = [sample.sample_id for sample in street.samples]
    wrong = {box.ann_id: box.sample_id for box in street.boxes if box.bbox_xywh_px != (5, 5, 20, 20)}
    assert len(wrong) == 4
    assert open_annotations(street.store, state, ids) == set(wrong)
    first = {annotation for annotation, sample in wrong.items() if sample in ids[:2]}
    assert open_annotations(street.store, state, ids[:2]) == first != set()
    assert open_annotations(street.store, state, []) == set()
    keys = [one.key for one in findings.tracked(owner, "things", store=street.store).items]
    findings.triage(owner, "things", keys, Decision(State.REJECTED, note="lines"), store=street.store)
    assert open_annotations(street.store, state, ids) == set()


@pytest.mark.parametrize(
    "where, said",
    [
        ('finding = "degenerate-shape"', "did you mean 'degenerate-shapes'"),
        ('finding.severity = "warnign"', "did you mean 'warning'"),
        ('any(finding = "box-bounds")', "outside of `any` and `count`"),
    ],
    ids=["check", "severity", "annotation"],
)
def test_an_unknown_check_or_severity_names_the_nearest(names, where, said):
    with pytest.raises(QueryFieldUnknown, match=said):
        names(where)


def test_names_have_no_order(names):
    with pytest.raises(QueryInvalid, match="can only be compared"):
        names('finding > "box-bounds"')


def test_before_the_first_run_no_sample_has_a_finding(workspace, owner):
    datasets.create(owner, "fresh", store=workspace)
    store = replace(workspace, samples_with_findings=samples_with_findings)
    things = Things(store, owner, "fresh")
    things.image()
    things.write()
    assert datasets.read(owner, "fresh", store=store).count('finding = "licence"')["samples"] == 0
