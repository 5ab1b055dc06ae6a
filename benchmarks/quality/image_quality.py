"""Image quality: ours beside cleanvision, on the same photos and the same corruptions, made here.

uv run benchmarks/quality/image_quality.py --data FOLDER           # coco128: 150 photos, saved at quality 90
uv run benchmarks/quality/image_quality.py --data FOLDER --blur    # radius x size, beside the variance of a Laplacian
uv run benchmarks/quality/image_quality.py --data FOLDER --faults  # faults and notes per 1,000 ordinary photos

`--blur` takes photos of coco128 and raccoon, and large ones from `--photos FOLDER` if given: photos are reduced to each
size, never enlarged. The constants were chosen on the same sets, so the figures are no proof for others.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from peer import ask, data_folder, python_with
from PIL import Image, ImageEnhance, ImageFilter
from sklearn.metrics import roc_auc_score

from calotype.checks import ImageQuality, image_quality

CLEANVISION = """
import contextlib, io, time
from cleanvision import Imagelab
before = time.process_time()
for name in given['names'].tolist():
    with contextlib.redirect_stdout(io.StringIO()):
        lab = Imagelab(data_path=given['folder'].item() + '/' + name)
        lab.find_issues({'dark': {}, 'light': {}, 'blurry': {}, 'low_information': {}}, n_jobs=1, verbose=False)
    for issue in ('dark', 'light', 'blurry', 'low_information'):
        answer[name + '_' + issue] = lab.issues.sort_index()[issue + '_score'].to_numpy()
answer['seconds'] = np.asarray(time.process_time() - before)
"""


def moved(image: Image.Image, degrees: float, n: int = 15) -> Image.Image:
    """Motion blur over `n` px in one direction, whole pixels."""
    pixels = np.asarray(image, np.float32)
    along = np.arange(n) - n // 2
    down, across = (np.round(along * f(np.radians(degrees))).astype(int) for f in (np.sin, np.cos))
    shifted = [
        np.roll(pixels, move, axis=(0, 1)) for move in zip(down.tolist(), across.tolist(), strict=True)
    ]
    return Image.fromarray(np.mean(shifted, axis=0).astype(np.uint8))


def noisy(image: Image.Image) -> Image.Image:
    """Gaussian noise of 15 grey levels in each channel."""
    pixels = np.asarray(image, np.float32)
    pixels = pixels + np.random.default_rng(0).normal(0, 15, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def enlarged(image: Image.Image) -> Image.Image:
    """Halved, and brought back to its size."""
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    return half.resize(image.size, Image.Resampling.BICUBIC)


def brighter(image: Image.Image) -> Image.Image:
    """Two and a half times the light, cut off at white."""
    return image.point([min(255, round(v * 2.5)) for v in range(256)] * 3)


CORRUPTIONS: dict[str, tuple[Callable[[Image.Image], Image.Image], str, str, str]] = {
    "blur 1.5 px": (lambda i: i.filter(ImageFilter.GaussianBlur(1.5)), "sharpness", "blurred", "blurry"),
    "blur 3 px": (lambda i: i.filter(ImageFilter.GaussianBlur(3)), "sharpness", "blurred", "blurry"),
    "motion 15 px, 0": (lambda i: moved(i, 0), "motion", "motion_blurred", "blurry"),
    "motion 15 px, 35": (lambda i: moved(i, 35), "motion", "motion_blurred", "blurry"),
    "light x 2.5": (brighter, "over_exposure", "over_exposed", "light"),
    "light x 0.25": (
        lambda i: ImageEnhance.Brightness(i).enhance(0.25),
        "under_exposure",
        "under_exposed",
        "dark",
    ),
    "contrast x 0.25": (
        lambda i: ImageEnhance.Contrast(i).enhance(0.25),
        "contrast",
        "low_contrast",
        "low_information",
    ),
    "noise 15": (noisy, "noise", "noisy", ""),
    "enlarged x 2": (enlarged, "detail", "upscaled", ""),
}
"""Name -> the change, our figure and fault, and cleanvision's issue (none where it has no such check)."""


RADII = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 20.0)
SIZES = (400, 640, 1_200, 1_600)


def laplacian_variance(data: bytes) -> float:
    """The peer's rule: J. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", 2000."""
    grey = np.asarray(Image.open(io.BytesIO(data)).convert("L"), np.float32)
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((4 * grey[1:-1, 1:-1] - around).var())


def blur_table() -> None:
    """Print AUROC, flagged share and order of sharpness for each size and radius."""
    files = sorted(Path(data_folder("coco128")).glob("images/*/*.jpg"))[1::2]
    files += sorted(Path(data_folder("raccoon")).rglob("*.jpg"))[1::4]
    if "--photos" in sys.argv:
        files += sorted(Path(sys.argv[sys.argv.index("--photos") + 1]).rglob("*.jpg"))
    print(
        f"{'longer side':14} {'radius px':10} {'AUROC':7} {'blurred':9} {'any fault':10} {'Laplacian AUROC'}"
    )
    for side in SIZES:
        photos = [image for file in files if (image := _reduced(file, side)) is not None]
        if photos:
            _blur_rows(side, photos)


def _reduced(file: Path, side_px: int) -> Image.Image | None:
    """A photo whose longer side is reduced to that; None for a smaller one."""
    image = Image.open(file)
    if max(image.size) < side_px:
        return None
    image = image.convert("RGB")
    image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return image


