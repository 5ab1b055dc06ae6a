"""What `import calotype as ct` shows: thin handles on a workspace, no logic of their own.

ws = ct.open("streets")
ds = ws.create("crossings", contract="contracts/crossings.yaml")
ds.add_images("raw/", source="cam-07", licence="CC-BY-4.0")
ds.add_annotations("instances.json", format="coco")
print(ds.check())
ds.commit("first import")
rel = ds.release("1.0.0", split={"train": 0.8, "val": 0.1, "test": 0.1}, by="scene")
loader = rel.torch("train")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeVar

from calotype.acquire import service as acquire
from calotype.acquire.folders import PathNotFound
from calotype.acquire.intake import MediaMode
from calotype.acquire.labels import put_annotations as putting
from calotype.acquire.labels import service as annotate
from calotype.acquire.labels.model import Imported, ImportOptions
from calotype.acquire.labels.put_annotations import Replace
from calotype.acquire.model import Added, ImageOptions
from calotype.api.handles import Branches, Checked, Hand, Searches, ref_text
from calotype.curate import service as curating
from calotype.curate.model import Selection, SplitResult
from calotype.datasets import service as datasets
from calotype.datasets.commits import Commit, Diff
from calotype.datasets.model import DEFAULT_LABEL_SET, Sample
from calotype.datasets.query import Expression
from calotype.datasets.snapshot import Snapshot, Where
from calotype.foundation.progress import Progress
from calotype.release import service as releasing
from calotype.release.loader import SampleReader
from calotype.release.model import Exported, ImagesMode
from calotype.release.model import Release as Frozen
from calotype.release.pixels import Pixels, Size
from calotype.release.torch_loader import Change, TorchSamples, torch_dataset
from calotype.reliability import service as reliability
from calotype.reliability.model import BackedUp, Collected, Sizes, Verified, seconds
from calotype.transform import augmentation as augmenting
from calotype.transform import service as transforming
from calotype.transform.recipe_derive import Derived

AnyPath = str | PathLike[str]
T = TypeVar("T")


class Workspace:
    """An open workspace. Made by `open`; use it in a `with` block, or call `close`."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    @property
    def path(self) -> Path:
        """The folder of the workspace."""
        return self._hand.store.root

    def create(self, name: str, *, description: str = "", contract: AnyPath | None = None) -> Dataset:
        """Make a dataset, with a contract (a YAML file) where one is given.

        Raises: DatasetExists, NameInvalid, ContractInvalid, PathNotFound.
        """
        text = None if contract is None else _text(Path(contract))
        datasets.create(self._hand.actor, name, store=self._hand.store, description=description)
        made = Dataset(self._hand, name)
        if text is not None:
            made.set_contract(text)
        return made

    def dataset(self, name: str) -> Dataset:
        """A dataset by name. Raises: DatasetNotFound."""
        datasets.read(self._hand.actor, name, store=self._hand.store)
        return Dataset(self._hand, name)

    def datasets(self) -> list[str]:
        """The names of all datasets."""
        return [info.name for info in datasets.datasets(self._hand.actor, store=self._hand.store)]

    def verify(self, *, deep: bool = False) -> Verified:
        """Prove that every commit can be read and nothing is missing; `deep` hashes all media again."""
        return reliability.verify(
            self._hand.actor, store=self._hand.store, deep=deep, progress=self._hand.progress
        )

    def backup(self, target: AnyPath) -> BackedUp:
        """Copy the workspace as it is now to a folder or `s3://bucket/prefix`.

        Raises: BackupTargetUnusable, BackupOfAnotherWorkspace.
        """
        hand = self._hand
        return reliability.backup(hand.actor, str(target), store=hand.store, progress=hand.progress)

    def gc(self, *, grace: str = "14d", dry_run: bool = False) -> Collected:
        """Compact tables and remove what nothing has reached for the grace period. Raises: DurationInvalid."""
        hand = self._hand
        return reliability.gc(
            hand.actor, store=hand.store, grace_s=seconds(grace), dry_run=dry_run, progress=hand.progress
        )

    def size(self) -> Sizes:
        """How many bytes lie on the disk, and what for."""
        return reliability.size(self._hand.actor, store=self._hand.store, progress=self._hand.progress)

    def serve(self, port: int = 8_080, *, open_browser: bool = True) -> None:
        """Show the workspace in the browser until interrupted. Raises: PortTaken."""
        self._hand.ports.serve(self._hand.store, port=port, open_browser=open_browser)

    def close(self) -> None:
        """Let go of the files."""
        self._hand.store.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Workspace({str(self.path)!r})"


