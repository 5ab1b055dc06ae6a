"""Handles on a dataset: its working state, and views of any state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace as with_fields
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from calotype.acquire import service as acquire
from calotype.acquire.intake import MediaMode
from calotype.acquire.labels import put_annotations as annotation_tables
from calotype.acquire.labels import service as labels
from calotype.acquire.labels.model import Imported, ImportOptions
from calotype.acquire.labels.put_annotations import Replace
from calotype.acquire.model import Added, ImageOptions
from calotype.api.context import Context, ref_text
from calotype.api.edits import EditMethods
from calotype.api.guidelines import GuidelineMethods
from calotype.api.merge import HistoryMethods
from calotype.api.quality import QualityMethods
from calotype.api.release import Release, ReleaseMethods
from calotype.api.vectors import VectorMethods, VectorSearch
from calotype.api.views import ViewMethods
from calotype.browse.views import service as browse
from calotype.curate import service as curation
from calotype.curate.model import Selection, SelectionSpec, SplitResult, SplitSpec
from calotype.datasets import service as datasets
from calotype.datasets.commits import Commit, Diff
from calotype.datasets.model import DEFAULT_LABEL_SET, Sample
from calotype.datasets.query import Expression
from calotype.datasets.snapshot import Snapshot, Where
from calotype.exchange.output_folder import ImagesMode
from calotype.release import service as releases
from calotype.release.model import Exported, ExportSpec, ReleaseSpec
from calotype.selection.simulate import Curve
from calotype.transform import service as transformation
from calotype.transform.service import ClassMapping, Derived, Scope, Worklist

AnyPath = str | PathLike[str]


class Dataset(
    EditMethods,
    GuidelineMethods,
    HistoryMethods,
    QualityMethods,
    VectorMethods,
    ReleaseMethods,
    ViewMethods,
):
    """The working state of a dataset. Read other states with `at`."""

    def add_images(
        self,
        *paths: AnyPath,
        source: str = "",
        licence: str = "",
        tags: Sequence[str] = (),
        media: MediaMode = "copy",
    ) -> Added:
        """Add image files, folders, or `s3://bucket/folder`.

        Invalid files are quarantined with a reason. Images that the dataset already has are not added again.

        Args:
            media: "copy" the bytes into the workspace, hard "link" them, or keep a "reference" to the original.
        Raises: PathNotFound, MediaModeUnknown.
        """
        return self._call(
            acquire.add,
            [fspath(path) for path in paths],
            ImageOptions(source=source, licence=licence, tags=tags, media=media),
            progress=self._context.progress,
        )

    def add_annotations(
        self,
        path: AnyPath,
        *,
        format: str = "auto",
        images: AnyPath | None = None,
        label_set: str = DEFAULT_LABEL_SET,
        on_unknown: str = "error",
        on_invalid: str = "quarantine",
        source: str = "",
        licence: str = "",
        media: MediaMode = "copy",
        strict: bool = False,
        dry_run: bool = False,
    ) -> Imported:
        """Import label files and the images that they list. Boxes are in pixels of the upright image.

        A COCO results list (`format="coco"`) refers to images by the ids of the COCO file that was imported before.

        Args:
            strict: Refuse the files if anything would be left out or adjusted.
            dry_run: Write nothing; report what the import would do.
        Raises: FormatUnknown, LabelFileUnreadable, UnknownClasses, ItemsInvalid, NothingToImport, ImportNotClean.
        """
        return self._call(
            labels.import_annotations,
            Path(path),
            ImportOptions(
                format=format,
                images=None if images is None else Path(images),
                label_set=label_set,
                on_unknown=on_unknown,
                on_invalid=on_invalid,
                source=source,
                licence=licence,
                media=media,
                strict=strict,
                dry_run=dry_run,
            ),
            progress=self._context.progress,
        )

    def put_annotations(
        self, table: Any, *, label_set: str = DEFAULT_LABEL_SET, replace: Replace = None
    ) -> int:
        """Store an Arrow table of boxes or classes as one edit; see `acquire.labels.put_annotations` for its columns.

        Args:
            table: `sample_id`, `class` or `class_id`, for boxes `x`, `y`, `w`, `h` in pixels, optionally `score` ...
            replace: "samples" removes the earlier annotations of these samples in the label set.
        Returns: The number of rows.
        Raises: RowsInvalid.
        """
        return self._call(annotation_tables.put_annotations, table, label_set=label_set, replace=replace)

    def map_classes(self, mapping: Mapping[str, str | None], *, dry_run: bool = True) -> ClassMapping:
        """Rename, merge or drop (None) classes in all label sets; a dry run only counts.

        Raises: ClassUnknown, ClassMappingInvalid.
        """
        return self._call(transformation.map_classes, mapping, dry_run=dry_run)

    def tag_selection(self, selection: Selection, name: str) -> int:
        """Tag the selected samples `picked:NAME`, and no others. Returns their number. Raises: SelectionNameInvalid."""
        return self._call(curation.apply_selection, selection, name)

    def commit(self, message: str) -> Commit:
        """Commit the working state. Raises: NothingToCommit."""
        return self._call(datasets.commit, message)

    def log(self, *, all_refs: bool = False) -> list[Commit]:
        """Commits, newest first; with `all_refs`, also those of all other branches and tags."""
        return self._call(datasets.log, all_refs=all_refs)

    def diff(self, a: str | Commit, b: str | Commit) -> Diff:
        """What changed from ref `a` to ref `b`. Raises: RefNotFound."""
        return self._call(datasets.diff, ref_text(a), ref_text(b))

    def branch(self, name: str, start: str | Commit = "main") -> Dataset:
        """Create a branch and return a handle on it. Raises: RefExists."""
        ref = self._call(datasets.branch, name, start=ref_text(start))
        return Dataset(self._context, f"{self.name.partition('@')[0]}@{ref.name}+")

    def tag(self, name: str, at: str | Commit = "main") -> None:
        """Give a commit a permanent name. Raises: RefExists, RefNotFound."""
        self._call(datasets.tag, name, at=ref_text(at))

    def rollback(self, to: str | Commit, *, discard: bool = False) -> Commit:
        """Restore the contents of an earlier commit as a new commit. Raises: RefNotFound, WorkingStateDirty."""
        return self._call(datasets.rollback, ref_text(to), discard=discard)

    def at(self, ref: str | Commit) -> View:
        """The state of a branch, tag or commit. Raises: RefNotFound."""
        return View(self._context, f"{self.name.partition('@')[0]}@{ref_text(ref)}").checked()

    def where(self, query: str | Expression | None = None) -> View:
        """The samples of the working state that match a query; all without a query."""
        return View(self._context, self.name, query)

    def view(self, name: str) -> View:
        """The samples that a saved view matches, without its order and its part of a map.

        Raises: ViewNotFound, RefNotFound.
        """
        spec = self._call(browse.saved_view, name).spec
        name_with_ref = f"{self.name.partition('@')[0]}@{spec.ref}" if spec.ref else self.name
        return View(self._context, name_with_ref, spec.where or None).checked()

    def release(
        self,
        version: str,
        *,
        pool: Selection | Sequence[str] | None = None,
        split: Mapping[str, float] | None = None,
        by: str | None = None,
        where: str | None = None,
        seed: int = 0,
        formats: Sequence[str] = ("coco",),
        label_set: str = DEFAULT_LABEL_SET,
        purpose: str = "",
        uncommitted: bool = True,
    ) -> Release:
        """Release the working state as a version, if all gates are green, with splits, card and exports.

        Args:
            pool: Release only these samples: a selection, or sample ids.
            split: Share of each split; the shares add up to 1.
            by: Field whose values stay in one split.
            purpose: What the release is for; must be one of the contract's `purposes` if it lists any.
            uncommitted: Commit and release pending edits too; otherwise they stop the release.
        Raises: ReleaseBlocked (with gates, samples and fixes), PurposeMissing, PurposeNotAllowed, ReleaseExists,
            ReleaseUncommitted, ReleaseEmpty, VersionInvalid.
        """
        ids = pool.sample_ids if isinstance(pool, Selection) else pool
        spec = ReleaseSpec(
            formats=tuple(formats),
            label_set=label_set,
            where=where or "",
            pool=None if ids is None else tuple(ids),
            split=split,
            by=by,
            seed=seed,
            purpose=purpose,
            uncommitted=uncommitted,
        )
        created = self._call(
            releases.release,
            version,
            spec,
            gatekeeper=self._context.ports.gatekeeper(self._context.store),
            splitter=self._context.ports.splitter,
            progress=self._context.progress,
        )
        return Release(self._context, created)

    def __repr__(self) -> str:
        counts = self.where().count()
        return f"Dataset({self.name!r}, samples={counts['samples']}, annotations={counts['annotations']})"


class View(VectorSearch):
    """A query over one state of a dataset."""

    def __init__(self, context: Context, name: str, query: Where = None) -> None:
        super().__init__(context, name)
        self._query = query

    def checked(self) -> View:
        """Return the view itself if its ref exists. Raises: RefNotFound."""
        self.snapshot()
        return self

    def snapshot(self) -> Snapshot:
        """The state as Arrow tables and values, for work that the other methods do not cover."""
        return datasets.read(self._context.actor, self.name, store=self._context.store)

    def where(self, query: str | Expression) -> View:
        """A view of the same state with another query."""
        return View(self._context, self.name, query)

    def count(self) -> dict[str, int]:
        """`{"samples": n, "annotations": n}`. Raises: QueryInvalid, QueryFieldUnknown."""
        return self.snapshot().count(self._query)

    def by_class(self) -> dict[str, int]:
        """Number of annotations of each class, most frequent first."""
        return self.snapshot().by_class(self._query)

    def __iter__(self) -> Iterator[Sample]:
        return self.snapshot().iter_samples(where=self._query)

    def __len__(self) -> int:
        return self.snapshot().count(self._query, annotations=False)["samples"]

    def samples(self, ids: Sequence[str] | None = None, *, columns: Sequence[str] | None = None) -> Any:
        """Samples as an Arrow table in order of name: those with `ids`, or all that match."""
        return self.snapshot().samples(where=self._query, ids=ids, columns=columns)

    def annotations(
        self,
        ids: Sequence[str] | None = None,
        *,
        label_set: str = DEFAULT_LABEL_SET,
        columns: Sequence[str] | None = None,
    ) -> Any:
        """Annotations as an Arrow table, of samples by id or of all that match; boxes are `x`, `y`, `w`, `h`."""
        return self.snapshot().annotations(
            label_set, where=None if ids is not None else self._query, sample_ids=ids, columns=columns
        )

    def curate(
        self,
        n: int,
        *,
        by: str = "auto",
        seed: int = 0,
        model: str = "",
        predictions: str = "",
        group: str = "",
    ) -> Selection:
        """Select `n` samples by a strategy of `calotype.curate.select`; each pick has a reason.

        Args:
            model: Model of the vectors; "" for the best that the dataset has.
            predictions: Label sets of models, separated by commas, for `uncertain` and `disagreement`.
            group: Keep the share of each value of this field.
        Raises: SelectionTooLarge, NothingToCurate, StrategyUnknown, LabelSetNotFound.
        """
        spec = SelectionSpec(n, by, self._query, seed, model, predictions, group)
        return self._call(curation.select, spec, progress=self._context.progress)

    def simulate_curation(self, n: int, *, seed: int = 0, model: str = "") -> Curve:
        """Replay the labels: accuracy of a linear model with up to `n` of them, by strategy. Raises: InputsInvalid."""
        spec = SelectionSpec(n, "auto", self._query, seed, model)
        return self._call(curation.simulate, spec, progress=self._context.progress)

    def split(self, fractions: Mapping[str, float], *, by: str | None = None, seed: int = 0) -> SplitResult:
        """Assign splits without leakage; samples that have a split keep it. Raises: FractionsInvalid."""
        spec = SplitSpec(fractions, by=by, seed=seed, where=self._query)
        return self._call(curation.split, spec)

    def augment(self, recipe: str | Mapping[str, Any]) -> Derived:
        """Create augmented copies of the training samples and their annotations. Raises: RecipeInvalid."""
        scope = with_fields(transformation.TRAINING, where=self._query)
        return self._call(transformation.augment, recipe, scope=scope, progress=self._context.progress)

    def plan_augment(self, recipe: str | Mapping[str, Any]) -> Worklist:
        """What `augment` would create and remove now; changes nothing. Raises: RecipeInvalid."""
        scope = with_fields(transformation.TRAINING, where=self._query)
        return self._call(transformation.plan_augment, recipe, scope=scope)

    def transform(self, recipe: str | Mapping[str, Any], *, into: str = "") -> Derived:
        """Create one transformed sample of each, in this dataset or in the dataset `into`.

        Raises: RecipeInvalid, RecipeRandom, TargetHasOwnSamples.
        """
        scope = Scope(where=self._query)
        return self._call(
            transformation.transform, recipe, into=into, scope=scope, progress=self._context.progress
        )

    def plan_transform(self, recipe: str | Mapping[str, Any], *, into: str = "") -> Worklist:
        """What `transform` would create and remove now; changes nothing, and `into` must exist.

        Raises: RecipeInvalid, RecipeRandom, TargetHasOwnSamples, DatasetNotFound.
        """
        return self._call(transformation.plan_transform, recipe, into=into, scope=Scope(where=self._query))

    def export(
        self, format: str, out: AnyPath, *, label_set: str = DEFAULT_LABEL_SET, images: ImagesMode = "copy"
    ) -> Exported:
        """Write samples in a label format; `losses` of the result lists what the format cannot represent.

        Args:
            images: "copy" the images beside the labels, hard "link" them, or write labels only ("none").
        Raises: FormatUnknown, TargetNotEmpty.
        """
        spec = ExportSpec(format, self._query, label_set, images)
        return self._call(releases.export, spec, Path(out), progress=self._context.progress)
