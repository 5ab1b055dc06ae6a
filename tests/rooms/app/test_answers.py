"""The description of the API is complete, and it is the truth: every route is asked and its answer held against it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tests.support.described import FREE_FORM, Described, document
from tests.support.every_route import ask_about_access
from tests.support.guided_calls import edit_and_undo, guide
from tests.support.images import folder_of_images
from tests.support.labelling_routes import ask_the_routes_of_labelling
from tests.support.providers import ask_the_routes_of_a_provider
from tests.support.streets import Streets, box

from calotype.app import server, wiring
from calotype.app.account_keys import AccountKeys
from calotype.app.sessions import AccessKeys
from calotype.curate import vectors
from calotype.foundation.actor import Actor, Guard
from calotype.govern.rules import RoleRules
from calotype.people import invitations
from calotype.pipeline import service as pipelines
from calotype.pipeline.model import Acquire, Commit, Pipeline
from calotype.store import Store

API = "/api/v1"


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation by its name."""
    for methods in document()["paths"].values():
        for operation in methods.values():
            yield operation["operationId"], operation


def reached(schema: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A schema and all below it; `place` is the model and its field."""
    yield place, schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from reached(document()["components"]["schemas"][name], name)
    for field, part in schema.get("properties", {}).items():
        yield from reached(part, f"{place}.{field}")
    more = schema.get("additionalProperties")
    items = [*schema.get("prefixItems", ()), *(schema[key] for key in ("items",) if key in schema)]
    for part in (*schema.get("anyOf", ()), *items, *([more] if isinstance(more, dict) else ())):
        yield from reached(part, place)


def is_vague(schema: dict[str, Any]) -> bool:
    """Whether a schema allows anything: nothing is said, or an object may have any field of any type."""
    if not {"$ref", "anyOf", "type", "enum", "const"} & set(schema):
        return True
    return schema.get("type") == "object" and schema.get("additionalProperties", True) in (True, {})


def test_every_success_is_described_exactly():
    vague = set()
    for name, operation in operations():
        answers = {status: answer for status, answer in operation["responses"].items() if status[0] in "23"}
        assert len(answers) == 1, name
        for status, answer in answers.items():
            kinds = answer.get("content", {})
            assert bool(kinds) == (status not in ("204", "303")), f"{name} {status}"
            for kind in kinds.values():
                vague |= {place for place, schema in reached(kind["schema"], name) if is_vague(schema)}
    assert vague == set(FREE_FORM)


def test_a_client_can_be_generated_with_good_names():
    names = [name for name, _ in operations()]
    assert len(set(names)) == len(names) > 40
    assert all(name.isidentifier() and "_api_" not in name for name in names)
    schemas = list(document()["components"]["schemas"])
    assert [name for name in schemas if not name.isidentifier() or "__" in name] == []


TAKE_NO_BODY = (
    "run_checks",
    "invite_person",
    "disable_person",
    "sign_checkpoint",
    "sign_out",
    "pause_batch",
    "resume_batch",
    "land_batch",
    "close_batch",
)


def test_every_body_is_described():
    missing = [
        name
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
        if method in ("post", "put")
        for name in [operation["operationId"]]
        if "requestBody" not in operation and name not in TAKE_NO_BODY
    ]
    assert missing == []


def test_every_query_parameter_has_a_type_and_a_meaning():
    parameters = [(name, p) for name, operation in operations() for p in operation.get("parameters", ())]
    bare = [
        f"{name}: {p['name']}"
        for name, p in parameters
        if p["in"] == "query" and (is_vague(p["schema"]) or not p.get("description"))
    ]
    assert bare == []


@pytest.fixture
def http(workspace) -> Iterator[TestClient]:
    app = server.make(workspace, AccessKeys("open-sesame", 80), hosts={"testserver"})
    with TestClient(app, headers={"authorization": "Bearer open-sesame"}) as client:
        yield client


def say(http: TestClient, method: str, path: str, *, raw: bool = False, **options: Any) -> Any:
    """The JSON of a success; the bytes where it has none, or where they are wanted."""
    answer = http.request(method, API + path, **options)
    assert answer.is_success, answer.text
    is_json = answer.headers.get("content-type") == "application/json"
    return answer.json() if is_json and not raw else answer.content


def test_every_route_answers_as_described(http, workspace, owner, raw, tmp_path):
    described = Described()
    described.watch(http)
    assert [say(http, "GET", f"/{name}") and 1 for name in ("health", "ready", "metrics")] == [1] * 3
    say(http, "GET", "/session")
    say(http, "POST", "/session", json={"token": "open-sesame"})
    assert say(http, "GET", "/formats")["items"][0]["name"] == "coco"
    _run_a_pipeline(http, workspace, owner, tmp_path)
    _take_in(http, raw)
    _test_and_fix(http)
    edit_and_undo(partial(say, http))
    _version_and_release(http)
    assert say(http, "GET", "/datasets/shop/maturity")["level"] == 0
    assert "shop" in [one["dataset"] for one in say(http, "GET", "/maturity")["datasets"]]
    _derive_and_curate(http, workspace, owner)
    _save_views(http)
    _merge(http, Streets(owner, workspace))
    ask_the_routes_of_labelling(workspace, described.watch)
    guide(partial(say, http))
    _work_as_a_team(described, workspace)
    assert {name for name, _ in operations()} - described.answered == set()


def _work_as_a_team(described: Described, workspace: Store) -> None:
    """The routes of a server with accounts, over the same workspace."""
    password = {"password": "a lamp, a lens, a plate"}
    link = {"secret": invitations.first_owner_secret(workspace)}
    workspace = replace(workspace, guard=Guard(RoleRules()))
    ask_the_routes_of_a_provider(workspace, described.watch)
    with TestClient(server.make(workspace, AccountKeys(workspace, 80), hosts={"testserver"})) as ana:
        described.watch(ana)
        assert say(ana, "POST", "/invitations/show", json=link)["is_first_owner"]
        first = {**link, **password, "name": "Ana", "email": "ana@example.org"}
        say(ana, "POST", "/invitations/accept", json=first)
        say(ana, "POST", "/people", json={"email": "bo@example.org", "name": "Bo"})
        assert say(ana, "POST", "/people/bo@example.org/invitation")["invitation"]
        assert say(ana, "PUT", "/people/bo@example.org/disabled")["state"] == "disabled"
        assert say(ana, "DELETE", "/people/bo@example.org/disabled")["state"] == "invited"
        assert say(ana, "POST", "/teams", json={"name": "vision"})["name"] == "vision"
        say(ana, "POST", "/teams/vision/members", json={"email": "bo@example.org", "role": "curator"})
        assert say(ana, "POST", "/teams/vision/datasets", json={"datasets": ["shop"]})["datasets"] == ["shop"]
        assert say(ana, "GET", "/teams")["items"][0]["members"][0]["role"] == "curator"
        assert say(ana, "DELETE", "/teams/vision/members/bo@example.org")["members"] == []
        grant = {"who": "bo@example.org", "role": "auditor", "on": "dataset:shop", "until": "2999-12-31"}
        granted = say(ana, "POST", "/grants", json=grant)
        assert [item["role"] for item in say(ana, "GET", "/grants")["items"]] == ["owner", "auditor"]
        assert say(ana, "DELETE", f"/grants/{granted['id']}")["id"] == granted["id"]
        ask_about_access(lambda *given, **more: say(ana, *given, **more))
        token = say(ana, "POST", "/tokens", json={"name": "nightly"})["details"]
        assert say(ana, "GET", "/tokens")["items"] == [token]
        assert say(ana, "DELETE", f"/tokens/{token['id']}")["id"] == token["id"]
        say(ana, "POST", "/sign-out")
        say(ana, "POST", "/sign-in", json={"email": "ana@example.org", **password})
        new = {"old": password["password"], "new": "three lamps, no lens"}
        say(ana, "POST", "/account/password", json=new)
        say(ana, "DELETE", f"/account/sessions/{say(ana, 'GET', '/account/sessions')['items'][0]['id']}")


def _run_a_pipeline(http: TestClient, workspace: Store, owner: Actor, folder: Path) -> None:
    folder_of_images(folder / "images", 2)
    stages = (Acquire(path="images"), Commit(message="all"))
    pipeline = Pipeline(name="small", dataset="small", stages=stages, folder=folder)
    run = pipelines.run(owner, pipeline, store=workspace, ports=wiring)
    assert say(http, "GET", "/runs?dataset=small")["items"][0]["id"] == run.id
    assert len(say(http, "GET", f"/runs/{run.id}")["stages"]) == 2
    assert say(http, "GET", "/runs/current")["latest"]["id"] == run.id


def _take_in(http: TestClient, raw: Path) -> None:
    assert say(http, "POST", "/datasets", json={"name": "shop"})["name"] == "shop"
    added = [
        say(http, "PUT", f"/datasets/shop/images/{file.name}?licence=CC0-1.0", content=file.read_bytes())
        for file in sorted((raw / "images").iterdir())
    ]
    assert [item["code"] for one in added for item in one["set_aside"]] == ["image-unreadable"]
    labels = json.loads((raw / "instances.json").read_text())
    labels["annotations"][0]["bbox"] = [50, 5, 20, 10]  # leaves the image, which a check can mend
    labels["annotations"][1]["category_id"] = 7
    imported = say(
        http, "POST", "/datasets/shop/imports?on_unknown=skip", content=json.dumps(labels).encode()
    )
    assert imported["skipped"] == 1
    assert say(http, "GET", "/datasets/shop/log")["changes"]["samples"]["added"] == 24
    say(http, "POST", "/datasets/shop/commits", json={"message": "all"})
    sample = say(http, "GET", "/datasets/shop/samples?limit=5")["items"][0]
    assert say(http, "GET", f"/datasets/shop/samples/{sample['id']}")["position"]["index"] == 0
    listed = say(http, "GET", "/datasets/shop/sample-ids?limit=5&sort=-name")
    assert (listed["total"], len(listed["ids"])) == (24, 5)
    shown = say(http, "GET", "/datasets/shop/objects?limit=3&class=dog")
    assert {one["class"] for one in shown["items"]} == {"dog"}
    named = say(http, "GET", "/datasets/shop/object-ids?limit=3&class=dog")
    assert (named["total"], named["ids"]) == (shown["total"], [one["id"] for one in shown["items"]])
    counted = say(http, "GET", f"/datasets/shop/facets?where=name = '{sample['name']}'")
    assert (counted["samples"], counted["approximate"]) == (1, False)
    assert say(http, "GET", "/datasets/shop/values?field=licence&typed=cc")["items"][0]["count"] == 24
    (unknown,) = say(http, "GET", "/datasets/shop/unknown-values?where=licence = 'CC0-1.O'")["items"]
    assert unknown["message"] == "no value 'CC0-1.O' of licence: did you mean 'CC0-1.0'?"
    media = sample["media"]
    assert say(http, "GET", f"/datasets/shop/thumbs/{media}?size=64").startswith(b"\x89PNG")
    assert say(http, "GET", f"/datasets/shop/media/{media}").startswith(b"\x89PNG")


CONTRACT = """
classes: [{name: car, min_annotations: 2}, {name: dog}]
objectives: [{name: labelled, metric: labelled_fraction, target: 0.9, window_days: 28}]
purposes: [training]
slices: {wide: width > 1}
coverage: [{slice: wide, min_samples: 1}, {where: height > 1, min_samples: 1}]
privacy: {level: personal, retention_days: 30}
"""


def _test_and_fix(http: TestClient) -> None:
    place = "/datasets/shop"
    assert say(http, "GET", f"{place}/contract")["template"]
    kind = {"content-type": "application/yaml"}
    assert say(http, "PUT", f"{place}/contract", content=CONTRACT, headers=kind)["classes"] == ["car", "dog"]
    conditions = [{"title": "wide", "where": "width > 1"}, {"title": "height > 1", "where": "height > 1"}]
    assert say(http, "GET", f"{place}/contract")["coverage"] == conditions
    assert say(http, "GET", f"{place}/checks")["run"] is None
    report = say(http, "POST", f"{place}/checks")
    assert say(http, "GET", f"{place}/checks")["gates"] == report["gates"] != []
    assert report["objectives"][0]["state"] == "met"
    findings = say(http, "GET", f"{place}/findings?run={report['run']['id']}")["items"]
    keys = [finding["key"] for finding in findings if finding["check"] == "box-bounds"]
    decision = {"keys": keys, "state": "assigned", "assignee": "bo"}
    assert say(http, "POST", f"{place}/finding-decisions", json=decision)["items"][0]["assignee"] == "bo"
    assert say(http, "POST", f"{place}/finding-fixes", json={"keys": keys})["findings"] == keys
    run = report["run"]["id"]
    groups = say(http, "GET", f"{place}/finding-groups?run={run}&group_by=class")["groups"]
    assert sum(group["findings"] for group in groups) == len(findings)
    assert say(http, "GET", f"{place}/finding-changes?run={run}")["new"] != []
    match = {"run": run, "check": "box-bounds", "state": ["fixed"]}
    rejected = {"match": match, "state": "rejected", "note": "not at the edge"}
    assert say(http, "POST", f"{place}/finding-decisions", json=rejected)["decided"] == len(keys)
    assert say(http, "POST", f"{place}/finding-undos", json={})["findings"] == keys
    events = say(http, "GET", f"{place}/finding-lives/{keys[0]}")["events"][:3]
    assert [event["to"] for event in events] == ["open", "assigned", "fixed"]
    assert say(http, "GET", f"{place}/finding-lives")["precision"]["box-bounds"]["n_real"] == 1
    assert say(http, "GET", f"{place}/findings-compared?before=main")["fixed"] != []
    assert say(http, "POST", f"{place}/finding-fixes/undo", json={})["findings"] == keys
    assert b"<testsuite" in say(http, "GET", f"{place}/checks/report?form=junit")


def _work_on_a_branch(http: TestClient, place: str) -> None:
    main = [commit["id"] for commit in say(http, "GET", f"{place}/log")["items"]]
    sample = say(http, "GET", f"{place}/samples?ref=trial%2B")["items"][0]["id"]
    edits = [{"do": "add-tags", "sample": sample, "tags": ["dusk"]}]
    say(http, "POST", f"{place}/edits?branch=trial", json={"edits": edits})
    assert say(http, "GET", f"{place}/log?ref=trial%2B")["changes"]["samples"]["changed"] == 1
    assert not say(http, "GET", f"{place}/log?ref=trial")["dirty"]
    created = say(http, "POST", f"{place}/commits?branch=trial", json={"message": "dusk"})["commit"]
    assert say(http, "GET", f"{place}/log?ref=trial%2B")["items"][0]["id"] == created
    start = say(http, "GET", f"{place}/log?ref=trial~1")["items"][0]["id"]
    back = say(http, "POST", f"{place}/rollback?branch=trial", json={"to": start})
    assert back["parents"] == [created]
    assert [commit["id"] for commit in say(http, "GET", f"{place}/log")["items"]] == main


def _version_and_release(http: TestClient) -> None:
    place = "/datasets/shop"
    first = say(http, "POST", f"{place}/commits", json={"message": "with a contract"})["commit"]
    assert say(http, "POST", f"{place}/tags", json={"name": "v1"}) == {"tag": "v1", "commit": first}
    assert say(http, "POST", f"{place}/branches", json={"name": "trial"})["commit"] == first
    asked = {"version": "1.0.0", "split": {"train": 0.5, "val": 0.5}, "purpose": "training"}
    assert say(http, "GET", f"{place}/releases/plan")["since"] is None
    say(http, "POST", f"{place}/releases", json=asked)
    assert say(http, "GET", f"{place}/releases/plan")["since"]["same"]
    assert say(http, "GET", f"{place}/releases")["items"][0]["purpose"] == "training"
    release = say(http, "GET", f"{place}/releases/1.0.0")
    assert release["card"]["standing"]["states"][0]["severity"] == "error"
    for file in release["files"]:
        assert (
            len(say(http, "GET", f"{place}/releases/1.0.0/files/{file['path']}", raw=True)) == file["bytes"]
        )
    changes = say(http, "GET", f"{place}/diff?a=v1&b=main")["items"]
    assert len(changes) == 24
    compared = say(http, "GET", f"{place}/diff/samples/{changes[0]['sample_id']}?a=v1&b=main")
    assert (compared["fields"][0]["field"], compared["position"]["total"]) == ("split", 24)
    assert say(http, "POST", f"{place}/rollback", json={"to": "v1"})["parents"] != []
    _work_on_a_branch(http, place)
    assert say(http, "GET", f"{place}?ref=v1")["contract"] is not None
    assert {ref["name"] for ref in say(http, "GET", f"{place}/refs")["items"]} > {"main", "trial", "v1"}
    (shop,) = (row for row in say(http, "GET", "/datasets")["items"] if row["name"] == "shop")
    assert (shop["releases"], shop["gates"]["red"]) == (["1.0.0"], 0)
    assert say(http, "GET", "/audit")["intact"] and say(http, "POST", "/audit/checkpoints")["size"]
    assert say(http, "GET", "/audit/verification")["intact"] and say(http, "GET", "/audit/export", raw=True)


def _derive_and_curate(http: TestClient, workspace: Store, owner: Actor) -> None:
    place = "/datasets/shop"
    ids = [row["id"] for row in say(http, "GET", f"{place}/samples?limit=3")["items"]]
    vectors.put_vectors(owner, "shop", "own", ids, np.eye(3, dtype=np.float32), store=workspace)
    assert len(say(http, "GET", f"{place}/similar?to={ids[0]}")["items"]) == 2
    placed = say(http, "GET", f"{place}/map")
    assert (placed["total"], placed["missing"], placed["by"]) == (3, 21, "class")
    assert len(say(http, "GET", f"{place}/map/points?where=split+%3D+none", raw=True)) == 3 * 9
    assert say(http, "GET", f"{place}/map/points/2")["id"] in ids
    everywhere = "own:-2,-2;2,-2;2,2;-2,2"
    assert say(http, "GET", f"{place}/samples?sort=-name&within={everywhere}")["total"] == 3
    assert say(http, "GET", f"{place}/facets?within={everywhere}")["samples"] == 3
    inside = say(http, "GET", f"{place}/samples/{ids[0]}?within={everywhere}")
    assert inside["position"]["total"] == 3
    assert len(say(http, "GET", f"{place}/vectors")["items"]) == 1
    say(http, "POST", f"{place}/splits", json={"fractions": {"train": 0.5, "val": 0.5}})
    assert say(http, "POST", f"{place}/selections", json={"n": 2})["tagged"] is None
    assert say(http, "POST", f"{place}/selections/tagged", json={"n": 2, "name": "two"})["tagged"] == 2
    body = {"recipe": {"name": "half", "steps": [{"resize": {"width": 32}}]}, "where": "split = train"}
    for noun in ("augmentations", "transformations"):
        planned = say(http, "POST", f"{place}/{noun}/plan", json=body)["to_make"]
        assert say(http, "POST", f"{place}/{noun}", json=body)["made"] == planned
        body = {**body, "recipe": {"name": "third", "steps": [{"resize": {"width": 21}}]}}
    mapping = {"classes": {"car": "vehicle"}}
    assert say(http, "POST", f"{place}/class-mappings/plan", json=mapping)["applied"] is False
    assert say(http, "POST", f"{place}/class-mappings", json=mapping)["applied"] is True


def _save_views(http: TestClient) -> None:
    place = "/datasets/shop/views"
    body = {"where": "width > 3", "sort": "-name", "size_px": 320, "hidden": [1]}
    saved = say(http, "PUT", f"{place}/wide images", json=body)
    assert (saved["name"], saved["where"], saved["hidden"]) == ("wide images", "width > 3", [1])
    assert say(http, "POST", f"{place}/wide images/name", json={"name": "wide"})["name"] == "wide"
    assert say(http, "GET", f"{place}/wide")["size_px"] == 320
    assert [view["name"] for view in say(http, "GET", place)["items"]] == ["wide"]
    assert say(http, "DELETE", f"{place}/wide")["where"] == "width > 3"


def _merge(http: TestClient, streets: Streets) -> None:
    streets.commit("streets@fix", boxes=[box(0, 0, score=0.25), box(9, 1)])
    streets.commit("streets", boxes=[box(0, 0, score=0.75)])
    place = "/datasets/streets"
    assert say(http, "GET", f"{place}/merges/preview?source=fix")["counts"]["open"] == 1
    merge = f"{place}/merges/" + say(http, "POST", f"{place}/merges", json={"source": "fix"})["merge"]
    assert say(http, "DELETE", merge)["state"] == "abandoned"
    merge = f"{place}/merges/" + say(http, "POST", f"{place}/merges", json={"source": "fix"})["merge"]
    assert say(http, "GET", merge)["items"][0]["theirs"]["score"] == 0.25
    assert say(http, "POST", f"{merge}/choices", json={"how": {"score": 0.5}}) == {"settled": [1]}
    landed = say(http, "POST", f"{merge}/landing", json={})
    assert say(http, "GET", merge)["items"][0]["resolution"] == {"score": 0.5}
    assert len(say(http, "GET", f"{place}/merges")["items"]) == 2
    assert say(http, "GET", f"{place}/blame/a9")["items"][0]["label_set"] == "ground_truth"
    assert say(http, "POST", f"{place}/undos", json={"commit": landed["commit"]})["state"] == "landed"
    first = {"commit": say(http, "GET", f"{place}/log?all_refs=true")["items"][-1]["id"]}
    assert say(http, "POST", f"{place}/undos", json=first)["source_commit"] is None
    yes = say(http, "POST", f"{place}/commits/main/approvals", json={"reason": "looked at"})
    assert say(http, "GET", f"{place}/commits/main/approvals")["items"] == [yes]
    for rules in ({"gates": True}, {}):
        protected = say(http, "PUT", f"{place}/branches/main/protection", json={"rules": rules})
        assert protected["protection"] == (rules or None)
