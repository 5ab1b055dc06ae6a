"""Every route of the API, called with values that its description allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from fastapi.testclient import TestClient

from calotype.app import server

API = "/api/v1"
NOBODY_NEEDED = {
    "/health",
    "/ready",
    "/sign-in",
    "/invitations/show",
    "/invitations/accept",
    "/device-sign-ins",
    "/device-sign-ins/token",
    "/oidc/start",
    "/oidc/callback",
}
WITHOUT_A_ROLE = {
    "show_session": "who one is",
    "list_datasets": "those that one may see: none",
    "list_runs": "of datasets that one may see: none",
    "current_runs": "of datasets that one may see: none",
    "sign_out": "one's own session",
    "list_sessions": "one's own",
    "list_tokens": "one's own",
    "create_token": "one's own; it may do what its person may",
    "rotate_token": "one's own, with what the old one may do",
    "list_formats": "the same for everyone",
    "list_fields": "the same for everyone",
    "show_organisation": "the same for everyone",
    "show_four_eyes": "the same for everyone",
    "show_access_matrix": "the same for everyone",
    "why": "about oneself",
    "begin_device_sign_in": "the form of `calotype login`",
    "take_device_token": "whoever has its secret",
    "show_device_sign_in": "to let it in as oneself",
    "answer_device_sign_in": "to let it in as oneself",
    "call_verb": "each verb asks for its own permission",
    "ask_for_access": "for oneself",
    "list_access_requests": "one's own",
    "withdraw_access_request": "one's own",
    "show_my_work": "one's own",
    "show_maturity_overview": "of datasets whose audit trail one may read: none",
    "take_next_work": "of datasets in which one may work: none",
}
"""What somebody without any role may call."""


@cache
def described() -> dict[str, Any]:
    """The description of the API."""
    return server.openapi()


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def example(schema: dict[str, Any]) -> Any:
    """A small valid value of a schema."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return example(described()["components"]["schemas"][name])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return example(schema[key][0])
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: example(schema["properties"][name]) for name in schema.get("required", ())}
    if kind == "array":
        length = schema.get("minItems", 0)
        inner = schema.get("prefixItems") or [schema.get("items", {})] * length
        return [example(item) for item in inner[: max(length, len(schema.get("prefixItems", ())))]]
    text = "x" * max(1, schema.get("minLength", 1))
    numbers = {"integer": schema.get("minimum", 1), "number": schema.get("minimum", 1.0), "boolean": True}
    return numbers.get(str(kind), text)


BETTER: dict[str, dict[str, Any]] = {
    "record_operations": {"operations": [{"do": "undo", "id": "01a22e7154bb789fb61548c91dd58342"}]},
    "decide_findings": {"keys": ["x" * 8]},
    "stage_finding_fix": {"keys": ["x" * 8]},
    "plan_augmentation": {"recipe": {"name": "x", "steps": [{"rotate": {"degrees": [-5, 5]}}]}},
    "plan_transformation": {"recipe": {"name": "x", "steps": [{"letterbox": {"width": 32, "height": 32}}]}},
    "assign_splits": {"fractions": {"train": 0.5, "val": 0.5}},
}
"""Fields that a description alone does not give."""
QUERIES = {
    "who_can": {"action": "people.read", "resource": "workspace"},
    "why": {"action": "people.read", "resource": "workspace"},
}
"""Parameters that a description alone does not give."""


def call(browser: TestClient, path: str, method: str, operation: dict[str, Any]) -> Any:
    """Call a route about the dataset `secret` with values that its description allows."""
    for name in ("name", "dataset"):
        path = path.replace(f"{{{name}}}", "secret")
    numbers = {p["name"] for p in operation.get("parameters", ()) if p["schema"].get("type") == "integer"}
    parts = [part if "{" not in part else "1" if part[1:-1] in numbers else "x" for part in path.split("/")]
    needed = [p for p in operation.get("parameters", ()) if p["in"] == "query" and p.get("required")]
    query = {p["name"]: "secret" if p["name"] == "dataset" else example(p["schema"]) for p in needed}
    query |= QUERIES.get(operation["operationId"], {})
    bodies = operation.get("requestBody", {}).get("content", {})
    options: dict[str, Any] = {"params": query}
    if "application/json" in bodies:
        better = BETTER.get(operation["operationId"], {})
        options["json"] = {**example(bodies["application/json"]["schema"]), **better}
    elif bodies:
        options |= {"content": b"x", "headers": {"content-type": next(iter(bodies))}}
    return browser.request(method, "/".join(parts), **options)


