from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from equipoise.data.images.folder import scan
from equipoise.data.images.form import Resizing
from equipoise.data.images.formats import SUFFIXES
from equipoise.data.images.listing import list_images
from equipoise.errors import RequestError

MakeImage = Callable[..., np.ndarray[Any, Any]]


@pytest.mark.parametrize(
    ("channels", "suffix"), [(1, "png"), (3, "png"), (4, "png"), (3, "webp"), (4, "webp")]
)
def test_lossless_images_are_read_pixel_for_pixel(
    tmp_path: Path, channels: int, suffix: str
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, channels)).astype(np.uint8)
    Image.fromarray(pixels.squeeze()).save(tmp_path / f"a.{suffix}", lossless=True, exact=True)
    folder = scan(tmp_path)
    assert (folder.shape, folder.dtype, folder.notes) == ((channels, 5, 8), "uint8", ())
    shown = pixels if channels < 4 else pixels * (pixels[..., 3:] > 0)
    np.testing.assert_array_equal(folder.read([0])[0], shown.transpose(2, 0, 1))


def test_a_jpeg_is_read_as_pillow_reads_it(tmp_path: Path, image: MakeImage) -> None:
    image(tmp_path / "a.JPG", "RGB")
    expected = np.asarray(Image.open(tmp_path / "a.JPG")).transpose(2, 0, 1)
    np.testing.assert_array_equal(scan(tmp_path).read([0])[0], expected)


def test_sixteen_bit_grey_keeps_all_its_bits(tmp_path: Path, image: MakeImage) -> None:
    pixels = image(tmp_path / "a.png", "I;16")
    folder = scan(tmp_path)
    assert folder.dtype == "uint16"
    np.testing.assert_array_equal(folder.read([0])[0, 0], pixels)


def test_sixteen_bit_among_eight_bit_images_is_brought_to_eight(
    tmp_path: Path, image: MakeImage
) -> None:
    image(tmp_path / "a.png", "L")
    deep = image(tmp_path / "b.png", "I;16", seed=1)
    folder = scan(tmp_path)
    assert folder.dtype == "uint8"
    np.testing.assert_array_equal(folder.read([1])[0, 0], np.rint(deep / 257))


def test_twelve_bit_among_eight_bit_images_is_as_bright_as_they_are(
    tmp_path: Path, image: MakeImage
) -> None:
    # The first files that are looked at tell nothing of the last.
    for i in range(20):
        image(tmp_path / f"{i:02}.png", "L", seed=i)
    deep = np.array([[0, 4000], [117, 2048]], np.uint16).repeat(4, 0).repeat(4, 1)
    Image.fromarray(deep).save(tmp_path / "99.png")
    Image.fromarray(deep // 9).save(tmp_path / "98.png")
    folder = scan(tmp_path, Resizing((8, 8)))
    told = "2 of 22 images have 16 bit: they are read as 8, which the others have, with a white"
    assert any(told + " of 4,095" in note for note in folder.notes)
    values = folder.read([20, 21])[:, 0]
    np.testing.assert_array_equal(values[1], np.rint(deep / 4095 * 255))
    np.testing.assert_array_equal(values[0], np.rint(deep // 9 / 4095 * 255))


def test_a_palette_is_resolved_to_its_colours(tmp_path: Path) -> None:
    pixels = (
        np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]], np.uint8)
        .repeat(4, 0)
        .repeat(4, 1)
    )
    Image.fromarray(pixels).convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "a.png")
    folder = scan(tmp_path)
    assert folder.mode == "RGB"
    np.testing.assert_array_equal(folder.read([0])[0], pixels.transpose(2, 0, 1))


def test_a_palette_of_greys_is_grey_and_a_transparent_one_has_alpha(tmp_path: Path) -> None:
    index = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) % 4).convert("P")
    index.putpalette([level for grey in (0, 80, 160, 240) for level in (grey,) * 3])
    (tmp_path / "grey").mkdir()
    index.save(tmp_path / "grey" / "a.png")
    (tmp_path / "clear").mkdir()
    index.save(tmp_path / "clear" / "a.png", transparency=0)
    assert scan(tmp_path / "grey").mode == "L"
    clear = scan(tmp_path / "clear")
    assert clear.mode == "RGBA"
    assert set(clear.read([0])[0, 3].reshape(-1).tolist()) == {0, 255}


def test_images_of_mixed_modes_are_brought_to_the_richest_and_it_says_so(
    tmp_path: Path, image: MakeImage
) -> None:
    grey = image(tmp_path / "a.png", "L")
    image(tmp_path / "b.png", "RGB")
    folder = scan(tmp_path)
    assert "modes L (1), RGB (1): all read as RGB" in folder.notes[0]
    np.testing.assert_array_equal(folder.read([0])[0], np.stack([grey] * 3))


