"""Modes: what a data set falls into by itself, so that networks learn each as a class of its own.

Points fall into normal components, and networks see a point relative to its own (`normal_modes`), even where that is the only one.
Pictures fall into groups that look alike, and networks see them as they are (`picture_modes`); where the channels tell nothing of one
another, each of them does by itself (`channel_modes`). A class of the networks is a mode, or with C labels label * K + mode.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from equipoise.data import ScalingKind
from equipoise.data.loading import EndOfDataError, Feed, Stream, seeded
from equipoise.data.schema import Schema
from equipoise.data.sources import Source
from equipoise.transforms.scaling import Scaling, fit_scaling

ROWS, LOOKED_AT = 10_000, 2**27  # that modes are found in, and numbers of them at most
VALUES = 2**20  # of batches that a feed makes at once
MOST_BATCHES = 32
PART = 4096  # samples whose posteriors are in memory at once
RARE = 1e-3  # of a sample: what a label has that none of those looked at had


class Modes(nn.Module):
    """K modes, fixed while networks train."""

    apart: ClassVar[bool] = False
    """Whether each channel of a picture has a mode of its own."""
    weights: Tensor
    """(C, K): the share of all samples that have a label and a mode; C is 1 without labels, and the number of channels where they are
    apart."""

    def __init__(self, count: int, labels: int = 0) -> None:
        super().__init__()
        self.register_buffer("weights", torch.full((max(labels, 1), count), 1 / (max(labels, 1) * count)))

    @property
    def count(self) -> int:
        """K."""
        return self.weights.shape[1]

    @abstractmethod
    def posteriors(self, x: Tensor) -> Tensor:
        """p(k | x) of scaled samples (N, *shape): (N, K)."""

    def within(self, x: Tensor, mode: Tensor) -> Tensor:
        """What networks see of scaled samples (N, *shape), each of a mode, (N,)."""
        return x

    def place(self, u: Tensor, classes: Tensor) -> Tensor:
        """The scaled samples of what networks make, (N, *shape), of classes (N,)."""
        return u

    def assign(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """A mode for each sample, drawn from its posterior: (N,)."""
        if self.count == 1:
            return torch.zeros(len(x), dtype=torch.int64, device=x.device)
        cumulative = self.posteriors(x).cumsum(1)
        drawn = 1 - torch.rand(len(x), 1, generator=generator, device=x.device)  # above 0, so that a mode without a share is never drawn
        found: Tensor = (cumulative < drawn * cumulative[:, -1:]).sum(1)
        return found

    def taken_apart(self, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """What networks see of scaled samples (N, *shape), and a mode for each, (N,), a part of them at a time."""
        parts = [x[first : first + PART] for first in range(0, len(x), PART)]
        modes = [self.assign(part, generator) for part in parts]
        return torch.cat([self.within(part, mode) for part, mode in zip(parts, modes, strict=True)]), torch.cat(modes)

    def component(self, classes: Tensor) -> Tensor:
        """The modes of the networks' classes, (N,)."""
        return classes % self.count

    def first(self, n: int, device: torch.device) -> Tensor:
        """The first class, n times, as networks are told it."""
        return torch.zeros(n, dtype=torch.int64, device=device)

    def labels(self, classes: Tensor) -> Tensor:
        """The labels of the networks' classes, (N,)."""
        return classes // self.count

    def classes(self, label: Tensor, generator: torch.Generator) -> Tensor:
        """The networks' classes for labels (N,), zeros without any: modes drawn at each label's shares, (N,)."""
        weights = self.weights.cpu().double()
        ends, totals = weights.flatten().cumsum(0), weights.sum(1)
        below = ends[self.count - 1 :: self.count] - totals
        drawn = 1 - torch.rand(len(label), generator=generator, dtype=torch.float64)
        found = torch.searchsorted(ends, below[label] + drawn * totals[label])
        return found.clamp(label * self.count, label * self.count + self.count - 1)

    def count_labels(self, parts: Iterable[Tensor], label: Tensor, labels: int) -> None:
        """Take the shares anew, of so many labels, from scaled samples, (N, *shape) in parts, and their labels (N,). A label that none has
        gets hardly any, and the modes at the shares of all."""
        posteriors = torch.cat([self.posteriors(part) for part in parts])
        sums = torch.zeros(labels, self.count).index_add_(0, label, posteriors)
        sums = torch.where(sums.sum(1, keepdim=True) == 0, RARE * posteriors.mean(0), sums)
        self.weights = sums / sums.sum()


def fewest(schema: Schema) -> int:
    """How many modes are any: of points of several columns one is enough for columns that do not correlate."""
    return 2 if schema.is_picture or schema.size == 1 else 1


def modes_for(schema: Schema, count: int, labels: int, apart: bool) -> Modes | None:
    """Modes of data of this shape that are still to be loaded; of pictures' channels each by itself with `apart`. None for too few."""
    from equipoise.transforms.gaussian_mixture import NormalModes
    from equipoise.transforms.image_kmeans import PictureModes
    from equipoise.transforms.per_channel import ChannelModes

    if count < fewest(schema):
        return None
    if apart:
        return ChannelModes(count, schema.shape)
    return PictureModes(count, schema.shape, labels) if schema.is_picture else NormalModes(count, schema.size, labels)


