"""What a contract leaves open although what it says calls for it: told, never refused."""

from __future__ import annotations

from calotype.contracts.model import Contract

_PERSONAL = ("personal", "special")
_SHOWS_PEOPLE = frozenset(
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
    """A sentence for each thing that personal data should have and the contract does not say.

    It reads the contract only: no check here looks for faces or plates in the pictures.
    Source: GDPR, article 5 (1) b, purpose limitation, and e, storage limitation.
    """
    privacy = contract.privacy
    told = []
    if privacy.level in _PERSONAL:
        if privacy.retention_days is None:
            told.append(
                f"privacy.level is {privacy.level}, and nothing says for how long samples may be kept: "
                "add privacy.retention_days"
            )
        if not contract.purposes:
            told.append(
                f"privacy.level is {privacy.level}, and nothing says what the data may be used for: add purposes"
            )
    else:
        shown = [one for one in privacy.contains if _plain(one) in _SHOWS_PEOPLE]
        if shown:
            told.append(
                f"privacy.contains names {', '.join(shown)}, and privacy.level is {privacy.level}: "
                "say personal, or take away what is not there"
            )
    return tuple(told)


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("-", " ").replace("_", " ").split())
