"""TIFF files: pages as channels, and claims that are checked first."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from equipoise.data.images.decode import take
from equipoise.data.images.folder import scan
from equipoise.data.images.form import Seen
from equipoise.data.images.tiff import MAX_DIRECTORIES, MAX_PAGES, check_tiff

RNG = np.random.default_rng(0)


def write_pages(path: Path, pages: np.ndarray) -> None:
    """A TIFF with a page for each, (C, H, W) or (C, H, W, 3)."""
    first, *others = [Image.fromarray(page) for page in pages]
    first.save(path, save_all=True, append_images=others)


def directory(*entries: tuple[int, int, int, int], after: int = 0) -> bytes:
    """A TIFF of one directory: number, type, count and value of each tag."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + struct.pack("<I", after)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pages_of_one_channel_are_channels(tmp_path: Path, dtype: type) -> None:
    pages = (RNG.random((7, 5, 8)) * 255).astype(dtype)
    write_pages(tmp_path / "a.tif", pages)
    folder = scan(tmp_path)
    assert (folder.shape, folder.dtype) == ((7, 5, 8), np.dtype(dtype).name)
    assert folder.notes == ("each file is read as 7 channels",)
    np.testing.assert_array_equal(folder.read([0])[0], pages)


def test_of_pages_in_colour_the_first_is_read(tmp_path: Path) -> None:
    pages = RNG.integers(0, 256, (3, 5, 8, 3)).astype(np.uint8)
    write_pages(tmp_path / "a.tif", pages)
    folder = scan(tmp_path)
    assert "the first is read" in folder.notes[0]
    np.testing.assert_array_equal(folder.read([0])[0], pages[0].transpose(2, 0, 1))


def test_files_of_other_pages_than_most_are_left_out(tmp_path: Path) -> None:
    for i, channels in enumerate([3, 3, 3, 2]):
        write_pages(tmp_path / f"{i}.tif", RNG.integers(0, 256, (channels, 5, 8)).astype(np.uint8))
    Image.new("RGB", (8, 5)).save(tmp_path / "4.png")
    folder = scan(tmp_path)
    assert folder.names == ("0.tif", "1.tif", "2.tif")
    assert [str(one) for one in folder.unreadable] == [
        "of another kind: 2 channels of uint8",
        "of another kind: RGB of uint8",
    ]


def test_sixty_four_pages_are_read_and_more_are_refused(tmp_path: Path) -> None:
    for extra in (0, 1):
        pages = np.zeros((MAX_PAGES + extra, 4, 4), np.uint8)
        write_pages(tmp_path / f"{extra}.tif", pages)
    seen, refused = (take(tmp_path / f"{extra}.tif").seen for extra in (0, 1))
    assert isinstance(seen, Seen)
    assert seen.channels == MAX_PAGES
    assert refused == "it has 65 pages: at most 64 can be channels"


def test_pages_are_resized_one_by_one(tmp_path: Path) -> None:
    write_pages(tmp_path / "0.tif", np.full((2, 8, 8), 9, np.uint16))
    write_pages(tmp_path / "1.tif", np.full((2, 8, 8), 9, np.uint16))
    write_pages(tmp_path / "2.tif", np.stack([np.full((6, 10), v, np.uint16) for v in (500, 7)]))
    values = scan(tmp_path).read([2])[0]
    assert (values.shape, set(values[0].flat), set(values[1].flat)) == ((2, 8, 8), {500}, {7})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"II*\0", "it is cut off"),
        # Six tags that name the same values, each nearly as long as the file.
        (
            directory(*((700 + i, 1, 100_000, 8) for i in range(6))) + bytes(100_000),
            "its tags claim more bytes than it has",
        ),
        (directory((322, 4, 1, 2**15), (323, 4, 1, 2**15)), "its tiles claim too many pixels"),
        (directory((277, 3, 1, 65)), "it has 65 channels: at most 64 are read"),
        # The EXIF directory claims too, and may be the same one again.
        (
            directory((34665, 4, 1, 26))
            + struct.pack("<H", 3)
            + b"".join(struct.pack("<HHII", 5 + i, 1, 60_000, 8) for i in range(3)),
            "its tags claim more bytes than it has",
        ),
    ],
)
def test_what_a_file_claims_is_checked_before_it_is_read(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_tiff(content)


def test_directories_in_a_circle_end_and_endless_ones_are_refused() -> None:
    check_tiff(directory((256, 3, 1, 1), after=8))
    step = struct.calcsize("<HI")
    chain = b"".join(struct.pack("<HI", 0, 8 + (i + 1) * step) for i in range(MAX_DIRECTORIES + 1))
    with pytest.raises(ValueError, match="more than 512 pages"):
        check_tiff(b"II*\0" + struct.pack("<I", 8) + chain)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16", "F", "1", "P", "CMYK"])
@pytest.mark.parametrize("big", [False, True])
def test_whole_files_pass(tmp_path: Path, mode: str, big: bool) -> None:
    Image.new(mode, (40, 30)).save(tmp_path / "a.tif", big_tiff=big, compression="tiff_lzw")
    check_tiff((tmp_path / "a.tif").read_bytes())
    assert isinstance(take(tmp_path / "a.tif").seen, Seen)
