"""Runs one check: a sample on which it fails becomes a finding; a check that fails otherwise is one on the dataset."""

from __future__ import annotations

from dataclasses import replace

from calotype.checks.suite.check import Check
from calotype.checks.suite.context import KEPT_PER_CHECK, CheckContext, Tally
from calotype.findings.isolation import FAULT, ITEM_ERRORS, is_of_items, isolate, words


def run_check(check: Check, context: CheckContext, tally: Tally) -> None:
    """Run a check and fill the tally, whatever happens on single samples."""
    trial = replace(tally, counts={}, findings=[], reference=dict(tally.reference))
    try:
        check.run(context, trial)
    except ITEM_ERRORS as error:
        if not is_of_items(error):
            raise
        if check.scope != "sample" or not _run_on_parts(check, context, tally):
            reason = f"the check failed and reports nothing: {words(error)}"
            tally.dataset(reason, {"error": words(error)}, severity="error", fault=FAULT)
        return
    _take(tally, trial)
    tally.reference = trial.reference


def failed_whole(tally: Tally) -> bool:
    """Whether the check reports nothing because it failed."""
    return any(finding.fault == FAULT and not finding.sample_id for finding in tally.findings)


def _run_on_parts(check: Check, context: CheckContext, tally: Tally) -> bool:
    """Fill the tally with findings on the samples that can be checked, and name the others; False if that fails."""

    def work(ids: list[str]) -> Tally:
        part = replace(context, sample_ids=ids, _measured={}, _columns={}, worked_out={})
        trial = replace(tally, context=part, counts={}, findings=[], looked_at=0)
        check.run(part, trial)
        return trial

    ids = list(context.samples["sample_id"].to_pylist())
    isolated = isolate(work, ids)
    if not isolated.complete:
        return False
    for part in isolated.parts:
        _take(tally, part)
    why = {row: isolated.failing[key] for row, key in enumerate(ids) if key in isolated.failing}
    words_of = {
        row: (f"the check fails on this sample: {text}", {"error": text}) for row, text in why.items()
    }
    tally.samples(list(why), words_of.__getitem__, severity="error", fault=FAULT)
    tally.looked_at += len(why)
    return True


def _take(tally: Tally, part: Tally) -> None:
    tally.looked_at += part.looked_at
    for severity, n in part.counts.items():
        tally.counts[severity] = tally.counts.get(severity, 0) + n
    tally.findings += part.findings[: max(0, KEPT_PER_CHECK - len(tally.findings))]
