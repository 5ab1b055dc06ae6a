"""The errors of labelling work."""

from __future__ import annotations

from calotype.foundation.errors import AlreadyExists, Conflict, Invalid, NotFound


class BatchNotFound(NotFound):
    """The dataset has no batch of this name."""

    code = "batch-not-found"
    what = "{dataset} has no batch {got!r}"
    fix = "list the batches with `calotype batch list {dataset}`"


class BatchExists(AlreadyExists):
    """The name of the batch is taken."""

    code = "batch-exists"
    what = "{dataset} already has a batch {name!r}"
    fix = "choose another name"


class BatchInvalid(Invalid):
    """A batch that cannot be opened or changed like this."""

    code = "batch-invalid"
    what = "{detail}"
    fix = "{hint}"


class BatchClosed(Conflict):
    """The batch does not accept this any more."""

    code = "batch-closed"
    what = "batch {name} of {dataset} is {state}"
    fix = "{hint}"


class WorkerUnknown(Invalid):
    """Nobody has this name, and no team."""

    code = "worker-unknown"
    what = "nobody here is {got!r}"
    fix = "name people by their email address, teams as team:NAME; list them with `calotype people list`"


class AssignmentNotFound(NotFound):
    """There is no such assignment, or it belongs to somebody else."""

    code = "assignment-not-found"
    what = "assignment {got} does not exist, or is not yours"
    fix = "take the next one with `calotype work next`"


class AssignmentClosed(Conflict):
    """The assignment does not accept operations any more."""

    code = "assignment-closed"
    what = "assignment {got} is {state}; it cannot be changed any more"
    fix = "take the next one with `calotype work next`; a reviewer can send it back"


class LeaseLost(Conflict):
    """Somebody else has taken the place of this person; the work is kept."""

    code = "lease-lost"
    what = "the lease of {sample} ended, and somebody else took it; what you drew is kept"
    fix = "take the next one; a manager of the batch can hand this one back to you"


class TooManyLeases(Conflict):
    """One person holds too many samples."""

    code = "too-many-leases"
    what = "you hold {n} samples that are not submitted"
    fix = "submit or release some of them first: `calotype work list`"


class OperationInvalid(Invalid):
    """An operation that cannot be recorded as it is; `where` is its place in the list."""

    code = "operation-invalid"
    what = "{detail}"
    fix = "correct this operation and send it again with the same id"


class NoOperationToUndo(Conflict):
    """There is no operation to undo or redo."""

    code = "no-operation-to-undo"
    what = "there is nothing to {do} in this assignment"
    fix = "see its history with `GET /assignments/{got}/events`"


class WorkIncomplete(Invalid):
    """Something that the guideline requires is missing."""

    code = "work-incomplete"
    what = "{detail}"
    fix = "set what is missing, then submit again"


class GuidelineUnread(Conflict):
    """The person has not acknowledged the guideline that the batch is labelled under."""

    code = "guideline-unread"
    what = "version {version} of the guideline of {dataset} is not acknowledged"
    fix = "read it and acknowledge it: `calotype guideline acknowledge {dataset}`"
