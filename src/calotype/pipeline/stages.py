"""What each kind of stage reads and does. Stage bodies are idempotent: they only execute what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from calotype.acquire import service as acquire
from calotype.acquire.labels import service as annotate
from calotype.acquire.labels.model import COUNTS, ImportOptions
from calotype.acquire.model import ImageOptions
from calotype.checks import service as checks
from calotype.contracts import service as contracts
from calotype.contracts.known import KnownChecks
from calotype.curate import service as curate
from calotype.curate.model import SelectionSpec, SplitSpec
from calotype.datasets import service as datasets
from calotype.datasets.snapshot import Snapshot
from calotype.findings.gatekeeping import Gatekeeper
from calotype.foundation.actor import Actor
from calotype.foundation.ids import sha256_json
from calotype.foundation.progress import Progress
from calotype.foundation.text_files import read_text
from calotype.pipeline import files
from calotype.pipeline.model import (
    Acquire,
    Annotate,
    Augment,
    Check,
    Commit,
    Curate,
    Pipeline,
    Release,
    Stage,
    Transform,
)
from calotype.pipeline.runs import PipelineGateRed, PipelineReleaseTaken
from calotype.release import service as release
from calotype.release.model import ReleaseNotFound, ReleaseSpec, Splitter
from calotype.store import Store
from calotype.transform import service as transform
from calotype.transform.service import Derived, Scope


class Ports(Protocol):
    """What the application wires in: the gatekeeper of releases, the splitter and the known checks."""

    @property
    def splitter(self) -> Splitter: ...
    def known_checks(self) -> KnownChecks: ...
    def gatekeeper(self, store: Store, on: str = "release") -> Gatekeeper: ...


@dataclass(frozen=True, slots=True)
class RunContext:
    """What every stage body needs."""

    actor: Actor
    pipeline: Pipeline
    store: Store
    ports: Ports
    progress: Progress
    run_id: str

    @property
    def dataset(self) -> str:
        """The name of the dataset."""
        return self.pipeline.dataset

    def state(self) -> Snapshot:
        """The present working state."""
        return datasets.read(self.actor, self.dataset, store=self.store)


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a stage did.

    Attributes:
        complete: Running the stage again on the same input would do nothing.
        repeat_outputs: The outputs that such a second run would report; empty for the same as `outputs`.
    """

    outputs: Mapping[str, Any]
    changed: bool
    complete: bool = True
    repeat_outputs: Mapping[str, Any] = field(default_factory=dict)


def input_files(context: RunContext, stage: Stage) -> files.Files | None:
    """Version of the files that a stage reads; None for stages that read no files. Raises: PathNotFound."""
    if isinstance(stage, Acquire):
        listed = files.image_files(context.pipeline.resolve(stage.path))
    elif isinstance(stage, Annotate):
        labels = context.pipeline.resolve(stage.path)
        listed = files.label_files(labels)
        images = context.pipeline.resolve(stage.images) if stage.images is not None else labels.parent
        if stage.images is not None or labels.is_file():
            exclude = None if stage.images is not None else context.store.root / "releases"
            listed += [(f"images/{name}", file) for name, file in files.image_files(images, exclude=exclude)]
    else:
        return None
    path = str(context.pipeline.resolve(stage.path).resolve())
    key = sha256_json(["files", context.dataset, context.pipeline.name, stage.sha256, path])
    return files.version(listed, key, store=context.store, run_id=context.run_id, progress=context.progress)


def input_version(stage: Stage, state: Snapshot) -> str | None:
    """Version of what a stage reads of the dataset; None for stages that inspect it on every run."""
    if isinstance(stage, Check | Commit | Release):
        return None
    if isinstance(stage, Acquire | Annotate):
        columns = ["sample_id", "name", "media_sha256", "parent_id"]
        table = state.samples(columns=columns).to_pydict()
        originals = [row[:3] for row in zip(*(table[name] for name in columns), strict=True) if not row[3]]
        contract = state.documents.get("contract") if isinstance(stage, Annotate) else None
        return sha256_json([state.dataset.id, sorted(originals), contract])
    return state.state_sha256


