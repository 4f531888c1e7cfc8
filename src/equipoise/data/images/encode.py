"""Samples as image files, of the data's own size, channels and depth, and in its own
format where that can hold them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from equipoise.data.images.deep_png import png_of
from equipoise.data.images.formats import ImageFormat, of_name
from equipoise.data.schema import Schema

DEEP_MODES = {"uint16": "I;16", "float32": "F"}  # of one channel


@dataclass(frozen=True)
class ImageEncoder:
    """Encodes samples of one data set."""

    format: ImageFormat
    mode: str
    """Pillow's mode of a file, or of each of its pages; of colours of 16 bit, for which
    it has none, "RGB;16" or "RGBA;16"."""
    is_paged: bool
    """Whether every channel is a page of its own."""
    limits: tuple[float, float] | None
    """Of values that are brought to 8 bit; None for those that are kept."""

    @classmethod
    def of(
        cls, schema: Schema, limits: tuple[float, float] | None, file_format: str | None
    ) -> ImageEncoder:
        """The encoder for a data set.

        Args:
            schema: Of the data.
            limits: Of its values.
            file_format: Pillow's name of the format of its files; None for an array.
        """
        channels = schema.shape[0]
        # Only folders of pages have channels first.
        from_pages = file_format is not None and schema.layout == "NCHW"
        has_colours = channels in (1, 3) or schema.alpha
        is_paged = from_pages or not has_colours
        single = channels == 1 or is_paged
        is_float_file = schema.dtype == "float32" and file_format is not None
        kept = schema.dtype in ("uint8", "uint16") or (single and is_float_file)
        mode = {3: "RGB", 4: "RGBA"}.get(channels, "L")
        if single:
            mode = DEEP_MODES.get(schema.dtype, "L") if kept else "L"
        elif schema.dtype == "uint16":
            mode = f"{mode};16"
        wanted = "TIFF" if is_paged else file_format
        known = next(
            one
            for one in (of_name(wanted), of_name("PNG"), of_name("TIFF"))
            if one is not None and mode in one.modes
        )
        return cls(known, mode, is_paged, None if kept else limits or (0.0, 255.0))

    @property
    def ending(self) -> str:
        """Of a file's name: ".png"."""
        return self.format.ending(self.mode)

    def encode(self, sample: NDArray[Any]) -> bytes:
        """One sample, (C, H, W), in the data's type, as the bytes of a file."""
        if self.limits is not None:
            low, high = self.limits
            scaled = (sample.astype(np.float64) - low) / max(high - low, 1e-300) * 255
            sample = scaled.round().clip(0, 255).astype(np.uint8)
        if self.mode in ("RGB;16", "RGBA;16"):
            return png_of(sample)
        buffer = io.BytesIO()
        options = dict(self.format.options)
        if self.is_paged:
            first, *others = [Image.fromarray(page) for page in np.ascontiguousarray(sample)]
            options |= {"save_all": True, "append_images": others}
        else:
            pixels = sample[0] if len(sample) == 1 else sample.transpose(1, 2, 0)
            first = Image.fromarray(np.ascontiguousarray(pixels))
        first.save(buffer, self.format.name, **options)
        return buffer.getvalue()
