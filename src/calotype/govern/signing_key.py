"""The key that signs checkpoints of the audit log, in a file of the workspace that only its owner reads."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from calotype.foundation.durable import fsync_path, read_file, write_file
from calotype.foundation.errors import Invalid
from calotype.foundation.os_errors import as_calotype_error
from calotype.store import Store

_MAX_BYTES = 10_000


class AuditKeyInvalid(Invalid):
    """The file with the signing key holds no key."""

    code = "audit-key-invalid"
    what = "{file} is not an Ed25519 private key"
    fix = "restore the file from a copy, or delete it: the next checkpoint is then signed with a new key"


def signing_key(store: Store) -> Ed25519PrivateKey:
    """The key of this workspace, created at the first call. Raises: AuditKeyInvalid, StorageFailed."""
    file = store.folder / "keys" / "audit.pem"
    try:
        with store.catalog.turns.taking("audit-key"):
            if not file.exists():
                _create(file)
        data = read_file(file, max_bytes=_MAX_BYTES)
    except OSError as error:
        raise as_calotype_error(error) from None
    try:
        key = load_pem_private_key(data or b"", password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise AuditKeyInvalid(file=str(file))
    return key


def _create(file: Path) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    fsync_path(file.parent.parent)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_file(file, pem, mode=0o600)
