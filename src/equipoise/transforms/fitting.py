"""The chain of transforms of a data set, fitted to its training samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from equipoise.data import ScalingKind
from equipoise.data.loading import Stream, seeded
from equipoise.data.schema import Schema
from equipoise.data.series.windows import Series
from equipoise.data.sources import Source
from equipoise.transforms.base import Transform
from equipoise.transforms.category_conditions import CategoryConditions
from equipoise.transforms.chain import Chain
from equipoise.transforms.clustering import PART, Clustering
from equipoise.transforms.dequantization import Dequantization
from equipoise.transforms.image_kmeans import ImageClusters, default_clusters
from equipoise.transforms.latent_classes import LatentClasses, default_components
from equipoise.transforms.mode_normalization import ModeNormalization
from equipoise.transforms.per_channel import ChannelClusters, are_independent
from equipoise.transforms.premultiplication import Premultiplication
from equipoise.transforms.scaling import fit_scaling
from equipoise.transforms.series import SeriesScaling
from equipoise.transforms.series_whitening import SeriesWhitening
from equipoise.transforms.space import TableKind
from equipoise.transforms.table_encoding import TableEncoding
from equipoise.transforms.whitening import ComponentWhitening

# Clusters are fitted to so many rows, and to so many values at most.
FITTED_ROWS, MAX_FITTED_VALUES = 10_000, 2**27
MAX_WHITENED = 2_000  # values of a window
FITTED_TABLE_ROWS = 50_000  # of tables with categories, whose mixtures need more


def fit_chain(
    source: Source,
    kind: ScalingKind,
    clusters: int | None,
    labels: int,
    seed: int,
    per_channel: bool = False,
    tables: TableKind = "scores",
) -> Chain:
    """Fit the transforms to a source's training samples.

    Args:
        source: The data.
        kind: Of the scaling.
        clusters: How many; None for as many as the data shows, 0 for none.
        labels: How many labels networks learn; 0 for none.
        seed: Of all that is drawn.
        per_channel: Whether each channel of images has clusters of its own.
        tables: How networks see a table.
    """
    if source.schema.table is not None:
        if tables == "modes":
            return _fit_modes(source, source.schema.table.sizes, seed)
        return _fit_table(source, clusters, labels, seed)
    if source.schema.series is not None:
        return _fit_series(source, source.schema.series, kind, clusters, labels, seed)
    links: list[Transform] = [Dequantization(source.schema)]
    if source.schema.alpha and source.limits is not None:
        links.append(Premultiplication(source.schema, source.limits))
    links.append(fit_scaling(source, kind, seed))
    clustering = fit_clustering(source, links, clusters, labels, seed, per_channel)
    return Chain(links if clustering is None else [*links, clustering])


def _fit_table(source: Source, components: int | None, labels: int, seed: int) -> Chain:
    """The transforms of a table: scores and one-hot vectors, and a mixture. Without
    components it is of one, in which all columns are independent."""
    assert source.schema.table is not None
    raw = source.seen(FITTED_TABLE_ROWS, seed)
    encoding = TableEncoding(source.schema.table.sizes).fit([raw])
    encode = _encoder([encoding], seed)
    if components is None:
        components = default_components(len(raw))
    mixture = LatentClasses.of(encoding, min(max(components, 1), len(raw)), labels)
    mixture.fit(encode(raw), seed)
    known = source.labelled(FITTED_TABLE_ROWS, seed, held_out=False) if labels else None
    if known is not None:
        mixture.fit_class_weights(encode(known[0]), known[1], labels)
    return Chain([encoding, mixture])


def _fit_modes(source: Source, sizes: Sequence[int], seed: int) -> Chain:
    """The transforms of a table by modes, and the conditions on its categories, if it
    has any."""
    # More rows take long, and move the modes little.
    modes = ModeNormalization(sizes).fit([source.seen(FITTED_ROWS, seed)], seed)
    if not any(sizes):
        return Chain([modes])
    raw = source.seen(FITTED_TABLE_ROWS, seed)
    return Chain([modes, CategoryConditions(sizes).fit(_encoder([modes], seed)(raw))])


def _fit_series(
    source: Source,
    series: Series,
    kind: ScalingKind,
    clusters: int | None,
    labels: int,
    seed: int,
) -> Chain:
    """The transforms of windows of series: a scale for each channel, and components,
    whose factors would be too large for very long windows."""
    rows = source.seen(_fitted_rows(source.schema), seed)
    scaling = SeriesScaling(series, source.schema.dtype, kind)
    scaling.fit(torch.split(rows, PART), seed)
    if series.size > MAX_WHITENED:
        clusters = 0
    clustering = fit_clustering(source, [scaling], clusters, labels, seed)
    return Chain([scaling] if clustering is None else [scaling, clustering])


def channels_are_independent(source: Source, seed: int) -> bool:
    """Whether the channels of a source's images are independent of one another, see
    `are_independent`. Those of drawings with transparency are not asked."""
    schema = source.schema
    if schema.alpha:
        return False
    raw = torch.split(source.seen(_fitted_rows(schema), seed), PART)
    # Of 16-bit tensors torch computes nothing.
    largest = max(float(part.double().abs().max()) for part in raw) or 1.0
    parts = [(part.double() / largest).float() for part in raw]
    return are_independent(parts, schema.shape, seed)


def _fitted_rows(schema: Schema) -> int:
    """The rows that clusters are fitted to, at most."""
    return min(FITTED_ROWS, max(MAX_FITTED_VALUES // schema.size, 1))


def min_clusters(schema: Schema) -> int:
    """The number of clusters that are worth having: of points of several columns one
    component is enough to whiten columns that correlate."""
    return 2 if schema.is_image or schema.size == 1 else 1


def fit_clustering(
    source: Source,
    before: Sequence[Transform],
    count: int | None,
    labels: int,
    seed: int,
    per_channel: bool = False,
) -> Clustering | None:
    """The last link of the chain, after the links `before`; None where there are too
    few clusters. Other arguments as for `fit_chain`."""
    schema = source.schema
    rows = _fitted_rows(schema)
    if count is None and schema.is_image:
        count = default_clusters(source.training_rows or FITTED_ROWS, rows, labels)
    most = count
    if most is None:
        fitted = min(rows, source.training_rows or rows)
        most = ComponentWhitening.max_components(fitted, schema.size)
    if most < min_clusters(schema):
        return None
    encode = _encoder(before, seed)
    parts = [*encode(source.seen(rows, seed))]
    clustering = _unfitted(schema, count, labels, per_channel).fit(parts, seed)
    if clustering.count < min_clusters(schema):
        return None
    known = source.labelled(rows, seed, held_out=False) if labels else None
    if known is not None:
        clustering.fit_class_weights(encode(known[0]), known[1], labels)
    return clustering


def _unfitted(schema: Schema, count: int | None, labels: int, per_channel: bool) -> Clustering:
    """The kind of clustering that fits the data."""
    if schema.series is not None:
        return SeriesWhitening(schema.series, count, labels)
    if not schema.is_image:
        return ComponentWhitening(schema.shape, count, labels)
    kind: Callable[..., Clustering] = ChannelClusters if per_channel else ImageClusters
    return kind(schema.shape, count or 1)


def _encoder(before: Sequence[Transform], seed: int) -> Callable[[Tensor], Iterator[Tensor]]:
    """Encodes raw samples by some links, a part at a time, since images take four times
    as much memory then."""

    def encoded(raw: Tensor) -> Iterator[Tensor]:
        generator = seeded(seed, Stream.ENCODING)
        for part in torch.split(raw, PART):
            x = part
            for link in before:
                x, _ = link.encode(x, None, generator)
            yield x

    return encoded
