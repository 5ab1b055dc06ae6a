"""Gates: red before the data, green when the contract holds; runs are kept and can be read again."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from tests.support.things import gate

from calotype.checks import service as checks
from calotype.checks.suite.registry import known_checks
from calotype.contracts import service as contracts
from calotype.contracts.text import ContractInvalid, parse
from calotype.datasets import service as datasets
from calotype.findings.model import GateState
from calotype.foundation.actor import Actor
from calotype.foundation.errors import NotPermitted
from calotype.store.catalog import schema

STORY = """
task: {name: crossings, kind: detection}
classes:
  - car
  - {name: dog, min_annotations: 2, min_samples: 2}
samples: {min: 2}
metadata:
  light: {type: str, values: [day, night]}
licences: [CC0-1.0]
coverage:
  - {name: night, where: 'light = "night"', min_samples: 1}
"""


def test_before_the_data_each_thing_that_is_missing_is_named(things, owner):
    contracts.set_contract(owner, "things", STORY, known_checks(), store=things.store)
    report = checks.check(owner, "things", store=things.store)
    missing = {one.name for one in report.gates if one.state is GateState.MISSING}
    assert missing == {
        "samples",
        "class car",
        "class dog",
        "class dog on samples",
        "coverage night",
        "metadata light",
        "licence",
    }
    assert report.red
    assert all(one.fix and one.detail for one in report.gates if one.blocks)


def test_the_same_contract_is_green_when_the_data_hold_it(things, owner):
    contracts.set_contract(owner, "things", STORY, known_checks(), store=things.store)
    for light in ("day", "night"):
        things.box(things.image(metadata={"light": light}), (40, 20, 20, 20), 1)
    report = things.check()
    assert [one for one in report.gates if one.blocks] == []
    assert not report.red


def test_a_class_with_some_data_but_too_few_is_red_not_missing(things, owner):
    contracts.set_contract(owner, "things", STORY, known_checks(), store=things.store)
    things.box(things.image(metadata={"light": "day"}), (40, 20, 20, 20), 1)
    dog = gate(things.check(), "class dog")
    assert (dog.state, dog.measured, dog.threshold) == (GateState.RED, 1, 2)


def test_without_a_contract_an_empty_dataset_is_red_for_want_of_samples(things):
    assert [one.name for one in things.check().gates if one.blocks] == ["samples"]


def test_without_a_contract_degenerate_boxes_licences_and_balance_do_not_block(things):
    sample = things.image(licence="")
    things.box(sample, (3, 3, 0, 9))
    things.image(label=False)
    report = things.check()
    assert {f.check for f in report.findings} >= {"degenerate-shapes", "licence", "unlabelled"}
    assert not report.red


def test_without_a_contract_leakage_blocks_and_names_the_samples(things):
    data = things.store.media.read(things.image(name="a.jpg", split="train").media_sha256)
    things.image(data, name="b.jpg", split="val")
    red = gate(things.check(), "split-leakage")
    assert (red.state, red.findings, red.samples) == (GateState.RED, 1, ("b.jpg",))
    assert red.fix


@pytest.mark.parametrize(
    "spec, state",
    [
        ("{check: unlabelled}", "red"),
        ("{check: unlabelled, max_findings: 1}", "green"),
        ("{check: unlabelled, max_fraction: 0.25}", "green"),
        ("{check: unlabelled, max_fraction: 0.24}", "red"),
        ("{check: unlabelled, severity: error}", "green"),
        ("{metric: labelled-fraction, min: 0.75}", "green"),
        ("{metric: labelled-fraction, min: 0.76}", "red"),
        ("{metric: annotations, min: 4}", "red"),
    ],
)
def test_a_gate_is_judged_by_its_threshold(things, spec, state):
    for number in range(4):
        things.image(label=number != 0)
    report = things.check(f"gates: [{spec}]")
    judged = [one for one in report.gates if one.name != "samples"]
    assert [one.state for one in judged] == [state]


def test_a_gate_on_a_check_that_is_switched_off_blocks(things):
    things.image()
    report = things.check("checks: {unlabelled: {enabled: false}}\ngates: [{check: unlabelled}]")
    assert gate(report, "unlabelled").state is GateState.MISSING


def test_a_contract_may_raise_a_severity(things):
    things.image(label=False)
    text = "checks: {unlabelled: {severity: error}}"
    assert [f.severity for f in things.found("unlabelled", text)] == ["error"]


def test_findings_are_worst_first_and_the_report_says_how_many(things):
    sample = things.image(licence="")
    things.box(sample, (3, 3, 0, 9))
    report = things.check()
    severities = [f.severity for f in report.findings]
    assert severities == sorted(severities, key=("error", "warning", "info").index)
    first = str(report).splitlines()[0]
    assert first == f"{len(report.findings)} findings, worst first; gates: 4 green"
    json.dumps(report.to_dict())


def test_a_run_is_kept_and_read_again_as_it_was(things, owner):
    things.image(licence="")
    report = things.check()
    assert checks.latest(owner, "things", store=things.store) == report


def test_the_newest_run_is_of_this_state_unless_any_will_do(things, owner):
    things.image()
    report = things.check()
    things.image()
    things.write()
    assert checks.latest(owner, "things", store=things.store) is None
    found = checks.latest(owner, "things", store=things.store, any_state=True)
    assert found is not None and found.run_id == report.run_id


def test_a_run_leaves_an_audit_event(things):
    things.image()
    things.check()
    with things.store.catalog.read() as conn:
        verbs = conn.execute(sa.select(schema.audit.c.verb).order_by(schema.audit.c.seq)).scalars().all()
    assert verbs[-1] == "check.run"


def test_a_commit_is_tested_as_it_was(things, owner):
    things.image(licence="")
    things.write()
    made = datasets.commit(owner, "things", "first", store=things.store)
    things.image(licence="")
    things.write()
    report = checks.check(owner, f"things@{made.id}", store=things.store)
    assert (report.commit_id, report.counts["warning"]) == (made.id, 1)


def test_a_contract_makes_its_classes_and_closes_the_ontology(things, owner):
    things.image()
    things.write()
    contracts.set_contract(owner, "things", "classes: [car, bus]", known_checks(), store=things.store)
    ontology = datasets.read(owner, "things", store=things.store).ontology
    assert (ontology.names, ontology.closed) == (("car", "dog", "bus"), True)
    contracts.set_contract(owner, "things", "samples: {min: 3}", known_checks(), store=things.store)
    assert not datasets.read(owner, "things", store=things.store).ontology.closed


def test_a_contract_is_kept_word_for_word(things, owner):
    text = "# ours\nsamples: {min: 3}\n"
    contracts.set_contract(owner, "things", text, known_checks(), store=things.store)
    contract, kept = contracts.contract(owner, "things", known_checks(), store=things.store)
    assert (kept, contract.samples.min) == (text, 3)


@pytest.mark.parametrize(
    "text, words",
    [
        ("checks: {box-bounds: {parameters: {tolerance: 3}}}", "no parameter 'tolerance'"),
        ("checks: {box-bounds: {parameters: {tolerance_px: wide}}}", "must be a number"),
    ],
)
def test_parameters_that_a_check_does_not_have_are_refused(things, owner, text, words):
    with pytest.raises(ContractInvalid, match=words):
        contracts.set_contract(owner, "things", text, known_checks(), store=things.store)


def test_the_template_is_filled_with_what_the_dataset_holds(things, owner):
    things.image(metadata={"light": "day"})
    things.write()
    text = contracts.contract_template(owner, "things", store=things.store)
    contract = parse(text)
    assert contract.class_names == ("car", "dog")
    assert (list(contract.metadata), contract.licences) == (["light"], ("CC0-1.0",))


def test_who_may_not_test_is_refused(things):
    with pytest.raises(NotPermitted):
        checks.check(Actor("x", "x", roles=("auditor",)), "things", store=things.store)
