"""Lists, counts, facets and searches show exactly what the rules allow, in generated worlds of people and rights.

Each world replaces people, teams, memberships, grants, sessions and tokens of one workspace. What somebody may see is
computed from the world by a second writing of the rules. `CALOTYPE_WORLDS=1000` generates that many worlds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.support.access_words import MODELS, allowed_in_words
from tests.support.images import folder_of_images
from tests.support.teams import API, Team, fill, running_team

from calotype.app import wiring
from calotype.foundation.actor import ORDINARY, ROLES, WORKSPACE, Actor, Ceiling, Permission, RoleOn
from calotype.foundation.clock import now_us
from calotype.govern import service as govern
from calotype.people import repository, sign_in_repository
from calotype.people.model import Grant, Person
from calotype.people.secret import new_token, sha256
from calotype.people.tokens import SCOPES
from calotype.pipeline import service as pipelines
from calotype.pipeline.model import Acquire, Commit, Pipeline
from calotype.store.catalog import schema

WORLDS = int(os.environ.get("CALOTYPE_WORLDS", "50"))
DATASETS = ("alpha", "beta", "gamma")
TEAMS = ("north", "south")
PEOPLE = ("bo", "chi")
OWNER = Actor("test:ana", "ana")
LISTS = (
    "samples",
    "sample-ids?limit=2",
    "objects?limit=3",
    "facets",
    "values?field=licence&typed=c",
    "unknown-values?where=licence = 'CC'",
    "findings?run={run}",
    "finding-lives",
    "finding-groups?run={run}&group_by=check",
    "views",
    "log",
    "refs",
    "releases",
    "edits",
    "checks",
    "samples?where=name = 'beta-1'",
    "merges",
    "vectors",
)
PHASES = (Phase.explicit, Phase.generate)
"""Without shrinking: each try asks dozens of requests."""
FAR_US = 4_000_000_000_000_000


@dataclass(frozen=True)
class World:
    """Who holds what. Grants: person, role, place, state (in force, to end, ended, revoked)."""

    model: str
    owned: tuple[str | None, ...]
    members: tuple[tuple[str, str, str], ...]
    grants: tuple[tuple[str, str, str, str], ...]
    tokens: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    list: str
    asked: str

    def actor(self, who: str, ceiling: Ceiling | None = None) -> Actor:
        """What somebody holds, computed from the world alone."""
        of_team = {
            team: [name for name, owner in zip(DATASETS, self.owned, strict=True) if owner == team]
            for team in TEAMS
        }
        roles = [
            RoleOn(role, name)
            for person, team, role in self.members
            if person == who
            for name in of_team[team]
        ]
        for person, role, place, state in self.grants:
            if person != who or state in ("ended", "revoked"):
                continue
            scope, _, name = place.partition(":")
            reached = [None] if scope == "workspace" else of_team[name] if scope == "team" else [name]
            roles += [RoleOn(role, dataset) for dataset in reached]
        return Actor(f"person:{who}", who, "person", (), tuple(roles), ceiling)

    def may(self, actor: Actor, permission: Permission, resource: str) -> bool:
        """What the second writing of the rules says."""
        return allowed_in_words(self.model, actor, permission, resource, ORDINARY)


PLACE = st.sampled_from(
    ["workspace", *(f"team:{name}" for name in TEAMS), *(f"dataset:{name}" for name in DATASETS)]
)
TOKEN = st.tuples(
    st.lists(st.sampled_from(sorted(SCOPES)), min_size=1, max_size=2, unique=True).map(tuple),
    st.lists(st.sampled_from(DATASETS), max_size=2, unique=True).map(tuple),
)
WORLD = st.builds(
    World,
    model=st.sampled_from(MODELS),
    owned=st.tuples(*[st.sampled_from([None, *TEAMS])] * len(DATASETS)),
    members=st.lists(
        st.tuples(st.sampled_from(PEOPLE), st.sampled_from(TEAMS), st.sampled_from(ROLES)),
        max_size=3,
        unique_by=lambda row: row[:2],
    ).map(tuple),
    grants=st.lists(
        st.tuples(
            st.sampled_from(PEOPLE),
            st.sampled_from(ROLES),
            PLACE,
            st.sampled_from(["in force", "in force", "to end", "ended", "revoked"]),
        ),
        max_size=4,
    ).map(tuple),
    tokens=st.tuples(*[TOKEN] * len(PEOPLE)),
    list=st.sampled_from(LISTS),
    asked=st.sampled_from(DATASETS),
)


@dataclass
class Place:
    """A filled workspace, what its owner sees, and the runs of checks by dataset."""

    team: Team
    runs: dict[str, str]
    whole: dict[tuple[str, str], Any]
    browser: TestClient

    def get(self, path: str, **headers: str) -> Any:
        """The answer to a request with these headers."""
        self.browser.cookies.clear()
        return self.browser.get(API + path, headers=headers)

    def path(self, listed: str, dataset: str) -> str:
        """The address of a list of a dataset."""
        return f"/datasets/{dataset}/" + listed.format(run=self.runs[dataset])


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[Place]:
    """Three datasets with images, labels, findings, and a run of a pipeline each."""
    folder = tmp_path_factory.mktemp("worlds")
    with running_team(folder / "workspace") as team:
        ana, runs = team.first(), {}
        for seed, name in enumerate(DATASETS):
            fill(ana, name, seed=seed * 10)
            runs[name] = ana.post(f"{API}/datasets/{name}/checks").json()["run"]["id"]
        for name in (*DATASETS, "alpha", "alpha"):
            folder_of_images(folder / name / "images", 1)
            stages = (Acquire(path="images"), Commit(message="more"))
            pipelines.run(
                OWNER,
                Pipeline(name="p", dataset=name, stages=stages, folder=folder / name),
                store=team.store,
                ports=wiring,
            )
        found = Place(team, runs, {}, team.browser())
        for name in DATASETS:
            for listed in LISTS:
                answer = ana.get(API + found.path(listed, name))
                assert answer.is_success, (listed, answer.text)
                found.whole[listed, name] = answer.content
        yield found


def build(place: Place, world: World) -> dict[str, str]:
    """Write a world; returns the API tokens and session cookies of its people."""
    store, now, secrets = place.team.store, now_us(), {}
    if govern.organisation(OWNER, store=store).model != world.model:
        govern.set_organisation(OWNER, world.model, store=store)
    tables = schema.of_people
    with store.catalog.bookkeeping() as conn:
        for table in reversed(tables):
            conn.execute(table.delete())
        ids = {name: repository.dataset_id(conn, name) or "" for name in DATASETS}
        for name in PEOPLE:
            repository.add_person(conn, Person(name, f"{name}@example.org", name, "person", now, "test"))
        for name in TEAMS:
            repository.add_team(conn, name, name, at_us=now, by="test")
        for dataset, owner in zip(DATASETS, world.owned, strict=True):
            repository.put_dataset_team(conn, ids[dataset], owner)
        for who, team, role in world.members:
            repository.put_member(conn, team, who, role, at_us=now)
        for number, (who, role, on, state) in enumerate(world.grants):
            scope, _, name = on.partition(":")
            until = {"to end": FAR_US, "ended": 1}.get(state)
            grant = Grant(
                f"g{number}", who, who, role, scope, ids.get(name, name), on, "", "test", now, until
            )
            repository.add_grant(conn, grant)
            if state == "revoked":
                repository.revoke_grant(conn, grant.id, at_us=now, by="test")
        for who, (scopes, datasets) in zip(PEOPLE, world.tokens, strict=True):
            token, session = new_token(), f"session-of-{who}-" + "x" * 20
            sign_in_repository.add_token(
                conn,
                id=f"t-{who}",
                person_id=who,
                name="t",
                prefix="t",
                secret_sha256=sha256(token),
                scopes=list(scopes),
                dataset_ids=[ids[name] for name in datasets],
                created_at_us=now,
                until_us=FAR_US,
            )
            sign_in_repository.add_session(
                conn, f"s-{who}", who, sha256(session), browser="", address="", now_us=now
            )
            secrets[f"token {who}"], secrets[f"session {who}"] = token, session
    return secrets


def ways(world: World, secrets: dict[str, str]) -> Iterator[tuple[Actor, dict[str, str]]]:
    """Each person with a session, and with a token; the headers of their requests."""
    for who, (scopes, datasets) in zip(PEOPLE, world.tokens, strict=True):
        yield world.actor(who), {"cookie": f"calotype-account-80={secrets[f'session {who}']}"}
        permissions = frozenset[Permission]().union(*(SCOPES[scope] for scope in scopes))
        ceiling = Ceiling(permissions, frozenset(datasets) if datasets else None)
        yield world.actor(who, ceiling), {"authorization": f"Bearer {secrets[f'token {who}']}"}


@pytest.mark.slow
def test_in_every_world_each_list_shows_exactly_what_the_rules_allow(place):
    seen = {"shown": 0, "hidden": 0, "worlds": 0}

    @settings(max_examples=WORLDS, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
    @given(WORLD)
    def compare(world: World) -> None:
        seen["worlds"] += 1
        for actor, headers in ways(world, build(place, world)):
            visible = [name for name in DATASETS if world.may(actor, Permission.DATASET_READ, name)]
            _compare_lists_of_everything(place, world, actor, headers, visible)
            answer = place.get(place.path(world.list, world.asked), **headers)
            if world.asked in visible:
                assert answer.content == place.whole[world.list, world.asked]
            else:
                assert (answer.status_code, answer.json()["code"]) == (404, "dataset-not-found")
                absent = place.get(
                    place.path(world.list, world.asked).replace(world.asked, "absent", 1), **headers
                )
                assert absent.text.replace("absent", world.asked) == answer.text
            seen["shown" if world.asked in visible else "hidden"] += 1

    compare()
    print(f"{seen['worlds']} worlds: {seen['shown']} lists shown whole, {seen['hidden']} hidden")
    assert seen["shown"] > WORLDS / 5 and seen["hidden"] > WORLDS / 5


def _compare_lists_of_everything(
    place: Place, world: World, actor: Actor, headers: dict[str, str], visible: list[str]
) -> None:
    listed = place.get("/datasets", **headers).json()["items"]
    assert [item["name"] for item in listed] == visible
    everything = [run.dataset for run in pipelines.runs(OWNER, store=place.team.store)]
    for limit in (200, 1):
        runs = place.get(f"/runs?limit={limit}", **headers).json()["items"]
        assert [run["dataset"] for run in runs] == [name for name in everything if name in visible][:limit]
    for run in pipelines.runs(OWNER, store=place.team.store, dataset=world.asked):
        shown = place.get(f"/runs/{run.id}", **headers)
        assert shown.is_success == (world.asked in visible)
        assert shown.is_success or world.asked not in shown.text
    latest = place.get("/runs/current", **headers).json()["latest"]
    assert (latest or {}).get("dataset") == next((name for name in everything if name in visible), None)
    for resource in (WORKSPACE, world.asked):
        query = "" if resource == WORKSPACE else f"?dataset={resource}"
        answer = place.get(f"/audit{query}", **headers)
        if world.may(actor, Permission.AUDIT_READ, resource):
            assert answer.is_success, answer.text
            shown = {event["seq"] for event in answer.json()["items"]}
            subject = None if resource == WORKSPACE else resource
            whole = {event.seq for event in govern.audit(OWNER, store=place.team.store, subject=subject)}
            assert shown <= whole and len(whole - shown) <= 1  # the reading itself may be recorded
        else:
            assert answer.status_code in (403, 404)


@pytest.mark.slow
def test_in_every_world_a_batch_with_one_foreign_item_fails_whole(place):
    @settings(max_examples=WORLDS, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
    @given(WORLD)
    def compare(world: World) -> None:
        secrets = build(place, world)
        for who in PEOPLE:
            actor, headers = world.actor(who), {"cookie": f"calotype-account-80={secrets[f'session {who}']}"}
            visible = [name for name in DATASETS if world.may(actor, Permission.DATASET_READ, name)]
            place.browser.cookies.clear()
            body = {"name": "new", "datasets": list(DATASETS)}
            answer = place.browser.post(f"{API}/tokens", json=body, headers=headers)
            assert answer.is_success == (visible == list(DATASETS)), answer.text
            names = [token["name"] for token in place.get("/tokens", **headers).json()["items"]]
            assert ("new" in names) == answer.is_success
            before = place.team.store.catalog.writes
            body = {"keys": ["0" * 32, "1" * 32], "state": "accepted", "reason": "x"}
            path = f"{API}/datasets/{world.asked}/finding-decisions"
            assert place.browser.post(path, json=body, headers=headers).status_code in (403, 404, 422)
            assert place.team.store.catalog.writes - before <= 1  # the refusal may be recorded
            owned = [repository_team(place, name) for name in TEAMS]
            given_away = {"datasets": [*DATASETS, "absent"]}
            assert not place.browser.post(
                f"{API}/teams/north/datasets", json=given_away, headers=headers
            ).is_success
            assert [repository_team(place, name) for name in TEAMS] == owned

    compare()


def repository_team(place: Place, name: str) -> tuple[str, ...]:
    """The datasets of a team."""
    with place.team.store.catalog.read() as conn:
        return repository.team(conn, name).datasets
