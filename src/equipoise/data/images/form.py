"""The one form that all images of a folder are brought to: channels, size and depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from equipoise.data.images.place import Place
from equipoise.data.limits import limits_of

Depth = Literal["uint8", "uint16", "float32"]
Mode = Literal["L", "RGB", "RGBA", "channels"]
DEPTHS: dict[str, Depth] = {"uint8": "uint8", "uint16": "uint16", "float32": "float32"}
CHANNELS_OF_MODE = {"L": 1, "RGB": 3, "RGBA": 4}
# An image that would have to be made larger than this many times is left out.
MAX_ENLARGED = 4


@dataclass(frozen=True)
class Resizing:
    """How images of several sizes are brought to one."""

    size: tuple[int, int] | None = None
    """(width, height); None for the most common size."""
    crop: tuple[int, int] | None = None
    """(width, height) of what is cut out of the middle first; None for what the
    proportions of the size need."""
    fit: bool = False
    """Whether the whole image is kept, with a border, and nothing is cropped."""


def as_typed(size: tuple[int, int] | None) -> str | None:
    """A size as it is typed: 64, or 64x48."""
    if size is None:
        return None
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"


AS_FOUND = Resizing()
"""To the most common size, cropped about the centre."""


@dataclass(frozen=True)
class Seen:
    """One image, upright, as it is in its file."""

    size: tuple[int, int]
    """(width, height)."""
    mode: Mode
    """L, RGB or RGBA, whatever Pillow's own mode is; "channels" of a TIFF, in pages or
    in one."""
    channels: int
    depth: Depth
    low: float = 0.0
    """The least value, of an image of more than 8 bit."""
    high: float = 0.0
    format: str = ""
    """Pillow's name."""
    more_frames: bool = False
    """Whether it is the first of several: an animation, or pages."""
    reduced: bool = False
    """Whether its colours have 16 bit, which are read as 8."""

    @property
    def kind(self) -> tuple[str, int]:
        """What all images of a folder have in common: only these can be brought to one
        form."""
        if self.mode == "channels":
            return f"channels of {self.depth}", self.channels
        return ("float values" if self.depth == "float32" else "whole numbers"), 0


@dataclass(frozen=True)
class Form:
    """The form that all images of a folder are brought to."""

    mode: Mode
    channels: int
    size: tuple[int, int]
    """(width, height)."""
    depth: Depth
    crop: tuple[int, int] | None = None
    fit: bool = False
    white: float = 65535.0
    """The value of white in images of 16 bit that are brought to 8."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return self.channels, self.size[1], self.size[0]

    @property
    def nbytes(self) -> int:
        """Bytes of one image in this form."""
        return int(np.prod(self.shape)) * np.dtype(self.depth).itemsize

    def box(self, size: tuple[int, int]) -> tuple[float, float, float, float]:
        """The part of an image of this size that is kept: left, top, right, bottom."""
        width, height = size
        if self.fit:
            return 0.0, 0.0, float(width), float(height)
        inner = self.crop or size
        wanted = self.size[0] / self.size[1]
        kept = min(inner[0], inner[1] * wanted), min(inner[1], inner[0] / wanted)
        left, top = (width - kept[0]) / 2, (height - kept[1]) / 2
        return left, top, left + kept[0], top + kept[1]

    def misfit(self, seen: Seen) -> tuple[str, str] | None:
        """Why an image cannot be brought to this form, as a category and in detail;
        None if it can."""
        if seen.mode == "channels" or self.mode == "channels":
            is_same = (seen.mode, seen.channels, seen.depth) == (
                self.mode,
                self.channels,
                self.depth,
            )
        else:
            is_same = (seen.depth == "float32") == (self.depth == "float32")
        if not is_same:
            what = f"{seen.channels} channels" if seen.mode == "channels" else seen.mode
            return "of another kind", f"{what} of {seen.depth}"
        width, height = seen.size
        if self.crop:
            if width < self.crop[0] or height < self.crop[1]:
                cut = f"{self.crop[0]} x {self.crop[1]}"
                return "too small", f"{width} x {height} pixels for a crop of {cut}"
            width, height = self.crop
        ratios = self.size[0] / width, self.size[1] / height
        if (min(ratios) if self.fit else max(ratios)) > MAX_ENLARGED:
            return "too small", f"{width} x {height} pixels for {self.size[0]} x {self.size[1]}"
        return None


def form_from(stored: dict[str, Any]) -> Form:
    """A form whose fields were stored as JSON."""
    pairs = {name: tuple(stored[name]) for name in ("size", "crop") if stored[name] is not None}
    return Form(**stored | pairs)


@dataclass(frozen=True)
class ResizedImages:
    """Some images that were brought to another size."""

    places: tuple[Place, ...]
    form: Form


def common_form(seen: Sequence[Seen], resizing: Resizing) -> Form:
    """The form of images: those of the most common kind, in the most common size (of
    equally common ones the smaller) unless one is asked for, and in the richest mode:
    one colour image makes all RGB, one with transparency RGBA. 16 bit only if all have
    them; else white is what it would be of those alone that have."""
    kinds = Counter(one.kind for one in seen)
    kind = min(kinds, key=lambda one: (-kinds[one], one))
    used = [one for one in seen if one.kind == kind]
    sizes = Counter(one.size for one in used)
    size = min(sizes, key=lambda one: (-sizes[one], one))
    size = resizing.size or resizing.crop or size
    mode, channels, depth = used[0].mode, used[0].channels, used[0].depth
    white = 65535.0
    if mode != "channels":
        mode = max((one.mode for one in used), key=lambda name: CHANNELS_OF_MODE[name])
        channels = CHANNELS_OF_MODE[mode]
        deep = [one.high for one in used if one.depth == "uint16"]
        if any(one.depth != depth for one in used):
            depth, white = "uint8", limits_of("uint16", 0, max(deep))[1]
    return Form(mode, channels, size, depth, resizing.crop, resizing.fit, white)
