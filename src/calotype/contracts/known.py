"""The checks that a contract may name. `app` passes them in, so that a new check changes nothing on this floor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

KnownChecks = Mapping[str, Mapping[str, object]]
"""Name of a check -> its parameters with their default values."""

ANY: KnownChecks = {}
"""Accept every well-formed name: for readers that do not run checks."""

_OWN = re.compile(r"[a-z0-9][a-z0-9-]*")
_PLUG_IN = re.compile(r"[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*")
PLUG_IN_NAME = f"^{_PLUG_IN.pattern}$"
"""Pattern of a plug-in's check, for JSON Schema."""


def is_plug_in(name: str) -> bool:
    """Whether a name is that of a plug-in's check: `vendor/check`."""
    return _PLUG_IN.fullmatch(name) is not None


def problem_with(name: str, known: KnownChecks) -> str:
    """Why a contract may not name this check; empty when it may. Plug-ins may be named before they are installed."""
    if is_plug_in(name) or name in known or (not known and _OWN.fullmatch(name)):
        return ""
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return f"no check named {name!r}; {hint} (a plug-in's is written vendor/check)"
