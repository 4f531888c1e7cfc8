"""Films as files: GIF and WebP by Pillow, MP4 (H.264) by PyAV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from equipoise.errors import RequestError
from equipoise.utils.atomic_io import replacing
from equipoise.utils.system import GIB, MEMORY_FRACTION, available_memory

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS = (".gif", ".webp", ".mp4")
WEBP_QUALITY = 85  # of 100
MP4_QUALITY = "18"  # x264's rate factor: 0 is lossless, 18 looks so
TICKS = 100  # a second: a GIF's frames last whole hundredths of one
GIF_BYTES = 4  # a pixel, of all frames at once: Pillow compares them before it writes


def check_film(path: Path, frames: int, size: tuple[int, int]) -> None:
    """Check that a film of this name and size can be written.

    Args:
        path: Of the file.
        frames: How many.
        size: (width, height) of each in pixels.

    Raises:
        RequestError: If not.
    """
    check_ending(path)
    free = available_memory()
    needed = frames * size[0] * size[1] * GIF_BYTES
    if path.suffix.lower() == ".gif" and free is not None and needed > MEMORY_FRACTION * free:
        raise RequestError(
            f"{frames:,} frames of {size[0]} x {size[1]} pixels take {needed / GIB:,.1f} GiB of "
            "memory as a .gif: give fewer, a smaller size, or a .webp or .mp4"
        )


def check_ending(path: Path) -> None:
    """Raises:
    RequestError: If films are not written with this ending, or not without a package
        that is not installed."""
    if path.suffix.lower() not in ENDINGS:
        raise RequestError(f"out = {str(path)!r}: must end in {', '.join(ENDINGS)}")
    if path.suffix.lower() == ".mp4" and find_spec("av") is None:
        raise RequestError(
            f"out = {str(path)!r}: .mp4 needs PyAV: pip install 'equipoise[film]', or give .gif or "
            ".webp"
        )


def write_film(path: Path, frames: Iterable[Image], fps: int) -> None:
    """Write a film; the file appears when it is whole.

    Args:
        path: Of the file.
        frames: RGB images of one size, at least one. They are taken one at a time.
        fps: Frames a second.

    Raises:
        EquipoiseError: It could not be written.
    """
    kind, images = path.suffix.lower(), iter(frames)
    with replacing(path) as file:
        if kind == ".mp4":
            _write_mp4(file, images, fps)
        elif kind == ".webp":
            first = next(images)
            first.save(
                file,
                "WEBP",
                save_all=True,
                append_images=images,
                duration=round(1000 / fps),
                loop=0,
                quality=WEBP_QUALITY,
            )
        else:
            _write_gif(file, images, fps)


def _write_gif(file: BinaryIO, images: Iterator[Image], fps: int) -> None:
    colours = (_of_palette(image) for image in images)
    first = next(colours)
    first.save(
        file,
        "GIF",
        save_all=True,
        append_images=colours,
        duration=round(TICKS / fps) * 1000 // TICKS,
        loop=0,
    )


def _of_palette(image: Image) -> Image:
    """An image with at most 256 colours: all of a grey one."""
    from PIL.Image import Dither, Quantize

    red, green, blue = image.split()
    if red.tobytes() == green.tobytes() == blue.tobytes():
        return red
    return image.quantize(256, Quantize.MEDIANCUT, dither=Dither.NONE)


def _write_mp4(file: BinaryIO, images: Iterator[Image], fps: int) -> None:
    """H.264 in 4:2:0, which every browser plays: sides must be even, so that a row or a
    column may be repeated."""
    import av

    first = next(images)
    width, height = (side + side % 2 for side in first.size)
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": MP4_QUALITY})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.thread_count = 1
        for image in chain([first], images):
            pixels = np.asarray(_padded(image, (width, height)))
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _padded(image: Image, size: tuple[int, int]) -> Image:
    """An image with a column and a row more, up to a size, as its last ones are."""
    if image.size == size:
        return image
    from PIL.Image import new

    larger = new("RGB", size)
    larger.paste(image, (size[0] - image.width, size[1] - image.height))
    larger.paste(image, (0, 0))
    return larger
