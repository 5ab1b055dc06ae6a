"""The list of checks, by name. Each module of the suite lists its own in `CHECKS`."""

from __future__ import annotations

from typing import get_args

from calotype.checks.suite import declared, duplicates, geometry, labels, media, shapes
from calotype.checks.suite.check import Check, Family
from calotype.datasets.contract import CHECK_NAMES

_MODULES = (declared, duplicates, geometry, labels, media, shapes)

_BY_NAME = {check.name: check for module in _MODULES for check in module.CHECKS}

REGISTRY: dict[str, Check] = {name: _BY_NAME[name] for name in CHECK_NAMES if name in _BY_NAME}
"""The checks that come with Calotype, in the order of the contract's list."""

FAMILIES: tuple[str, ...] = get_args(Family)
"""Families, in the order in which the reference shows them."""
