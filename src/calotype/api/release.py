"""The handle on a release, and the methods of a dataset for its releases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from calotype.api.context import Context, DatasetHandle
from calotype.release import model, service
from calotype.release.loader import SampleReader
from calotype.release.pixels import Pixels, Size
from calotype.release.torch_loader import TorchSamples, Transform, torch_dataset


class Release:
    """A released version of a dataset."""

    def __init__(self, context: Context, frozen: model.Release) -> None:
        self.frozen = frozen
        self._context = context

    @property
    def version(self) -> str:
        """The version."""
        return self.frozen.version

    @property
    def card(self) -> Mapping[str, Any]:
        """Contents, purpose and test results as plain values."""
        return self.frozen.card

    @property
    def path(self) -> Path:
        """The folder of its files: card, manifest, exports."""
        return service.location(self._context.store, self.frozen.dataset, self.frozen.version)

    def numpy(self, split: str | None = None, *, size_wh: Size | None = None) -> SampleReader:
        """Read the samples of a split (None: all) as NumPy arrays; see `release.loader.Item`.

        Args:
            size_wh: Resize images to this width and height in pixels; see `materialise`.
        Raises: SplitNotFound.
        """
        return service.reader(
            self._context.actor,
            self.frozen.dataset,
            self.frozen.version,
            split,
            size_wh=size_wh,
            store=self._context.store,
            progress=self._context.progress,
        )

    def torch(
        self, split: str | None = None, *, size_wh: Size | None = None, transform: Transform | None = None
    ) -> TorchSamples:
        """Read samples as tensors, for `torch.utils.data.DataLoader`. Raises: TorchMissing, SplitNotFound."""
        return torch_dataset(self.numpy(split, size_wh=size_wh), transform)

    def materialise(self, size_wh: Size) -> Pixels:
        """Decode and resize all images once, for readers of that size. Raises: SizeInvalid, TargetNotWritable."""
        return service.materialise(
            self._context.actor,
            self.frozen.dataset,
            self.frozen.version,
            size_wh,
            store=self._context.store,
            progress=self._context.progress,
        )

    def __repr__(self) -> str:
        return f"Release({self.frozen.dataset!r}, {self.version!r}, commit={self.frozen.commit_id[:12]!r})"


class ReleaseMethods(DatasetHandle):
    """Methods of a dataset for its releases."""

    def plan_release(self) -> model.Plan:
        """What a release of the working state would hold: uncommitted changes, and what differs from the last one."""
        return self._call(service.plan)

    def releases(self) -> list[Release]:
        """Releases, newest first."""
        return [Release(self._context, record) for record in self._call(service.releases)]
