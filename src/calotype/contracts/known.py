"""Names of checks that a contract may use. The room `app` passes them in, so contracts do not depend on checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

KnownChecks = Mapping[str, Mapping[str, object]]
"""Name of a check -> its parameters with default values."""

ANY: KnownChecks = {}
"""Accepts every well-formed name, for readers that do not run checks."""

_BUILT_IN = re.compile(r"[a-z0-9][a-z0-9-]*")
_PLUG_IN = re.compile(r"[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*")
PLUG_IN_NAME = f"^{_PLUG_IN.pattern}$"
"""Pattern of the name of a plug-in check, for JSON Schema."""


def is_plug_in(name: str) -> bool:
    """Whether a name is that of a plug-in check: `vendor/check`."""
    return _PLUG_IN.fullmatch(name) is not None


def problem_with(name: str, known: KnownChecks) -> str:
    """Why this name is invalid in a contract; empty if it is valid. Plug-in checks need not be installed."""
    if is_plug_in(name) or name in known or (not known and _BUILT_IN.fullmatch(name)):
        return ""
    similar = get_close_matches(name, known, n=1)
    hint = f"did you mean {similar[0]!r}?" if similar else f"known: {', '.join(known)}"
    return f"no check named {name!r}; {hint} (write a plug-in check as vendor/check)"
