"""The transform of a data set, fitted to its training samples: a scaling, and a
clustering where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from equipoise.data import ScalingKind
from equipoise.data.schema import Schema
from equipoise.data.sources import Source
from equipoise.transforms.clustering import PART, Clustering
from equipoise.transforms.image_kmeans import ImageClusters, usual
from equipoise.transforms.per_channel import ChannelClusters, are_independent
from equipoise.transforms.scaling import Scaling, fit_scaling
from equipoise.transforms.whitening import ComponentWhitening

ROWS, LOOKED_AT = 10_000, 2**27  # that modes are found in, and numbers of them at most


def fewest(schema: Schema) -> int:
    """How many modes are any: of points of several columns one is enough for columns
    that do not correlate."""
    return 2 if schema.is_image or schema.size == 1 else 1


def empty_clustering(schema: Schema, count: int, labels: int, apart: bool) -> Clustering | None:
    """Modes of data of this shape that are still to be loaded; of images' channels each
    by itself with `apart`. None for too few."""

    if count < fewest(schema):
        return None
    if apart:
        return ChannelClusters(count, schema.shape)
    return (
        ImageClusters(count, schema.shape, labels)
        if schema.is_image
        else ComponentWhitening(count, schema.size, labels)
    )


def first_classes(
    schema: Schema, clustering: Clustering | None, n: int, device: torch.device
) -> Tensor | None:
    """The first class, n times, as networks are told it: of the modes if there are any,
    else of the labels; None without either."""
    if clustering is not None:
        return clustering.first(n, device)
    return None if schema.classes is None else torch.zeros(n, dtype=torch.int64, device=device)


def fit_clustering(
    source: Source,
    scaling: Scaling,
    count: int | None,
    labels: int,
    seed: int,
    apart: bool | None = False,
) -> Clustering | None:
    """The modes of a source's training samples, so many or, for None, as many as they
    show; None where those are too few to be any. `labels`, if above 0, is how many the
    networks learn. `apart` is whether modes are of each channel by itself; None, as the
    channels show."""

    schema, least = source.schema, fewest(source.schema)
    rows = min(ROWS, max(LOOKED_AT // schema.size, 1))
    if count is None and schema.is_image:
        count = usual(source.training_rows or ROWS, rows, labels)
    at_most = (
        ComponentWhitening.room(min(rows, source.training_rows or rows), schema.size)
        if count is None
        else count
    )
    if at_most < least:
        return None
    parts: Iterable[Tensor] = _scaled(source.seen(rows, seed), scaling)
    if apart is None and schema.is_image and schema.shape[0] > 1 and not labels:
        parts = list(parts)
        apart = are_independent(parts, schema.shape, seed)
    if schema.is_image and apart:
        clustering: Clustering = ChannelClusters.fit([*parts], schema.shape, count or 1, seed)
    elif schema.is_image:
        clustering = ImageClusters.fit(parts, schema.shape, count or 1, seed)
    else:
        clustering = ComponentWhitening.fit(torch.cat([*parts]), seed, count)
    if clustering.count < least:
        return None
    known = source.labelled(rows, seed, held_out=False) if labels else None
    if known is not None:
        clustering.count_labels(_scaled(known[0], scaling), known[1], labels)
    return clustering


class Space(NamedTuple):
    """What networks see a data set in: its scaling, and
    the modes that it is taken apart into, if any."""

    scaling: Scaling
    clustering: Clustering | None


def find_space(
    source: Source,
    kind: ScalingKind,
    count: int | None,
    labels: int,
    seed: int,
    apart: bool | None = False,
) -> Space:
    """The space of a source, fitted to its training samples:
    a scaling of this kind, and what `fit_clustering` finds."""
    scaling = fit_scaling(source, kind, seed)
    return Space(scaling, fit_clustering(source, scaling, count, labels, seed, apart))


def _scaled(raw: Tensor, scaling: Scaling) -> Iterator[Tensor]:
    """Raw samples scaled, a part at a time, since images take four times as much then."""
    return (scaling.encode(raw[first : first + PART]) for first in range(0, len(raw), PART))
