"""Usability: access, self-service, explained classes, answered questions."""

from __future__ import annotations

from calotype.foundation.actor import ACCOUNT
from calotype.maturity import people_facts, work_facts
from calotype.maturity.facts import Facts
from calotype.maturity.model import Evidence, Measurement
from calotype.maturity.pillars.parts import middle, page, share, unknown

DAYS = 90
ENGINEERS = frozenset({"owner", "head-of-dataops", "data-engineer"})
STEPS = ("dataset.commit", "batch.open", "batch.land", "release.create", "curate.select", "merge.land")
NOT_RECORDED = {
    "U1": "times of use are not recorded yet: see the metrics of the server",
    "U2": "searches are not recorded yet",
    "U6": "waiting is not recorded yet",
    "U8": "errors shown to people are not recorded yet",
}


def access(facts: Facts) -> Measurement:
    """U3."""
    days = people_facts.answered_requests(facts, DAYS)
    evidence = Evidence(f"access requests that were granted in {DAYS} days", len(days), "/access/requests")
    return middle(days, evidence, why=f"no access request for the dataset was granted in {DAYS} days")


def self_service(facts: Facts) -> Measurement:
    """U4: somebody is an engineer by the roles that are in force."""
    actors = [
        one["actor"]
        for verb in STEPS
        for one in facts.audit_events(verb, DAYS)
        if one["actor"].startswith(ACCOUNT)
    ]
    roles = people_facts.roles_of(facts, actors)
    own = sum(not roles[actor] & ENGINEERS for actor in actors)
    evidence = Evidence(
        f"commits, batches and releases of {DAYS} days", len(actors), f"/audit?dataset={facts.name}"
    )
    return share(own, len(actors), evidence, why="no commit, batch or release by a person with an account")


def explained(facts: Facts) -> Measurement:
    """U5."""
    published = work_facts.guideline(facts)
    if published is None:
        return unknown("no guideline was published")
    classes = published["ontology"].get("classes", ())
    verdicts = {bool(one.get("good")) for one in published["examples"]}
    evidence = Evidence("classes of the guideline", len(classes), page(facts, "/guideline"))
    n = sum(bool(one.get("definition")) for one in classes) if verdicts == {True, False} else 0
    return share(n, len(classes), evidence, why="the guideline has no classes")


def answers(facts: Facts) -> Measurement:
    """U7."""
    days = work_facts.answered_questions(facts, DAYS)
    evidence = Evidence(f"questions that were answered in {DAYS} days", len(days), page(facts, "/batches"))
    return middle(days, evidence, why=f"no question was answered in {DAYS} days")


MEASURES = {"U3": access, "U4": self_service, "U5": explained, "U7": answers}
