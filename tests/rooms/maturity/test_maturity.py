"""Maturity is read from evidence: each indicator passes, fails, and is unknown without evidence."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.ids import uuid7
from calotype.maturity import service
from calotype.maturity.definitions import INDICATORS
from calotype.maturity.model import (
    DAY_US,
    Evidence,
    Maturity,
    MaturityTimeInvalid,
    Measurement,
    Pillar,
    PillarReading,
    Reading,
    State,
)
from calotype.maturity.pillars import coverage, quality, reliability, security, usability
from calotype.store.catalog import schema

PILLARS = (security, quality, reliability, usability, coverage)
BO = Actor("person:bo", "bo@example.org")


class World:
    """A workspace with the dataset `streets`, and evidence written as the rooms write it."""

    def __init__(self, store: Any, owner: Actor) -> None:
        self.store, self.owner = store, owner
        datasets.create(owner, "streets", store=store)
        with store.catalog.read() as conn:
            self.dataset_id = refs.dataset(conn, "streets").id

    def insert(self, table: sa.Table, **values: Any) -> None:
        """A row, with values for what the test does not care about."""
        row: dict[str, Any] = {}
        for column in table.columns:
            if column.name not in values and not column.nullable and column.server_default is None:
                row[column.name] = {sa.JSON: [], sa.Boolean: False, sa.LargeBinary: b""}.get(
                    type(column.type), 0 if isinstance(column.type, sa.Integer | sa.Float) else "x"
                )
        row |= {"dataset_id": self.dataset_id} if "dataset_id" in table.columns else {}
        row |= {"id": uuid7()} if "id" in table.columns and isinstance(table.c.id.type, sa.String) else {}
        with self.store.catalog.write(self.owner, "test.evidence", subject="elsewhere") as tx:
            tx.conn.execute(table.insert().values(**row | values))

    def person(self, role: str = "", *, days_ago: float = 1.0, scope: str = "dataset") -> str:
        """A person with a grant."""
        people, id = schema.of_people, uuid7()
        self.insert(people.people, id=id, email=f"{id}@example.org", name=id, kind="person")
        if role:
            held = {"workspace": "", "dataset": self.dataset_id}[scope]
            created = now_us() - int(days_ago * DAY_US)
            self.insert(
                people.grants, person_id=id, role=role, scope=scope, scope_id=held, created_at_us=created
            )
        return id

    def event(self, verb: str, by: str, **details: Any) -> None:
        """An audit event about the dataset."""
        with self.store.catalog.write(Actor(by, by), verb, subject="streets") as tx:
            tx.details(details)

    def release(self, *, green: bool = True, **card: Any) -> None:
        """A release."""
        commit, version = uuid7(), uuid7()
        self.insert(schema.commits, id=commit, created_at_us=now_us())
        gates = [{"name": "samples", "state": "green" if green else "red"}]
        self.insert(
            schema.releases,
            version=version,
            commit_id=commit,
            created_at_us=now_us(),
            card={"samples": 4, "gates": gates, **card},
        )

    def checks(self, *gates: dict[str, Any], objectives: Any = (), **findings: int) -> None:
        """A run of all checks on main, with 10 samples."""
        rows = [
            {
                "name": name.replace("_", "-"),
                "enabled": True,
                "unit": "samples",
                "looked_at": 10,
                "findings": n,
            }
            for name, n in findings.items()
        ]
        self.insert(
            schema.check_runs,
            branch="main",
            finished_at_us=now_us(),
            started_at_us=now_us(),
            checks=rows,
            only=None,
            gates=[{"name": "samples", "check": "", "state": "green", "measured": 10}, *gates],
            objectives=list(objectives),
            pins=None,
            documents=None,
        )

    def batch(self) -> str:
        """A batch."""
        batch = uuid7()
        self.insert(schema.of_work.batches, id=batch, name=batch)
        return batch

    def accepted(self, round: int) -> None:
        """Reviewed work that was accepted in a round."""
        batch, work = self.batch(), schema.of_work.assignments
        shared = {
            "batch_id": batch,
            "sample_id": "s1",
            "submitted_at_us": now_us(),
            "finished_at_us": now_us(),
        }
        self.insert(work, kind="annotate", state="accepted", actor_id="person:x", round=round, **shared)
        self.insert(work, kind="review", state="accepted", actor_id="person:y", round=1, **shared)

    def guideline(self, version: int, *, touches: Any = (), classes: Any = (), examples: Any = ()) -> None:
        """A published guideline."""
        self.insert(
            schema.of_guidelines.guidelines,
            version=version,
            state="published",
            published_at_us=now_us(),
            touches=list(touches),
            ontology={"classes": list(classes)},
            examples=list(examples),
        )

    def label(self, version: int) -> None:
        """A label that was made under a version of the guideline."""
        self.insert(schema.of_work.label_records, ann_id=uuid7(), guideline_version=version, at_us=now_us())

    def run(self, state: str) -> None:
        """A run of a pipeline."""
        self.insert(schema.runs, state=state, started_at_us=now_us(), finished_at_us=now_us(), error=None)

    def asked(self, days: float) -> None:
        """An access request that was granted after days."""
        person, answered = self.person(), now_us()
        self.insert(
            schema.of_people.access_requests,
            person_id=person,
            place="dataset:streets",
            state="granted",
            asked_at_us=answered - int(days * DAY_US),
            answered_at_us=answered,
        )

    def question(self, days: float) -> None:
        """A question that was answered after days."""
        answered = now_us()
        self.insert(
            schema.of_work.threads,
            kind="question",
            created_at_us=answered - int(days * DAY_US),
            resolved_at_us=answered,
        )

    def old_label_error(self, days: float) -> None:
        """An open finding of label-errors."""
        opened = now_us() - int(days * DAY_US)
        self.insert(
            schema.finding_states,
            key=uuid7()[:32],
            check_name="label-errors",
            state="open",
            opened_at_us=opened,
        )

    def reading(self, id: str, at: str = "") -> Reading:
        """The reading of an indicator now."""
        assessed = service.maturity(self.owner, "streets", store=self.store, at=at)
        return next(one for pillar in assessed.pillars for one in pillar.readings if one.indicator.id == id)


@pytest.fixture
def world(workspace, owner):
    return World(workspace, owner)


def gate(check: str, state: str, name: str = "", measured: int = 1) -> dict[str, Any]:
    return {"name": name or check, "check": check, "state": state, "measured": measured}


def counted(value: str, n: int = 4) -> list[dict[str, Any]]:
    return [{"value": value, "count": n}]


EVERYTHING = {"licences": counted("CC0-1.0"), "sources": counted("cam")}
GOOD_AND_BAD = ({"good": True}, {"good": False})
EXPLAINED = {"classes": [{"name": "car", "definition": "a car"}], "examples": GOOD_AND_BAD}
TESTED = {"classes": [{"name": "car", "by_split": {"train": 3, "test": 1}}]}
UNTESTED = {"classes": [{"name": "car", "by_split": {"train": 4, "test": 0}}]}


def vendor(world: World, *, more: bool) -> None:
    person = world.person("vendor-annotator")
    if more:
        held = {"role": "annotator", "scope": "dataset", "scope_id": world.dataset_id}
        world.insert(schema.of_people.grants, person_id=person, created_at_us=now_us(), **held)


def used(world: World, *, lately: bool) -> None:
    person = world.person("curator", days_ago=200)
    if lately:
        world.event("dataset.read", f"person:{person}")


def steps(world: World, role: str) -> None:
    world.event("dataset.commit", f"person:{world.person(role)}")


def label_errors(world: World, days: float) -> None:
    world.checks(label_errors=1)
    world.old_label_error(days)


def labels(world: World, made_under: int) -> None:
    world.guideline(1)
    world.guideline(2, touches=[{"class_id": 1}])
    world.label(made_under)


def with_classes(world: World, card: dict[str, Any]) -> None:
    world.checks(gate("class-balance", "green", "class car"))
    world.release(**card)


CASES = {
    "S1": (
        lambda w: w.release(**EVERYTHING),
        lambda w: w.release(licences=counted(""), sources=counted("cam")),
    ),
    "S4": (
        lambda w: [w.event("dataset.read", "person:bo") for _ in range(3)],
        lambda w: w.event("dataset.read", "local:bo"),
    ),
    "S5": (lambda w: used(w, lately=True), lambda w: used(w, lately=False)),
    "S7": (lambda w: vendor(w, more=False), lambda w: vendor(w, more=True)),
    "Q1": (lambda w: w.release(), lambda w: w.release(green=False)),
    "Q4": (lambda w: w.checks(readable=0), lambda w: w.checks(box_bounds=1)),
    "Q5": (lambda w: w.accepted(1), lambda w: w.accepted(2)),
    "Q6": (
        lambda w: w.checks(gate("split-leakage", "green", measured=0)),
        lambda w: w.checks(gate("split-leakage", "red")),
    ),
    "Q7": (lambda w: label_errors(w, 3), lambda w: label_errors(w, 30)),
    "Q8": (lambda w: labels(w, 2), lambda w: labels(w, 1)),
    "R1": (
        lambda w: w.checks(objectives=[{"state": "met"}]),
        lambda w: w.checks(objectives=[{"state": "missed"}]),
    ),
    "R2": (lambda w: w.checks(freshness=0), lambda w: w.checks(freshness=1)),
    "R3": (lambda w: w.run("done"), lambda w: w.run("failed")),
    "U3": (lambda w: w.asked(0.5), lambda w: w.asked(3)),
    "U4": (lambda w: steps(w, "curator"), lambda w: steps(w, "data-engineer")),
    "U5": (
        lambda w: w.guideline(1, **EXPLAINED),
        lambda w: w.guideline(1, classes=[{"name": "car", "definition": ""}]),
    ),
    "U7": (lambda w: w.question(0.5), lambda w: w.question(3)),
    "CV1": (lambda w: w.checks(gate("coverage", "green")), lambda w: w.checks(gate("coverage", "red"))),
    "CV3": (lambda w: with_classes(w, TESTED), lambda w: with_classes(w, UNTESTED)),
    "CV4": (lambda w: w.checks(drift=0), lambda w: w.checks(drift=1)),
    "CV6": (
        lambda w: w.checks(gate("class-balance", "green")),
        lambda w: w.checks(gate("class-balance", "red")),
    ),
    "CV8": (lambda w: w.checks(metadata=0), lambda w: w.checks(metadata=3)),
}
MEASURED = {id for pillar in PILLARS for id in pillar.MEASURES}
NOT_RECORDED = {id: why for pillar in PILLARS for id, why in pillar.NOT_RECORDED.items()}


def test_each_indicator_is_measured_or_says_that_it_is_not_recorded():
    assert {one.id for one in INDICATORS} == MEASURED | set(NOT_RECORDED)
    assert not MEASURED & set(NOT_RECORDED)
    assert set(CASES) == MEASURED


@pytest.mark.parametrize("id", CASES)
@pytest.mark.parametrize("passes", [True, False])
def test_an_indicator_passes_and_fails_by_its_evidence(world, id, passes):
    if id != "S4":  # creating the dataset is an event by a local name
        assert world.reading(id).state == State.UNKNOWN
    CASES[id][0 if passes else 1](world)
    reading = world.reading(id)
    if id == "S4":
        assert (reading.measured.value > 0.5) is passes
    else:
        assert reading.state == (State.GREEN if passes else State.RED)
    assert reading.measured.evidence.path.startswith("/")


def test_a_broken_chain_is_red_whoever_acted(world):
    world.event("dataset.read", "person:bo")
    with world.store.catalog.engine.begin() as conn:
        conn.execute(sa.update(schema.audit).where(schema.audit.c.seq == 1).values(subject="other"))
    assert world.reading("S4").measured.value == 0


def test_evidence_of_later_does_not_count(world):
    CASES["Q1"][0](world)
    assert world.reading("Q1").state == State.GREEN
    assert world.reading("Q1", at="1h").state == State.UNKNOWN
    with pytest.raises(MaturityTimeInvalid):
        world.reading("Q1", at="2999-01-01")


def test_evidence_that_goes_is_unknown_again(world):
    world.checks(gate("coverage", "green"))
    assert world.reading("CV1").state == State.GREEN
    with world.store.catalog.engine.begin() as conn:
        conn.execute(sa.delete(schema.check_runs))
    assert world.reading("CV1").state == State.UNKNOWN


def assessed(*states: State) -> Maturity:
    def reading(pillar: Pillar, state: State) -> Reading:
        indicator = next(one for one in INDICATORS if one.pillar == pillar)
        good, bad = (indicator.target, indicator.target - 1 if indicator.at_least else indicator.target + 1)
        value = {State.GREEN: good, State.RED: bad, State.UNKNOWN: None}[state]
        return Reading(indicator, Measurement(value, 1, Evidence("rows", 1)))

    pairs = zip(Pillar, states, strict=True)
    return Maturity(
        "streets", 0, tuple(PillarReading(pillar, (reading(pillar, state),)) for pillar, state in pairs)
    )


G, R, U = State.GREEN, State.RED, State.UNKNOWN


@pytest.mark.parametrize(
    ("states", "level", "model"),
    [
        ((G, G, G, G, G), 5, "decentral"),
        ((R, G, G, G, G), 0, "central"),
        ((U, G, G, G, G), 0, "central"),
        ((G, R, G, G, G), 1, "central"),
        ((G, G, U, G, G), 2, "hybrid"),
        ((G, G, G, R, R), 3, "hybrid"),
    ],
)
def test_a_red_or_unknown_lower_pillar_caps_the_level_and_higher_ones_are_shown(states, level, model):
    one = assessed(*states)
    assert (one.level, one.suggested_model()[0]) == (level, model)
    assert [pillar["state"] for pillar in one.to_dict()["pillars"]] == [str(state) for state in states]


def test_advice_begins_with_the_lowest_pillar_and_with_what_is_red():
    assert [step.indicator for step in assessed(G, R, U, R, G).advice()] == ["Q1", "R1", "U1"]


def test_the_whole_is_as_far_as_its_worst_dataset(world, owner):
    datasets.create(owner, "harbours", store=world.store)
    overview = service.maturity_overview(owner, store=world.store)
    assert [one.dataset for one in overview.datasets] == ["harbours", "streets"]
    assert overview.to_dict()["level"] == 0
    assert overview.worst is not None
    assert service.maturity_overview(owner, store=world.store, at="1h").worst is None
