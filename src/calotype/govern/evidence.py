"""Verification of an audit log: its chain of hashes, its Merkle tree, and checkpoints of it.

Needs the events alone, so that an auditor can hold an export against a checkpoint without the workspace.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calotype.foundation.errors import Invalid
from calotype.foundation.hash_chain import Break, Link, breaks, link_of
from calotype.foundation.os_errors import as_calotype_error
from calotype.govern.checkpoint import MARK_BYTES, Checkpoint, signature_holds
from calotype.govern.merkle import Tree
from calotype.govern.model import CHECKPOINT_VERB

MAX_LINE_BYTES = 16_000_000
_FIELDS = {
    "seq": int,
    "at_us": int,
    "actor": str,
    "verb": str,
    "subject": str,
    "details": dict,
    "previous": str,
    "hash": str,
}


class AuditExportInvalid(Invalid):
    """A file does not hold audit events as JSON lines."""

    code = "audit-export-invalid"
    what = "line {line} of {file} is not an audit event: {why}"
    fix = "use the file as `calotype audit --export FILE` wrote it"


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether an audit log is intact.

    Attributes:
        n_events: Number of events in the log.
        root: Merkle root over all events.
        breaks: Everything that does not hold, in order of the events.
        confirmed: Number of checkpoints that the log agrees with.
        checkpoint: The checkpoint that was given, if any.
    """

    n_events: int
    root: bytes
    breaks: tuple[Break, ...]
    confirmed: int
    checkpoint: Checkpoint | None

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.breaks

    @property
    def first_bad(self) -> int | None:
        """Number of the first event that was changed, removed, moved or inserted; None if there is none."""
        return min((broken.seq for broken in self.breaks), default=None)

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "intact": self.intact,
            "events": self.n_events,
            "root": self.root.hex(),
            "first_bad": self.first_bad,
            "problems": [{"seq": broken.seq, "problem": broken.problem} for broken in self.breaks],
            "checkpoints_confirmed": self.confirmed,
            "checkpoint": None if self.checkpoint is None else self.checkpoint.to_dict(),
        }


@dataclass
class _Statements:
    """Checkpoints by the number of events that they are about."""

    by_size: dict[int, list[tuple[int, Checkpoint]]] = field(default_factory=lambda: defaultdict(list))
    confirmed: int = 0

    def judge(self, tree: Tree) -> Iterator[Break]:
        """Hold the tree at its present size against the checkpoints of this size."""
        for seq, checkpoint in self.by_size.pop(tree.size, []):
            if checkpoint.root == tree.root() and signature_holds(checkpoint):
                self.confirmed += 1
            else:
                yield Break(
                    seq, f"event {seq} holds a checkpoint of the first {tree.size} events that is not theirs"
                )

    def unjudged(self) -> Iterator[Break]:
        """Checkpoints of more events than the log has."""
        for size, statements in self.by_size.items():
            for seq, _ in statements:
                yield Break(
                    seq, f"event {seq} holds a checkpoint of {size} events, more than stand before it"
                )


def verify(
    links: Iterable[Link],
    *,
    inside: Sequence[tuple[int, Checkpoint]] = (),
    checkpoint: Checkpoint | None = None,
) -> Verification:
    """Hold every event against the chain, the checkpoints inside the log, and one from outside.

    Args:
        links: All events in order.
        inside: The checkpoints that the log itself holds, with the numbers of their events.
        checkpoint: One that was kept elsewhere. Its signature has been checked.
    """
    tree, before, problems = Tree(), None, list[Break]()
    statements = _Statements()
    for seq, statement in inside:
        statements.by_size[statement.size].append((seq, statement))
    outside = None if checkpoint is None else _Outside(checkpoint)
    for link in links:
        problems += breaks(link, before)
        if outside is not None:
            problems += outside.judge(link, before, tree)
        tree.append(leaf_of(link))
        problems += statements.judge(tree)
        before = link
    problems += statements.unjudged()
    confirmed = statements.confirmed
    if outside is not None:
        problems += outside.conclude(before, tree, inside)
        confirmed += outside.agrees
    ordered = sorted(dict.fromkeys(problems), key=lambda broken: broken.seq)
    return Verification(tree.size, tree.root(), tuple(ordered), confirmed, checkpoint)


