"""What fails while a dataset is checked: which errors belong to one sample, and on which samples work fails.

Work that fails on many samples is tried again on halves of them until the failing ones are known, so that one sample
costs only itself.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import pyarrow as pa

from calotype.datasets.model import AnnotationInvalid, SampleInvalid
from calotype.foundation.errors import CalotypeError
from calotype.store.media.combined import MEDIA_ERRORS
from calotype.vision.images import ImageUnreadable
from calotype.vision.masks import RleInvalid

Part = TypeVar("Part")

FAULT = "check-failed"
"""The fault of findings that say that a check fails."""
ITEM_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    AssertionError,
    struct.error,
    pa.ArrowException,
    *MEDIA_ERRORS,
)
"""What work on samples may raise because of their data. Errors of the disk are not among them."""
_OF_ITEMS = (ImageUnreadable, RleInvalid, AnnotationInvalid, SampleInvalid, *MEDIA_ERRORS)
_MAX_NAMED = 50
_MAX_RUNS = 1_500


def is_of_items(error: BaseException) -> bool:
    """Whether an error is about an item; other errors of ours say that the work cannot be done, as without a model."""
    return isinstance(error, _OF_ITEMS) or not isinstance(error, CalotypeError)


def words(error: BaseException) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@dataclass
class Isolated(Generic[Part]):
    """The parts of the work that succeeded, and the id of each sample on which it fails with the reason.

    `complete` is False where there were too many to name, or where it fails only on several samples together.
    """

    parts: list[Part] = field(default_factory=list)
    failing: dict[str, str] = field(default_factory=dict)
    complete: bool = True
    n_runs: int = 0


def isolate(work: Callable[[list[str]], Part], sample_ids: list[str]) -> Isolated[Part]:
    """Do work that has failed on all of these samples on parts of them."""
    isolated: Isolated[Part] = Isolated()
    waiting = [sample_ids]
    while waiting:
        ids = waiting.pop()
        isolated.n_runs += 1
        if isolated.n_runs > _MAX_RUNS or len(isolated.failing) > _MAX_NAMED:
            isolated.complete = False
            return isolated
        try:
            isolated.parts.append(work(ids))
        except ITEM_ERRORS as error:
            if not is_of_items(error):
                raise
            if len(ids) > 1:
                half = len(ids) // 2
                waiting += [ids[half:], ids[:half]]
            else:
                isolated.failing |= dict.fromkeys(ids, words(error))
    isolated.complete = bool(isolated.failing)
    return isolated
