"""Objectives: met, missed or not measured, each with its figure; told everywhere, blocking nothing."""

from __future__ import annotations

import pytest

from calotype.checks import service as checks
from calotype.checks.suite.registry import known_checks
from calotype.contracts import service as contracts
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.findings.reports import report_as
from calotype.foundation.clock import now_us

DAY_US = 86_400_000_000
ONE = "gates: []\nobjectives: [{name: promise, metric: %s, target: %s, window_days: %s}]\n"


def promise(metric, target, window_days=28, more=""):
    return ONE % (metric, target, window_days) + more


def measured(report):
    (one,) = report.objectives
    return str(one.state), one.measured


@pytest.mark.parametrize("target, state", [(3, "met"), (1, "missed")])
def test_freshness_counts_from_the_newest_sample(things, target, state):
    for days in (9, 2):
        things.image(created_at_us=now_us() - days * DAY_US)
    got, figure = measured(things.check(promise("freshness_days", target)))
    assert (got, round(figure, 2)) == (state, 2.0)


def test_freshness_reads_the_date_that_the_contract_names(things, owner):
    things.image(metadata={"taken": "2020-01-01"})
    things.write()
    datasets.apply(owner, "things", Change(fields={"taken": "str"}), store=things.store)
    text = promise("freshness_days", 14, more="freshness: {max_age_days: 9999, field: taken}")
    state, figure = measured(things.check(text))
    assert state == "missed"
    assert figure > 2_000


@pytest.mark.parametrize("target, state", [(0.75, "met"), (0.8, "missed")])
def test_labelled_is_the_share_of_samples_with_annotations(things, target, state):
    for at in range(4):
        things.image(label=at > 0)
    assert measured(things.check(promise("labelled_fraction", target))) == (state, 0.75)


@pytest.mark.parametrize(
    "attributes, result",
    [
        ([{}, {}], ("not measured", None)),
        ([{"reviewed": True}, {}], ("met", 0.5)),
        ([{"reviewed": False}, {}], ("missed", 0.0)),
    ],
    ids=["unknown", "half", "none"],
)
def test_reviewed_is_the_share_that_says_so(things, attributes, result):
    for given in attributes:
        things.box(things.image(label=False), (5, 5, 20, 20), attributes=given)
    assert measured(things.check(promise("review_fraction", 0.5))) == result


def test_findings_count_errors_and_warnings_that_nothing_excuses(things):
    things.image(name="a.jpg", licence="")
    things.image(name="b.jpg", licence="")
    waiver = (
        "waivers: [{check: licence, where: a.jpg, reason: the owner said so, owner: ana, until: 2999-01-01}]"
    )
    assert measured(things.check(promise("finding_count", 1))) == ("missed", 2.0)
    assert measured(things.check(promise("finding_count", 1, more=waiver))) == ("met", 1.0)


def test_green_gates_are_counted_over_the_runs_of_the_window(things, owner, monkeypatch):
    text = promise("gate_green_fraction", 0.6, 7)
    assert measured(things.check(text)) == ("missed", 0.0)  # no sample yet: its gate is missing
    things.image()
    assert measured(things.check(text)) == ("missed", 0.5)
    later = now_us() + 8 * DAY_US
    monkeypatch.setattr("calotype.checks.service.now_us", lambda: later)
    assert measured(things.check(text)) == ("met", 1.0)


def test_an_empty_dataset_promises_nothing_that_can_be_measured(things):
    for metric in ("freshness_days", "labelled_fraction", "review_fraction"):
        assert measured(things.check(promise(metric, 1))) == ("not measured", None)


def test_a_missed_objective_does_not_block(things):
    things.image(licence="")
    report = things.check(promise("finding_count", 0))
    assert (measured(report), report.red) == (("missed", 1.0), False)


def test_a_run_of_some_checks_measures_no_objective(things, owner):
    things.image()
    things.write()
    text = promise("finding_count", 0)
    ran = checks.check(owner, "things", store=things.store, contract_text=text, only=["readable"])
    assert ran.objectives == ()


def test_a_kept_run_has_its_objectives(things, owner):
    things.image()
    things.write()
    contracts.set_contract(
        owner, "things", promise("labelled_fraction", 1.0), known_checks(), store=things.store
    )
    ran = checks.check(owner, "things", store=things.store)
    kept = checks.latest(owner, "things", store=things.store)
    assert kept is not None
    assert kept.objectives == ran.objectives


def test_a_figure_that_misses_by_a_hair_does_not_read_like_its_target(things):
    days = 2 + 1 / 86_400
    things.image(created_at_us=now_us() - round(days * DAY_US))
    state, figure = measured(things.check(promise("freshness_days", 2)))
    assert state == "missed"
    assert figure > 2


def test_every_report_tells_what_was_missed(things):
    things.image(licence="")
    report = things.check(promise("finding_count", 0))
    assert "missed  objective promise: 1, target at most 0 findings" in str(report)
    told = "| promise | missed | 1 | at most 0 findings | errors and warnings |"
    assert told in report_as("markdown", report)
    assert "<h2>Objectives</h2>" in report_as("html", report)
    assert "::warning title=objective promise is missed::" in report_as("github", report)
    assert 'name="promise"><system-out>missed: promise: 1' in report_as("junit", report)
    for form in ("json", "sarif"):
        assert '"state": "missed"' in report_as(form, report)
