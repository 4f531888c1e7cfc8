"""PNG colours of 16 bit keep all their bits."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from equipoise.data.factory import open_source
from equipoise.data.images import cache
from equipoise.data.images.decode import before_and_after, take, thumbnail
from equipoise.data.images.deep_png import png_of
from equipoise.data.images.folder import scan
from equipoise.data.images.form import Resizing, Seen

RNG = np.random.default_rng(0)
STARTS = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))


def colours(channels: int = 3, high: int = 65536) -> np.ndarray:
    return RNG.integers(0, high, (channels, 5, 8)).astype(np.uint16)


def png(values: np.ndarray, *, key: tuple[int, ...] = (), interlaced: bool = False) -> bytes:
    """A PNG of (C, H, W), whose rows are stored as they are, with the one colour that
    is transparent."""
    channels, height, width = values.shape
    pixels = values.transpose(1, 2, 0).astype(">u2")
    passes = [pixels]
    if interlaced:  # Adam7
        passes = [pixels[y::dy, x::dx] for y, x, dy, dx in (*STARTS, (1, 0, 2, 1))]
    rows = b"".join(b"\0" + row.tobytes() for part in passes for row in part if row.size)
    kind = 2 if channels == 3 else 6
    header = struct.pack(">2I5B", width, height, 16, kind, 0, 0, int(interlaced))
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    if key:
        parts.insert(1, (b"tRNS", struct.pack(f">{len(key)}H", *key)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part))
        for name, part in parts
    )


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("interlaced", [False, True])
def test_all_bits_are_read(tmp_path: Path, channels: int, interlaced: bool) -> None:
    values = colours(channels)
    (tmp_path / "a.png").write_bytes(png(values, interlaced=interlaced))
    folder = scan(tmp_path)
    assert (folder.mode, folder.dtype) == ("RGB" if channels == 3 else "RGBA", "uint16")
    assert folder.notes == ()
    np.testing.assert_array_equal(folder.read([0])[0], values)


def test_the_colour_that_is_transparent_is_compared_in_sixteen_bit(tmp_path: Path) -> None:
    values = colours()
    values[:, 0, 0], values[:, 0, 1] = (1000, 2000, 3000), (1001, 2000, 3000)
    (tmp_path / "a.png").write_bytes(png(values, key=(1000, 2000, 3000)))
    read = scan(tmp_path).read([0])[0]
    assert read[:, 0, 0].tolist() == [0, 0, 0, 0]
    assert read[:, 0, 1].tolist() == [1001, 2000, 3000, 65535]
    assert (read[3].reshape(-1)[1:] == 65535).all()


def test_greys_and_colours_of_sixteen_bit_become_the_richest(tmp_path: Path) -> None:
    grey, colour, clear = colours(1), colours(3), colours(4)
    Image.fromarray(grey[0]).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(png(colour))
    (tmp_path / "c.png").write_bytes(png(clear))
    folder = scan(tmp_path)
    assert (folder.mode, folder.dtype) == ("RGBA", "uint16")
    opaque = np.full((1, 5, 8), 65535)
    read = folder.read([0, 1, 2])
    np.testing.assert_array_equal(read[0], np.concatenate([grey, grey, grey, opaque]))
    np.testing.assert_array_equal(read[1], np.concatenate([colour, opaque]))
    np.testing.assert_array_equal(read[2], clear * (clear[3] > 0))


def test_files_that_are_looked_at_first_may_be_poorer_than_others(tmp_path: Path) -> None:
    # Of 32 files every second one is.
    for i in range(32):
        values = colours(4) if i == 31 else colours(3)
        if i < 31:
            Image.fromarray(values[0]).save(tmp_path / f"{i:02}.png")
        else:
            (tmp_path / f"{i:02}.png").write_bytes(png(values))
    found = cache.decoded(tmp_path)
    assert (found.folder.mode, found.folder.dtype) == ("RGBA", "uint16")
    np.testing.assert_array_equal(found.values(), scan(tmp_path).read([*range(32)]))


def test_beside_images_of_eight_bit_they_are_read_as_eight(tmp_path: Path) -> None:
    values = colours()
    (tmp_path / "a.png").write_bytes(png(values))
    Image.new("L", (8, 5), 7).save(tmp_path / "b.png")
    folder = scan(tmp_path)
    assert (folder.mode, folder.dtype) == ("RGB", "uint8")
    np.testing.assert_array_equal(folder.read([0])[0], np.rint(values / 257))


@pytest.mark.parametrize("resizing", [Resizing((4, 4)), Resizing((4, 3), (6, 4))])
@pytest.mark.parametrize("fit", [False, True])
@pytest.mark.parametrize("channels", [3, 4])
def test_resized_as_images_of_eight_bit_are(
    tmp_path: Path, channels: int, fit: bool, resizing: Resizing
) -> None:
    resizing = Resizing(resizing.size, None if fit else resizing.crop, fit)
    channel, y, x = np.mgrid[:channels, :16, :24]
    eight = (130 + 120 * np.sin(channel + x / 3) * np.cos(y / 4)).astype(np.uint8)
    for name, content in (("deep", png(eight * np.uint16(257))), ("flat", None)):
        (tmp_path / name).mkdir()
        if content is not None:
            (tmp_path / name / "a.png").write_bytes(content)
        else:
            Image.fromarray(eight.transpose(1, 2, 0)).save(tmp_path / name / "a.png")
    deep, flat = (scan(tmp_path / name, resizing).read([0])[0] for name in ("deep", "flat"))
    # Pillow rounds to 8 bit on the way: the fainter, the more it matters.
    seen = flat[3] > 60 if channels == 4 else np.full(flat.shape[1:], True)
    assert seen.any()
    np.testing.assert_allclose(deep[:, seen] / 257, flat[:, seen], atol=3)


@pytest.mark.parametrize("channels", [3, 4])
def test_samples_are_written_with_all_bits(tmp_path: Path, channels: int) -> None:
    values = colours(channels)
    values[-1] |= 1  # seen
    (tmp_path / "a.png").write_bytes(png_of(values))
    np.testing.assert_array_equal(scan(tmp_path).read([0])[0], values)
    np.testing.assert_array_equal(  # the upper bits, as others read them
        np.asarray(Image.open(tmp_path / "a.png")), (values >> 8).transpose(1, 2, 0)
    )


def test_data_of_sixteen_bit_gives_samples_of_sixteen_bit(tmp_path: Path) -> None:
    for i in range(20):
        (tmp_path / f"{i:02}.png").write_bytes(png(colours(3, 4096)))
    source = open_source(tmp_path)
    assert (source.schema.layout, source.schema.dtype) == ("NHWC", "uint16")
    assert source.limits == (0, 4095)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_they_are_read_upright(tmp_path: Path, orientation: int) -> None:
    values = colours()
    exif = Image.Exif()
    exif[274] = orientation
    buffer = io.BytesIO()
    Image.fromarray((values >> 8).astype(np.uint8).transpose(1, 2, 0)).save(
        buffer, "PNG", exif=exif
    )
    at = buffer.getvalue().find(b"eXIf") - 4
    size = struct.unpack(">I", buffer.getvalue()[at : at + 4])[0] + 12
    content = png(values)
    (tmp_path / "a.png").write_bytes(
        content[:33] + buffer.getvalue()[at : at + size] + content[33:]
    )
    (tmp_path / "b.png").write_bytes(buffer.getvalue())
    deep, flat = (tmp_path / name for name in ("a.png", "b.png"))
    upright = [before_and_after(path, scan(tmp_path).form) for path in (deep, flat)]
    assert upright[0] is not None
    assert upright[1] is not None
    assert upright[0][0].size == upright[1][0].size
    seen = take(deep).seen
    assert isinstance(seen, Seen)
    assert seen.size == ((5, 8) if orientation > 4 else (8, 5))


def test_drawings_of_them_are_in_colour(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(colours()))
    found = before_and_after(tmp_path / "a.png", scan(tmp_path).form)
    assert found is not None
    assert found[0].mode == "RGB"
    assert thumbnail(tmp_path / "a.png", 4) is not None


def test_a_file_that_is_cut_off_is_left_out(tmp_path: Path) -> None:
    content = png(colours())
    (tmp_path / "a.png").write_bytes(content[: len(content) // 2])
    assert isinstance(take(tmp_path / "a.png").seen, str)
