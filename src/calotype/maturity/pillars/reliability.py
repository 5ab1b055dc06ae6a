"""Reliability: objectives, freshness, runs, drills."""

from __future__ import annotations

from calotype.maturity.facts import Facts
from calotype.maturity.model import Evidence, Measurement
from calotype.maturity.pillars.parts import page, share, unknown
from calotype.maturity.pillars.quality import NO_RUN

DAYS = 90
NOT_RECORDED = {
    "R4": "incidents are not recorded yet",
    "R5": "rebuild drills are not recorded yet",
    "R6": "requests with promised dates are not read yet",
    "R7": "restore drills are not recorded yet",
    "R8": "reads of stored images are not sampled yet",
}


def objectives(facts: Facts) -> Measurement:
    """R1."""
    if facts.check_run is None:
        return unknown(NO_RUN)
    measured = [one for one in facts.check_run["objectives"] or () if one["state"] != "not measured"]
    met = sum(one["state"] == "met" for one in measured)
    evidence = Evidence("objectives that were measured", len(measured), page(facts, "/checks"))
    return share(met, len(measured), evidence, why="the contract has no objectives that could be measured")


def freshness(facts: Facts) -> Measurement:
    """R2."""
    check = facts.check("freshness")
    if check is None:
        return unknown("the contract does not ask for freshness, or the newest check run did not measure it")
    return Measurement(
        float(check["findings"] == 0),
        1,
        Evidence("findings of freshness", int(check["findings"]), page(facts, "/checks")),
    )


def runs(facts: Facts) -> Measurement:
    """R3."""
    states = [state for state in facts.runs(DAYS) if state in ("done", "failed")]
    evidence = Evidence(f"runs that ended in {DAYS} days", len(states), f"/runs?dataset={facts.name}")
    return share(
        states.count("done"), len(states), evidence, why=f"no run of a pipeline ended in {DAYS} days"
    )


MEASURES = {"R1": objectives, "R2": freshness, "R3": runs}
