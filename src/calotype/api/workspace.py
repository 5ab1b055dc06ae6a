"""The handle on a workspace; what `import calotype as ct` shows.

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

from dataclasses import replace
from pathlib import Path

from calotype.api.access import Access
from calotype.api.context import Context
from calotype.api.dataset import AnyPath, Dataset
from calotype.api.labelling import Work
from calotype.api.operations import OperationMethods
from calotype.datasets import service as datasets
from calotype.foundation.progress import Progress
from calotype.foundation.text_files import read_text
from calotype.foundation.verbs import Elsewhere
from calotype.reliability import service as reliability
from calotype.reliability.model import BackupResult, DiskUsage, GcResult, VerifyResult, parse_duration_s


class Workspace(OperationMethods):
    """An open workspace, returned by `open`. Use it in a `with` block, or call `close`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def path(self) -> Path:
        """The folder of the workspace."""
        return self._context.store.root

    @property
    def access(self) -> Access:
        """Who may do what in this workspace, and why."""
        return Access(self._context)

    @property
    def work(self) -> Work:
        """Your own labelling work."""
        return Work(self._context)

    def create(self, name: str, *, description: str = "", contract: AnyPath | None = None) -> Dataset:
        """Create a dataset, optionally with a contract (a YAML file).

        Raises: DatasetExists, NameInvalid, ContractInvalid, PathNotFound.
        """
        text = None if contract is None else read_text(Path(contract))
        datasets.create(self._context.actor, name, store=self._context.store, description=description)
        dataset = Dataset(self._context, name)
        if text is not None:
            dataset.set_contract(text)
        return dataset

    def dataset(self, name: str) -> Dataset:
        """A dataset by name. Raises: DatasetNotFound."""
        datasets.read(self._context.actor, name, store=self._context.store)
        return Dataset(self._context, name)

    def datasets(self) -> list[str]:
        """The names of all datasets."""
        return [info.name for info in datasets.datasets(self._context.actor, store=self._context.store)]

    def verify(self, *, deep: bool = False) -> VerifyResult:
        """Verify that every commit can be read and no data is missing; `deep` also verifies the hashes of all media."""
        return reliability.verify(
            self._context.actor, store=self._context.store, deep=deep, progress=self._context.progress
        )

    def backup(self, target: AnyPath) -> BackupResult:
        """Back up the present workspace to a folder or `s3://bucket/prefix`.

        Raises: BackupTargetUnusable, BackupOfAnotherWorkspace.
        """
        context = self._context
        return reliability.backup(context.actor, str(target), store=context.store, progress=context.progress)

    def gc(self, *, grace: str = "14d", dry_run: bool = False) -> GcResult:
        """Compact tables and delete data that has been unreachable for the grace period. Raises: DurationInvalid."""
        context = self._context
        return reliability.gc(
            context.actor,
            store=context.store,
            grace_s=parse_duration_s(grace),
            dry_run=dry_run,
            progress=context.progress,
        )

    def size(self) -> DiskUsage:
        """Bytes on the disk, by use."""
        return reliability.size(
            self._context.actor, store=self._context.store, progress=self._context.progress
        )

    def serve(self, port: int = 8_080, *, open_browser: bool = True) -> None:
        """Serve the web app until interrupted. Raises: PortTaken."""
        self._context.ports.serve(self._context.store, port=port, open_browser=open_browser)

    def close(self) -> None:
        """Close the workspace."""
        self._context.store.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        store = self._context.store
        return f"Workspace({str(store if isinstance(store, Elsewhere) else self.path)!r})"


def telling(workspace: Workspace, progress: Progress) -> Workspace:
    """A handle on the same workspace that reports progress by calling `progress(what, done, total)`."""
    return Workspace(replace(workspace._context, progress=progress))
