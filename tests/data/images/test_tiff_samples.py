"""TIFF pages of many channels, or of colours of 16 bit and more, keep all of them."""

from __future__ import annotations

import struct
import zlib
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from equipoise.data.factory import open_source
from equipoise.data.images.decode import take, thumbnail
from equipoise.data.images.encode import ImageEncoder
from equipoise.data.images.folder import scan
from equipoise.data.images.form import Resizing
from equipoise.data.images.tiff import MAX_PAGES
from equipoise.data.images.tiff_samples import samples_of

RNG = np.random.default_rng(0)
FORMATS = {"u": 1, "i": 2, "f": 3}


def random(dtype: str, channels: int = 5) -> np.ndarray:
    values = RNG.integers(-100, 100, (channels, 7, 20)) * 1.5
    return values.astype(dtype) if dtype[-2] == "f" else values.astype(np.int64).astype(dtype)


def tiff(
    values: np.ndarray,
    *,
    separate: bool = False,
    predictor: int = 1,
    tile: tuple[int, int] | None = None,
    big: bool = False,
    photometric: int = 1,
    more: dict[int, tuple[int, ...]] | None = None,
) -> bytes:
    """A TIFF of one page, (C, H, W), in the byte order of its type, compressed by
    Deflate, in strips of three rows or in tiles of (height, width)."""
    channels, height, width = values.shape
    order = ">" if values.dtype.byteorder == ">" else "<"
    planes = [plane[:, :, None] for plane in values] if separate else [values.transpose(1, 2, 0)]
    rows, columns = tile or (3, width)
    parts = []
    for plane in planes:
        below, beside = (-height % rows, -width % columns) if tile else (0, 0)
        whole = np.pad(plane, ((0, below), (0, beside), (0, 0)))  # tiles are whole
        for top in range(0, len(whole), rows):
            for left in range(0, whole.shape[1], columns):
                part = whole[top : top + rows, left : left + columns]
                parts.append(zlib.compress(predicted(np.ascontiguousarray(part), predictor)))
    body, sizes = b"".join(parts), [len(part) for part in parts]
    start = 16 if big else 8
    places = [start + sum(sizes[:i]) for i in range(len(sizes))]
    tags = {
        256: (width,),
        257: (height,),
        258: (values.dtype.itemsize * 8,) * channels,
        259: (8,),
        262: (photometric,),
        277: (channels,),
        284: (2 if separate else 1,),
        317: (predictor,),
        339: (FORMATS[values.dtype.kind],) * channels,
    }
    tags |= {324: places, 325: sizes, 322: (columns,), 323: (rows,)} if tile else {}
    tags |= {} if tile else {273: places, 278: (rows,), 279: sizes}
    tags |= more or {}
    at = start + len(body)
    word, entry = ("Q", f"{order}HHQ") if big else ("I", f"{order}HHI")
    behind = at + (8 + 20 * len(tags) + 8 if big else 2 + 12 * len(tags) + 4)
    directory, lists = struct.pack(f"{order}{'Q' if big else 'H'}", len(tags)), b""
    for tag, numbers in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(packed) > struct.calcsize(word):
            packed, lists = struct.pack(order + word, behind + len(lists)), lists + packed
        directory += struct.pack(entry, tag, 4, len(numbers))
        directory += packed.ljust(struct.calcsize(word), b"\0")
    directory += struct.pack(order + word, 0)
    header = b"II" if order == "<" else b"MM"
    header += (
        struct.pack(f"{order}HHHQ", 43, 8, 0, at) if big else struct.pack(f"{order}HI", 42, at)
    )
    return header + body + directory + lists


