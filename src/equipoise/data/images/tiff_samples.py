"""TIFF pages of several samples a pixel that Pillow does not read: multispectral
images, and colours of more than 8 bit.

Pillow has no image of these, but its decoders turn any strip or tile into bytes. So the
page is described to Pillow as one of single bytes, as wide as its rows are long, and
what the bytes are is worked out here. (Adobe, "TIFF Revision 6.0", 1992, sections 14
and 15; "TIFF Technical Note 3", 2005, for predictors of floats.)
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from equipoise.data.images.form import Mode
from equipoise.data.images.formats import check_pixels
from equipoise.data.images.tiff import MAX_PAGES, MAX_TILE, check_tiff, first_directory

Array = NDArray[Any]

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIP_PLACES, ORIENTATION, SAMPLES, ROWS, STRIP_SIZES, PLANAR = 273, 274, 277, 278, 279, 284
PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILE_PLACES, TILE_SIZES = 317, 322, 323, 324, 325
EXTRA, SAMPLE_FORMAT = 338, 339
# None, LZW, Deflate under two numbers, PackBits, Zstandard: of these any bytes can be.
COMPRESSIONS = (1, 5, 8, 32946, 32773, 50000)
GREY, COLOURS = 1, 2  # photometric interpretations
# Extra samples: unspecified, premultiplied and straight alpha; 999 is Corel Draw's.
UNSPECIFIED, PREMULTIPLIED = 0, 1
SEPARATE = 2  # planes, one after the other
KINDS = {1: "u", 2: "i", 3: "f"}  # sample formats, as NumPy calls them
DIFFERENCES, FLOAT_DIFFERENCES = 2, 3  # predictors
LONG = 4  # the type of a tag's value: 32 bit


@dataclass(frozen=True)
class Page:
    """The first page of a TIFF, by its tags."""

    content: bytes
    order: str
    """< or >."""
    tags: dict[int, tuple[int, ...]]

    def one(self, tag: int, default: int) -> int:
        """The first value of a tag."""
        return self.tags.get(tag, (default,))[0]

    @property
    def tile(self) -> int:
        """Width of a tile; of the page where it has strips."""
        return self.one(TILE_WIDTH if TILE_PLACES in self.tags else WIDTH, 0)

    @property
    def tiles(self) -> int:
        """How many stand side by side. The last may reach beyond the page."""
        return -(-self.one(WIDTH, 0) // self.tile)

    @property
    def samples(self) -> int:
        return self.one(SAMPLES, 1)

    @property
    def is_separate(self) -> bool:
        return self.one(PLANAR, 1) == SEPARATE

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of its samples.

        Raises:
            ValueError: If they are of none that is read.
        """
        bits = set(self.tags.get(BITS, (1,)))
        kinds = set(self.tags.get(SAMPLE_FORMAT, (1,)))
        kind, size = KINDS.get(min(kinds), ""), min(bits)
        known = ("u8", "u16", "u32", "i8", "i16", "i32", "f32", "f64")
        if len(bits) > 1 or len(kinds) > 1 or f"{kind}{size}" not in known:
            listed = ", ".join(map(str, sorted(bits)))
            raise ValueError(
                f"it has {self.samples} channels in one page, of {listed} bit in a form that is "
                "not read: save each as a page of its own"
            )
        return np.dtype(f"{self.order}{kind}{size // 8}")

    @property
    def is_ours(self) -> bool:
        """Whether Pillow does not read all that it holds."""
        photometric = self.one(PHOTOMETRIC, GREY)
        is_deep = max(self.tags.get(BITS, (1,))) > 8
        if photometric == COLOURS and self.tags.get(EXTRA, ())[:1] == (PREMULTIPLIED,):
            return self.samples > 4
        if photometric in (GREY, COLOURS) and self.samples > 1:
            return is_deep or self.samples > (2 if photometric == GREY else 4)
        return self.samples > 4

    @property
    def mode(self) -> Mode:
        """What its samples are: colours of 16 bit, or channels of any kind."""
        is_colour = self.one(PHOTOMETRIC, GREY) == COLOURS and self.dtype.str[1:] == "u2"
        if is_colour and self.samples == 3:
            return "RGB"
        if is_colour and self.samples == 4 and self.tags.get(EXTRA) != (UNSPECIFIED,):
            return "RGBA"
        return "channels"


def samples_of(content: bytes) -> tuple[Array, Mode] | None:
    """The samples of a TIFF's first page, upright, (C, H, W): uint8, uint16 or float32,
    and what they are; None where Pillow reads the page, or the file is no TIFF.

    Raises:
        ValueError: If they are of a kind that is not read, or too many.
        Exception: Whatever a damaged file leads Pillow to.
    """
    if content[:2] not in (b"II", b"MM"):
        return None
    order, tags = first_directory(content)
    page = Page(content, order, tags)
    if not page.is_ours:
        return None
    if page.samples > MAX_PAGES:
        raise ValueError(f"it has {page.samples} channels: at most {MAX_PAGES} are read")
    if page.one(COMPRESSION, 1) not in COMPRESSIONS or page.one(FILL_ORDER, 1) != 1:
        if page.samples <= 4:  # of which Pillow may read the upper 8 bit
            return None
        raise ValueError(
            f"it has {page.samples} channels in one page, compressed in a way that is not read: "
            "save it with Deflate"
        )
    check_tiff(content)
    _check_claims(page)
    planes = [_decoded(page, strips) for strips in _planes(page)]
    values = np.concatenate(planes) if page.is_separate else planes[0]
    return _upright(_in_depth(values), page.one(ORIENTATION, 1)), page.mode


