"""Every error that Calotype raises on purpose: what happened, where, how to fix it, under a stable code.

    CalotypeError
    ├── Invalid          input is not as promised (also a ValueError)
    ├── NotFound         a named thing is not there (also a LookupError)
    ├── AlreadyExists    the name is taken
    ├── Conflict         somebody else changed it first, or its state forbids the verb
    ├── NotPermitted     this actor may not do this (also a PermissionError)
    ├── ChecksFailed     a gate is red
    ├── External         a disk, a server or a library outside us failed
    └── Bug              ours; should never be seen

Leaves live in the room that raises them and set `code`, `what` (a `str.format` template over the fields given to the
constructor) and `fix`. `foundation.codes` maps each code to an HTTP status, an exit code and "is a retry worth it".
"""

from __future__ import annotations

from typing import Any, ClassVar


class CalotypeError(Exception):
    """Base of all errors raised on purpose; the keyword fields stay readable as attributes.

    Args:
        where: The place in the user's world: a file and line, a dataset, a field; never a secret.
        fields: Values for the `what` and `fix` templates.
    """

    code: ClassVar[str] = "internal"
    what: ClassVar[str] = "something went wrong"
    fix: ClassVar[str] = ""

    def __init__(self, *, where: str = "", **fields: Any) -> None:
        self.where = where
        self.fields = fields
        for name, value in fields.items():
            setattr(self, name, value)
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The `what` sentence with its fields filled in."""
        return self.what.format(**self.fields)

    @property
    def remedy(self) -> str:
        """The `fix` sentence with its fields filled in."""
        return self.fix.format(**self.fields)

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


def _rebuild(kind: type[CalotypeError], where: str, fields: dict[str, Any]) -> CalotypeError:
    return kind(where=where, **fields)


class Invalid(CalotypeError, ValueError):
    """Input is not as promised."""

    code = "invalid"


class NotFound(CalotypeError, LookupError):
    """A named thing is not there."""

    code = "not-found"


class AlreadyExists(CalotypeError):
    """The name is taken."""

    code = "already-exists"


class Conflict(CalotypeError):
    """Somebody else changed it first, or its present state forbids the verb."""

    code = "conflict"


class NotPermitted(CalotypeError, PermissionError):
    """The actor may not do this."""

    code = "not-permitted"
    what = "{actor} may not {permission} on {resource}"
    fix = "ask an owner of the workspace for the permission"


class ChecksFailed(CalotypeError):
    """A gate is red."""

    code = "checks-failed"


class External(CalotypeError):
    """A disk, a server or a library outside Calotype failed."""

    code = "external"


class Bug(CalotypeError):
    """An invariant of ours does not hold."""

    code = "bug"
    what = "an invariant does not hold: {detail}"
    fix = "please report it with the command that led here"
