"""The schema that the policies are validated against."""

from __future__ import annotations

from typing import Any

from calotype.foundation.actor import ACTIONS, PARENTS
from calotype.govern.cedar import CLASSIFIED, FLAGS

_BOOLEAN = {"type": "Boolean", "required": True}
_TEXT = {"type": "String", "required": True}
_OF_DATASET = {
    "class": _TEXT,
    "licence": _TEXT,
    "purposes": {"type": "Set", "element": {"type": "String"}, "required": True},
    "restricted": _BOOLEAN,
    "hold": _BOOLEAN,
}


def cedar_schema() -> dict[str, Any]:
    """The schema, in Cedar's JSON form: no policy may name an action, attribute or kind that is not in it."""
    context = {name: _BOOLEAN for name in FLAGS} | {"purpose": {"type": "String", "required": False}}
    actor = _record({name: _BOOLEAN for name in ("account", "vendor", "service")})
    return {
        "": {
            "entityTypes": {
                "Role": {},
                "RoleOnWorkspace": {"memberOfTypes": ["Role"]},
                "RoleOnDataset": {"memberOfTypes": ["Role"]},
                "Actor": {"memberOfTypes": ["RoleOnWorkspace", "RoleOnDataset"], "shape": actor},
                **_resources(),
            },
            "actions": {
                str(permission): {
                    "appliesTo": {
                        "principalTypes": ["Actor"],
                        "resourceTypes": [kind.capitalize() for kind in kinds],
                        "context": _record(context),
                    }
                }
                for permission, kinds in ACTIONS.items()
            },
        }
    }


def _resources() -> dict[str, Any]:
    return {
        kind.capitalize(): {
            "memberOfTypes": [parent.capitalize()] if parent else [],
            "shape": _record(_OF_DATASET if kind in CLASSIFIED else {}),
        }
        for kind, parent in PARENTS.items()
    }


def _record(attributes: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Record", "attributes": attributes}