def test_images_of_mixed_sizes_are_converted_to_the_most_common_size_and_named(
    tmp_path: Path, image: MakeImage
) -> None:
    for i, size in enumerate([(8, 6), (8, 6), (16, 12), (30, 6)]):
        image(tmp_path / f"{i}.png", "RGB", size)
    folder = scan(tmp_path)
    assert folder.notes == (
        "2 of 4 images were not 8 x 6, the most common size: cropped about the centre and resized "
        "(--size, --crop and --fit change it)",
    )
    assert folder.read([0, 1, 2, 3]).shape == (4, 3, 6, 8)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_a_truncated_image_is_named_and_the_rest_is_kept(
    tmp_path: Path, image: MakeImage, suffix: str
) -> None:
    for i in range(4):
        image(tmp_path / f"{i}.{suffix}", "RGB", (32, 32), seed=i)
    whole = (tmp_path / f"2.{suffix}").read_bytes()
    (tmp_path / f"2.{suffix}").write_bytes(whole[: len(whole) // 2])
    folder = scan(tmp_path)
    assert [*folder.names] == [f"{i}.{suffix}" for i in (0, 1, 3)]
    assert folder.all_notes[0].startswith(f"1 of 4 files left out: 1 unreadable (2.{suffix}: ")


def test_no_damage_to_a_image_stops_the_scan(tmp_path: Path, image: MakeImage) -> None:
    image(tmp_path / "whole.png", "RGB")
    rng = np.random.default_rng(0)
    for form in ("PNG", "JPEG", "WEBP"):
        buffer = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (16, 16, 3)).astype(np.uint8)).save(buffer, form)
        for i in range(60):
            content = bytearray(buffer.getvalue())
            for place in rng.integers(0, min(len(content), 200), 3):
                content[place] = rng.integers(0, 256)
            (tmp_path / f"{i}.{form.lower()}").write_bytes(content)
    assert "whole.png" in scan(tmp_path).names


def test_a_image_stored_on_its_side_is_put_upright(tmp_path: Path) -> None:
    image = Image.fromarray(np.zeros((4, 8, 3), np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6  # the tag Orientation: turn by a quarter
    image.save(tmp_path / "a.jpg", exif=exif)
    assert scan(tmp_path).shape == (3, 8, 4)


def test_class_subfolders_become_labels(tmp_path: Path, image: MakeImage) -> None:
    for name in ("cat/a.png", "cat/deep/b.png", "dog/c.png"):
        image(tmp_path / name)
    assert scan(tmp_path).arrangement.labels == ("cat", "cat", "dog")


def test_images_beside_subfolders_have_no_labels(tmp_path: Path, image: MakeImage) -> None:
    for name in ("cat/a.png", "dog/b.png", "c.png"):
        image(tmp_path / name)
    assert scan(tmp_path).arrangement.labels is None


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(
        RequestError,
        match=r"holds no images: give a folder of \.avif, .* \.webp files, or of the parts of a "
        r"table, .*; it has 1 of an unknown ending \(\.txt\)",
    ):
        scan(tmp_path)


def test_a_folder_of_unreadable_images_is_refused_with_the_first(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(
        RequestError, match=r"none of 1 images could be read; the first, a\.png: cannot identify"
    ):
        scan(tmp_path)


def test_files_are_listed_in_the_order_of_their_paths_whatever_stands_beside_them(
    tmp_path: Path,
) -> None:
    for name in (
        "b.png",
        "a/z.PNG",
        "a/b/c.jpeg",
        "a.webp",
        "a-b/d.jpg",
        ".hidden/e.png",
        "no.txt",
        "x.png/f.png",
        ".png",
        "g.png.",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    listing = list_images(tmp_path)
    expected = sorted(
        p
        for p in tmp_path.rglob("*")
        if p.suffix.lower() in SUFFIXES and p.is_file() and p.parent.name != ".hidden"
    )
    assert [listing.place(name) for name in listing.names] == expected
    assert listing.sizes == tuple(path.stat().st_size for path in expected)
    stats = [path.stat() for path in expected]
    assert listing.states == tuple((one.st_mtime_ns, one.st_ctime_ns, one.st_ino) for one in stats)


def test_links_to_files_are_followed_and_links_to_folders_are_not(
    tmp_path: Path, image: MakeImage
) -> None:
    image(tmp_path / "elsewhere/a.png")
    root = tmp_path / "root"
    root.mkdir()
    (root / "linked.png").symlink_to(tmp_path / "elsewhere/a.png")
    (root / "folder").symlink_to(tmp_path / "elsewhere")
    (root / "lost.png").symlink_to(tmp_path / "nowhere.png")
    assert list_images(root).names == ("linked.png",)
    (tmp_path / "link").symlink_to(root)
    assert list_images(tmp_path / "link").names == ("linked.png",)


def test_names_that_are_no_text_are_listed_and_read(tmp_path: Path, image: MakeImage) -> None:
    image(tmp_path / os.fsdecode(b"caf\xe9.png"))
    image(tmp_path / "b.png")
    assert len(scan(tmp_path)) == 2


def test_the_content_is_that_of_paths_and_bytes_wherever_they_lie(
    tmp_path: Path, image: MakeImage
) -> None:
    for root in ("one", "other", "third"):
        image(tmp_path / root / "a.png", seed=1)
        image(tmp_path / root / "b.png", seed=2 if root != "third" else 3)
    one, other, third = (scan(tmp_path / root).content for root in ("one", "other", "third"))
    assert one == other != third
    (tmp_path / "other/b.png").rename(tmp_path / "other/c.png")
    assert scan(tmp_path / "other").content != one


def test_a_image_that_vanishes_before_it_is_read_is_named(tmp_path: Path, image: MakeImage) -> None:
    for i in range(3):
        image(tmp_path / f"{i}.png", seed=i)
    folder = scan(tmp_path)
    (tmp_path / "1.png").unlink()
    with pytest.raises(
        RequestError, match=r"1\.png can no longer be read \(.*No such file.*\): put it back"
    ):
        folder.read([0, 1])