def execute(context: RunContext, stage: Stage) -> StageResult:
    """Run the body of a stage."""
    body: Callable[[RunContext, Any], StageResult] = _BODIES[type(stage)]
    return body(context, stage)


def _acquire(context: RunContext, stage: Acquire) -> StageResult:
    added = acquire.add(
        context.actor,
        context.dataset,
        [context.pipeline.resolve(stage.path)],
        ImageOptions(
            source=stage.source, licence=stage.licence, tags=stage.tags, on_invalid=stage.on_invalid
        ),
        store=context.store,
        progress=context.progress,
    )
    counts = {name: value for name, value in added.to_dict().items() if isinstance(value, int)}
    repeat_outputs = {
        "added": 0,
        "unchanged": added.added + added.duplicates + added.unchanged + added.changed,
    }
    return StageResult(counts, bool(added.added or added.changed), repeat_outputs=repeat_outputs)


def _annotate(context: RunContext, stage: Annotate) -> StageResult:
    images = None if stage.images is None else context.pipeline.resolve(stage.images)
    before = context.state().state_sha256
    imported = annotate.import_annotations(
        context.actor,
        context.dataset,
        context.pipeline.resolve(stage.path),
        ImportOptions(
            format=stage.format,
            images=images,
            label_set=stage.label_set,
            on_unknown=stage.on_unknown,
            on_invalid=stage.on_invalid,
            source=stage.source,
            licence=stage.licence,
        ),
        store=context.store,
        progress=context.progress,
    )
    repeat_outputs = {"added": 0, "changed": 0, "removed": 0, "unchanged": imported.annotations}
    changed = context.state().state_sha256 != before
    return StageResult(
        {name: getattr(imported, name) for name in COUNTS}, changed, repeat_outputs=repeat_outputs
    )


def _check(context: RunContext, stage: Check) -> StageResult:
    if stage.contract is not None:
        file = context.pipeline.resolve(stage.contract)
        text = read_text(file)
        contracts.set_contract(
            context.actor,
            context.dataset,
            text,
            context.ports.known_checks(),
            store=context.store,
            file=file.name,
        )
    report = checks.latest(context.actor, context.dataset, store=context.store)
    is_new = report is None
    if report is None:
        report = checks.check(context.actor, context.dataset, store=context.store, progress=context.progress)
    blocking = [gate for gate in report.gates if gate.blocks]
    counts = {**report.counts, "green": len(report.gates) - len(blocking), "not green": len(blocking)}
    if blocking and stage.gate == "stop":
        gates = "; ".join(f"gate {gate.name} is {gate.state}: {gate.detail}" for gate in blocking[:10])
        remedies = (
            "; ".join(dict.fromkeys(gate.fix for gate in blocking if gate.fix)) or "see `calotype check`"
        )
        raise PipelineGateRed(
            where=f"dataset {context.dataset}",
            pipeline=context.pipeline.name,
            stage="check",
            gates=gates,
            remedies=remedies,
            outputs=counts,
        )
    return StageResult(counts, is_new)


def _derived_result(derived: Derived) -> StageResult:
    counts = {"made": derived.made, "unchanged": derived.unchanged, "removed": derived.removed}
    if derived.failed:
        counts["failed"] = len(derived.failed)
    repeat_outputs = {"made": 0, "unchanged": derived.made + derived.unchanged}
    complete = not derived.failed and not derived.stopped
    return StageResult(counts, bool(derived.made or derived.removed), complete, repeat_outputs)


def _augment(context: RunContext, stage: Augment) -> StageResult:
    derived = transform.augment(
        context.actor,
        context.dataset,
        stage.recipe,
        store=context.store,
        scope=Scope(stage.where, stage.splits, stage.label_sets),
        progress=context.progress,
    )
    return _derived_result(derived)