def predicted(part: np.ndarray, predictor: int) -> bytes:
    """A strip or tile, (H, W, C), as differences of neighbours (TIFF 6.0, section 14),
    or of the bytes of floats (Technical Note 3)."""
    if predictor == 2:
        before = np.concatenate([np.zeros_like(part[:, :1]), part[:, :-1]], 1)
        part = (part - before).astype(part.dtype)
    if predictor == 3:
        height, _, channels = part.shape
        whole = part.astype(part.dtype.newbyteorder(">")).reshape(height, -1, 1).view(np.uint8)
        planes = whole.transpose(0, 2, 1).reshape(height, -1, channels)
        before = np.concatenate([np.zeros_like(planes[:, :1]), planes[:, :-1]], 1)
        part = planes - before
    return part.tobytes()


WHOLE, FLOATS = ("<u1", "<u2", ">u2", "<i2", "<u4"), (">f4", "<f8")


@pytest.mark.parametrize(
    ("dtype", "predictor"),
    [*product(WHOLE, (1, 2)), *product(FLOATS, (1, 3))],
)
@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_every_value_is_read(
    dtype: str, separate: bool, tile: tuple[int, int] | None, predictor: int
) -> None:
    values = random(dtype)
    for big in (False, True):
        content = tiff(values, separate=separate, tile=tile, predictor=predictor, big=big)
        found = samples_of(content)
        assert found is not None
        read, mode = found
        assert mode == "channels"
        expected = "uint16" if dtype[1:] == "u2" else "uint8" if dtype[1:] == "u1" else "float32"
        assert read.dtype == expected
        np.testing.assert_array_equal(read, values.astype(expected))


def test_the_channels_of_one_page_are_learned_and_written_as_pages(tmp_path: Path) -> None:
    values = [random("<u2", 8) for _ in range(20)]
    for i, one in enumerate(values):
        (tmp_path / f"{i:02}.tif").write_bytes(tiff(one))
    source = open_source(tmp_path)
    assert "each file is read as 8 channels" in source.notes
    assert (source.schema.shape, source.schema.layout) == ((8, 7, 20), "NCHW")
    encoder = ImageEncoder.of(source.schema, source.limits, source.file_format)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.tif").write_bytes(encoder.encode(values[3]))
    np.testing.assert_array_equal(scan(tmp_path / "out").read([0])[0], values[3])


def test_pages_and_channels_of_one_page_are_one_set(tmp_path: Path) -> None:
    first, *others = [Image.fromarray(page) for page in random("<u1")]
    first.save(tmp_path / "a.tif", save_all=True, append_images=others)
    (tmp_path / "b.tif").write_bytes(tiff(random("<u1")))
    assert scan(tmp_path).names == ("a.tif", "b.tif")


def test_channels_are_resized_one_by_one(tmp_path: Path) -> None:
    flat = np.arange(6, dtype=np.uint16)[:, None, None].repeat(8, 1).repeat(12, 2)
    (tmp_path / "a.tif").write_bytes(tiff(flat))
    values = scan(tmp_path, Resizing((4, 3))).read([0])[0]
    np.testing.assert_array_equal(values, flat[:, :3, :4])


@pytest.mark.parametrize(
    ("channels", "extra", "dtype", "mode"),
    [
        (3, None, "<u2", "RGB"),
        (3, None, ">u2", "RGB"),
        (4, (2,), "<u2", "RGBA"),
        (4, None, "<u2", "RGBA"),
        (4, (0,), "<u2", "channels"),  # near infrared, say
        (3, None, "<f4", "channels"),
    ],
)
def test_colours_of_more_than_eight_bit_keep_their_bits(
    channels: int, extra: tuple[int, ...] | None, dtype: str, mode: str
) -> None:
    values = random(dtype, channels)
    more = {338: extra} if extra is not None else {}
    found = samples_of(tiff(values, photometric=2, more=more))
    assert found is not None
    assert found[1] == mode
    np.testing.assert_array_equal(found[0], values)


