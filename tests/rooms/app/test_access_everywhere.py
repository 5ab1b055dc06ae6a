"""Every route and every verb, for every role and for nobody, held against the matrix of access."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.datastructures import Headers
from starlette.responses import Response
from tests.house.reading import REPO
from tests.support.every_route import (
    API,
    NOBODY_NEEDED,
    WITHOUT_A_ROLE,
    call,
    is_about_a_dataset,
    operations,
)

from calotype.app import server, workspaces
from calotype.app.sessions import Admitted
from calotype.curate.model import SelectionSpec, SplitSpec
from calotype.datasets import service as datasets
from calotype.findings.lifecycle import Decision, State
from calotype.foundation.actor import ACTIONS, ORDINARY, ROLES, Actor, Guard, Permission, RoleOn, Ruling
from calotype.foundation.errors import NotPermitted
from calotype.govern import repository as govern
from calotype.govern.matrix import matrix
from calotype.govern.model import AuditFilter
from calotype.pipeline.model import Commit as CommitStage
from calotype.pipeline.model import Pipeline
from calotype.release.model import ExportSpec
from calotype.store import Store

HELD = {"workspace": None, "team": "secret"}
CELLS = {(cell.role, cell.held, cell.action, cell.kind): cell.allowed for cell in matrix("central")}
MORE_THAN_DECLARED = {
    "set_organisation": "a guard keeps it for owners",
    "set_four_eyes": "a guard keeps it for owners",
}
"""Routes that roles are refused although the matrix allows their action."""
FOR_WORKERS_TOO = {
    "show_guideline",
    "list_guidelines",
    "diff_guidelines",
    "show_guideline_reading",
    "acknowledge_guideline",
    *(
        f"guidelines.{name}"
        for name in ("guideline", "guidelines", "diff_guidelines", "reading", "acknowledge")
    ),
}
"""Routes and verbs of reading a guideline: who works on a dataset reads it, also without reading the dataset."""
OF_ONE_PERSON = {"sign_in": "needs the link of a server without accounts"}
NOT_YOURS = "an assignment that is not one's own does not exist; tests/rooms/labelling/test_rights.py"
SHOWN_AS_ABSENT = {"show_run": "a run of a dataset that one may not see does not exist"}
SHOWN_AS_ABSENT |= dict.fromkeys(
    (
        "show_work",
        "list_work_events",
        "show_work_image",
        "show_next_work_image",
        "record_operations",
        "submit_work",
        "skip_work",
        "release_work",
        "ask_question",
        "review_work",
        "answer_thread",
    ),
    NOT_YOURS,
)
FILTERED = {
    "datasets.datasets": "lists the datasets that one may see",
    "pipeline.runs": "lists the runs of datasets that one may see",
    "pipeline.current": "shows the runs of datasets that one may see",
    "pipeline.get": "a run of a dataset that one may not see does not exist",
    "labelling.my_work": "lists one's own work",
    "labelling.next_work": "takes from datasets in which one may work",
}
FILTERED |= {"labelling.answer": NOT_YOURS, "reviews.review": NOT_YOURS}
FILTERED |= dict.fromkeys(
    (
        f"labelling.{name}"
        for name in [
            "work",
            "work_events",
            "work_image",
            "record",
            "submit",
            "skip",
            "release_work",
            "ask",
            "answer",
        ]
    ),
    NOT_YOURS,
)
"""Verbs that refuse nobody, because they show what one may see."""
WITHOUT_WORKSPACE = {
    "reliability.restore": "makes a new folder from a backup, for whoever can read the backup"
}
EXAMPLES: dict[str, Any] = {
    "SelectionSpec": SelectionSpec(1),
    "SplitSpec": SplitSpec({"train": 1.0}),
    "Decision": Decision(State.OPEN),
    "Pipeline": Pipeline(name="x", dataset="secret", stages=(CommitStage(message="x"),), folder=Path()),
    "ExportSpec": ExportSpec("coco"),
}
"""Values of parameters that verbs look at before they ask the guard."""


class RoleKeys:
    """Knows who asks by a header: a role and where it is held, or nobody."""

    accounts = True
    provider_name = ""
    public_paths = frozenset(API + path for path in NOBODY_NEEDED)

    def admit(self, headers: Headers) -> Admitted | None:
        role, _, held = headers.get("x-role", "").partition("@")
        return Admitted(with_role(role, held)) if role else None

    def admit_link(self, token: str, response: Response) -> None:
        raise AssertionError("no links here")

    def set_cookie(self, response: Response, secret: str) -> None:
        raise AssertionError("no cookies here")


def with_role(role: str, held: str) -> Actor:
    return Actor("person:1", "bo", roles=(), grants=(RoleOn(role, HELD[held]),))


def may(role: str, held: str, action: str, kind: str) -> bool:
    """What the matrix says; a role that is held on a dataset does not count on the workspace."""
    if kind == "workspace" and held == "team":
        return action == Permission.ACCOUNT_OWN
    return CELLS[role, held, action, kind]


@pytest.fixture
def workspace(tmp_path: Path, owner: Actor) -> Iterator[Store]:
    """A workspace under the rules of `govern`, with the dataset `secret`."""
    store = workspaces.create(owner, tmp_path / "workspace")
    datasets.create(owner, "secret", store=store)
    yield store
    store.close()


def test_every_route_declares_an_action_that_concerns_its_resource():
    for path, method, operation in operations():
        action = Permission(operation["x-calotype-action"])
        kind = "dataset" if is_about_a_dataset(path, operation) else "workspace"
        assert kind in ACTIONS[action] or operation["operationId"] in WITHOUT_A_ROLE, (
            path,
            method,
            action,
            kind,
        )


@pytest.mark.slow
@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("role", ROLES)
def test_every_route_answers_a_role_as_the_matrix_says(workspace, role, held):
    app = server.make(workspace, RoleKeys(), hosts={"testserver"})
    wrong = {}
    with TestClient(app, headers={"x-role": f"{role}@{held}"}, raise_server_exceptions=False) as browser:
        for path, method, operation in operations():
            name = operation["operationId"]
            skipped = {*WITHOUT_A_ROLE, *MORE_THAN_DECLARED, *OF_ONE_PERSON, *SHOWN_AS_ABSENT}
            if path.removeprefix(API) in NOBODY_NEEDED or name in skipped:
                continue
            kind = "dataset" if is_about_a_dataset(path, operation) else "workspace"
            answer = call(browser, path, method, operation)
            allowed = may(role, held, operation["x-calotype-action"], kind)
            allowed |= name in FOR_WORKERS_TOO and may(role, held, Permission.WORK_DO, kind)
            if is_refused(answer) == allowed:
                wrong[name] = (answer.status_code, answer.text[:200])
    assert wrong == {}


def is_refused(answer: Any) -> bool:
    """Whether the answer says no, or that the dataset does not exist, which it does."""
    if answer.is_success or not answer.headers.get("content-type", "").startswith("application/problem"):
        return False
    code = answer.json()["code"]
    return code == "not-permitted" or (code == "dataset-not-found" and "'secret'" in answer.json()["detail"])


@pytest.mark.parametrize("role", ROLES)
def test_only_owners_set_the_model_of_the_organisation(workspace, role):
    app = server.make(workspace, RoleKeys(), hosts={"testserver"})
    with TestClient(app, headers={"x-role": f"{role}@workspace"}) as browser:
        answer = browser.put(f"{API}/organisation", json={"model": "hybrid"})
        assert answer.is_success == (role == "owner"), answer.text
        assert browser.get(f"{API}/organisation").json()["model"] == (
            "hybrid" if role == "owner" else "central"
        )


def test_every_route_keeps_nobody_in(workspace):
    app = server.make(workspace, RoleKeys(), hosts={"testserver"})
    with TestClient(app) as browser:
        let_in = [
            path
            for path, method, operation in operations()
            if path.removeprefix(API) not in NOBODY_NEEDED
            and call(browser, path, method, operation).status_code != 401
        ]
    assert let_in == []


class Refuses:
    """Refuses everything, and notes what was asked first."""

    def __init__(self) -> None:
        self.asked: list[tuple[Permission, str]] = []

    def decide(self, actor, permission, resource, circumstances=ORDINARY) -> Ruling:
        self.asked.append((permission, resource))
        return Ruling(False, "refuses")

    def says(self, rule: str) -> str:
        return rule


@pytest.fixture(scope="module")
def verbs() -> dict[str, Callable[..., Any]]:
    """Every verb of every room by its name."""
    sys.path.insert(0, str(REPO / "scripts"))
    try:
        import doors
    finally:
        sys.path.remove(str(REPO / "scripts"))
    keys = {
        *doors._service_verbs(),
        *(doors._key(target) for _, _, targets in doors._doors() for target in targets),
    }
    found = {
        f"{module.split('.')[1]}.{name}": getattr(importlib.import_module(module), name)
        for module, name in keys
    }
    assert len(found) > 100
    return found


def ask_for(verb: Callable[..., Any], actor: Actor, store: Store) -> None:
    """Call a verb about the dataset `secret` with small values."""
    given: list[Any] = []
    named: dict[str, Any] = {}
    for name, parameter in list(inspect.signature(verb).parameters.items())[1:]:
        if name == "store":
            named[name] = store
        elif parameter.default is inspect.Parameter.empty and parameter.kind is parameter.KEYWORD_ONLY:
            named[name] = value_of(str(parameter.annotation))
        elif (
            parameter.default is inspect.Parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        ):
            given.append(value_of(str(parameter.annotation)))
    verb(actor, *given, **named)


def value_of(annotation: str) -> Any:
    simple: dict[str, Any] = {"str": "secret", "int": 1, "Path": Path("nothing")}
    if annotation in simple:
        return simple[annotation]
    return EXAMPLES.get(annotation, [] if "[" in annotation else object())


def test_every_verb_asks_the_guard_before_it_does_anything(workspace, verbs, owner):
    before = audited(workspace)
    silent = {}
    for name, verb in sorted(verbs.items()):
        if name in FILTERED or name in WITHOUT_WORKSPACE:
            continue
        refuses = Refuses()
        try:
            ask_for(verb, owner, replace(workspace, guard=Guard(refuses)))
        except NotPermitted:
            continue
        except Exception as error:
            silent[name] = repr(error)[:200]
        else:
            silent[name] = f"was done after {refuses.asked}"
    assert silent == {}
    assert audited(workspace) == before
    assert set(FILTERED) | set(WITHOUT_WORKSPACE) <= set(verbs)


@pytest.mark.parametrize("held", HELD)
def test_every_verb_refuses_the_roles_that_the_matrix_refuses(workspace, verbs, owner, held):
    """For each verb the actions that it asks about the dataset and the workspace, then each role that lacks one."""
    before, wrong, refused = audited(workspace), [], 0
    for name, verb in sorted(verbs.items()):
        if name in FILTERED or name in WITHOUT_WORKSPACE:
            continue
        refuses = Refuses()
        with pytest.raises(NotPermitted):
            ask_for(verb, owner, replace(workspace, guard=Guard(refuses)))
        permission, resource = refuses.asked[0]
        kind = "dataset" if resource == "secret" else "workspace"
        assert kind in ACTIONS[permission], (name, permission, kind)
        for role in ROLES:
            works = name in FOR_WORKERS_TOO and may(role, held, Permission.WORK_DO, kind)
            if not may(role, held, permission, kind) and not works:
                refused += 1
                try:
                    ask_for(verb, with_role(role, held), workspace)
                except NotPermitted:
                    continue
                except Exception as error:
                    wrong.append((name, role, repr(error)[:100]))
                else:
                    wrong.append((name, role, "was done"))
    assert wrong == []
    assert refused > 400
    assert audited(workspace) == before


def audited(store: Store) -> int:
    with store.catalog.read() as conn:
        return len(govern.events(conn, AuditFilter(), limit=10_000))
