"""Objectives of a contract, measured at each full run: met, missed, or not measured, with the figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pyarrow.compute as pc

from calotype.checks.suite import CheckContext, labels
from calotype.checks.suite.conditions import newest_us
from calotype.contracts.sections import Objective
from calotype.findings.exemptions import Exemptions
from calotype.findings.model import CheckReport, Gate, ObjectiveResult, ObjectiveState, at_least

DAY_US = 86_400_000_000
Figure = tuple[float | None, str]
"""What was measured (None where it cannot be), and of what or why not."""
Earlier = Callable[[int], Sequence[Gate]]
"""From a time in microseconds since 1970 to the gates of all earlier full runs since then."""
_UNITS = {"freshness_days": "days", "finding_count": "findings"}


def evaluate(
    context: CheckContext, report: CheckReport, exempt: Exemptions, earlier: Earlier
) -> tuple[ObjectiveResult, ...]:
    """Measure the objectives of the contract, in their order, for the state of a report.

    Args:
        report: With the gates of this run.
        exempt: What gates leave out; objectives leave it out too.
        earlier: The gates of earlier runs of the same contract on the same branch.
    """
    return tuple(
        _judged(objective, _measure(objective, context, report, exempt, earlier))
        for objective in context.contract.objectives
    )


def _measure(
    asked: Objective, context: CheckContext, report: CheckReport, exempt: Exemptions, earlier: Earlier
) -> Figure:
    match asked.metric:
        case "freshness_days":
            return _freshness(context, report.finished_at_us)
        case "labelled_fraction":
            return _labelled(context)
        case "review_fraction":
            return _reviewed(context)
        case "finding_count":
            return _findings(report, exempt)
        case "gate_green_fraction":
            since_us = report.finished_at_us - asked.window_days * DAY_US
            return _green((*report.gates, *earlier(since_us)), asked.window_days)


def _judged(asked: Objective, figure: Figure) -> ObjectiveResult:
    measured, detail = figure
    unit = _UNITS.get(asked.metric, "")
    bound: Literal["most", "least"] = "most" if unit else "least"
    if measured is None:
        state = ObjectiveState.NOT_MEASURED
    else:
        kept = measured <= asked.target if bound == "most" else measured >= asked.target
        state = ObjectiveState.MET if kept else ObjectiveState.MISSED
    shown = None if measured is None else _rounded(measured, asked.target)
    return ObjectiveResult(asked.name, asked.metric, state, shown, bound, asked.target, unit, detail)


def _rounded(measured: float, target: float) -> float:
    """Few digits, but enough that a missed figure does not read like the target."""
    for digits in (4, 6, 9):
        if round(measured, digits) != target or measured == target:
            return round(measured, digits)
    return measured


def _freshness(context: CheckContext, now_us: int) -> Figure:
    field = context.contract.freshness.field if context.contract.freshness else "added"
    newest = newest_us(context, field) if context.n_samples else None
    if newest is None:
        return None, f"no sample has a date in {field!r}" if context.n_samples else "there is no sample"
    word = "was added" if field == "added" else f"has its date in {field!r}"
    return max(0.0, (now_us - newest) / DAY_US), f"days since the newest sample {word}"


def _labelled(context: CheckContext) -> Figure:
    n = context.n_samples
    if not n:
        return None, "there is no sample"
    carried = labels.n_labelled(context)
    return carried / n, f"{carried} of {n} samples carry annotations in {context.label_set}"


def _reviewed(context: CheckContext) -> Figure:
    """Share of annotations whose attribute `reviewed` is true; not measured where none has the attribute."""
    n = context.n_annotations
    if not n:
        return None, f"there is no annotation in {context.label_set}"
    texts = context.annotations_with(["attributes"])["attributes"]
    stated = np.asarray(pc.fill_null(pc.match_substring_regex(texts, '"reviewed": ?(true|false)'), False))
    if not stated.any():
        return None, "no annotation has the attribute 'reviewed'"
    true = np.asarray(pc.fill_null(pc.match_substring_regex(texts, '"reviewed": ?true'), False))
    return float(true.sum()) / n, f"{int(true.sum())} of {n} annotations are marked as reviewed"


def _findings(report: CheckReport, exempt: Exemptions) -> Figure:
    counted = at_least("warning")
    left_out = sum(n for (_, severity), n in exempt.counts.items() if severity in counted)
    n = sum(report.counts[severity] for severity in counted) - left_out
    more = f"; {left_out} more excused" if left_out else ""
    return float(n), f"errors and warnings{more}"


def _green(gates: Sequence[Gate], days: int) -> Figure:
    if not gates:
        return None, "there is no gate"
    green = sum(not gate.blocks for gate in gates)
    period = "1 day" if days == 1 else f"{days} days"
    return green / len(gates), f"{green} of {len(gates)} gates were green in the runs of {period}"
