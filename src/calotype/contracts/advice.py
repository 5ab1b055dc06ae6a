"""Warnings about what a contract should say and does not. They never make a contract invalid."""

from __future__ import annotations

from calotype.contracts.model import Contract

_PERSONAL_LEVELS = ("personal", "special")
_PERSONAL_CONTENT = frozenset(
    {
        "face",
        "faces",
        "license plate",
        "license plates",
        "licence plate",
        "licence plates",
        "name",
        "names",
        "number plate",
        "number plates",
        "people",
        "person",
        "persons",
        "plate",
        "plates",
    }
)


def advice(contract: Contract) -> tuple[str, ...]:
    """A warning for each declaration that personal data needs and the contract lacks.

    Only the contract is read: images are not searched for faces or plates.
    Source: GDPR, article 5 (1) b, purpose limitation, and e, storage limitation.
    """
    privacy = contract.privacy
    warnings = []
    if privacy.level in _PERSONAL_LEVELS:
        if privacy.retention_days is None:
            warnings.append(
                f"privacy.level is {privacy.level}, but the contract does not limit how long samples may be kept: "
                "add privacy.retention_days"
            )
        if not contract.purposes:
            warnings.append(
                f"privacy.level is {privacy.level}, but the contract does not say what the data may be used for: "
                "add purposes"
            )
    else:
        personal = [item for item in privacy.contains if _normalised(item) in _PERSONAL_CONTENT]
        if personal:
            warnings.append(
                f"privacy.contains names {', '.join(personal)}, but privacy.level is {privacy.level}: "
                "set it to personal, or remove what the images do not contain"
            )
    return tuple(warnings)


def _normalised(name: str) -> str:
    return " ".join(name.casefold().replace("-", " ").replace("_", " ").split())
