"""The schema that the policies are validated against."""

from __future__ import annotations

from typing import Any

from calotype.foundation.actor import ACTIONS, PARENTS
from calotype.govern.cedar import CLASSIFIED, FLAGS


def cedar_schema() -> dict[str, Any]:
    """The schema, in Cedar's JSON form: no policy may name an action, attribute or kind that is not in it."""
    boolean = {"type": "Boolean", "required": True}
    attributes = {name: boolean for name in ("account", "vendor", "service")}
    text = {"type": "String", "required": True}
    context = {name: boolean for name in FLAGS} | {"purpose": {"type": "String", "required": False}}
    classified = {
        "class": text,
        "licence": text,
        "purposes": {"type": "Set", "element": {"type": "String"}, "required": True},
        "restricted": boolean,
        "hold": boolean,
    }
    resource = {
        kind.capitalize(): {
            "memberOfTypes": [p.capitalize()] if p else [],
            "shape": {"type": "Record", "attributes": classified if kind in CLASSIFIED else {}},
        }
        for kind, p in PARENTS.items()
    }
    return {
        "": {
            "entityTypes": {
                "Role": {},
                "RoleOnWorkspace": {"memberOfTypes": ["Role"]},
                "RoleOnDataset": {"memberOfTypes": ["Role"]},
                "Actor": {
                    "memberOfTypes": ["RoleOnWorkspace", "RoleOnDataset"],
                    "shape": {"type": "Record", "attributes": attributes},
                },
                **resource,
            },
            "actions": {
                str(permission): {
                    "appliesTo": {
                        "principalTypes": ["Actor"],
                        "resourceTypes": [kind.capitalize() for kind in kinds],
                        "context": {"type": "Record", "attributes": context},
                    }
                }
                for permission, kinds in ACTIONS.items()
            },
        }
    }
