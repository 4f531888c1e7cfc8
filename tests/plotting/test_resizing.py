"""The sheet of what resizing does."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from equipoise.data.factory import open_source
from equipoise.data.image_options import ImageOptions
from equipoise.data.images.form import Resizing
from equipoise.plotting.resizing import FRAME, GAP, SIDE, resizing_sheet


def test_six_images_are_shown_before_and_after_with_a_frame_about_what_is_kept(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    for i in range(9):
        pixels = rng.integers(0, 200, (10, 20 + i, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    source = open_source(tmp_path, images=ImageOptions(resizing=Resizing((8, 8))))
    assert source.resized is not None
    names = [place.name for place in source.resized.places]
    assert (names[0], names[-1], len(names)) == ("0.png", "8.png", 6)
    content = resizing_sheet(source.resized, source.limits)
    assert content is not None
    sheet = np.asarray(Image.open(io.BytesIO(content)))
    assert sheet.shape == (2 * SIDE + GAP, 6 * (SIDE + GAP) - GAP, 3)
    framed = np.nonzero((sheet[:SIDE, :SIDE] == FRAME).all(2))
    # The middle square of an image of 2 to 1.
    assert (framed[1].min(), framed[1].max()) == (SIDE // 4, SIDE * 3 // 4 - 1)


def test_images_of_one_size_have_no_sheet(tmp_path: Path) -> None:
    for i in range(3):
        Image.new("L", (8, 8), i).save(tmp_path / f"{i}.png")
    assert open_source(tmp_path).resized is None


def test_images_that_are_gone_are_done_without(tmp_path: Path) -> None:
    for i in range(3):
        Image.new("L", (8 + i, 8), i).save(tmp_path / f"{i}.png")
    source = open_source(tmp_path)
    assert source.resized is not None
    for path in tmp_path.iterdir():
        path.unlink()
    assert resizing_sheet(source.resized, source.limits) is None