def _check_claims(page: Page) -> None:
    """Raises:
    ValueError: If the page would need more memory than an image may."""
    width, height = page.one(WIDTH, 0), page.one(HEIGHT, 0)
    if width < 1 or height < 1:
        raise ValueError("it has no pixels")
    step = page.samples * page.dtype.itemsize
    is_tiled = TILE_PLACES in page.tags
    rows = page.one(TILE_HEIGHT, 0) if is_tiled else height
    if page.tile < 1 or rows < 1 or page.tile * rows * step > MAX_TILE:
        raise ValueError("its tiles claim too many pixels")
    check_pixels(page.tiles * page.tile * step, height)


def _planes(page: Page) -> Iterator[list[bytes]]:
    """The compressed strips or tiles of each plane; of all channels together where they
    are not separate."""
    is_tiled = TILE_PLACES in page.tags
    places = page.tags.get(TILE_PLACES if is_tiled else STRIP_PLACES, ())
    sizes = page.tags.get(TILE_SIZES if is_tiled else STRIP_SIZES, ())
    planes = page.samples if page.is_separate else 1
    height = page.one(HEIGHT, 0)
    rows = max(page.one(TILE_HEIGHT if is_tiled else ROWS, height), 1)
    expected = -(-height // rows) * page.tiles * planes
    if not len(places) == len(sizes) == expected:
        raise ValueError(f"it has {len(places)} strips or tiles in place of {expected}")
    if sum(sizes) > len(page.content):
        raise ValueError("its strips or tiles claim more bytes than it has")
    strips = [page.content[at : at + size] for at, size in zip(places, sizes, strict=True)]
    each = len(strips) // planes
    yield from (strips[start : start + each] for start in range(0, len(strips), each))


def _decoded(page: Page, strips: list[bytes]) -> Array:
    """The values of one plane, (1, H, W), or of all channels together, (C, H, W)."""
    channels = 1 if page.is_separate else page.samples
    step = channels * page.dtype.itemsize  # bytes of a pixel
    with Image.open(io.BytesIO(_as_bytes(page, strips, step)), formats=["TIFF"]) as image:
        image.load()
        rows = np.asarray(image)
    # Differences begin anew with each tile.
    parts = [_summed(part, page, channels) for part in np.split(rows, page.tiles, axis=1)]
    return np.concatenate(parts, axis=1)[:, : page.one(WIDTH, 0)].transpose(2, 0, 1)


def _as_bytes(page: Page, strips: list[bytes], step: int) -> bytes:
    """A TIFF of one byte a pixel that has these strips or tiles."""
    tags = {
        WIDTH: [page.tiles * page.tile * step],
        HEIGHT: [page.one(HEIGHT, 0)],
        BITS: [8],
        COMPRESSION: [page.one(COMPRESSION, 1)],
        PHOTOMETRIC: [GREY],
        SAMPLES: [1],
    }
    sizes = [len(strip) for strip in strips]
    places = (8 + np.cumsum([0, *sizes[:-1]])).tolist()
    if TILE_PLACES in page.tags:
        tags |= {TILE_WIDTH: [page.tile * step]}
        tags |= {TILE_HEIGHT: [page.one(TILE_HEIGHT, 0)], TILE_PLACES: places, TILE_SIZES: sizes}
    else:
        rows = min(page.one(ROWS, 2**31), page.one(HEIGHT, 0))
        tags |= {STRIP_PLACES: places, ROWS: [rows], STRIP_SIZES: sizes}
    body = b"".join(strips)
    start = 8 + len(body)
    behind = start + 2 + 12 * len(tags) + 4
    entries, lists = b"", b""
    for tag, values in sorted(tags.items()):
        packed = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            place = struct.pack("<I", behind + len(lists))
            lists, packed = lists + packed, place
        entries += struct.pack("<HHI", tag, LONG, len(values)) + packed
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", start) + body + directory + lists


def _summed(rows: Array, page: Page, channels: int) -> Array:
    """The values of rows of bytes, (H, W, C), with the differences between neighbours
    summed up where the page stores those."""
    height, predictor = len(rows), page.one(PREDICTOR, 1)
    if predictor == FLOAT_DIFFERENCES and page.dtype.kind == "f":
        # The highest bytes of all values come first, whatever the byte order.
        sums = rows.reshape(height, -1, channels).cumsum(1, dtype=np.uint8)
        parts = sums.reshape(height, page.dtype.itemsize, -1).transpose(0, 2, 1)
        values = np.ascontiguousarray(parts).view(page.dtype.newbyteorder(">"))
        return values.reshape(height, -1, channels)
    values = np.ascontiguousarray(rows).view(page.dtype).reshape(height, -1, channels)
    if predictor == DIFFERENCES:
        if page.dtype.kind == "f":
            whole = values.view(f"{page.order}u{page.dtype.itemsize}")
            native = whole.cumsum(1, dtype=whole.dtype.newbyteorder("="))
            return native.view(page.dtype.newbyteorder("="))
        return values.cumsum(1, dtype=page.dtype.newbyteorder("="))
    if predictor != 1:
        raise ValueError(f"its predictor {predictor} is not known")
    return values


def _in_depth(values: Array) -> Array:
    """Values as images have them: uint8, uint16, or float32 for all others.

    Raises:
        ValueError: If some are not numbers.
    """
    name = values.dtype.newbyteorder("=").name
    with np.errstate(over="ignore"):
        kept = values.astype(name if name in ("uint8", "uint16") else np.float32)
    if not np.isfinite(kept).all():
        raise ValueError("it holds NaN or infinity")
    return np.ascontiguousarray(kept)


def _upright(values: Array, orientation: int) -> Array:
    """Images, (C, H, W), as they are to be seen (section 8 of the specification)."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(1, 2)
    if orientation in (2, 3, 6, 7):
        values = values[:, :, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[:, ::-1]
    return values
