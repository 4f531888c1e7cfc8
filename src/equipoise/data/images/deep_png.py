"""PNG colours of 16 bit, read and written as such. Pillow has no image of them: it
reads the upper 8 bit, and writes none. (W3C, "Portable Network Graphics Specification",
third edition, 2025.)
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from equipoise.data.images.formats import MAX_PIXELS, opened

OPAQUE = 65535
# Pillow's layouts of pixels of big-endian numbers, of which it takes the first byte of
# each, and those of little-endian ones, of which it takes the second.
SECOND_BYTES = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}
SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {3: 2, 4: 6}  # by the number of channels
ABOVE = b"\2"  # the filter of rows that are differences to the row above


def deep_colours(image: Image.Image, content: bytes) -> NDArray[Any] | None:
    """The colours of a PNG with 16 bit, upright, (C, H, W), uint16, with transparency
    or without; None of any other image, and of one with too many values.

    Args:
        image: The image, not loaded yet.
        content: The file's bytes.
    """
    layouts = _layouts(image)
    if image.format != "PNG" or len(layouts) != 1 or layouts[0] not in SECOND_BYTES:
        return None
    if image.width * image.height * len(image.getbands()) > MAX_PIXELS:
        return None
    values = _bytes_of(image).astype(np.uint16)
    values <<= 8
    with opened(content) as again:
        tiles: list[Any] = vars(again)["tile"]
        tiles[0] = (*tiles[0][:3], SECOND_BYTES[layouts[0]])
        values |= _bytes_of(again)
    key = image.info.get("transparency")
    if len(values) == 3 and isinstance(key, tuple):  # the one colour that is not seen
        seen = (values != np.array(key, np.uint16)[:, None, None]).any(0, keepdims=True)
        values = np.concatenate([values, seen * np.uint16(OPAQUE)])
    return values


def has_reduced_colours(image: Image.Image) -> bool:
    """Whether Pillow reads colours of more than 8 bit as 8."""
    if len(image.getbands()) == 1:
        return False
    if image.format == "PPM":  # of which the greatest value stands beside the layout
        return any(isinstance(one, tuple) and one[-1] > 255 for one in _layouts(image))
    return any(";16" in str(one) for one in _layouts(image))


def png_of(sample: NDArray[Any]) -> bytes:
    """A PNG of colours of 16 bit, (3, H, W), or (4, H, W) with transparency, uint16."""
    channels, height, width = sample.shape
    rows = sample.transpose(1, 2, 0).astype(">u2").reshape(height, -1).view(np.uint8)
    differences = np.diff(rows, axis=0, prepend=np.zeros_like(rows[:1]))
    filtered = b"".join(ABOVE + row.tobytes() for row in differences)
    header = struct.pack(">2I5B", width, height, 16, COLOUR_TYPES[channels], 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(filtered)), (b"IEND", b"")
    return SIGNATURE + b"".join(
        struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part))
        for name, part in parts
    )


def _layouts(image: Image.Image) -> list[Any]:
    """How the pixels of each part of a file are laid out, as Pillow's decoders take
    it."""
    return [part[3] for part in getattr(image, "tile", ())]


def _bytes_of(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels of an image of 8 bit, upright, (C, H, W)."""
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    return np.asarray(image).transpose(2, 0, 1)
