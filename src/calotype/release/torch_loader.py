"""Samples of a release as PyTorch tensors. PyTorch is only imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from calotype.release.loader import SampleReader, collate
from calotype.release.model import TorchMissing

Transform = Callable[[dict[str, Any]], dict[str, Any]]

__all__ = ["TorchSamples", "collate", "torch_dataset"]


class TorchSamples:
    """A map-style dataset for `torch.utils.data.DataLoader`; give the loader `collate_fn=collate`.

    Items have the keys, shapes and dtypes of `loader.Item`: arrays as tensors (image uint8, boxes and corners
    float32, classes int64, iscrowd bool), other values unchanged. `transform` maps each item to the one that is
    returned.
    """

    def __init__(self, reader: SampleReader, transform: Transform | None = None) -> None:
        self.reader = reader
        self.transform = transform

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by class index."""
        return self.reader.classes

    def __len__(self) -> int:
        return len(self.reader)

    def __getitem__(self, index: int) -> dict[str, Any]:
        torch = _torch()
        item = self.reader[int(index)]
        arrays = ("image", "boxes_xyxy_px", "corners_px", "class_indices", "iscrowd", "labels")
        tensors = {key: torch.from_numpy(value) if key in arrays else value for key, value in item.items()}
        return tensors if self.transform is None else self.transform(tensors)


def torch_dataset(reader: SampleReader, transform: Transform | None = None) -> TorchSamples:
    """The samples of a reader as tensors.

    Raises: TorchMissing.
    """
    _torch()
    return TorchSamples(reader, transform)


def _torch() -> Any:
    try:
        import torch  # heavy, and an optional dependency
    except ModuleNotFoundError:
        raise TorchMissing() from None
    return torch
