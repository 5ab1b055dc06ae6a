"""A later run looks only at what changed, and says what a whole run says."""

from __future__ import annotations

import pytest

from calotype.checks import service as checks
from calotype.checks.engine import CheckUnknown
from calotype.checks.suite.registry import known_checks
from calotype.contracts import service as contracts
from calotype.datasets import service as datasets
from calotype.datasets.change import Change


def told(report):
    """What a run says, apart from its times."""
    counts = {one.name: (one.looked_at, dict(one.counts)) for one in report.checks}
    return counts, sorted((f.key, f.severity, f.reason) for f in report.findings), report.gates


def again(report, name):
    return next(one.measured_again for one in report.checks if one.name == name)


@pytest.fixture
def tested(things, owner):
    """Six images, of which two have faults, and one run."""
    for k in range(6):
        sample = things.image(licence="" if k == 0 else "CC0-1.0")
        if k == 1:
            things.box(sample, (5, 5, 0, 9))
    things.check()
    return things


def newest(things, owner):
    found = checks.latest(owner, "things", store=things.store)
    assert found is not None
    return found


def run(things, owner, **options):
    return checks.check(owner, "things", store=things.store, **options)


def test_without_a_change_no_sample_is_looked_at_again(tested, owner):
    report = run(tested, owner)
    assert again(report, "box-bounds") == 0
    assert told(report) == told(run(tested, owner, whole=True))


def test_only_the_sample_that_changed_is_looked_at_again(tested, owner):
    tested.box(tested.samples[2], (-9, 5, 20, 20))
    tested.write()
    report = run(tested, owner)
    assert again(report, "box-bounds") == 1
    assert told(report) == told(run(tested, owner, whole=True))
    assert any(f.check == "box-bounds" for f in report.findings)


def test_a_fault_that_is_mended_goes(tested, owner):
    bad = tested.boxes[2]
    assert bad.bbox_xywh_px == (5, 5, 0, 9)
    change = Change(remove_annotations={"ground_truth": [bad.ann_id]})
    datasets.apply(owner, "things", change, store=tested.store)
    report = run(tested, owner)
    assert [f for f in report.findings if f.check == "degenerate-shapes"] == []
    assert told(report) == told(run(tested, owner, whole=True))


def test_a_sample_that_goes_takes_its_findings_along(tested, owner):
    change = Change(remove_samples=[tested.samples[0].sample_id])
    datasets.apply(owner, "things", change, store=tested.store)
    report = run(tested, owner)
    assert [f for f in report.findings if f.check == "licence"] == []
    assert told(report) == told(run(tested, owner, whole=True))


def test_another_parameter_makes_the_check_look_at_everything(tested, owner):
    text = "checks: {degenerate-shapes: {parameters: {min_side_px: 99}}}"
    contracts.set_contract(owner, "things", text, known_checks(), store=tested.store)
    assert again(run(tested, owner), "degenerate-shapes") is None


def test_one_family_runs_alone_and_does_not_count_as_the_newest_run(tested, owner):
    before = newest(tested, owner)
    report = run(tested, owner, only=["structure"])
    assert {one.family for one in report.checks} == {"structure"}
    assert newest(tested, owner).run_id == before.run_id


def test_a_check_that_is_not_there_is_refused_with_those_that_are(tested, owner):
    with pytest.raises(CheckUnknown, match="box-bounds"):
        run(tested, owner, only=["box-bound"])


def test_a_finding_keeps_its_key_from_run_to_run(tested, owner):
    first = {f.key for f in newest(tested, owner).findings}
    assert {f.key for f in run(tested, owner, whole=True).findings} == first
