"""What every promised error has: a code, a message that names the thing, and a way out."""

from __future__ import annotations

import pytest

from calotype.foundation.codes import CODES
from calotype.foundation.errors import CalotypeError


def assert_refused(caught: pytest.ExceptionInfo[BaseException], code: str, *names: str, fix: str) -> None:
    """The error has this code, its message holds these names, and its way out holds `fix`.

    Names and commands are asserted, not sentences, so that a message may be worded better.
    """
    error = caught.value
    assert isinstance(error, CalotypeError)
    assert error.code == code
    assert code in CODES
    assert [name for name in names if name not in error.message] == [], error.message
    assert fix in error.remedy
