"""A sheet of what resizing does to images: as they are, and as they are learned."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from equipoise.data.images.decode import before_and_after
from equipoise.data.images.form import ResizedImages
from equipoise.plotting.grids import eight_bit

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage
    from PIL.Image import Resampling

SIDE, GAP = 160, 12  # pixels of a cell, and between cells
FRAME = (214, 39, 40)


def resizing_sheet(
    images: ResizedImages, limits: tuple[float, float] | None, *, alpha: bool = False
) -> bytes | None:
    """A PNG with a column for each image: above as it is, with a frame about the part
    that is kept, and below as it is learned.

    Args:
        images: The images.
        limits: The values of black and white, of images as they are learned.
        alpha: Whether the last channel is transparency.

    Returns:
        None if none can be read any more.
    """
    from PIL import Image, ImageDraw

    found = [before_and_after(place, images.form) for place in images.places]
    pairs = [pair for pair in found if pair is not None]
    if not pairs:
        return None
    sheet = Image.new("RGB", (len(pairs) * (SIDE + GAP) - GAP, 2 * SIDE + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for column, (before, after) in enumerate(pairs):
        left = column * (SIDE + GAP)
        factor = SIDE / max(before.size)
        x, y, shown = _put(sheet, before, left, 0, Image.Resampling.LANCZOS)
        box = [edge * factor for edge in images.form.box(before.size)]
        draw.rectangle(
            (x + box[0], y + box[1], x + min(box[2], shown[0]) - 1, y + min(box[3], shown[1]) - 1),
            outline=FRAME,
            width=2,
        )
        pixels = eight_bit(after[None].astype(float), limits, alpha=alpha)[0]
        learned = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        small = max(learned.size) < SIDE
        how = Image.Resampling.NEAREST if small else Image.Resampling.LANCZOS
        _put(sheet, learned, left, SIDE + GAP, how)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _put(
    sheet: PillowImage, image: PillowImage, left: int, top: int, how: Resampling
) -> tuple[int, int, tuple[int, int]]:
    """Paste an image into the middle of a cell, as large as fits, on white, and return
    its corner and its size."""
    factor = SIDE / max(image.size)
    size = (max(round(image.width * factor), 1), max(round(image.height * factor), 1))
    scaled = image.convert("RGBA").resize(size, how)
    x, y = left + (SIDE - size[0]) // 2, top + (SIDE - size[1]) // 2
    sheet.paste(scaled, (x, y), scaled)
    return x, y, size
