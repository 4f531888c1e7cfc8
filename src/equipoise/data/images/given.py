"""Images that are given to a generator by path: one, or those of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from equipoise.data.hidden import is_hidden
from equipoise.data.image_options import ImageOptions
from equipoise.data.images.decode import take
from equipoise.data.images.form import AS_FOUND, DEPTHS, Form, Mode
from equipoise.data.images.formats import SUFFIXES
from equipoise.data.images.listing import ending_of
from equipoise.data.schema import Schema
from equipoise.errors import RequestError


def images_at(path: Path, schema: Schema, options: ImageOptions | None) -> NDArray[Any] | None:
    """The image in a file, or those of a folder, in the form of the generator's: (N, C,
    H, W). None for another file, such as an array.

    Args:
        path: Of the file or the folder.
        schema: The generator's.
        options: How the training's images were read.

    Raises:
        RequestError: An image cannot be read, or brought to the form.
    """
    if path.is_dir():
        paths = sorted(
            file
            for file in path.rglob("*")
            if ending_of(file.name) in SUFFIXES and not is_hidden(file.relative_to(path).parts)
        )
        if not paths:
            raise RequestError(f"{str(path)!r}: there are no images in this folder")
    elif ending_of(path.name) in SUFFIXES:
        paths = [path]
    else:
        return None
    resizing = AS_FOUND if options is None else options.resizing
    channels, height, width = schema.shape
    mode = {1: "L", 3: "RGB", 4: "RGBA"}.get(channels, "channels")
    form = Form(
        cast(Mode, mode),
        channels,
        (width, height),
        DEPTHS.get(schema.dtype, "uint8"),
        resizing.crop,
        resizing.fit,
    )
    images = []
    for file in paths:
        taken = take(file, form)
        if taken.pixels is None:
            seen = taken.seen
            why = seen if isinstance(seen, str) else " ".join((form.misfit(seen) or ("",))[-1:])
            raise RequestError(f"{str(file)!r} cannot be used: {why}")
        images.append(taken.pixels)
    return np.stack(images)
