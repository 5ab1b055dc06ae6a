"""What the routes of govern answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from calotype.foundation.answers import Answer, Timestamp, optional


class AuditEvent(Answer):
    """Something that was done."""

    seq: int = Field(description="Number of the event, from 1 without gaps.")
    at: Timestamp
    actor: str = Field(description="Id of who did it.")
    actor_name: str = Field(description="Name of the account; empty where the actor has none.")
    verb: str = Field(description="Such as `dataset.commit`.")
    subject: str = Field(description="What it was done to, such as the name of a dataset.")
    details: dict[str, Any] = Field(description="Each verb has its own.")


class AuditLog(Answer):
    """Events, newest first."""

    items: list[AuditEvent]
    intact: bool = Field(description="Whether the chain of all events is unbroken.")


class Checkpoint(Answer):
    """A signed statement: the trail held `size` events with this Merkle root (RFC 6962)."""

    origin: str = Field(description="Name of the workspace's trail.")
    size: int
    root: str = Field(description="In hex.")
    at: Timestamp
    key: str = Field(description="Fingerprint of the key that signed it.")


class SignedCheckpoint(Checkpoint):
    """A new checkpoint."""

    file: str = Field(description="Text of the checkpoint file, for `calotype audit verify --checkpoint`.")
    problems: list[str] = Field(description="What was already wrong with the chain.")


class AuditProblem(Answer):
    """Something wrong with the trail."""

    seq: int = Field(description="Number of the first event concerned.")
    problem: str


class AuditVerification(Answer):
    """Whether the trail is intact."""

    intact: bool
    events: int
    root: str = Field(description="Merkle root over all events, in hex.")
    first_bad: int | None = Field(
        description="Number of the first event that was changed, removed or inserted."
    )
    problems: list[AuditProblem]
    checkpoints_confirmed: int = Field(
        description="Number of recorded checkpoints that the trail agrees with."
    )
    checkpoint: Checkpoint | None = Field(description="The checkpoint from elsewhere; none over HTTP.")


class Organisation(Answer):
    """How the organisation shares the work on data, which decides what roles allow."""

    model: Literal["central", "decentral", "hybrid"]
    models: list[str] = Field(description="All models.")


class AccessCell(Answer):
    """What one role allows: one decision."""

    role: str
    held: Literal["workspace", "team"] = Field(
        description="Where the role is held: on the whole workspace, or in the team or on the dataset in question."
    )
    action: str
    kind: Literal["workspace", "team", "dataset", "branch", "release", "sample"]
    allowed: bool
    rule: str = Field(description="Name of the rule that decides.")
    before: bool = optional("Whether the first model allows it; only with `diff`.")
    rule_before: str = optional("The rule of the first model; only with `diff`.")


class AccessMatrix(Answer):
    """The decisions under a model, or those that differ between two."""

    model: str
    diff: str = Field(description="The second model; empty for one.")
    items: list[AccessCell]


class DatasetClassification(Answer):
    """What kind of data a dataset holds, which the rules of access depend on."""

    dataset: str
    data_class: Literal["public", "internal", "confidential", "personal"] = Field(alias="class")
    licence: str = Field(description="Empty where nobody has set it.")
    purposes: list[str] = Field(description="What releases may be for; empty for any purpose.")
    hold: str = Field(description="Why nothing may be deleted; empty for no hold.")
