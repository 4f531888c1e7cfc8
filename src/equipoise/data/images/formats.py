"""The formats of image files, one entry each: the endings, who reads it, and how a
sample is written.

Help and messages list the formats from here. What a file is follows from its content,
never from its name, and no other decoder than these is tried: reading PostScript, say,
starts a program.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from equipoise.data.images.tiff import check_tiff

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 64_000_000  # a larger image may be a decompression bomb: it is left out
# Brands of the ISO base media files that hold HEVC images (ISO/IEC 23008-12).
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
MAX_BRANDS_BYTES = 256
HEIF_PACKAGE = "pillow_heif"


@dataclass(frozen=True)
class ImageFormat:
    """One format."""

    name: str
    """Pillow's name of it."""
    endings: tuple[str, ...]
    """The first is given to files that are written."""
    package: str = ""
    """What reads it where Pillow does not, and how to install that."""
    modes: tuple[str, ...] = ()
    """What can be written, in Pillow's modes; samples of another kind become PNG or
    TIFF."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """For writing."""
    ending_of_grey: str = ""
    """Of files of one channel that are written, where it is another."""

    def ending(self, mode: str) -> str:
        """Of files that are written in this mode."""
        return self.ending_of_grey if mode == "L" and self.ending_of_grey else self.endings[0]


FORMATS = (
    ImageFormat("PNG", (".png",), modes=("L", "LA", "RGB", "RGBA", "I;16", "RGB;16", "RGBA;16")),
    ImageFormat(
        "JPEG",
        (".jpg", ".jpeg", ".jfif"),
        modes=("L", "RGB"),
        options={"quality": 95, "subsampling": 0},
    ),
    ImageFormat(
        "WEBP", (".webp",), modes=("RGB", "RGBA"), options={"lossless": True, "exact": True}
    ),
    ImageFormat(
        "TIFF",
        (".tif", ".tiff"),
        modes=("L", "LA", "RGB", "RGBA", "I;16", "F"),
        options={"compression": "tiff_adobe_deflate"},
    ),
    ImageFormat("BMP", (".bmp",), modes=("L", "RGB")),
    ImageFormat("GIF", (".gif",)),
    ImageFormat(
        "PPM", (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"), modes=("L", "RGB"), ending_of_grey=".pgm"
    ),
    ImageFormat("AVIF", (".avif",), package="Pillow 11.3 or newer"),
    ImageFormat("HEIF", (".heic", ".heif"), package="pillow-heif: pip install 'equipoise[heif]'"),
)
SUFFIXES = {ending for known in FORMATS for ending in known.endings}


def of_name(name: str | None) -> ImageFormat | None:
    """The format of Pillow's name."""
    return next((known for known in FORMATS if known.name == name), None)


def listed() -> str:
    """The endings for a message."""
    return ", ".join(sorted(SUFFIXES))


def lacking(endings: Collection[str]) -> tuple[str, ...]:
    """The formats of these endings that cannot be read here."""
    from PIL import Image

    Image.init()
    readable = {**Image.OPEN, **({"HEIF": None} if find_spec(HEIF_PACKAGE) else {})}
    asked = (one for one in FORMATS if not set(one.endings).isdisjoint(endings))
    return tuple(one.name for one in asked if one.name not in readable)


def opened(content: bytes) -> Image.Image:
    """The image in a file's bytes, whose header alone is read.

    Raises:
        Exception: Whatever a damaged file leads Pillow to. ValueError for an image of
            too many pixels, and where what reads the format is not installed.
    """
    from PIL import Image

    brands = _brands(content)
    if brands & HEIF_BRANDS:
        return _heif(content)
    Image.init()
    if brands and "AVIF" not in Image.OPEN:
        raise ValueError(_needs("AVIF"))
    if content[:2] in (b"II", b"MM"):
        check_tiff(content)
    known = [one.name for one in FORMATS if one.name in Image.OPEN]
    image = Image.open(io.BytesIO(content), formats=known)
    check_pixels(*image.size)
    return image


def check_pixels(width: int, height: int) -> None:
    """Raises:
    ValueError: For an image that is too large to be decoded."""
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width} x {height} pixels is too large")


def _brands(content: bytes) -> set[bytes]:
    """The brands of an ISO base media file, which say what is in it; none for any other
    file."""
    if content[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(content[:4], "big"), MAX_BRANDS_BYTES)
    return {content[start : start + 4] for start in range(8, end, 4)}


def _heif(content: bytes) -> Image.Image:
    """The first image of a HEIF file. pillow-heif is not registered with Pillow, whose
    list of formats is the whole process's."""
    try:
        open_heif: Callable[..., Any] = import_module(HEIF_PACKAGE).open_heif
    except ImportError:
        raise ValueError(_needs("HEIF")) from None
    image = open_heif(content)  # the header alone
    check_pixels(*image.size)
    decoded: Image.Image = image.to_pillow()
    decoded.format = "HEIF"
    return decoded


def _needs(name: str) -> str:
    known = of_name(name)
    assert known is not None, name
    return f"reading {known.endings[0]} needs {known.package}"
