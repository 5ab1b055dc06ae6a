"""What each kind of stage reads, and what it does. Every body can be run again: it does only what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from calotype.acquire import service as acquire
from calotype.acquire.labels import service as annotate
from calotype.checks import service as checks
from calotype.contracts import service as contracts
from calotype.contracts.known import KnownChecks
from calotype.curate import service as curate
from calotype.datasets import service as datasets
from calotype.datasets.snapshot import Snapshot
from calotype.findings.gatekeeping import Gatekeeper
from calotype.foundation.actor import Actor
from calotype.foundation.ids import sha256_json
from calotype.foundation.progress import Progress
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
from calotype.release.model import ReleaseNotFound, Spec, Splitter
from calotype.store import Store
from calotype.transform import service as transform
from calotype.transform.service import Derived, Scope


class Ports(Protocol):
    """What the application wires: who decides on releases, who splits."""

    @property
    def splitter(self) -> Splitter: ...
    def known_checks(self) -> KnownChecks: ...
    def gatekeeper(self, store: Store, on: str = "release") -> Gatekeeper: ...


@dataclass(frozen=True, slots=True)
class Work:
    """What the body of a stage needs."""

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
        """The working state now."""
        return datasets.read(self.actor, self.dataset, store=self.store)


@dataclass(frozen=True, slots=True)
class Done:
    """What a stage did. `complete` says that doing it again on the same input would do nothing."""

    outputs: Mapping[str, Any]
    changed: bool
    complete: bool = True
    again: Mapping[str, Any] = field(default_factory=dict)


def read_files(work: Work, stage: Stage) -> files.Files | None:
    """The version of the files that a stage reads; None where it reads none. Raises: PathNotFound."""
    if isinstance(stage, Acquire):
        listed = files.images_below(work.pipeline.at(stage.path))
    elif isinstance(stage, Annotate):
        labels = work.pipeline.at(stage.path)
        listed = files.labels_at(labels)
        pictures = work.pipeline.at(stage.images) if stage.images is not None else labels.parent
        if stage.images is not None or labels.is_file():
            beside = None if stage.images is not None else work.store.root / "releases"
            found = files.images_below(pictures, beside=beside)
            listed += [(f"images/{name}", file) for name, file in found]
    else:
        return None
    place = str(work.pipeline.at(stage.path).resolve())
    key = sha256_json(["files", work.dataset, work.pipeline.name, stage.sha256, place])
    return files.version(listed, key, store=work.store, run_id=work.run_id, progress=work.progress)


def input_version(stage: Stage, state: Snapshot) -> str | None:
    """The version of what a stage reads of the dataset; None for stages that look for themselves, each time."""
    if isinstance(stage, Check | Commit | Release):
        return None
    if isinstance(stage, Acquire | Annotate):
        columns = ["sample_id", "name", "media_sha256", "parent_id"]
        table = state.samples(columns=columns).to_pydict()
        originals = [row[:3] for row in zip(*(table[name] for name in columns), strict=True) if not row[3]]
        contract = state.documents.get("contract") if isinstance(stage, Annotate) else None
        return sha256_json([state.dataset.id, sorted(originals), contract])
    return state.state_sha256


def do(work: Work, stage: Stage) -> Done:
    """The body of a stage."""
    body: Callable[[Work, Any], Done] = _BODIES[type(stage)]
    return body(work, stage)


def _acquire(work: Work, stage: Acquire) -> Done:
    added = acquire.add(
        work.actor,
        work.dataset,
        [work.pipeline.at(stage.path)],
        store=work.store,
        source=stage.source,
        licence=stage.licence,
        tags=stage.tags,
        on_invalid=stage.on_invalid,
        progress=work.progress,
    )
    counts = {name: value for name, value in added.to_dict().items() if isinstance(value, int)}
    again = {"added": 0, "unchanged": added.added + added.duplicates + added.unchanged + added.changed}
    return Done(counts, bool(added.added or added.changed), again=again)


def _annotate(work: Work, stage: Annotate) -> Done:
    images = None if stage.images is None else work.pipeline.at(stage.images)
    before = work.state().state_sha256
    made = annotate.import_annotations(
        work.actor,
        work.dataset,
        work.pipeline.at(stage.path),
        store=work.store,
        format=stage.format,
        images=images,
        label_set=stage.label_set,
        on_unknown=stage.on_unknown,
        on_invalid=stage.on_invalid,
        source=stage.source,
        licence=stage.licence,
        progress=work.progress,
    )
    names = ("samples", "annotations", "added", "updated", "unchanged", "skipped")
    again = {"added": 0, "unchanged": made.annotations}
    changed = work.state().state_sha256 != before
    return Done({name: getattr(made, name) for name in names}, changed, again=again)


def _check(work: Work, stage: Check) -> Done:
    if stage.contract is not None:
        file = work.pipeline.at(stage.contract)
        text = files.text_of(file)
        contracts.set_contract(
            work.actor, work.dataset, text, work.ports.known_checks(), store=work.store, file=file.name
        )
    report = checks.latest(work.actor, work.dataset, store=work.store)
    fresh = report is None
    if report is None:
        report = checks.check(work.actor, work.dataset, store=work.store, progress=work.progress)
    shut = [gate for gate in report.gates if gate.blocks]
    counts = {**report.counts, "green": len(report.gates) - len(shut), "not green": len(shut)}
    if shut and stage.gate == "stop":
        said = "; ".join(f"gate {gate.name} is {gate.state}: {gate.detail}" for gate in shut[:10])
        remedies = "; ".join(dict.fromkeys(gate.fix for gate in shut if gate.fix)) or "see `calotype check`"
        raise PipelineGateRed(
            where=f"dataset {work.dataset}",
            pipeline=work.pipeline.name,
            stage="check",
            gates=said,
            remedies=remedies,
            outputs=counts,
        )
    return Done(counts, fresh)


def _derived(made: Derived) -> Done:
    counts = {"made": made.made, "unchanged": made.unchanged, "removed": made.removed}
    if made.failed:
        counts["failed"] = len(made.failed)
    again = {"made": 0, "unchanged": made.made + made.unchanged}
    complete = not made.failed and not made.stopped
    return Done(counts, bool(made.made or made.removed), complete, again)


def _augment(work: Work, stage: Augment) -> Done:
    made = transform.augment(
        work.actor,
        work.dataset,
        stage.recipe,
        store=work.store,
        scope=Scope(stage.where, stage.splits, stage.label_sets),
        progress=work.progress,
    )
    return _derived(made)


def _transform(work: Work, stage: Transform) -> Done:
    if stage.recipe is not None:
        made = transform.transform(
            work.actor,
            work.dataset,
            stage.recipe,
            store=work.store,
            scope=Scope(stage.where, stage.splits, stage.label_sets),
            progress=work.progress,
        )
        return _derived(made)
    known = work.state().ontology
    left = {old: new for old, new in (stage.classes or {}).items() if known.by_name(old) is not None}
    if not left:
        return Done({"moved": 0, "dropped": 0}, False)
    mapped = transform.map_classes(work.actor, work.dataset, left, store=work.store, dry_run=False)
    counts = {"classes": len(left), "moved": mapped.moved, "dropped": mapped.dropped}
    return Done(counts, True, again={"moved": 0, "dropped": 0})


def _curate(work: Work, stage: Curate) -> Done:
    before = work.state().state_sha256
    if stage.split is not None:
        curate.split(
            work.actor,
            work.dataset,
            stage.split,
            store=work.store,
            by=stage.by,
            seed=stage.seed,
            where=stage.where,
        )
        counts = _splits(work.state())
    else:
        picked = curate.select(
            work.actor,
            work.dataset,
            stage.select or 0,
            store=work.store,
            by=stage.by or "random",
            where=stage.where,
            seed=stage.seed,
            progress=work.progress,
        )
        counts = {
            "picked": curate.apply_selection(work.actor, work.dataset, picked, stage.name, store=work.store)
        }
    return Done(counts, work.state().state_sha256 != before, again=counts)


def _splits(state: Snapshot) -> dict[str, int]:
    counts: dict[str, int] = {}
    for split in state.samples(columns=["split"])["split"].to_pylist():
        counts[split or "none"] = counts.get(split or "none", 0) + 1
    return dict(sorted(counts.items()))


def _commit(work: Work, stage: Commit) -> Done:
    try:
        made = datasets.commit(work.actor, work.dataset, stage.message, store=work.store)
    except datasets.NothingToCommit:
        return Done({"commit": (work.state().commit_id or "")[:12]}, False)
    return Done({"commit": made.short, "samples": made.stats["samples"]}, True)


def _release(work: Work, stage: Release) -> Done:
    settings = Spec(
        tuple(stage.formats),
        stage.label_set,
        stage.where or "",
        None,
        stage.split,
        stage.by,
        stage.seed,
        stage.purpose.strip(),
    )
    try:
        found = release.get(work.actor, work.dataset, stage.version, store=work.store)
    except ReleaseNotFound:
        made = release.release(
            work.actor,
            work.dataset,
            stage.version,
            store=work.store,
            gatekeeper=work.ports.gatekeeper(work.store),
            splitter=work.ports.splitter,
            split=stage.split,
            by=stage.by,
            where=stage.where,
            seed=stage.seed,
            formats=stage.formats,
            label_set=stage.label_set,
            purpose=stage.purpose,
            progress=work.progress,
        )
        return Done({"version": made.version, "commit": made.commit_id[:12]}, True)
    frozen = datasets.read(work.actor, f"{work.dataset}@{found.commit_id}", store=work.store)
    if frozen.state_sha256 != work.state().state_sha256 or found.spec != settings:
        raise PipelineReleaseTaken(dataset=work.dataset, version=stage.version)
    told = {"version": found.version, "commit": found.commit_id[:12]}
    if release.location(work.store, work.dataset, stage.version).is_dir():
        return Done(told, False)
    release.build(work.actor, work.dataset, stage.version, store=work.store, progress=work.progress)
    return Done(told, True)  # a process ended between the record and the files


_BODIES: dict[type[Stage], Callable[[Work, Any], Done]] = {
    Acquire: _acquire,
    Annotate: _annotate,
    Check: _check,
    Augment: _augment,
    Transform: _transform,
    Curate: _curate,
    Commit: _commit,
    Release: _release,
}
