"""Waivers, gates that count only what is new, gates for merges only, comparing, plug-ins, data tests."""

from __future__ import annotations

import json

import pytest
from tests.support.things import gate

from calotype.app import wiring
from calotype.app.cli import main
from calotype.checks import service as checks
from calotype.checks.suite import Check, registry
from calotype.checks.suite.registry import known_checks
from calotype.contracts import service as contracts
from calotype.contracts.text import ContractInvalid
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.findings.model import GateState

BOUNDS = "gates: [{check: box-bounds, max_findings: 0%s}]\n"
WAIVER = "waivers: [{check: box-bounds, where: '%s', reason: a known lens cover, owner: ana, until: %s}]"


@pytest.fixture
def shop(things):
    """Two images; the box of the first reaches 9 px beyond it."""
    things.box(things.image(name="cam-07/a.jpg"), (-9, 5, 20, 20))
    things.image(name="b.jpg")
    things.write()
    return things


def ran(shop, owner, text, ref="things", **more):
    return checks.check(owner, ref, store=shop.store, contract_text=text, **more)


@pytest.mark.parametrize(
    "where, until, state",
    [
        ("cam-07/*", "2999-01-01", GateState.GREEN),
        ("cam-08/*", "2999-01-01", GateState.RED),
        ("cam-07/*", "2001-01-01", GateState.RED),
    ],
    ids=["holds", "elsewhere", "over"],
)
def test_a_waiver_lets_pass_what_it_names_until_its_day(shop, owner, where, until, state):
    found = gate(ran(shop, owner, BOUNDS % "" + WAIVER % (where, until)), "box-bounds")
    assert (found.state, found.excused) == (state, int(state is GateState.GREEN))


def test_a_gate_of_scope_new_counts_what_main_has_not(shop, owner):
    text = BOUNDS % ", scope: new"
    assert gate(ran(shop, owner, text), "box-bounds").state is GateState.RED
    datasets.commit(owner, "things", "first", store=shop.store)
    checks.check(owner, "things", store=shop.store)
    datasets.branch(owner, "things", "more", store=shop.store)
    assert gate(ran(shop, owner, text, "things@more+"), "box-bounds").state is GateState.GREEN
    bad = shop.box(shop.samples[1], (-9, 1, 20, 20))
    change = Change(put_annotations={"ground_truth": [bad]})
    datasets.apply(owner, "things@more", change, store=shop.store)
    found = gate(ran(shop, owner, text, "things@more+"), "box-bounds")
    assert (found.state, found.findings, found.excused) == (GateState.RED, 1, 1)


def test_a_gate_may_block_merges_and_let_releases_pass(shop, owner):
    contracts.set_contract(owner, "things", BOUNDS % ", blocks: [merge]", known_checks(), store=shop.store)
    names = {
        on: [one.name for one in wiring.gatekeeper(shop.store, on)(owner, "things").gates]
        for on in ("merge", "release")
    }
    assert "box-bounds" in names["merge"]
    assert "box-bounds" not in names["release"]


def test_two_commits_are_compared_by_what_is_new_fixed_and_remaining(shop, owner):
    first = datasets.commit(owner, "things", "first", store=shop.store)
    fixed = next(box for box in shop.boxes if box.bbox_xywh_px == (-9, 5, 20, 20))
    worse = shop.box(shop.samples[1], (5, 5, 0, 9))
    change = Change(
        remove_annotations={"ground_truth": [fixed.ann_id]}, put_annotations={"ground_truth": [worse]}
    )
    datasets.apply(owner, "things", change, store=shop.store)
    found = checks.compare(owner, "things", first.id, "", store=shop.store)
    assert [f.check for f in found.new if f.severity != "info"] == ["degenerate-shapes"]
    assert [f.check for f in found.fixed if f.severity != "info"] == ["box-bounds"]
    assert found.unsure == ()


def test_a_plug_in_brings_a_check_that_contracts_may_name(shop, owner, monkeypatch):
    def odd(context, tally):
        tally.looked_at = context.n_samples
        tally.samples([0], lambda row: (f"{context.name_of(row)} is odd", {}))

    brought = Check("acme/odd", "Odd", "Nothing is odd.", "make it even", "samples", "warning", odd)
    with pytest.raises(ContractInvalid, match="no plug-in provides"):
        contracts.set_contract(owner, "things", "checks: {acme/odd: {}}", known_checks(), store=shop.store)
    monkeypatch.setattr(registry, "entry_points", lambda group: [Point(brought)])
    registry.all_checks.cache_clear()
    try:
        report = ran(shop, owner, "gates: [{check: acme/odd, max_findings: 0}]")
        assert gate(report, "acme/odd").state is GateState.RED
    finally:
        monkeypatch.undo()
        registry.all_checks.cache_clear()


class Point:
    """An entry point that answers a check."""

    name = "acme"

    def __init__(self, brought):
        self._brought = brought

    def load(self):
        return self._brought


TESTS = """
import pytest

def test_there_are_two(dataset):
    assert dataset.where().count()["samples"] == 2

def test_no_name_begins_with_b(dataset):
    bad = [dataset.fault(s, "begins with b") for s in dataset.where() if s.name.startswith("b")]
    assert not bad

@pytest.mark.data(severity="info")
def test_a_wish(dataset):
    assert False, "not yet"
"""


def test_data_tests_in_python_become_findings_and_a_gate(shop, owner, tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_names.py").write_text(TESTS)
    text = "gates: []\ndata_tests: {paths: [tests]}"
    run = wiring.data_tests(shop.store, tmp_path)
    report = ran(shop, owner, text, tests=run)
    found = gate(report, "data-tests")
    assert (found.state, found.measured) == (GateState.RED, 1)
    told = [(f.severity, f.sample) for f in report.findings if f.check == "data-tests"]
    assert told == [("error", "b.jpg"), ("info", "")]
    again = gate(ran(shop, owner, text), "data-tests")
    assert again.state is GateState.RED


@pytest.mark.slow
def test_the_command_line_runs_the_data_tests_of_a_root(shop, tmp_path, capsys):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_names.py").write_text(TESTS)
    (tmp_path / "c.yaml").write_text("gates: []\ndata_tests: {paths: [tests]}")
    words = ["--json", "-w", str(shop.store.root), "check", "things", "--contract", str(tmp_path / "c.yaml")]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--tests", str(tmp_path)])
    assert ended.value.code == 1
    gates = {one["name"]: one["state"] for one in json.loads(capsys.readouterr().out)["gates"]}
    assert gates["data-tests"] == "red"


def test_data_tests_that_were_not_run_block(shop, owner):
    found = gate(ran(shop, owner, "data_tests: {paths: [tests]}"), "data-tests")
    assert found.state is GateState.MISSING
    assert "--tests" in found.fix
