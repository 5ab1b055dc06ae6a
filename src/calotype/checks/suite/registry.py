"""The list of checks, by name. Each module of the suite lists its own in `CHECKS`; a name belongs to one check."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import get_args

from calotype.checks.suite.check import Check, Family
from calotype.contracts.known import KnownChecks, is_plug_in
from calotype.foundation.errors import Invalid

_MODULES = (
    "boxes",
    "conditions",
    "copied_labels",
    "declared",
    "duplicates",
    "error_slices",
    "keypoints",
    "labels",
    "mask_labels",
    "media",
    "outlines",
    "vector_drift",
    "wrong_labels",
)
"""Modules of `calotype.checks.suite` whose `CHECKS` come with Calotype."""

PLUG_INS = "calotype.checks"
"""The group of entry points under which packages bring checks of their own: a `Check`, or several."""


class PlugInInvalid(Invalid):
    """A package that brings something other than checks."""

    code = "check-plug-in-invalid"
    what = "the plug-in {name} has no usable check: {detail}"
    fix = "correct the package: its entry point in the group `calotype.checks` names a Check called vendor/check"


def register(registry: dict[str, Check], checks: Iterable[Check], *, source: str) -> None:
    """Add checks to a registry.

    Args:
        source: Who brings them, for the error.
    Raises: PlugInInvalid, also when a name is already taken.
    """
    for check in checks:
        if not isinstance(check, Check):
            raise PlugInInvalid(name=source, detail=f"it holds {type(check).__name__}")
        if check.name in registry:
            raise PlugInInvalid(name=source, detail=f"a check named {check.name!r} already exists")
        registry[check.name] = check


def _built_in() -> dict[str, Check]:
    registry: dict[str, Check] = {}
    for name in _MODULES:
        module = import_module(f"calotype.checks.suite.{name}")
        register(registry, module.CHECKS, source=module.__name__)
    return registry


REGISTRY: dict[str, Check] = _built_in()
"""The checks that come with Calotype, in the order of their modules."""


@lru_cache(maxsize=1)
def all_checks() -> dict[str, Check]:
    """The checks that come with Calotype, then those of installed packages, by name.

    Raises: PlugInInvalid.
    """
    registry = dict(REGISTRY)
    for point in sorted(entry_points(group=PLUG_INS), key=lambda point: point.name):
        loaded = point.load()
        checks = (loaded,) if isinstance(loaded, Check) else tuple(loaded)
        for check in checks:
            if isinstance(check, Check) and not is_plug_in(check.name):
                raise PlugInInvalid(name=point.name, detail=f"{check.name!r} is not a name like vendor/check")
        register(registry, checks, source=point.name)
    return registry


def known_checks() -> KnownChecks:
    """The checks that a contract may name, with their parameters. Raises: PlugInInvalid."""
    return {name: dict(check.parameters) for name, check in all_checks().items()}


FAMILIES: tuple[str, ...] = get_args(Family)
"""Families, in the order in which the reference shows them."""
