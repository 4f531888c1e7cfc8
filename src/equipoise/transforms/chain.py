"""A chain of transforms: all that lies between the data's space and the networks'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

import torch
from torch import Tensor, nn

from equipoise.data.schema import Schema
from equipoise.errors import RequestError, clipped
from equipoise.transforms.base import Transform
from equipoise.transforms.category_conditions import CategoryConditions
from equipoise.transforms.clustering import Clustering
from equipoise.transforms.dequantization import Dequantization
from equipoise.transforms.image_kmeans import ImageClusters
from equipoise.transforms.latent_classes import LatentClasses
from equipoise.transforms.mode_normalization import ModeNormalization
from equipoise.transforms.per_channel import ChannelClusters
from equipoise.transforms.premultiplication import Premultiplication
from equipoise.transforms.scaling import Scaling
from equipoise.transforms.series import SeriesScaling
from equipoise.transforms.series_whitening import SeriesWhitening
from equipoise.transforms.space import Span
from equipoise.transforms.table_encoding import TableEncoding
from equipoise.transforms.whitening import ComponentWhitening

TRANSFORMS: dict[str, type[Transform]] = {
    link.name: link
    for link in (
        Dequantization,
        Premultiplication,
        Scaling,
        ComponentWhitening,
        ImageClusters,
        ChannelClusters,
        TableEncoding,
        LatentClasses,
        ModeNormalization,
        CategoryConditions,
        SeriesScaling,
        SeriesWhitening,
    )
}


class Chain(nn.Module):
    """Links, from the one next to the data to the one next to the networks.

    Its `state_dict` and `config` together are the whole chain. A clustering, if there
    is one, is the last link.
    """

    def __init__(self, links: Sequence[Transform]) -> None:
        super().__init__()
        for link in links:
            self.add_module(link.name, link)

    @property
    def links(self) -> list[Transform]:
        return [cast(Transform, link) for link in self.children()]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a sample as networks see it."""
        return self.links[-1].shape

    @property
    def activations(self) -> tuple[Span, ...]:
        """How G's output ends, in spans that cover an encoded sample in its order."""
        return self.links[-1].activations

    @property
    def clustering(self) -> Clustering | None:
        last = self.links[-1]
        return last if isinstance(last, Clustering) else None

    @property
    def limits(self) -> tuple[float, float] | None:
        """The range that decoded images are clamped to; None for points."""
        found = [link.limits for link in self.links if isinstance(link, Scaling)]
        return found[0] if found else None

    def encode(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """From raw samples, (N, *shape), and labels, (N,), to what networks see and
        their classes. Without a generator no noise is added, and a cluster is the most
        probable one."""
        for link in self.links:
            x, y = link.encode(x, y, generator)
        return x, y

    def decode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """From what networks make of classes to the user's units, (N, *shape), as the
        user's types hold them, in float64."""
        for link in reversed(self.links):
            x = link.decode(x, y)
        return x

    def scaled(self, x: Tensor) -> Tensor:
        """Raw samples as they are before clusters are assigned, without noise."""
        for link in self.links:
            if not isinstance(link, Clustering):
                x, _ = link.encode(x)
        return x

    @property
    def is_random(self) -> bool:
        """Whether a link draws, so that `encode_batch` has something to do."""
        return any(link.is_random for link in self.links)

    def encode_once(self, x: Tensor) -> Tensor:
        """Raw samples as the links before the first random one encode them: what can be
        kept from batch to batch."""
        for link in self.links[: self._first_random]:
            x, _ = link.encode(x)
        return x

    def encode_batch(
        self, x: Tensor, y: Tensor | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """The rest of `encode`, of samples that `encode_once` returned."""
        for link in self.links[self._first_random :]:
            x, y = link.encode(x, y, generator)
        return x, y

    @property
    def _first_random(self) -> int:
        random = [i for i, link in enumerate(self.links) if link.is_random]
        return random[0] if random else len(self.links)

    def classes(self, label: Tensor, generator: torch.Generator) -> Tensor:
        """The networks' classes of labels (N,), or of zeros where there are none;
        clusters are drawn at their weights."""
        return label if self.clustering is None else self.clustering.classes(label, generator)

    def labels(self, classes: Tensor) -> Tensor:
        """The labels of the networks' classes, (N,)."""
        return classes if self.clustering is None else self.clustering.labels(classes)

    def replaced(self, link: Transform) -> Chain:
        """The chain with another link in the place of that of the same name."""
        return Chain([link if old.name == link.name else old for old in self.links])

    def config(self) -> list[dict[str, Any]]:
        """What `from_config` takes, as JSON has it."""
        return [{"name": link.name, **link.config()} for link in self.links]

    @classmethod
    def from_config(cls, schema: Schema, stored: Any) -> Self:
        """The chain of data of this schema, whose tensors are still to be loaded.

        Raises:
            RequestError: If `config` cannot have returned it.
        """
        if not isinstance(stored, list) or len(stored) != len(
            {link.get("name") if isinstance(link, dict) else None for link in stored}
        ):
            raise RequestError("its transforms cannot be")
        shape, links = schema.shape, list[Transform]()
        for described in stored:
            name = described.get("name") if isinstance(described, dict) else None
            if name not in TRANSFORMS:
                raise RequestError(f"its transform {clipped(repr(name))} is not known")
            try:
                links.append(TRANSFORMS[name].from_config(schema, shape, described))
            except KeyError as error:
                raise RequestError(f"its {name} has no {error}") from None
            shape = links[-1].shape
        first: list[type[Transform]] = [Dequantization, Scaling]
        if schema.table is not None:
            by_modes = isinstance(links[0], ModeNormalization)
            first = [ModeNormalization if by_modes else TableEncoding]
        if schema.series is not None:
            first = [SeriesScaling]
        if schema.alpha:
            first.insert(1, Premultiplication)
        if [*map(type, links[: len(first)])] != first or len(links) > len(first) + 1:
            raise RequestError("its transforms cannot be")
        return cls(links)

    def check(self) -> None:
        """Raises:
        RequestError: Where the tensors that were loaded cannot have been fitted."""
        for link in self.links:
            link.check()


def example_classes(
    schema: Schema, transform: Chain | None, n: int, device: torch.device
) -> Tensor | None:
    """The first class n times, as a batch of the loader has classes; None where it has
    none."""
    if transform is not None and transform.clustering is not None:
        return transform.clustering.first(n, device)
    return None if schema.classes is None else torch.zeros(n, dtype=torch.int64, device=device)
