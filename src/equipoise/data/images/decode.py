"""Decoding of image files, and conversion to the one form that a folder's images have:
PNG, JPEG and WebP; grayscale, RGB and RGBA; 8 and 16 bit; palettes."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from equipoise.errors import first_line
from equipoise.utils.atomic_io import read_file

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
# No others, whatever a file is named: reading PostScript starts a program.
FORMATS = ("PNG", "JPEG", "WEBP")
CHANNELS_OF_MODE = {"L": 1, "RGB": 3, "RGBA": 4}
MAX_PIXELS = 64_000_000  # a larger image may be a decompression bomb: it is left out
MAX_BYTES = 2**29
# Part of a folder's hash. Raise it when decoding changes, so that cached images are
# decoded again.
DECODER = 2


@dataclass(frozen=True)
class Seen:
    """One image: its size (width, height) once it is upright, its mode (L, RGB or RGBA)
    and its depth."""

    size: tuple[int, int]
    mode: str
    sixteen_bit: bool


@dataclass(frozen=True)
class Form:
    """The form that all images of a folder are converted to: mode, size (width, height)
    and bits."""

    mode: str
    size: tuple[int, int]
    sixteen_bit: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return CHANNELS_OF_MODE[self.mode], self.size[1], self.size[0]

    @property
    def dtype(self) -> str:
        return "uint16" if self.sixteen_bit else "uint8"

    @property
    def nbytes(self) -> int:
        """Bytes of one image in this form."""
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class Taken:
    """One file: what it is, or why it cannot be read; the SHA-256 of its bytes, None if
    they cannot be read; and its pixels, (C, H, W), if they were asked for."""

    seen: Seen | str
    digest: str | None
    pixels: NDArray[Any] | None = None


def take(path: Path, form: Form | None = None) -> Taken:
    """Read one file once: hash it, see what it is, decode the whole of it and bring it
    to `form`. Whatever is wrong with it is told in words."""
    try:
        content = read_file(path, MAX_BYTES)
    except OSError as error:
        return Taken(_reason(error, str(path), path), None)
    found, buffer = hashlib.sha256(content).hexdigest(), io.BytesIO(content)
    try:
        with Image.open(buffer, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return Taken(f"{image.width} x {image.height} pixels is too large", found)
            image.load()  # the whole image, so that a truncated one shows here
            ImageOps.exif_transpose(image, in_place=True)
            seen = Seen(image.size, _mode(image), image.mode.startswith("I"))
            return Taken(seen, found, None if form is None else _decoded(image, form))
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        return Taken(_reason(error, repr(buffer), path), found)


def thumbnail(path: Path, side: int) -> bytes | None:
    """A PNG of the image in a file, at most `side` pixels wide and high; None if it
    cannot be read."""
    small = io.BytesIO()
    try:
        with Image.open(io.BytesIO(read_file(path, MAX_BYTES)), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return None
            image.thumbnail((side, side))
            image.convert("RGB").save(small, "PNG", optimize=True)
    except Exception:  # as in `take`
        return None
    return small.getvalue()


def digest(path: Path) -> str | None:
    """The SHA-256 of a file's bytes; None if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def common_form(seen: Sequence[Seen]) -> Form:
    """The most common size (of equally common ones the smaller) and the richest mode:
    one colour image makes all RGB, one with transparency RGBA. 16 bit only if all are
    16-bit grayscale."""
    sizes = Counter(one.size for one in seen)
    mode = max({one.mode for one in seen}, key=lambda name: CHANNELS_OF_MODE[name])
    return Form(
        mode,
        min(sizes, key=lambda size: (-sizes[size], size)),
        all(one.sixteen_bit for one in seen) and mode == "L",
    )


def _reason(error: Exception, given: str, path: Path) -> str:
    """An error's message in one line, with the file's name in place of `given`, which
    is what Pillow names."""
    return first_line(error).replace(given, path.name if given == str(path) else repr(path.name))


def _mode(image: Image.Image) -> str:
    """L, RGB or RGBA, whatever Pillow's own mode is."""
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        return "RGBA"
    if image.mode == "P":
        palette = image.getpalette() or []
        grey = palette[0::3] == palette[1::3] == palette[2::3]
        return "L" if grey else "RGB"
    return "L" if image.mode in ("1", "L", "I", "F") or image.mode.startswith("I;") else "RGB"


def _decoded(image: Image.Image, form: Form) -> NDArray[Any]:
    """An upright image's pixels in this form, (C, H, W)."""
    if image.mode.startswith("I"):
        grey = image.convert("I")
        if form.sixteen_bit:
            fitted = _fit(grey.convert("F"), form.size)
            return np.asarray(fitted).round().clip(0, 65535).astype(np.uint16)[None]
        image = Image.fromarray((np.asarray(grey) / 257).round().clip(0, 255).astype(np.uint8))
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    array = np.asarray(_fit(image.convert(form.mode), form.size))
    array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    # If 16 bit were a first guess, this image makes the folder an 8-bit one.
    return array.astype(form.dtype, copy=False)


def _fit(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else ImageOps.fit(image, size, Image.Resampling.LANCZOS)