class Dataset(Branches, Checked):
    """A dataset's working state, and the verbs that change it. Frozen states are read with `at`."""

    def add_images(
        self,
        *paths: AnyPath,
        source: str = "",
        licence: str = "",
        tags: Sequence[str] = (),
        media: MediaMode = "copy",
    ) -> Added:
        """Add image files and folders, or `s3://bucket/folder`; bad files are quarantined with a reason, known ones are
        recognised.

        Args:
            media: "copy" the bytes into the workspace, "link" them, or register them by "reference" where they are.
        Raises: PathNotFound, MediaModeUnknown.
        """
        return self._do(
            acquire.add,
            [fspath(path) for path in paths],
            ImageOptions(source=source, licence=licence, tags=tags, media=media),
            progress=self._hand.progress,
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
    ) -> Imported:
        """Import label files and the images that they list; boxes are pixels of the upright image.

        A COCO results list (`format="coco"`) joins the images by the ids of the COCO file imported before it.

        Raises: FormatUnknown, LabelFileUnreadable, UnknownClasses, ItemsInvalid, NothingToImport.
        """
        return self._do(
            annotate.import_annotations,
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
            ),
            progress=self._hand.progress,
        )

    def put_annotations(
        self, table: Any, *, label_set: str = DEFAULT_LABEL_SET, replace: Replace = None
    ) -> int:
        """Put an Arrow table of boxes or classes as one edit; see `acquire.labels.put_annotations` for its columns.

        Args:
            table: `sample_id`, `class` or `class_id`, for boxes `x`, `y`, `w`, `h` in pixels, optionally `score` ...
            replace: "samples" takes away what these samples had in the label set before.
        Returns: The number of rows.
        Raises: RowsInvalid.
        """
        return self._do(putting.put_annotations, table, label_set=label_set, replace=replace)

    def commit(self, message: str) -> Commit:
        """Freeze the working state. Raises: NothingToCommit."""
        return self._do(datasets.commit, message)

    def log(self) -> list[Commit]:
        """Commits, newest first."""
        return self._do(datasets.log)

    def diff(self, a: str | Commit, b: str | Commit) -> Diff:
        """What changed from ref `a` to ref `b`. Raises: RefNotFound."""
        return self._do(datasets.diff, ref_text(a), ref_text(b))

    def branch(self, name: str, start: str | Commit = "main") -> Dataset:
        """Make a branch, and the handle that works on it. Raises: RefExists."""
        made = self._do(datasets.branch, name, start=ref_text(start))
        return Dataset(self._hand, f"{self.name.partition('@')[0]}@{made.name}+")

    def tag(self, name: str, at: str | Commit = "main") -> None:
        """Name a commit for good. Raises: RefExists, RefNotFound."""
        self._do(datasets.tag, name, at=ref_text(at))

    def rollback(self, to: str | Commit, *, discard: bool = False) -> Commit:
        """Hold again what an older commit held, as a new commit. Raises: RefNotFound, WorkingStateDirty."""
        return self._do(datasets.rollback, ref_text(to), discard=discard)

    def at(self, ref: str | Commit) -> View:
        """The dataset as it is at a branch, tag or commit. Raises: RefNotFound."""
        return View(self._hand, f"{self.name.partition('@')[0]}@{ref_text(ref)}").checked()

    def where(self, query: str | Expression | None = None) -> View:
        """Samples of the working state that match; without a query all of them."""
        return View(self._hand, self.name, query)

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
    ) -> Release:
        """Freeze a version if all gates are green, with splits, card and exports.

        Args:
            pool: Release only these: a selection, or sample ids.
            split: Share of each split, together 1; `by` names the field whose values stay on one side.
            purpose: What it is for, one of the contract's `purposes` where it lists any.
        Raises: ReleaseBlocked (says gate, samples, fix), PurposeMissing, PurposeNotAllowed, ReleaseExists,
            ReleaseEmpty, VersionInvalid.
        """
        ids = pool.sample_ids if isinstance(pool, Selection) else pool
        made = self._do(
            releasing.release,
            version,
            gatekeeper=self._hand.ports.gatekeeper(self._hand.store),
            splitter=self._hand.ports.splitter,
            split=split,
            by=by,
            where=where,
            pool=ids,
            seed=seed,
            formats=formats,
            label_set=label_set,
            purpose=purpose,
            progress=self._hand.progress,
        )
        return Release(self._hand, made)

    def releases(self) -> list[Release]:
        """Releases, newest first."""
        return [Release(self._hand, made) for made in self._do(releasing.releases)]

    def __repr__(self) -> str:
        counts = self.where().count()
        return f"Dataset({self.name!r}, samples={counts['samples']}, annotations={counts['annotations']})"


