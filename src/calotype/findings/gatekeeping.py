"""The interface between checks, and releases and merges: a gatekeeper tests a state and returns a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from calotype.findings.model import Gate
from calotype.foundation.actor import Actor


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of testing one state of a dataset.

    `findings` maps each check to its number of findings. `objectives` and `standing` (findings by state, accepted
    risks, waivers) are empty where the caller does not need them. `left_out` says in words what a release does not hold
    although it is on its way, such as work that is not accepted.
    """

    gates: tuple[Gate, ...] = ()
    findings: Mapping[str, int] = field(default_factory=dict)
    objectives: tuple[Mapping[str, Any], ...] = ()
    standing: Mapping[str, Any] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


class Gatekeeper(Protocol):
    """Tests a state of a dataset (`name@ref`). The room `checks` provides it; `app` wires it."""

    def __call__(self, actor: Actor, name_ref: str) -> Verdict: ...
