"""The handle of a release."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from calotype.api.handles import Hand
from calotype.release import service as releasing
from calotype.release.loader import SampleReader
from calotype.release.model import Release as Frozen
from calotype.release.pixels import Pixels, Size
from calotype.release.torch_loader import Change, TorchSamples, torch_dataset


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