def is_about_a_dataset(path: str, operation: dict[str, Any]) -> bool:
    """Whether a route concerns one dataset: it is in the path, a parameter that must be given, or of an assignment."""
    needed = {p["name"] for p in operation.get("parameters", ()) if p.get("required")}
    of_work = path.startswith((f"{API}/assignments/{{", f"{API}/threads/{{"))
    return path.startswith(f"{API}/datasets/{{") or "dataset" in needed or of_work


def ask_about_access(say: Callable[..., Any]) -> None:
    """The routes of access and of the organisation, for an owner; bo has no role on the dataset `shop`."""
    assert len(say("GET", "/people")["items"]) == 2
    asked = "action=export&resource=dataset:shop"
    assert [item["who"] for item in say("GET", f"/access/who?{asked}")["items"]] == ["ana@example.org"]
    assert say("GET", f"/access/why?{asked}&who=bo@example.org")["would_allow"]
    _ask_and_answer(say)
    assert say("PUT", "/organisation", json={"model": "hybrid"})["model"] == "hybrid"
    assert say("GET", "/organisation")["model"] == "hybrid"
    assert say("PUT", "/organisation/four-eyes", json={"on": False})["on"] is False
    assert say("GET", "/organisation/four-eyes")["off_asked_by"] == ""
    assert say("GET", "/access/matrix?model=central")["items"]
    assert say("GET", "/access/matrix?model=central&diff=hybrid")["items"][0]["rule_before"]
    kind = {"class": "confidential", "licence": "CC-BY-4.0", "purposes": ["training"], "hold": "case 12"}
    assert say("PUT", "/datasets/shop/classification", json=kind)["class"] == "confidential"
    assert say("GET", "/datasets/shop/classification") == {"dataset": "shop", **kind}
    say("PUT", "/datasets/shop/classification", json={"purposes": [], "hold": ""})
    say("POST", "/tokens", json={"name": "old"})
    rotated = say("POST", "/tokens/old/rotation", json={"overlap_hours": 0})["details"]
    assert say("DELETE", f"/tokens/{rotated['id']}")["name"] == "old"
    _let_a_program_in(say)


def _let_a_program_in(say: Callable[..., Any]) -> None:
    """Sign-in from the browser, and calls of verbs by their names."""
    begun = say("POST", "/device-sign-ins", json={"device": "laptop"})
    device, user = {"device_code": begun["device_code"]}, {"user_code": begun["user_code"]}
    assert say("POST", "/device-sign-ins/token", json=device)["token"] is None
    assert say("POST", "/device-sign-ins/show", json=user)["device"] == "laptop"
    say("POST", "/device-sign-ins/answer", json={**user, "allow": True})
    assert say("POST", "/device-sign-ins/token", json=device)["token"]
    say("DELETE", f"/tokens/{say('GET', '/tokens')['items'][0]['id']}")
    assert say("POST", "/verbs/datasets.datasets", content=b"\x80", raw=True)


def _ask_and_answer(say: Callable[..., Any]) -> None:
    """Requests for access and the access review."""
    for role in ("reviewer", "annotator"):
        say(
            "POST",
            "/access/requests",
            json={"role": role, "on": "dataset:shop", "for_email": "bo@example.org"},
        )
    own = say("POST", "/access/requests", json={"role": "curator"})
    assert say("DELETE", f"/access/requests/{own['id']}")["state"] == "withdrawn"
    waiting = say("GET", "/access/requests?everyone=true&state=waiting")["items"]
    assert [item["may_answer"] for item in waiting] == [True, True]
    answer = {"yes": True, "until": "2999-12-31", "reason": "for spring"}
    granted = say("POST", f"/access/requests/{waiting[0]['id']}/answer", json=answer)
    assert say("DELETE", f"/grants/{granted['grant']}")["id"] == granted["grant"]
    say("POST", f"/access/requests/{waiting[1]['id']}/answer", json={"yes": False})
    row = say("GET", "/access/review")["items"][0]
    say("POST", "/access/review/kept", json={"kind": row["kind"], "id": row["id"], "reason": "new"})
    assert say("GET", "/access/review?kept=true")["items"][0]["kept"]["reason"] == "new"
