"""Image quality: ours beside cleanvision, on the same photos and the same corruptions, made here.

uv run benchmarks/quality/image_quality.py --data FOLDER     # coco128: 150 photos, saved at quality 90
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from peer import ask, data_folder, python_with
from PIL import Image, ImageEnhance, ImageFilter
from sklearn.metrics import roc_auc_score

from calotype.checks import image_quality

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


def moved(image: Image.Image, n: int = 15) -> Image.Image:
    """Motion blur along rows."""
    pixels = np.asarray(image, np.float32)
    return Image.fromarray(
        np.mean([np.roll(pixels, k - n // 2, axis=1) for k in range(n)], axis=0).astype(np.uint8)
    )


def brighter(image: Image.Image) -> Image.Image:
    """Two and a half times the light, cut off at white."""
    return image.point([min(255, round(v * 2.5)) for v in range(256)] * 3)


CORRUPTIONS: dict[str, tuple[Callable[[Image.Image], Image.Image], str, str]] = {
    "blur 1.5 px": (lambda i: i.filter(ImageFilter.GaussianBlur(1.5)), "sharpness", "blurry"),
    "blur 3 px": (lambda i: i.filter(ImageFilter.GaussianBlur(3)), "sharpness", "blurry"),
    "motion 15 px": (moved, "motion", "blurry"),
    "light x 2.5": (brighter, "over_exposure", "light"),
    "light x 0.25": (lambda i: ImageEnhance.Brightness(i).enhance(0.25), "brightness", "dark"),
    "contrast x 0.25": (lambda i: ImageEnhance.Contrast(i).enhance(0.25), "contrast", "low_information"),
}  # fmt: skip


def main() -> None:
    """Print the table."""
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
    truth = np.repeat([0, 1], len(photos))
    print(f"{'corruption':18} calotype AUROC   cleanvision AUROC")
    for name, (_, mine, theirs) in CORRUPTIONS.items():
        a = roc_auc_score(truth, -np.concatenate([ours["clean"][mine], ours[name][mine]]))
        b = roc_auc_score(truth, -np.concatenate([peer[f"clean_{theirs}"], peer[f"{name}_{theirs}"]]))
        print(f"{name:18} {a:.3f} {'':10} {b:.3f}")
    n = len(photos) * len(files)
    rates = n / seconds, n / float(peer["seconds"])
    print(f"photos a CPU second: calotype {rates[0]:.0f} (14 figures), cleanvision {rates[1]:.0f} (4 checks)")
    print(f"ratio {rates[0] / rates[1]:.1f}")


if __name__ == "__main__":
    main()
