"""A sheet of images by class: a row of samples
for each label that a generator learned."""

from __future__ import annotations

import io
import math

from equipoise.errors import clipped, printable
from equipoise.plotting.grids import MIN_SIDE, eight_bit
from equipoise.sampling.sampler import Sampler

MAX_CLASSES, ACROSS = 20, 10  # rows and columns
GAP, MARGIN, LETTERS = 2, 8, 24  # pixels between images and beside a label; letters of a label
FONT = 16  # pixels of a letter
MAX_SIDE = 96  # pixels of an image, which is made smaller if it is larger


def has_classes(sampler: Sampler) -> bool:
    """Whether a sheet by class can be drawn: of
    images, by a generator that learned labels."""
    return bool(sampler.recipe.conditional) and sampler.schema.is_image


def by_class(sampler: Sampler, limits: tuple[float, float] | None, seed: int) -> bytes:
    """A PNG with a row of images for each of
    the first classes, and the label before it.

    Images of a column come from the same latents.
    """
    from PIL import Image, ImageDraw, ImageFont

    labels = labels_of(sampler)
    rows = [eight_bit(sampler.values(ACROSS, seed, k), limits) for k in range(len(labels))]
    height, width, channels = rows[0].shape[1:]
    longer = max(height, width)
    if longer <= MAX_SIDE:
        factor, how = float(max(MIN_SIDE // (ACROSS * longer), 1)), Image.Resampling.NEAREST
    else:
        factor, how = MAX_SIDE / longer, Image.Resampling.LANCZOS
    height, width = max(round(height * factor), 1), max(round(width * factor), 1)
    font = ImageFont.load_default(FONT)
    left = math.ceil(max(font.getlength(label) for label in labels)) + 2 * MARGIN
    tall = max(height, FONT + GAP)  # of a row, that labels of the smallest images do not overlap
    size = left + ACROSS * (width + GAP), len(rows) * (tall + GAP)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for down, (label, images) in enumerate(zip(labels, rows, strict=True)):
        top = down * (tall + GAP)
        draw.text((left - MARGIN, top + tall / 2), label, fill="black", font=font, anchor="rm")
        for across, pixels in enumerate(images):
            image = Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)
            sheet.paste(image.resize((width, height), how), (left + across * (width + GAP), top))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def labels_of(sampler: Sampler) -> list[str]:
    """The labels of the sheet's rows, as far as one wants to read them."""
    classes = sampler.schema.classes or ()
    return [clipped(printable(str(label)), LETTERS) for label in classes[:MAX_CLASSES]]
