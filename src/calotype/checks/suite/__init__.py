"""The checks: small pure functions over columns, in one explicit list."""

from calotype.checks.suite.check import Check
from calotype.checks.suite.context import CheckContext, Tally
from calotype.checks.suite.registry import FAMILIES, REGISTRY

__all__ = ["FAMILIES", "REGISTRY", "Check", "CheckContext", "Tally"]
