"""Compares two contracts: which fields changed, and whether each change is stricter or looser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from calotype.contracts.model import Contract

Effect = Literal["stricter", "looser", "neutral"]
_LIST_KEYS = {
    "classes": ("name",),
    "coverage": ("name", "slice", "where"),
    "gates": ("check", "metric"),
    "waivers": ("check", "where"),
    "objectives": ("name",),
}
_MORE_IS_STRICTER = frozenset(
    {"min", "min_annotations", "min_samples", "min_fraction", "min_agreement", "ways"}
)
_LESS_IS_STRICTER = frozenset(
    {"max", "max_findings", "max_fraction", "max_age_days", "max_shift", "retention_days", "until"}
)
_REQUIREMENTS = frozenset(
    {"classes", "coverage", "gates", "metadata", "objectives", "combinations", "freshness", "gold"}
)
_DESCRIPTIVE = frozenset({"description", "intent", "product", "reason"})
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class ContractChange:
    """One changed field. `effect` says whether data must meet more (`stricter`) or less (`looser`) than before."""

    path: str
    before: Any
    after: Any
    effect: Effect

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.effect:<8} {self.path}: {_short(self.after)} added"
        if self.after is None:
            return f"{self.effect:<8} {self.path}: {_short(self.before)} removed"
        return f"{self.effect:<8} {self.path}: {_short(self.before)} -> {_short(self.after)}"


def contract_diff(a: Contract, b: Contract) -> tuple[ContractChange, ...]:
    """The changes from `a` to `b`, stricter changes first."""
    order = {"stricter": 0, "looser": 1, "neutral": 2}
    changes = _walk("", _keyed(a), _keyed(b))
    return tuple(sorted(changes, key=lambda change: (order[change.effect], change.path)))


def _keyed(contract: Contract) -> dict[str, Any]:
    """The contract as nested mappings; entries of lists are keyed by their name."""
    keyed = contract.model_dump(mode="json", exclude_none=True)
    for name, keys in _LIST_KEYS.items():
        entries: dict[str, Any] = {}
        for entry in keyed.get(name, ()):
            key = next((str(entry[k]) for k in keys if entry.get(k)), "?")
            while key in entries:
                key += "'"
            entries[key] = entry
        keyed[name] = entries
    return keyed


def _walk(path: str, a: Any, b: Any) -> Iterator[ContractChange]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in dict.fromkeys([*a, *b]):
            yield from _walk(f"{path}.{key}" if path else str(key), a.get(key, _ABSENT), b.get(key, _ABSENT))
    elif a != b:
        before, after = (None if value is _ABSENT else value for value in (a, b))
        if (before in ({}, []) and after is None) or (after in ({}, []) and before is None):
            return
        yield ContractChange(path, before, after, _effect(path, before, after))


def _effect(path: str, before: Any, after: Any) -> Effect:
    parts = path.split(".")
    first, last = parts[0], parts[-1]
    if last in _DESCRIPTIVE:
        return "neutral"
    if first == "waivers":
        return "looser" if after is not None and (before is None or last == "until") else "stricter"
    if last in _MORE_IS_STRICTER | _LESS_IS_STRICTER:
        grows = before is None or (after is not None and after > before)
        return "stricter" if grows == (last in _MORE_IS_STRICTER) or before is None else "looser"
    if last in ("values", "licences", "purposes"):
        old, new = set(map(str, before or ())), set(map(str, after or ()))
        return (
            "stricter" if not old or (new and new < old) else "looser" if not new or new > old else "stricter"
        )
    if last in ("required", "enabled"):
        return "stricter" if after else "looser"
    if first in _REQUIREMENTS and (before is None or after is None):
        return "stricter" if before is None else "looser"
    return "neutral"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 120 else text[:117] + "..."
