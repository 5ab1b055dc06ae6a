"""The list of checks, by name. Each module of the suite lists its own in `CHECKS`."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from importlib.metadata import entry_points
from typing import get_args

from calotype.checks.suite import (
    boxes,
    conditions,
    declared,
    duplicates,
    error_slices,
    keypoints,
    labels,
    mask_labels,
    media,
    outlines,
    vector_drift,
    wrong_labels,
)
from calotype.checks.suite.check import Check, Family
from calotype.checks.suite.sources import DEFAULT_SOURCE, SOURCES
from calotype.contracts.known import KnownChecks, is_plug_in
from calotype.foundation.errors import Invalid

_MODULES = (
    boxes,
    conditions,
    declared,
    duplicates,
    error_slices,
    keypoints,
    labels,
    mask_labels,
    media,
    outlines,
    vector_drift,
    wrong_labels,
)


def _told(check: Check) -> Check:
    """The check with its source and example."""
    source, example = SOURCES.get(check.name, (DEFAULT_SOURCE, ""))
    return replace(check, source=check.source or source, example=check.example or example)


_BY_NAME = {check.name: _told(check) for module in _MODULES for check in module.CHECKS}

REGISTRY: dict[str, Check] = _BY_NAME
"""The checks that come with Calotype, in the order of their modules."""

PLUG_INS = "calotype.checks"
"""The group of entry points under which packages bring checks of their own: a `Check`, or several."""


class PlugInInvalid(Invalid):
    """A package that brings something other than checks."""

    code = "check-plug-in-invalid"
    what = "the plug-in {name} brings no usable check: {detail}"
    fix = "correct the package: its entry point in the group `calotype.checks` names a Check called vendor/check"


@lru_cache(maxsize=1)
def all_checks() -> dict[str, Check]:
    """The checks that come with Calotype, then those of installed packages, by name.

    Raises: PlugInInvalid.
    """
    found = dict(REGISTRY)
    for point in sorted(entry_points(group=PLUG_INS), key=lambda one: one.name):
        brought = point.load()
        for check in (brought,) if isinstance(brought, Check) else tuple(brought):
            if not isinstance(check, Check):
                raise PlugInInvalid(name=point.name, detail=f"it holds {type(check).__name__}")
            if not is_plug_in(check.name) or check.name in found:
                raise PlugInInvalid(name=point.name, detail=f"{check.name!r} is no free name vendor/check")
            found[check.name] = check
    return found


def known_checks() -> KnownChecks:
    """The checks that a contract may name, with their parameters. Raises: PlugInInvalid."""
    return {name: dict(check.parameters) for name, check in all_checks().items()}


FAMILIES: tuple[str, ...] = get_args(Family)
"""Families, in the order in which the reference shows them."""
