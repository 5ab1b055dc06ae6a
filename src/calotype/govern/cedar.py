"""Answers of Cedar: the policies of `policies/`, asked one question at a time, each distinct question once.

Source: the Cedar policy language, https://docs.cedarpolicy.com (permit and forbid, forbid wins, deny by default).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from calotype.contracts.classification import Classification
from calotype.foundation.actor import PARENTS, Permission, Ruling
from calotype.foundation.errors import Bug
from calotype.govern.model import MODELS

NO_PERMIT = "no-permit"
"""The rule of a decision to which no policy applies."""
FLAGS = (
    "above_token",
    "by_token",
    "changes_account",
    "own_rights",
    "own_work",
    "governing",
    "destroys",
    "lowers_class",
)
"""What a policy can ask of the circumstances."""
MEMO = 50_000
CLASSIFIED = ("dataset", "branch", "release", "sample")
"""Kinds of resources that have a class of data, a licence, purposes and a hold."""


UNCLASSIFIED = Classification()


@dataclass(frozen=True, slots=True)
class Question:
    """All that a decision depends on.

    Args:
        roles: Names of roles that hold on the resource, with whether each is held on the whole workspace.
        kind: One of `PARENTS`.
        account: Whether the actor has an account.
        flags: Those of the context that are true.
        about: Class of data, licence, purposes and hold of the dataset.
        purpose: What a release is for, where that is known.
    """

    permission: Permission
    roles: frozenset[tuple[str, bool]]
    kind: str = "workspace"
    account: bool = False
    vendor: bool = False
    service: bool = False
    flags: frozenset[str] = frozenset()
    about: Classification = UNCLASSIFIED
    purpose: str | None = None


class PoliciesBroken(Bug):
    """A policy cannot be read or evaluated; nothing is allowed then."""

    code = "policies-broken"
    what = "the rules of access cannot be evaluated: {detail}"


@lru_cache(maxsize=MEMO)
def ruling(model: str, question: Question) -> Ruling:
    """What Cedar answers, and the name of the policy that decided. Raises: PoliciesBroken."""
    import cedarpy  # 16 MB of native code, for whoever only imports this room

    request = {
        "principal": 'Actor::"asking"',
        "action": f'Action::"{question.permission}"',
        "resource": f'{question.kind.capitalize()}::"asked"',
        "context": {flag: flag in question.flags for flag in FLAGS}
        | ({} if question.purpose is None else {"purpose": question.purpose}),
    }
    answer = cedarpy.is_authorized(request, _policies(model), json.dumps(_entities(question)))
    if answer.diagnostics.errors:  # a forbid that cannot be evaluated would not forbid
        raise PoliciesBroken(detail="; ".join(answer.diagnostics.errors)[:500])
    names = sorted(answer.diagnostics.id_annotations_by_reason.values())
    return Ruling(bool(answer.allowed), names[0] if names else NO_PERMIT)


def policy_text(model: str) -> str:
    """The policies of a model of organisation, as Cedar text. Raises: PoliciesBroken."""
    if model not in MODELS:  # set by a newer version, which has more of them
        raise PoliciesBroken(detail=f"the model of organisation {model[:100]!r} is not known")
    folder = resources.files("calotype.govern.policies")
    return "\n".join((folder / f"{name}.cedar").read_text("utf-8") for name in ("guards", "common", model))


@lru_cache(maxsize=8)
def rules(model: str) -> dict[str, str]:
    """Names of the rules of a model, with what each says, in the order of the policies."""
    import cedarpy

    parsed = json.loads(cedarpy.policies_to_json_str(policy_text(model)))["staticPolicies"]
    ordered = sorted(parsed, key=lambda name: int(name.removeprefix("policy")))
    notes = [parsed[name]["annotations"] for name in ordered]
    return {NO_PERMIT: "no role on this resource allows it", **{n["id"]: n["says"] for n in notes}}


@lru_cache(maxsize=8)
def _policies(model: str) -> Any:
    import cedarpy

    try:
        return cedarpy.PolicySet.from_str(policy_text(model))
    except ValueError as error:
        raise PoliciesBroken(detail=str(error)[:500]) from error


def _entities(question: Question) -> list[dict[str, Any]]:
    held = sorted(
        {("RoleOnWorkspace" if everywhere else "RoleOnDataset", role) for role, everywhere in question.roles}
    )
    attributes = {"account": question.account, "vendor": question.vendor, "service": question.service}
    entities = [_entity("Actor", "asking", held, attributes)]
    entities += [_entity(place, role, [("Role", role)]) for place, role in held]
    kind = question.kind
    while kind:
        parent = PARENTS[kind]
        parents = [(parent.capitalize(), "asked")] if parent else []
        entities.append(_entity(kind.capitalize(), "asked", parents, _attributes(question, kind)))
        kind = parent
    return entities


def _attributes(question: Question, kind: str) -> dict[str, Any]:
    """What a resource is, for the kinds that are a dataset or a part of one."""
    about = question.about
    if kind not in CLASSIFIED:
        return {}
    purposes = list(about.purposes)
    return {
        "class": about.data_class,
        "licence": about.licence,
        "purposes": purposes,
        "restricted": bool(purposes),
        "hold": bool(about.hold),
    }


def _entity(
    kind: str, name: str, parents: list[tuple[str, str]], attributes: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "uid": {"type": kind, "id": name},
        "attrs": attributes or {},
        "parents": [{"type": parent, "id": parent_name} for parent, parent_name in parents],
    }
