"""Every format is read for what it is, whatever its name."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from equipoise.data.images import cache, formats
from equipoise.data.images.decode import take
from equipoise.data.images.folder import scan
from equipoise.data.images.formats import FORMATS, SUFFIXES, opened

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (5, 8, 3)).astype(np.uint8)
LOSSLESS = ["a.png", "a.tif", "a.tiff", "a.bmp", "a.ppm", "a.webp"]


@pytest.mark.parametrize("name", LOSSLESS)
def test_colours_are_read_pixel_for_pixel(tmp_path: Path, name: str) -> None:
    Image.fromarray(COLOURS).save(tmp_path / name, lossless=True)
    folder = scan(tmp_path)
    assert (folder.shape, folder.dtype, folder.all_notes) == ((3, 5, 8), "uint8", [])
    np.testing.assert_array_equal(folder.read([0])[0], COLOURS.transpose(2, 0, 1))


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_is_read(tmp_path: Path) -> None:
    Image.new("RGB", (8, 5), (200, 30, 30)).save(tmp_path / "a.avif", quality=100)
    folder = scan(tmp_path)
    assert (folder.shape, folder.format) == ((3, 5, 8), "AVIF")
    assert np.abs(folder.read([0])[0, :, 2, 2].astype(int) - [200, 30, 30]).max() < 10


def test_heic_is_read_by_its_package(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Image.new("RGB", (64, 48), (200, 30, 30))).save(tmp_path / "a.heic")
    before = dict(Image.OPEN)
    folder = scan(tmp_path)
    assert before.items() >= dict(Image.OPEN).items()  # nothing is registered
    assert (folder.shape, folder.format) == ((3, 48, 64), "HEIF")
    assert np.abs(folder.read([0])[0, :, 20, 20].astype(int) - [200, 30, 30]).max() < 12


def test_without_its_package_heic_is_left_out_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("equipoise.data.images.formats.import_module", _missing)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(99))
    reason = take(tmp_path / "a.heic").seen
    assert reason == "reading .heic needs pillow-heif: pip install 'equipoise[heif]'"


def test_what_was_left_out_for_want_of_a_package_is_read_once_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: Callable[..., Any]
) -> None:
    image(tmp_path / "a.png", "RGB")
    contents = [cache.decoded(tmp_path).folder.content]
    (tmp_path / "b.heic").write_bytes(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(99))
    for there in (None, "there"):
        monkeypatch.setattr(formats, "find_spec", lambda _, there=there: there)
        contents.append(cache.decoded(tmp_path).folder.content)
    assert len(set(contents)) == 3


def _missing(name: str) -> Any:
    raise ImportError(name)


def test_of_an_animation_the_first_frame_is_read_and_it_says_so(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 5), colour) for colour in ("red", "blue", "white")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    folder = scan(tmp_path)
    assert folder.read([0])[0, :, 2, 2].tolist() == [255, 0, 0]
    assert folder.notes == ("1 of 1 images have several frames or pages: the first is read",)


@pytest.mark.parametrize("name", ["a.pgm", "a.tif", "a.png"])
def test_twelve_bits_are_kept_and_their_range_is_known(tmp_path: Path, name: str) -> None:
    pixels = RNG.integers(0, 4096, (5, 8)).astype(np.uint16)
    pixels[0, :2] = 3, 4095
    if name == "a.pgm":
        (tmp_path / name).write_bytes(b"P5 8 5 65535\n" + pixels.astype(">u2").tobytes())
    else:
        Image.fromarray(pixels).save(tmp_path / name)
    folder = scan(tmp_path)
    assert folder.dtype == "uint16"
    np.testing.assert_array_equal(folder.read([0])[0, 0], pixels)
    assert folder.range == (pixels.min(), 4095)


def test_floats_are_kept_as_they_are(tmp_path: Path) -> None:
    pixels = RNG.normal(size=(5, 8)).astype(np.float32)
    Image.fromarray(pixels).save(tmp_path / "a.tif")
    folder = scan(tmp_path)
    assert (folder.dtype, folder.range) == ("float32", (pixels.min(), pixels.max()))
    np.testing.assert_array_equal(folder.read([0])[0, 0], pixels)


def test_floats_that_are_not_numbers_are_left_out(tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", np.nan), ("c", np.inf)):
        Image.fromarray(np.full((5, 8), value, np.float32)).save(tmp_path / f"{name}.tif")
    folder = scan(tmp_path)
    assert [(one.name, one.detail) for one in folder.unreadable] == [
        ("b.tif", "it holds NaN or infinity"),
        ("c.tif", "it holds NaN or infinity"),
    ]


def test_whole_numbers_beyond_sixteen_bit_become_floats(tmp_path: Path) -> None:
    pixels = np.array([[-5, 70_000], [3, 9]], np.int32)
    Image.fromarray(pixels).save(tmp_path / "a.tif")
    folder = scan(tmp_path)
    assert folder.dtype == "float32"
    np.testing.assert_array_equal(folder.read([0])[0, 0], pixels)


def test_where_colours_of_sixteen_bit_are_read_as_eight_it_says_so(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 65536, (3, 4, 3)).astype(">u2")
    (tmp_path / "a.ppm").write_bytes(b"P6 4 3 65535 " + pixels.tobytes())
    folder = scan(tmp_path)
    assert folder.notes == ("1 of 1 images have 16 bit a colour: they are read as 8",)
    np.testing.assert_allclose(folder.read([0])[0].transpose(1, 2, 0), pixels / 257, atol=0.51)


def test_what_a_file_is_follows_from_its_content(tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(tmp_path / "a.png", format="TIFF")
    folder = scan(tmp_path)
    assert folder.format == "TIFF"
    np.testing.assert_array_equal(folder.read([0])[0], COLOURS.transpose(2, 0, 1))


def test_no_other_decoder_is_tried(tmp_path: Path) -> None:
    for form in ("EPS", "PDF", "PCX", "SGI", "ICO"):
        buffer = io.BytesIO()
        Image.new("RGB", (16, 16)).save(buffer, form)
        with pytest.raises(Exception, match="cannot identify"):
            opened(buffer.getvalue())
        (tmp_path / f"{form}.png").write_bytes(buffer.getvalue())
        assert take(tmp_path / f"{form}.png").seen == "cannot identify image file"


def test_endings_belong_to_one_format_each() -> None:
    assert len(SUFFIXES) == sum(len(known.endings) for known in FORMATS)


@pytest.mark.parametrize("form", ["TIFF", "BMP", "GIF", "PPM", "AVIF"])
def test_no_damage_to_a_file_stops_the_scan(
    tmp_path: Path, form: str, image: Callable[..., Any]
) -> None:
    if form == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    image(tmp_path / "whole.png", "RGB")
    buffer, rng = io.BytesIO(), np.random.default_rng(0)
    options = {"compression": "tiff_lzw"} if form == "TIFF" else {}
    Image.fromarray(rng.integers(0, 256, (16, 16, 3)).astype(np.uint8)).save(
        buffer, form, **options
    )
    for i in range(60):
        content = bytearray(buffer.getvalue())
        for place in rng.integers(0, len(content) if form == "TIFF" else min(len(content), 200), 3):
            content[place] = rng.integers(0, 256)
        (tmp_path / f"{i}.{form.lower()}").write_bytes(content[: -i or None])
    assert "whole.png" in scan(tmp_path).names