def first_classes(schema: Schema, modes: Modes | None, n: int, device: torch.device) -> Tensor | None:
    """The first class, n times, as players are told it: of the modes if there are any, else of the labels; None without either."""
    if modes is not None:
        return modes.first(n, device)
    return None if schema.classes is None else torch.zeros(n, dtype=torch.int64, device=device)


def find_modes(source: Source, scaling: Scaling, count: int | None, labels: int, seed: int, apart: bool | None = False) -> Modes | None:
    """The modes of a source's training samples, so many or, for None, as many as they show; None where those are too few to be any.
    `labels`, if above 0, is how many the players learn. `apart` is whether modes are of each channel by itself; None, as the channels
    show."""
    from equipoise.transforms.gaussian_mixture import NormalModes
    from equipoise.transforms.image_kmeans import PictureModes, usual
    from equipoise.transforms.per_channel import ChannelModes, are_independent

    schema, least = source.schema, fewest(source.schema)
    rows = min(ROWS, max(LOOKED_AT // schema.size, 1))
    if count is None and schema.is_picture:
        count = usual(source.training_rows or ROWS, rows, labels)
    at_most = NormalModes.room(min(rows, source.training_rows or rows), schema.size) if count is None else count
    if at_most < least:
        return None
    parts: Iterable[Tensor] = _scaled(source.seen(rows, seed), scaling)
    if apart is None and schema.is_picture and schema.shape[0] > 1 and not labels:
        parts = list(parts)
        apart = are_independent(parts, schema.shape, seed)
    if schema.is_picture and apart:
        modes: Modes = ChannelModes.fit([*parts], schema.shape, count or 1, seed)
    elif schema.is_picture:
        modes = PictureModes.fit(parts, schema.shape, count or 1, seed)
    else:
        modes = NormalModes.fit(torch.cat([*parts]), seed, count)
    if modes.count < least:
        return None
    known = source.labelled(rows, seed, held_out=False) if labels else None
    if known is not None:
        modes.count_labels(_scaled(known[0], scaling), known[1], labels)
    return modes


class Space(NamedTuple):
    """What networks see a data set in: its scaling, and
    the modes that it is taken apart into, if any."""

    scaling: Scaling
    modes: Modes | None


def find_space(
    source: Source,
    kind: ScalingKind,
    count: int | None,
    labels: int,
    seed: int,
    apart: bool | None = False,
) -> Space:
    """The space of a source, fitted to its training samples:
    a scaling of this kind, and what `find_modes` finds."""
    scaling = fit_scaling(source, kind, seed)
    return Space(scaling, find_modes(source, scaling, count, labels, seed, apart))


def _scaled(raw: Tensor, scaling: Scaling) -> Iterator[Tensor]:
    """Raw samples scaled, a part at a time, since pictures take four times as much then."""
    return (scaling.encode(raw[first : first + PART]) for first in range(0, len(raw), PART))


class ModesFeed(Feed):
    """Another feed's batches as networks see them, (batch_size, *shape), with their classes, (batch_size,). Small ones are made some at
    once, so that a step only slices."""

    def __init__(self, feed: Feed, modes: Modes, size: int, seed: int, labelled: bool) -> None:
        super().__init__(feed.batch_size, feed.encode, feed.device)
        self.feed, self.modes, self.seed, self.labelled = feed, modes, seed, labelled
        self.together = min(max(VALUES // (feed.batch_size * size), 1), MOST_BATCHES)
        self._begin(0)

    def _begin(self, batch: int) -> None:
        """Make the batches that come next, and set out from one of them."""
        self.start, self.batch = self.feed.position(), batch
        taken = list(self._taken())
        self.batches = len(taken)
        x = torch.cat([x for x, _ in taken])
        self.u, mode = self.modes.taken_apart(x, seeded(self.seed, Stream.MODES, *self.start.values(), device=self.device))
        labels = [y for _, y in taken if y is not None] if self.labelled else []
        self.y = mode + torch.cat(labels) * self.modes.count if labels else mode

    def _taken(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        """The other feed's next batches; fewer where it ends, but one."""
        for batch in range(self.together):
            try:
                yield self.feed.next()
            except EndOfDataError:
                if batch == 0:
                    raise
                return

    def next(self) -> tuple[Tensor, Tensor | None]:
        if self.batch == self.batches:
            self._begin(0)
        rows = slice(self.batch * self.batch_size, (self.batch + 1) * self.batch_size)
        self.batch += 1
        return self.u[rows], self.y[rows]

    def position(self) -> dict[str, int]:
        return {**self.start, "batch": self.batch}

    def restore(self, position: dict[str, int]) -> None:
        self.feed.restore({name: value for name, value in position.items() if name != "batch"})
        self._begin(position["batch"])
        if self.batch > self.batches:
            raise ValueError(f"batch = {self.batch}: must be at most {self.batches}")
