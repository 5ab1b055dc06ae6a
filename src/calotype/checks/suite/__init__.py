"""The checks: small pure functions over columns, in one explicit list."""

from calotype.checks.suite.context import CheckContext, Tally
from calotype.checks.suite.registry import REGISTRY, Check

__all__ = ["REGISTRY", "Check", "CheckContext", "Tally"]
