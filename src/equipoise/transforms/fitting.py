"""The transform of a data set, fitted to its training samples: a scaling, and a clustering where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from equipoise.data import ScalingKind
from equipoise.data.schema import Schema
from equipoise.data.sources import Source
from equipoise.transforms.clustering import PART, Modes
from equipoise.transforms.gaussian_mixture import NormalModes
from equipoise.transforms.image_kmeans import PictureModes, usual
from equipoise.transforms.per_channel import ChannelModes, are_independent
from equipoise.transforms.scaling import Scaling, fit_scaling

ROWS, LOOKED_AT = 10_000, 2**27  # that modes are found in, and numbers of them at most


def fewest(schema: Schema) -> int:
    """How many modes are any: of points of several columns one is enough for columns that do not correlate."""
    return 2 if schema.is_picture or schema.size == 1 else 1


def modes_for(schema: Schema, count: int, labels: int, apart: bool) -> Modes | None:
    """Modes of data of this shape that are still to be loaded; of pictures' channels each by itself with `apart`. None for too few."""

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
