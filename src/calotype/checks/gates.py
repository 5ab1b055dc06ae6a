"""Gates: from findings to green, red or missing. The contract's declarations first, then its gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from calotype.checks.isolation import failed_whole
from calotype.checks.suite import REGISTRY, CheckContext, Tally, declared, labels
from calotype.checks.suite.registry import all_checks
from calotype.contracts.model import GateSpec
from calotype.findings.exemptions import NONE, Exemptions
from calotype.findings.isolation import FAULT
from calotype.findings.model import Gate, GateState, at_least

_NAMED = 5


def evaluate(
    context: CheckContext,
    tallies: Mapping[str, Tally],
    *,
    partial: bool = False,
    exempt: Exemptions = NONE,
    old_keys: Collection[str] = (),
) -> tuple[Gate, ...]:
    """All gates, those that block first. `tallies` holds the checks that ran.

    After a partial run, only the gates of the checks that ran. Gates of scope "new" leave out findings in `old_keys`.
    """
    gates = [
        *_declared(context, tallies, exempt),
        *(
            replace(_from_spec(context, tallies, spec, _for(spec, tallies, exempt, old_keys)), on=spec.blocks)
            for spec in context.contract.gates
        ),
    ]
    if partial:
        gates = [gate for gate in gates if gate.check in tallies]
    gates = [_after_failure(gate, tallies) for gate in gates]
    order = {GateState.MISSING: 0, GateState.RED: 1, GateState.GREEN: 2}
    return tuple(sorted(gates, key=lambda gate: order[gate.state]))


def _after_failure(gate: Gate, tallies: Mapping[str, Tally]) -> Gate:
    """The gate; not green where its check failed and so reports nothing."""
    tally = tallies.get(gate.check)
    if tally is None or gate.state is not GateState.GREEN or not failed_whole(tally):
        return gate
    failed = next(f for f in tally.findings if f.fault == FAULT)
    return replace(gate, state=GateState.RED, detail=failed.reason, fix="correct what the check fails on")


def _for(
    spec: GateSpec, tallies: Mapping[str, Tally], exempt: Exemptions, old_keys: Collection[str]
) -> Exemptions:
    """What a gate leaves out: for scope "new" also the findings that the protected branch already has."""
    tally = tallies.get(str(spec.check))
    if spec.scope == "all" or tally is None or not old_keys:
        return exempt
    why, counts = dict(exempt.reasons), Counter(exempt.counts)
    for finding in tally.findings:
        if finding.key in old_keys and finding.key not in why:
            why[finding.key] = "not new"
            counts[finding.check, finding.severity] += 1
    return Exemptions(why, dict(counts))


def _declared(context: CheckContext, tallies: Mapping[str, Tally], exempt: Exemptions) -> Iterator[Gate]:
    if context.contract.samples.min:
        asked = context.contract.samples.min
        yield _minimum("samples", "", context.n_samples, asked, "samples", "add images to the dataset")
    counts = labels.class_counts(context) if context.contract.classes else {}
    for spec in context.contract.classes:
        n_annotations, n_samples = counts[spec.name]
        fix = f"collect or label more {spec.name!r}"
        if spec.min_annotations:
            yield _minimum(
                f"class {spec.name}", "class-balance", n_annotations, spec.min_annotations, "annotations", fix
            )
        if spec.min_samples:
            name = f"class {spec.name} on samples"
            yield _minimum(name, "class-balance", n_samples, spec.min_samples, "samples", fix)
    for line in context.contract.coverage:
        for class_name, asked, unit in declared.demands(line):
            n_matching, why = declared.covered(context, line, class_name)
            name = f"coverage {line.title}" + (f": {class_name}" if class_name else "")
            gate = _minimum(name, "coverage", n_matching, asked, unit, REGISTRY["coverage"].fix)
            yield gate if not why else _with_detail(gate, f"{gate.detail}; {why}")
    if "metadata" in tallies:
        fields = context.contract.metadata
        yield from (_metadata(context, tallies["metadata"], name, exempt) for name in fields)
    if context.contract.licences and "licence" in tallies:
        yield _findings(context, tallies["licence"], GateSpec(check="licence"), exempt, needs_samples=True)


def _minimum(name: str, check: str, measured: float, asked: float, unit: str, fix: str) -> Gate:
    state = GateState.GREEN if measured >= asked else GateState.RED if measured else GateState.MISSING
    shown = f"{measured:g} of at least {asked:g} {unit}"
    return Gate(name, check, state, measured, asked, unit, shown, "" if state is GateState.GREEN else fix)


def _with_detail(gate: Gate, detail: str) -> Gate:
    return Gate.from_dict({**gate.to_dict(), "detail": detail})


def _metadata(context: CheckContext, tally: Tally, field: str, exempt: Exemptions) -> Gate:
    of_field = [finding for finding in tally.findings if finding.facts.get("field") == field]
    findings = [finding for finding in of_field if not exempt.covers(finding)]
    name, fix = f"metadata {field}", REGISTRY["metadata"].fix
    if not context.n_samples:
        return Gate(name, "metadata", GateState.MISSING, 0, 0, "findings", "no sample yet", fix)
    if not findings:
        detail = "as the contract requires, on all samples"
        return Gate(name, "metadata", GateState.GREEN, 0, 0, "findings", detail)
    n = len(findings)
    is_used = n < context.n_samples or field in context.snapshot.fields
    state = GateState.RED if is_used else GateState.MISSING
    named = tuple(finding.sample for finding in findings[:_NAMED])
    detail = f"{n} of {context.n_samples} samples: {findings[0].reason}"
    return Gate(name, "metadata", state, n, 0, "findings", detail, fix, n, named)


def _from_spec(
    context: CheckContext, tallies: Mapping[str, Tally], spec: GateSpec, exempt: Exemptions
) -> Gate:
    if spec.metric is not None:
        return _metric(context, spec.metric, spec.min or 0.0)
    name = str(spec.check)
    if name not in tallies:
        fix = f"enable the check {name!r} in the contract, or remove its gate"
        return Gate(name, name, GateState.MISSING, 0, 0, "findings", "the check is disabled", fix)
    return _findings(context, tallies[name], spec, exempt)


def _findings(
    context: CheckContext, tally: Tally, spec: GateSpec, exempt: Exemptions, *, needs_samples: bool = False
) -> Gate:
    name, check = str(spec.check), all_checks()[str(spec.check)]
    counted = at_least(spec.severity)
    n_excused = exempt.of(name, counted)
    n = sum(tally.counts.get(severity, 0) for severity in counted) - n_excused
    if needs_samples and not context.n_samples:
        return Gate(name, name, GateState.MISSING, 0, 0, "findings", "no sample yet", check.fix)
    worst = [f for f in tally.findings if f.severity in counted and not exempt.covers(f)]
    named = tuple(dict.fromkeys(finding.sample for finding in worst if finding.sample))[:_NAMED]
    words = "findings" if spec.severity == "info" else f"findings of severity {' or '.join(counted)}"
    if spec.max_fraction is not None:
        measured = n / tally.looked_at if tally.looked_at else 0.0
        threshold, unit = spec.max_fraction, f"share of {check.unit}"
        detail = f"{n} {words} in {tally.looked_at} {check.unit} ({measured:.2%}), allowed {threshold:.2%}"
    else:
        measured, threshold, unit = float(n), float(spec.max_findings or 0), "findings"
        detail = f"{n} {words} in {tally.looked_at} {check.unit}, allowed {threshold:g}"
    if n_excused:
        detail += f"; {n_excused} more excused"
    state = GateState.GREEN if measured <= threshold else GateState.RED
    fix = "" if state is GateState.GREEN else check.fix
    return Gate(name, name, state, measured, threshold, unit, detail, fix, n, named, n_excused)


def _metric(context: CheckContext, metric: str, asked: float) -> Gate:
    if metric == "samples":
        fix = "add images to the dataset"
        return _minimum("samples minimum", "", context.n_samples, asked, "samples", fix)
    n_annotations = context.n_annotations
    if metric == "annotations":
        return _minimum("annotations", "", n_annotations, asked, "annotations", "label more samples")
    share = labels.n_labelled(context) / context.n_samples if context.n_samples else 0.0
    fix = "label the samples that the check `unlabelled` lists"
    return _minimum("labelled-fraction", "unlabelled", round(share, 6), asked, "share of samples", fix)