def _transform(context: RunContext, stage: Transform) -> StageResult:
    if stage.recipe is not None:
        derived = transform.transform(
            context.actor,
            context.dataset,
            stage.recipe,
            store=context.store,
            scope=Scope(stage.where, stage.splits, stage.label_sets),
            progress=context.progress,
        )
        return _derived_result(derived)
    ontology = context.state().ontology
    mapping = {old: new for old, new in (stage.classes or {}).items() if ontology.by_name(old) is not None}
    if not mapping:
        return StageResult({"moved": 0, "dropped": 0}, False)
    mapped = transform.map_classes(
        context.actor, context.dataset, mapping, store=context.store, dry_run=False
    )
    counts = {"classes": len(mapping), "moved": mapped.moved, "dropped": mapped.dropped}
    return StageResult(counts, True, repeat_outputs={"moved": 0, "dropped": 0})


def _curate(context: RunContext, stage: Curate) -> StageResult:
    before = context.state().state_sha256
    if stage.split is not None:
        split = SplitSpec(stage.split, by=stage.by, seed=stage.seed, where=stage.where)
        curate.split(context.actor, context.dataset, split, store=context.store)
        counts = _split_counts(context.state())
    else:
        wanted = SelectionSpec(stage.select or 0, stage.by or "auto", stage.where, stage.seed)
        selection = curate.select(
            context.actor, context.dataset, wanted, store=context.store, progress=context.progress
        )
        n_tagged = curate.apply_selection(
            context.actor, context.dataset, selection, stage.name, store=context.store
        )
        counts = {"picked": n_tagged}
    return StageResult(counts, context.state().state_sha256 != before, repeat_outputs=counts)


def _split_counts(state: Snapshot) -> dict[str, int]:
    counts: dict[str, int] = {}
    for split in state.samples(columns=["split"])["split"].to_pylist():
        counts[split or "none"] = counts.get(split or "none", 0) + 1
    return dict(sorted(counts.items()))


def _commit(context: RunContext, stage: Commit) -> StageResult:
    try:
        commit = datasets.commit(context.actor, context.dataset, stage.message, store=context.store)
    except datasets.NothingToCommit:
        return StageResult({"commit": (context.state().commit_id or "")[:12]}, False)
    return StageResult({"commit": commit.short, "samples": commit.stats["samples"]}, True)


def _release(context: RunContext, stage: Release) -> StageResult:
    spec = ReleaseSpec(
        formats=stage.formats,
        label_set=stage.label_set,
        where=stage.where or "",
        split=stage.split,
        by=stage.by,
        seed=stage.seed,
        purpose=stage.purpose.strip(),
    )
    try:
        existing = release.get(context.actor, context.dataset, stage.version, store=context.store)
    except ReleaseNotFound:
        created = release.release(
            context.actor,
            context.dataset,
            stage.version,
            spec,
            store=context.store,
            gatekeeper=context.ports.gatekeeper(context.store),
            splitter=context.ports.splitter,
            progress=context.progress,
        )
        return StageResult({"version": created.version, "commit": created.commit_id[:12]}, True)
    frozen = datasets.read(context.actor, f"{context.dataset}@{existing.commit_id}", store=context.store)
    if frozen.state_sha256 != context.state().state_sha256 or existing.spec != spec:
        raise PipelineReleaseTaken(dataset=context.dataset, version=stage.version)
    outputs = {"version": existing.version, "commit": existing.commit_id[:12]}
    if release.location(context.store, context.dataset, stage.version).is_dir():
        return StageResult(outputs, False)
    release.build(
        context.actor, context.dataset, stage.version, store=context.store, progress=context.progress
    )
    return StageResult(outputs, True)  # an earlier process ended after the record and before the files


_BODIES: dict[type[Stage], Callable[[RunContext, Any], StageResult]] = {
    Acquire: _acquire,
    Annotate: _annotate,
    Check: _check,
    Augment: _augment,
    Transform: _transform,
    Curate: _curate,
    Commit: _commit,
    Release: _release,
}
