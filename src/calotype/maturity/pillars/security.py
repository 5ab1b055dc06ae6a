"""Security: where data come from, who acts, who can see what."""

from __future__ import annotations

from calotype.foundation.actor import ACCOUNT
from calotype.maturity import people_facts
from calotype.maturity.facts import Facts
from calotype.maturity.model import Evidence, Measurement
from calotype.maturity.pillars.parts import page, share, unknown

UNUSED_DAYS = 90
NOT_RECORDED = {
    "S2": "private-data scans are not recorded yet",
    "S3": "private-data scans are not recorded yet",
    "S6": "erasure requests are not recorded yet",
    "S8": "self-tests of the rules are not recorded yet",
}


def provenance(facts: Facts) -> Measurement:
    """S1."""
    if not facts.releases:
        return unknown("nothing was released")
    newest = facts.releases[-1]
    card, path = newest["card"], page(facts, f"/releases/{newest['version']}")
    lacks = max(_without(card.get("licences", ())), _without(card.get("sources", ())))
    evidence = Evidence(f"samples of release {newest['version']}", int(card["samples"]), path)
    return share(card["samples"] - lacks, int(card["samples"]), evidence, why="the release has no samples")


def _without(counted: object) -> int:
    values = counted if isinstance(counted, list | tuple) else ()
    return sum(int(one["count"]) for one in values if not one["value"])


def known_actors(facts: Facts) -> Measurement:
    """S4: an account is known; a name on somebody's own machine is not."""
    n = sum(count for _, count in facts.audit_actors)
    known = sum(count for actor, count in facts.audit_actors if actor.startswith(ACCOUNT))
    evidence = Evidence("audit events about the dataset in 90 days", n, f"/audit?dataset={facts.name}")
    if facts.chain_problems:
        return Measurement(0.0, n, evidence)
    return share(known, n, evidence, why="no audit events in 90 days")


def unused_grants(facts: Facts) -> Measurement:
    """S5."""
    grants = people_facts.grants(facts)
    evidence = Evidence("grants in force", len(grants), "/access/review")
    return share(
        people_facts.unused(facts, grants, UNUSED_DAYS),
        len(grants),
        evidence,
        why="no grants: the workspace has no accounts",
    )


def vendors(facts: Facts) -> Measurement:
    """S7: who has the role for vendors and no other opens what is assigned, and nothing else."""
    if not people_facts.grants(facts):
        return unknown("no grants: the workspace has no accounts")
    people = people_facts.vendors(facts)
    evidence = Evidence("grants of outside labellers", len(people), "/people")
    if not people:
        return Measurement(1.0, 0, evidence)
    others = sum(len(roles) > 1 for roles in people_facts.roles_of(facts, people).values())
    assigned = people_facts.assigned(facts)
    return Measurement(1 - others / len(people), sum(assigned.get(actor, 0) for actor in people), evidence)


MEASURES = {"S1": provenance, "S4": known_actors, "S5": unused_grants, "S7": vendors}
