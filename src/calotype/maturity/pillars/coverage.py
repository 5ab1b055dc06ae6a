"""Coverage: what the contract asks for, and what is there."""

from __future__ import annotations

from calotype.maturity.facts import Facts
from calotype.maturity.model import Evidence, Measurement
from calotype.maturity.pillars.parts import page, share, unknown

NOT_RECORDED = {
    "CV2": "the pairs of conditions are not counted yet: see the findings of the check combinations",
    "CV5": "production images are not compared yet",
    "CV7": "production errors are not recorded yet",
}


def cells(facts: Facts) -> Measurement:
    """CV1."""
    return _green(facts, "coverage", "cells of the contract's coverage", "the contract names no coverage")


def class_minimums(facts: Facts) -> Measurement:
    """CV6."""
    return _green(
        facts, "class-balance", "classes with a minimum", "the contract names no minimum of a class"
    )


def _green(facts: Facts, check: str, what: str, why: str) -> Measurement:
    gates = facts.gates(check)
    evidence = Evidence(what, len(gates), page(facts, "/checks"))
    return share(sum(one["state"] == "green" for one in gates), len(gates), evidence, why=why)


def test_split(facts: Facts) -> Measurement:
    """CV3."""
    asked = {one["name"].removeprefix("class ") for one in facts.gates("class-balance")}
    if not facts.releases or not asked:
        return unknown("nothing was released, or the contract names no minimum of a class")
    newest = facts.releases[-1]
    classes = newest["card"].get("classes", ())
    there = {one["name"] for one in classes if (one.get("by_split") or {}).get("test")} & asked
    evidence = Evidence("classes with a minimum", len(asked), page(facts, f"/releases/{newest['version']}"))
    return share(len(there), len(asked), evidence, why="")


def drift(facts: Facts) -> Measurement:
    """CV4."""
    check = facts.check("drift")
    if check is None:
        return unknown("the newest whole check run compared with nothing")
    return Measurement(
        float(check["findings"]),
        int(check["looked_at"]),
        Evidence("findings of drift", int(check["findings"]), page(facts, "/findings?check=drift")),
    )


def metadata(facts: Facts) -> Measurement:
    """CV8."""
    check, n = facts.check("metadata"), facts.n_samples()
    if check is None or n == 0:
        return unknown("the contract asks for no metadata, or the newest check run did not look at it")
    evidence = Evidence(
        "findings of metadata", int(check["findings"]), page(facts, "/findings?check=metadata")
    )
    return share(min(int(check["findings"]), n), n, evidence, why="")


MEASURES = {"CV1": cells, "CV3": test_split, "CV4": drift, "CV6": class_minimums, "CV8": metadata}