@pytest.mark.parametrize(("kind", "told"), [(0, True), (1, False)])
def test_pages_after_it_are_told_unless_they_are_smaller_copies(
    tmp_path: Path, kind: int, told: bool
) -> None:
    content = bytearray(tiff(random("<u2")))
    # Another directory, of one tag that says what its page is.
    start = struct.unpack_from("<I", content, 4)[0]
    end = start + 2 + 12 * struct.unpack_from("<H", content, start)[0]
    content[end : end + 4] = struct.pack("<I", len(content))
    content += struct.pack("<HHHIII", 1, 254, 4, 1, kind, 0)
    (tmp_path / "a.tif").write_bytes(content)
    assert any("pages: the first is read" in note for note in scan(tmp_path).notes) is told


@pytest.mark.parametrize("orientation", range(1, 9))
def test_they_are_read_upright(tmp_path: Path, orientation: int) -> None:
    values = random("<u1", 3)
    pixels = Image.fromarray(values.transpose(1, 2, 0))
    pixels.save(tmp_path / "a.tif", tiffinfo={274: orientation})
    found = samples_of(tiff(values, photometric=1, more={274: (orientation,)}))
    assert found is not None
    np.testing.assert_array_equal(found[0], scan(tmp_path).read([0])[0])


def test_what_pillow_reads_whole_is_left_to_it(tmp_path: Path) -> None:
    for mode in ("L", "RGB", "RGBA", "I;16", "F", "CMYK", "LA", "1", "P"):
        Image.new(mode, (9, 7)).save(tmp_path / "a.tif")
        assert samples_of((tmp_path / "a.tif").read_bytes()) is None
    Image.new("RGB", (9, 7)).save(tmp_path / "a.tif", compression="jpeg")
    assert samples_of((tmp_path / "a.tif").read_bytes()) is None
    assert samples_of(tiff(random("<u2", 3), photometric=2, more={259: (34925,)})) is None
    assert samples_of(b"II") is None
    assert samples_of(b"\x89PNG") is None


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({277: (MAX_PAGES + 1,)}, "it has 65 channels: at most 64 are read"),
        ({259: (7,)}, "it has 5 channels in one page, compressed in a way that is not read"),
        ({258: (8, 16, 8, 8, 8)}, "of 8, 16 bit in a form that is not read: save each as a page"),
        ({317: (9,)}, "its predictor 9 is not known"),
        ({256: (0,)}, "it has no pixels"),
        ({256: (2**31,)}, "too many pixels"),
        ({322: (2**16,), 323: (2**10,), 324: (8,), 325: (9,)}, "its tiles claim too many pixels"),
        ({322: (0,), 323: (16,), 324: (8,), 325: (9,)}, "its tiles claim too many pixels"),
        ({257: (9_000,)}, "it has 3 strips or tiles in place of 3000"),
        ({279: (10**6,) * 3}, "its strips or tiles claim more bytes than it has"),
        ({273: (8, 8)}, "it has 2 strips or tiles in place of 3"),
    ],
)
def test_what_a_page_claims_is_checked_before_it_is_decoded(
    more: dict[int, tuple[int, ...]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        samples_of(tiff(random("<u1"), more=more))


def test_floats_that_are_no_numbers_are_refused() -> None:
    values = random("<f4")
    values[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="it holds NaN or infinity"):
        samples_of(tiff(values))


def test_no_damage_leads_to_more_than_a_line(tmp_path: Path) -> None:
    whole = tiff(random("<u2"), predictor=2)
    path = tmp_path / "a.tif"
    for _ in range(300):
        content = bytearray(whole)
        for at in RNG.integers(0, len(whole), 3):
            content[at] = RNG.integers(0, 256)
        path.write_bytes(content[: RNG.integers(len(whole) // 2, len(whole) + 1)])
        seen = take(path).seen
        assert not isinstance(seen, str) or ("\n" not in seen and seen)


def test_reports_draw_the_first_three_channels(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff(random("<u2")))
    assert thumbnail(tmp_path / "a.tif", 4) is not None