class View(Searches):
    """A query over one state of a dataset."""

    def __init__(self, hand: Hand, name: str, query: Where = None) -> None:
        self.name = name
        self._hand = hand
        self._query = query

    def checked(self) -> View:
        """Itself, if its ref is there. Raises: RefNotFound."""
        self.snapshot()
        return self

    def snapshot(self) -> Snapshot:
        """The state as Arrow tables and values, for work that the verbs do not cover."""
        return datasets.read(self._hand.actor, self.name, store=self._hand.store)

    def where(self, query: str | Expression) -> View:
        """The same state under another query."""
        return View(self._hand, self.name, query)

    def count(self) -> dict[str, int]:
        """`{"samples": n, "annotations": n}`. Raises: QueryInvalid, QueryFieldUnknown."""
        return self.snapshot().count(self._query)

    def by_class(self) -> dict[str, int]:
        """Annotations of each class, most frequent first."""
        return self.snapshot().by_class(self._query)

    def __iter__(self) -> Iterator[Sample]:
        return self.snapshot().iter_samples(where=self._query)

    def __len__(self) -> int:
        return self.snapshot().count(self._query, annotations=False)["samples"]

    def samples(self, ids: Sequence[str] | None = None, *, columns: Sequence[str] | None = None) -> Any:
        """Samples as an Arrow table, by id or all that match, by name."""
        return self.snapshot().samples(where=self._query, ids=ids, columns=columns)

    def annotations(
        self,
        ids: Sequence[str] | None = None,
        *,
        label_set: str = DEFAULT_LABEL_SET,
        columns: Sequence[str] | None = None,
    ) -> Any:
        """Annotations as an Arrow table, of some samples by id or of all that match; boxes are `x`, `y`, `w`, `h`."""
        return self.snapshot().annotations(
            label_set, where=None if ids is not None else self._query, sample_ids=ids, columns=columns
        )

    def curate(self, n: int, *, by: str = "diversity", seed: int = 0) -> Selection:
        """Pick `n` samples, `by` "random" or "diversity"; each pick carries its reason.

        Raises: SelectionTooLarge, NothingToCurate, StrategyUnknown.
        """
        return self._do(curating.select, n, by=by, seed=seed, where=self._query, progress=self._hand.progress)

    def split(self, fractions: Mapping[str, float], *, by: str | None = None, seed: int = 0) -> SplitResult:
        """Assign splits without leakage; samples that have one keep it. Raises: FractionsInvalid."""
        return self._do(curating.split, fractions, by=by, seed=seed, where=self._query)

    def augment(self, recipe: str | Mapping[str, Any]) -> Derived:
        """Make a recipe's seeded copies of the training samples, annotations with them. Raises: RecipeInvalid."""
        return self._do(augmenting.augment, recipe, where=self._query, progress=self._hand.progress)

    def transform(self, recipe: str | Mapping[str, Any], *, into: str = "") -> Derived:
        """Make one transformed sample of each, beside it or in the dataset `into`. Raises: RecipeInvalid."""
        return self._do(
            transforming.transform, recipe, into=into, where=self._query, progress=self._hand.progress
        )

    def export(
        self, format: str, out: AnyPath, *, label_set: str = DEFAULT_LABEL_SET, images: ImagesMode = "copy"
    ) -> Exported:
        """Write files in a label format; `losses` of the answer lists what it cannot hold.

        Args:
            images: "copy" the images beside the labels, "link" them, or write labels only with "none".

        Raises: FormatUnknown, TargetNotEmpty.
        """
        return self._do(
            releasing.export,
            format,
            Path(out),
            where=self._query,
            label_set=label_set,
            images=images,
            progress=self._hand.progress,
        )

    def _do(self, verb: Callable[..., T], *args: Any, **options: Any) -> T:
        return verb(self._hand.actor, self.name, *args, store=self._hand.store, **options)


class Release:
    """A frozen version of a dataset."""

    def __init__(self, hand: Hand, frozen: Frozen) -> None:
        self.frozen = frozen
        self._hand = hand

    @property
    def version(self) -> str:
        """Its version."""
        return self.frozen.version

    @property
    def card(self) -> Mapping[str, Any]:
        """What is in it and how it was tested, as plain values."""
        return self.frozen.card

    @property
    def path(self) -> Path:
        """The folder of its files: card, manifest, exports."""
        return releasing.location(self._hand.store, self.frozen.dataset, self.frozen.version)

    def numpy(self, split: str | None = None, *, size_wh: Size | None = None) -> SampleReader:
        """Samples of a split (None: all), see `loader.Item`; with a size as of `materialise`. Raises: SplitNotFound."""
        made, hand = self.frozen, self._hand
        return releasing.reader(
            hand.actor,
            made.dataset,
            made.version,
            split,
            size_wh=size_wh,
            store=hand.store,
            progress=hand.progress,
        )

    def torch(
        self, split: str | None = None, *, size_wh: Size | None = None, transform: Change | None = None
    ) -> TorchSamples:
        """The same as tensors, for `torch.utils.data.DataLoader`. Raises: TorchMissing, SplitNotFound."""
        return torch_dataset(self.numpy(split, size_wh=size_wh), transform)

    def materialise(self, size_wh: Size) -> Pixels:
        """Decode and resize all images once, for readers of that size. Raises: SizeInvalid, TargetNotWritable."""
        made, hand = self.frozen, self._hand
        return releasing.materialise(
            hand.actor, made.dataset, made.version, size_wh, store=hand.store, progress=hand.progress
        )

    def __repr__(self) -> str:
        return f"Release({self.frozen.dataset!r}, {self.version!r}, commit={self.frozen.commit_id[:12]!r})"


def telling(workspace: Workspace, progress: Progress) -> Workspace:
    """The same workspace, telling of its progress as `progress(what, done, total)`."""
    return Workspace(replace(workspace._hand, progress=progress))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        raise PathNotFound(path=str(file)) from None
