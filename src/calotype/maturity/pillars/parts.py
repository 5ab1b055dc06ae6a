"""What the measurements of all pillars are made with."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from calotype.analysis.intervals import wilson
from calotype.maturity.facts import Facts
from calotype.maturity.model import Evidence, Measurement


def page(facts: Facts, rest: str = "") -> str:
    """A page of the dataset in the app."""
    return f"/d/{facts.name}{rest}"


def unknown(why: str, what: str = "") -> Measurement:
    """Without evidence."""
    return Measurement(None, 0, Evidence(what or why, 0), why=why)


def share(hits: float, n: int, evidence: Evidence, *, why: str) -> Measurement:
    """A share with its interval; unknown without cases."""
    if n == 0:
        return Measurement(None, 0, evidence, why=why)
    return Measurement(hits / n, n, evidence, wilson(round(hits), n))


def middle(values: Sequence[float], evidence: Evidence, *, why: str) -> Measurement:
    """The median; unknown without cases."""
    if not values:
        return Measurement(None, 0, evidence, why=why)
    return Measurement(median(values), len(values), evidence)
