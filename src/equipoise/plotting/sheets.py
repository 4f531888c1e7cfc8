"""A sheet of images by class: a row of samples for each label."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import clipped, printable
from equipoise.plotting.grids import MIN_SIDE, eight_bit
from equipoise.sampling.sampler import Sampler

MAX_CLASSES, IMAGES_PER_CLASS = 20, 10  # rows and columns
GAP, MARGIN = 2, 8  # pixels between images, and beside a label
FONT_SIZE, MAX_LABEL_LENGTH = 16, 24  # pixels, letters
MAX_SIDE = 96  # pixels of an image; a larger one is made smaller


def has_classes(sampler: Sampler) -> bool:
    """Whether a sheet by class can be drawn: for images, by a generator that learned
    labels."""
    return bool(sampler.recipe.conditional) and sampler.schema.is_image


def by_class(sampler: Sampler, limits: tuple[float, float] | None, seed: int) -> bytes:
    """A PNG with a row of images for each of the first classes, behind its label, and
    transparent where they are. Images of a column have the same latents.

    Args:
        sampler: A generator that learned labels.
        limits: The values of black and white.
        seed: Of the latents.
    """
    labels = labels_of(sampler)
    alpha = sampler.schema.alpha
    rows = [
        eight_bit(sampler.values(IMAGES_PER_CLASS, seed, k), limits, alpha=alpha)
        for k in range(len(labels))
    ]
    return sheet_of(rows, labels)


def sheet_of(rows: Sequence[NDArray[np.uint8]], labels: Sequence[str]) -> bytes:
    """A PNG with a row of images behind each label.

    Args:
        rows: As bytes, (N, H, W, C) each, with one N at least 1.
        labels: One for each row.
    """
    from PIL import Image, ImageDraw, ImageFont

    across = len(rows[0])
    height, width, channels = rows[0].shape[1:]
    alpha = channels == 4
    longer = max(height, width)
    factor, resampling = MAX_SIDE / longer, Image.Resampling.LANCZOS
    if longer <= MAX_SIDE:
        factor = float(max(min(MIN_SIDE // (across * longer), MAX_SIDE // longer), 1))
        resampling = Image.Resampling.NEAREST
    height, width = max(round(height * factor), 1), max(round(width * factor), 1)
    font = ImageFont.load_default(FONT_SIZE)
    left = math.ceil(max(font.getlength(label) for label in labels)) + 2 * MARGIN
    row_height = max(height, FONT_SIZE + GAP)  # labels beside small images must not overlap
    size = left + across * (width + GAP), len(rows) * (row_height + GAP)
    sheet = Image.new("RGBA" if alpha else "RGB", size, "white")
    if alpha:
        sheet.paste((0, 0, 0, 0), (left, 0, *size))
    draw = ImageDraw.Draw(sheet)
    for row, (label, images) in enumerate(zip(labels, rows, strict=True)):
        top = row * (row_height + GAP)
        draw.text(
            (left - MARGIN, top + row_height / 2), label, fill="black", font=font, anchor="rm"
        )
        for column, pixels in enumerate(images):
            image = Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)
            sheet.paste(
                image.resize((width, height), resampling), (left + column * (width + GAP), top)
            )
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def labels_of(sampler: Sampler) -> list[str]:
    """The labels of the first classes, clipped."""
    classes = sampler.schema.classes or ()
    return [clipped(printable(str(label)), MAX_LABEL_LENGTH) for label in classes[:MAX_CLASSES]]
