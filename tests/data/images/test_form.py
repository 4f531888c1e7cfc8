"""Images of many sizes are brought to one: cropped, cut, or kept whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from equipoise.data.factory import open_source
from equipoise.data.image_options import ImageOptions
from equipoise.data.images import cache
from equipoise.data.images.folder import scan
from equipoise.data.images.form import Form, Resizing
from equipoise.errors import RequestError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A wide image of three colours, red, white and blue, and others of its size."""
    pixels = np.zeros((8, 24, 3), np.uint8)
    pixels[:, :8, 0] = pixels[:, 8:16] = pixels[:, 16:, 2] = 255
    for i in range(3):
        pixels[0, 0, 1] = i
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    return tmp_path


def first(root: Path, resizing: Resizing) -> np.ndarray:
    """The first image, (H, W, C)."""
    return scan(root, resizing).read([0])[0].transpose(1, 2, 0)


def test_a_size_crops_about_the_centre(folder: Path) -> None:
    image = first(folder, Resizing(size=(4, 4)))
    assert image.shape == (4, 4, 3)
    assert (image > 240).all()  # white


def test_fit_keeps_the_whole_image_in_its_own_border(folder: Path) -> None:
    image = first(folder, Resizing(size=(24, 24), fit=True))
    np.testing.assert_array_equal(image[8:16], np.asarray(Image.open(folder / "0.png")))
    border = {tuple(pixel) for row in (0, 7, 16, 23) for pixel in image[row].tolist()}
    assert len(border) == 1


def test_fit_surrounds_what_can_be_transparent_with_nothing(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 4), (200, 9, 9, 255)).save(tmp_path / "a.png")
    image = first(tmp_path, Resizing(size=(8, 8), fit=True))
    assert image[0, 0].tolist() == [0, 0, 0, 0]
    assert image[4, 4].tolist() == [200, 9, 9, 255]


def test_crop_cuts_the_middle_out_as_it_is(folder: Path) -> None:
    whole = np.asarray(Image.open(folder / "0.png"))
    np.testing.assert_array_equal(first(folder, Resizing(crop=(6, 6))), whole[1:7, 9:15])
    assert first(folder, Resizing(size=(3, 3), crop=(6, 6))).shape == (3, 3, 3)


def test_sizes_and_cuts_need_not_be_square(folder: Path) -> None:
    whole = np.asarray(Image.open(folder / "0.png"))
    cut = Resizing(crop=(10, 4))
    np.testing.assert_array_equal(first(folder, cut), whole[2:6, 7:17])
    assert first(folder, Resizing((6, 4))).shape == (4, 6, 3)
    assert first(folder, Resizing((5, 2), (10, 4))).shape == (2, 5, 3)
    # 12 x 4 pixels in the middle of 12 x 6.
    kept = first(folder, Resizing((12, 6), fit=True))
    assert len({tuple(pixel) for pixel in kept[0].tolist()}) == 1
    assert kept[3, [1, 6, 10]].argmax(1).tolist() == [0, 0, 2]
    assert (
        scan(folder, Resizing((6, 4)))
        .notes[0]
        .startswith(
            "3 of 3 images were not 6 x 4, the size asked for: cropped about the centre and resized"
        )
    )


def test_images_smaller_than_the_crop_or_a_quarter_of_the_size_are_left_out(folder: Path) -> None:
    Image.new("RGB", (4, 9)).save(folder / "z.png")
    left_out = [
        str(scan(folder, one).unreadable[0]) for one in (Resizing(crop=(6, 6)), Resizing((20, 20)))
    ]
    assert left_out == [
        "too small: 4 x 9 pixels for a crop of 6 x 6",
        "too small: 4 x 9 pixels for 20 x 20",
    ]
    with pytest.raises(RequestError, match=r"0\.png: too small: 24 x 8 pixels for 99 x 99"):
        scan(folder, Resizing(size=(99, 99)))


def test_the_box_is_the_part_that_is_kept() -> None:
    def box(size: tuple[int, int], **settings: object) -> tuple[float, ...]:
        return Form("L", 1, (10, 10), "uint8", **settings).box(size)  # type: ignore[arg-type]

    assert box((30, 20)) == (5, 0, 25, 20)
    assert box((30, 20), crop=(8, 8)) == (11, 6, 19, 14)
    assert box((30, 20), fit=True) == (0, 0, 30, 20)


def test_the_cache_tells_settings_apart(folder: Path) -> None:
    settings = [
        Resizing(),
        Resizing((8, 8)),
        Resizing((8, 8), fit=True),
        Resizing((8, 8), (6, 6)),
        Resizing(crop=(6, 6)),
    ]
    found = [cache.decoded(folder, one) for one in settings]
    assert len({one.folder.content for one in found}) == len(settings)
    for resizing, one in zip(settings, found, strict=True):
        again = cache.decoded(folder, resizing)
        assert again.folder == one.folder
        np.testing.assert_array_equal(again.values(), scan(folder, resizing).read([0, 1, 2]))


def test_settings_of_images_that_mean_nothing_are_refused(folder: Path) -> None:
    array = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3)).astype(np.uint8)
    for data, options, message in (
        (array, ImageOptions(resizing=Resizing((4, 4))), "size = 4: array is no folder of images"),
        (folder, ImageOptions(layout="NHWC"), "layout = 'NHWC': .* is no array of images"),
        (array, ImageOptions(alpha=True), "alpha = True: array has no channel for it"),
        ("gaussian", ImageOptions(layout="NCHW"), "gaussian is no array of images"),
        (array, ImageOptions(resizing=Resizing((4, 3))), "size = 4x3: array is no folder"),
    ):
        with pytest.raises(RequestError, match=message):
            open_source(data, images=options)


def test_large_images_have_a_note_on_their_size(tmp_path: Path) -> None:
    for i in range(3):
        Image.new("L", (150, 20), i).save(tmp_path / f"{i}.png")
    told = "images of 150 x 20 take long to learn on a CPU: to make them smaller type --size 64"
    assert told in open_source(tmp_path).notes[0]
    sized = open_source(tmp_path, images=ImageOptions(resizing=Resizing((8, 8))))
    assert not any("take long" in note for note in sized.notes)


@pytest.mark.parametrize("budget", [1e-9, 4.0])
def test_floats_are_fed_the_same_whether_memory_holds_them_or_not(
    tmp_path: Path, budget: float
) -> None:
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(5, 4)).astype(np.float32) for _ in range(20)]
    for i, one in enumerate(values):
        Image.fromarray(one).save(tmp_path / f"{i:02}.tif")
    source = open_source(tmp_path, memory_budget=budget)
    assert source.limits == (np.min(values), np.max(values))
    assert source.sums is None
    fed = {row.numpy().tobytes() for part in (source.seen, source.held_out) for row in part(99, 0)}
    assert fed == {one.tobytes() for one in values}
