"""Runs one check so that what fails in it costs only itself: the sample it fails on, or at most this check.

A check that fails is run again on halves of the samples until the samples are found on which it fails; each becomes a
finding. Where that is not possible (it looks at all samples together, or fails without any), the whole check is a
finding on the dataset, of severity "error", so that no gate is green because of it.
"""

from __future__ import annotations

import struct
from dataclasses import replace

import pyarrow as pa

from calotype.checks.suite.check import Check
from calotype.checks.suite.context import KEPT_PER_CHECK, CheckContext, Describe, Tally
from calotype.datasets.model import AnnotationInvalid, SampleInvalid
from calotype.foundation.errors import CalotypeError
from calotype.store.media.combined import MEDIA_ERRORS
from calotype.vision.images import ImageUnreadable
from calotype.vision.masks import RleInvalid

FAULT = "check-failed"
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
"""What a check may raise because of the data that it looks at. Errors of the disk are not among them."""
_OF_ITEMS = (ImageUnreadable, RleInvalid, AnnotationInvalid, SampleInvalid, *MEDIA_ERRORS)
"""The errors of ours that are about one item; others say that the check cannot run at all, as where a model is missing.
"""
_MAX_NAMED = 50
_MAX_RUNS = 1_500


def run_check(check: Check, context: CheckContext, tally: Tally) -> None:
    """Run a check and fill the tally, whatever happens on single samples."""
    trial = replace(tally, counts={}, findings=[], reference=dict(tally.reference))
    try:
        check.run(context, trial)
    except ITEM_ERRORS as error:
        if isinstance(error, CalotypeError) and not isinstance(error, _OF_ITEMS):
            raise
        if check.scope == "sample":
            _Search(check, context, tally).run(_words(error))
        else:
            _add_whole(tally, _words(error))
        return
    _take(tally, trial)
    tally.reference = trial.reference


def _take(tally: Tally, part: Tally) -> None:
    tally.looked_at += part.looked_at
    for severity, n in part.counts.items():
        tally.counts[severity] = tally.counts.get(severity, 0) + n
    tally.findings += part.findings[: max(0, KEPT_PER_CHECK - len(tally.findings))]


def _add_whole(tally: Tally, words: str) -> None:
    reason = f"the check failed and reports nothing: {words}"
    tally.dataset(reason, {"error": words}, severity="error", fault=FAULT)


def _describe(why: str) -> Describe:
    return lambda _: (f"the check fails on this sample: {why}", {"error": why})


def failed_whole(tally: Tally) -> bool:
    """Whether the check reports nothing because it failed."""
    return any(finding.fault == FAULT and not finding.sample_id for finding in tally.findings)


def _words(error: BaseException) -> str:
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class _Search:
    """Finds the samples on which a check fails, and collects its findings on the others."""

    def __init__(self, check: Check, context: CheckContext, tally: Tally) -> None:
        self._check = check
        self._context = context
        self._tally = tally
        self._n_runs = 0
        self._failing: list[tuple[CheckContext, str]] = []

    def run(self, words: str) -> None:
        """Fill the tally."""
        collected = replace(self._tally, counts={}, findings=[])
        ids = self._context.samples["sample_id"].to_pylist()
        if len(ids) <= 1:
            found = bool(ids)
            self._failing = [(self._context, words)] if found else []
        else:
            half = len(ids) // 2
            found = all(self._part(part, collected) for part in (ids[:half], ids[half:]))
        if not found or not self._failing:
            _add_whole(self._tally, words)
            return
        _take(self._tally, collected)
        for context, why in self._failing:
            single = replace(self._tally, context=context, counts={}, findings=[], looked_at=1)
            single.samples([0], _describe(why), severity="error", fault=FAULT)
            _take(self._tally, single)

    def _part(self, ids: list[str], collected: Tally) -> bool:
        """Look at some samples; False once there are too many failing ones to name."""
        self._n_runs += 1
        if self._n_runs > _MAX_RUNS or len(self._failing) > _MAX_NAMED:
            return False
        context = replace(self._context, sample_ids=ids, _measured={}, _columns={}, worked_out={})
        trial = replace(self._tally, context=context, counts={}, findings=[], looked_at=0)
        try:
            self._check.run(context, trial)
        except ITEM_ERRORS as error:
            if len(ids) == 1:
                self._failing.append((context, _words(error)))
                return True
            half = len(ids) // 2
            return self._part(ids[:half], collected) and self._part(ids[half:], collected)
        _take(collected, trial)
        return True
