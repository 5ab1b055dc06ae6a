"""The base classes of Calotype's errors: what happened, where, and how to fix it, under a stable code.

    CalotypeError
    ├── Invalid          invalid input (also a ValueError)
    ├── NotFound         something does not exist (also a LookupError)
    ├── AlreadyExists    the name is taken
    ├── Conflict         a concurrent change, or a state that does not allow the verb
    ├── NotPermitted     the actor lacks a permission (also a PermissionError)
    ├── ChecksFailed     a gate is red
    ├── External         a disk, a server or another library failed
    └── Bug              a defect of Calotype

Concrete errors are defined in the room that raises them and set `code`, `what` and `fix` (`str.format` templates over
the fields given to the constructor). `foundation.codes` maps each code to an HTTP status, an exit code and whether a
retry may succeed.
"""

from __future__ import annotations

from typing import Any, ClassVar


class CalotypeError(Exception):
    """Base of all errors that Calotype raises; the fields are readable as attributes.

    Args:
        where: Where it happened, such as a file and line, a dataset or a field; never a secret.
        fields: Values for the `what` and `fix` templates.
    """

    code: ClassVar[str] = "internal"
    what: ClassVar[str] = "something went wrong"
    fix: ClassVar[str] = ""

    def __init__(self, *, where: str = "", **fields: Any) -> None:
        self.where = _encodable(where)
        self.fields = fields
        for name, value in fields.items():
            setattr(self, name, value)
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The `what` template with its fields filled in."""
        return _encodable(self.what.format(**self.fields))

    @property
    def remedy(self) -> str:
        """The `fix` template with its fields filled in."""
        return _encodable(self.fix.format(**self.fields))

    def __str__(self) -> str:
        parts = [self.message]
        if self.where:
            parts.append(f"where: {self.where}")
        if self.fix:
            parts.append(f"fix: {self.remedy}")
        return "; ".join(parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.where, self.fields))

    def to_dict(self) -> dict[str, Any]:
        """The four public fields, as shown by every door."""
        return {"code": self.code, "what": self.message, "where": self.where, "fix": self.remedy}


def _encodable(text: str) -> str:
    """File names that are not UTF-8 hold half surrogates, which no door can send: they are shown as escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _rebuild(kind: type[CalotypeError], where: str, fields: dict[str, Any]) -> CalotypeError:
    return kind(where=where, **fields)


class Invalid(CalotypeError, ValueError):
    """The input is not valid."""

    code = "invalid"


class NotFound(CalotypeError, LookupError):
    """Something does not exist."""

    code = "not-found"


class AlreadyExists(CalotypeError):
    """The name is taken."""

    code = "already-exists"


class Conflict(CalotypeError):
    """A concurrent change, or a state that does not allow the verb."""

    code = "conflict"


class NotPermitted(CalotypeError, PermissionError):
    """The actor lacks a permission."""

    code = "not-permitted"
    what = "{actor} does not have the permission {permission} on {resource}; rule: {rule}"
    fix = (
        "the rule says: {says}; `calotype access why` names the grants that would change it; ask an owner of the "
        "workspace for one"
    )

    def question(self) -> dict[str, str]:
        """What was asked, as `calotype access why` takes it; empty where that is not known."""
        action, resource = self.fields.get("permission", ""), self.fields.get("resource", "")
        if not action or not resource:
            return {}
        kind = "workspace" if " " in resource else resource if ":" in resource else f"dataset:{resource}"
        return {"action": action, "resource": kind}


class ChecksFailed(CalotypeError):
    """A gate is red."""

    code = "checks-failed"


class External(CalotypeError):
    """A disk, a server or another library failed."""

    code = "external"


class Bug(CalotypeError):
    """A defect of Calotype."""

    code = "bug"
    what = "internal error: {detail}"
    fix = "please report this, with the command that led to it"
