"""The source of samples in tars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from equipoise.data.arrays import Labels
from equipoise.data.image_folder import open_images
from equipoise.data.image_options import ImageOptions
from equipoise.data.images.listing import LeftOut, note_of
from equipoise.data.indexed import open_indexed
from equipoise.data.sources import Source
from equipoise.data.tars.arrays import TarArrays
from equipoise.data.tars.images import TarListing
from equipoise.data.tars.patterns import title_of
from equipoise.data.tars.samples import read_samples


def open_tars(
    path: Path,
    shards: Sequence[Path],
    others: Sequence[LeftOut],
    labels: Labels | None,
    memory_budget: float,
    split_seed: int,
    images: ImageOptions,
) -> Source:
    """Images are decoded once into the cache, as those of a folder, and read from
    there. Arrays are read where they lie, all at once if memory holds them.

    Args:
        path: What the user named.
        shards: The tars that it names, in order.
        others: Other files beside them.
        labels: One for each sample, in place of their own.
        memory_budget: GiB of samples that are held in memory.
        split_seed: Decides which are held out.
        images: How images are read.

    Raises:
        RequestError: If they cannot be trained on.
    """
    samples, name = read_samples(shards), title_of(path)
    count = f"{len(samples):,} {samples.kind} in {len(shards):,} .tar file{'s' * (len(shards) > 1)}"
    if samples.kind == "images":
        listing = TarListing.of(path, name, samples, others, images.resizing)
        source = open_images(listing, labels, memory_budget, split_seed, images)
    else:
        arrays = TarArrays(samples, name)
        source = open_indexed(arrays, labels, memory_budget, split_seed, images)
        source.left_out = (*others, *samples.passed_over)
        left_out = [note_of(source.left_out, len(samples))] if source.left_out else []
        source.notes[:0] = [*left_out, *samples.notes]
    source.notes.insert(0, count)
    return source
