"""Frames of films: pictures that fade into one another, captions, and grids."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.data.images.formats import opened
from equipoise.errors import EquipoiseError, clipped, first_line, printable
from equipoise.plotting.axes import GENERATED
from equipoise.plotting.grids import MIN_SIDE, grid_pixels
from equipoise.utils.atomic_io import read_file

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

MAX_BYTES = 2**27  # of a picture
FADE = 0.5  # of the time from one picture to the next
CAPTION, MARGIN, BAR = 15, 6, 4  # pixels: the letters, about them, and the bar's height
GREY = "#e4e4e4"
MAX_CAPTION = 120


@dataclass(frozen=True)
class Picture:
    """Samples at one moment of a training."""

    path: Path
    samples_seen: int


def fading(
    pictures: Sequence[Picture], frames: int, held: int, size: int | None, title: str | None
) -> Iterator[PillowImage]:
    """Pictures through a training, each fading into the next, over a bar of how far it
    is.

    Args:
        pictures: At least one, the first first. All are brought to the size of the
            last.
        frames: Number of frames, at least 1.
        held: Of these at the end, of the last picture alone.
        size: The longer side in pixels; None for that of the pictures.
        title: Stands below with the samples seen; None where the pictures have a title
            with both.

    Raises:
        EquipoiseError: A picture cannot be read.
    """
    from PIL import Image

    last = read_picture(pictures[-1].path)
    shape = scaled_size(last.size, size)
    sharp = shape[0] % last.width == 0  # enlarged by a whole factor, or as they are
    how = Image.Resampling.NEAREST if sharp else Image.Resampling.LANCZOS

    @lru_cache(maxsize=2)
    def of(number: int) -> PillowImage:
        return read_picture(pictures[number].path).resize(shape, how)

    for at in through(len(pictures), frames, held):
        number = min(int(at), len(pictures) - 1)
        weight = smooth((at - number - (1 - FADE)) / FADE)
        image = of(number)
        if weight > 0:
            image = Image.blend(image, of(number + 1), weight)
        seen = pictures[number + (weight > 0.5)].samples_seen
        caption = "" if title is None else f"{title}: {seen:,} samples seen"
        yield captioned(image, caption, at / max(len(pictures) - 1, 1))


def through(moments: int, frames: int, held: int) -> Iterator[float]:
    """From 0 to moments - 1 in even steps, a number for each frame; the last frames
    have the last moment."""
    moving = max(frames - held - 1, 1)
    return (min(frame / moving, 1.0) * (moments - 1) for frame in range(frames))


def smooth(t: float) -> float:
    """From 0 to 1 without a jolt, as t goes from 0 to 1: 3 t^2 - 2 t^3."""
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)


def read_picture(path: Path) -> PillowImage:
    """A picture in a run's directory, on white where it is transparent.

    Raises:
        EquipoiseError: It cannot be read.
    """
    from PIL import Image

    try:
        image = opened(read_file(path, MAX_BYTES)).convert("RGBA")
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        raise EquipoiseError(f"{path} cannot be read: {first_line(error)}") from None
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def grid_frame(
    images: NDArray[np.uint8], columns: int, size: int | None, caption: str
) -> PillowImage:
    """Images, (N, H, W, C), side by side over a caption.

    Args:
        images: As bytes.
        columns: In a row.
        size: The longer side of the grid in pixels; None for `MIN_SIDE` or a little
            more.
    """
    from PIL import Image

    pixels = grid_pixels(images, columns, 255)
    grid = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    if grid.mode == "RGBA":
        grid = Image.alpha_composite(Image.new("RGBA", grid.size, "white"), grid)
    factor = max(math.ceil(MIN_SIDE / max(grid.size)), 1)
    shape = (grid.width * factor, grid.height * factor)
    if size is not None:
        shape = scaled_size(grid.size, size)
    is_whole = shape[0] % grid.width == 0
    how = Image.Resampling.NEAREST if is_whole else Image.Resampling.LANCZOS
    return captioned(grid.convert("RGB").resize(shape, how), caption)


def plot_frame(png: bytes, size: int | None) -> PillowImage:
    """A plot as a frame, at most `size` pixels wide and high."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as plot:
        image = plot.convert("RGB")
    shape = scaled_size(image.size, size)
    return image if shape == image.size else image.resize(shape, Image.Resampling.LANCZOS)


def scaled_size(own: tuple[int, int], longer: int | None) -> tuple[int, int]:
    """A size in proportion, whose longer side is `longer`; the same for None."""
    if longer is None:
        return own
    factor = longer / max(own)
    return max(round(own[0] * factor), 1), max(round(own[1] * factor), 1)


def captioned(image: PillowImage, caption: str, progress: float | None = None) -> PillowImage:
    """An image with a line of text below, and a bar of progress, from 0 to 1, below
    that. Each is left out where it is empty or None."""
    from PIL import Image, ImageDraw, ImageFont

    text = CAPTION + 2 * MARGIN if caption else 0
    bar = 0 if progress is None else BAR
    frame = Image.new("RGB", (image.width, image.height + text + bar), "white")
    frame.paste(image, (0, 0))
    draw = ImageDraw.Draw(frame)
    if caption:
        shown = clipped(printable(caption), MAX_CAPTION)
        letters = CAPTION
        font = ImageFont.load_default(letters)
        while font.getlength(shown) > image.width - 2 * MARGIN and letters > 7:
            letters -= 1
            font = ImageFont.load_default(letters)
        draw.text((MARGIN, image.height + text / 2), shown, fill="black", font=font, anchor="lm")
    if progress is not None:
        top = image.height + text
        draw.rectangle((0, top, image.width, top + BAR), fill=GREY)
        draw.rectangle((0, top, round(image.width * progress), top + BAR), fill=GENERATED)
    return frame
