"""What fails in a check costs itself only: the sample it fails on, or the one check."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.images import draw, encode

from calotype.checks import engine, gates, measures
from calotype.checks.suite import REGISTRY, CheckContext
from calotype.contracts.model import Contract
from calotype.contracts.text import parse
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Sample
from calotype.findings.isolation import FAULT, isolate
from calotype.findings.model import GateState
from calotype.foundation.errors import NotFound
from calotype.foundation.progress import silent
from calotype.store import measures as cache


@pytest.fixture
def snapshot(workspace, owner):
    datasets.create(owner, "d", store=workspace)
    samples = []
    for number in range(9):
        put = workspace.media.put(encode(draw(number)))
        samples.append(
            Sample(f"{number:032x}", put.sha256, f"{number}.jpg", 96, 64, "image/jpeg", put.n_bytes)
        )
    return datasets.apply(owner, "d", Change(put_samples=samples), store=workspace)


def failing(on, scope="sample", error=KeyError):
    """A check that finds something on each sample, and fails where one of these names is among its samples."""

    def look(context, tally):
        names = [str(name) for name in context.column("name")]
        tally.looked_at = len(names)
        if set(names) & on:
            raise error("gone")
        tally.samples(range(len(names)), lambda row: (f"saw {names[row]}", {}))

    return replace(REGISTRY["dimensions"], name="dimensions", run=look, scope=scope)


def run(workspace, snapshot, *checks, contract=None):
    context = CheckContext(snapshot, contract or Contract(), workspace)
    return context, engine.run(context, silent, registry={check.name: check for check in checks})


def test_the_failing_samples_are_named_and_the_others_are_checked(workspace, snapshot):
    _, ran = run(workspace, snapshot, failing({"2.jpg", "7.jpg"}))
    named = {finding.sample: finding.reason for finding in ran.findings if finding.fault == FAULT}
    assert set(named) == {"2.jpg", "7.jpg"}
    assert all("the check fails on this sample: KeyError" in reason for reason in named.values())
    assert len([finding for finding in ran.findings if finding.fault != FAULT]) == 7
    assert ran.tallies["dimensions"].looked_at == 9


def test_a_check_of_all_samples_that_fails_is_one_finding_and_the_next_check_runs(workspace, snapshot):
    other = replace(failing(set()), name="letterbox")
    _, ran = run(workspace, snapshot, failing({"2.jpg"}, scope="dataset"), other)
    (whole,) = ran.tallies["dimensions"].findings
    assert (whole.fault, whole.severity, whole.sample) == (FAULT, "error", "")
    assert len(ran.tallies["letterbox"].findings) == 9


def test_no_gate_is_green_because_its_check_failed(workspace, snapshot):
    contract = parse("gates:\n  - {check: dimensions, max_fraction: 0.9}\n")
    context, ran = run(workspace, snapshot, failing({"2.jpg"}, scope="dataset"), contract=contract)
    (gate,) = [gate for gate in gates.evaluate(context, ran.tallies) if gate.check == "dimensions"]
    assert gate.state is GateState.RED
    assert "failed" in gate.detail


def test_an_error_that_says_that_the_check_cannot_run_is_not_hidden(workspace, snapshot):
    class Missing(NotFound):
        what = "no such model"

        def __init__(self, _):
            super().__init__()

    with pytest.raises(Missing):
        run(workspace, snapshot, failing({"2.jpg"}, error=Missing))


def test_too_many_failing_samples_are_not_named_one_by_one():
    def work(ids):
        raise ValueError(ids[0])

    assert not isolate(work, [str(at) for at in range(500)]).complete
    assert isolate(work, ["a", "b"]).failing == {"a": "ValueError: a", "b": "ValueError: b"}


def test_what_fails_only_together_has_no_failing_sample():
    def work(ids):
        if len(ids) > 1:
            raise ValueError("together")
        return ids

    assert not isolate(work, ["a", "b"]).complete


def test_a_measure_that_fails_on_one_image_is_told_and_the_others_have_theirs(
    workspace, owner, snapshot, monkeypatch
):
    bad = next(iter(snapshot.iter_samples()))
    data = workspace.media.read(bad.media_sha256)
    spec = measures._MEASURES["dhash64"]

    def compute(given, upright):
        if given == data:
            raise ZeroDivisionError("flat")
        return spec.compute(given, upright)

    broken = cache.Measure(compute, np.uint64)
    monkeypatch.setitem(measures._MEASURES, "dhash64", broken)
    failing: dict[str, str] = {}
    measures.measure(workspace, snapshot, measures.NAMES, failed=failing)
    wanted = {bad.media_sha256: "dhash64: ZeroDivisionError: flat"}
    assert measures.unreadable(workspace, snapshot, failing) == ({}, wanted)
    context = CheckContext(snapshot, Contract(), workspace)
    ran = engine.run(context, silent, only=["readable"])
    (finding,) = [finding for finding in ran.findings if finding.fault == "not-measured"]
    assert finding.sample == bad.name


def test_the_suite_looks_at_single_samples_and_at_all_of_them():
    assert {check.scope for check in REGISTRY.values()} == {"sample", "dataset"}
