"""Checkpoints: what the audit log held at a time, signed, to be kept where the workspace cannot change it.

A checkpoint is a signed note (C2SP `tlog-checkpoint`): origin, number of events, Merkle root, and an Ed25519 signature.
Its file holds the note, the public key, and eight bytes of the hash of each event. The root alone decides whether the
log still holds the same events; the eight bytes say which event is the first that does not.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from calotype.foundation.errors import Invalid
from calotype.foundation.text_files import read_text

FORMAT = "calotype-audit-checkpoint/1"
MAX_FILE_BYTES = 256_000_000
MARK_BYTES = 8
_ED25519 = b"\x01"
_DASH = "\u2014"
_MARKS = "marks sha256:"


class CheckpointInvalid(Invalid):
    """A file is not a checkpoint, or its signature does not hold."""

    code = "checkpoint-invalid"
    what = "{file} is not a valid checkpoint of an audit log: {why}"
    fix = "use the file as `calotype audit checkpoint` wrote it, from a copy that nobody changed"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement: the log `origin` held `size` events with this Merkle root.

    Attributes:
        root: 32 bytes.
        at: Time of signing, ISO 8601, UTC.
        marks_digest: SHA-256 of the marks, in hex.
        public_key: 32 bytes, Ed25519.
        signature: 64 bytes over the lines of the note.
        marks: The first eight bytes of the hash of each event, in order; a checkpoint inside the log is kept without.
    """

    origin: str
    size: int
    root: bytes
    at: str
    marks_digest: str
    public_key: bytes
    signature: bytes
    marks: bytes = b""

    @property
    def key_id(self) -> str:
        """Fingerprint of the public key: SHA-256 in hex, 16 digits."""
        return key_id(self.public_key)

    @property
    def text(self) -> str:
        """What is signed."""
        return _text(self.origin, self.size, self.root, self.at, self.marks_digest)

    def note(self) -> str:
        """The signed note: text, empty line, signature."""
        named = _key_hash(self.origin, self.public_key) + self.signature
        return f"{self.text}\n{_DASH} {self.origin} {_base64(named)}\n"

    def mark(self, index: int) -> bytes:
        """The eight bytes of the event at an index, from 0."""
        return self.marks[index * MARK_BYTES : (index + 1) * MARK_BYTES]

    def to_json(self) -> str:
        """As it is written to a file."""
        document = {
            "format": FORMAT,
            "note": self.note(),
            "public_key": _base64(self.public_key),
            "marks": _base64(self.marks),
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def to_details(self) -> dict[str, Any]:
        """As the log itself records it: everything but the marks."""
        return {
            **self.to_dict(),
            "marks_sha256": self.marks_digest,
            "public_key": _base64(self.public_key),
            "signature": _base64(self.signature),
        }

    @classmethod
    def of_details(cls, details: Any) -> Checkpoint | None:
        """A checkpoint that the log records; None for details that hold none."""
        try:
            public_key = base64.b64decode(details["public_key"], validate=True)
            signature = base64.b64decode(details["signature"], validate=True)
            origin, at, digest = str(details["origin"]), str(details["at"]), str(details["marks_sha256"])
            root = bytes.fromhex(details["root"])
            return cls(origin, int(details["size"]), root, at, digest, public_key, signature)
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "origin": self.origin,
            "size": self.size,
            "root": self.root.hex(),
            "at": self.at,
            "key": self.key_id,
        }


def key_id(public_key: bytes) -> str:
    """Fingerprint of a public key: SHA-256 in hex, 16 digits."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def sign(key: Ed25519PrivateKey, *, origin: str, size: int, root: bytes, at: str, marks: bytes) -> Checkpoint:
    """A checkpoint with the signature of a key."""
    digest = hashlib.sha256(marks).hexdigest()
    signature = key.sign(_text(origin, size, root, at, digest).encode())
    return Checkpoint(origin, size, root, at, digest, key.public_key().public_bytes_raw(), signature, marks)


def signature_holds(checkpoint: Checkpoint) -> bool:
    """Whether the signature is that of the checkpoint's own public key over its text."""
    try:
        key = Ed25519PublicKey.from_public_bytes(checkpoint.public_key)
        key.verify(checkpoint.signature, checkpoint.text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def read(file: Path, *, signed_with: str = "") -> Checkpoint:
    """Read a checkpoint and check its signature.

    Args:
        signed_with: The `key_id` that it must have; empty for any.

    Raises: CheckpointInvalid, TextFileInvalid, PathNotFound, StorageFailed.
    """
    try:
        document = json.loads(read_text(file, max_bytes=MAX_FILE_BYTES))
        marks = base64.b64decode(document["marks"], validate=True)
        checkpoint = _parse(document["note"], base64.b64decode(document["public_key"], validate=True), marks)
        why = _problem(document["format"], checkpoint, signed_with)
    except (KeyError, TypeError, AttributeError, RecursionError, ValueError):
        why = "it lacks the fields of one, or they do not belong together"
    if why:
        raise CheckpointInvalid(file=str(file), why=why)
    return checkpoint


def _problem(form: str, checkpoint: Checkpoint, signed_with: str) -> str:
    """Why a checkpoint is not valid; empty if it is."""
    if form != FORMAT:
        return f"its format is not {FORMAT}"
    marks = checkpoint.marks
    if hashlib.sha256(marks).hexdigest() != checkpoint.marks_digest:
        return "its marks are not those that were signed"
    if len(marks) != checkpoint.size * MARK_BYTES:
        return "it does not hold one mark for each event"
    if not signature_holds(checkpoint):
        return "its signature does not hold"
    if signed_with and checkpoint.key_id != signed_with.strip().lower():
        return f"it is signed with the key {checkpoint.key_id}"
    return ""


def _parse(note: str, public_key: bytes, marks: bytes) -> Checkpoint:
    text, _, signatures = note.partition("\n\n")
    origin, size, root, at, marks_line = text.split("\n")
    named = base64.b64decode(signatures.strip().split(" ")[-1], validate=True)
    if named[:4] != _key_hash(origin, public_key):
        named = b""  # a signature of another key does not hold
    root_bytes = base64.b64decode(root, validate=True)
    digest = marks_line.removeprefix(_MARKS)
    return Checkpoint(origin, int(size), root_bytes, at, digest, public_key, named[4:], marks)


def _text(origin: str, size: int, root: bytes, at: str, digest: str) -> str:
    return f"{origin}\n{size}\n{_base64(root)}\n{at}\n{_MARKS}{digest}\n"


def _key_hash(origin: str, public_key: bytes) -> bytes:
    return hashlib.sha256(origin.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
