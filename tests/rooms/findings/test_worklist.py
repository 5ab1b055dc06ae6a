"""The findings of a run as a work list: filters, groups, and an order that stays while people decide."""

from __future__ import annotations

import pytest

from calotype.checks import service as checks
from calotype.checks.suite.registry import known_checks
from calotype.contracts import service as contracts
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.query.compile import QueryFieldUnknown
from calotype.findings import service as findings
from calotype.findings.lifecycle import Decision, State
from calotype.findings.service import CheckRunNotFound, ListFilter
from calotype.findings.worklist.grouping import FindingGroupUnknown

OPEN = (State.OPEN, State.ASSIGNED)


@pytest.fixture
def street(things, owner):
    """Five images, three by night. Boxes without area: a car by day, a car and a dog by night."""
    contracts.set_contract(owner, "things", "gates: []", known_checks(), store=things.store)
    for number in range(5):
        light = "night" if number >= 2 else "day"
        things.image(metadata={"light": light, "lux": 100 - number})
    things.box(things.samples[0], (5, 5, 0, 9))
    things.box(things.samples[2], (5, 5, 0, 9))
    things.box(things.samples[3], (5, 5, 0, 9), class_id=1)
    things.box(things.samples[4], (-9, 5, 20, 20))
    things.report = things.check()
    return things


def listed(street, owner, **filters):
    group_by = filters.pop("group_by", "")
    page = findings.listed(
        owner, "things", street.report.run_id, ListFilter(**filters), store=street.store, group_by=group_by
    )
    return page, [(row.finding.check, row.finding.sample, row.class_name) for row in page.rows]


def grouped(street, owner, by, **filters):
    groups = findings.groups(
        owner, "things", street.report.run_id, ListFilter(**filters), by, store=street.store
    )
    return {group.value: (group.n, group.n_pending) for group in groups}


def test_a_list_is_filtered_by_check_class_and_a_query_over_samples(street, owner):
    check = "degenerate-shapes"
    assert listed(street, owner, check=check, where='light = "night"')[1] == [
        (check, "002.jpg", "car"),
        (check, "003.jpg", "dog"),
    ]
    assert listed(street, owner, check=check, class_name="dog")[1] == [(check, "003.jpg", "dog")]
    assert listed(street, owner, check=check, where='light = "day"')[0].total == 1
    with pytest.raises(QueryFieldUnknown, match="lihgt"):
        listed(street, owner, where='lihgt = "day"')


def test_groups_are_counted_with_what_is_still_open(street, owner):
    check = "degenerate-shapes"
    assert grouped(street, owner, "check")[check] == (3, 3)
    assert grouped(street, owner, "class", check=check) == {"car": (2, 2), "dog": (1, 1)}
    assert grouped(street, owner, "field:light", check=check) == {"night": (2, 2), "day": (1, 1)}
    assert grouped(street, owner, "field:lux", check=check) == {100: (1, 1), 98: (1, 1), 97: (1, 1)}
    key = listed(street, owner, check=check)[0].rows[0].finding.key
    findings.triage(owner, "things", [key], Decision(State.REJECTED, note="a line"), store=street.store)
    assert grouped(street, owner, "check")[check] == (3, 2)
    for unknown in ("colour", "field:colour"):
        with pytest.raises(FindingGroupUnknown):
            grouped(street, owner, unknown)


def test_a_list_in_groups_has_them_in_the_order_of_the_counts(street, owner):
    _, rows = listed(street, owner, group_by="class", check="degenerate-shapes")
    assert [class_name for *_, class_name in rows] == ["car", "car", "dog"]


def test_a_list_keeps_its_rows_while_people_decide_and_until_it_is_opened_again(street, owner):
    before, rows = listed(street, owner, check="degenerate-shapes", states=OPEN)
    key = before.rows[0].finding.key
    findings.triage(owner, "things", [key], Decision(State.REJECTED, note="a line"), store=street.store)
    findings.fix(owner, "things", [before.rows[1].finding.key], store=street.store)
    checks.check(owner, "things", store=street.store)
    later, same = listed(street, owner, check="degenerate-shapes", states=OPEN, as_of=before.as_of)
    assert same == rows
    states = [str(row.tracked.state) for row in later.rows]
    assert states == ["rejected", "closed", "open"]
    again, _ = listed(street, owner, check="degenerate-shapes", states=OPEN)
    assert again.total == 1


def test_filters_read_the_tested_state_also_after_its_samples_are_gone(street, owner):
    gone = street.samples[2].sample_id
    datasets.apply(owner, "things", Change(remove_samples=[gone]), store=street.store)
    assert listed(street, owner, check="degenerate-shapes", where='light = "night"')[0].total == 2


def test_all_that_match_are_selected_not_a_page_of_them(street, owner):
    keys = findings.matching_keys(
        owner, "things", street.report.run_id, ListFilter(check="degenerate-shapes"), store=street.store
    )
    assert len(keys) == 3


def test_a_retest_says_what_it_changed(street, owner):
    page, _ = listed(street, owner, check="degenerate-shapes")
    first, second, _ = (row.finding.key for row in page.rows)
    findings.fix(owner, "things", [first], store=street.store)
    findings.triage(owner, "things", [second], Decision(State.FIXED), store=street.store)
    run = checks.check(owner, "things", store=street.store).run_id
    changes = findings.changes_of_run(owner, "things", run, store=street.store)
    assert (changes["closed"], changes["still-there"], changes["opened"]) == ([first], [second], [])


def test_open_findings_leave_out_what_was_judged(street, owner):
    page, _ = listed(street, owner, check="degenerate-shapes")
    severity = page.rows[0].finding.severity
    key = page.rows[0].finding.key
    findings.triage(owner, "things", [key], Decision(State.REJECTED, note="a line"), store=street.store)
    counts = street.report.counts
    still = findings.open_by_severity(owner, "things", street.report.run_id, counts, store=street.store)
    assert still == counts | {severity: counts[severity] - 1}


def test_a_run_of_another_dataset_is_not_read(street, owner):
    datasets.create(owner, "other", store=street.store)
    with pytest.raises(CheckRunNotFound):
        findings.listed(owner, "other", street.report.run_id, ListFilter(), store=street.store)


def test_findings_are_read_page_by_page(things, owner):
    for _ in range(5):
        things.image(licence="")
    run = things.check().run_id
    licence = ListFilter(check="licence")
    page = findings.listed(owner, "things", run, licence, store=things.store, offset=3, limit=10)
    assert (page.total, [row.finding.sample for row in page.rows]) == (5, ["003.jpg", "004.jpg"])
    errors = ListFilter(severity="error")
    assert findings.listed(owner, "things", run, errors, store=things.store).total == 0
    with pytest.raises(CheckRunNotFound):
        findings.listed(owner, "things", "nothing", licence, store=things.store)