def _blur_rows(side: int, photos: list[Image.Image]) -> None:
    clean = [_jpeg(photo) for photo in photos]
    before, peer = image_quality(clean), [laplacian_variance(data) for data in clean]
    flagged = f"{before.flags['blurred'].mean():<9.3f} {before.faulty.mean():<10.3f}"
    print(f"{side:4} ({len(photos):3})     {'0':10} {'':7} {flagged}")
    truth, curve = np.repeat([0, 1], len(photos)), [before["sharpness"]]
    for radius in RADII:
        files = [_jpeg(photo.filter(ImageFilter.GaussianBlur(radius))) for photo in photos]
        found = image_quality(files)
        curve.append(found["sharpness"])
        judged = np.isfinite(np.concatenate([curve[0], curve[-1]]))
        ours = roc_auc_score(truth[judged], -np.concatenate([curve[0], curve[-1]])[judged])
        theirs = roc_auc_score(truth, -np.concatenate([peer, [laplacian_variance(data) for data in files]]))
        flagged = f"{found.flags['blurred'].mean():<9.3f} {found.faulty.mean():<10.3f}"
        unjudged = "" if judged.all() else f"  ({np.count_nonzero(~judged)} not judged)"
        print(f"{'':14} {radius:<10g} {ours:<7.4f} {flagged} {theirs:.4f}{unjudged}")
    steps = np.diff(np.asarray(curve), axis=0)
    print(f"{'':14} steps to a larger radius where sharpness rises by over .01: {(steps > 0.01).mean():.3f}")


def _jpeg(photo: Image.Image) -> bytes:
    out = io.BytesIO()
    photo.save(out, "JPEG", quality=90)
    return out.getvalue()


def faults_table() -> None:
    """Print faults and notes per 1,000 ordinary photos."""
    for name in ("coco128", "raccoon"):
        files = sorted(Path(data_folder(name)).rglob("*.jpg"))
        found = image_quality(files)
        for kind, hits in (("fault", dict(found.flags)), ("note", dict(found.notes))):
            words = ", ".join(f"{k} {1_000 * v.mean():.0f}" for k, v in hits.items() if v.any())
            print(f"{name}, {len(files)} photos, {kind}s per 1,000: {words}")
        print(f"{name}, with any fault: {1_000 * found.faulty.mean():.0f} per 1,000")


def main() -> None:
    """Print the table that is asked for."""
    if "--blur" in sys.argv:
        blur_table()
    elif "--faults" in sys.argv:
        faults_table()
    else:
        corruptions_table()


def corruptions_table() -> None:
    """Print one row for each corruption."""
    paths = sorted(Path(data_folder("coco128")).glob("images/*/*.jpg"))[:150]
    photos = [Image.open(path).convert("RGB") for path in paths]
    with tempfile.TemporaryDirectory() as folder:
        for name, change in {
            "clean": lambda image: image,
            **{n: c[0] for n, c in CORRUPTIONS.items()},
        }.items():
            (Path(folder) / name).mkdir()
            for at, photo in enumerate(photos):
                out = io.BytesIO()
                change(photo).save(out, "JPEG", quality=90)
                (Path(folder) / name / f"{at:04}.jpg").write_bytes(out.getvalue())
        names = np.asarray(["clean", *CORRUPTIONS])
        peer, _ = ask(python_with("cleanvision"), CLEANVISION, names=names, folder=np.asarray(folder))
        files = {name: sorted((Path(folder) / name).glob("*.jpg")) for name in names.tolist()}
        began = time.process_time()
        ours = {name: image_quality(of) for name, of in files.items()}
        seconds = time.process_time() - began
    _table(ours, peer)
    n = len(photos) * len(files)
    rates = n / seconds, n / float(peer["seconds"])
    print(f"photos a CPU second: calotype {rates[0]:.0f} (all figures, hash, SHA-256)", end=", ")
    print(f"cleanvision {rates[1]:.0f} (4 checks)")
    print(f"ratio {rates[0] / rates[1]:.1f}")
    began = time.process_time()
    image_quality(paths)
    mean_kb = np.mean([path.stat().st_size for path in paths]) / 1_000
    print(
        f"the photos as they come, {mean_kb:.0f} kB: calotype {len(paths) / (time.process_time() - began):.0f}"
    )


def _table(ours: dict[str, ImageQuality], peer: dict[str, np.ndarray]) -> None:
    truth = np.repeat([0, 1], len(ours["clean"]["sharpness"]))
    print(f"{'corruption':18} {'AUROC':8} {'flagged, of clean':20} {'cleanvision AUROC'}")
    for name, (_, figure, fault, theirs) in CORRUPTIONS.items():
        area = roc_auc_score(truth, -np.concatenate([ours["clean"][figure], ours[name][figure]]))
        shares = f"{ours[name].flags[fault].mean():.2f}, {ours['clean'].flags[fault].mean():.2f}"
        other = "no check"
        if theirs:
            scores = np.concatenate([peer[f"clean_{theirs}"], peer[f"{name}_{theirs}"]])
            other = f"{roc_auc_score(truth, -scores):.3f}"
        print(f"{name:18} {area:<8.3f} {shares:20} {other}")


if __name__ == "__main__":
    main()
