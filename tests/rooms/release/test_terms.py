"""Releases for a purpose: what the contract allows, what the card tells of privacy, promises and findings."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.support.shops import make_shop

from calotype.app import wiring
from calotype.checks import service as checks
from calotype.checks.suite.registry import known_checks
from calotype.contracts import service as contracts
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.findings import service as tracking
from calotype.findings.lifecycle import Decision, State
from calotype.findings.repository import FindingFilter
from calotype.foundation.clock import now_us
from calotype.release import card_text, service
from calotype.release.model import PurposeInvalid, PurposeMissing, PurposeNotAllowed, ReleaseSpec

PURPOSES = "task: {name: shop, owner: ana}\npurposes: [training, validation]\n"
DAY_US = 86_400_000_000


@pytest.fixture
def shop(workspace, owner, tmp_path):
    """Eight pictures under the built-in contract."""
    make_shop(owner, workspace, tmp_path / "raw", n=8)
    return workspace


def cut(owner, store, purpose="", contract=None, version="1.0.0"):
    if contract is not None:
        contracts.set_contract(owner, "shop", contract, known_checks(), store=store)
    return service.release(
        owner,
        "shop",
        version,
        ReleaseSpec(purpose=purpose),
        store=store,
        gatekeeper=wiring.gatekeeper(store),
        splitter=wiring.splitter,
    )


def text_of(store, version="1.0.0"):
    return (service.location(store, "shop", version) / "card.md").read_text("utf-8")


def test_the_purpose_of_a_release_is_kept_in_record_card_and_audit(shop, owner):
    made = cut(owner, shop, "training", PURPOSES)
    kept = service.get(owner, "shop", "1.0.0", store=shop)
    assert (made.spec.purpose, kept.spec.purpose) == ("training", "training")
    assert (kept.card["purpose"], kept.card["purposes"]) == ("training", ["training", "validation"])
    assert kept.to_dict()["purpose"] == "training"
    assert "- Purpose: training\n- Allowed purposes: training, validation\n" in text_of(shop)


def test_a_purpose_that_the_contract_lacks_is_refused_with_those_it_allows(shop, owner):
    with pytest.raises(PurposeNotAllowed) as refused:
        cut(owner, shop, "trainig", PURPOSES)
    assert refused.value.remedy == (
        "did you mean 'training'? release it for one of: training, validation; "
        "or have ana add the purpose to the contract"
    )
    assert service.releases(owner, "shop", store=shop) == []


def test_a_refused_purpose_leaves_no_splits(shop, owner):
    contracts.set_contract(owner, "shop", PURPOSES, known_checks(), store=shop)
    with pytest.raises(PurposeNotAllowed):
        service.release(
            owner,
            "shop",
            "1.0.0",
            ReleaseSpec(split={"train": 1.0}, purpose="advertising"),
            store=shop,
            gatekeeper=wiring.gatekeeper(shop),
            splitter=wiring.splitter,
        )
    splits = datasets.read(owner, "shop", store=shop).samples(columns=["split"])["split"].to_pylist()
    assert set(splits) <= {"", None}


def test_a_contract_with_purposes_asks_each_release_for_one(shop, owner):
    with pytest.raises(PurposeMissing, match="--purpose NAME"):
        cut(owner, shop, "  ", PURPOSES)


@pytest.mark.parametrize("contract", [None, "task: {name: shop}"], ids=["none", "without purposes"])
def test_without_purposes_in_the_contract_anything_goes_and_is_recorded(shop, owner, contract):
    assert cut(owner, shop, " a talk ", contract).card["purpose"] == "a talk"
    assert cut(owner, shop, version="1.1.0").card["purpose"] == ""


@pytest.mark.parametrize("purpose", ["two\nlines", "x" * 501])
def test_a_purpose_is_one_short_line(shop, owner, purpose):
    with pytest.raises(PurposeInvalid):
        cut(owner, shop, purpose)


def test_a_contract_that_changes_while_gates_run_counts(shop, owner):
    gates = wiring.gatekeeper(shop)

    def meanwhile(actor, ref):
        verdict = gates(actor, ref)
        contracts.set_contract(owner, "shop", PURPOSES, known_checks(), store=shop)
        return verdict

    with pytest.raises(PurposeMissing):
        service.release(
            owner,
            "shop",
            "1.0.0",
            ReleaseSpec(),
            store=shop,
            gatekeeper=meanwhile,
            splitter=wiring.splitter,
        )


def test_the_card_tells_privacy_and_what_it_leaves_open(shop, owner):
    contract = "privacy: {level: personal, contains: [faces]}\n"
    made = cut(owner, shop, "training", contract)
    assert made.card["privacy"] == {"level": "personal", "contains": ["faces"], "retention_days": None}
    assert [one.rpartition(": ")[2] for one in made.card["warnings"]] == [
        "add privacy.retention_days",
        "add purposes",
    ]
    assert "- Privacy: personal\n- Shows: faces\n" in text_of(shop)
    assert "## Warnings\n\n- privacy.level is personal" in text_of(shop)


def test_samples_that_are_kept_for_too_long_are_told(shop, owner):
    contract = "privacy: {level: personal, retention_days: 30}\npurposes: [training]\n"
    old = list(datasets.read(owner, "shop", store=shop).iter_samples())[:2]
    aged = [replace(one, created_at_us=now_us() - 31 * DAY_US) for one in old]
    datasets.apply(owner, "shop", Change(put_samples=aged), store=shop)
    told = cut(owner, shop, "training", contract).card["warnings"]
    assert told == ["2 samples were added more than 30 days ago, longer than privacy.retention_days allows"]


def test_the_card_tells_objectives_with_their_figures(shop, owner):
    contract = (
        "objectives:\n"
        "  - {name: labelled, metric: labelled_fraction, target: 1.0}\n"
        "  - {name: reviewed, metric: review_fraction, target: 0.5}\n"
    )
    made = cut(owner, shop, contract=contract)
    assert [(o["name"], o["state"], o["measured"]) for o in made.card["objectives"]] == [
        ("labelled", "met", 1.0),
        ("reviewed", "not measured", None),
    ]
    assert "| labelled | met | 1 | at least 1 | 8 of 8 samples carry annotations" in text_of(shop)


def test_the_card_tells_where_findings_stand_and_why_risks_are_accepted(shop, owner):
    contract = (
        "gates: []\n"
        "waivers: [{check: licence, where: '*', reason: one licence for all, owner: ana, until: 2999-01-01}]\n"
    )
    contracts.set_contract(owner, "shop", contract, known_checks(), store=shop)
    bare = [replace(one, licence="") for one in datasets.read(owner, "shop", store=shop).iter_samples()][:3]
    datasets.apply(owner, "shop", Change(put_samples=bare), store=shop)
    checks.check(owner, "shop", store=shop)
    found = tracking.tracked(owner, "shop", FindingFilter(check="licence"), store=shop).items
    until = 32_503_680_000_000_000  # 3000-01-01
    risk = Decision(State.ACCEPTED, note="we asked the owner", until_us=until)
    tracking.triage(owner, "shop", [found[0].key], risk, store=shop)
    tracking.triage(owner, "shop", [found[1].key], Decision(State.ASSIGNED, "bo"), store=shop)
    by_id = {one.sample_id: one for one in bare}
    mended = replace(by_id[found[2].finding.sample_id], licence="CC0-1.0")
    datasets.apply(owner, "shop", Change(put_samples=[mended]), store=shop)
    standing = cut(owner, shop).card["standing"]
    warnings = next(row for row in standing["states"] if row["severity"] == "warning")
    assert (warnings["assigned"], warnings["accepted"], warnings["fixed"]) == (1, 1, 1)
    (accepted,) = standing["accepted"]
    assert (accepted["check"], accepted["because"], accepted["until"]) == (
        "licence",
        "we asked the owner",
        "3000-01-01",
    )
    (waiver,) = standing["waivers"]
    assert (waiver["check"], waiver["owner"], waiver["findings"]) == ("licence", "ana", 2)
    text = text_of(shop)
    assert "## Accepted risks" in text
    assert "| one licence for all | ana | 2999-01-01 |" in text


def test_cards_and_specs_of_older_versions_are_read_and_written_as_they_were(shop, owner):
    cut(owner, shop)
    card = json.loads((service.location(shop, "shop", "1.0.0") / "card.json").read_text("utf-8"))
    new = ("purpose", "purposes", "privacy", "warnings", "objectives", "standing")
    old = card_text.markdown({key: value for key, value in card.items() if key not in new})
    assert not {"## Objectives", "## State of the findings", "## Warnings"} & set(old.splitlines())
    assert "Privacy" not in old
    spec = ReleaseSpec(formats=("coco",)).to_json()
    del spec["purpose"]
    assert ReleaseSpec.from_json(spec).purpose == ""