@dataclass
class _Outside:
    """A checkpoint that was kept elsewhere, held against the events one by one."""

    checkpoint: Checkpoint
    agrees: bool = True
    next_seq: int = 0
    """Number of the first event after those of the checkpoint."""

    def judge(self, link: Link, before: Link | None, tree: Tree) -> Iterator[Break]:
        """Hold the next event of the log against the checkpoint."""
        if tree.size == self.checkpoint.size:
            self.next_seq = link.seq
            yield from self._judge_root(tree)
        elif tree.size < self.checkpoint.size and self.agrees:
            self.agrees = leaf_of(link)[:MARK_BYTES] == self.checkpoint.mark(tree.size)
            if not self.agrees:
                yield _differs(link, before)

    def conclude(
        self, last: Link | None, tree: Tree, inside: Sequence[tuple[int, Checkpoint]]
    ) -> Iterator[Break]:
        """What the checkpoint says of the end of the log, and of the key that signed it."""
        end = 0 if last is None else last.seq
        if tree.size < self.checkpoint.size:
            self.agrees = False
            n_missing = self.checkpoint.size - tree.size
            problem = f"the log ends with event {end}; the checkpoint holds {n_missing:,} more events"
            yield Break(end + 1, problem)
            return
        if tree.size == self.checkpoint.size:
            yield from self._judge_root(tree)
        recorded = [(seq, kept) for seq, kept in inside if kept.size == self.checkpoint.size]
        if not recorded:
            self.agrees = False
            yield Break(self.next_seq or end + 1, "the event that recorded this checkpoint is missing")
        elif all(kept.public_key != self.checkpoint.public_key for _, kept in recorded):
            self.agrees = False
            yield Break(
                recorded[0][0], "the checkpoint is signed with a key that the log does not name for it"
            )

    def _judge_root(self, tree: Tree) -> Iterator[Break]:
        if self.agrees and tree.root() != self.checkpoint.root:
            self.agrees = False
            yield Break(1, f"the first {tree.size:,} events do not have the root of the checkpoint")


def _differs(link: Link, before: Link | None) -> Break:
    expected = 1 if before is None else before.seq + 1
    if link.seq > expected:
        return Break(
            expected,
            f"event {expected} is missing: the checkpoint holds another event before event {link.seq}",
        )
    return Break(link.seq, f"event {link.seq} is not the event that the checkpoint holds at its place")


def leaf_of(link: Link) -> bytes:
    """The 32 bytes of an event's hash; nothing where it was replaced by other text."""
    try:
        return bytes.fromhex(link.hash)
    except (ValueError, TypeError):
        return b""


def verify_export(file: Path, checkpoint: Checkpoint | None = None) -> Verification:
    """Verify the events of a whole export, without the workspace. Raises: AuditExportInvalid, and errors of reading."""
    recorded = (
        (event["seq"], Checkpoint.of_details(event["details"]))
        for event in exported_events(file)
        if event["verb"] == CHECKPOINT_VERB
    )
    inside = [(seq, kept) for seq, kept in recorded if kept is not None]
    return verify((link_of(event) for event in exported_events(file)), inside=inside, checkpoint=checkpoint)


def exported_events(file: Path) -> Iterator[dict[str, Any]]:
    """The events of an export, in order. Raises: AuditExportInvalid, and errors of reading."""
    try:
        with file.open("rb") as lines:
            number = 0
            while line := lines.readline(MAX_LINE_BYTES + 1):
                number += 1
                yield _event(line, file, number)
    except OSError as error:
        raise as_calotype_error(error) from None


def _event(line: bytes, file: Path, number: int) -> dict[str, Any]:
    why = "it is not a JSON object"
    try:
        event = json.loads(line) if len(line) <= MAX_LINE_BYTES else None
    except (ValueError, RecursionError):
        event = None
    if isinstance(event, dict):
        wrong = [name for name, kind in _FIELDS.items() if not isinstance(event.get(name), kind)]
        if not wrong:
            return event
        why = f"{wrong[0]} is missing or of another kind"
    raise AuditExportInvalid(line=number, file=str(file), why=why)
