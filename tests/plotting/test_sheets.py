"""Sheets by class: a row for each label, and nothing black where there is no image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from equipoise import GAN
from equipoise.plotting import sheets

RNG = np.random.default_rng(0)


def sheet_of(tmp_path: Path, tiny: dict[str, Any], shape: tuple[int, ...], classes: int) -> Any:
    x = RNG.integers(0, 256, (4 * classes, *shape), np.uint8)
    gan = GAN(**tiny).fit(x, labels=[f"kind {i % classes}" for i in range(len(x))])
    return np.asarray(Image.open(gan.draw(tmp_path / "x.png", seed=0)).convert("RGB"))


def test_what_train_draws_of_labelled_images_has_a_row_for_each(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    image = sheet_of(tmp_path, tiny, (12, 16), classes=3)
    rows = (image != 255).any((1, 2))
    assert np.count_nonzero(np.diff(rows.astype(int)) == -1) == 3  # each ends with a white line
    assert (image[:, 0] == 255).all()


def test_a_sheet_shows_no_more_than_twenty_classes_and_large_images_smaller(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    image = sheet_of(tmp_path, tiny, (3, 8, 8), classes=25)
    rows = (image[:, -20:] != 255).any((1, 2))
    assert np.count_nonzero(np.diff(rows.astype(int)) == -1) == sheets.MAX_CLASSES
    large = sheet_of(tmp_path, tiny, (1, 128, 128), classes=2)
    assert large.shape[0] == 2 * (sheets.MAX_SIDE + sheets.GAP)


def test_a_number_of_samples_asks_for_a_grid(tiny: dict[str, Any], tmp_path: Path) -> None:
    x = RNG.integers(0, 256, (20, 8, 8), np.uint8)
    gan = GAN(**tiny).fit(x, labels=[0, 1] * 10)
    shape = np.asarray(Image.open(gan.draw(tmp_path / "x.png", 4, seed=0))).shape
    assert shape[0] == shape[1]


def test_sample_draws_a_sheet_where_nothing_else_is_asked_for(
    trained_images: Path, tmp_path: Path, command: Any
) -> None:
    sizes = []
    for more in ((), ("-n", "4"), ("--label", "dark")):
        out = tmp_path / "x.png"
        assert command("sample", str(trained_images), "--out", str(out), *more).status == 0
        sizes.append(Image.open(out).size)
    assert [width == height for width, height in sizes] == [False, True, True]


def test_a_sheet_of_images_with_alpha_is_transparent_where_they_are(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    x = np.zeros((40, 8, 8, 4), np.uint8)
    x[:, 2:6, 2:6] = RNG.integers(0, 256, (40, 4, 4, 4))
    x[:, 3:5, 3:5, 3] = 255
    gan = GAN(**tiny).fit(x, labels=[0, 1] * 20)
    image = Image.open(gan.draw(tmp_path / "x.png", seed=0))
    assert image.mode == "RGBA"
    assert image.getpixel((0, 0)) == (255, 255, 255, 255)  # behind the labels
    assert image.getpixel((image.width - 1, 0))[3] == 0  # between images
