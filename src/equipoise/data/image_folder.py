"""The source of a folder of images."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data import arrays
from equipoise.data.datasets import FetchedSource
from equipoise.data.image_options import ImageOptions
from equipoise.data.images import cache
from equipoise.data.images.arrangement import Arrangement
from equipoise.data.images.folder import ImageFolder, scan
from equipoise.data.images.form import ResizedImages
from equipoise.data.images.listing import Listing, list_images
from equipoise.data.limits import limits_of, range_note
from equipoise.data.outliers import notes_of_extreme_values
from equipoise.data.schema import Schema
from equipoise.data.sources import RowsSource, Source
from equipoise.data.split import OwnSplit

LARGE_SIDE = 128  # pixels, beyond which the start names --size
SOME_IMAGES = 100  # that are decoded to look at their values, where all take too long


def open_folder(
    path: Path,
    labels: arrays.Labels | None,
    memory_budget: float,
    split_seed: int,
    options: ImageOptions,
) -> Source:
    """The images of a folder. They are decoded once into a cache on disk, and read from
    there: all at once, or batch by batch where they are over the memory budget.

    Raises:
        RequestError: If there are none, or they cannot be trained on.
    """
    listing = list_images(path, options.resizing)
    return open_images(listing, labels, memory_budget, split_seed, options)


def open_images(
    listing: Listing,
    labels: arrays.Labels | None,
    memory_budget: float,
    split_seed: int,
    options: ImageOptions,
) -> Source:
    """As `open_folder`, of the files of a listing."""
    decoded, notes = None, []
    try:
        decoded = cache.decoded(listing)
        folder = decoded.folder
    except cache.NotCachedError as error:
        folder = scan(listing)
        notes.append(str(error))
    name, n, fits = listing.title, len(folder), folder.nbytes <= memory_budget * 2**30
    schema = Schema(
        folder.shape,
        "NHW" if folder.shape[0] == 1 else "NCHW" if folder.mode == "channels" else "NHWC",
        folder.dtype,
        alpha=folder.mode == "RGBA" and options.alpha is not False,
    )
    notes += [note] if (note := range_note(folder.dtype, *folder.range)) else []
    height, width = folder.shape[1:]
    if max(height, width) > LARGE_SIDE and options.resizing.size is None:
        notes.append(
            f"images of {width} x {height} take long to learn on a CPU: to make them smaller "
            "type --size 64 (in Python size=64)"
        )
    if not fits:
        notes.append(_memory_note(folder, memory_budget, cached=decoded is not None))
    values, sums = _values(folder, decoded, name, fits=fits)
    arrangement = folder.arrangement
    own = arrangement.labels
    rows = arrays.with_labels(values, schema, own if labels is None else labels, name)
    fingerprint = folder.content
    # Other labels than those of its folders, which are in the files' paths.
    if rows.labels is not None and (labels is not None or arrangement.from_file):
        given = json.dumps(rows.schema.to_dict()["classes"]).encode() + rows.labels.tobytes()
        fingerprint = hashlib.sha256(folder.content.encode() + given).hexdigest()
    limits, own_split = limits_of(folder.dtype, *folder.range), _own_split(arrangement)
    source: Source
    if fits:
        source = RowsSource(
            name,
            rows,
            split_seed,
            fingerprint=fingerprint,
            sums=sums,
            limits=limits,
            own_split=own_split,
        )
    else:
        fetch = folder.read if decoded is None else partial(np.take, values, axis=0)
        source = FetchedSource(
            name,
            rows.schema,
            fingerprint,
            fetch,
            rows.labels,
            n,
            split_seed,
            sums=sums,
            in_background=True,
            limits=limits,
            own_split=own_split,
        )
    notes += _extreme_values(folder, values, limits, source)
    source.notes[:0] = [*folder.all_notes, *notes]
    source.labels_found = rows.labels is not None
    source.left_out, source.file_format = folder.left_out, folder.format
    if folder.examples:
        places = tuple(listing.place(name) for name in folder.examples)
        source.resized = ResizedImages(places, folder.form)
    return source


def _extreme_values(
    folder: ImageFolder, values: NDArray[Any], limits: tuple[float, float], source: Source
) -> list[str]:
    """The note on extreme values of images of more than 8 bit, if they have any: of all
    images, or of some where each would have to be decoded."""
    if folder.dtype == "uint8":
        return []
    if values.size:
        return notes_of_extreme_values(values, source.schema, limits, lambda row: folder.names[row])
    return notes_of_extreme_values(source.seen(SOME_IMAGES, 0).numpy(), source.schema, limits)


def _memory_note(folder: ImageFolder, memory_budget: float, *, cached: bool) -> str:
    """How images are read that are over the memory budget."""
    how = "read from the cache of decoded images" if cached else "decoded again for every batch"
    return (
        f"{folder.nbytes / 2**30:.1f} GiB of decoded images are over memory_budget = "
        f"{memory_budget:g} GiB: they are {how}"
    )


def _values(
    folder: ImageFolder, decoded: cache.Decoded | None, name: str, *, fits: bool
) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """The images, (N, C, H, W), or none of them where they are neither cached nor fit
    into memory; and the sums of their values, where those are known.

    Raises:
        RequestError: If all values, or all images, are the same.
    """
    values: NDArray[Any] = np.empty((len(folder), 0))
    if decoded is not None:
        values = decoded.values(at_random=not fits)
    elif fits:
        values = folder.read(list(range(len(folder))))
    # Of floats they are not of the values.
    sums = None if decoded is None or folder.dtype == "float32" else decoded.sums
    if sums is None:
        if fits:
            arrays.check_values(values, name)
        return values, None
    total, squares = sums.sum(0).tolist()
    if values.size * squares == total**2:  # the variance is 0
        raise arrays.one_value_error(values.flat[0], name)
    if (sums == sums[0]).all():
        arrays.check_different(values, name)
    return values, sums


def _own_split(arrangement: Arrangement) -> OwnSplit | None:
    """The split that the folders are; None where they are none."""
    if arrangement.parts is None:
        return None
    train, test, val = (
        torch.tensor(arrangement.indices(part)) for part in ("train", "test", "val")
    )
    if not len(test):
        return OwnSplit(train, val)
    return OwnSplit(train, test, val if len(val) else None)
