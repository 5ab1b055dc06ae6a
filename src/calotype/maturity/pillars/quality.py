"""Quality: gates, faults, reviews, label errors, guidelines."""

from __future__ import annotations

from calotype.maturity import work_facts
from calotype.maturity.facts import Facts
from calotype.maturity.model import DAY_US, Evidence, Measurement
from calotype.maturity.pillars.parts import middle, page, share, unknown

DAYS = 90
STRUCTURAL = ("readable", "box-bounds", "degenerate-shapes", "unknown-classes")
NO_RUN = "all checks were never run on main"
NOT_RECORDED = {"Q2": "gold items are not recorded yet", "Q3": "agreement is not kept over batches yet"}


def green_releases(facts: Facts) -> Measurement:
    """Q1."""
    recent = [one for one in facts.releases if one["created_at_us"] > facts.since_us(DAYS)]
    green = sum(
        bool(one["card"].get("gates")) and all(gate["state"] == "green" for gate in one["card"]["gates"])
        for one in recent
    )
    evidence = Evidence(f"releases of {DAYS} days", len(recent), page(facts, "/releases"))
    return share(green, len(recent), evidence, why=f"nothing was released in {DAYS} days")


def structural_faults(facts: Facts) -> Measurement:
    """Q4."""
    n = facts.n_samples()
    if facts.check_run is None or n == 0:
        return unknown(NO_RUN)
    findings = facts.findings_of(STRUCTURAL)
    return Measurement(
        1_000 * findings / n, n, Evidence("findings of structural checks", findings, page(facts, "/findings"))
    )


def first_pass(facts: Facts) -> Measurement:
    """Q5."""
    rounds = work_facts.accepted_rounds(facts, DAYS)
    evidence = Evidence(f"reviewed images of {DAYS} days", len(rounds), page(facts, "/batches"))
    return share(
        sum(one == 1 for one in rounds), len(rounds), evidence, why=f"no reviewed work in {DAYS} days"
    )


def leakage(facts: Facts) -> Measurement:
    """Q6."""
    gates = facts.gates("split-leakage")
    check = facts.check("split-leakage")
    if not gates and check is None:
        return unknown("the newest whole check run did not look for leakage")
    pairs = int(gates[0]["measured"]) if gates else int(check["findings"]) if check else 0
    return Measurement(
        pairs, facts.n_samples(), Evidence("findings of split-leakage", pairs, page(facts, "/findings"))
    )


def label_error_age(facts: Facts) -> Measurement:
    """Q7."""
    if facts.check("label-errors") is None:
        return unknown("the newest whole check run did not look for label errors")
    ages = [(facts.at_us - opened) / DAY_US for opened in work_facts.open_findings(facts, "label-errors")]
    evidence = Evidence(
        "open findings of label-errors", len(ages), page(facts, "/findings?check=label-errors")
    )
    return middle(ages, evidence, why="") if ages else Measurement(0.0, 0, evidence)


def current_guideline(facts: Facts) -> Measurement:
    """Q8: versions that touched nothing do not make labels stale."""
    made = work_facts.labels_by_version(facts)
    n = sum(made.values())
    evidence = Evidence("labels with a record", n, page(facts, "/guideline"))
    if work_facts.guideline(facts) is None:
        return unknown("no guideline was published")
    current = sum(count for version, count in made.items() if version >= work_facts.touching_version(facts))
    return share(current, n, evidence, why="no labels were accepted from a batch")


MEASURES = {
    "Q1": green_releases,
    "Q4": structural_faults,
    "Q5": first_pass,
    "Q6": leakage,
    "Q7": label_error_age,
    "Q8": current_guideline,
}
